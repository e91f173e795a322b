//! From what was counted to verdicts and the outcome. The same for one run and for merged shards: it looks at the report alone.

use super::report::{Audit, CheckedBy, MAX_EVIDENCE, MAX_NAMED, Part, RuleResult, Verdict};
use crate::findings::Severity;
use crate::report::Outcome;
use crate::rules::{RuleLevel, RuleStatus};
use std::collections::BTreeSet;

/// A rule that advises is followed in part when fewer than one of so many files breaks it.
const FEW: u64 = 20;

/// Fills in all verdicts and the outcome, and puts every list in its order.
pub(super) fn finish(audit: &mut Audit) {
    audit.rules.sort_by(|a, b| a.id.cmp(&b.id));
    for rule in &mut audit.rules {
        rule.evidence.sort();
        rule.evidence.dedup();
        rule.evidence.truncate(MAX_EVIDENCE);
        rule.parts.sort_by_key(|p| p.part);
        (rule.verdict, rule.reason) = judge(rule, audit.reviewers.not_asked.as_deref(), audit.shard.is_some());
    }
    audit.coverage.left_out.sort_by(|a, b| a.reason.cmp(&b.reason));
    for list in [&mut audit.coverage.partial, &mut audit.coverage.failed] {
        list.sort();
        list.dedup();
        list.truncate(MAX_NAMED);
    }
    if audit.rules.iter().flat_map(|r| &r.parts).any(|p| p.failed.is_some()) {
        audit.incomplete.push("Reviewers did not judge all that they should have.".to_owned());
    }
    if !audit.coverage.failed.is_empty() {
        audit.incomplete.push("Files could not be read.".to_owned());
    }
    for list in [&mut audit.incomplete, &mut audit.notes, &mut audit.reviewers.models] {
        *list = std::mem::take(list).into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    }
    audit.outcome = if audit.rules.iter().any(|r| fails(r, audit.fail_on)) {
        Outcome::Fail
    } else if audit.incomplete.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Inconclusive
    };
}

/// Whether a rule's verdict fails the audit.
pub(super) fn fails(rule: &RuleResult, fail_on: Option<Severity>) -> bool {
    let binds = rule.level == RuleLevel::Must && rule.status == RuleStatus::Enforced;
    binds && rule.verdict == Verdict::NonCompliant && fail_on.is_some_and(|least| rule.severity >= least)
}

fn judge(rule: &RuleResult, not_asked: Option<&str>, shard: bool) -> (Verdict, Option<String>) {
    let because = |verdict, reason: &str| (verdict, Some(reason.to_owned()));
    match rule.checked_by {
        CheckedBy::Change => because(Verdict::NotApplicable, "It is about changes: reviews check it."),
        _ if rule.files == 0 => because(Verdict::NotApplicable, "No file here is what it is about."),
        CheckedBy::Detector if rule.places > 0 => match rule.level {
            RuleLevel::Should if rule.files_broken * FEW < rule.files => (Verdict::Partial, None),
            _ => (Verdict::NonCompliant, None),
        },
        CheckedBy::Detector if rule.waived > 0 => because(Verdict::Partial, "All breaches are waived."),
        CheckedBy::Detector => (Verdict::Compliant, None),
        CheckedBy::Reviewers if rule.parts.is_empty() => match not_asked {
            Some(why) => because(Verdict::NotAssessed, why),
            None if shard => because(Verdict::NotAssessed, "Another shard has its parts."),
            None => because(Verdict::NotAssessed, "No file that models may read is what it is about."),
        },
        CheckedBy::Reviewers => of_parts(rule),
    }
}

/// The verdict on a rule that reviewers judged part by part. A breach anywhere counts, whatever else was not looked at;
/// nothing is called followed that was not judged wholly. Where the reviewers cannot tell, that is no breach.
fn of_parts(rule: &RuleResult) -> (Verdict, Option<String>) {
    let count = |v: Verdict| rule.parts.iter().filter(|p| p.verdict == v).count();
    let (broken, partly, kept, all) = (count(Verdict::NonCompliant), count(Verdict::Partial), count(Verdict::Compliant), rule.parts.len());
    let (failed, untold): (Vec<&Part>, Vec<&Part>) =
        rule.parts.iter().filter(|p| p.verdict == Verdict::NotAssessed).partition(|p| p.failed.is_some());
    let mut reasons = Vec::new();
    if !failed.is_empty() {
        reasons.push(format!("{} of {all} parts could not be judged.", failed.len()));
    }
    if !untold.is_empty() {
        reasons.push(format!("The auditors cannot tell in {} of {all} parts: what decides does not stand there.", untold.len()));
    }
    let reason = (!reasons.is_empty()).then(|| reasons.join(" "));
    let verdict = match (broken, partly) {
        (1.., _) if rule.level == RuleLevel::Should && kept + partly > 0 => Verdict::Partial,
        (1.., _) => Verdict::NonCompliant,
        (0, 1..) => Verdict::Partial,
        (0, 0) if reason.is_some() => Verdict::NotAssessed,
        (0, 0) if kept > 0 => Verdict::Compliant,
        (0, 0) => Verdict::NotApplicable,
    };
    (verdict, reason)
}
