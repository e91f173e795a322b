//! One file's part of a patch: its headers, names and hunks.

use super::hunk::{self, Floor};
use super::lines::{Lines, trim_cr};
use super::{FileDiff, FileMode, FileStatus, Hunk, name, raw};
use crate::path::RepoPath;

/// What was read of a file's part: the file, if it has a usable name, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) file: Result<FileDiff, Option<RepoPath>>,
    pub(crate) problem: Option<&'static str>,
}

/// Whether a file's part begins at the next line.
pub(crate) fn at_start(lines: &Lines<'_>) -> bool {
    lines.starts(b"diff --git ") || lines.starts(b"diff --cc ") || lines.starts(b"diff --combined ") || at_plain(lines)
}

/// `--- `, `+++ ` and `@@ -` in a row, as programs other than git begin a file.
fn at_plain(lines: &Lines<'_>) -> bool {
    let mut ahead = *lines;
    ahead.take(b"--- ").is_some() && ahead.take(b"+++ ").is_some() && ahead.starts(b"@@ -")
}

/// Reads the part whose first line is next. Call it only where [`at_start`] holds.
pub(crate) fn parse(lines: &mut Lines<'_>) -> Section {
    let section = if let Some(rest) = lines.take(b"diff --git ") {
        git(lines, rest)
    } else if let Some(rest) = lines.take(b"diff --cc ").or_else(|| lines.take(b"diff --combined ")) {
        let problem = "a merge's combined diff cannot be reviewed; diff the merge against one parent";
        Section { file: Err(name::plain(rest)), problem: Some(problem) }
    } else {
        plain(lines)
    };
    if section.problem.is_some() {
        // What is left of an unsound part must not be taken for something else.
        while lines.peek().is_some() && !at_start(lines) {
            lines.next();
        }
    }
    section
}

/// Git's headers between `diff --git` and the contents.
#[derive(Debug, Default)]
struct Headers<'a> {
    status: Option<FileStatus>,
    old_mode: Option<&'a [u8]>,
    new_mode: Option<&'a [u8]>,
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    ids: Option<(&'a [u8], &'a [u8])>,
    any: bool,
}

impl<'a> Headers<'a> {
    fn parse(lines: &mut Lines<'a>) -> Self {
        let mut headers = Self::default();
        loop {
            if let Some(mode) = lines.take(b"old mode ") {
                headers.old_mode = Some(trim_cr(mode));
            } else if let Some(mode) = lines.take(b"new mode ") {
                headers.new_mode = Some(trim_cr(mode));
            } else if let Some(mode) = lines.take(b"new file mode ") {
                (headers.status, headers.new_mode) = (Some(FileStatus::Added), Some(trim_cr(mode)));
            } else if let Some(mode) = lines.take(b"deleted file mode ") {
                (headers.status, headers.old_mode) = (Some(FileStatus::Deleted), Some(trim_cr(mode)));
            } else if let Some(path) = lines.take(b"rename from ") {
                (headers.status, headers.from) = (Some(FileStatus::Renamed), Some(path));
            } else if let Some(path) = lines.take(b"copy from ") {
                (headers.status, headers.from) = (Some(FileStatus::Copied), Some(path));
            } else if let Some(path) = lines.take(b"rename to ").or_else(|| lines.take(b"copy to ")) {
                headers.to = Some(path);
            } else if let Some(index) = lines.take(b"index ") {
                headers.index(trim_cr(index));
            } else if lines.take(b"similarity index ").or_else(|| lines.take(b"dissimilarity index ")).is_none() {
                return headers;
            }
            headers.any = true;
        }
    }

    /// `<old>..<new>[ <mode>]`; the mode is there when it did not change.
    fn index(&mut self, text: &'a [u8]) {
        let (ids, mode) = match text.iter().position(|b| *b == b' ') {
            Some(blank) => (&text[..blank], Some(&text[blank + 1..])),
            None => (text, None),
        };
        if let Some(dots) = ids.windows(2).position(|w| w == b"..") {
            self.ids = Some((&ids[..dots], &ids[dots + 2..]));
        }
        if mode.is_some() && self.old_mode.is_none() && self.new_mode.is_none() {
            (self.old_mode, self.new_mode) = (mode, mode);
        }
    }

    /// Whether the object ids say that there must be hunks.
    fn demand_contents(&self) -> bool {
        let hollow = |id: &[u8]| id.iter().all(|b| *b == b'0') || EMPTY_BLOBS.iter().any(|empty| empty.starts_with(id));
        self.ids.is_some_and(|(old, new)| old != new && !(hollow(old) && hollow(new)))
    }
}

