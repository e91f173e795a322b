//! What stood in the base tree before the change: where noise already lay, more noise may lie.

use crate::git::TreeEntry;
use crate::path::RepoPath;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many files are looked at for one place; past them a file counts as not found, and so is reviewed.
const MAX_LOOKED: usize = 20_000;

/// Where a pattern's files may lie to be filtered unmeasured.
pub(super) enum Place<'a> {
    /// Anywhere below this folder, if the base had files there (`/` at the end; empty: the root).
    Below(&'a str),
    /// In the file's own folder, if the base had files there that fit too.
    Beside,
}

/// A folder, whether only files beside count, and what was looked for.
type Asked = (Vec<u8>, bool, &'static str);

/// The base tree, with what was found in it so far.
pub(super) struct Base<'a> {
    entries: &'a [TreeEntry],
    known: Mutex<HashMap<Asked, bool>>,
}

impl<'a> Base<'a> {
    /// `entries` are sorted by path.
    pub(super) fn new(entries: &'a [TreeEntry]) -> Self {
        Self { entries, known: Mutex::default() }
    }

    /// Whether the base had a file at that place that fits: files that were there before the author came.
    /// `what` names the test `fits`, so that each place is looked through once for it.
    pub(super) fn has(&self, place: &Place<'_>, path: &RepoPath, what: &'static str, fits: &dyn Fn(&RepoPath) -> bool) -> bool {
        let (folder, beside) = match place {
            Place::Below(folder) => (folder.as_bytes(), false),
            Place::Beside => (&path.as_bytes()[..path.as_bytes().iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1)], true),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry((folder.to_vec(), beside, what)).or_insert_with(|| self.look(folder, beside, fits))
    }

    fn look(&self, folder: &[u8], beside: bool, fits: &dyn Fn(&RepoPath) -> bool) -> bool {
        let mut at = self.entries.partition_point(|entry| entry.path.as_bytes() < folder);
        for _ in 0..MAX_LOOKED {
            let Some(entry) = self.entries.get(at) else { return false };
            let Some(rest) = entry.path.as_bytes().strip_prefix(folder) else { return false };
            match rest.iter().position(|b| *b == b'/') {
                Some(end) if beside => {
                    // On to what follows this sub-folder: `0` is the byte after `/`.
                    let after = [folder, &rest[..end], b"0"].concat();
                    at += self.entries[at..].partition_point(|e| e.path.as_bytes() < &after[..]);
                }
                _ if fits(&entry.path) => return true,
                _ => at += 1,
            }
        }
        false
    }
}
