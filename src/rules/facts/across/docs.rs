//! Documents, comments, examples and AGENTS.md that name what the change took away.

use super::Found;
use super::view::{View, humps};
use crate::context::{self, is_noise, is_test_path};
use crate::diff::Side;
use crate::git::GrepHit;
use crate::path::RepoPath;

/// Paths that are searched for.
const MAX_PATHS: usize = 60;
/// Words of lines that tell history, or that a thing is gone.
const PAST: [&str; 14] = [
    "renamed",
    "removed",
    "formerly",
    "previously",
    "deprecated",
    "used to",
    "no longer",
    "replaced",
    "legacy",
    "changelog",
    "was ",
    "migrat",
    "superseded",
    "old ",
];
/// Parts of paths of documents that tell history.
const HISTORY: [&str; 12] = ["migrat", "release", "history", "upgrad", "news", "blog", "/rfc", "/adr", "decision", "changelog", "changes", "archive"];

/// Names that only documents and comments still have.
pub(super) fn symbols(view: &View<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for gone in view.gone() {
        let name = &gone.symbol.own;
        // A name that could be a word of the language says nothing in prose.
        let telling = name.len() >= 6 && (name.trim_matches('_').contains('_') || humps(name) >= 2);
        let prose = |h: &&&GrepHit| is_document(&h.path) || context::is_comment(h.text.trim_start());
        let lives_on = gone.hits.iter().any(|h| !prose(&h) && !is_noise(&h.path));
        if !telling || lives_on {
            continue;
        }
        let stale: Vec<String> = gone
            .hits
            .iter()
            .filter(|h| !is_past(&h.path, &h.text) && !is_noise(&h.path) && !is_test_path(&h.path))
            .map(|h| format!("{}:{}", h.path, h.line))
            .collect();
        if stale.is_empty() {
            continue;
        }
        let message = match gone.renamed {
            Some(new) => format!("`{name}` is called `{new}` now; a document or comment still has the old name"),
            None => format!("`{name}` is gone; a document or comment still names it"),
        };
        found.push(Found { file: gone.file.index, side: Side::Old, lines: (gone.symbol.line, gone.symbol.line), message, places: stale });
    }
    found
}

/// Paths of files that are gone, in documents, CI files and scripts.
pub(super) fn paths(view: &View<'_>) -> Vec<Found> {
    let gone = |path: &RepoPath| path.as_str().is_some_and(|p| p.contains('/') && p.len() >= 8 && !view.exists(p));
    let left: Vec<_> = view.files.iter().filter(|f| f.left() && gone(&f.diff.old_path) && !is_test_path(&f.diff.old_path)).take(MAX_PATHS).collect();
    if left.is_empty() {
        return Vec::new();
    }
    let needles = left.iter().filter_map(|f| f.diff.old_path.as_str().map(str::to_owned)).collect();
    let hits = view.search(needles, false);
    let mut found = Vec::new();
    for file in left {
        let Some(old) = file.diff.old_path.as_str() else { continue };
        let stale: Vec<&GrepHit> = hits.iter().filter(|h| names_path(view, h, old)).collect();
        if stale.is_empty() {
            continue;
        }
        // The first line of a deleted file, or the first that the change touches of a moved one.
        let Some((side, line)) = place(file) else { continue };
        let message = match file.diff.old_path == file.diff.new_path {
            true => format!("`{old}` is deleted, but other files still name it"),
            false => format!("`{old}` has moved to `{}`, but other files still name the old path", file.diff.new_path),
        };
        let places = stale.iter().map(|h| format!("{}:{}", h.path, h.line)).collect();
        found.push(Found { file: file.index, side, lines: (line, line), message, places });
    }
    found
}

fn place(file: &super::view::File<'_>) -> Option<(Side, u32)> {
    let old = file.removed().next().map(|(n, _)| (Side::Old, n));
    old.or_else(|| file.added().next().map(|(n, _)| (Side::New, n)))
}

/// Whether a line names exactly this path, from the repository's root.
fn names_path(view: &View<'_>, hit: &GrepHit, old: &str) -> bool {
    // Catalogues of messages name where each message was found; a tool writes them.
    if matches!(hit.path.extension().as_str(), "po" | "pot" | "xlf" | "xliff")
        || is_past(&hit.path, &hit.text)
        || is_noise(&hit.path)
        || is_test_path(&hit.path)
    {
        return false;
    }
    let folder = hit.path.parent();
    let part = |c: char| c.is_alphanumeric() || "_-.@$}*".contains(c);
    hit.text.match_indices(old).any(|(at, _)| {
        let (before, after) = (&hit.text[..at], &hit.text[at + old.len()..]);
        let before = before.strip_suffix("./").unwrap_or(before);
        let longer = before.ends_with(|c: char| part(c) || c == '/')
            || after.trim_end_matches(['.', ':']).starts_with(|c: char| part(c) || c == '/') && !after.starts_with(". ");
        // From where the document stands the same words can lead to another file.
        let beside = !folder.is_empty() && view.exists(&format!("{folder}/{old}"));
        !longer && !beside
    })
}

pub(super) fn is_document(path: &RepoPath) -> bool {
    matches!(path.extension().as_str(), "md" | "mdx" | "rst" | "txt" | "adoc")
}

pub(super) fn is_past(path: &RepoPath, line: &str) -> bool {
    let (path, line) = (format!("/{}", path.display().to_ascii_lowercase()), line.to_ascii_lowercase());
    PAST.iter().any(|w| line.contains(w)) || HISTORY.iter().any(|w| path.contains(w))
}
