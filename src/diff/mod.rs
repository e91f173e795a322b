//! Git's own diff as data: which files, which hunks, which lines. It never computes a diff itself,
//! since positions have to be those that the forge sees.

mod hunk;
mod lines;
mod name;
pub mod parse;
pub mod print;
pub(crate) mod quote;
mod raw;
mod section;
#[cfg(test)]
mod tests;

use crate::path::RepoPath;

/// Which version of a file a line or quote belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Before the change.
    Old,
    /// After the change.
    New,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileStatus {
    /// It is new.
    Added,
    /// Its contents or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It moved, perhaps with changes.
    Renamed,
    /// It was made from another file, which stays.
    Copied,
    /// It changed its kind (file, symlink, submodule).
    TypeChanged,
}

/// What a tree entry is, from git's file mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileMode {
    /// 100644 (and 100664 of old repositories).
    Regular,
    /// 100755.
    Executable,
    /// 120000; its content is the target.
    Symlink,
    /// 160000; its id is a commit of another repository.
    Submodule,
}

impl FileMode {
    /// What a six-digit octal file mode stands for; `None` for 000000 (no file) and what git does not have.
    pub(crate) fn from_octal(octal: &[u8]) -> Option<Self> {
        match octal {
            b"120000" => Some(FileMode::Symlink),
            b"160000" => Some(FileMode::Submodule),
            b"100755" | b"100775" | b"100777" => Some(FileMode::Executable),
            _ if octal.len() == 6 && octal.starts_with(b"100") => Some(FileMode::Regular),
            _ => None,
        }
    }
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// What happened.
    pub status: FileStatus,
    /// The path before; the same as `new_path` unless renamed or copied. For an added file: the new path.
    pub old_path: RepoPath,
    /// The path after. For a deleted file: the old path.
    pub new_path: RepoPath,
    /// `None` for an added file, or where a patch does not tell.
    pub old_mode: Option<FileMode>,
    /// `None` for a deleted file, or where a patch does not tell.
    pub new_mode: Option<FileMode>,
    /// The full object id before; `None` for an added file, or where only a bare patch is known.
    pub old_id: Option<String>,
    /// The full object id after; `None` for a deleted file, or where only a bare patch is known.
    pub new_id: Option<String>,
    /// Git holds it for binary (or it is larger than git is told to diff): no hunks.
    pub binary: bool,
    /// The changed places in order. Empty for pure renames, mode changes, empty and binary files.
    pub hunks: Vec<Hunk>,
}

impl FileDiff {
    /// The path that the file is called by: the new one, the old one if it was deleted.
    pub fn path(&self) -> &RepoPath {
        &self.new_path
    }

    /// Added plus removed lines.
    pub fn changed_lines(&self) -> usize {
        self.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind != LineKind::Context).count()
    }

    /// How many lines were added.
    pub fn added_lines(&self) -> usize {
        self.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == LineKind::Added).count()
    }

    /// How many lines were removed.
    pub fn removed_lines(&self) -> usize {
        self.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == LineKind::Removed).count()
    }
}

/// One changed place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// First old line (1-based; 0 with `old_lines` 0 at the file's start).
    pub old_start: u32,
    /// How many old lines it spans.
    pub old_lines: u32,
    /// First new line (1-based; 0 with `new_lines` 0 at the file's start).
    pub new_start: u32,
    /// How many new lines it spans.
    pub new_lines: u32,
    /// What git prints after the second `@@`, without the space before it.
    pub section: Vec<u8>,
    /// The lines in git's order.
    pub lines: Vec<Line>,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// It stands on both sides.
    Context,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happened to it.
    pub kind: LineKind,
    /// Its bytes without the `\n`; a `\r` before it is kept.
    pub text: Vec<u8>,
    /// Its number on the old side; `None` for an added line.
    pub old: Option<u32>,
    /// Its number on the new side; `None` for a removed line.
    pub new: Option<u32>,
    /// It is its side's last line and has no `\n`.
    pub no_newline: bool,
}
