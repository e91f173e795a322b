//! The verdict in words, the gate, and the order in which findings are shown. Only findings on lines count, and none that a
//! human settled. No model has a say here.

use super::enforced;
use crate::findings::{Finding, FindingStatus, Severity};
use crate::report::Verdict;
use crate::rules::RuleStatus;
use std::cmp::Reverse;

/// The verdict: any critical finding is a significant concern, three important ones are minor issues, fewer (or suggestions)
/// are comments, nits are nothing. Those of advisory rules weigh as suggestions at most, those of trial rules nothing.
pub fn verdict(findings: &[Finding]) -> Verdict {
    let count = |severity| findings.iter().filter(|f| weight(f) == Some(severity)).count();
    if count(Severity::Critical) > 0 {
        Verdict::SignificantConcerns
    } else if count(Severity::Important) >= 3 {
        Verdict::MinorIssues
    } else if count(Severity::Important) + count(Severity::Suggestion) > 0 {
        Verdict::ApprovedWithComments
    } else {
        Verdict::Approved
    }
}

/// Whether the findings fail the gate; `None` is `never`.
pub fn gate(findings: &[Finding], fail_on: Option<Severity>) -> bool {
    fail_on.is_some_and(|threshold| findings.iter().any(|f| fails(f, threshold)))
}

/// Whether this finding alone fails the gate.
pub fn fails(finding: &Finding, fail_on: Severity) -> bool {
    counts(finding) && enforced(finding) && finding.severity >= fail_on
}

/// Puts findings in the order they are shown: worst first, then by path and line.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (Reverse(f.severity), f.anchor.lines().map_or((0, 0), |l| (l.start, l.end)));
        let ((sa, la), (sb, lb)) = (key(a), key(b));
        sa.cmp(&sb)
            .then_with(|| a.path.cmp(&b.path))
            .then(la.cmp(&lb))
            .then(a.side.cmp(&b.side))
            .then_with(|| a.title.cmp(&b.title))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
}

fn counts(finding: &Finding) -> bool {
    finding.anchor.lines().is_some() && finding.status != FindingStatus::Settled
}

fn weight(finding: &Finding) -> Option<Severity> {
    let cap = match finding.rule.as_ref().map(|r| r.status) {
        Some(RuleStatus::Trial) => return None,
        Some(RuleStatus::Advisory) => Severity::Suggestion,
        Some(RuleStatus::Enforced) | None => Severity::Critical,
    };
    counts(finding).then(|| finding.severity.min(cap))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{hit, show, told};
    use super::*;
    use crate::findings::Anchor;
    use crate::path::RepoPath;
    use Severity::{Critical, Important, Nit, Suggestion};

    fn of(severities: &[Severity]) -> Vec<Finding> {
        severities.iter().map(|s| told("quality", *s, "T", "x", 1, 1)).collect()
    }

    #[test]
    fn verdict_follows_the_table() {
        for (severities, expected) in [
            (&[][..], Verdict::Approved),
            (&[Nit, Nit, Nit, Nit], Verdict::Approved),
            (&[Suggestion; 9], Verdict::ApprovedWithComments),
            (&[Important, Nit], Verdict::ApprovedWithComments),
            (&[Important, Important, Suggestion], Verdict::ApprovedWithComments),
            (&[Important, Important, Important], Verdict::MinorIssues),
            (&[Critical, Nit], Verdict::SignificantConcerns),
        ] {
            assert_eq!(verdict(&of(severities)), expected, "{severities:?}");
        }
    }

    #[test]
    fn only_what_is_certain_counts() {
        let mut unplaced = of(&[Critical, Critical]);
        unplaced[0].anchor = Anchor::File;
        unplaced[1].anchor = Anchor::None;
        let mut settled = of(&[Critical]);
        settled[0].status = FindingStatus::Settled;
        for (findings, expected) in [
            (unplaced, Verdict::Approved),
            (settled, Verdict::Approved),
            (vec![hit("A-ONE", RuleStatus::Trial, Critical, "x", 1, 1)], Verdict::Approved),
            (vec![hit("A-ONE", RuleStatus::Advisory, Critical, "x", 1, 1)], Verdict::ApprovedWithComments),
        ] {
            assert_eq!((verdict(&findings), gate(&findings, Some(Nit))), (expected, false), "{}", show(&findings));
        }
        assert_eq!(verdict(&[hit("A-ONE", RuleStatus::Enforced, Critical, "x", 1, 1)]), Verdict::SignificantConcerns);
    }

    #[test]
    fn gate_is_a_threshold() {
        let all = [Nit, Suggestion, Important, Critical];
        for severity in all {
            for threshold in all {
                assert_eq!(gate(&of(&[severity]), Some(threshold)), severity >= threshold);
            }
            assert!(!gate(&of(&[severity]), None));
        }
        assert!(!gate(&[], Some(Nit)));
    }

    #[test]
    fn shows_the_worst_first() {
        let mut findings = vec![told("q", Nit, "N", "x", 1, 1), told("q", Critical, "C9", "x", 9, 9), told("q", Critical, "C10", "x", 10, 12)];
        let mut other = told("q", Critical, "B", "x", 1, 1);
        other.path = RepoPath::from("b.rs");
        findings.insert(0, other);
        sort(&mut findings);
        assert_eq!(findings.iter().map(|f| f.title.as_str()).collect::<Vec<_>>(), ["C9", "C10", "B", "N"]);
    }
}
