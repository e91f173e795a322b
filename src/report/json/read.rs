//! Reads a report that another job wrote: a stranger's file (TRUST 2). Bytes, counts and lengths are bounded, the form is checked,
//! and what contradicts itself is refused with the place that is wrong. Nothing of the file is repeated in an error.
//!
//! That a report can be read says nothing of its being true.

use super::{Anchor, EndKind, FailOn, Finding, PriorStatus, Report, SCHEMA, Side, Usage};
use crate::date::Date;
use crate::diff;
use crate::findings::{self, Lines, RuleRef, Severity};
use crate::forge::{self, Role};
use crate::gateway;
use crate::history::{self, State, Status};
use crate::path::RepoPath;
use crate::report::{self, Review};
use crate::risk;
use crate::rules::waiver;
use serde_json::Value;

/// A longer file is refused unread.
pub const MAX_BYTES: u64 = 32 << 20;
/// The most entries of lists, by what a review can have.
const MAX_FINDINGS: usize = 20_000;
const MAX_FILES: usize = 100_000;
const MAX_LISTED: usize = 20_000;
const MAX_REVIEWERS: usize = 500;
const MAX_NOTES: usize = 5_000;
/// The most entries of a list inside an entry.
const MAX_INNER: usize = 500;
/// Bytes of a text, and of the state for the next round.
const MAX_TEXT: usize = 64 << 10;
const MAX_STATE: usize = 16 << 20;

/// Why a report cannot be used. It holds nothing of the report's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

type Checked<T> = Result<T, ReadError>;

fn wrong<T>(what: impl Into<String>) -> Checked<T> {
    Err(ReadError(what.into()))
}

/// Reads and checks a report. Unknown fields are passed over: later versions add some.
pub fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    if bytes.len() as u64 > MAX_BYTES {
        return wrong(format!("it has more than the {MAX_BYTES} bytes that a report may have"));
    }
    let report: Report = serde_json::from_slice(bytes).map_err(|e| {
        let what = if e.is_data() { "not a report (a field is missing, doubled or of another kind)" } else { "not JSON, or nested too deeply" };
        ReadError(format!("line {}, column {}: {what}", e.line(), e.column()))
    })?;
    report.check()?;
    Ok(report)
}

impl Report {
    fn check(&self) -> Checked<()> {
        if self.schema != SCHEMA {
            return wrong(format!("its schema is not {SCHEMA}"));
        }
        for (list, len, most) in [
            ("findings", self.findings.len(), MAX_FINDINGS),
            ("coverage", self.coverage.len(), MAX_FILES),
            ("prior", self.prior.len(), MAX_FINDINGS),
            ("dropped", self.dropped.len(), MAX_LISTED),
            ("waived", self.waived.len(), MAX_LISTED),
            ("reviewers", self.reviewers.len(), MAX_REVIEWERS),
            ("notes", self.notes.len(), MAX_NOTES),
            ("provenance.rules", self.provenance.rules.len(), MAX_INNER),
            ("tier.reasons", self.tier.reasons.len(), MAX_INNER),
            ("coverage.reviewers", self.coverage.iter().map(|c| c.reviewers.len()).max().unwrap_or(0), MAX_INNER),
            ("reviewers.models", self.reviewers.iter().map(|r| r.models.len()).max().unwrap_or(0), MAX_INNER),
            ("findings.also", self.findings.iter().map(|f| f.also.len()).max().unwrap_or(0), MAX_INNER),
        ] {
            if len > most {
                return wrong(format!("`{list}` has {len} entries, more than {most}"));
            }
        }
        if self.next.as_ref().is_some_and(|n| n.len() > MAX_STATE) {
            return wrong(format!("`next` is longer than {MAX_STATE} bytes"));
        }
        let value = serde_json::to_value(Self { next: None, ..self.clone() }).map_err(|_| ReadError("it cannot be written again".into()))?;
        if let Some(name) = too_long(&value, "") {
            return wrong(format!("`{name}` is longer than {MAX_TEXT} bytes"));
        }
        let commits = [&self.change.base_sha, &self.change.head_sha, &self.provenance.policy_sha];
        let commits = commits.into_iter().chain(self.target.iter().map(|t| &t.start_sha)).flatten();
        if commits.into_iter().any(|id| !is_hex(id, &[40, 64])) {
            return wrong("a commit in it is none");
        }
        let models = || self.reviewers.iter().flat_map(|r| &r.models);
        let usages = self.reviewers.iter().map(|r| &r.usage).chain(models().map(|m| &m.usage)).chain([&self.usage]);
        let times = self.reviewers.iter().flat_map(|r| [Some(r.seconds), r.first_token_seconds]);
        let times = times.chain(models().flat_map(|m| [Some(m.seconds), m.first_token_seconds])).flatten().chain([self.seconds]);
        let amounts = usages.filter_map(|u| u.cost_usd).chain(self.spent_before_usd);
        if times.chain(amounts).any(|n| !n.is_finite() || n < 0.0) {
            return wrong("a time or a sum of money in it is none");
        }
        self.findings.iter().enumerate().try_for_each(|(i, f)| f.check().map_err(|e| ReadError(format!("finding {}: {e}", i + 1))))?;
        let known = |f: &String| is_hex(f, &[32]);
        if !self.prior.iter().all(|p| known(&p.fingerprint)) {
            return wrong("a fingerprint in `prior` is none");
        }
        Ok(())
    }

