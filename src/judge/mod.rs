//! Weighs what was found: merges the same defect told twice, lets one model judge what several reviewers said, and gives the
//! verdict. The judge's powers are bounded here, not in its prompt: it can at worst keep silent or talk nonsense (TRUST 16).
//! Nothing here calls a model.

pub mod coordinator;
mod gate;
pub mod merge;
pub mod summary;
pub mod verdict;

use crate::findings::{Finding, FindingSource};
use crate::rules::RuleStatus;

/// Whether the finding's rule, if it cites one, lets it count for the gate.
pub(crate) fn enforced(finding: &Finding) -> bool {
    finding.rule.as_ref().is_none_or(|r| r.status == RuleStatus::Enforced)
}

fn is_hit(finding: &Finding) -> bool {
    finding.source == FindingSource::Rule
}

/// Whether two findings stand in the same file, by its new or old name.
fn same_file(a: &Finding, b: &Finding) -> bool {
    a.path == b.path || a.old_path.as_ref() == Some(&b.path) || b.old_path.as_ref() == Some(&a.path)
}

/// Whether both have lines, on the same side of the same file, and share one.
fn overlap(a: &Finding, b: &Finding) -> bool {
    let lines = a.anchor.lines().zip(b.anchor.lines());
    same_file(a, b) && a.side == b.side && lines.is_some_and(|(a, b)| a.start <= b.end && b.start <= a.end)
}

/// Takes into `kept` what another telling of the same defect adds: its higher severity, who told it, and what `kept` lacks.
fn absorb(kept: &mut Finding, other: Finding) {
    kept.severity = kept.severity.max(other.severity);
    kept.also.push(other.reviewer);
    kept.also.extend(other.also);
    kept.also.retain(|r| *r != kept.reviewer);
    kept.also.sort();
    kept.also.dedup();
    kept.trigger = kept.trigger.take().or(other.trigger);
    kept.cause = kept.cause.take().or(other.cause);
    kept.confidence = match (kept.confidence, other.confidence) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    if kept.anchor == other.anchor && kept.path == other.path && kept.side == other.side {
        kept.suggestion = kept.suggestion.take().or(other.suggestion);
    }
    // A rule that never gates must not take a finding's teeth.
    if kept.rule.is_none()
        && let Some(rule) = other.rule.filter(|r| r.status == RuleStatus::Enforced)
    {
        kept.fingerprint = crate::findings::fingerprint::with_rule(&kept.fingerprint, Some(&rule.id));
        kept.rule = Some(rule);
    }
}

#[cfg(test)]
pub(crate) mod testing;
