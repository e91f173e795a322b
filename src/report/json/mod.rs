//! The report for machines, `tribune.report/v1`: everything that the run knows, in a frozen form. Text is what was said,
//! valid UTF-8 without control characters but `\n` and `\t`; whoever shows it sanitises it for its own place.

mod types;

pub use types::*;

use super::plain::{one_line, plain, write_json};
use super::{ModelRun, Review, Sources, WriteOptions};
use crate::diff;
use crate::findings;
use crate::gateway;
use crate::history::{self, State, Status};
use schemars::generate::SchemaSettings;
use std::io;

pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    write_json(&Report::of(review), out)
}

/// The JSON schema (2020-12) of [`Report`].
pub fn json_schema() -> serde_json::Value {
    // What is written, not what is accepted: fields that are always there are required.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>().to_value()
}

impl Report {
    /// The frozen form of a review. A local review has no target, no earlier findings, no override and no next round.
    pub fn of(review: &Review) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            outcome: review.outcome,
            verdict: review.verdict,
            target: review.target.as_ref().map(|t| Target {
                forge: t.forge.to_owned(),
                host: one_line(&t.host),
                project: one_line(&t.project),
                number: t.number,
                start_sha: review.next.as_ref().map(|s| one_line(&s.start)).filter(|s| !s.is_empty()),
            }),
            provenance: Provenance {
                tribune: one_line(&review.provenance.tribune),
                policy_sha: review.provenance.policy_sha.as_deref().map(one_line),
                config_digest: one_line(&review.provenance.config_digest),
                prompts_digest: one_line(&review.provenance.prompts_digest),
                rules: review
                    .provenance
                    .rules
                    .iter()
                    .map(|r| RuleSource { source: one_line(&r.source), commit: r.commit.as_deref().map(one_line), cached: r.cached })
                    .collect(),
                gateway_host: review.provenance.gateway_host.as_deref().map(one_line),
                prices: review.provenance.prices.as_deref().map(one_line),
            },
            tier: Tier { level: review.tier, reasons: review.tier_reasons.iter().map(|r| one_line(r)).collect() },
            change: Change {
                base_sha: review.change.base_sha.as_deref().map(one_line),
                head_sha: review.change.head_sha.as_deref().map(one_line),
                files: review.change.files,
                lines_added: review.change.lines_added,
                lines_removed: review.change.lines_removed,
            },
            coverage: review
                .coverage
                .iter()
                .map(|c| Coverage {
                    path: plain(&c.path.display()),
                    status: c.status,
                    reason: c.reason.as_deref().map(one_line),
                    reviewers: c.reviewers.iter().map(|r| one_line(r)).collect(),
                })
                .collect(),
            reviewers: review
                .reviewers
                .iter()
                .map(|r| Reviewer {
                    id: one_line(&r.id),
                    model: r.model.as_deref().map(one_line),
                    status: r.status,
                    seconds: rounded(r.seconds, 1e3),
                    requests: r.requests,
                    usage: Usage::of(&r.usage),
                    first_token_seconds: r.first_token_seconds.map(|s| rounded(s, 1e3)),
                    models: r.models.iter().map(Model::of).collect(),
                })
                .collect(),
            findings: review.findings.iter().map(Finding::of).collect(),
            prior: review.prior.iter().map(Prior::of).collect(),
            override_: review.override_.as_ref().map(|o| Override {
                by: one_line(&o.by),
                role: history::role_name(o.role).to_owned(),
                reason: one_line(&o.reason),
                head: one_line(&o.head),
            }),
            dropped: review.dropped.iter().map(|d| Dropped { title: one_line(&d.title), reason: one_line(&d.reason) }).collect(),
            waived: review
                .waived
                .iter()
                .map(|w| Waived {
                    rule_id: one_line(&w.rule_id),
                    severity: w.severity,
                    title: one_line(&w.title),
                    path: plain(&w.path.display()),
                    start_line: w.lines.0,
                    end_line: w.lines.1,
                    reason: one_line(&w.reason),
                    by: one_line(&w.by),
                    until: w.until.map(|d| d.to_string()),
                })
                .collect(),
            summary: plain(&review.summary),
            usage: Usage::of(&review.usage),
            notes: review.notes.iter().map(|n| one_line(n)).collect(),
            next: review.next.as_ref().map(State::to_text),
        }
    }
}

impl Prior {
    fn of(prior: &history::Prior) -> Self {
        Self {
            fingerprint: one_line(&prior.fingerprint),
            status: match prior.status {
                Status::Open => PriorStatus::Persisting,
                Status::Fixed => PriorStatus::Fixed,
                Status::Settled | Status::Withdrawn => PriorStatus::Settled,
            },
            by: prior.by.as_deref().map(one_line),
            title: one_line(&prior.title),
            severity: Some(prior.severity),
            why: prior.why.as_deref().map(one_line),
        }
    }
}

impl Model {
    fn of(run: &ModelRun) -> Self {
        Self {
            model: one_line(&run.model),
            requests: run.requests,
            usage: Usage::of(&run.usage),
            seconds: rounded(run.seconds, 1e3),
            first_token_seconds: run.first_token_seconds.map(|s| rounded(s, 1e3)),
        }
    }
}

impl Usage {
    fn of(usage: &gateway::Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            output_tokens: usage.output_tokens,
            estimated: usage.estimated,
            cost_usd: usage.cost_usd.map(|c| rounded(c, 1e6)),
        }
    }
}

impl Finding {
    fn of(finding: &findings::Finding) -> Self {
        let lines = finding.anchor.lines();
        Self {
            fingerprint: one_line(&finding.fingerprint),
            severity: finding.severity,
            category: finding.category,
            reviewer: one_line(&finding.reviewer),
            source: finding.source,
            title: one_line(&finding.title),
            body: plain(&finding.body),
            trigger: finding.trigger.as_deref().map(plain),
            rule_id: finding.rule.as_ref().map(|r| one_line(&r.id)),
            path: plain(&finding.path.display()),
            old_path: finding.old_path.as_ref().map(|p| plain(&p.display())),
            side: match finding.side {
                diff::Side::Old => Side::Old,
                diff::Side::New => Side::New,
            },
            start_line: lines.map(|l| l.start),
            end_line: lines.map(|l| l.end),
            old_line: lines.and_then(|l| l.old_line),
            anchor: match finding.anchor {
                findings::Anchor::Exact(_) => Anchor::Exact,
                findings::Anchor::Moved(_) => Anchor::Moved,
                findings::Anchor::File => Anchor::File,
                findings::Anchor::None => Anchor::None,
            },
            suggestion: finding.suggestion.as_deref().map(plain),
            confidence: finding.confidence.filter(|c| c.is_finite()).map(|c| rounded(c.clamp(0.0, 1.0), 1e3)),
            status: finding.status,
        }
    }
}

/// Rounded, so that sums do not end in 0.30000000000000004; what is no number becomes 0.
fn rounded(n: f64, digits: f64) -> f64 {
    if n.is_finite() { (n * digits).round() / digits } else { 0.0 }
}

#[cfg(test)]
mod tests;
