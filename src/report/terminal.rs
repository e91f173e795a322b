//! What people see first. Grouped by category in the order of the headings, worst first within each; the
//! verdict, the counts and what it cost stand at the very end, since that is where a terminal stops scrolling.

use super::frame;
use super::wording::{ago, counts, ledger_line, ledger_names, outcome_words, verdict_words};
use super::{Outcome, Review, ReviewerStatus, Sources, WriteOptions};
use crate::findings::sanitize::terminal as clean;
use crate::findings::{Category, Finding, FindingSource, Severity};
use crate::risk::CoverageStatus;
use std::io::{self, Write};

/// Text wider than this is hard to read, however wide the terminal.
const MAX_WIDTH: usize = 100;
/// The narrowest layout; a narrower terminal wraps by itself.
const MIN_WIDTH: usize = 40;

struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
    color: bool,
}

/// Writes the report.
pub(super) fn write(review: &Review, sources: &Sources, opts: &WriteOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, width: opts.width.clamp(MIN_WIDTH, MAX_WIDTH), color: opts.color };
    for category in Category::ALL {
        let of: Vec<&Finding> = review.findings.iter().filter(|f| f.category == category).collect();
        if of.is_empty() {
            continue;
        }
        writeln!(page.out, "{}", page.bold(&format!("{} ({})", category.label(), of.len())))?;
        for finding in of {
            writeln!(page.out)?;
            page.finding(finding, sources)?;
        }
        writeln!(page.out)?;
    }
    page.end(review, opts)
}

