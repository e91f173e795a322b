//! What a review says in words, the same in every format for people: the headline, the ledger, numbers,
//! and where a finding comes from. Plain text of our own and strangers' parts as they came: whoever prints it cleans it.

use super::plain::{cut_chars, one_line};
use super::{Outcome, Review, ReviewerStatus, Verdict};
use crate::diff::Side;
use crate::findings::{Category, Finding, FindingSource, FindingStatus, Lines, Severity};
use crate::gateway::Usage;
use crate::path::RepoPath;
use crate::risk::{Coverage, CoverageStatus};
use crate::rules::RuleStatus;
use crate::rules::waiver::Waived;
use serde::Serialize;

/// Severities, worst first.
pub(super) const WORST_FIRST: [Severity; 4] = [Severity::Critical, Severity::Important, Severity::Suggestion, Severity::Nit];

/// How many filtered files a line of the ledger names before it says "N more".
pub(super) const NAMED: usize = 3;

/// The word by which the JSON report calls a value such as a severity; empty for what is no single word there.
pub(crate) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

/// `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `52 ms`, `3.1 s`, `34 s`, `2 min 5 s`.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    if seconds < 0.95 {
        return format!("{:.0} ms", (seconds * 1000.0).max(1.0));
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    if whole < 60 { format!("{whole} s") } else { format!("{} min {} s", whole / 60, whole % 60) }
}

/// `$0.42`; small sums keep a digit that says something.
pub(crate) fn dollars(usd: f64) -> String {
    match usd {
        u if u >= 0.1 => format!("${u:.2}"),
        u if u >= 0.001 => format!("${u:.3}"),
        u if u > 0.0 => "under $0.001".to_owned(),
        _ => "$0".to_owned(),
    }
}

/// `123,456 tokens in (81% cached), 3,210 out, $0.42`; `None` where no model was asked.
pub(super) fn usage(usage: &Usage) -> Option<String> {
    if usage.input_tokens == 0 && usage.output_tokens == 0 {
        return None;
    }
    let about = if usage.estimated { "about " } else { "" };
    let cached = match (usage.cached_tokens.saturating_mul(100)).checked_div(usage.input_tokens) {
        Some(share) if share > 0 => format!(" ({}% cached)", share.min(100)),
        _ => String::new(),
    };
    let cost = usage.cost_usd.map_or_else(|| "cost unknown".to_owned(), dollars);
    Some(format!("{about}{} tokens in{cached}, {} out, {cost}", thousands(usage.input_tokens), thousands(usage.output_tokens)))
}

/// The verdict as people say it.
pub(super) fn verdict(review: &Review) -> &'static str {
    match review.verdict {
        Verdict::Approved if !review.models_looked => "approved by the rules alone",
        Verdict::Approved => "approved",
        Verdict::ApprovedWithComments => "approved with comments",
        Verdict::MinorIssues => "minor issues",
        Verdict::SignificantConcerns => "significant concerns",
    }
}

/// Outcome and verdict: `Fail: significant concerns`.
pub(crate) fn headline(review: &Review) -> String {
    let missed = missed(review).len();
    match (review.outcome, review.verdict) {
        (Outcome::Pass, _) => format!("Pass: {}", verdict(review)),
        (Outcome::Fail, _) => format!("Fail: {}", verdict(review)),
        (Outcome::Inconclusive, Verdict::Approved) if missed == 0 => "Inconclusive: not everything was looked at".to_owned(),
        (Outcome::Inconclusive, Verdict::Approved) => {
            format!("Inconclusive: {} not looked at in full", are(missed))
        }
        (Outcome::Inconclusive, _) => format!("Inconclusive, so far {}", verdict(review)),
    }
}

fn are(files: usize) -> String {
    if files == 1 { "1 file was".to_owned() } else { format!("{} files were", thousands(files as u64)) }
}

/// What made the run fail: `fail-on important`, as the flag is called.
pub(super) fn gate(review: &Review) -> Option<String> {
    let failed = review.outcome == Outcome::Fail;
    review.fail_on.filter(|_| failed).map(|s| format!("fail-on {}", severity_name(s)))
}

/// The name of a severity as flags and JSON have it.
pub(super) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Important => "important",
        Severity::Suggestion => "suggestion",
        Severity::Nit => "nit",
    }
}

/// `1 critical, 2 suggestions`, or what can be said honestly where there is none: `no findings in the 14 files reviewed`.
/// What a human settled is counted apart.
pub(super) fn counts(review: &Review) -> String {
    let open = || review.findings.iter().filter(|f| f.status != FindingStatus::Settled);
    let mut parts: Vec<String> = WORST_FIRST
        .iter()
        .filter_map(|s| match (open().filter(|f| f.severity == *s).count(), s) {
            (0, _) => None,
            (n, Severity::Critical | Severity::Important) => Some(format!("{n} {}", severity_name(*s))),
            (n, _) => Some(count(n, severity_name(*s))),
        })
        .collect();
    if parts.is_empty() {
        parts.push(nothing_found(review));
    }
    let settled = review.findings.len() - open().count();
    if settled > 0 {
        parts.push(format!("{settled} settled"));
    }
    parts.join(", ")
}

