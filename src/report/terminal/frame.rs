//! The code that a finding stands on, with its numbers: a few lines, each clipped to the width around what matters,
//! so that a minified file takes no more room than any other.

use crate::findings::{Finding, Lines};
use crate::report::clean;
use crate::text::FileText;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A span longer than this is shown by its first and last lines.
const MAX_SPAN: u32 = 10;
const HEAD: u32 = 6;
const TAIL: u32 = 2;
/// How much of a very long line is looked at, in bytes before and after the quote.
const BEFORE: usize = 400;
const AFTER: usize = 1_600;
/// Lines of a quote that are shown where the file is not at hand.
const MAX_QUOTE: usize = 5;

/// One row of the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// A line of the file: its number (none where only the quote is known), its text, whether the finding is about it.
    Code {
        /// 1-based.
        number: Option<u32>,
        /// Cleaned, tabs expanded, clipped.
        text: String,
        /// In the finding's span.
        marked: bool,
    },
    /// Under a line: columns to leave out, columns to mark.
    Marks(usize, usize),
    /// So many lines of the span are left out here.
    Gap(u32),
}

/// The frame of a finding, its text at most `width` columns wide. Empty where neither file nor quote is known.
pub(super) fn frame(finding: &Finding, text: Option<&FileText>, width: usize) -> Vec<Row> {
    match (finding.anchor.lines(), text) {
        (Some(lines), Some(text)) if lines.end <= text.line_count() => around(lines, &finding.quote, text, width),
        (lines, _) => quoted(lines, &finding.quote, width),
    }
}

fn quoted(lines: Option<Lines>, quote: &str, width: usize) -> Vec<Row> {
    let all = quote.trim_end().split('\n').count();
    let whole = lines.is_some_and(|l| usize::try_from(l.end - l.start + 1) == Ok(all));
    let mut rows: Vec<Row> = quote
        .trim_end()
        .split('\n')
        .take(MAX_QUOTE)
        .zip(0u32..)
        .map(|(line, i)| Row::Code {
            number: lines.filter(|_| whole).map(|l| l.start + i),
            text: clip(&shown(window(line, "").0), 0, width),
            marked: true,
        })
        .collect();
    if quote.trim().is_empty() {
        rows.clear();
    } else if all > MAX_QUOTE {
        rows.push(Row::Gap(u32::try_from(all - MAX_QUOTE).unwrap_or(u32::MAX)));
    }
    rows
}

fn around(lines: Lines, quote: &str, text: &FileText, width: usize) -> Vec<Row> {
    let span = lines.end - lines.start + 1;
    let context = if span <= 3 { 2 } else { 1 };
    let blank = |n: &u32| text.line(*n).is_none_or(|l| l.trim().is_empty());
    let first = (lines.start.saturating_sub(context).max(1)..lines.start).find(|n| !blank(n)).unwrap_or(lines.start);
    let last_possible = lines.end.saturating_add(context).min(text.line_count());
    let last = (lines.end + 1..=last_possible).rev().find(|n| !blank(n)).unwrap_or(lines.end);

    let needle = if span == 1 { quote.trim() } else { "" };
    let gap = if span > MAX_SPAN { lines.start + HEAD..lines.end + 1 - TAIL } else { 0..0 };
    let mut code = Vec::new();
    for n in (first..=last).filter(|n| !gap.contains(n)) {
        let (part, cut) = window(text.line(n).unwrap_or_default(), if n == lines.start { needle } else { "" });
        code.push((n, shown(part), cut));
    }

    let mark = code.iter().find(|(n, ..)| *n == lines.start).and_then(|(_, line, _)| columns(line, needle));
    let from = left_edge(&code, mark, width);
    let mut rows = Vec::new();
    for (n, line, cut) in code {
        if n == gap.end && !gap.is_empty() {
            rows.push(Row::Gap(gap.end - gap.start));
        }
        let marked = (lines.start..=lines.end).contains(&n);
        let line = if cut { format!("{line}…") } else { line };
        // A short neighbour of a long line that is shown from its middle is shown from its start.
        let edge = if marked || line.width() > from { from } else { 0 };
        rows.push(Row::Code { number: Some(n), text: clip(&line, edge, width), marked });
        if let Some((at, len)) = mark.filter(|_| n == lines.start) {
            let at = at.saturating_sub(from);
            rows.push(Row::Marks(at, len.min(width.saturating_sub(at)).max(1)));
        }
    }
    rows
}

/// The columns at which `needle` stands in `line`, if it is a proper part of it: then marks say more than the line alone.
fn columns(line: &str, needle: &str) -> Option<(usize, usize)> {
    let needle = shown(needle);
    if needle.is_empty() || needle.trim() == line.trim() {
        return None;
    }
    let at = line.find(&needle)?;
    Some((line[..at].width(), needle.width()))
}

/// How many columns all lines lose at the left: none where they fit; their common indent where that helps; else what brings the
/// marked part into view.
fn left_edge(code: &[(u32, String, bool)], mark: Option<(usize, usize)>, width: usize) -> usize {
    if code.iter().all(|(_, l, _)| l.width() <= width) {
        return 0;
    }
    let indent = |l: &String| l.len() - l.trim_start_matches(' ').len();
    let common = code.iter().filter(|(_, l, _)| !l.is_empty()).map(|(_, l, _)| indent(l)).min().unwrap_or(0);
    // Two columns: one for the `…` that clipping puts there, one between it and the code.
    let common = common.saturating_sub(2);
    match mark {
        Some((at, len)) if at + len > common + width => at.saturating_sub((width.saturating_sub(len) / 2).max(2)),
        _ => common,
    }
}

/// The part of a long line around `needle`, and whether something is left out after it.
fn window<'a>(line: &'a str, needle: &str) -> (&'a str, bool) {
    if line.len() <= BEFORE + AFTER {
        return (line, false);
    }
    let at = if needle.is_empty() { 0 } else { line.find(needle).unwrap_or(0) };
    let from = line.floor_char_boundary(at.saturating_sub(BEFORE));
    let to = line.ceil_char_boundary((at + AFTER).min(line.len()));
    (&line[from..to], to < line.len())
}

/// A line as the terminal can show it: cleaned, tabs as blanks up to the next multiple of four columns.
fn shown(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut column = 0;
    for c in clean::terminal(line).chars() {
        match c {
            '\t' => {
                let blanks = 4 - column % 4;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' => {}
            c => {
                out.push(c);
                column += c.width().unwrap_or(0);
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The columns `from..from + width` of a line, with `…` where something is left out. A wide character that is cut in two
/// becomes a blank.
pub(super) fn clip(line: &str, from: usize, width: usize) -> String {
    let total = line.width();
    if from == 0 && total <= width {
        return line.to_owned();
    }
    if total <= from {
        return String::new();
    }
    let left = from > 0;
    let low = from + usize::from(left);
    let high = (from + width).saturating_sub(usize::from(total > from + width));
    let mut out = String::from(if left { "…" } else { "" });
    let mut column = 0;
    for c in line.chars() {
        let next = column + c.width().unwrap_or(0);
        if next > high {
            break;
        }
        if column >= low {
            out.push(c);
        } else if next > low {
            out.extend(std::iter::repeat_n(' ', next - low));
        }
        column = next;
    }
    if total > from + width {
        out.extend(std::iter::repeat_n(' ', high.saturating_sub(column)));
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
