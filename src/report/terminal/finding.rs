//! One finding on the terminal.

use super::frame::{Row, clip, frame};
use super::page::{BOLD, DIM, NEW, OLD, PATH, PLAIN, Page, of};
use crate::findings::Finding;
use crate::report::plain::{cut_chars, one_line, plain};
use crate::report::replacement::replacement;
use crate::report::{Sources, uri, words};

/// A body is bounded long before; this is for a report that somebody else wrote.
const MAX_BODY: usize = 4_000;
/// Lines of either side of a suggestion.
const MAX_DIFF: usize = 12;

pub(super) fn write(page: &mut Page, finding: &Finding, sources: &Sources) {
    let title = cut_chars(&one_line(&finding.title), 300);
    let severity = format!("{}: ", finding.severity.label());
    page.paragraph("", "  ", (&severity, of(finding.severity)), &title, BOLD);

    let location = format!("{}{}", finding.path.display(), words::line_suffix(finding));
    let remarks = words::remarks(finding);
    let remarks = if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join(", ")) };
    page.line(&[("  ", PLAIN), (&location, PATH), (&remarks, DIM)]);

    code(page, finding, sources);
    body(page, &cut_chars(plain(&finding.body).trim(), MAX_BODY));
    if let Some(trigger) = finding.trigger.as_deref().map(one_line).filter(|t| !t.is_empty()) {
        page.paragraph("  ", "  ", ("When: ", BOLD), &cut_chars(&trigger, MAX_BODY), PLAIN);
    }
    if let Some(cause) = finding.cause.as_deref().map(one_line).filter(|c| !c.is_empty()) {
        page.paragraph("  ", "  ", ("Caused by: ", BOLD), &cut_chars(&cause, 300), PLAIN);
    }
    suggestion(page, finding, sources);
    page.paragraph("  ", "  ", ("", PLAIN), &origin(finding), DIM);
    // On a line of its own, unwrapped, so that it can be clicked.
    if let Some(url) = finding.rule.as_ref().and_then(|r| r.url.as_deref()).and_then(uri::link) {
        page.line(&[("  ", PLAIN), (&url, DIM)]);
    }
}

fn code(page: &mut Page, finding: &Finding, sources: &Sources) {
    let text = sources.get(&finding.path, finding.side);
    // Two blanks, a mark, a blank, the number, " | ". The frame ends at most two lines after the finding.
    let gutter = 7 + finding.anchor.lines().map_or(0, |l| digits(l.end.saturating_add(2)));
    let rows = frame(finding, text, page.width.saturating_sub(gutter).max(20));
    let numbers = rows.iter().filter_map(|r| if let Row::Code { number, .. } = r { *number } else { None });
    let number_width = numbers.max().map_or(0, digits);
    if rows.is_empty() {
        return;
    }
    page.gap();
    for row in rows {
        match row {
            Row::Code { number, text, marked } => {
                let number = number.map(|n| n.to_string()).unwrap_or_default();
                let style = if marked { of(finding.severity) } else { DIM };
                let mark = if marked { ">" } else { " " };
                let number = if number_width == 0 { String::new() } else { format!("{number:>number_width$} ") };
                page.line(&[(&format!("  {mark} {number}|"), style), (&format!(" {text}"), PLAIN)]);
            }
            Row::Marks(at, len) => {
                let blank = format!("    {:number_width$} | {:at$}", "", "");
                page.line(&[(&blank, DIM), (&"^".repeat(len), of(finding.severity))]);
            }
            Row::Gap(n) => {
                let blank = if number_width == 0 { 0 } else { number_width + 1 };
                page.line(&[(&format!("    {:blank$}| … {n} more lines", ""), DIM)]);
            }
        }
    }
    page.gap();
}

fn digits(n: u32) -> usize {
    n.to_string().len()
}

/// Prose is wrapped; code in fences stays as it is, clipped.
fn body(page: &mut Page, text: &str) {
    let mut fenced = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        } else if fenced {
            page.line(&[(&format!("    {}", clip(&line.replace('\t', "    "), 0, page.width.saturating_sub(4))), PLAIN)]);
        } else if trimmed.is_empty() {
            page.gap();
        } else {
            let hanging = if trimmed.starts_with("- ") || trimmed.starts_with("* ") { "    " } else { "  " };
            page.paragraph("  ", hanging, ("", PLAIN), trimmed, PLAIN);
        }
    }
}

fn suggestion(page: &mut Page, finding: &Finding, sources: &Sources) {
    let Some(change) = replacement(finding, sources) else {
        return;
    };
    page.gap();
    let room = page.width.saturating_sub(4);
    for (mark, lines, style) in [("-", &change.old, OLD), ("+", &change.new, NEW)] {
        for line in lines.iter().take(MAX_DIFF) {
            let line = clip(&line.replace('\t', "    "), 0, room);
            page.line(&[(&format!("  {mark} {line}"), style)]);
        }
        if lines.len() > MAX_DIFF {
            page.line(&[(&format!("  {mark} … {} more lines", lines.len() - MAX_DIFF), DIM)]);
        }
    }
    page.gap();
}

/// `SEC-PY-003 · Security handbook · owner team-security`, or `model, quality reviewer`.
fn origin(finding: &Finding) -> String {
    let mut parts = Vec::new();
    if let Some(rule) = &finding.rule {
        parts.push(one_line(&rule.id));
        parts.extend(rule.source.as_deref().map(one_line));
        parts.extend(rule.owner.as_deref().map(|o| format!("owner {}", one_line(o))));
    }
    parts.extend(words::reviewers(finding));
    parts.join(" · ")
}
