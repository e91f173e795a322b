//! `tribune.report/v1` as types: a frozen copy of what the run knows, so that the inside can change without the
//! contract doing so. Fields are only ever added. A field that is left out when there is nothing to say has
//! `skip_serializing_if`; all others are always there, `null` where their type allows it.

use super::Finding;
use crate::findings::Severity;
use crate::report::{Outcome, ReviewerStatus, Verdict};
use crate::risk::{CoverageStatus, Tier as TierLevel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "tribune.report/v1";

/// A whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `tribune.report/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// How the run ended.
    pub outcome: Outcome,
    /// The verdict.
    pub verdict: Verdict,
    /// The merge request that was reviewed, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What made the report.
    pub provenance: Provenance,
    /// How much review the change got.
    pub tier: Tier,
    /// The change.
    pub change: Change,
    /// Every changed file exactly once.
    pub coverage: Vec<Coverage>,
    /// Rules, reviewers, coordinator.
    pub reviewers: Vec<Reviewer>,
    /// What is shown, worst first.
    pub findings: Vec<Finding>,
    /// What became of earlier findings.
    pub prior: Vec<Prior>,
    /// A break-glass in force.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_: Option<Override>,
    /// What is not shown, and why.
    pub dropped: Vec<Dropped>,
    /// What waivers cover.
    #[serde(default)]
    pub waived: Vec<Waived>,
    /// A few sentences. Markdown of a stranger's making.
    pub summary: String,
    /// The sum over all reviewers.
    pub usage: Usage,
    /// What a reader should know about the run, one line each.
    pub notes: Vec<String>,
    /// What the next round is told, in the form of this version: for `tribune publish` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Which round of the merge request this is, from 1.
    #[serde(default = "first")]
    pub round: u32,
    /// Wall time of the run.
    #[serde(default)]
    pub seconds: f64,
    /// The gate's threshold. A finding may have one of its own.
    #[serde(default)]
    pub fail_on: FailOn,
    /// Whether any model looked, in this round or before at what needed no second look.
    #[serde(default)]
    pub models_looked: bool,
    /// What earlier rounds cost, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_before_usd: Option<f64>,
    /// How much of it is posted, as the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posting: Option<Posting>,
    /// Nobody looked, and why. Then everything that a look would have told is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
}

fn first() -> u32 {
    1
}

/// A threshold of the gate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Critical findings fail it.
    #[default]
    Critical,
    /// Important ones too.
    Important,
    /// Suggestions too.
    Suggestion,
    /// Every finding does.
    Nit,
    /// None does.
    Never,
}

/// How much is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posting {
    /// The most open threads.
    pub inline_max: usize,
    /// A summary even where a first round has found nothing.
    pub always: bool,
}

/// Why nobody looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// One line.
    pub why: String,
    /// Nothing has changed since this round, whose result stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged_since: Option<u32>,
}

/// A merge request on a forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Which kind of forge.
    pub forge: String,
    /// Its host, with the port where it has one.
    pub host: String,
    /// The project's path.
    pub project: String,
    /// The merge request's number in the project.
    pub number: u64,
    /// The commit that the forge's diff starts from, where the forge tells.
    pub start_sha: Option<String>,
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
    /// The gateway's host, where one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_host: Option<String>,
    /// The date of the built-in list of prices, where dollars come from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<String>,
}

/// A rule source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSource {
    /// `built-in`, a directory, or a URL.
    pub source: String,
    /// The commit it was read at, where it has one.
    pub commit: Option<String>,
    /// It was read from the cache, without asking its host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
}

/// How much review the change got, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tier {
    /// The tier.
    pub level: TierLevel,
    /// Why.
    pub reasons: Vec<String>,
}

/// The change in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The commit that the diff starts from.
    pub base_sha: Option<String>,
    /// The reviewed commit; `null` for work tree, staged, patch.
    pub head_sha: Option<String>,
    /// What it is, in words.
    #[serde(default)]
    pub label: String,
    /// Changed files.
    pub files: usize,
    /// Added lines.
    pub lines_added: usize,
    /// Removed lines.
    pub lines_removed: usize,
}

/// A file in the coverage ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The file: its new path, its old one if it was deleted.
    pub path: String,
    /// The name's bytes in hex, where text cannot hold them (no UTF-8, control characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// What became of it.
    pub status: CoverageStatus,
    /// Why, for anything but `reviewed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who looked.
    pub reviewers: Vec<String>,
    /// It is `partial` for a documented bound on the file itself, which leaves the run conclusive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bounded: bool,
}

/// A reviewer's run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reviewer {
    /// `rules`, a reviewer's id, or `coordinator`.
    pub id: String,
    /// The model as it named itself in its answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it ended.
    pub status: ReviewerStatus,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Findings that it reported, before judging.
    #[serde(default)]
    pub findings: usize,
    /// Wall time.
    pub seconds: f64,
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they cost.
    pub usage: Usage,
    /// Seconds from sending a request to the first piece of its answer, on average, where one was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_seconds: Option<f64>,
    /// The same by the model that was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Model>,
}

/// A reviewer's requests to one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Its name as it was asked for: the one that it is priced by.
    pub model: String,
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they cost.
    pub usage: Usage,
    /// Their time together, also of those that ran at the same time.
    pub seconds: f64,
    /// As for the reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_seconds: Option<f64>,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// All input, cached and cache-written included.
    pub input_tokens: u64,
    /// Of these read from cache.
    pub cached_tokens: u64,
    /// Of these written to cache.
    #[serde(default)]
    pub cache_write_tokens: u64,
    /// Output, reasoning included.
    pub output_tokens: u64,
    /// Some of it is an estimate, since the provider did not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// Dollars, where the price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// What became of an earlier finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PriorStatus {
    /// It is still there.
    Persisting,
    /// It is gone.
    Fixed,
    /// A human settled it, or argued and was not contradicted.
    Settled,
}

/// An earlier finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prior {
    /// Its fingerprint.
    pub fingerprint: String,
    /// What became of it.
    pub status: PriorStatus,
    /// Who settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How bad it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Why it is fixed, or how it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// It is settled by an argument that its reviewer did not contradict, not by a word that settles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

/// A break-glass: the gate was opened by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// Who.
    pub by: String,
    /// In which role.
    pub role: String,
    /// Why.
    pub reason: String,
    /// For which head.
    pub head: String,
}

/// A finding that is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// Its title.
    pub title: String,
    /// Why it is not shown.
    pub reason: String,
}

/// A finding that is not shown, since a waiver covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waived {
    /// The rule.
    pub rule_id: String,
    /// How bad it would have been.
    pub severity: Severity,
    /// Its title.
    pub title: String,
    /// The file.
    pub path: String,
    /// The name's bytes in hex, where text cannot hold them (no UTF-8, control characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// First line on the new side; 0 where it is not known.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Why it is waived.
    pub reason: String,
    /// `comment`, or the place of the entry in the configuration.
    pub by: String,
    /// The last day on which the entry counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
