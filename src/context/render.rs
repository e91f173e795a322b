//! The diff as models see it. Nothing is left out in silence: what is cut says so in the text, and what was cut for a
//! bound is reported, so that the ledger can say so too.

use super::analysis::{FileView, is_private, masked};
use super::bundle::{Bundle, Part};
use super::fence::clean;
use super::grammar::Class;
use super::page::Page;
use super::symbols::Symbol;
use super::text::{cut, shorten};
use super::widen::{Candidate, Group, around, candidates, new_lines};
use super::{Mask, Material};
use crate::diff::{FileDiff, FileMode, FileStatus, Hunk, Line, LineKind, Side};
use crate::path::RepoPath;
use crate::text::FileText;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Longer lines are cut, in bytes.
pub(super) const MAX_LINE: usize = 2_000;
/// Of a deleted file, so many lines are shown; of the rest only what it declared.
pub(super) const DELETED_LINES: usize = 40;
/// More declarations of a deleted file are not listed.
pub(super) const DELETED_SYMBOLS: usize = 100;

/// What encloses a hunk may take so many bytes at no cost to the budget.
const SHORT_NAME: usize = 40;
/// How far up to look for what a hunk is nested in.
const MAX_UP: u32 = 1_000;

/// New lines that stand in the text, by path: related code need not repeat them.
#[derive(Debug, Default)]
pub(super) struct Shown(BTreeMap<RepoPath, Vec<(u32, u32)>>);

impl Shown {
    pub(super) fn has(&self, path: &RepoPath, line: u32) -> bool {
        self.0.get(path).is_some_and(|ranges| ranges.iter().any(|(from, to)| (*from..*to).contains(&line)))
    }
}

/// A rendered diff.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    pub(super) page: Page,
    pub(super) shown: Shown,
    /// Bytes of the page that are not the diff itself: lines that hunks were widened by, names of what encloses them.
    pub(super) extra: usize,
    /// Files of which something was cut for a bound, with the reason.
    pub(super) bounded: Vec<(RepoPath, String)>,
}

struct View<'a> {
    file: &'a FileDiff,
    part: &'a Part,
    view: &'a FileView,
    old: Option<FileText>,
    new: Option<FileText>,
    groups: Vec<Group>,
}

/// Renders the parts of a bundle; hunks are widened, cheapest first, until `widen` bytes are spent.
///
/// A deleted file is shown by its first [`DELETED_LINES`] lines and the signatures of all that it declared: what it
/// was for and which names are gone is what a review of a deletion needs, and the rest can be read with a tool. Where that
/// outline is not complete (no grammar for the file, or too many declarations), the file is reported as bounded.
pub(super) fn render(material: &Material<'_>, bundle: &Bundle, widen: usize) -> Rendered {
    // Naming what encloses a hunk beyond a short name is part of widening, and a small one.
    let mut naming = widen / 4;
    let mut out = Rendered::default();
    let mut views: Vec<View<'_>> = bundle
        .parts
        .iter()
        .filter_map(|part| {
            let file = material.change.files.get(part.file)?;
            let text =
                |side| masked(file, side, material.repo, material.mask).filter(|_| !file.hunks.is_empty() && !is_private(file, material.private));
            Some(View { file, part, view: material.analysis.file(part.file), old: text(Side::Old), new: text(Side::New), groups: Vec::new() })
        })
        .collect();
    widen_within(&mut views, widen - naming);
    for view in &views {
        view.file(&mut out, material, &mut naming);
    }
    out
}

