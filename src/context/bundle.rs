//! Packing: which files are shown together in one request. Every hunk goes to exactly one bundle, whatever its size;
//! no model has a say in it.

use super::analysis::Analysis;
use super::cluster::clusters;
use super::render::{DELETED_LINES, DELETED_SYMBOLS, MAX_LINE};
use crate::change::Change;
use crate::diff::{FileDiff, FileStatus, Hunk, Line};
use std::ops::Range;

/// Some or all of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its index in `Change::files`.
    pub file: usize,
    /// Which of its hunks; empty for a file without any.
    pub hunks: Range<usize>,
    /// Of a hunk that is too big alone: which of its lines. Then `hunks` is that hunk alone.
    pub lines: Option<Range<usize>>,
}

/// What is reviewed in one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle {
    /// Its files, in the change's order.
    pub parts: Vec<Part>,
    /// Tokens of its diff alone, estimated.
    pub tokens: u64,
}

impl Part {
    /// What of the file is missing here, in words.
    pub(super) fn note(&self, file: &FileDiff) -> Option<String> {
        let all = file.hunks.len();
        match &self.lines {
            Some(lines) => {
                let of = file.hunks.get(self.hunks.start).map_or(0, |h| h.lines.len());
                Some(format!(
                    "lines {}-{} of the {of} lines of hunk {} of {all}; the rest is reviewed apart",
                    lines.start + 1,
                    lines.end,
                    self.hunks.start + 1
                ))
            }
            None if self.hunks.len() < all => Some(format!("hunks {}-{} of {all}; the rest is reviewed apart", self.hunks.start + 1, self.hunks.end)),
            None => None,
        }
    }
}

/// Packs the files with the given indices into bundles of at most `max_tokens` of diff each (a single line and a deleted
/// file's outline are never split, so a bundle of one may be larger). Files that belong together (same folder, test and source, one using what
/// the other declares) stay together where they fit; a file too big alone is split at hunk borders, and a hunk too big
/// alone between lines, at a blank one where there is one near. Deterministic.
pub fn bundles(change: &Change, files: &[usize], analysis: &Analysis, max_tokens: u64) -> Vec<Bundle> {
    let max = max_tokens.max(1).saturating_mul(4);
    let known: Vec<usize> = files.iter().copied().filter(|i| *i < change.files.len()).collect();
    let cost = |i: usize| cost(&change.files[i], analysis, i);
    let total: u64 = known.iter().map(|i| cost(*i)).sum();
    let groups = if total <= max { vec![known] } else { clusters(change, &known, analysis) };
    let mut open: Vec<(Bundle, u64)> = Vec::new();
    for group in groups {
        let size: u64 = group.iter().map(|i| cost(*i)).sum();
        if size <= max {
            place(&mut open, group.iter().map(|i| whole(change, *i)).collect(), size, max);
            continue;
        }
        for i in group {
            let size = cost(i);
            if size <= max {
                place(&mut open, vec![whole(change, i)], size, max);
            } else {
                open.extend(split(&change.files[i], i, max, size).into_iter().map(|(part, size)| {
                    // Full by decree: bundles of a split file hold nothing else.
                    (Bundle { parts: vec![part], tokens: size.div_ceil(4) }, max)
                }));
            }
        }
    }
    open.into_iter()
        .map(|(mut bundle, _)| {
            bundle.parts.sort_by_key(|p| (p.file, p.hunks.start));
            bundle
        })
        .filter(|b| !b.parts.is_empty())
        .collect()
}

fn whole(change: &Change, file: usize) -> Part {
    Part { file, hunks: 0..change.files[file].hunks.len(), lines: None }
}

/// First fit.
fn place(open: &mut Vec<(Bundle, u64)>, parts: Vec<Part>, size: u64, max: u64) {
    let at = open.iter().position(|(_, used)| used + size <= max).unwrap_or_else(|| {
        open.push(Default::default());
        open.len() - 1
    });
    let (bundle, used) = &mut open[at];
    *used += size;
    bundle.tokens = used.div_ceil(4);
    bundle.parts.extend(parts);
}

