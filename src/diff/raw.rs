//! The `--raw` part of git's output: the authoritative list of what changed.

use super::lines::trim_cr;
use super::quote::unquote;
use super::{FileDiff, FileMode, FileStatus};
use crate::path::RepoPath;

/// One entry of the raw list.
#[derive(Debug)]
pub(crate) enum Raw {
    /// A changed file, without hunks.
    File(Box<FileDiff>),
    /// A path with a conflict.
    Unmerged(RepoPath),
}

/// Reads `:100644 100755 <id> <id> R086\told\tnew`; `None` for anything else.
pub(crate) fn parse(line: &[u8]) -> Option<Raw> {
    let line = trim_cr(line).strip_prefix(b":")?;
    let tab = line.iter().position(|b| *b == b'\t')?;
    let mut words = line[..tab].split(|b| *b == b' ');
    let (old_mode, new_mode) = (words.next()?, words.next()?);
    let (old_id, new_id, letter) = (words.next()?, words.next()?, words.next()?);
    let (first, rest) = path(&line[tab + 1..])?;
    let (old_path, new_path) = match rest {
        Some(second) => (first, path(second)?.0),
        None => (first.clone(), first),
    };
    let status = match letter.first()? {
        b'A' => FileStatus::Added,
        b'M' => FileStatus::Modified,
        b'D' => FileStatus::Deleted,
        b'R' => FileStatus::Renamed,
        b'C' => FileStatus::Copied,
        b'T' => FileStatus::TypeChanged,
        b'U' => return Some(Raw::Unmerged(new_path)),
        _ => return None,
    };
    Some(Raw::File(Box::new(FileDiff {
        status,
        old_path,
        new_path,
        old_mode: FileMode::from_octal(old_mode),
        new_mode: FileMode::from_octal(new_mode),
        old_id: full_id(old_id),
        new_id: full_id(new_id),
        binary: false,
        hunks: Vec::new(),
    })))
}

/// A path up to the next tab (git quotes names with tabs), and what follows the tab.
fn path(input: &[u8]) -> Option<(RepoPath, Option<&[u8]>)> {
    let (bytes, rest) = match unquote(input) {
        Some(quoted) => quoted,
        None => {
            let end = input.iter().position(|b| *b == b'\t').unwrap_or(input.len());
            (input[..end].to_vec(), &input[end..])
        }
    };
    Some((super::name::checked(bytes)?, rest.strip_prefix(b"\t")))
}

/// A full object id that is not the null id.
pub(crate) fn full_id(hex: &[u8]) -> Option<String> {
    crate::git::object_id(hex).filter(|id| id.bytes().any(|b| b != b'0'))
}
