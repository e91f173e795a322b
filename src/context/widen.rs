//! Which hunks are shown with the whole symbol around them. It only plans; the old side is never consulted, since
//! unchanged lines are the same on both.

use super::analysis::FileView;
use super::grammar::Class;
use super::symbols::{Symbol, enclosing};
use crate::diff::{Hunk, Line, LineKind};
use crate::text::FileText;
use std::ops::Range;

/// Symbols of more lines are not shown whole.
const MAX_LINES: u32 = 60;

/// Hunks of a file that are shown as one, with the unchanged new lines around and between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The hunks, by index.
    pub(super) hunks: Range<usize>,
    /// New lines from the first shown up to, not including, the one after the last.
    pub(super) new: Range<u32>,
}

/// A group that could be shown, and the bytes that its additional lines cost.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) group: Group,
    pub(super) cost: usize,
}

/// The new lines that a hunk shows; empty at the right place for a pure removal.
pub(super) fn new_lines(hunk: &Hunk) -> Range<u32> {
    let first = if hunk.new_lines == 0 { hunk.new_start.saturating_add(1) } else { hunk.new_start };
    first..first.saturating_add(hunk.new_lines)
}

/// The innermost symbol of a changed line, and whether it is one of the new side.
pub(super) fn around<'v>(view: &'v FileView, line: &Line) -> Option<(&'v Symbol, bool)> {
    match (line.kind, line.old, line.new) {
        (LineKind::Removed, Some(old), _) => {
            let gone = enclosing(&view.old, old)?;
            // The same symbol as it is now is what can be shown.
            let now = view.now.get(gone).copied().flatten();
            Some(now.map_or((&view.old[gone], false), |n| (&view.new[n], true)))
        }
        (_, _, Some(new)) => Some((&view.new[enclosing(&view.new, new)?], true)),
        _ => None,
    }
}

/// The groups that widening would make of the given hunks, in order. Hunks that nothing would be added to are left out.
pub(super) fn candidates(hunks: &[Hunk], range: Range<usize>, view: &FileView, new: &FileText) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    for i in range {
        let hunk = &hunks[i];
        let own = new_lines(hunk);
        let mut target = own.clone();
        let changed = |l: &&Line| l.kind != LineKind::Context;
        for line in [hunk.lines.iter().find(changed), hunk.lines.iter().rev().find(changed)].into_iter().flatten() {
            if let Some((symbol, true)) = around(view, line)
                && symbol.lines() <= MAX_LINES
                && symbol.class != Class::Section
                && symbol.end <= new.line_count()
                // A symbol of that name elsewhere in the file is not around this hunk.
                && symbol.start <= own.end
                && symbol.end + 1 >= own.start
            {
                target = target.start.min(symbol.start)..target.end.max(symbol.end + 1);
            }
        }
        match out.last_mut() {
            Some(last) if target.start < last.group.new.end => {
                last.group.hunks.end = i + 1;
                last.group.new.end = last.group.new.end.max(target.end);
            }
            _ => out.push(Candidate { group: Group { hunks: i..i + 1, new: target }, cost: 0 }),
        }
    }
    for candidate in &mut out {
        let shown = &hunks[candidate.group.hunks.clone()];
        let line_cost = |n: u32| new.line(n).map_or(0, |l| l.len() + 2);
        let inside: usize = shown.iter().map(|h| new_lines(h).map(line_cost).sum::<usize>()).sum();
        candidate.cost = candidate.group.new.clone().map(line_cost).sum::<usize>().saturating_sub(inside);
    }
    out.retain(|c| c.cost > 0 || c.group.hunks.len() > 1);
    out
}
