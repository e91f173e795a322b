//! The Engineering Codex: rules as Markdown files with YAML front matter, and their detectors.
//!
//! A file is read by [`format`](mod@format); a [`RuleSet`] holds the rules of all sources and [scans](RuleSet::scan) files;
//! [`check`] and [`test`] are what `rules check` and `rules test` run. Nothing here reads a disk or prints.

pub mod check;
mod detector;
pub mod facts;
mod format;
mod front;
mod guard;
pub mod index;
pub mod load;
mod markdown;
mod problem;
mod remote;
mod scan;
mod set;
pub mod skill;
pub mod test;
mod touched;
mod tree;
pub mod waiver;

#[cfg(test)]
mod tests;

pub use problem::RuleProblem;
pub use scan::Scan;
pub use set::{Origin, RuleSet};
pub use touched::TouchedLines;

use crate::findings::{Category, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a rule binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleLevel {
    /// Binding.
    Must,
    /// Advice.
    Should,
}

/// How far a rule is in force. Ordered: `Trial < Advisory < Enforced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleStatus {
    /// Counted, not shown.
    Trial,
    /// Shown, never gates.
    Advisory,
    /// Shown, gates.
    Enforced,
}

/// A rule's front matter and text, checked. The compiled detector lives beside it in the rule set.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `[A-Z][A-Z0-9]+(-[A-Z0-9]+)+`.
    pub id: String,
    /// The rule in one imperative line.
    pub title: String,
    /// Whether it binds.
    pub level: RuleLevel,
    /// How far it is in force.
    pub status: RuleStatus,
    /// How bad a hit is.
    pub severity: Severity,
    /// What kind of trouble.
    pub category: Category,
    /// Language names as [`crate::lang::Lang::name`] gives them; empty: any file.
    pub languages: Vec<String>,
    /// Globs, those with a `!` leaving paths out; without any other: any path.
    pub paths: Vec<String>,
    /// Where the organisation decided it.
    pub source: Option<String>,
    /// Its text.
    pub url: Option<String>,
    /// Whom to disagree with.
    pub owner: Option<String>,
    /// Whether code finds its hits; otherwise a reviewer judges it.
    pub has_detector: bool,
    /// What it is about is a change and not code as it stands, so that only reviews can check it.
    pub about_changes: bool,
    /// The Markdown before the examples: what to do and why.
    pub text: String,
    /// The file's Markdown body with its examples, but without the variants that only test the detector.
    pub body: String,
    /// Which source it came from: `built-in`, `organisation`, `repository`.
    pub origin: String,
}

impl Rule {
    /// Who checks it, in words for people.
    pub(crate) fn checked_by(&self) -> &'static str {
        match (self.has_detector, self.about_changes) {
            (true, _) => "a detector",
            (false, true) => "a reviewer, in changes alone",
            (false, false) => "a reviewer",
        }
    }
}

/// One place where a rule's detector hit on touched code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHit {
    /// The rule's id.
    pub rule_id: String,
    /// First line on the new side, 1-based.
    pub start: u32,
    /// Last line, inclusive.
    pub end: u32,
    /// More precise words than the rule's title, where the detector has some.
    pub message: Option<String>,
    /// Replacement for exactly these lines, where the fix is sure.
    pub suggestion: Option<String>,
}
