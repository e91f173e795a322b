//! Findings of `tribune.report/v1`, as [`super::types`] has the rest.

use super::FailOn;
use crate::findings::{Category, FindingSource, FindingStatus, Severity};
use crate::rules::RuleStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which version of a file a finding's lines belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Before the change.
    Old,
    /// After it.
    New,
}

/// How surely a finding's place is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// The quoted code stands there as written.
    Exact,
    /// It stands there with other white space.
    Moved,
    /// Only the file is known.
    File,
    /// Not even that.
    None,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The same defect has the same one in every round.
    pub fingerprint: String,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of trouble.
    pub category: Category,
    /// The reviewer's id; `rules` for a rule's hit.
    pub reviewer: String,
    /// Other reviewers that told the same defect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Rule or model.
    pub source: FindingSource,
    /// What breaks, one line of plain text.
    pub title: String,
    /// Input or state, and consequence. Markdown of a stranger's making.
    pub body: String,
    /// What makes it go wrong, and who can bring it about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The changed line that breaks code which the change leaves as it was, quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The rule it cites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// More about that rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The file.
    pub path: String,
    /// The name's bytes in hex, where text cannot hold them (no UTF-8, control characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Its path before, where it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_path: Option<String>,
    /// As `path_bytes`, of `old_path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_path_bytes: Option<String>,
    /// Which side the lines are on.
    pub side: Side,
    /// First line, 1-based; `null` unless `anchor` is `exact` or `moved`.
    pub start_line: Option<u32>,
    /// Last line, inclusive; `null` unless `anchor` is `exact` or `moved`.
    pub end_line: Option<u32>,
    /// For a line that the change leaves as it was: the number of `end_line` on the old side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_line: Option<u32>,
    /// How surely its place is known.
    pub anchor: Anchor,
    /// Where its lines stand in the diff, with their numbers on both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The code it is about, secrets masked.
    #[serde(default)]
    pub quote: String,
    /// Replacement for exactly these lines, without a line end after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// 0 to 1, where the model said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: Option<f64>,
    /// Since the last round.
    pub status: FindingStatus,
    /// The gate's threshold for its path, where the configuration sets one for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<FailOn>,
}

/// A rule that is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// How far it is in force; only an enforced one fails the gate.
    pub status: RuleStatus,
    /// Where the organisation decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whom to disagree with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Lines of one side as they stand in the diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// The first line.
    pub start: End,
    /// The last line.
    pub end: End,
    /// All of them stand in one hunk.
    pub in_hunk: bool,
}

/// One line of the diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Its number on the old side; of an added line that of the old line after it.
    pub old: u32,
    /// Its number on the new side; of a removed line that of the new line after it.
    pub new: u32,
    /// What happened to it.
    pub kind: EndKind,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndKind {
    /// Nothing.
    Context,
    /// It was added.
    Added,
    /// It was removed.
    Removed,
}
