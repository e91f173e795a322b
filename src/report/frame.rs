//! The code a finding is about, with its line numbers and a line around it.

use super::Sources;
use crate::findings::Finding;
use crate::findings::sanitize::terminal as clean;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marked lines that are shown; of a longer span its first ones.
const MAX_LINES: u32 = 6;

/// Lines to print, each within `width` columns, and whether it is one that the finding is about.
pub(super) fn frame(finding: &Finding, sources: &Sources, width: usize) -> Vec<(bool, String)> {
    let Some(span) = finding.anchor.lines() else { return Vec::new() };
    let path = if finding.side == crate::diff::Side::Old { finding.old_path.as_ref().unwrap_or(&finding.path) } else { &finding.path };
    let Some(text) = sources.get(path, finding.side) else { return Vec::new() };
    let end = span.end.min(span.start.saturating_add(MAX_LINES - 1));
    let from = span.start.saturating_sub(1).max(1);
    let to = end.saturating_add(u32::from(end == span.end)).min(text.line_count());
    let digits = to.to_string().len().max(3);
    let mut out = Vec::new();
    for number in from..=to {
        let marked = (span.start..=end).contains(&number);
        let line = clean(text.line(number).unwrap_or_default()).replace('\t', "    ");
        // A blank neighbour says nothing.
        if !marked && line.trim().is_empty() {
            continue;
        }
        let mark = if marked { '>' } else { ' ' };
        out.push((marked, clip(&format!("{mark} {number:>digits$} | {}", line.replace('\n', " ")), width)));
    }
    if end < span.end {
        out.push((false, format!("  {:>digits$} | and {} more lines", "", span.end - end)));
    }
    out
}

/// Cuts at so many columns, with an ellipsis.
pub(super) fn clip(text: &str, width: usize) -> String {
    let text = text.trim_end();
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}
