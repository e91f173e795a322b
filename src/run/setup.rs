//! What a run goes by: configuration, rules, prompts, gateway. All of it from the operator and the policy commit,
//! none of it from the change (TRUST 3).

use super::limits;
use super::waive::no_such_rule;
use crate::change::{Change, Policy};
use crate::config::{self, Config, ConfigProblem, Env, Gateway, Layer, Place, Resolved, Rollout};
use crate::date::Date;
use crate::error::UserError;
use crate::findings::Severity;
use crate::gateway::Labels;
use crate::git::ObjectError;
use crate::path::RepoPath;
use crate::report::RuleSourceInfo;
use crate::reviewers::definition::PromptFiles;
use crate::risk::Tier;
use crate::rules::{Origin, Rule, RuleLevel, RuleSet, RuleStatus, load};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a repository keeps its own prompts.
const REPOSITORY_PROMPTS: &str = ".tribune/prompts/";
/// A prompt file larger than this is refused.
const MAX_PROMPT_BYTES: u64 = 64 * 1024;

/// What to run, by hand.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// No model call.
    pub offline: bool,
    /// Only these reviewers, and `rules`; empty: as classified.
    pub only: Vec<String>,
    /// This tier instead of the classified one.
    pub tier: Option<Tier>,
    /// Write all exchanges with models down, into this folder.
    pub record: Option<PathBuf>,
}

impl Scope {
    /// Whether models are wanted at all.
    pub fn models(&self) -> bool {
        !self.offline && (self.only.is_empty() || self.only.iter().any(|id| id != "rules"))
    }

    /// Whether the rules' hits are wanted.
    pub fn rules(&self) -> bool {
        self.only.is_empty() || self.only.iter().any(|id| id == "rules")
    }
}

/// What a run goes by.
pub struct Setup {
    /// The configuration and where each value came from.
    pub resolved: Resolved,
    /// What the operator alone says.
    operator: Config,
    /// What to run.
    pub scope: Scope,
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// Where they came from.
    pub rule_sources: Vec<RuleSourceInfo>,
    /// The prompts in force.
    pub prompts: PromptFiles,
    /// Where models are asked; `None`: the rules run alone.
    pub gateway: Option<Gateway>,
    /// What the gateway is told of this run.
    pub labels: Labels,
    /// Keys fences and, later, what we store.
    pub state_key: Option<Vec<u8>>,
    /// The policy's commit.
    pub policy_sha: Option<String>,
    /// What day it is: waivers end.
    pub today: Date,
    /// How far tribune is in use here: whoever posts or gates asks it.
    pub rollout: Rollout,
    /// What the report should say.
    pub notes: Vec<String>,
    /// Something of the policy, or a source of rules, could not be used: the run is inconclusive.
    pub policy_broken: bool,
}

impl Setup {
    /// Combines `layers` (the organisation's, operator's files, environment, flags) with what the change's policy says. Fails on what the
    /// operator got wrong (exit 2); what the repository got wrong is left out, noted, and makes the run inconclusive.
    pub fn load(change: &Change, layers: Vec<Layer>, mut scope: Scope, place: &Place, env: Env<'_>, today: Date) -> Result<Self, UserError> {
        let mut notes = Vec::new();
        let policy_sha = match &change.policy {
            Policy::Commit { sha, .. } => Some(sha.clone()),
            Policy::WorkTree | Policy::Unreadable | Policy::None => None,
        };
        let (repository, problems) = repository_layer(change);
        let mut policy_broken = !problems.is_empty() || change.policy == Policy::Unreadable;
        notes.extend(problems.iter().map(|p| format!("{} of the policy commit: {}", config::REPOSITORY_FILE, p.brief())));
        let mut all: Vec<Layer> = repository.into_iter().collect();
        let operator = config::resolve(layers.clone(), env)?.config;
        all.extend(layers);
        let resolved = config::resolve(all, env)?;
        notes.extend(resolved.notes.iter().cloned());
        // Nobody knows what the organisation asks for: the rules alone, and inconclusive.
        policy_broken |= resolved.remote_missing;
        let rollout = resolved.rollout(place);
        notes.extend(rollout.note());
        scope.offline |= !rollout.may_ask();
        let loaded = load::load(&resolved.config, change.objects.as_deref(), policy_sha.as_deref(), env)?;
        policy_broken |= !loaded.missing.is_empty() || !loaded.problems.is_empty();
        notes.extend(loaded.problems.iter().map(|p| format!("rule of the policy commit left out: {p}")));
        notes.extend(loaded.missing.iter().cloned());
        let (prompts, broken) = prompts(change, &resolved);
        policy_broken |= !broken.is_empty();
        notes.extend(broken);
        let known: Vec<&str> = prompts.reviewers.keys().map(String::as_str).collect();
        notes.extend(resolved.unknown_reviewers(&known));
        notes.extend(without_effect(&resolved, &operator, &loaded.rules));
        let gateway = if scope.models() {
            let (gateway, told) = resolved.config.gateway(env)?;
            notes.extend(told);
            if let Some(gateway) = &gateway {
                notes.extend(limits::can_be_kept(&resolved, gateway, today)?);
            }
            gateway
        } else {
            None
        };
        let state_key = config::state_key(env).map(|k| k.expose().as_bytes().to_vec());
        Ok(Self {
            scope,
            today,
            rules: Arc::new(loaded.rules),
            rule_sources: loaded.sources,
            prompts,
            gateway,
            labels: crate::forge::labels(env, place, state_key.as_deref()),
            state_key,
            policy_sha,
            rollout,
            notes,
            policy_broken,
            resolved,
            operator,
        })
    }

