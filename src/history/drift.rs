//! What the push did: git's own diff from the head reviewed before to this head, and where lines went by it.

use crate::diff::{FileDiff, FileStatus, Hunk, Line, LineKind};
use crate::path::RepoPath;
use std::collections::BTreeSet;

/// The diff from an earlier head to this one. Files that it does not list stand as they stood.
#[derive(Debug, Clone, Default)]
pub struct Drift {
    files: Vec<FileDiff>,
    names: BTreeSet<String>,
}

/// Where some lines went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The file's name now.
    pub path: RepoPath,
    /// First and last line now: where they were, if none of them is left.
    pub lines: (u32, u32),
    /// All of them are there, in a row, as they were.
    pub intact: bool,
}

impl Drift {
    /// What git says that lies between the two heads, and the names of the symbols that it touches.
    pub fn new(files: Vec<FileDiff>, names: BTreeSet<String>) -> Self {
        Self { files, names }
    }

    /// The names of the symbols that were pushed to.
    pub(crate) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What the push did to a file, by its name before; `None`: nothing.
    fn of_old(&self, path: &RepoPath) -> Option<&FileDiff> {
        self.files.iter().find(|f| f.old_path == *path && !matches!(f.status, FileStatus::Added | FileStatus::Copied))
    }

    /// What the push did to a file, by its name now; `None`: nothing.
    pub fn of_new(&self, path: &RepoPath) -> Option<&FileDiff> {
        self.files.iter().find(|f| f.new_path == *path && f.status != FileStatus::Deleted)
    }

    /// A file's name now; `None` where it is gone.
    pub fn path(&self, path: &RepoPath) -> Option<RepoPath> {
        match self.of_old(path) {
            None => Some(path.clone()),
            Some(file) if file.status == FileStatus::Deleted => None,
            Some(file) => Some(file.new_path.clone()),
        }
    }

    /// Where lines of the earlier head's side of a file are now; `None` where the file is gone, or has no hunks to tell by.
    pub fn forward(&self, path: &RepoPath, lines: (u32, u32)) -> Option<Moved> {
        let Some(file) = self.of_old(path) else { return Some(Moved { path: path.clone(), lines, intact: true }) };
        if file.status == FileStatus::Deleted || file.binary {
            return None;
        }
        let (start, end) = (place(&file.hunks, lines.0), place(&file.hunks, lines.1));
        let kept = (lines.0..=lines.1).all(|n| removed(&file.hunks, n).is_none());
        let intact = kept && end.0 - start.0 == lines.1 - lines.0;
        // Of a first line that is gone the next one that is left counts, of a last one the one before.
        let first = start.0;
        let last = if end.1 { end.0 } else { end.0.saturating_sub(1) }.max(first);
        Some(Moved { path: file.new_path.clone(), lines: (first.max(1), last.max(1)), intact })
    }

    /// Whether lines of this head's side of a file stood in the earlier head, in a row, as they stand.
    pub fn stood(&self, path: &RepoPath, lines: (u32, u32)) -> bool {
        let Some(file) = self.of_new(path) else { return true };
        if matches!(file.status, FileStatus::Added | FileStatus::TypeChanged) || file.binary {
            return false;
        }
        !touched_new(&file.hunks).any(|t| t.within(lines.0, lines.1))
    }

    /// Whether the push changed anything between two lines (of this head) of a file: added there, or removed from between them.
    pub fn touches(&self, path: &RepoPath, lines: (u32, u32)) -> bool {
        !self.stood(path, lines)
    }
}

/// A changed place on the new side.
enum Touched {
    /// This line is new.
    Line(u32),
    /// Lines were removed before this line.
    Before(u32),
}

impl Touched {
    fn within(&self, first: u32, last: u32) -> bool {
        match self {
            Touched::Line(n) => (first..=last).contains(n),
            Touched::Before(n) => first < *n && *n <= last,
        }
    }
}

fn touched_new(hunks: &[Hunk]) -> impl Iterator<Item = Touched> {
    hunks.iter().flat_map(|hunk| {
        let mut next = first(hunk.new_start, hunk.new_lines);
        hunk.lines.iter().filter_map(move |line| {
            if let Some(n) = line.new {
                next = n + 1;
            }
            match line.kind {
                LineKind::Context => None,
                LineKind::Added => line.new.map(Touched::Line),
                LineKind::Removed => Some(Touched::Before(next)),
            }
        })
    })
}

/// The number of the first line on a side. With no lines there, git names the line before.
fn first(start: u32, count: u32) -> u32 {
    if count == 0 { start.saturating_add(1) } else { start }
}

fn removed(hunks: &[Hunk], old: u32) -> Option<&Line> {
    hunks.iter().flat_map(|h| &h.lines).find(|l| l.kind == LineKind::Removed && l.old == Some(old))
}

/// Where an old line is now, and whether it is left; else where it was.
fn place(hunks: &[Hunk], old: u32) -> (u32, bool) {
    let mut shift = 0_i64;
    for hunk in hunks {
        let (from, to) = (first(hunk.old_start, hunk.old_lines), first(hunk.new_start, hunk.new_lines));
        if old < from {
            break;
        }
        if old < from + hunk.old_lines {
            let mut next = to;
            for line in &hunk.lines {
                if line.old == Some(old) {
                    return line.new.map_or((next, false), |n| (n, true));
                }
                if let Some(n) = line.new {
                    next = n + 1;
                }
            }
        }
        shift = i64::from(to + hunk.new_lines) - i64::from(from + hunk.old_lines);
    }
    (u32::try_from(i64::from(old) + shift).unwrap_or(1), true)
}

#[cfg(test)]
mod tests;
