//! Findings: what a model proposed, what code made of it, and how the same defect is known again.
//!
//! A [`Proposal`] is a model's raw word; only [`anchor`] and the checks turn it into a [`Finding`].

pub mod anchor;
pub mod check;
pub mod fingerprint;
pub mod hit;
pub mod parse;
pub mod sanitize;
pub mod schema;
pub mod texts;

pub(crate) mod aside;
mod cause;
mod locate;
pub(crate) mod place;
mod quote;
mod suggestion;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod words;

use crate::diff::Side;
use crate::path::RepoPath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is. Ordered: `Nit < Suggestion < Important < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Optional; take it or leave it.
    Nit,
    /// Worth doing, nobody is hurt without.
    Suggestion,
    /// It will go wrong for somebody.
    Important,
    /// It must not be merged like this.
    Critical,
}

impl Severity {
    /// The word that people see.
    pub fn label(self) -> &'static str {
        match self {
            Severity::Critical => "Critical",
            Severity::Important => "Important",
            Severity::Suggestion => "Suggestion",
            Severity::Nit => "Optional nit",
        }
    }
}

/// What kind of trouble; in the order of the summary's headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Exploitable or leaking.
    Security,
    /// Wrong, fragile or untested.
    Quality,
    /// Against a rule of the organisation.
    Codex,
    /// Docs that are wrong or missing.
    Documentation,
    /// Measurably slower or hungrier.
    Performance,
    /// Breaks somebody at release or rollback.
    Release,
    /// AGENTS.md is stale or missing.
    AgentsMd,
}

impl Category {
    /// All of them, in the order of the headings.
    pub const ALL: [Category; 7] = [
        Category::Security,
        Category::Quality,
        Category::Codex,
        Category::Documentation,
        Category::Performance,
        Category::Release,
        Category::AgentsMd,
    ];

    /// The heading that people see (DESIGN 2).
    pub fn label(self) -> &'static str {
        match self {
            Category::Security => "Security",
            Category::Quality => "Code Quality",
            Category::Codex => "Codex Compliance",
            Category::Documentation => "Documentation",
            Category::Performance => "Performance",
            Category::Release => "Release Impact",
            Category::AgentsMd => "AGENTS.md",
        }
    }
}

/// Whether a rule or a model said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingSource {
    /// A detector: sure, repeatable.
    Rule,
    /// A reviewer.
    Model,
}

/// A finding as a model reports it (DESIGN, Contract, Model protocol). Unchecked: any field can be nonsense.
/// Unknown severities and categories must not lose the finding, so they are strings here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proposal {
    /// The file it is about, as it was shown.
    pub path: String,
    /// The code it is about, copied as it was shown (masks included).
    pub quote: String,
    /// The line the model believes the quote starts at.
    pub line: Option<i64>,
    /// The line the model believes the quote ends at.
    pub end_line: Option<i64>,
    /// `critical`, `important`, `suggestion` or `nit`.
    pub severity: String,
    /// One of [`Category`]'s names; the reviewer's own where it is missing or unknown.
    pub category: Option<String>,
    /// What breaks, in one line.
    pub title: String,
    /// Input or state, and consequence.
    pub body: String,
    /// The input or state that makes it go wrong and who can bring it about.
    pub trigger: Option<String>,
    /// For code that the change does not touch: the changed line that breaks it, quoted.
    pub cause: Option<String>,
    /// What should stand in place of the quoted lines.
    pub suggestion: Option<String>,
    /// The rule it is about.
    pub rule_id: Option<String>,
    /// 0..1.
    pub confidence: Option<f64>,
}

/// Where a finding stands, as code found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The quote stands there as written.
    Exact(Lines),
    /// The quote stands there with other white space.
    Moved(Lines),
    /// The file is part of the change, but the quote was not found in it.
    File,
    /// Not even the file is part of the change or of either tree.
    None,
}

impl Anchor {
    /// The lines, where it has some. Only such findings count for gate and verdict.
    pub fn lines(&self) -> Option<Lines> {
        match self {
            Anchor::Exact(l) | Anchor::Moved(l) => Some(*l),
            Anchor::File | Anchor::None => None,
        }
    }
}

/// A span of lines on the finding's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// First line, 1-based.
    pub start: u32,
    /// Last line, inclusive, at least `start`.
    pub end: u32,
    /// On the new side, for a line that the change leaves as it was: the number of `end` on the old side.
    pub old_line: Option<u32>,
}

/// What became of it since the last round. Without a history every finding is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingStatus {
    /// First told now.
    New,
    /// Told before and still there.
    Persisting,
    /// A human settled it.
    Settled,
}

/// The rule a finding cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// Its id.
    pub id: String,
    /// How far it is in force.
    pub status: crate::rules::RuleStatus,
    /// Where the organisation decided it.
    pub source: Option<String>,
    /// Its text.
    pub url: Option<String>,
    /// Whom to disagree with.
    pub owner: Option<String>,
}

/// A checked finding. What renders it needs no further checks: severities are lowered where the trigger is
/// missing, the span (if any) exists on its side, a suggestion applies to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// 32 hex digits; see [`fingerprint`].
    pub fingerprint: String,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of trouble.
    pub category: Category,
    /// The reviewer's id; `rules` for a rule's hit.
    pub reviewer: String,
    /// Other reviewers that told the same defect, sorted.
    pub also: Vec<String>,
    /// Rule or model.
    pub source: FindingSource,
    /// What breaks, one line of plain text.
    pub title: String,
    /// Input or state, and consequence. Markdown of a stranger's making: sanitise before posting.
    pub body: String,
    /// Who or what makes it go wrong.
    pub trigger: Option<String>,
    /// The changed line that breaks unchanged code, quoted.
    pub cause: Option<String>,
    /// The rule it cites.
    pub rule: Option<RuleRef>,
    /// The file.
    pub path: RepoPath,
    /// Its path before, where it was renamed.
    pub old_path: Option<RepoPath>,
    /// Which side the lines are on.
    pub side: Side,
    /// Where it stands.
    pub anchor: Anchor,
    /// The code it is about, as it stands there (masked).
    pub quote: String,
    /// Replacement for exactly the lines of `anchor` (new side), without a trailing line end.
    pub suggestion: Option<String>,
    /// 0..1, where the model gave one.
    pub confidence: Option<f64>,
    /// Since the last round.
    pub status: FindingStatus,
}

/// A finding that is not shown, and why. It is in the report, so nothing vanishes unseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Its title.
    pub title: String,
    /// Why it is not shown.
    pub reason: String,
}
