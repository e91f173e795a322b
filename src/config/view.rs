//! What the configuration says about one path: the top-level keys with the `overrides` that fit it.

use super::{Config, PathSet, ReviewerSettings, RuleSettings};
use crate::findings::Severity;
use crate::path::RepoPath;
use crate::rules::RuleStatus;
use std::collections::BTreeMap;

/// An entry of `overrides`, checked.
#[derive(Debug, Clone)]
pub(super) struct Override {
    pub(super) paths: PathSet,
    /// Set to `None` for `never`.
    pub(super) fail_on: Option<Option<Severity>>,
    pub(super) min_confidence: Option<f64>,
    pub(super) rules: RuleSettings,
    pub(super) reviewers: BTreeMap<String, ReviewerSettings>,
}

/// The settings for one path. Of several overrides that fit it, the later one wins key by key; a rule
/// that is off anywhere stays off.
#[derive(Debug, Clone)]
pub struct View<'a> {
    config: &'a Config,
    /// The overrides that fit, latest first.
    overrides: Vec<&'a Override>,
}

impl Config {
    /// The settings for one path (the new one of a renamed file).
    pub fn at(&self, path: &RepoPath) -> View<'_> {
        View { config: self, overrides: self.overrides.iter().rev().filter(|o| o.paths.is_match(path)).collect() }
    }
}

impl View<'_> {
    /// Findings of this severity or worse fail the run; `None`: never.
    pub fn fail_on(&self) -> Option<Severity> {
        self.own_fail_on().unwrap_or(self.config.fail_on)
    }

    /// The same, where an override sets it.
    pub fn own_fail_on(&self) -> Option<Option<Severity>> {
        self.overrides.iter().find_map(|o| o.fail_on)
    }

    /// Model findings below this (0 to 1) are dropped.
    pub fn min_confidence(&self) -> f64 {
        self.overrides.iter().find_map(|o| o.min_confidence).unwrap_or(self.config.min_confidence)
    }

    /// Whether what this reviewer finds here counts. A reviewer that is off for the whole change stays off.
    pub fn reviewer_enabled(&self, id: &str) -> bool {
        let top = self.config.reviewers.get(id).and_then(|r| r.enabled).unwrap_or(true);
        top && self.overrides.iter().find_map(|o| o.reviewers.get(id)?.enabled).unwrap_or(true)
    }

    /// Whether the rule does not run here.
    pub fn rule_off(&self, id: &str) -> bool {
        self.rules().any(|r| r.off.iter().any(|off| off == id))
    }

    /// How far the rule is in force here, where that is not as its file says.
    pub fn rule_status(&self, id: &str) -> Option<RuleStatus> {
        self.rules().find_map(|r| r.status.get(id).copied())
    }

    /// How bad a hit of the rule is here, where that is not as its file says.
    pub fn rule_severity(&self, id: &str) -> Option<Severity> {
        self.rules().find_map(|r| r.severity.get(id).copied())
    }

    fn rules(&self) -> impl Iterator<Item = &RuleSettings> {
        self.overrides.iter().map(|o| &o.rules).chain([&self.config.rules])
    }
}