/// Bytes of a file's diff as it is shown without widening.
fn cost(file: &FileDiff, analysis: &Analysis, index: usize) -> u64 {
    if file.status == FileStatus::Deleted {
        let lines = file.hunks.iter().flat_map(|h| &h.lines).take(DELETED_LINES).map(line_cost).sum::<u64>();
        return head_cost(file) + lines + 80 * analysis.file(index).old.len().min(DELETED_SYMBOLS) as u64;
    }
    head_cost(file) + file.hunks.iter().map(hunk_cost).sum::<u64>()
}

/// Heading and notes.
fn head_cost(file: &FileDiff) -> u64 {
    let renamed = if file.old_path == file.new_path { 0 } else { file.old_path.as_bytes().len() };
    120 + (file.new_path.as_bytes().len() + renamed) as u64
}

/// The `@@` line, and the lines. What encloses a hunk is named at the cost of the budget for context.
fn hunk_cost(hunk: &Hunk) -> u64 {
    80 + hunk.lines.iter().map(line_cost).sum::<u64>()
}

fn line_cost(line: &Line) -> u64 {
    let text = line.text.strip_suffix(b"\r").unwrap_or(&line.text);
    // Control characters and bytes that are no text take more room when they are shown.
    let plain = text.len() > MAX_LINE || (std::str::from_utf8(text).is_ok() && !text.iter().any(|b| *b < b' ' && *b != b'\t'));
    let shown = if plain { text.len() } else { text.len() * 6 };
    shown.min(MAX_LINE + 30) as u64 + if line.no_newline { 42 } else { 2 }
}

/// A file's parts of at most `max` bytes each, with their sizes.
fn split(file: &FileDiff, index: usize, max: u64, whole: u64) -> Vec<(Part, u64)> {
    let head = head_cost(file);
    if file.hunks.is_empty() || file.status == FileStatus::Deleted {
        // Nothing to split, or an outline that only makes sense as one.
        return vec![(Part { file: index, hunks: 0..file.hunks.len(), lines: None }, whole)];
    }
    let room = max.saturating_sub(head).max(1);
    let mut out = Vec::new();
    let mut run = 0..0;
    let mut size = 0;
    let flush = |run: &mut Range<usize>, size: &mut u64, next: usize, out: &mut Vec<(Part, u64)>| {
        if run.start < run.end {
            out.push((Part { file: index, hunks: run.clone(), lines: None }, *size + head));
        }
        *run = next..next;
        *size = 0;
    };
    for (i, hunk) in file.hunks.iter().enumerate() {
        let cost = hunk_cost(hunk);
        if size + cost > room {
            flush(&mut run, &mut size, i, &mut out);
        }
        if cost > room {
            let lines = split_lines(&hunk.lines, room.saturating_sub(80).max(1));
            out.extend(lines.into_iter().map(|(lines, size)| (Part { file: index, hunks: i..i + 1, lines: Some(lines) }, size + head + 80)));
            run = i + 1..i + 1;
        } else {
            run.end = i + 1;
            size += cost;
        }
    }
    flush(&mut run, &mut size, 0, &mut out);
    out
}

/// Ranges of lines of at most `room` bytes each. Cut after a blank line if there is one in the last quarter.
fn split_lines(lines: &[Line], room: u64) -> Vec<(Range<usize>, u64)> {
    let mut out = Vec::new();
    let (mut from, mut size, mut i) = (0, 0, 0);
    while i < lines.len() {
        let cost = line_cost(&lines[i]);
        if size + cost > room && i > from {
            let back = (from + (i - from) * 3 / 4..i).rev().find(|n| lines[*n].text.trim_ascii().is_empty());
            let to = back.map_or(i, |n| n + 1);
            out.push((from..to, lines[from..to].iter().map(line_cost).sum()));
            (from, size, i) = (to, 0, to);
            continue;
        }
        size += cost;
        i += 1;
    }
    if from < lines.len() {
        out.push((from..lines.len(), size));
    }
    out
}
