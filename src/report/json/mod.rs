//! The report for machines, `tribune.report/v1`: everything that the run knows, in a frozen form. Text is what was said,
//! valid UTF-8 without control characters but `\n` and `\t`; whoever shows it sanitises it for its own place.
//!
//! What is written can be read again ([`read`]) by the job that posts it, to whom it is a stranger's file.

mod finding;
mod read;
mod types;

pub use finding::*;
pub use read::{MAX_BYTES, ReadError, read};
pub use types::*;

use super::plain::{one_line, plain, write_json};
use super::{ModelRun, Outcome, Review, RuleSourceInfo, Sources, Verdict, WriteOptions};
use crate::diff;
use crate::findings;
use crate::forge;
use crate::gateway;
use crate::history::{self, State, Status};
use crate::path::RepoPath;
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

impl From<&RuleSourceInfo> for RuleSource {
    fn from(source: &RuleSourceInfo) -> Self {
        let RuleSourceInfo { source, commit, cached } = source;
        Self { source: one_line(source), commit: commit.as_deref().map(one_line), cached: *cached }
    }
}

impl Report {
    /// The frozen form of a review. A local review has no target, no earlier findings, no override and no next round.
    pub fn of(review: &Review) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            outcome: review.outcome,
            verdict: review.verdict,
            target: review.target.as_ref().map(|t| {
                let start = review.next.as_ref().map(|s| one_line(&s.start)).filter(|s| !s.is_empty());
                Target::of(t, start)
            }),
            provenance: Provenance {
                tribune: one_line(&review.provenance.tribune),
                policy_sha: review.provenance.policy_sha.as_deref().map(one_line),
                config_digest: one_line(&review.provenance.config_digest),
                prompts_digest: one_line(&review.provenance.prompts_digest),
                rules: review.provenance.rules.iter().map(Into::into).collect(),
                gateway_host: review.provenance.gateway_host.as_deref().map(one_line),
                prices: review.provenance.prices.as_deref().map(one_line),
            },
            tier: Tier { level: review.tier, reasons: review.tier_reasons.iter().map(|r| one_line(r)).collect() },
            change: Change {
                base_sha: review.change.base_sha.as_deref().map(one_line),
                head_sha: review.change.head_sha.as_deref().map(one_line),
                label: one_line(&review.change.label),
                files: review.change.files,
                lines_added: review.change.lines_added,
                lines_removed: review.change.lines_removed,
            },
            coverage: review
                .coverage
                .iter()
                .map(|c| Coverage {
                    path: path(&c.path),
                    path_bytes: path_bytes(&c.path),
                    bounded: c.bounded,
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
                    reason: r.reason.as_deref().map(one_line),
                    findings: r.findings,
                    seconds: rounded(r.seconds, 1e3),
                    requests: r.requests,
                    usage: Usage::of(&r.usage),
                    first_token_seconds: r.first_token_seconds.map(|s| rounded(s, 1e3)),
                    models: r.models.iter().map(Model::of).collect(),
                })
                .collect(),
            findings: (0..review.findings.len()).map(|i| Finding::of(review, i)).collect(),
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
                    path: path(&w.path),
                    path_bytes: path_bytes(&w.path),
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
            round: review.round,
            seconds: rounded(review.seconds, 1e3),
            fail_on: review.fail_on.into(),
            models_looked: review.models_looked,
            spent_before_usd: review.spent_before_usd.map(|c| rounded(c, 1e6)),
            posting: review.posting.map(|p| Posting { inline_max: p.inline_max, always: p.always }),
            skipped: None,
        }
    }

    /// The report of a run in which nobody looked, and why. Writes no opinion: whoever publishes it looks whether that is so.
    pub fn skipped(why: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            outcome: Outcome::Pass,
            verdict: Verdict::Approved,
            target: None,
            provenance: Provenance {
                tribune: env!("CARGO_PKG_VERSION").to_owned(),
                policy_sha: None,
                config_digest: String::new(),
                prompts_digest: String::new(),
                rules: Vec::new(),
                gateway_host: None,
                prices: None,
            },
            tier: Tier { level: crate::risk::Tier::Trivial, reasons: Vec::new() },
            change: Change { base_sha: None, head_sha: None, label: String::new(), files: 0, lines_added: 0, lines_removed: 0 },
            coverage: Vec::new(),
            reviewers: Vec::new(),
            findings: Vec::new(),
            prior: Vec::new(),
            override_: None,
            dropped: Vec::new(),
            waived: Vec::new(),
            summary: String::new(),
            usage: Usage::of(&gateway::Usage::default()),
            notes: Vec::new(),
            next: None,
            round: 1,
            seconds: 0.0,
            fail_on: FailOn::Never,
            models_looked: false,
            spent_before_usd: None,
            posting: None,
            skipped: Some(Skipped { why: one_line(why), unchanged_since: None }),
        }
    }

    /// The same where nothing has changed since an earlier round, whose result stands: of which merge request and head, and under
    /// which policy and configuration.
    pub fn unchanged(stored: &history::Stored, target: &forge::Target, head: &str, policy_sha: Option<&str>, config_digest: &str) -> Self {
        let mut report = Self::skipped("nothing has changed since");
        report.outcome = stored.outcome;
        report.target = Some(Target::of(target, None));
        report.provenance.policy_sha = policy_sha.map(one_line);
        report.provenance.config_digest = one_line(config_digest);
        report.change.head_sha = Some(one_line(head));
        report.round = stored.round;
        if let Some(skipped) = &mut report.skipped {
            skipped.unchanged_since = Some(stored.round);
        }
        report
    }
}

