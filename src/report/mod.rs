//! What a run found, and the formats it is told in. A format takes a [`Review`] and a writer; it
//! never decides what is shown, only how.

pub mod comment;
mod format;
pub mod json;
pub mod markdown;

use crate::findings::sanitize as clean;

mod code_quality;
mod cost;
mod github;
mod plain;
mod rdjson;
mod replacement;
pub(crate) mod sarif;
mod terminal;
mod uri;
mod words;

#[cfg(test)]
pub(crate) mod sample;

pub use format::{Format, UnknownFormat, WriteOptions, write};
pub(crate) use plain::log_line;
pub(crate) use uri::relative as sarif_uri;
pub(crate) use words::{count, dollars, headline as title, message, thousands, word};

use crate::diff::Side;
use crate::findings::{Dropped, Finding, Severity};
use crate::forge::Target;
use crate::gateway::{CallStats, ModelStats, Usage};
use crate::history::{Override, Prior, State};
use crate::path::RepoPath;
use crate::risk::{Coverage, Tier};
use crate::text::FileText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing fails the gate.
    Pass,
    /// Findings fail the gate.
    Fail,
    /// Something that should have been looked at was not.
    Inconclusive,
}

/// The verdict in words (DESIGN 1.10), biased to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing, or only nits.
    Approved,
    /// Suggestions, or one or two important findings.
    ApprovedWithComments,
    /// Three or more important findings.
    MinorIssues,
    /// Any critical finding.
    SignificantConcerns,
}

/// How a reviewer's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewerStatus {
    /// It reported on everything it was given.
    Completed,
    /// It failed on some or all of it.
    Failed,
    /// It was not needed or not wanted.
    Skipped,
}

/// One reviewer's run over all bundles.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewerRun {
    /// Its id; `rules`, `coordinator` or a reviewer's.
    pub id: String,
    /// The model as it named itself; `None` for the rules and where none answered.
    pub model: Option<String>,
    /// How it ended.
    pub status: ReviewerStatus,
    /// Why it failed or was skipped.
    pub reason: Option<String>,
    /// Wall time.
    pub seconds: f64,
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they cost.
    pub usage: Usage,
    /// From sending a request to the first piece of its answer, on average; `None` where none was answered.
    pub first_token_seconds: Option<f64>,
    /// The same by model.
    pub models: Vec<ModelRun>,
    /// Findings it reported, before judging.
    pub findings: usize,
}

/// What a reviewer's requests to one model were.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRun {
    /// The model by the name that it was asked by, and priced by.
    pub model: String,
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they cost.
    pub usage: Usage,
    /// Their time together, also of those that ran at the same time.
    pub seconds: f64,
    /// As in [`ReviewerRun`].
    pub first_token_seconds: Option<f64>,
}

impl ModelRun {
    /// Every model of a reviewer's calls, by name.
    pub fn all(stats: &CallStats) -> Vec<Self> {
        let run = |(model, stats): (&String, &ModelStats)| Self {
            model: model.clone(),
            requests: stats.requests,
            usage: stats.usage,
            seconds: stats.time.as_secs_f64(),
            first_token_seconds: stats.first_token_seconds(),
        };
        stats.models.iter().map(run).collect()
    }
}

/// A rule source that was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSourceInfo {
    /// `built-in`, a directory, or a URL.
    pub source: String,
    /// The commit it was read at, where it has one.
    pub commit: Option<String>,
    /// It was read from this machine's cache, without asking its host.
    pub cached: bool,
}

/// What made the review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// This program's version.
    pub tribune: String,
    /// The commit that policy came from.
    pub policy_sha: Option<String>,
    /// SHA-256 (hex) of the configuration in force.
    pub config_digest: String,
    /// SHA-256 (hex) of the prompts in force.
    pub prompts_digest: String,
    /// Rule sources in force.
    pub rules: Vec<RuleSourceInfo>,
    /// The gateway's host (and port), without path or user.
    pub gateway_host: Option<String>,
    /// The date of the built-in list of prices, where dollars come from it.
    pub prices: Option<String>,
}

