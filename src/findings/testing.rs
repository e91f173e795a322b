//! Small changes for tests.

use crate::diff::{FileDiff, FileMode, FileStatus, Hunk, Line, LineKind};
use crate::path::RepoPath;
use crate::text::FileText;
use std::borrow::Cow;
use std::sync::Arc;

/// A mask that knows one secret.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    if text.contains("hunter2") { Cow::Owned(text.replace("hunter2", "‹masked:hunt…›")) } else { Cow::Borrowed(text) }
}

/// A modified file, as git with no context lines would tell it, with both its texts.
pub(crate) fn diff(path: &str, old: &str, new: &str) -> (FileDiff, Arc<FileText>, Arc<FileText>) {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let pairs = common(&a, &b);
    let mut hunks = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (x, y) in pairs.into_iter().chain([(a.len(), b.len())]) {
        if i < x || j < y {
            hunks.push(hunk(&a, &b, i..x, j..y));
        }
        (i, j) = (x + 1, y + 1);
    }
    let file = FileDiff {
        status: FileStatus::Modified,
        old_path: RepoPath::from(path),
        new_path: RepoPath::from(path),
        old_mode: Some(FileMode::Regular),
        new_mode: Some(FileMode::Regular),
        old_id: None,
        new_id: None,
        binary: false,
        hunks,
    };
    (file, Arc::new(FileText::whole(old.as_bytes())), Arc::new(FileText::whole(new.as_bytes())))
}

fn hunk(a: &[&str], b: &[&str], old: std::ops::Range<usize>, new: std::ops::Range<usize>) -> Hunk {
    let n = |i: usize| u32::try_from(i).expect("small");
    let line = |kind, text: &str, old, new| Line { kind, text: text.as_bytes().to_vec(), old, new, no_newline: false };
    let removed = old.clone().map(|i| line(LineKind::Removed, a[i], Some(n(i + 1)), None));
    let added = new.clone().map(|j| line(LineKind::Added, b[j], None, Some(n(j + 1))));
    Hunk {
        old_start: n(old.start + usize::from(!old.is_empty())),
        old_lines: n(old.len()),
        new_start: n(new.start + usize::from(!new.is_empty())),
        new_lines: n(new.len()),
        section: Vec::new(),
        lines: removed.chain(added).collect(),
    }
}

/// A longest common subsequence, as pairs of indices.
fn common(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    let mut best = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i][j] = if a[i] == b[j] { best[i + 1][j + 1] + 1 } else { best[i + 1][j].max(best[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            out.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[i + 1][j] >= best[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}
