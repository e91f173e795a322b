//! What an audit found out, `tribune.audit/v1`: the contract for machines, and what the reports of shards are merged from.
//! Everything that is counted can be added up, so that the shards' reports together give what one run gives.

use crate::findings::{Category, Severity};
use crate::report::Outcome;
use crate::report::json::RuleSource;
use crate::rules::{RuleLevel, RuleStatus};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

/// The value of [`Audit::schema`].
pub const SCHEMA: &str = "tribune.audit/v1";
/// Places of one rule that are told; the others are counted.
pub(super) const MAX_EVIDENCE: usize = 100;
/// Files that are named one by one as not looked at.
pub(super) const MAX_NAMED: usize = 500;

/// A whole audit, or a shard of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// `tribune.audit/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Whether a binding rule is broken badly enough to fail, or something was not looked at that should have been.
    pub outcome: Outcome,
    /// What was audited.
    pub tree: TreeInfo,
    /// Which shard this is; absent for a whole audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What made the report. Equal in all shards of one audit, but for what was read from a cache.
    pub provenance: Provenance,
    /// Binding rules at or above this severity fail the audit when they are broken; `null`: never.
    pub fail_on: Option<Severity>,
    /// Every rule in force, by id.
    pub rules: Vec<RuleResult>,
    /// What was looked at.
    pub coverage: Coverage,
    /// What models were asked.
    pub reviewers: Reviewers,
    /// Why the audit is not whole, one line each; empty where it is.
    pub incomplete: Vec<String>,
    /// What a reader should know, one line each.
    pub notes: Vec<String>,
}

/// What was audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreeInfo {
    /// The commit; `null` for a work tree.
    pub commit: Option<String>,
    /// SHA-256 over paths, modes and object ids of the audited files.
    pub digest: String,
    /// The audited folder or file below the repository's root; empty: all of it.
    pub path: String,
    /// What it is, in words.
    pub label: String,
}

/// One of several shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// From 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// The program's version.
    pub tribune: String,
    /// The commit that policy came from.
    pub policy_sha: Option<String>,
    /// SHA-256 of the configuration in force.
    pub config_digest: String,
    /// SHA-256 of the prompts in force.
    pub prompts_digest: String,
    /// SHA-256 of the rules that were audited.
    pub rules_digest: String,
    /// Rule sources in force.
    pub rules: Vec<RuleSource>,
}

/// How far a rule is followed. Ordered: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is broken.
    NonCompliant,
    /// It is broken in few places, or in such only as are waived.
    Partial,
    /// Nobody could tell.
    NotAssessed,
    /// It is followed.
    Compliant,
    /// Nothing here is what it is about.
    NotApplicable,
}

/// Who checks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckedBy {
    /// Code, over all files.
    Detector,
    /// Models, twice.
    Reviewers,
    /// It is about a change, so only reviews can check it.
    Change,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleResult {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whether it binds.
    pub level: RuleLevel,
    /// How far it is in force: only an enforced rule fails an audit.
    pub status: RuleStatus,
    /// How bad a breach is; the worst in force where paths differ.
    pub severity: Severity,
    /// What kind of trouble.
    pub category: Category,
    /// Where it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whom to disagree with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who checks it.
    pub checked_by: CheckedBy,
    /// How far it is followed.
    pub verdict: Verdict,
    /// Why this verdict, where the counts do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Files that it is about.
    pub files: u64,
    /// Of these, files with a breach that stands.
    pub files_broken: u64,
    /// Breaches that stand.
    pub places: u64,
    /// Breaches that a waiver covers.
    pub waived: u64,
    /// Where it shows, breaches first; at most 100.
    pub evidence: Vec<Evidence>,
    /// What to do about the breaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// For rules that models judge: one for each part of the tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// What a piece of evidence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// The rule is broken.
    Breach,
    /// It is broken, and that is waived.
    Waived,
    /// It is followed.
    Kept,
}

/// A place in the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it shows.
    pub shows: Shows,
    /// The file.
    pub path: String,
    /// First line, 1-based.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// The code that stands there, secrets masked, at most 5 lines.
    pub quote: String,
    /// What is wrong, or why it is waived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What reviewers said of one part of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Which part, from 1.
    pub part: u32,
    /// Its files that the rule is about.
    pub files: u64,
    /// What came of it. `not_assessed` without `failed`: the reviewers cannot tell from these files.
    pub verdict: Verdict,
    /// The reviewers did not say the same.
    pub disagreed: bool,
    /// Why nothing came of it, where something went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Who said what.
    pub opinions: Vec<Opinion>,
}

/// One reviewer's word on a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opinion {
    /// `first`, `second` or `third`.
    pub reviewer: String,
    /// What it says. `not_assessed`: it cannot tell, or none of its quotes stands in the files; `why` says which.
    pub verdict: Verdict,
    /// Why, in its own words.
    pub why: String,
}

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Files that all rules that apply ran over.
    pub looked: u64,
    /// Their lines.
    pub lines: u64,
    /// Files that were left out, by reason. Secrets are looked for in those that are text.
    pub left_out: Vec<LeftOut>,
    /// Files that were not looked at wholly because of a documented bound.
    pub partial: Vec<Unseen>,
    /// Files that could not be read.
    pub failed: Vec<Unseen>,
}

/// Files left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// How many.
    pub files: u64,
}

/// A file that was not looked at, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Unseen {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What models were asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reviewers {
    /// Why none was asked, where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<String>,
    /// The models as they named themselves.
    pub models: Vec<String>,
    /// Requests that were answered.
    pub requests: u64,
    /// All input tokens.
    pub input_tokens: u64,
    /// Of these read from cache.
    pub cached_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Dollars, where all prices are known.
    pub cost_usd: Option<f64>,
}

/// The JSON schema (2020-12) of [`Audit`].
pub fn json_schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Audit>().to_value()
}
