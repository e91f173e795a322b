//! `tribune.report/v1`: the report for machines. A frozen copy of the internal types: what stands here
//! changes only with a new version (DESIGN, Contract).

use super::{Outcome, Review, ReviewerStatus, Sources, Verdict, WriteOptions};
use crate::diff::Side;
use crate::findings::{Anchor, Category, Finding, FindingSource, FindingStatus, Severity};
use crate::gateway::Usage;
use crate::risk::{CoverageStatus, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io;

/// The value of `schema`.
pub const SCHEMA: &str = "tribune.report/v1";

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "tribune report, version 1")]
pub struct Report {
    /// Always `tribune.report/v1`.
    pub schema: String,
    /// How the run ended.
    pub outcome: Outcome,
    /// The verdict.
    pub verdict: Verdict,
    /// The merge request that was reviewed; absent for a local change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What made the report.
    pub provenance: Provenance,
    /// How much review the change got.
    pub tier: TierReport,
    /// The change in numbers.
    pub change: Change,
    /// Every changed file exactly once.
    pub coverage: Vec<Coverage>,
    /// Rules, reviewers and the coordinator.
    pub reviewers: Vec<Reviewer>,
    /// What is shown.
    pub findings: Vec<ReportFinding>,
    /// What became of earlier findings; empty without a history.
    pub prior: Vec<Prior>,
    /// Who broke the glass, if somebody did.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_: Option<Override>,
    /// What is not shown, and why.
    pub dropped: Vec<DroppedFinding>,
    /// A few sentences.
    pub summary: String,
    /// The sum over all reviewers.
    pub usage: TokenUsage,
    /// What a reader should know about the run.
    pub notes: Vec<String>,
}

/// A merge request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the contract names these fields")]
pub struct Target {
    pub forge: String,
    pub host: String,
    pub project: String,
    pub number: u64,
    pub start_sha: String,
}

/// What made the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// The program's version.
    pub tribune: String,
    /// The commit that policy came from.
    pub policy_sha: Option<String>,
    /// SHA-256 (hex) of the configuration in force.
    pub config_digest: String,
    /// SHA-256 (hex) of the prompts in force.
    pub prompts_digest: String,
    /// Rule sources in force.
    pub rules: Vec<RuleSource>,
    /// The gateway's host, where models were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_host: Option<String>,
}

/// A rule source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSource {
    /// `built-in`, a directory, or a URL.
    pub source: String,
    /// The commit it was read at.
    pub commit: Option<String>,
}

/// The tier and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierReport {
    /// The tier.
    pub level: Tier,
    /// Why.
    pub reasons: Vec<String>,
}

/// The change in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What the diff starts from.
    pub base_sha: Option<String>,
    /// What was reviewed; null for work tree, staged and patch.
    pub head_sha: Option<String>,
    /// Changed files.
    pub files: usize,
    /// Added lines.
    pub lines_added: usize,
    /// Removed lines.
    pub lines_removed: usize,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The file.
    pub path: String,
    /// What became of it.
    pub status: CoverageStatus,
    /// Why, for anything but `reviewed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who looked.
    pub reviewers: Vec<String>,
}

/// One reviewer's run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reviewer {
    /// Its id.
    pub id: String,
    /// The model as it named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it ended.
    pub status: ReviewerStatus,
    /// Wall time.
    pub seconds: f64,
    /// Requests sent.
    pub requests: u32,
    /// What they cost.
    pub usage: TokenUsage,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenUsage {
    /// All input, cached and cache-written included.
    pub input_tokens: u64,
    /// Read from cache.
    pub cached_tokens: u64,
    /// Output.
    pub output_tokens: u64,
    /// Dollars, where prices are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFinding {
    /// 32 hex digits; the same defect has the same one in the next run.
    pub fingerprint: String,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of trouble.
    pub category: Category,
    /// Who found it; `rules` for a rule's hit.
    pub reviewer: String,
    /// Rule or model.
    pub source: FindingSource,
    /// What breaks.
    pub title: String,
    /// Input or state, and consequence.
    pub body: String,
    /// Who or what makes it go wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The rule it cites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// The file.
    pub path: String,
    /// Its path before, where it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_path: Option<String>,
    /// The side of the lines.
    pub side: Side,
    /// 1-based; null unless `anchor` is exact or moved.
    pub start_line: Option<u32>,
    /// 1-based, inclusive; null unless `anchor` is exact or moved.
    pub end_line: Option<u32>,
    /// The old number of a line that the change leaves as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_line: Option<u32>,
    /// How sure the place is.
    pub anchor: AnchorKind,
    /// What could stand there instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// 0..1, where the model gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Since the last round.
    pub status: FindingStatus,
}