fn nothing_found(review: &Review) -> String {
    let reviewed = with_status(review, CoverageStatus::Reviewed).count();
    let seen = reviewed + with_status(review, CoverageStatus::Partial).count();
    match review.coverage.len() {
        0 => "no changed files".to_owned(),
        _ if seen == 0 => "no file was reviewed".to_owned(),
        n if n == reviewed => format!("no findings in {}", count(n, "file")),
        _ if reviewed == 0 => format!("no findings in what was seen of {}", count(seen, "file")),
        _ => format!("no findings in the {} reviewed", count(reviewed, "file")),
    }
}

fn with_status(review: &Review, status: CoverageStatus) -> impl Iterator<Item = &Coverage> {
    review.coverage.iter().filter(move |c| c.status == status)
}

/// `2 findings waived: SEC-PY-003 at app.py:5 (a constant), …`; `None` where none is. Each as `name` shows it.
pub(super) fn waived(review: &Review, name: impl Fn(&RepoPath) -> String) -> Option<String> {
    let one = |w: &Waived| format!("{} at {}:{} ({})", one_line(&w.rule_id), name(&w.path), w.lines.0, cut_chars(&one_line(&w.reason), 80));
    let mut parts: Vec<String> = review.waived.iter().take(NAMED).map(one).collect();
    if review.waived.len() > NAMED {
        parts.push(format!("{} more in the JSON report", review.waived.len() - NAMED));
    }
    (!parts.is_empty()).then(|| format!("{} waived: {}", count(review.waived.len(), "finding"), parts.join(", ")))
}

/// Files of which something, or all, was not looked at.
pub(super) fn missed(review: &Review) -> Vec<&Coverage> {
    review.coverage.iter().filter(|c| matches!(c.status, CoverageStatus::Failed | CoverageStatus::Partial)).collect()
}

/// The same, those with the same state and reason together, in the order of the first of each.
pub(super) fn missed_alike(review: &Review) -> Vec<Vec<&Coverage>> {
    let mut groups: Vec<Vec<&Coverage>> = Vec::new();
    for file in missed(review) {
        match groups.iter_mut().find(|g| g.first().is_some_and(|f| (f.status, &f.reason) == (file.status, &file.reason))) {
            Some(group) => group.push(file),
            None => groups.push(vec![file]),
        }
    }
    groups
}

/// `16 files: 13 reviewed, 2 filtered (Cargo.lock: lock file, 1 more), 1 partial`. Of the filtered files it names as many as
/// asked, each as `file` shows it; those that nobody saw in full are [`missed`].
pub(super) fn ledger(review: &Review, named: usize, file: impl Fn(&Coverage) -> String) -> String {
    let mut parts = Vec::new();
    for status in [CoverageStatus::Reviewed, CoverageStatus::Filtered, CoverageStatus::Partial, CoverageStatus::Failed] {
        let n = with_status(review, status).count();
        if n == 0 {
            continue;
        }
        let mut part = format!("{} {}", thousands(n as u64), status_name(status));
        if status == CoverageStatus::Filtered && named > 0 {
            let mut names: Vec<String> = with_status(review, status).take(named).map(&file).collect();
            if n > named {
                names.push(format!("{} more", thousands((n - named) as u64)));
            }
            part.push_str(&format!(" ({})", names.join(", ")));
        }
        parts.push(part);
    }
    let files = count(review.coverage.len(), "file");
    if parts.is_empty() { files } else { format!("{files}: {}", parts.join(", ")) }
}

/// A file's state in the ledger.
pub(super) fn status_name(status: CoverageStatus) -> &'static str {
    match status {
        CoverageStatus::Reviewed => "reviewed",
        CoverageStatus::Filtered => "filtered",
        CoverageStatus::Partial => "partial",
        CoverageStatus::Failed => "failed",
    }
}

/// Who failed, and why; those with the same reason together: `codex, docs and quality`.
pub(super) fn failures(review: &Review) -> Vec<(Vec<String>, String)> {
    let mut out: Vec<(Vec<String>, String)> = Vec::new();
    for run in review.reviewers.iter().filter(|r| r.status == ReviewerStatus::Failed) {
        let why = run.reason.as_deref().map_or_else(|| "no reason known".to_owned(), one_line);
        match out.iter_mut().find(|(_, known)| *known == why) {
            Some((who, _)) => who.push(one_line(&run.id)),
            None => out.push((vec![one_line(&run.id)], why)),
        }
    }
    out
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        names => names.concat(),
    }
}

