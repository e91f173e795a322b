//! The keys as they stand in the layers' sum, and what the program makes of them: units, defaults of prices, globs.

use super::endpoint::{EndpointSettings, ModelEntry, ModelTier};
use super::paths::{Case, PathSet};
use super::resolve::impossible;
use super::rollout::Modes;
use super::view::Override;
use super::{Config, Limits, NoisePaths, PostSettings, Price, ReviewerSettings, RuleSettings, RuleSource, SummaryWhen, TierLimits, Waiver};
use crate::error::UserError;
use crate::findings::Severity;
use crate::forge::Role;
use crate::gateway::Long;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The settings as they are written.
#[derive(Deserialize)]
pub(super) struct Raw {
    fail_on: Threshold,
    min_confidence: f64,
    language: String,
    private_paths: Vec<String>,
    #[serde(default)]
    reviewers: BTreeMap<String, ReviewerSettings>,
    rules: RuleSettings,
    tiers: RawTiers,
    noise: RawNoise,
    overrides: Vec<RawOverride>,
    #[serde(default)]
    models: BTreeMap<ModelTier, Vec<ModelEntry>>,
    #[serde(default)]
    endpoints: BTreeMap<String, EndpointSettings>,
    #[serde(default)]
    prices: BTreeMap<String, RawPrice>,
    endpoints_off: BTreeSet<String>,
    limits: RawLimits,
    #[serde(default)]
    prompts: BTreeMap<String, String>,
    rollout: Modes,
    rule_sources: Vec<String>,
    post: PostSettings,
    summary: SummaryWhen,
    #[serde(rename = "override")]
    override_: RawOverrideGate,
}

#[derive(Deserialize)]
struct RawOverrideGate {
    roles: Vec<OverrideRole>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum OverrideRole {
    Developer,
    Maintainer,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Threshold {
    Never,
    Nit,
    Suggestion,
    Important,
    Critical,
}

#[derive(Deserialize)]
struct RawTiers {
    trivial_lines: usize,
    trivial_files: usize,
    lite_lines: usize,
    lite_files: usize,
    full_files: usize,
    sensitive_paths: Vec<String>,
}

#[derive(Deserialize)]
struct RawNoise {
    paths: Vec<String>,
    keep: Vec<String>,
}

#[derive(Deserialize)]
struct RawOverride {
    paths: Vec<String>,
    fail_on: Option<Threshold>,
    min_confidence: Option<f64>,
    #[serde(default)]
    rules: RuleSettings,
    #[serde(default)]
    reviewers: BTreeMap<String, ReviewerSettings>,
}

#[derive(Deserialize)]
struct RawPrice {
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
    long: Option<RawLong>,
}

#[derive(Deserialize)]
struct RawLong {
    above: u64,
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
}

#[derive(Deserialize)]
struct RawLimits {
    idle_seconds: u64,
    first_byte_seconds: u64,
    reviewer_seconds: u64,
    run_seconds: u64,
    tokens: u64,
    usd: f64,
    usd_per_change: f64,
    parallel: usize,
    context_tokens: Option<u64>,
    bundle_tokens: u64,
}

impl Threshold {
    fn severity(self) -> Option<Severity> {
        match self {
            Threshold::Never => None,
            Threshold::Nit => Some(Severity::Nit),
            Threshold::Suggestion => Some(Severity::Suggestion),
            Threshold::Important => Some(Severity::Important),
            Threshold::Critical => Some(Severity::Critical),
        }
    }
}

impl Raw {
    /// What a run goes by. Fails (exit 2) where a glob cannot be read.
    pub(super) fn config(self, all_private: bool, waivers: Vec<Waiver>) -> Result<Config, UserError> {
        let paths = |key: &str, globs: &[String], case| PathSet::new(globs, case).map_err(|why| impossible(&format!("`{key}`: {why}")));
        let (tiers, limits) = (self.tiers, self.limits);
        Ok(Config {
            fail_on: self.fail_on.severity(),
            min_confidence: self.min_confidence,
            language: self.language,
            private: paths("private_paths", &self.private_paths, Case::Ignored)?,
            all_private,
            reviewers: self.reviewers,
            rules: self.rules,
            waivers,
            tiers: TierLimits {
                trivial_lines: tiers.trivial_lines,
                trivial_files: tiers.trivial_files,
                lite_lines: tiers.lite_lines,
                lite_files: tiers.lite_files,
                full_files: tiers.full_files,
                sensitive_paths: paths("tiers.sensitive_paths", &tiers.sensitive_paths, Case::Ignored)?,
            },
            noise: NoisePaths {
                paths: paths("noise.paths", &self.noise.paths, Case::Sensitive)?,
                keep: paths("noise.keep", &self.noise.keep, Case::Sensitive)?,
            },
            overrides: self
                .overrides
                .into_iter()
                .map(|o| {
                    Ok(Override {
                        paths: paths("overrides", &o.paths, Case::Sensitive)?,
                        fail_on: o.fail_on.map(Threshold::severity),
                        min_confidence: o.min_confidence,
                        rules: o.rules,
                        reviewers: o.reviewers,
                    })
                })
                .collect::<Result<_, UserError>>()?,
            models: self.models,
            endpoints: self.endpoints,
            endpoints_off: self.endpoints_off,
            prompts: self.prompts,
            rollout: self.rollout,
            prices: self.prices.into_iter().map(|(model, p)| (model, p.price())).collect(),
            limits: Limits {
                idle: Duration::from_secs(limits.idle_seconds),
                first_byte: Duration::from_secs(limits.first_byte_seconds),
                reviewer: Duration::from_secs(limits.reviewer_seconds),
                run: Duration::from_secs(limits.run_seconds),
                tokens: limits.tokens,
                usd: limits.usd,
                usd_per_change: limits.usd_per_change,
                parallel: limits.parallel,
                context_tokens: limits.context_tokens,
                bundle_tokens: limits.bundle_tokens,
            },
            rule_sources: self
                .rule_sources
                .iter()
                .map(|s| RuleSource::parse(s).map_err(|why| impossible(&format!("`rule_sources`: {why}"))))
                .collect::<Result<_, _>>()?,
            post: self.post,
            summary: self.summary,
            overriding: if self.override_.roles.iter().any(|r| matches!(r, OverrideRole::Developer)) { Role::Developer } else { Role::Maintainer },
        })
    }
}

impl RawPrice {
    fn price(self) -> Price {
        Price {
            input: self.input,
            cached: self.cached.unwrap_or(self.input),
            cache_write: self.cache_write.unwrap_or(self.input),
            output: self.output,
            long: self.long.map(|l| Long {
                above: l.above,
                input: l.input,
                cached: l.cached.unwrap_or(l.input),
                cache_write: l.cache_write.unwrap_or(l.input),
                output: l.output,
            }),
        }
    }
}
