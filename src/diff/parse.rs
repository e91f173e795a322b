//! Reads patches: what git prints for our own questions, and what people pass with `--diff`
//! (`git diff`, `git show`, mails of `git format-patch`, `diff -u`). A patch is a stranger's text:
//! what is unsound in it is reported and left out, never guessed at.

use super::lines::Lines;
use super::raw::{self, Raw};
use super::{FileDiff, FileMode, FileStatus, section};
use crate::path::RepoPath;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem::discriminant;

/// A larger patch is refused.
pub const MAX_PATCH_BYTES: usize = 256 << 20;
/// A patch of more files is refused.
pub const MAX_FILES: usize = 100_000;

/// A patch, read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The files in the patch's order, each path once; one that has a problem is here with what is sound of it.
    pub files: Vec<FileDiff>,
    /// What could not be read, with the file where that is known.
    pub problems: Vec<(Option<RepoPath>, String)>,
    /// Paths with an unresolved conflict, sorted; git lists them without a diff.
    pub unmerged: Vec<RepoPath>,
}

/// Why nothing of a patch was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is too large.
    #[error("it has {0} bytes, more than the bound of {MAX_PATCH_BYTES}")]
    TooLarge(usize),
    /// It names too many files.
    #[error("it changes more than {MAX_FILES} files")]
    TooManyFiles,
    /// There is text, but no file in it.
    #[error("there is no patch in it")]
    NoPatch,
    /// There is text, but no file in it, and it has terminal colours.
    #[error("it has terminal colours; make it with --no-color")]
    Coloured,
}

/// Reads a patch. Empty input is a patch without files. Where the input starts with git's `--raw` list, that
/// list decides names, kinds, modes and ids, and the patch adds the hunks.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ParseError> {
    if bytes.len() > MAX_PATCH_BYTES {
        return Err(ParseError::TooLarge(bytes.len()));
    }
    let mut lines = Lines::new(bytes);
    let mut parsed = Parsed::default();
    let listed = raw_list(&mut lines, &mut parsed)?;
    let sections = sections(&mut lines, &mut parsed)?;
    parsed.unmerged.sort();
    parsed.unmerged.dedup();
    parsed.files = match listed {
        Some(listed) => join(listed, sections, &mut parsed.problems),
        None => each_once(sections, &mut parsed.problems),
    };
    if parsed.files.is_empty() && parsed.problems.is_empty() && parsed.unmerged.is_empty() && !bytes.trim_ascii().is_empty() {
        let coloured = bytes.windows(2).any(|w| w == b"\x1b[");
        return Err(if coloured { ParseError::Coloured } else { ParseError::NoPatch });
    }
    Ok(parsed)
}

/// The `--raw` list at the start; `None` where there is none.
fn raw_list(lines: &mut Lines<'_>, parsed: &mut Parsed) -> Result<Option<Vec<FileDiff>>, ParseError> {
    if !lines.starts(b":") {
        return Ok(None);
    }
    let mut listed = Vec::new();
    while let Some(line) = lines.peek().filter(|l| l.starts_with(b":")) {
        lines.next();
        match raw::parse(line) {
            Some(Raw::File(file)) => listed.push(*file),
            Some(Raw::Unmerged(path)) => parsed.unmerged.push(path),
            None => parsed.problems.push((None, "an entry of git's raw list is not readable".to_owned())),
        }
        if listed.len() > MAX_FILES {
            return Err(ParseError::TooManyFiles);
        }
    }
    Ok(Some(listed))
}