/// How a place was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnchorKind {
    /// The quote as written.
    Exact,
    /// The quote with other white space.
    Moved,
    /// The file only.
    File,
    /// Nowhere.
    None,
}

/// An earlier finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the contract names these fields")]
pub struct Prior {
    pub fingerprint: String,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Who opened the gate by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the contract names these fields")]
pub struct Override {
    pub by: String,
    pub role: String,
    pub reason: String,
    pub head: String,
}

/// A finding that is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DroppedFinding {
    /// Its title.
    pub title: String,
    /// Why.
    pub reason: String,
}

impl From<&Usage> for TokenUsage {
    fn from(u: &Usage) -> Self {
        Self { input_tokens: u.input_tokens, cached_tokens: u.cached_tokens, output_tokens: u.output_tokens, cost_usd: u.cost_usd }
    }
}

impl From<&Finding> for ReportFinding {
    fn from(f: &Finding) -> Self {
        let lines = f.anchor.lines();
        Self {
            fingerprint: f.fingerprint.clone(),
            severity: f.severity,
            category: f.category,
            reviewer: f.reviewer.clone(),
            source: f.source,
            title: clean(&f.title),
            body: clean(&f.body),
            trigger: f.trigger.as_deref().map(clean),
            rule_id: f.rule.as_ref().map(|r| r.id.clone()),
            path: f.path.display().into_owned(),
            old_path: f.old_path.as_ref().map(|p| p.display().into_owned()),
            side: f.side,
            start_line: lines.map(|l| l.start),
            end_line: lines.map(|l| l.end),
            old_line: lines.and_then(|l| l.old_line),
            anchor: match f.anchor {
                Anchor::Exact(_) => AnchorKind::Exact,
                Anchor::Moved(_) => AnchorKind::Moved,
                Anchor::File => AnchorKind::File,
                Anchor::None => AnchorKind::None,
            },
            suggestion: f.suggestion.clone(),
            confidence: f.confidence,
            status: f.status,
        }
    }
}

impl From<&Review> for Report {
    fn from(r: &Review) -> Self {
        let p = &r.provenance;
        Self {
            schema: SCHEMA.to_owned(),
            outcome: r.outcome,
            verdict: r.verdict,
            target: None,
            provenance: Provenance {
                tribune: p.tribune.clone(),
                policy_sha: p.policy_sha.clone(),
                config_digest: p.config_digest.clone(),
                prompts_digest: p.prompts_digest.clone(),
                rules: p.rules.iter().map(|s| RuleSource { source: clean(&s.source), commit: s.commit.clone() }).collect(),
                gateway_host: p.gateway_host.clone(),
            },
            tier: TierReport { level: r.tier, reasons: r.tier_reasons.iter().map(|t| clean(t)).collect() },
            change: Change {
                base_sha: r.change.base_sha.clone(),
                head_sha: r.change.head_sha.clone(),
                files: r.change.files,
                lines_added: r.change.lines_added,
                lines_removed: r.change.lines_removed,
            },
            coverage: r
                .coverage
                .iter()
                .map(|c| Coverage { path: c.path.display().into_owned(), status: c.status, reason: c.reason.as_deref().map(clean), reviewers: c.reviewers.clone() })
                .collect(),
            reviewers: r
                .reviewers
                .iter()
                .map(|v| Reviewer { id: v.id.clone(), model: v.model.as_deref().map(clean), status: v.status, seconds: millis(v.seconds), requests: v.requests, usage: (&v.usage).into() })
                .collect(),
            findings: r.findings.iter().map(ReportFinding::from).collect(),
            prior: Vec::new(),
            override_: None,
            dropped: r.dropped.iter().map(|d| DroppedFinding { title: clean(&d.title), reason: clean(&d.reason) }).collect(),
            summary: clean(&r.summary),
            usage: (&r.usage).into(),
            notes: r.notes.iter().map(|n| clean(n)).collect(),
        }
    }
}

fn millis(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// No control characters but line ends and tabs: the text may end on somebody's terminal.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Writes the report.
pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Report::from(review))?;
    out.write_all(b"\n")
}

/// The report's JSON schema.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}