    /// What it tells, for the formats and for posting. `target` is whom it is read for: the report's own word on that is for the
    /// caller to compare. It has no threads of earlier findings, since these are the forge's to tell.
    /// Its texts are as this program writes them: what a stranger put between them (control characters, blanks) is gone.
    pub fn review(self, target: Option<forge::Target>) -> Result<Review, ReadError> {
        let told = self.told(target.clone())?;
        Self::of(&told).told(target)
    }

    /// What it tells, with its texts as they stand.
    fn told(self, target: Option<forge::Target>) -> Result<Review, ReadError> {
        let next = match &self.next {
            Some(text) => Some(State::from_text(text).ok_or(ReadError("`next` is of another version, or broken".into()))?),
            None => None,
        };
        let spans = self.findings.iter().map(Finding::span).collect();
        let path_fail_on = self.findings.iter().map(|f| f.fail_on.map(FailOn::severity)).collect();
        Ok(Review {
            outcome: self.outcome,
            verdict: self.verdict,
            provenance: report::Provenance {
                tribune: self.provenance.tribune,
                policy_sha: self.provenance.policy_sha,
                config_digest: self.provenance.config_digest,
                prompts_digest: self.provenance.prompts_digest,
                rules: self
                    .provenance
                    .rules
                    .into_iter()
                    .map(|r| report::RuleSourceInfo { source: r.source, commit: r.commit, cached: r.cached })
                    .collect(),
                gateway_host: self.provenance.gateway_host,
                prices: self.provenance.prices,
            },
            tier: self.tier.level,
            tier_reasons: self.tier.reasons,
            change: report::ChangeInfo {
                base_sha: self.change.base_sha,
                head_sha: self.change.head_sha,
                label: self.change.label,
                files: self.change.files,
                lines_added: self.change.lines_added,
                lines_removed: self.change.lines_removed,
            },
            coverage: self
                .coverage
                .into_iter()
                .map(|c| {
                    let path = path(&c.path, c.path_bytes.as_deref())?;
                    Ok(risk::Coverage { path, status: c.status, reason: c.reason, reviewers: c.reviewers, bounded: c.bounded })
                })
                .collect::<Checked<_>>()?,
            reviewers: self
                .reviewers
                .into_iter()
                .map(|r| report::ReviewerRun {
                    id: r.id,
                    model: r.model,
                    status: r.status,
                    reason: r.reason,
                    seconds: r.seconds,
                    requests: r.requests,
                    usage: r.usage.into(),
                    first_token_seconds: r.first_token_seconds,
                    models: r.models.into_iter().map(model).collect(),
                    findings: r.findings,
                })
                .collect(),
            findings: self.findings.into_iter().map(Finding::finding).collect::<Checked<_>>()?,
            spans,
            path_fail_on,
            dropped: self.dropped.into_iter().map(|d| findings::Dropped { title: d.title, reason: d.reason }).collect(),
            waived: self.waived.into_iter().map(waived).collect::<Checked<_>>()?,
            summary: self.summary,
            usage: self.usage.into(),
            notes: self.notes,
            seconds: self.seconds,
            fail_on: self.fail_on.severity(),
            models_looked: self.models_looked,
            target,
            round: self.round.max(1),
            prior: self.prior.into_iter().map(prior).collect(),
            override_: self.override_.map(override_).transpose()?,
            spent_before_usd: self.spent_before_usd,
            next,
            posting: self.posting.map(|p| report::Posting { inline_max: p.inline_max, always: p.always }),
        })
    }
}