/// All files' parts, and a word on what is a change but not readable as one.
fn sections(lines: &mut Lines<'_>, parsed: &mut Parsed) -> Result<Vec<FileDiff>, ParseError> {
    let mut files = Vec::new();
    loop {
        if section::at_start(lines) {
            let section = section::parse(lines);
            let path = match &section.file {
                Ok(file) => Some(file.path().clone()),
                Err(path) => path.clone(),
            };
            parsed.problems.extend(section.problem.map(|problem| (path, problem.to_owned())));
            files.extend(section.file.ok());
            if files.len() + parsed.problems.len() > MAX_FILES {
                return Err(ParseError::TooManyFiles);
            }
            continue;
        }
        let Some(line) = lines.next() else { return Ok(files) };
        if let Some(path) = line.strip_prefix(b"* Unmerged path ") {
            parsed.unmerged.extend(super::name::plain(path));
        } else if let Some(what) = unreadable(line) {
            parsed.problems.push((None, format!("{what}: {}", RepoPath::new(&line[..line.len().min(200)]))));
        }
    }
}

/// Lines outside of a file's part that stand for a change which the patch does not show.
fn unreadable(line: &[u8]) -> Option<&'static str> {
    let ends = |end: &[u8]| super::lines::trim_cr(line).ends_with(end);
    if (line.starts_with(b"Binary files ") || line.starts_with(b"Files ")) && ends(b" differ") {
        Some("files that differ without a diff")
    } else if line.starts_with(b"Only in ") && line.contains(&b':') {
        Some("a file on one side only, without its contents")
    } else if line.starts_with(b"Submodule ") && line.windows(2).any(|w| w == b"..") {
        Some("a submodule's change in log format")
    } else if line.starts_with(b"@@ -") {
        Some("a hunk without a file")
    } else {
        None
    }
}

/// Gives each file of the raw list its hunks.
fn join(listed: Vec<FileDiff>, sections: Vec<FileDiff>, problems: &mut Vec<(Option<RepoPath>, String)>) -> Vec<FileDiff> {
    let mut by_path: BTreeMap<RepoPath, VecDeque<FileDiff>> = BTreeMap::new();
    for section in sections {
        by_path.entry(section.path().clone()).or_default().push_back(section);
    }
    let mut files = Vec::with_capacity(listed.len());
    for mut file in listed {
        // Git shows a change of type as a deletion and an addition.
        let parts = if file.status == FileStatus::TypeChanged { 2 } else { 1 };
        for _ in 0..parts {
            match by_path.get_mut(file.path()).and_then(VecDeque::pop_front) {
                Some(section) => {
                    file.binary |= section.binary;
                    file.hunks.extend(section.hunks);
                }
                None => {
                    problems.push((Some(file.path().clone()), "the patch breaks off before it".to_owned()));
                    break;
                }
            }
        }
        files.push(file);
    }
    for section in by_path.into_values().flatten() {
        problems.push((None, format!("a part about {}, which is not in the patch's list of files", section.path())));
    }
    each_once(files, problems)
}

/// Makes one file of a deletion and an addition that change a file's type; of other repeated files the first stays.
fn each_once(sections: Vec<FileDiff>, problems: &mut Vec<(Option<RepoPath>, String)>) -> Vec<FileDiff> {
    let mut files: Vec<FileDiff> = Vec::with_capacity(sections.len());
    let mut seen = BTreeSet::new();
    for section in sections {
        if let Some(last) = files.last_mut()
            && changes_type(last, &section)
        {
            last.status = FileStatus::TypeChanged;
            last.new_mode = section.new_mode;
            last.new_id = section.new_id;
            last.binary |= section.binary;
            last.hunks.extend(section.hunks);
        } else if seen.insert(section.path().clone()) {
            files.push(section);
        } else {
            let problem = "the patch changes it more than once, and only the first is read; give one diff from base to head";
            problems.push((Some(section.path().clone()), problem.to_owned()));
        }
    }
    files
}

fn changes_type(first: &FileDiff, second: &FileDiff) -> bool {
    let kind = |mode: Option<FileMode>| mode.map(|m| discriminant(&if m == FileMode::Executable { FileMode::Regular } else { m }));
    first.status == FileStatus::Deleted
        && second.status == FileStatus::Added
        && first.path() == second.path()
        && kind(first.old_mode) != kind(second.new_mode)
}
