//! Lines and the change: which were changed, and what an unchanged one was called before.

use crate::diff::{FileDiff, LineKind, Side};

/// The lines of one side that the change added (new side) or removed (old side), ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changed(Vec<u32>);

impl Changed {
    pub(super) fn of(file: &FileDiff, side: Side) -> Self {
        let lines = file.hunks.iter().flat_map(|h| &h.lines);
        Self(match side {
            Side::New => lines.filter(|l| l.kind == LineKind::Added).filter_map(|l| l.new).collect(),
            Side::Old => lines.filter(|l| l.kind == LineKind::Removed).filter_map(|l| l.old).collect(),
        })
    }

    /// Whether one of the lines `start` to `end` was changed.
    pub(super) fn touches(&self, start: u32, end: u32) -> bool {
        self.0.get(self.0.partition_point(|l| *l < start)).is_some_and(|l| *l <= end)
    }

    pub(super) fn lines(&self) -> &[u32] {
        &self.0
    }
}

/// The old number of new line `new`; `None` if the change added it.
pub(crate) fn old_line(file: &FileDiff, new: u32) -> Option<u32> {
    let mut shift = 0_i64;
    for hunk in &file.hunks {
        // An empty range is numbered by the line before it.
        let first = hunk.new_start + u32::from(hunk.new_lines == 0);
        if new < first {
            break;
        }
        if new < first.saturating_add(hunk.new_lines) {
            return hunk.lines.iter().find(|l| l.new == Some(new)).and_then(|l| l.old);
        }
        shift += i64::from(hunk.old_lines) - i64::from(hunk.new_lines);
    }
    u32::try_from(i64::from(new) + shift).ok().filter(|n| *n > 0)
}
