//! The words that several formats share: verdicts, counts, the ledger in a line.

use super::{Outcome, Review, Verdict};
use crate::findings::Severity;
use crate::risk::CoverageStatus;
use std::collections::BTreeMap;

/// Names of files that a line of the ledger lists at most.
const MAX_NAMES: usize = 5;

/// The verdict in words. Where something went unseen it says no more than is known.
pub(super) fn verdict_words(review: &Review) -> &'static str {
    match review.verdict {
        Verdict::Approved if review.outcome == Outcome::Inconclusive => "Nothing of weight in what was looked at",
        Verdict::Approved => "Approved",
        Verdict::ApprovedWithComments => "Approved with comments",
        Verdict::MinorIssues => "Minor issues",
        Verdict::SignificantConcerns => "Significant concerns",
    }
}

/// The outcome in one word.
pub(super) fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Inconclusive => "INCONCLUSIVE",
    }
}

/// "1 critical, 2 suggestions"; of what was looked at when there is none.
pub(super) fn counts(review: &Review) -> String {
    let n = |s: Severity| review.findings.iter().filter(|f| f.severity == s).count();
    let plural = |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
    let parts: Vec<String> = [
        plural(n(Severity::Critical), "critical", "critical"),
        plural(n(Severity::Important), "important", "important"),
        plural(n(Severity::Suggestion), "suggestion", "suggestions"),
        plural(n(Severity::Nit), "optional nit", "optional nits"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !parts.is_empty() {
        return parts.join(", ");
    }
    let seen = review.coverage.iter().filter(|c| c.status == CoverageStatus::Reviewed).count();
    match (seen, review.coverage.len()) {
        (_, 0) => "nothing has changed".to_owned(),
        (0, _) => "no file was reviewed".to_owned(),
        (s, all) if s == all => "no findings".to_owned(),
        (s, all) => format!("no findings in the {s} of {all} files that were reviewed"),
    }
}

/// "16 files: 14 reviewed, 2 filtered".
pub(super) fn ledger_line(review: &Review) -> String {
    let n = |s: CoverageStatus| review.coverage.iter().filter(|c| c.status == s).count();
    let all = review.coverage.len();
    let parts: Vec<String> = [(CoverageStatus::Reviewed, "reviewed"), (CoverageStatus::Filtered, "filtered"), (CoverageStatus::Partial, "partial"), (CoverageStatus::Failed, "failed")]
        .into_iter()
        .filter(|(s, _)| n(*s) > 0)
        .map(|(s, word)| format!("{} {word}", n(s)))
        .collect();
    let lines = format!("+{} -{}", review.change.lines_added, review.change.lines_removed);
    format!("{all} {} ({lines}): {}", if all == 1 { "file" } else { "files" }, if parts.is_empty() { "nothing to review".to_owned() } else { parts.join(", ") })
}

/// Lines that name the files which were not fully reviewed, grouped by reason; the worst first.
pub(super) fn ledger_names(review: &Review) -> Vec<String> {
    let mut lines = Vec::new();
    for (status, word) in [(CoverageStatus::Failed, "failed"), (CoverageStatus::Partial, "partial"), (CoverageStatus::Filtered, "filtered")] {
        let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for c in review.coverage.iter().filter(|c| c.status == status) {
            by_reason.entry(c.reason.as_deref().unwrap_or("no reason given")).or_default().push(c.path.to_string());
        }
        for (reason, paths) in by_reason {
            let more = paths.len().saturating_sub(MAX_NAMES);
            let mut names = paths.into_iter().take(MAX_NAMES).collect::<Vec<_>>().join(", ");
            if more > 0 {
                names.push_str(&format!(" and {more} more"));
            }
            lines.push(format!("{word}: {names} ({reason})"));
        }
    }
    lines
}

/// A duration for people.
pub(super) fn ago(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", (seconds * 1000.0).max(1.0))
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} m {:02} s", (seconds / 60.0) as u64, (seconds % 60.0) as u64)
    }
}
