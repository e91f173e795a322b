//! What is to be done in threads, decided from the review and from what stands there. Touches nothing.

use super::Desk;
use crate::findings::{Finding, FindingStatus, Severity};
use crate::forge::Span;
use crate::history::{Known, Status};
use crate::report::Review;

/// What is to be done.
pub(super) struct Plan<'a> {
    /// Findings that get a thread now, worst first, with where they stand in the diff.
    pub(super) open: Vec<(&'a Finding, Span)>,
    /// Findings that have an open thread already.
    pub(super) standing: Vec<&'a Finding>,
    /// Threads whose finding is gone.
    pub(super) fixed: Vec<Fixed<'a>>,
}

/// A thread whose finding is gone.
pub(super) struct Fixed<'a> {
    pub(super) known: &'a Known,
    pub(super) why: Option<&'a str>,
}

/// Decides it.
pub(super) fn plan<'a>(desk: &Desk<'a>, review: &'a Review) -> Plan<'a> {
    let mut plan = Plan { open: Vec::new(), standing: Vec::new(), fixed: Vec::new() };
    for prior in review.prior.iter().filter(|p| matches!(p.status, Status::Fixed | Status::Withdrawn)) {
        let thread = prior.thread.as_ref().and_then(|id| desk.memory.threads.iter().find(|k| k.thread.id == *id));
        // What a human resolved needs no word of ours.
        let human = |k: &&Known| k.thread.resolved_by.as_ref().is_none_or(|u| desk.trust.ours.contains(&u.id));
        if let Some(known) = thread.filter(|k| k.thread.resolvable).filter(human) {
            plan.fixed.push(Fixed { known, why: prior.why.as_deref() });
        }
    }
    let standing = |f: &Finding| desk.memory.threads.iter().any(|k| !k.thread.resolved && same(k, f));
    plan.standing = review.findings.iter().filter(|f| f.status != FindingStatus::Settled && standing(f)).collect();
    let mut room = desk.settings.inline_max.saturating_sub(plan.standing.len());
    for (finding, span) in review.findings.iter().zip(&review.spans) {
        let Some(span) = span.as_ref().filter(|_| room > 0 && deserves(desk, review, finding) && !standing(finding)) else { continue };
        // A thread that a human resolved is not opened again for what merely persists.
        let answered = finding.status == FindingStatus::Persisting && desk.memory.threads.iter().any(|k| same(k, finding));
        if !answered {
            plan.open.push((finding, span.clone()));
            room -= 1;
        }
    }
    plan
}

fn same(known: &Known, finding: &Finding) -> bool {
    crate::findings::fingerprint::same_defect(&known.record.fingerprint, &finding.fingerprint)
}

/// Whether a finding gets a thread (DESIGN 5, Noise): critical and important ones, and suggestions with a sure one-click fix.
/// Where every thread has to be resolved, only what fails the gate; in a draft, no suggestions.
fn deserves(desk: &Desk<'_>, review: &Review, finding: &Finding) -> bool {
    let grave = finding.severity >= Severity::Important;
    let one_click = finding.severity == Severity::Suggestion && finding.suggestion.is_some() && !desk.settings.grave_only;
    let enough = if desk.request.threads_must_resolve { review.fail_on.is_some_and(|least| finding.severity >= least) } else { grave || one_click };
    finding.status != FindingStatus::Settled && finding.anchor.lines().is_some() && enough
}
