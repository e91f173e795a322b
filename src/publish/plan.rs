//! What is to be done in threads, decided from the review and from what stands there. Touches nothing.

use super::{Desk, body};
use crate::findings::{Finding, FindingStatus, Severity};
use crate::forge::{Comment, Span};
use crate::history::{Known, Status};
use crate::report::Review;

/// What is to be done.
pub(super) struct Plan<'a> {
    /// Findings that get a thread now, worst first, with where they stand in the diff.
    pub(super) open: Vec<(&'a Finding, Span)>,
    /// Findings that have an open thread already.
    pub(super) standing: Vec<&'a Finding>,
    /// Threads whose finding is gone.
    pub(super) gone: Vec<Gone<'a>>,
}

/// A thread whose finding is gone.
pub(super) struct Gone<'a> {
    pub(super) known: &'a Known,
    /// It is not fixed: its reviewer took it back.
    pub(super) withdrawn: bool,
    pub(super) why: Option<&'a str>,
}

/// Decides it.
pub(super) fn plan<'a>(desk: &Desk<'a>, review: &'a Review) -> Plan<'a> {
    let mut plan = Plan { open: Vec::new(), standing: Vec::new(), gone: Vec::new() };
    for prior in review.prior.iter().filter(|p| matches!(p.status, Status::Fixed | Status::Withdrawn)) {
        let thread = prior.thread.as_ref().and_then(|id| desk.memory.threads.iter().find(|k| k.thread.id == *id));
        // What a human resolved needs no word of ours.
        let human = |k: &&Known| k.thread.resolved_by.as_ref().is_none_or(|u| desk.trust.ours.contains(&u.id));
        if let Some(known) = thread.filter(|k| k.thread.resolvable && !is_acknowledged(desk, k)).filter(human) {
            plan.gone.push(Gone { known, withdrawn: prior.status == Status::Withdrawn, why: prior.why.as_deref() });
        }
    }
    // What was marked as gone and is there again is told anew, as in the place of a resolved thread.
    let owners = owners(&desk.memory.threads, &review.findings);
    let of = |i: usize| desk.memory.threads.iter().zip(&owners).filter(move |(_, owner)| **owner == Some(i)).map(|(known, _)| known);
    let standing = |i: usize| of(i).any(|k| !k.thread.resolved && !is_struck(k));
    let all = || review.findings.iter().enumerate();
    plan.standing = all().filter(|(i, f)| f.status != FindingStatus::Settled && standing(*i)).map(|(_, f)| f).collect();
    let mut room = desk.settings.inline_max.saturating_sub(plan.standing.len());
    for ((i, finding), span) in all().zip(&review.spans) {
        let Some(span) = span.as_ref().filter(|_| room > 0 && deserves(desk, review, finding) && !standing(i)) else { continue };
        // A thread that a human resolved is not opened again for what merely persists.
        let answered = finding.status == FindingStatus::Persisting && of(i).next().is_some();
        if !answered {
            plan.open.push((finding, span.clone()));
            room -= 1;
        }
    }
    plan
}

/// Whether our first comment says that its finding is gone.
fn is_struck(known: &Known) -> bool {
    known.thread.comments.first().is_some_and(|c| body::is_struck(&c.body))
}

/// Whether we have said so before, at whichever head.
fn is_acknowledged(desk: &Desk<'_>, known: &Known) -> bool {
    let ours = |c: &&Comment| desk.trust.ours.contains(&c.author.id);
    is_struck(known) || (known.thread.resolved && known.thread.comments.iter().filter(ours).any(|c| body::says_gone(&c.body)))
}

/// Which finding each thread is about, by place in `findings`. Where files hold the same code, a thread tells of its own file's; after
/// a rename, of one that was told before and has no thread of its own.
fn owners(threads: &[Known], findings: &[Finding]) -> Vec<Option<usize>> {
    let same = |k: &Known, f: &Finding| crate::findings::fingerprint::same_defect(&k.record.fingerprint, &f.fingerprint);
    let own = |k: &Known| findings.iter().position(|f| same(k, f) && k.record.path == f.path);
    let mut owners: Vec<Option<usize>> = threads.iter().map(own).collect();
    for at in 0..threads.len() {
        let known = &threads[at];
        let free = |i: usize| threads.iter().zip(&owners).all(|(k, owner)| *owner != Some(i) || k.record.path == known.record.path);
        if owners[at].is_none() {
            owners[at] = findings.iter().enumerate().position(|(i, f)| f.status != FindingStatus::New && same(known, f) && free(i));
        }
    }
    owners
}

/// Whether a finding gets a thread (DESIGN 5, Noise): critical and important ones, and suggestions with a sure one-click fix.
/// Where every thread has to be resolved, only what fails the gate; in a draft, no suggestions.
fn deserves(desk: &Desk<'_>, review: &Review, finding: &Finding) -> bool {
    let grave = finding.severity >= Severity::Important;
    let one_click = finding.severity == Severity::Suggestion && finding.suggestion.is_some() && !desk.settings.grave_only;
    let enough = if desk.request.threads_must_resolve { review.fail_on.is_some_and(|least| finding.severity >= least) } else { grave || one_click };
    finding.status != FindingStatus::Settled && finding.anchor.lines().is_some() && enough
}