impl Page<'_> {
    fn paint(&self, codes: &str, text: &str) -> String {
        if self.color { format!("\x1b[{codes}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn severity(&self, severity: Severity) -> String {
        let codes = match severity {
            Severity::Critical => "1;31",
            Severity::Important => "1;33",
            Severity::Suggestion => "1;36",
            Severity::Nit => "2",
        };
        self.paint(codes, severity.label())
    }

    fn wrapped(&mut self, first: &str, rest: &str, text: &str) -> io::Result<()> {
        let options = textwrap::Options::new(self.width).initial_indent(first).subsequent_indent(rest).break_words(true);
        for paragraph in clean(text).lines() {
            if paragraph.trim().is_empty() {
                writeln!(self.out)?;
                continue;
            }
            for line in textwrap::wrap(paragraph, &options) {
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding, sources: &Sources) -> io::Result<()> {
        let label = finding.severity.label();
        let title = clean(&finding.title).replace('\n', " ");
        // Colour after wrapping, so that its codes do not count as columns.
        let options = textwrap::Options::new(self.width.saturating_sub(2)).subsequent_indent("  ");
        for (i, line) in textwrap::wrap(&format!("{label}: {title}"), &options).iter().enumerate() {
            match line.strip_prefix(label).filter(|_| i == 0) {
                Some(rest) => writeln!(self.out, "  {}{}", self.severity(finding.severity), self.bold(rest))?,
                None => writeln!(self.out, "  {}", self.bold(line))?,
            }
        }
        let place = match finding.anchor.lines() {
            Some(l) if l.start == l.end => format!("{}:{}", finding.path, l.start),
            Some(l) => format!("{}:{}-{}", finding.path, l.start, l.end),
            None => finding.path.to_string(),
        };
        let side = if finding.side == crate::diff::Side::Old { " (removed)" } else { "" };
        writeln!(self.out, "  {}", self.paint("36", &format!("{place}{side}")))?;
        for (marked, line) in frame::frame(finding, sources, self.width.saturating_sub(2)) {
            writeln!(self.out, "  {}", if marked { line } else { self.dim(&line) })?;
        }
        self.wrapped("  ", "  ", &finding.body)?;
        if let Some(trigger) = &finding.trigger {
            self.wrapped("  When: ", "        ", trigger)?;
        }
        if let Some(suggestion) = &finding.suggestion {
            writeln!(self.out, "  Instead:")?;
            for line in clean(suggestion).lines() {
                writeln!(self.out, "  {}", self.paint("32", &frame::clip(&format!("+ {line}"), self.width.saturating_sub(2))))?;
            }
        }
        let by = origin(finding);
        self.wrapped("  ", "  ", &by)
    }

    fn end(&mut self, review: &Review, opts: &WriteOptions) -> io::Result<()> {
        if opts.verbose {
            for dropped in &review.dropped {
                self.wrapped("not shown: ", "  ", &format!("{} ({})", dropped.title, dropped.reason))?;
            }
            for c in &review.coverage {
                let why = c.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
                self.wrapped("", "  ", &format!("{} {}{why} {}", status(c.status), c.path, if c.reviewers.is_empty() { String::new() } else { format!("[{}]", c.reviewers.join(", ")) }))?;
            }
        } else if !review.dropped.is_empty() {
            let n = review.dropped.len();
            let line = format!("{n} {} not shown (-v lists {})", if n == 1 { "finding" } else { "findings" }, if n == 1 { "it" } else { "them" });
            let line = self.dim(&line);
            writeln!(self.out, "{line}")?;
        }
        for note in &review.notes {
            self.wrapped("note: ", "      ", note)?;
        }
        for failed in review.reviewers.iter().filter(|r| r.status == ReviewerStatus::Failed) {
            self.wrapped("failed: ", "        ", &format!("{}: {}", failed.id, failed.reason.as_deref().unwrap_or("no reason given")))?;
        }
        if review.models_looked && !review.summary.trim().is_empty() {
            self.wrapped("", "", &review.summary)?;
        }
        if !opts.verbose {
            for line in ledger_names(review) {
                self.wrapped("", "  ", &line)?;
            }
        }
        self.wrapped("", "  ", &format!("{}: {}", review.change.label, ledger_line(review)))?;
        if !review.models_looked {
            let hint = if review.provenance.gateway_host.is_some() { "No model looked at this change." } else { "Rules only: no model looked. For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and TRIBUNE_MODEL." };
            self.wrapped("", "  ", hint)?;
        }
        let reason = review.tier_reasons.first().map(|r| format!(" ({})", clean(r))).unwrap_or_default();
        let cost = spent(review);
        self.wrapped("", "  ", &format!("{} tier{reason}, {}{cost}", review.tier.name(), ago(review.seconds)))?;
        let verdict = format!("{}: {}", verdict_words(review), counts(review));
        let codes = match review.outcome {
            Outcome::Pass => "1;32",
            Outcome::Fail => "1;31",
            Outcome::Inconclusive => "1;33",
        };
        let line = format!("{} {}", self.paint(codes, outcome_words(review.outcome)), self.bold(&verdict));
        writeln!(self.out, "{line}")
    }
}

fn status(status: CoverageStatus) -> &'static str {
    match status {
        CoverageStatus::Reviewed => "reviewed",
        CoverageStatus::Filtered => "filtered",
        CoverageStatus::Partial => "partial",
        CoverageStatus::Failed => "failed",
    }
}

/// Who says it, and where to disagree.
fn origin(finding: &Finding) -> String {
    let mut parts = Vec::new();
    if let Some(rule) = &finding.rule {
        parts.push(format!("rule {}", rule.id));
        parts.extend(rule.source.clone());
        parts.extend(rule.url.clone());
        parts.extend(rule.owner.as_ref().map(|o| format!("owner {o}")));
    }
    if finding.source == FindingSource::Model {
        let mut who = vec![finding.reviewer.as_str()];
        who.extend(finding.also.iter().map(String::as_str));
        parts.push(format!("model, {} reviewer{}", who.join(" and "), if who.len() > 1 { "s" } else { "" }));
    }
    parts.join(" · ")
}

fn spent(review: &Review) -> String {
    let u = &review.usage;
    if u.input_tokens + u.output_tokens == 0 {
        return String::new();
    }
    let cached = (u.cached_tokens * 100).checked_div(u.input_tokens).unwrap_or(0);
    let cost = u.cost_usd.map(|c| format!(", ${c:.2}")).unwrap_or_default();
    let about = if u.estimated { "about " } else { "" };
    format!(", {about}{} tokens ({cached} % cached){cost}", u.input_tokens + u.output_tokens)
}
