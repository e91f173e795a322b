//! A change to review, wherever it came from: both trees, git's own diff between them, and what is
//! known of its purpose. It never decides what is worth reviewing.

use crate::diff::{FileDiff, Side};
use crate::git::Objects;
use crate::path::RepoPath;
use crate::text::FileText;
use std::sync::Arc;

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
    /// There is none: a bare patch, or a repository whose first commit is under review.
    None,
}

/// A change, read.
#[derive(Debug)]
pub struct Change {
    /// Where it came from.
    pub kind: SourceKind,
    /// The commit that the diff starts from; `None` for a patch or before the first commit.
    pub base_sha: Option<String>,
    /// The reviewed commit; `None` for work tree, staged and patch.
    pub head_sha: Option<String>,
    /// What git says has changed, in git's order.
    pub files: Vec<FileDiff>,
    /// Messages of the commits in the range, oldest first, for the purpose of the change. A stranger's text.
    pub messages: Vec<String>,
    /// Where policy comes from.
    pub policy: Policy,
    /// Both trees' objects; `None` for a patch.
    pub objects: Option<Arc<Objects>>,
    /// Files that could not be read, with the reason; they have to end as `failed` in the ledger.
    pub unreadable: Vec<(RepoPath, String)>,
    /// What the report should say about how the change was read.
    pub notes: Vec<String>,
}

/// Contents past this many bytes are not read into memory as text (a file can be 200 MB).
pub const MAX_TEXT_BYTES: u64 = 4 << 20;

impl Change {
    /// A file's text on one side: the whole file from its object, or of a patch the lines it shows.
    /// `None` when the file does not exist there, is binary, not a regular file, or larger than [`MAX_TEXT_BYTES`].
    pub fn text(&self, file: &FileDiff, side: Side) -> Option<FileText> {
        let _ = (file, side);
        None
    }
}
