//! Finds the lines a proposal is about from its quote. Code decides this, never the model: its line numbers only choose
//! among places that fit. It never drops anything; what has no place says so.

use super::locate::{Fit, Hit, Key, SOLID, hits, shown};
use super::place::{Changed, old_line};
use super::quote::{MAX_BYTES, Reading, readings};
use super::words::cut_bytes;
use super::{Anchor, Lines, Proposal};
use crate::diff::{FileDiff, Side};
use crate::path::RepoPath;
use crate::text::FileText;
use std::borrow::Cow;
use std::sync::Arc;

/// How far from the claimed line one of several look-alikes may stand.
const NEAR: u32 = 3;
/// Of a quote that was not found, so many lines are looked for one by one.
const MAX_PROBES: usize = 12;
/// A path longer than this, in bytes, is no path.
const MAX_PATH: usize = 4_096;

/// Where to look.
#[derive(Clone, Copy)]
pub struct AnchorInput<'a> {
    /// The changed files.
    pub files: &'a [FileDiff],
    /// The masked text of a changed file on one side, if it has one.
    pub text: &'a dyn Fn(&FileDiff, Side) -> Option<Arc<FileText>>,
    /// The masked text of a file that the change leaves as it was, at the head, if there is one.
    pub elsewhere: &'a dyn Fn(&RepoPath) -> Option<Arc<FileText>>,
}

/// A proposal's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The file; as the model wrote it where there is no such file.
    pub path: RepoPath,
    /// Its path before, where it was renamed or copied.
    pub old_path: Option<RepoPath>,
    /// The side of the lines; new where there are none.
    pub side: Side,
    /// The place.
    pub anchor: Anchor,
    /// The lines as they stand there, or the model's own quote where they were not found or are very long.
    pub quote: String,
    /// Whether the change added (new side) or removed (old side) at least one of the lines.
    pub touched: bool,
    /// Whether the quote covers its lines from end to end.
    pub whole_lines: bool,
    /// Whether a text of the file is there, and neither the quote nor one of its lines that says something stands in any.
    pub missed: bool,
}

/// Finds a proposal's place: exact, else with other white space, else the file, else none. Among several exact places those
/// that are the same line for line come first, then those that the change touches, then the nearest to the claimed line, then
/// the first. A removed line comes before an untouched look-alike, unless the proposal has a `cause` or claims just that line.
/// Linear in the size of the file.
pub fn anchor(input: &AnchorInput<'_>, proposal: &Proposal) -> Anchored {
    let readings = readings(&proposal.quote);
    let vouched = proposal.cause.as_deref().is_some_and(|c| !c.trim().is_empty());
    let claimed = proposal.line.and_then(|l| u32::try_from(l).ok()).filter(|l| *l > 0);
    let mut out = Anchored {
        path: RepoPath::from(cut_bytes(plain(&proposal.path), MAX_PATH)),
        old_path: None,
        side: Side::New,
        anchor: Anchor::None,
        quote: cut_bytes(&proposal.quote, MAX_BYTES).to_owned(),
        touched: false,
        whole_lines: false,
        missed: false,
    };
    let (found, text) = match resolve(input, &proposal.path) {
        Resolved::Changed(file) => {
            out.path = file.path().clone();
            out.old_path = Some(&file.old_path).filter(|p| **p != file.new_path).cloned();
            let mut sides = [Side::New, Side::Old].map(|s| SideOf { side: s, text: (input.text)(file, s), changed: Changed::of(file, s) });
            let found = best(&sides, &readings, claimed, vouched);
            out.missed = found.is_none() && stands_nowhere(&readings, sides.iter().filter_map(|s| s.text.as_deref()));
            let text = found.as_ref().and_then(|f| sides.iter_mut().find(|s| s.side == f.side)?.text.take());
            let found = found.map(|f| {
                let old = if f.side == Side::New { old_line(file, f.hit.end) } else { None };
                (f, old)
            });
            (found, text)
        }
        Resolved::Elsewhere(path, text) => {
            out.path = path;
            let sides = [SideOf { side: Side::New, text: Some(Arc::clone(&text)), changed: Changed::default() }];
            // Nothing moved in it.
            let found = best(&sides, &readings, claimed, vouched).map(|f| (f, Some(f.hit.end)));
            out.missed = found.is_none() && stands_nowhere(&readings, std::iter::once(&*text));
            (found, Some(text))
        }
        Resolved::Nowhere => return out,
    };
    out.anchor = Anchor::File;
    if let Some((found, old_line)) = found {
        let lines = Lines { start: found.hit.start, end: found.hit.end, old_line };
        out.side = found.side;
        out.anchor = if found.key == Key::Shown { Anchor::Exact(lines) } else { Anchor::Moved(lines) };
        out.touched = found.touched;
        out.whole_lines = found.hit.fit != Fit::Part;
        if let Some(code) = text.and_then(|t| code(&t, lines.start, lines.end)) {
            out.quote = code;
        }
    }
    out
}

/// Lines `start` to `end` as they are shown, without a last line end; `None` if they are too long to be told again.
pub(super) fn code(text: &FileText, start: u32, end: u32) -> Option<String> {
    let mut out = String::new();
    for number in start..=end {
        let line = shown(text.line(number)?);
        if out.len() + line.len() >= MAX_BYTES {
            return None;
        }
        if number > start {
            out.push('\n');
        }
        out.push_str(&line);
    }
    Some(out)
}

