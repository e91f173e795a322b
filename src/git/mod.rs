//! Git as a program, hardened (TRUST 10), and a repository's objects for reading.
//!
//! The reviewed repository's own configuration is never in force: everything that reads contents
//! runs in a *clean room*, a bare repository of ours in a temporary folder whose only tie to the
//! real one is an `alternates` entry. So no hook, filter, fsmonitor, textconv, external diff or
//! attribute file of the real repository can run or change an answer.

mod access;
mod batch;
pub(crate) mod bring;
pub(crate) mod compare;
pub(crate) mod fetch;
mod objects;
pub(crate) mod origin;
mod program;
pub(crate) mod room;
mod search;
pub(crate) mod snapshot;
mod texts;

pub use access::GitAccess;
pub use objects::Objects;
pub(crate) use objects::Tree;
pub(crate) use program::{GitError, needed_version as needed, version};
pub use snapshot::{MAX_TRACKED_BYTES, MAX_UNTRACKED_BYTES, MAX_UNTRACKED_FILES};

use crate::diff::FileMode;
use crate::error::UserError;
use crate::path::RepoPath;
use std::time::Duration;

/// How long git may take for an answer that does not depend on contents.
pub(crate) const ASK_TIME: Duration = Duration::from_secs(30);

/// One entry of a side's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its path.
    pub path: RepoPath,
    /// What it is.
    pub mode: FileMode,
    /// The id of its object.
    pub id: String,
}

/// One line that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrepHit {
    /// The file.
    pub path: RepoPath,
    /// 1-based line.
    pub line: u32,
    /// The line's text, lossily decoded, without its end; at most 500 bytes of it.
    pub text: String,
}

/// What to search for.
#[derive(Debug, Clone, Default)]
pub struct GrepQuery {
    /// Fixed strings; a line with any of them is a hit. One that is empty or has a line end finds nothing.
    pub needles: Vec<String>,
    /// Only where a needle stands as a whole word.
    pub word: bool,
    /// Only in paths that match this glob (as git's `:(glob)`: `*` stays within a folder, `**` does not; without a wildcard a file
    /// or a folder), if given. At most 1,000 bytes.
    pub glob: Option<String>,
    /// At most so many hits a file, in all.
    pub max_per_file: usize,
    /// At most so many hits in all.
    pub max_hits: usize,
}

/// Why something could not be read from the repository's objects.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such file on that side.
    #[error("no such file")]
    Missing,
    /// It is there, but not a regular file.
    #[error("not a regular file")]
    NotAFile,
    /// It is larger than the caller's bound.
    #[error("{size} bytes, more than the bound of {bound}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The bound in bytes.
        bound: u64,
    },
    /// Git failed.
    #[error("git: {0}")]
    Git(String),
}

impl From<GitError> for ObjectError {
    fn from(error: GitError) -> Self {
        ObjectError::Git(error.to_string())
    }
}

/// The files of a commit's tree, sorted by path (bytes).
pub(crate) fn tree_entries(room: &room::Room, commit: &str) -> Result<Vec<TreeEntry>, GitError> {
    objects::read_entries(room, &Tree::Treeish(commit.to_owned()))
}

/// A full object id (SHA-1 or SHA-256, lower case hex).
pub(crate) fn object_id(hex: &[u8]) -> Option<String> {
    let full = matches!(hex.len(), 40 | 64) && hex.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    full.then(|| String::from_utf8_lossy(hex).into_owned())
}

/// At most `max` bytes of text, lossily decoded, cut between characters.
fn shorten(bytes: &[u8], max: usize) -> String {
    // The longest character has four bytes, so one that is broken here begins past the bound.
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(max + 3)]).into_owned();
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// Tells a user that git could not do something ("read the work tree").
pub(crate) fn told(error: &GitError, what: &str) -> UserError {
    let needed = program::needed_version();
    match error {
        GitError::NotInstalled => {
            UserError::unreadable("git is not installed", error.to_string(), format!("Install git {needed} or newer and put it on the PATH."))
        }
        GitError::Failed { .. } => match program::too_old() {
            Some(version) => UserError::unreadable(
                "git is too old",
                format!("{version}; {needed} is the oldest that tribune works with ({error})"),
                format!("Install git {needed} or newer."),
            ),
            None => {
                let fix = "Check the repository with `git fsck`. In a partial or shallow clone, fetch what is missing first.";
                UserError::unreadable(format!("git could not {what}"), error.to_string(), fix)
            }
        },
        GitError::Io(..) => UserError::unreadable(
            format!("git could not {what}"),
            error.to_string(),
            "Check that git runs here and that the temporary folder has room.",
        ),
        GitError::TooMuch(..) | GitError::TooSlow(..) => UserError::unreadable(
            format!("git could not {what} within tribune's bounds"),
            error.to_string(),
            "Review the change in parts, with --base and --head.",
        ),
    }
}
