//! Finds the code of an earlier finding again in this head: where git's diff says that it went, else where the same lines stand.

use super::drift::Drift;
use super::pack::code;
use super::state::{Place, Record};
use crate::diff::{FileDiff, LineKind, Side};
use crate::findings::fingerprint::Enclosing;
use crate::findings::place::old_line;
use crate::findings::{Anchor, Lines};
use crate::path::RepoPath;
use crate::text::FileText;
use std::sync::Arc;

/// What is to be known of this head.
pub(crate) struct Ground<'a> {
    /// The files of the change.
    pub(crate) files: &'a [FileDiff],
    /// What was pushed since the head reviewed before; `None` where git does not have that head.
    pub(crate) drift: Option<&'a Drift>,
    /// The masked text of a file, in the change or not.
    pub(crate) text: &'a dyn Fn(&RepoPath, Side) -> Option<Arc<FileText>>,
    /// The innermost symbol around a line.
    pub(crate) symbol: &'a dyn Fn(&RepoPath, Side, u32) -> Option<Enclosing>,
}

/// Where an earlier finding's code is now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Now {
    /// The file's name now, or the last one it had.
    pub(crate) path: RepoPath,
    /// Its name before the change, where that differs.
    pub(crate) old_path: Option<RepoPath>,
    /// The lines that read the same.
    pub(crate) anchor: Anchor,
    /// Whether they are there; always for a finding that never had lines.
    pub(crate) present: bool,
    /// The file is part of the change.
    pub(crate) changed: bool,
    /// Where git's diff puts the lines, whether or not they read the same.
    pub(crate) span: Option<(u32, u32)>,
    /// No line of them was pushed, by git's diff.
    pub(crate) intact: bool,
}

impl Ground<'_> {
    fn file(&self, path: &RepoPath) -> Option<&FileDiff> {
        self.files.iter().find(|f| f.new_path == *path)
    }

    /// Looks for an earlier finding's code.
    pub(crate) fn find(&self, record: &Record) -> Now {
        let moved = record.place.lines().filter(|_| record.side == Side::New).and_then(|l| self.drift?.forward(&record.path, l));
        let path = match (&moved, self.drift) {
            (Some(moved), _) => moved.path.clone(),
            (None, Some(drift)) => drift.path(&record.path).unwrap_or_else(|| record.path.clone()),
            (None, None) => self.renamed(record).unwrap_or_else(|| record.path.clone()),
        };
        let file = self.file(&path);
        let mut now = Now {
            old_path: file.filter(|f| f.old_path != f.new_path).map(|f| f.old_path.clone()),
            anchor: match record.place {
                Place::Nowhere => Anchor::None,
                Place::File | Place::Lines { .. } => Anchor::File,
            },
            present: true,
            changed: file.is_some(),
            span: moved.as_ref().map(|m| m.lines),
            intact: moved.as_ref().is_some_and(|m| m.intact),
            path,
        };
        let Place::Lines { start, end, moved: spaced } = record.place else { return now };
        let wanted = now.span.unwrap_or((start, end));
        let found = self.same_lines(record, &now, (wanted.0, end - start));
        now.present = found.is_some();
        if let Some(start) = found {
            let end = start + (end - record.place.lines().map_or(end, |l| l.0));
            let old_line = file.filter(|_| record.side == Side::New).and_then(|f| old_line(f, end));
            let lines = Lines { start, end, old_line };
            now.anchor = if spaced { Anchor::Moved(lines) } else { Anchor::Exact(lines) };
            now.span = Some((start, end));
        }
        now
    }

    /// The first line of those that read as the finding's did, the nearest to `near.0`, which is followed by `near.1` more.
    fn same_lines(&self, record: &Record, now: &Now, near: (u32, u32)) -> Option<u32> {
        if record.code.is_empty() {
            return None;
        }
        let path = if record.side == Side::Old { now.old_path.as_ref().unwrap_or(&now.path) } else { &now.path };
        let text = (self.text)(path, record.side)?;
        let file = self.file(&now.path);
        let gone = |n: u32| file.is_some_and(|f| f.hunks.iter().flat_map(|h| &h.lines).any(|l| l.kind == LineKind::Removed && l.old == Some(n)));
        let reads = |start: u32| {
            let lines: Option<Vec<&str>> = (start..=start + near.1).map(|n| text.line(n)).collect();
            let same = lines.is_some_and(|l| l.iter().any(|l| !l.trim().is_empty()) && code(&l.join("\n")) == record.code);
            // Of the old side only what the change removes is a finding's code.
            same && (record.side == Side::New || (start..=start + near.1).any(gone))
        };
        if near.0 > 0 && reads(near.0) {
            return Some(near.0);
        }
        let last = text.line_count().saturating_sub(near.1);
        (1..=last).filter(|n| reads(*n)).min_by_key(|n| n.abs_diff(near.0))
    }

    /// Without the earlier head, a file that has another name now is known by the finding's own lines.
    fn renamed(&self, record: &Record) -> Option<RepoPath> {
        if self.file(&record.path).is_some() || record.side == Side::Old {
            return None;
        }
        let (start, end) = record.place.lines()?;
        let holds = |f: &&FileDiff| {
            let now =
                Now { path: f.new_path.clone(), old_path: None, anchor: Anchor::File, present: false, changed: true, span: None, intact: false };
            self.same_lines(record, &now, (start, end - start)).is_some()
        };
        let by_name = self.files.iter().find(|f| f.old_path == record.path && f.new_path != record.path);
        by_name.or_else(|| self.files.iter().filter(|f| f.path().file_name() == record.path.file_name()).find(holds)).map(|f| f.new_path.clone())
    }

    /// Whether the symbol around lines of this head was pushed to; `None` where that cannot be known.
    pub(crate) fn symbol_touched(&self, path: &RepoPath, line: u32) -> Option<bool> {
        let drift = self.drift?;
        Some(match (self.symbol)(path, Side::New, line) {
            Some(symbol) => drift.touches(path, (symbol.start, symbol.end)),
            None => drift.of_new(path).is_some(),
        })
    }
}