    /// The status and severity of a rule's hits in a file; `None` where the rule is off. A binding rule that is not the
    /// repository's own can be relaxed by the operator only; the repository may tighten it.
    pub fn in_force(&self, rule: &Rule, path: &RepoPath) -> Option<(RuleStatus, Severity)> {
        let all = self.config().at(path);
        let (status, severity) = (all.rule_status(&rule.id).unwrap_or(rule.status), all.rule_severity(&rule.id).unwrap_or(rule.severity));
        if !binds_repositories(rule) {
            return (!all.rule_off(&rule.id)).then_some((status, severity));
        }
        let operator = self.operator.at(path);
        let least = (operator.rule_status(&rule.id).unwrap_or(rule.status), operator.rule_severity(&rule.id).unwrap_or(rule.severity));
        (!operator.rule_off(&rule.id)).then_some((status.max(least.0), severity.max(least.1)))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.resolved.config
    }
}

/// A note for each setting of a rule that does nothing: there is no such rule, or only the organisation may relax it.
fn without_effect(resolved: &Resolved, operator: &Config, rules: &RuleSet) -> Vec<String> {
    let mut notes = Vec::new();
    let named = resolved.named_rules();
    for (key, id) in &named {
        if rules.get(id).is_none() {
            notes.push(format!("`{key}` names {}", no_such_rule(rules, id)));
        }
    }
    let off: BTreeSet<&str> = named.iter().filter(|(key, _)| *key == "rules.off").map(|(_, id)| *id).collect();
    for rule in off.into_iter().filter_map(|id| rules.get(id)).filter(|r| binds_repositories(r)) {
        if !operator.rules.off.contains(&rule.id) {
            notes.push(format!(
                "`rules.off` names {}, a `must` rule of {}: only the organisation relaxes it, so it stays in force.",
                rule.id, rule.origin
            ));
        }
    }
    notes
}

/// Whether a rule is out of a repository's reach.
fn binds_repositories(rule: &Rule) -> bool {
    rule.level == RuleLevel::Must && rule.origin != Origin::Repository.name()
}

/// `.tribune.yaml` of the policy. One that is there and cannot be read is a problem, not an absence.
fn repository_layer(change: &Change) -> (Option<Layer>, Vec<ConfigProblem>) {
    if change.policy == Policy::Unreadable {
        return (Some(Layer::unknown()), Vec::new());
    }
    let Some(objects) = &change.objects else { return (None, Vec::new()) };
    match objects.policy_file(&RepoPath::from(config::REPOSITORY_FILE), config::MAX_CONFIG_BYTES as u64 + 1) {
        Ok(bytes) => {
            let (layer, problems) = Layer::repository(&String::from_utf8_lossy(&bytes));
            (Some(layer), problems)
        }
        Err(ObjectError::Missing) => (None, Vec::new()),
        Err(_) => {
            // The same as a text that is too long: it may have held private paths.
            let (layer, problems) = Layer::repository(&" ".repeat(config::MAX_CONFIG_BYTES + 1));
            (Some(layer), problems)
        }
    }
}

/// The built-in prompts with the organisation's and those of the policy over them, and what was wrong with these.
fn prompts(change: &Change, resolved: &Resolved) -> (PromptFiles, Vec<String>) {
    let mut files = PromptFiles::built_in();
    let mut broken = Vec::new();
    for (name, text) in &resolved.config.prompts {
        broken.extend(files.take(name, text.clone()).err().map(|p| format!("prompt of the organisation left out: {p}")));
    }
    let Some(objects) = &change.objects else { return (files, broken) };
    for entry in objects.policy_entries().unwrap_or_default() {
        let path = entry.path.display();
        let Some(name) = path.strip_prefix(REPOSITORY_PROMPTS).filter(|n| n.ends_with(".md") && *n != "README.md") else { continue };
        let taken = match objects.policy_file(&entry.path, MAX_PROMPT_BYTES) {
            _ if resolved.is_locked("prompts") => Err(format!("{name}: the organisation has locked `prompts`")),
            Ok(bytes) => files.take(name, String::from_utf8_lossy(&bytes).into_owned()),
            Err(e) => Err(format!("{name}: {e}")),
        };
        broken.extend(taken.err().map(|p| format!("prompt of the policy commit left out: {p}")));
    }
    (files, broken)
}