impl Target {
    fn of(target: &forge::Target, start_sha: Option<String>) -> Self {
        Self { forge: target.forge.to_owned(), host: one_line(&target.host), project: one_line(&target.project), number: target.number, start_sha }
    }
}

impl From<Option<findings::Severity>> for FailOn {
    fn from(least: Option<findings::Severity>) -> Self {
        use findings::Severity;
        match least {
            Some(Severity::Critical) => Self::Critical,
            Some(Severity::Important) => Self::Important,
            Some(Severity::Suggestion) => Self::Suggestion,
            Some(Severity::Nit) => Self::Nit,
            None => Self::Never,
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
            withdrawn: prior.status == Status::Withdrawn,
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
    fn of(review: &Review, index: usize) -> Self {
        let finding = &review.findings[index];
        let lines = finding.anchor.lines();
        let span = review.spans.get(index).and_then(Option::as_ref).filter(|_| lines.is_some());
        Self {
            fingerprint: one_line(&finding.fingerprint),
            severity: finding.severity,
            category: finding.category,
            reviewer: one_line(&finding.reviewer),
            also: finding.also.iter().map(|r| one_line(r)).collect(),
            source: finding.source,
            title: one_line(&finding.title),
            body: plain(&finding.body),
            trigger: finding.trigger.as_deref().map(plain),
            cause: finding.cause.as_deref().map(plain),
            rule_id: finding.rule.as_ref().map(|r| one_line(&r.id)),
            rule: finding.rule.as_ref().map(|r| Rule {
                status: r.status,
                source: r.source.as_deref().map(one_line),
                url: r.url.as_deref().map(one_line),
                owner: r.owner.as_deref().map(one_line),
            }),
            path: path(&finding.path),
            path_bytes: path_bytes(&finding.path),
            old_path: finding.old_path.as_ref().map(path),
            old_path_bytes: finding.old_path.as_ref().and_then(path_bytes),
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
            span: span.map(|s| Span { start: End::of(s.ends.0), end: End::of(s.ends.1), in_hunk: s.in_hunk }),
            quote: plain(&finding.quote),
            suggestion: finding.suggestion.as_deref().map(plain),
            confidence: finding.confidence.filter(|c| c.is_finite()).map(|c| rounded(c.clamp(0.0, 1.0), 1e3)),
            status: finding.status,
            fail_on: review.path_fail_on.get(index).copied().flatten().map(FailOn::from),
        }
    }
}

impl End {
    fn of(end: forge::End) -> Self {
        let kind = match end.kind {
            diff::LineKind::Context => EndKind::Context,
            diff::LineKind::Added => EndKind::Added,
            diff::LineKind::Removed => EndKind::Removed,
        };
        Self { old: end.old, new: end.new, kind }
    }
}

fn path(path: &RepoPath) -> String {
    plain(&path.display())
}

/// The bytes in hex where the text does not say them.
fn path_bytes(of: &RepoPath) -> Option<String> {
    use std::fmt::Write as _;
    (path(of).as_bytes() != of.as_bytes()).then(|| {
        of.as_bytes().iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    })
}

/// Rounded, so that sums do not end in 0.30000000000000004; what is no number becomes 0.
fn rounded(n: f64, digits: f64) -> f64 {
    if n.is_finite() { (n * digits).round() / digits } else { 0.0 }
}

#[cfg(test)]
mod tests;