/// A reviewer's state.
pub(super) fn reviewer_status(status: ReviewerStatus) -> &'static str {
    match status {
        ReviewerStatus::Completed => "completed",
        ReviewerStatus::Failed => "failed",
        ReviewerStatus::Skipped => "skipped",
    }
}

/// The tier and its first reason, or all.
pub(super) fn tier(review: &Review, all: bool) -> String {
    let reasons = review.tier_reasons.iter().map(|r| one_line(r));
    let shown: Vec<String> = if all { reasons.collect() } else { reasons.take(1).collect() };
    match shown.is_empty() {
        true => format!("{} tier", review.tier.name()),
        false => format!("{} tier ({})", review.tier.name(), shown.join("; ")),
    }
}

/// One line for whoever has no gateway; `None` where one is configured or a model looked.
pub(super) fn no_model(review: &Review) -> Option<&'static str> {
    let hint = "No model looked. For reviewers, set TRIBUNE_GATEWAY_URL and TRIBUNE_MODEL.";
    (!review.models_looked && review.provenance.gateway_host.is_none()).then_some(hint)
}

/// Findings by heading, in the headings' order; within one as they came, worst first. No empty ones.
pub(super) fn by_category<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> Vec<(Category, Vec<&'a Finding>)> {
    let of = |c: Category| findings.clone().filter(|f| f.category == c).collect::<Vec<_>>();
    Category::ALL.into_iter().map(|c| (c, of(c))).filter(|(_, f)| !f.is_empty()).collect()
}

/// `:14` or `:14-16` after a path; empty for a finding without lines.
pub(super) fn line_suffix(finding: &Finding) -> String {
    match finding.anchor.lines() {
        Some(Lines { start, end, .. }) if end > start => format!(":{start}-{end}"),
        Some(Lines { start, .. }) => format!(":{start}"),
        None => String::new(),
    }
}

/// What the location alone does not say about it; empty for most.
pub(super) fn remarks(finding: &Finding) -> Vec<&'static str> {
    let mut out = Vec::new();
    match (finding.anchor.lines(), finding.side) {
        (Some(_), Side::Old) => out.push("removed code"),
        (None, _) => out.push("no certain line"),
        _ => {}
    }
    match finding.status {
        FindingStatus::New => {}
        FindingStatus::Persisting => out.push("told before"),
        FindingStatus::Settled => out.push("settled"),
    }
    if finding.rule.as_ref().is_some_and(|r| r.status != RuleStatus::Enforced) {
        out.push("advisory");
    }
    out
}

/// The finding's lines in the changed files as they are now; `None` for removed code and where no line is certain.
/// Formats that mark a line in today's file use this: a number of the old side would mark the wrong one.
pub(super) fn new_lines(finding: &Finding) -> Option<Lines> {
    if finding.side == Side::New { finding.anchor.lines() } else { None }
}

/// `model, quality and security reviewers`; `None` for a rule's hit that no model told too.
pub(super) fn reviewers(finding: &Finding) -> Option<String> {
    let mut ids: Vec<&str> = match finding.source {
        FindingSource::Model => vec![&finding.reviewer],
        FindingSource::Rule => Vec::new(),
    };
    ids.extend(finding.also.iter().map(String::as_str).filter(|id| *id != "rules"));
    match ids.as_slice() {
        [] => None,
        [one] => Some(format!("model, {one} reviewer")),
        [most @ .., last] => Some(format!("model, {} and {last} reviewers", most.join(", "))),
    }
}

/// A rule's id, or for a model's finding without one a name of its own. Machines group by it.
pub(super) fn check_name(finding: &Finding) -> String {
    match &finding.rule {
        Some(rule) => one_line(&rule.id),
        None => format!("tribune/{}", one_line(&finding.reviewer)),
    }
}

/// Body, trigger and origin as plain text, for machines' formats.
pub(crate) fn message(finding: &Finding) -> String {
    let mut out = super::plain::plain(&finding.body).trim().to_owned();
    let trigger = finding.trigger.as_deref().map(one_line).filter(|t| !t.is_empty());
    if let Some(trigger) = trigger {
        out.push_str(&format!("\n\nWhen: {trigger}"));
    }
    let mut origin: Vec<String> = Vec::new();
    if let Some(rule) = &finding.rule {
        origin.push(one_line(&rule.id));
        origin.extend([&rule.source, &rule.owner].into_iter().flatten().map(|s| one_line(s)));
    }
    origin.extend(reviewers(finding));
    if !origin.is_empty() {
        out.push_str(&format!("\n\n{}", origin.join(" · ")));
    }
    out.trim().to_owned()
}