/// The ids of an empty file, SHA-1 and SHA-256.
const EMPTY_BLOBS: [&[u8]; 2] = [b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"];

fn git(lines: &mut Lines<'_>, header: &[u8]) -> Section {
    let headers = Headers::parse(lines);
    let mut marks = None;
    let mut binary = false;
    let mut contents = Contents::default();
    if lines.starts(b"--- ") {
        let mut ahead = *lines;
        if let (Some(old), Some(new)) = (ahead.take(b"--- "), ahead.take(b"+++ ")) {
            *lines = ahead;
            marks = name::from_marks(old, new);
            contents = Contents::parse(lines);
        }
    } else if lines.starts(b"Binary files ") || lines.starts(b"GIT binary patch") {
        binary = true;
        lines.next();
    }
    let names = match (headers.from.and_then(name::plain), headers.to.and_then(name::plain)) {
        (Some(from), Some(to)) => Some((Some(from), Some(to))),
        _ => name::from_git_header(header).map(|name| (Some(name.clone()), Some(name))).or(marks),
    };
    let cut = contents.hunks.is_empty() && !binary && (!headers.any || headers.demand_contents());
    let problem = contents.problem.or(cut.then_some("it breaks off before its contents"));
    let Some((old, new)) = names else {
        return Section { file: Err(None), problem: Some("a file's name is not readable or leads out of the tree") };
    };
    let file = FileDiff {
        binary,
        old_mode: headers.old_mode.and_then(FileMode::from_octal),
        new_mode: headers.new_mode.and_then(FileMode::from_octal),
        old_id: headers.ids.and_then(|(id, _)| raw::full_id(id)),
        new_id: headers.ids.and_then(|(_, id)| raw::full_id(id)),
        ..named(headers.status, old, new, contents.hunks)
    };
    Section { file: Ok(file), problem }
}

fn plain(lines: &mut Lines<'_>) -> Section {
    let (old, new) = (lines.take(b"--- ").unwrap_or_default(), lines.take(b"+++ ").unwrap_or_default());
    let contents = Contents::parse(lines);
    let Some((old, new)) = name::from_marks(old, new) else {
        return Section { file: Err(None), problem: Some("a file's name is not readable or leads out of the tree") };
    };
    let status = match (&old, &new, contents.hunks.as_slice()) {
        (None, ..) => Some(FileStatus::Added),
        (_, None, _) => Some(FileStatus::Deleted),
        // `diff -N` names a file that is not there like the other one.
        (_, _, [only]) if only.old_start == 0 && only.old_lines == 0 => Some(FileStatus::Added),
        (_, _, [only]) if only.new_start == 0 && only.new_lines == 0 => Some(FileStatus::Deleted),
        _ => None,
    };
    Section { problem: contents.problem, file: Ok(named(status, old, new, contents.hunks)) }
}

/// A file with its names as [`FileDiff`] wants them. At least one of the names is there.
fn named(status: Option<FileStatus>, old: Option<RepoPath>, new: Option<RepoPath>, hunks: Vec<Hunk>) -> FileDiff {
    let status = status.unwrap_or(match (&old, &new) {
        (None, _) => FileStatus::Added,
        (_, None) => FileStatus::Deleted,
        _ => FileStatus::Modified,
    });
    let moved = matches!(status, FileStatus::Renamed | FileStatus::Copied);
    let new_path = new.or_else(|| old.clone()).expect("one of the names is there");
    let old_path = old.filter(|_| moved).unwrap_or_else(|| new_path.clone());
    FileDiff { status, old_path, new_path, old_mode: None, new_mode: None, old_id: None, new_id: None, binary: false, hunks }
}

/// A file's hunks, as far as they are sound.
#[derive(Debug, Default)]
struct Contents {
    hunks: Vec<Hunk>,
    problem: Option<&'static str>,
}

impl Contents {
    fn parse(lines: &mut Lines<'_>) -> Self {
        let mut contents = Self::default();
        let mut floor = Floor::START;
        while contents.problem.is_none() && lines.starts(b"@@ -") {
            let (hunk, problem) = hunk::parse(lines, floor);
            contents.problem = problem;
            if let Some(hunk) = hunk {
                floor = Floor::after(&hunk);
                contents.hunks.push(hunk);
            }
        }
        contents
    }
}