fn widen_within(views: &mut [View<'_>], mut bytes: usize) {
    let mut all: Vec<(usize, Candidate)> = Vec::new();
    for (i, v) in views.iter().enumerate() {
        let whole = v.file.status != FileStatus::Deleted && v.part.lines.is_none();
        if let Some(new) = v.new.as_ref().filter(|t| whole && t.is_whole()) {
            all.extend(candidates(&v.file.hunks, v.part.hunks.clone(), v.view, new).into_iter().map(|c| (i, c)));
        }
    }
    all.sort_by_key(|(i, c)| (c.cost, *i, c.group.hunks.start));
    for (i, candidate) in all {
        if candidate.cost > bytes {
            break;
        }
        bytes -= candidate.cost;
        views[i].groups.push(candidate.group);
    }
    for view in views {
        view.groups.sort_by_key(|g| g.hunks.start);
        let mut groups = Vec::new();
        let mut next = view.part.hunks.start;
        for group in view.groups.drain(..).chain([Group { hunks: view.part.hunks.end..view.part.hunks.end, new: 0..0 }]) {
            groups.extend((next..group.hunks.start).map(|i| Group { hunks: i..i + 1, new: new_lines(&view.file.hunks[i]) }));
            next = group.hunks.end;
            groups.extend(Some(group).filter(|g| !g.hunks.is_empty()));
        }
        view.groups = groups;
    }
}

impl View<'_> {
    fn file(&self, out: &mut Rendered, material: &Material<'_>, naming: &mut usize) {
        let file = self.file;
        out.page.heading(2, &heading(file));
        if is_private(file, material.private) {
            out.page.note("private path: contents are not shown");
            out.bounded.push((file.path().clone(), "private path: no model saw its contents".to_owned()));
            return;
        }
        if let Some(note) = self.part.note(file) {
            out.page.note(&note);
        }
        if file.binary {
            out.page.note("binary: contents are not shown");
        }
        if let Some(note) = line_ends(file) {
            out.page.note(note);
        }
        if file.status == FileStatus::Deleted {
            return self.deleted(out, material.mask);
        }
        let mut told = BTreeSet::new();
        for group in &self.groups {
            self.group(out, group, material.mask, &mut told, naming);
        }
    }

    fn group(&self, out: &mut Rendered, group: &Group, mask: Mask<'_>, told: &mut BTreeSet<u32>, naming: &mut usize) {
        let hunks = &self.file.hunks[group.hunks.clone()];
        let Some(first) = hunks.first() else { return };
        let lines = match &self.part.lines {
            Some(range) => &first.lines[range.clone()],
            None => &first.lines[..],
        };
        let (old, new) = start(first, lines);
        let before = new.saturating_sub(group.new.start).min(old.saturating_sub(1));
        let before = if self.part.lines.is_some() { 0 } else { before };
        let mut body = Page::default();
        let mut count = (0u32, 0u32);
        let mut extra = 0;
        let mut context = |from: u32, to: u32, body: &mut Page, count: &mut (u32, u32)| {
            let before = body.len();
            for n in from..to {
                let text = self.new.as_ref().and_then(|t| t.line(n)).unwrap_or_default();
                put_line(body, LineKind::Context, text, 0);
                *count = (count.0 + 1, count.1 + 1);
            }
            extra += body.len() - before;
        };
        let mut next = new - before;
        for hunk in hunks {
            let lines = if self.part.lines.is_some() { lines } else { &hunk.lines[..] };
            if self.part.lines.is_none() {
                let own = new_lines(hunk);
                context(next, own.start, &mut body, &mut count);
                next = own.end;
            }
            for line in lines {
                count.0 += u32::from(line.kind != LineKind::Added);
                count.1 += u32::from(line.kind != LineKind::Removed);
                self.line(&mut body, line, mask, &mut out.bounded);
            }
        }
        if self.part.lines.is_none() {
            context(next, group.new.end, &mut body, &mut count);
        }
        let shown = new - before..new - before + count.1;
        let mut section = self.section(hunks, lines, &shown, told);
        if section.len() > *naming + SHORT_NAME {
            section = shorten(&section, SHORT_NAME);
        }
        let long = section.len().saturating_sub(SHORT_NAME);
        *naming -= long.min(*naming);
        out.extra += extra + long;
        // Git's own numbers for an empty side: the line before it.
        let number = |first: u32, count: u32| if count == 0 { first.saturating_sub(1) } else { first };
        let ranges = format!("-{},{} +{},{}", number(old - before, count.0), count.0, number(new - before, count.1), count.1);
        out.page.hunk(&ranges, &section);
        out.page.append(&body);
        out.shown.0.entry(self.file.new_path.clone()).or_default().push((shown.start, shown.end));
    }

    fn line(&self, page: &mut Page, line: &Line, mask: Mask<'_>, bounded: &mut Vec<(RepoPath, String)>) {
        let (text, number) = match line.kind {
            LineKind::Removed => (self.old.as_ref(), line.old),
            LineKind::Added | LineKind::Context => (self.new.as_ref(), line.new),
        };
        let number = number.unwrap_or_default();
        let cut = match text.and_then(|t| t.line(number)) {
            Some(text) => put_line(page, line.kind, text, 0),
            // No text of that side at hand (too large, or a patch that does not fit): the line alone.
            None => {
                let head = &line.text[..line.text.len().min(2 * MAX_LINE)];
                put_line(page, line.kind, &mask(&String::from_utf8_lossy(head)), line.text.len() - head.len())
            }
        };
        // A cut line that did not change is not a gap in the review.
        if let Some(bytes) = cut.filter(|_| line.kind != LineKind::Context)
            && bounded.last().is_none_or(|(path, _)| path != self.file.path())
        {
            bounded.push((self.file.path().clone(), format!("line {number} is cut after {MAX_LINE} of its {bytes} bytes")));
        }
        if line.no_newline && line.kind != LineKind::Context {
            page.note("no line end after the last line");
        }
    }

    fn deleted(&self, out: &mut Rendered, mask: Mask<'_>) {
        let lines = || self.file.hunks.iter().flat_map(|h| &h.lines);
        let total = lines().count();
        if total == 0 {
            return;
        }
        out.page.hunk(&format!("-1,{total} +0,0"), "");
        for line in lines().take(DELETED_LINES) {
            self.line(&mut out.page, line, mask, &mut out.bounded);
        }
        if total <= DELETED_LINES {
            return;
        }
        let declared: Vec<&Symbol> = self.view.old.iter().filter(|s| s.class != Class::Member && s.end > DELETED_LINES as u32).collect();
        out.page.note(&format!("{} more removed lines are not shown; what they declared:", total - DELETED_LINES));
        for symbol in declared.iter().take(DELETED_SYMBOLS) {
            out.page.item(&format!("{}-{}: {}", symbol.line, symbol.end, shorten(&symbol.signature, 160)));
        }
        if declared.is_empty() || declared.len() > DELETED_SYMBOLS {
            let reason = format!(
                "deleted: its first {DELETED_LINES} of {total} lines and {} of its declarations were shown",
                declared.len().min(DELETED_SYMBOLS)
            );
            out.bounded.push((self.file.path().clone(), reason));
        }
    }

    /// The code around a hunk that the hunk itself does not show: the containers' names and the innermost signature.
    fn section(&self, hunks: &[Hunk], lines: &[Line], shown: &Range<u32>, told: &mut BTreeSet<u32>) -> String {
        let changed = if self.part.lines.is_some() { lines.first() } else { hunks[0].lines.iter().find(|l| l.kind != LineKind::Context) };
        let Some((symbol, is_new)) = changed.and_then(|l| around(self.view, l)) else {
            let known = !self.view.new.is_empty() || !self.view.old.is_empty();
            return if known { String::new() } else { shorten(&String::from_utf8_lossy(&hunks[0].section), 120) };
        };
        let side = if is_new { &self.view.new } else { &self.view.old };
        let removed = |n: u32| hunks.iter().flat_map(|h| &h.lines).any(|l| l.kind == LineKind::Removed && l.old == Some(n));
        let visible = |s: &Symbol| if is_new { shown.contains(&s.line) } else { removed(s.line) };
        let inside = is_new && symbol.class == Class::Code && !visible(symbol);
        let mut chain = self.new.as_ref().filter(|_| inside).map(|t| heads(t, symbol.line, shown.start)).unwrap_or_default();
        let depth = chain.len();
        let mut at = Some(symbol);
        while let Some(s) = at {
            if !visible(s) {
                // Its signature once a file is enough.
                let first = s.class != Class::Code || told.insert(s.line);
                chain.push(if first { shorten(&s.signature, if chain.len() == depth { 160 } else { 60 }) } else { format!("{} {}", s.label, s.own) });
            }
            at = s.parent.and_then(|p| side.get(p));
        }
        chain.reverse();
        chain.join(" > ")
    }
}

