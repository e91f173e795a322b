//! The report on a terminal: what people see first.
//!
//! A terminal is read from its end, so the end is the result: outcome, verdict and counts stand in the last lines, below
//! everything that could scroll them away. The findings above keep the headings' order, worst first within each, because
//! that is the order of every other format and the one to work through; where there are so many that the worst has
//! scrolled away, the last lines name the worst again with their places. Severities are words, colour only repeats them.
//!
//! It never says "no findings" of a file that nobody saw, and no part of it can hold a control sequence that is not ours.

mod costs;
mod finding;
mod frame;
mod page;

use super::plain::{cut_chars, one_line};
use super::{Outcome, Review, ReviewerStatus, Sources, Verdict, WriteOptions, cost, words};
use crate::findings::{Finding, FindingStatus, Severity};
use crate::path::RepoPath;
use crate::risk::{Coverage, CoverageStatus};
use page::{BAD, BOLD, DIM, GOOD, HEADING, PATH, PLAIN, Page, WARN, of};
use std::io;

/// Prose wider than this is hard to read.
const MAX_WIDTH: usize = 100;
/// Narrower than this nothing can be laid out.
const MIN_WIDTH: usize = 40;
/// From so many findings on the worst are named again at the end, and so many of them.
const REMIND_FROM: usize = 4;
const REMIND: usize = 3;
/// Lines on files that were not looked at.
const MAX_MISSED: usize = 10;
/// Columns of a path in the ledger.
const MAX_NAME: usize = 50;

pub(super) fn write(review: &Review, sources: &Sources, opts: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(opts.color, opts.width.clamp(MIN_WIDTH, MAX_WIDTH));
    for (category, findings) in words::by_category(review.findings.iter()) {
        page.line(&[(category.label(), HEADING)]);
        for finding in findings {
            page.gap();
            finding::write(&mut page, finding, sources);
        }
        page.gap();
    }
    told_apart(&mut page, review, opts.verbose);
    result(&mut page, review, opts.verbose);
    out.write_all(page.finish().as_bytes())
}

/// What is no finding: what was left out, what was seen, what went wrong.
fn told_apart(page: &mut Page, review: &Review, verbose: bool) {
    if verbose && !review.dropped.is_empty() {
        page.line(&[("Dropped", HEADING)]);
        for dropped in &review.dropped {
            let text = format!("- {}: {}", cut_chars(&one_line(&dropped.title), 200), cut_chars(&one_line(&dropped.reason), 200));
            page.paragraph("  ", "    ", ("", PLAIN), &text, DIM);
        }
        page.gap();
    }
    if verbose {
        reviewers(page, review);
    }
    // Where there is nothing to tell, "no findings in 3 files" is the ledger.
    if !review.findings.is_empty() || verbose || review.coverage.iter().any(|c| c.status != CoverageStatus::Reviewed) {
        prose(page, &words::ledger(review, if verbose { usize::MAX } else { words::NAMED }, file), PLAIN);
    }
    missed(page, review, verbose);
    for (who, why) in words::failures(review) {
        let label = if who.len() == 1 { "Reviewer failed: " } else { "Reviewers failed: " };
        page.paragraph("", "  ", (label, WARN), &format!("{}: {}", words::listed(&who), reason(&why)), PLAIN);
    }
    if !review.dropped.is_empty() && !verbose {
        prose(page, &format!("{} dropped (-v lists them).", words::count(review.dropped.len(), "finding")), DIM);
    }
    if let Some(waived) = words::waived(review, name) {
        prose(page, &format!("{waived}."), PLAIN);
    }
    for note in &review.notes {
        page.paragraph("", "  ", ("Note: ", BOLD), &cut_chars(&one_line(note), 500), PLAIN);
    }
    if let Some(hint) = words::no_model(review) {
        prose(page, hint, PLAIN);
    }
}

/// Files that were not seen in full, those with the same reason together.
fn missed(page: &mut Page, review: &Review, verbose: bool) {
    let (each, most) = if verbose { (usize::MAX, usize::MAX) } else { (words::NAMED, MAX_MISSED) };
    let groups = words::missed_alike(review);
    for alike in groups.iter().take(most) {
        let Some(first) = alike.first() else { continue };
        let state = if first.status == CoverageStatus::Failed { "Not looked at: " } else { "Seen in part: " };
        let mut names: Vec<String> = alike.iter().take(each).map(|f| name(&f.path)).collect();
        if alike.len() > names.len() {
            names.push(format!("{} more", words::thousands((alike.len() - names.len()) as u64)));
        }
        let why = first.reason.as_deref().map(|why| format!(": {}", reason(why))).unwrap_or_default();
        page.paragraph("", "  ", (state, WARN), &format!("{}{why}", words::listed(&names)), PLAIN);
    }
    let rest: usize = groups.iter().skip(most).map(Vec::len).sum();
    if rest > 0 {
        page.line(&[(&format!("… and {rest} more files not seen in full (-v lists them)"), WARN)]);
    }
}

