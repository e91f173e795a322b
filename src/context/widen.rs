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

/// The new line that stands after a removed one.
fn next_new(hunk: &Hunk, line: &Line) -> Option<u32> {
    hunk.lines.iter().skip_while(|l| l.old != line.old).find_map(|l| l.new)
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
            let Some((symbol, true)) = around(view, line) else { continue };
            // A symbol of that name elsewhere in the file is not around this hunk.
            let elsewhere = symbol.start > own.end || symbol.end + 1 < own.start || symbol.end > new.line_count();
            let around = match symbol.class {
                _ if elsewhere => None,
                Class::Section => None,
                _ if symbol.lines() <= MAX_LINES => Some(symbol.start..symbol.end + 1),
                Class::Code | Class::Test => line.new.or(next_new(hunk, line)).and_then(|n| block(new, n, symbol)),
                _ => None,
            };
            if let Some(around) = around {
                target = target.start.min(around.start)..target.end.max(around.end);
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

/// The largest block around `line` of at most [`MAX_LINES`] lines inside a symbol that is too long itself: the lines that
/// are indented below a common head, with that head and what closes it. By indentation, which serves every language.
fn block(text: &FileText, line: u32, symbol: &Symbol) -> Option<Range<u32>> {
    let indent = |n: u32| text.line(n).filter(|l| !l.trim().is_empty()).map(|l| l.len() - l.trim_start().len());
    let (mut first, mut last) = (line, line);
    let mut inner = indent(line)?;
    let mut found = None;
    loop {
        // All around that is indented as deep, or blank.
        while first > symbol.start && indent(first - 1).is_none_or(|i| i >= inner) && last - first < MAX_LINES {
            first -= 1;
        }
        while last < symbol.end && indent(last + 1).is_none_or(|i| i >= inner) && last - first < MAX_LINES {
            last += 1;
        }
        let head = first.checked_sub(1).filter(|h| *h > symbol.line)?;
        let outer = indent(head)?;
        let closes = |n: u32| text.line(n).is_some_and(|l| l.trim_start().starts_with(['}', ')', ']']) || l.trim() == "end");
        let tail = if indent(last + 1) == Some(outer) && closes(last + 1) { last + 1 } else { last };
        if tail - head >= MAX_LINES || tail > symbol.end {
            return found;
        }
        found = Some(head..tail + 1);
        (first, last, inner) = (head, tail, outer);
    }
}
