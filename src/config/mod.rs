//! Configuration: which keys there are, who may set them, how layers combine, and what a run goes by.
//!
//! Layers, later wins: built-in, remote, repository, operator's file, environment, flags. A repository's file is
//! a stranger's text: it cannot name a gateway, a key, a model or a limit (TRUST 4). Nothing here decides
//! where the repository's file is read from (never from the change, TRUST 3), and only [`remote`] talks to a network.

mod check;
mod checks;
mod choice;
mod endpoint;
mod environment;
mod gateway;
mod keys;
mod layer;
mod locks;
mod operator;
mod paths;
mod problem;
mod raw;
pub mod remote;
mod resolve;
mod rollout;
mod schema;
mod settings;
mod show;
mod source;
mod table;
mod view;
mod waiver;
mod yaml;

pub use crate::gateway::Price;
pub(crate) use endpoint::REPLAY;
pub use endpoint::{Endpoint, EndpointSettings, Gateway, ModelEntry, ModelTier, Preset, Secret, Wire};
pub use environment::{Flags, state_key};
pub use layer::{Layer, validate};
pub use operator::{default_operator_file, operator_file_allowed, read_operator_file};
pub use paths::{Case, PathSet};
pub use problem::ConfigProblem;
pub use resolve::{Resolved, resolve};
pub use rollout::{Mode, Place, Rollout};
pub use schema::schema;
pub use settings::Origin;
pub use show::show;
pub use source::RuleSource;
pub use view::View;
pub use waiver::Waiver;
pub use yaml::MAX_CONFIG_BYTES;

use crate::findings::Severity;
use crate::forge::Role;
use crate::path::RepoPath;
use crate::risk::Tier;
use crate::rules::RuleStatus;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The repository's own file, at the root of the policy commit.
pub const REPOSITORY_FILE: &str = ".tribune.yaml";

/// Reads an environment variable: the process's, or a test's.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a run goes by: all layers combined and checked. It holds no token.
#[derive(Debug, Clone)]
pub struct Config {
    /// Findings of this severity or worse fail the run; `None`: never. By path: [`Config::at`].
    pub fail_on: Option<Severity>,
    /// Model findings below this (0 to 1) are dropped. By path: [`Config::at`].
    pub min_confidence: f64,
    /// The language of the reviewers' prose: letters, blanks and `-` only.
    pub language: String,
    /// Settings by reviewer's id. Ids are not checked against the reviewers that exist: [`Resolved::unknown_reviewers`].
    pub reviewers: BTreeMap<String, ReviewerSettings>,
    /// How far single rules are in force. By path: [`Config::at`].
    pub rules: RuleSettings,
    /// Findings that are accepted for a while.
    pub waivers: Vec<Waiver>,
    /// What makes a tier.
    pub tiers: TierLimits,
    /// What is noise besides what tribune knows by itself.
    pub noise: NoisePaths,
    /// Chains of models; empty where there is none for a tier. See [`Config::gateway`].
    pub models: BTreeMap<ModelTier, Vec<ModelEntry>>,
    /// Gateways by name. See [`Config::gateway`].
    pub endpoints: BTreeMap<String, EndpointSettings>,
    /// Endpoints that are switched off: no entry of a chain names one.
    pub endpoints_off: BTreeSet<String>,
    /// Dollars per million tokens, by model.
    pub prices: BTreeMap<String, Price>,
    /// What a run may take.
    pub limits: Limits,
    /// Prompt files of the organisation, by name.
    pub prompts: BTreeMap<String, String>,
    /// Where the organisation's rules are.
    pub rule_sources: Vec<RuleSource>,
    /// What is posted.
    pub post: PostSettings,
    /// When a first round writes a summary.
    pub summary: SummaryWhen,
    /// The least role that breaks the glass and settles critical findings.
    pub overriding: Role,
    rollout: rollout::Modes,
    private: PathSet,
    all_private: bool,
    overrides: Vec<view::Override>,
}

impl Config {
    /// Whether the file's contents must never reach a model. Of a renamed file ask for both paths. Everything
    /// is private when it could not be read what is: see [`Layer::repository`].
    pub fn is_private(&self, path: &RepoPath) -> bool {
        self.all_private || self.private.is_match(path)
    }

    /// How far tribune is in use at a place. Ask [`Resolved::rollout`] where the remote configuration may be missing.
    fn rollout(&self, place: &Place) -> Rollout {
        self.rollout.at(place)
    }

    /// What decides how far tribune is in use at a place, in words.
    pub fn rollout_why(&self, place: &Place) -> String {
        self.rollout.why(place)
    }

    /// Whether everything is private because it could not be read what is.
    pub fn all_private(&self) -> bool {
        self.all_private
    }
}

/// What is posted to a merge request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PostSettings {
    /// The most open threads of ours.
    pub inline_max: usize,
    /// Approve a head that passes.
    pub approve: bool,
    /// Take our approval back.
    pub unapprove: bool,
    /// Ask for changes.
    pub request_changes: bool,
}

/// When a first round writes a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SummaryWhen {
    /// When there is something to say.
    Findings,
    /// Always.
    Always,
}

/// Settings of one reviewer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ReviewerSettings {
    /// Whether it runs; `None`: as its own file says.
    pub enabled: Option<bool>,
    /// The tiers it runs in; `None`: as its own file says.
    pub tiers: Option<Vec<Tier>>,
    /// A model of its own, or the name of a tier of models; `None`: its own file's tier.
    pub model: Option<String>,
}

/// How far single rules are in force, by rule id. What relaxes a binding rule of the organisation is for
/// the rule set to refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RuleSettings {
    /// Rules that do not run.
    pub off: Vec<String>,
    /// Rules in force otherwise than their file says.
    pub status: BTreeMap<String, RuleStatus>,
    /// Rules whose hits are worse or less bad than their file says.
    pub severity: BTreeMap<String, Severity>,
}

/// What makes a tier (DESIGN 1.5), counted over files that are not noise.
#[derive(Debug, Clone)]
pub struct TierLimits {
    /// The most changed lines of a trivial change.
    pub trivial_lines: usize,
    /// The most files of a trivial change.
    pub trivial_files: usize,
    /// The most changed lines of a lite change.
    pub lite_lines: usize,
    /// The most files of a lite change.
    pub lite_files: usize,
    /// More files than this are full.
    pub full_files: usize,
    /// Security-sensitive files.
    pub sensitive_paths: PathSet,
}

/// What the configuration says about noise.
#[derive(Debug, Clone)]
pub struct NoisePaths {
    /// Further noise.
    pub paths: PathSet,
    /// Never noise, unless binary.
    pub keep: PathSet,
}

/// What a run may take at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Without a byte for so long, an answer is given up.
    pub idle: Duration,
    /// Without the first byte for so long, a request is given up.
    pub first_byte: Duration,
    /// For one reviewer, unless its own file says more.
    pub reviewer: Duration,
    /// For the run.
    pub run: Duration,
    /// Tokens of the run, input and output.
    pub tokens: u64,
    /// Dollars of the run, where prices are known.
    pub usd: f64,
    /// Dollars of all runs of a merge request.
    pub usd_per_change: f64,
    /// Requests at the same time.
    pub parallel: usize,
    /// Tokens of context around the diff; `None`: 0.35 of the diff's, at least 4,000.
    pub context_tokens: Option<u64>,
    /// Tokens of a bundle.
    pub bundle_tokens: u64,
}