impl Finding {
    fn check(&self) -> Checked<()> {
        if !is_hex(&self.fingerprint, &[32]) {
            return wrong("its fingerprint is none");
        }
        let placed = matches!(self.anchor, Anchor::Exact | Anchor::Moved);
        let sound = match (self.start_line, self.end_line) {
            (Some(start), Some(end)) => placed && start > 0 && start <= end,
            (None, None) => !placed && self.span.is_none() && self.old_line.is_none(),
            _ => false,
        };
        if !sound {
            return wrong("its lines and its anchor contradict each other");
        }
        if let Some((span, (start, end))) = self.span.zip(self.start_line.zip(self.end_line)) {
            let of = |e: super::End| if self.side == Side::New { e.new } else { e.old };
            if (of(span.start), of(span.end)) != (start, end) {
                return wrong("its lines and its place in the diff contradict each other");
            }
        }
        if self.confidence.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
            return wrong("its confidence is not within 0 and 1");
        }
        if self.path.is_empty() || self.rule.is_some() && self.rule_id.is_none() {
            return wrong("it has no path, or a rule without an id");
        }
        Ok(())
    }

    fn lines(&self) -> Option<Lines> {
        self.start_line.zip(self.end_line).map(|(start, end)| Lines { start, end, old_line: self.old_line })
    }

    fn span(&self) -> Option<forge::Span> {
        let (span, lines) = self.span.zip(self.lines())?;
        let end = |e: super::End| forge::End {
            old: e.old,
            new: e.new,
            kind: match e.kind {
                EndKind::Context => diff::LineKind::Context,
                EndKind::Added => diff::LineKind::Added,
                EndKind::Removed => diff::LineKind::Removed,
            },
        };
        Some(forge::Span { lines: (lines.start, lines.end), side: self.side.into(), ends: (end(span.start), end(span.end)), in_hunk: span.in_hunk })
    }

    fn finding(self) -> Checked<findings::Finding> {
        let lines = self.lines();
        let anchor = match (self.anchor, lines) {
            (Anchor::Exact, Some(lines)) => findings::Anchor::Exact(lines),
            (Anchor::Moved, Some(lines)) => findings::Anchor::Moved(lines),
            (Anchor::None, _) => findings::Anchor::None,
            _ => findings::Anchor::File,
        };
        let rule = self.rule_id.zip(self.rule).map(|(id, r)| RuleRef { id, status: r.status, source: r.source, url: r.url, owner: r.owner });
        Ok(findings::Finding {
            fingerprint: self.fingerprint,
            severity: self.severity,
            category: self.category,
            reviewer: self.reviewer,
            also: self.also,
            source: self.source,
            title: self.title,
            body: self.body,
            trigger: self.trigger,
            cause: self.cause,
            rule,
            path: path(&self.path, self.path_bytes.as_deref())?,
            old_path: self.old_path.map(|p| path(&p, self.old_path_bytes.as_deref())).transpose()?,
            side: self.side.into(),
            anchor,
            quote: self.quote,
            suggestion: self.suggestion,
            confidence: self.confidence,
            status: self.status,
        })
    }
}

impl From<Side> for diff::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Old => Self::Old,
            Side::New => Self::New,
        }
    }
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            FailOn::Critical => Some(Severity::Critical),
            FailOn::Important => Some(Severity::Important),
            FailOn::Suggestion => Some(Severity::Suggestion),
            FailOn::Nit => Some(Severity::Nit),
            FailOn::Never => None,
        }
    }
}

impl From<Usage> for gateway::Usage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            output_tokens: usage.output_tokens,
            cost_usd: usage.cost_usd,
            estimated: usage.estimated,
        }
    }
}

fn model(model: super::Model) -> report::ModelRun {
    report::ModelRun {
        model: model.model,
        requests: model.requests,
        usage: model.usage.into(),
        seconds: model.seconds,
        first_token_seconds: model.first_token_seconds,
    }
}

fn prior(prior: super::Prior) -> history::Prior {
    history::Prior {
        fingerprint: prior.fingerprint,
        status: match prior.status {
            PriorStatus::Persisting => Status::Open,
            PriorStatus::Fixed => Status::Fixed,
            PriorStatus::Settled if prior.withdrawn => Status::Withdrawn,
            PriorStatus::Settled => Status::Settled,
        },
        by: prior.by,
        title: prior.title,
        severity: prior.severity.unwrap_or(Severity::Suggestion),
        thread: None,
        why: prior.why,
    }
}

fn override_(given: super::Override) -> Checked<history::Override> {
    let known = [Role::Reader, Role::Developer, Role::Maintainer].into_iter().find(|r| history::role_name(*r) == given.role);
    let role = known.ok_or(ReadError("`override` names a role that there is not".into()))?;
    Ok(history::Override { by: given.by, role, reason: given.reason, head: given.head })
}

fn waived(waived: super::Waived) -> Checked<waiver::Waived> {
    let until = waived.until.map(|day| Date::parse(&day).ok_or(ReadError("`waived` holds a day that there is not".into()))).transpose()?;
    Ok(waiver::Waived {
        rule_id: waived.rule_id,
        severity: waived.severity,
        title: waived.title,
        path: path(&waived.path, waived.path_bytes.as_deref())?,
        lines: (waived.start_line, waived.end_line),
        reason: waived.reason,
        by: waived.by,
        until,
    })
}

fn path(text: &str, bytes: Option<&str>) -> Checked<RepoPath> {
    let Some(hex) = bytes else { return Ok(RepoPath::from(text)) };
    let digits: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let bytes = digits.filter(|b| !b.is_empty() && hex.len().is_multiple_of(2)).ok_or(ReadError("the bytes of a path are none".into()))?;
    Ok(RepoPath::new(bytes))
}

fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name of a text that is too long; an index of a list is no part of it.
fn too_long(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => Some(name.to_owned()),
        Value::Array(all) => all.iter().find_map(|v| too_long(v, name)),
        Value::Object(all) => all.iter().find_map(|(key, v)| too_long(v, &if name.is_empty() { key.clone() } else { format!("{name}.{key}") })),
        _ => None,
    }
}