fn reviewers(page: &mut Page, review: &Review) {
    let table = costs::table(review).filter(|lines| lines.iter().all(|l| l.chars().count() <= page.width));
    page.line(&[("Reviewers", HEADING)]);
    for run in &review.reviewers {
        let mut parts = vec![words::reviewer_status(run.status).to_owned()];
        parts.extend(run.model.as_deref().map(one_line));
        if run.status != ReviewerStatus::Skipped {
            parts.push(words::count(run.findings, "finding"));
            if table.is_none() || run.models.is_empty() {
                parts.push(words::duration(run.seconds));
            }
            if table.is_none() && run.requests > 0 {
                parts.push(words::count(run.requests as usize, "request"));
                parts.extend(words::usage(&run.usage));
            }
        }
        parts.extend(run.reason.as_deref().map(reason));
        page.paragraph("  ", "    ", ("", PLAIN), &format!("{}: {}", one_line(&run.id), parts.join(", ")), PLAIN);
    }
    page.gap();
    if let Some(lines) = &table {
        page.line(&[("Cost and time", HEADING)]);
        for (i, line) in lines.iter().enumerate() {
            page.line(&[(line, if i == 0 { DIM } else { PLAIN })]);
        }
    }
    for remark in cost::remarks(review) {
        page.paragraph("  ", "  ", ("", PLAIN), &remark, DIM);
    }
    page.gap();
}

/// The last lines.
fn result(page: &mut Page, review: &Review, verbose: bool) {
    let open: Vec<&Finding> = review.findings.iter().filter(|f| f.status != FindingStatus::Settled).collect();
    if !review.findings.is_empty() {
        page.gap();
        let summary = one_line(&review.summary);
        // Without a judge it says what stands right below.
        if review.models_looked && !summary.is_empty() {
            prose(page, &cut_chars(&summary, 1_000), PLAIN);
            page.gap();
        }
    }
    if open.len() >= REMIND_FROM {
        remind(page, &open);
    }
    let style = match review.outcome {
        // With no gate, or one that looks at worse only, a passing run is not a good one yet.
        Outcome::Pass if matches!(review.verdict, Verdict::MinorIssues | Verdict::SignificantConcerns) => WARN,
        Outcome::Pass => GOOD,
        Outcome::Fail => BAD,
        Outcome::Inconclusive => WARN,
    };
    let counts = words::counts(review);
    let gate = words::gate(review).map(|g| format!(" ({g})")).unwrap_or_default();
    let head = format!("{}. ", words::headline(review));
    page.paragraph("", "  ", (&head, style), &format!("{}{gate}.", sentence(&counts)), PLAIN);
    if review.findings.is_empty() && words::no_model(review).is_some() && !verbose {
        // The tier chooses reviewers, and there were none.
        return;
    }

    let mut parts = vec![words::tier(review, verbose), words::duration(review.seconds)];
    parts.extend(words::usage(&review.usage));
    prose(page, &parts.join(" · "), DIM);
}

/// The worst findings' places once more.
fn remind(page: &mut Page, open: &[&Finding]) {
    let mut worst: Vec<&&Finding> = open.iter().filter(|f| f.severity >= Severity::Important).collect();
    worst.sort_by_key(|f| std::cmp::Reverse(f.severity));
    for finding in worst.iter().take(REMIND) {
        let severity = finding.severity.label();
        let place = format!("{}{}", finding.path.display(), words::line_suffix(finding));
        page.line(&[(&format!("{severity:<9}  "), of(finding.severity)), (&place, PATH)]);
        let title = cut_chars(&one_line(&finding.title), 120);
        page.paragraph("           ", "           ", ("", PLAIN), &title, PLAIN);
    }
    if !worst.is_empty() {
        page.gap();
    }
}

fn prose(page: &mut Page, text: &str, style: anstyle::Style) {
    page.paragraph("", "  ", ("", PLAIN), text, style);
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A path in running text: its end where it is long.
fn name(path: &RepoPath) -> String {
    let path = one_line(&path.display());
    let n = path.chars().count();
    if n <= MAX_NAME { path } else { format!("…{}", path.chars().skip(n - MAX_NAME + 1).collect::<String>()) }
}

fn reason(text: &str) -> String {
    cut_chars(&one_line(text), 200)
}

fn file(file: &Coverage) -> String {
    match &file.reason {
        Some(why) => format!("{}: {}", name(&file.path), reason(why)),
        None => name(&file.path),
    }
}

#[cfg(test)]
mod tests;
