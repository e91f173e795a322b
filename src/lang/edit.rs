//! A tree of a text after a change, made from the one before: only what changed is parsed.

use crate::diff::{Hunk, LineKind};
use crate::text::FileText;
use tree_sitter::{InputEdit, Point, Tree};

/// One run of changed lines, as bytes of both texts.
struct Run {
    old: (usize, usize),
    new: (usize, usize),
}

/// The tree of `old`, told what `hunks` did to its text; `None` where they do not lead from `old` to `new` byte by byte.
pub(super) fn edited(tree: &Tree, old: &FileText, new: &FileText, hunks: &[Hunk]) -> Option<Tree> {
    let runs = runs(old, new, hunks);
    if !leads(&runs, old.as_str().as_bytes(), new.as_str().as_bytes()) {
        return None;
    }
    let mut tree = tree.clone();
    // From the end, so that the places before stay as they were.
    for run in runs.iter().rev() {
        let (start, end) = run.old;
        let length = run.new.1 - run.new.0;
        tree.edit(&InputEdit {
            start_byte: start,
            old_end_byte: end,
            new_end_byte: start + length,
            start_position: point(old, start),
            old_end_position: point(old, end),
            new_end_position: {
                let (at, began) = (point(new, run.new.1), point(new, run.new.0));
                let from = point(old, start);
                Point { row: from.row + at.row - began.row, column: if at.row == began.row { from.column + length } else { at.column } }
            },
        });
    }
    Some(tree)
}

/// The runs of lines that are removed and added, in order.
fn runs(old: &FileText, new: &FileText, hunks: &[Hunk]) -> Vec<Run> {
    let mut runs = Vec::new();
    for hunk in hunks {
        // Where the next line stands on each side; with no lines there, git names the line before.
        let first = |start: u32, count: u32| if count == 0 { start.saturating_add(1) } else { start };
        let (mut before, mut after) = (first(hunk.old_start, hunk.old_lines), first(hunk.new_start, hunk.new_lines));
        for lines in hunk.lines.chunk_by(|a, b| (a.kind == LineKind::Context) == (b.kind == LineKind::Context)) {
            let count = |without: LineKind| u32::try_from(lines.iter().filter(|l| l.kind != without).count()).unwrap_or(u32::MAX);
            let (to_before, to_after) = (before.saturating_add(count(LineKind::Added)), after.saturating_add(count(LineKind::Removed)));
            if lines.iter().any(|l| l.kind != LineKind::Context) {
                runs.push(Run { old: (old.offset(before), old.offset(to_before)), new: (new.offset(after), new.offset(to_after)) });
            }
            (before, after) = (to_before, to_after);
        }
    }
    runs
}

/// Whether all that lies between the runs is the same on both sides.
fn leads(runs: &[Run], old: &[u8], new: &[u8]) -> bool {
    let (mut before, mut after) = (0, 0);
    let end = Run { old: (old.len(), old.len()), new: (new.len(), new.len()) };
    for run in runs.iter().chain([&end]) {
        match (old.get(before..run.old.0), new.get(after..run.new.0)) {
            (Some(a), Some(b)) if a == b && run.old.0 <= run.old.1 && run.new.0 <= run.new.1 => {}
            _ => return false,
        }
        (before, after) = (run.old.1, run.new.1);
    }
    true
}

fn point(text: &FileText, at: usize) -> Point {
    let before = &text.as_str().as_bytes()[..at];
    let start = memchr::memrchr(b'\n', before).map_or(0, |i| i + 1);
    let row = usize::try_from(text.line_at(start)).unwrap_or(usize::MAX).saturating_sub(1);
    // Past the last line end there is one more row, which is no line.
    let past = start == text.as_str().len() && start > 0;
    Point { row: if past { row + 1 } else { row }, column: at - start }
}