/// Where a hunk, or the given lines of it, begins on both sides.
fn start(hunk: &Hunk, lines: &[Line]) -> (u32, u32) {
    let after = |start: u32, count: u32| if count == 0 { start.saturating_add(1) } else { start };
    let old = lines.iter().find_map(|l| l.old).unwrap_or_else(|| after(hunk.old_start, hunk.old_lines));
    let new = lines.iter().find_map(|l| l.new).unwrap_or_else(|| after(hunk.new_start, hunk.new_lines));
    (old, new)
}

/// The lines above `line` that the code there is nested in, below the declaration at `from`: the two innermost, inner first.
fn heads(text: &FileText, from: u32, line: u32) -> Vec<String> {
    let indent = |l: &str| l.len() - l.trim_start().len();
    let mut inner = (line..line + 3).filter_map(|n| text.line(n)).find(|l| !l.trim().is_empty()).map_or(0, indent);
    let mut out = Vec::new();
    for n in (from.max(line.saturating_sub(MAX_UP))..line).rev() {
        let Some(above) = text.line(n).filter(|l| !l.trim().is_empty() && indent(l) < inner) else { continue };
        let code = above.trim_start();
        if n == from || code.starts_with(['}', ')', ']', '#', '.']) || code.starts_with("//") {
            continue;
        }
        inner = indent(above);
        out.push(shorten(code.trim_end().trim_end_matches('{').trim_end(), 80));
        if out.len() == 2 {
            break;
        }
    }
    out
}