enum Resolved<'a> {
    Changed(&'a FileDiff),
    Elsewhere(RepoPath, Arc<FileText>),
    Nowhere,
}

/// A path without what models put around it.
pub(super) fn plain(path: &str) -> &str {
    path.trim().trim_matches(['`', '"', '\'']).trim()
}

fn resolve<'a>(input: &AnchorInput<'a>, path: &str) -> Resolved<'a> {
    let path = plain(path);
    if path.is_empty() {
        // Of a change of one file, it can only be this one.
        return if let [only] = input.files { Resolved::Changed(only) } else { Resolved::Nowhere };
    }
    if path.len() > MAX_PATH {
        return Resolved::Nowhere;
    }
    let mut short = path.trim_start_matches('/');
    while let Some(rest) = short.strip_prefix("./") {
        short = rest;
    }
    let unprefixed = short.strip_prefix("a/").or_else(|| short.strip_prefix("b/"));
    let names = [Some(path), Some(short), unprefixed];
    for name in names.iter().flatten() {
        let changed = input.files.iter().find(|f| f.new_path.display() == **name);
        if let Some(file) = changed.or_else(|| input.files.iter().find(|f| f.old_path.display() == **name)) {
            return Resolved::Changed(file);
        }
    }
    for name in names.iter().flatten() {
        if !name.is_empty() && !name.starts_with('/') && !name.split('/').any(|p| matches!(p, "" | "." | "..")) {
            let path = RepoPath::from(*name);
            if let Some(text) = (input.elsewhere)(&path) {
                return Resolved::Elsewhere(path, text);
            }
        }
    }
    let ends = |f: &&FileDiff| f.new_path.display().strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    let mut ending = input.files.iter().filter(ends);
    match (ending.next(), ending.next()) {
        (Some(file), None) if !short.is_empty() => Resolved::Changed(file),
        _ => Resolved::Nowhere,
    }
}

/// Whether there are texts, and none of them holds even a part of a line of the quote, or a line that the quote holds a part more
/// of. Blank quotes stand everywhere.
fn stands_nowhere<'t>(readings: &[Reading], texts: impl Iterator<Item = &'t FileText>) -> bool {
    let texts: Vec<&FileText> = texts.collect();
    let lines = || readings.iter().flat_map(|r| &r.lines).filter(|l| !l.trim().is_empty()).take(MAX_PROBES);
    let stands = |quoted: &String| {
        let quoted = Key::Squeezed.of(quoted);
        let alike = |line: Cow<'_, str>| line.contains(quoted.as_ref()) || (line.chars().nth(SOLID - 1).is_some() && quoted.contains(line.as_ref()));
        texts.iter().any(|text| text.lines().any(|(_, line)| alike(Key::Squeezed.of(line))))
    };
    !texts.is_empty() && lines().next().is_some() && !lines().any(stands)
}

struct SideOf {
    side: Side,
    text: Option<Arc<FileText>>,
    changed: Changed,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    side: Side,
    hit: Hit,
    key: Key,
    touched: bool,
}

/// The order of places: the smaller, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// The first reading that is line for line the same; others only where none is.
    same: usize,
    /// Touched by the change, on which side.
    place: u8,
    fit: Fit,
    reading: usize,
    distance: u32,
    start: u32,
}

fn best(sides: &[SideOf], readings: &[Reading], claimed: Option<u32>, vouched: bool) -> Option<Found> {
    for key in [Key::Shown, Key::Squeezed] {
        let mut best: Option<(Rank, Found)> = None;
        let mut near: Option<(Rank, Found)> = None;
        let mut several = false;
        for (index, reading) in readings.iter().enumerate() {
            for s in sides.iter().filter(|s| reading.side.is_none_or(|side| side == s.side)) {
                let Some(text) = &s.text else { continue };
                hits(text, reading, key, |hit| {
                    let touched = s.changed.touches(hit.start, hit.end);
                    let place = match (s.side, touched) {
                        (Side::New, true) => 0,
                        (Side::New, false) if vouched || claimed == Some(hit.start) => 1,
                        (Side::Old, true) => 2,
                        (Side::New, false) => 3,
                        (Side::Old, false) => return,
                    };
                    let distance = claimed.map_or(0, |c| c.abs_diff(hit.start));
                    let same = if hit.fit == Fit::Equal { index } else { usize::MAX };
                    let rank = Rank { same, place, fit: hit.fit, reading: index, distance, start: hit.start };
                    let found = Found { side: s.side, hit, key, touched };
                    if claimed.is_some() && distance <= NEAR && near.as_ref().is_none_or(|(r, _)| rank < *r) {
                        near = Some((rank, found));
                    }
                    match &best {
                        Some((b, f)) => {
                            let elsewhere = (f.side, f.hit.start, f.hit.end) != (s.side, hit.start, hit.end);
                            let alike = (b.same, b.place, b.fit) == (same, place, hit.fit);
                            if rank < *b {
                                several = alike && (several || elsewhere);
                                best = Some((rank, found));
                            } else {
                                several |= alike && elsewhere;
                            }
                        }
                        None => best = Some((rank, found)),
                    }
                });
            }
        }
        // With other white space it has to be the only one, or stand where the model says.
        let sure = if key == Key::Squeezed && several { near } else { best };
        if let Some((_, found)) = sure {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests;
