//! The summary as it appears in a merge request. Its first 200 characters make sense in a notification mail.

use super::comment::comment;
use super::wording::{ago, counts, ledger_line, outcome_words, verdict_words};
use super::{Review, ReviewerStatus, Sources, WriteOptions};
use crate::findings::sanitize::{inline, markdown};
use crate::findings::{Category, Finding, Severity};
use crate::risk::CoverageStatus;
use std::io::{self, Write};

/// GitHub refuses longer bodies; GitLab takes more.
const MAX_CHARS: usize = 65_536;
/// Room kept for what stands behind the findings.
const TAIL: usize = 12_000;
/// Files that the folded ledger names.
const MAX_FILES: usize = 100;

/// Writes the summary.
pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(render(review).as_bytes())
}

/// The summary as text, within the forges' bound.
pub fn render(review: &Review) -> String {
    let mut text = format!("**{}**: {}\n\n", verdict_words(review), counts(review));
    let summary = markdown(&review.summary);
    if !summary.trim().is_empty() {
        text.push_str(summary.trim());
        text.push_str("\n\n");
    }
    if !review.models_looked {
        text.push_str("No model looked at this change: rules only.\n\n");
    }
    text.push_str(&table(review));
    let mut left = Vec::new();
    for category in Category::ALL {
        let of: Vec<&Finding> = review.findings.iter().filter(|f| f.category == category).collect();
        if !of.is_empty() {
            left.extend(section(&mut text, category, &of));
        }
    }
    if !left.is_empty() {
        text.push_str(&format!("{} more findings do not fit here; the JSON report has all.\n\n", left.len()));
    }
    text.push_str(&tail(review));
    text
}

fn table(review: &Review) -> String {
    if review.findings.is_empty() {
        return String::new();
    }
    let severities = [Severity::Critical, Severity::Important, Severity::Suggestion, Severity::Nit];
    let n = |c: Category, s: Severity| review.findings.iter().filter(|f| f.category == c && f.severity == s).count();
    let shown: Vec<Severity> = severities.into_iter().filter(|s| Category::ALL.iter().any(|c| n(*c, *s) > 0)).collect();
    let mut out = format!("| |{}\n|---|{}\n", shown.iter().map(|s| format!(" {} |", s.label())).collect::<String>(), "---:|".repeat(shown.len()));
    for category in Category::ALL {
        if severities.iter().all(|s| n(category, *s) == 0) {
            continue;
        }
        let cells: String = shown.iter().map(|s| match n(category, *s) { 0 => " |".to_owned(), k => format!(" {k} |") }).collect();
        out.push_str(&format!("| {} |{cells}\n", category.label()));
    }
    out.push('\n');
    out
}

/// Adds a category's findings; returns those for which there was no room.
fn section<'a>(text: &mut String, category: Category, findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut left = Vec::new();
    let mut add = |text: &mut String, piece: String, finding: &'a Finding| {
        if text.chars().count() + piece.chars().count() + TAIL > MAX_CHARS {
            left.push(finding);
        } else {
            text.push_str(&piece);
        }
    };
    text.push_str(&format!("### {}\n\n", category.label()));
    for finding in findings.iter().filter(|f| f.severity >= Severity::Important) {
        add(text, format!("{}\n\n{}\n", place(finding), comment(finding, false)), finding);
    }
    for finding in findings.iter().filter(|f| f.severity < Severity::Important) {
        let title = format!("{}: {}", finding.severity.label(), inline(&finding.title));
        add(text, format!("<details><summary>{title}</summary>\n\n{}\n\n{}\n</details>\n\n", place(finding), comment(finding, false)), finding);
    }
    left
}

fn place(finding: &Finding) -> String {
    let lines = match finding.anchor.lines() {
        Some(l) if l.start == l.end => format!(" line {}", l.start),
        Some(l) => format!(" lines {}-{}", l.start, l.end),
        None => String::new(),
    };
    let side = if finding.side == crate::diff::Side::Old { " (removed)" } else { "" };
    format!("{}{lines}{side}", code(&finding.path.display()))
}

/// A path as a code span, whatever backticks it holds.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{ticks} {text} {ticks}") }
}

fn tail(review: &Review) -> String {
    let mut out = String::new();
    let gaps: Vec<_> = review.coverage.iter().filter(|c| c.status != CoverageStatus::Reviewed).collect();
    if gaps.is_empty() {
        out.push_str(&format!("{}\n\n", ledger_line(review)));
    } else {
        out.push_str(&format!("<details><summary>{}</summary>\n\n", ledger_line(review)));
        for c in gaps.iter().take(MAX_FILES) {
            let word = match c.status {
                CoverageStatus::Failed => "failed",
                CoverageStatus::Partial => "partial",
                _ => "filtered",
            };
            out.push_str(&format!("- {word}: {} ({})\n", code(&c.path.display()), inline(c.reason.as_deref().unwrap_or("no reason given"))));
            if out.chars().count() > TAIL / 2 {
                break;
            }
        }
        out.push_str("\nThe JSON report lists every file.\n\n</details>\n\n");
    }
    for note in review.notes.iter().take(20) {
        out.push_str(&format!("- {}\n", inline(note)));
    }
    if !review.notes.is_empty() {
        out.push('\n');
    }
    out.push_str(&format!("<details><summary>{}, {} tier, {}</summary>\n\n", outcome_words(review.outcome).to_lowercase(), review.tier.name(), ago(review.seconds)));
    for reason in review.tier_reasons.iter().take(10) {
        out.push_str(&format!("- tier: {}\n", inline(reason)));
    }
    out.push_str("\n| reviewer | model | status | requests | input | cached | output | cost |\n|---|---|---|---:|---:|---:|---:|---:|\n");
    for r in &review.reviewers {
        let status = match r.status {
            ReviewerStatus::Completed => "completed".to_owned(),
            ReviewerStatus::Skipped => "skipped".to_owned(),
            ReviewerStatus::Failed => format!("failed: {}", inline(r.reason.as_deref().unwrap_or("no reason given"))),
        };
        let cost = r.usage.cost_usd.map(|c| format!("${c:.3}")).unwrap_or_default();
        out.push_str(&format!(
            "| {} | {} | {status} | {} | {} | {} | {} | {cost} |\n",
            inline(&r.id), inline(r.model.as_deref().unwrap_or("")), r.requests, r.usage.input_tokens, r.usage.cached_tokens, r.usage.output_tokens
        ));
    }
    out.push_str(&format!("\ntribune {}", inline(&review.provenance.tribune)));
    if let Some(policy) = &review.provenance.policy_sha {
        out.push_str(&format!(", policy from {}", inline(policy.get(..12).unwrap_or(policy))));
    }
    out.push_str("\n\n</details>\n");
    out
}