/// A line as it is shown: cut where it is overlong. `unread` bytes of it are missing already.
fn put_line(page: &mut Page, kind: LineKind, text: &str, unread: usize) -> Option<usize> {
    let (clean, invisible) = clean(text);
    if clean.len() + unread <= MAX_LINE {
        page.diff(kind, text);
        return None;
    }
    let head = cut(&clean, MAX_LINE);
    page.left_out(invisible);
    page.diff(kind, &format!("{head}[… {} bytes cut]", clean.len() - head.len() + unread));
    Some(clean.len() + unread)
}

fn heading(file: &FileDiff) -> String {
    let path = file.path();
    let mut facts = Vec::new();
    match file.status {
        FileStatus::Added => facts.push("new".to_owned()),
        FileStatus::Deleted => facts.push("deleted".to_owned()),
        FileStatus::Renamed => facts.push(format!("renamed from {}", file.old_path)),
        FileStatus::Copied => facts.push(format!("copied from {}", file.old_path)),
        FileStatus::TypeChanged => facts.push("changed its type".to_owned()),
        FileStatus::Modified => {}
    }
    let mode = |mode: Option<FileMode>| match mode {
        Some(FileMode::Executable) => Some("executable"),
        Some(FileMode::Symlink) => Some("symlink"),
        Some(FileMode::Submodule) => Some("submodule"),
        Some(FileMode::Regular) => Some("regular"),
        None => None,
    };
    match (mode(file.old_mode), mode(file.new_mode)) {
        (Some(old), Some(new)) if old != new => facts.push(format!("{old} -> {new}")),
        (_, Some(new)) if new != "regular" => facts.push(new.to_owned()),
        (Some(old), None) if old != "regular" => facts.push(old.to_owned()),
        _ => {}
    }
    if facts.is_empty() { path.to_string() } else { format!("{path} ({})", facts.join(", ")) }
}

fn line_ends(file: &FileDiff) -> Option<&'static str> {
    let crlf = |kind: LineKind| {
        let lines = || file.hunks.iter().flat_map(|h| &h.lines).filter(move |l| l.kind == kind);
        let with = lines().filter(|l| l.text.ends_with(b"\r")).count();
        (with > 0, with < lines().count())
    };
    match (crlf(LineKind::Removed), crlf(LineKind::Added)) {
        ((true, false), (false, true)) => Some("line ends change from CRLF to LF"),
        ((false, true), (true, false)) => Some("line ends change from LF to CRLF"),
        ((false, _), (true, true)) => Some("some added lines end with CRLF, others with LF"),
        _ => None,
    }
}
