//! A change to review, wherever it came from: both trees, git's own diff between them, and what is
//! known of its purpose. It never decides what is worth reviewing.

mod open;
mod patch;
mod repository;
mod request;
mod tree;

pub use open::open;
pub(crate) use repository::DEFAULT_BRANCHES;
pub use request::RequestSource;
pub use tree::{TreeAt, tree};

use crate::diff::{FileDiff, FileMode, Side};
use crate::git::Objects;
use crate::path::RepoPath;
use crate::text::FileText;
use std::path::PathBuf;
use std::sync::Arc;

/// What to review, and where policy comes from.
#[derive(Debug, Clone)]
pub struct SourceRequest {
    /// A folder in the repository. For a patch it matters only when `policy` is given.
    pub dir: PathBuf,
    /// What to review.
    pub source: Source,
    /// Where policy comes from, if a person said so; else from the base.
    pub policy: Option<PolicyArg>,
}

/// What to review.
#[derive(Debug, Clone)]
pub enum Source {
    /// The work tree against the merge base of `HEAD` and the default branch, uncommitted and untracked files included.
    WorkTree,
    /// The index against `HEAD`.
    Staged,
    /// From the merge base of `base` and `head` to `head`.
    Range {
        /// A revision.
        base: String,
        /// A revision; `HEAD` unless given.
        head: Option<String>,
    },
    /// A patch's bytes.
    Patch(Vec<u8>),
    /// A merge request on a forge.
    Request(Box<RequestSource>),
}

/// Where policy comes from, by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyArg {
    /// A revision.
    Rev(String),
    /// The work tree as it stands.
    WorkTree,
}

/// Where the change came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// The work tree, uncommitted and untracked files included, against the merge base.
    WorkTree,
    /// The index against `HEAD`.
    Staged,
    /// Two commits, from their merge base.
    Range,
    /// A patch without a repository.
    Patch,
}

/// Where policy (configuration, rules, AGENTS.md, attributes) is read from. Never the reviewed side (TRUST 3)
/// unless somebody asked for it by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// A commit's tree: the commit's full id, and whether a person named it by `--policy`.
    Commit {
        /// The commit's full id.
        sha: String,
        /// Whether a person named it.
        by_hand: bool,
    },
    /// The snapshot of the work tree, asked for by `--policy worktree`.
    WorkTree,
    /// There is one, and it could not be read: nothing that a repository keeps to itself is known, so all of it is private.
    Unreadable,
    /// There is none: a bare patch, or a repository whose first commit is under review.
    None,
}

/// A change, read.
#[derive(Debug)]
pub struct Change {
    /// Where it came from.
    pub kind: SourceKind,
    /// What it is, in words: `work tree against origin/main (1a2b3c4)`.
    pub label: String,
    /// The commit that the diff starts from; `None` for a patch or before the first commit.
    pub base_sha: Option<String>,
    /// The reviewed commit; `None` for work tree, staged and patch.
    pub head_sha: Option<String>,
    /// What git says has changed, in git's order.
    pub files: Vec<FileDiff>,
    /// What the author says that the change is for, a stranger's text: of a merge request its title and description (at most
    /// 16 KiB) first, then the messages of the commits in the range, oldest first: at most 50, each at most 4 KiB.
    pub messages: Vec<String>,
    /// Where policy comes from.
    pub policy: Policy,
    /// Both trees' objects. `None` for a patch, unless `--policy` named a repository: then they hold the policy tree alone.
    pub objects: Option<Arc<Objects>>,
    /// Files that could not be read, with the reason, sorted by path; they have to end as `failed` in the ledger. One that
    /// is in `files` too was read in part: `partial`.
    pub unreadable: Vec<(RepoPath, String)>,
    /// Files of the work tree that were not looked at for their size, with it: untracked ones over
    /// [`crate::git::MAX_UNTRACKED_BYTES`], changed ones over [`crate::git::MAX_TRACKED_BYTES`]. They are not in `files`
    /// (unless committed changes are) and have to end as `filtered` in the ledger.
    pub oversized: Vec<(RepoPath, u64)>,
    /// What the report should say about how the change was read.
    pub notes: Vec<String>,
}

/// Contents past this many bytes are not read into memory as text (a file can be 200 MB).
pub const MAX_TEXT_BYTES: u64 = 4 << 20;

impl Change {
    /// A file's text on one side: the whole file from its object, or of a patch the lines it shows.
    /// `None` when the file does not exist there, is binary (has a NUL), not a regular file, or larger than
    /// [`MAX_TEXT_BYTES`], or cannot be read.
    pub fn text(&self, file: &FileDiff, side: Side) -> Option<FileText> {
        if self.kind == SourceKind::Patch {
            let sound = self.unreadable.binary_search_by(|(path, _)| path.cmp(file.path())).is_err();
            return patch::text(file, side, sound);
        }
        let (mode, id) = match side {
            Side::Old => (file.old_mode, file.old_id.as_deref()),
            Side::New => (file.new_mode, file.new_id.as_deref()),
        };
        if !matches!(mode, Some(FileMode::Regular | FileMode::Executable)) {
            return None;
        }
        self.objects.as_ref()?.text(id?, MAX_TEXT_BYTES).ok()?
    }

    /// A file's size in bytes on one side; `None` where it does not exist there, is a submodule, or only a patch is known.
    pub fn size(&self, file: &FileDiff, side: Side) -> Option<u64> {
        let (mode, id) = match side {
            Side::Old => (file.old_mode, file.old_id.as_deref()),
            Side::New => (file.new_mode, file.new_id.as_deref()),
        };
        if mode == Some(FileMode::Submodule) || self.kind == SourceKind::Patch {
            return None;
        }
        self.objects.as_ref()?.size(id?).ok()
    }
}

fn empty(kind: SourceKind) -> Change {
    Change {
        kind,
        label: String::new(),
        base_sha: None,
        head_sha: None,
        files: Vec::new(),
        messages: Vec::new(),
        policy: Policy::None,
        objects: None,
        unreadable: Vec::new(),
        oversized: Vec::new(),
        notes: Vec::new(),
    }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}