/// The change in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeInfo {
    /// What the diff starts from.
    pub base_sha: Option<String>,
    /// What was reviewed; `None` for work tree, staged, patch.
    pub head_sha: Option<String>,
    /// What it is, in words: "work tree against main (1a2b3c4)".
    pub label: String,
    /// Changed files.
    pub files: usize,
    /// Added lines.
    pub lines_added: usize,
    /// Removed lines.
    pub lines_removed: usize,
}

/// Everything a run found out. The one source of all formats.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// How it ended.
    pub outcome: Outcome,
    /// The verdict.
    pub verdict: Verdict,
    /// What made it.
    pub provenance: Provenance,
    /// The tier.
    pub tier: Tier,
    /// Why this tier.
    pub tier_reasons: Vec<String>,
    /// The change.
    pub change: ChangeInfo,
    /// Every changed file exactly once.
    pub coverage: Vec<Coverage>,
    /// Rules, reviewers, coordinator.
    pub reviewers: Vec<ReviewerRun>,
    /// What is shown: by severity (worst first), then path and line.
    pub findings: Vec<Finding>,
    /// Where each of `findings` stands in the diff, in the same order; `None` for those without lines.
    pub spans: Vec<Option<crate::forge::Span>>,
    /// What is not shown, and why.
    pub dropped: Vec<Dropped>,
    /// What waivers cover, by path and line.
    pub waived: Vec<crate::rules::waiver::Waived>,
    /// A few sentences by the judge, or by code where there was none. Sanitise before posting.
    pub summary: String,
    /// The sum over all reviewers.
    pub usage: Usage,
    /// What a reader should know about this run, one line each.
    pub notes: Vec<String>,
    /// Wall time of the run.
    pub seconds: f64,
    /// The threshold in force; `None` is `never`.
    pub fail_on: Option<Severity>,
    /// For each of `findings`, in the same order: the threshold that the configuration sets for its path, where it does; inside,
    /// `None` is `never`.
    pub path_fail_on: Vec<Option<Option<Severity>>>,
    /// Whether any model looked.
    pub models_looked: bool,
    /// The merge request; `None` for a local review.
    pub target: Option<Target>,
    /// Which round of that merge request this is, from 1.
    pub round: u32,
    /// What became of the findings of earlier rounds.
    pub prior: Vec<Prior>,
    /// The gate was opened by hand for this head: the outcome heeds it, the findings stay.
    pub override_: Option<Override>,
    /// What earlier rounds cost, where a state that can be trusted says so.
    pub spent_before_usd: Option<f64>,
    /// What the next round will be told; `None` for a local review.
    pub next: Option<State>,
    /// How much of it is posted, as the configuration says.
    pub posting: Option<Posting>,
}

/// How much of a review is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The most open threads of ours on a merge request.
    pub inline_max: usize,
    /// A summary even where a first round has found nothing.
    pub always: bool,
}

impl Review {
    /// Dollars of the models that have a price; `None` where none has.
    pub(crate) fn known_usd(&self) -> Option<f64> {
        let costs: Vec<f64> = self.reviewers.iter().flat_map(|r| &r.models).filter_map(|m| m.usage.cost_usd).collect();
        (!costs.is_empty()).then(|| costs.iter().sum())
    }
}

/// Masked texts of the files that findings stand in, for code frames. By path and side.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    texts: BTreeMap<(RepoPath, Side), FileText>,
}

impl Sources {
    /// Remembers a file's (masked) text.
    pub fn insert(&mut self, path: RepoPath, side: Side, text: FileText) {
        self.texts.insert((path, side), text);
    }

    /// A file's text, where it is known.
    pub fn get(&self, path: &RepoPath, side: Side) -> Option<&FileText> {
        self.texts.get(&(path.clone(), side))
    }
}
