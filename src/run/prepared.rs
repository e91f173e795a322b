//! A change that is classified, scanned and packed: all that can be known without a model.

use super::{Earlier, Risk, Scanned, Setup};
use crate::change::Change;
use crate::context::{self, Bundle, Packing, Shared};
use crate::diff::FileDiff;
use crate::error::UserError;
use crate::history::Past;
use crate::lang::Lang;
use crate::path::RepoPath;
use crate::reviewers::definition::Reviewer;
use crate::reviewers::select::select;
use crate::rules::{Rule, index};
use crate::secrets;
use crate::telemetry::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::Instant;

/// Everything that is known before the first model call.
pub struct Prepared {
    /// When the run began.
    pub started: Instant,
    /// What the run goes by.
    pub setup: Setup,
    /// The change.
    pub change: Arc<Change>,
    /// What it deserves.
    pub risk: Risk,
    /// What the rules saw.
    pub scanned: Scanned,
    /// The reviewers that this change gets (whether or not a gateway is there to ask).
    pub reviewers: Vec<Reviewer>,
    /// What reviewers are shown; empty where no model will look and no plan was asked for.
    pub bundles: Vec<Bundle>,
    /// The shared text of each bundle.
    pub shared: Vec<Shared>,
    /// Rules for which the index had no room.
    pub rules_not_shown: usize,
    /// What earlier rounds of the same merge request mean for this one; `None` without a merge request.
    pub earlier: Option<Earlier>,
}

impl Prepared {
    /// Chooses reviewers, and packs what they are shown if a model will look at it or `plan` wants to know.
    pub fn new(
        started: Instant,
        setup: Setup,
        change: Arc<Change>,
        risk: Risk,
        scanned: Scanned,
        past: Option<Past>,
        plan: bool,
    ) -> Result<Self, UserError> {
        let judged = judged_rules(&setup, &change, &risk);
        let mut signals: BTreeSet<String> = risk.signals.clone();
        if !judged.is_empty() {
            signals.insert("codex".to_owned());
        }
        let (rules_index, rules_not_shown) = index::index(&judged);
        let reviewers: Vec<Reviewer> = select(&setup.prompts, setup.config(), risk.tier, &signals, &setup.scope.only)?.into_iter().cloned().collect();
        let ids: Vec<&str> = reviewers.iter().map(|r| r.profile.id.as_str()).collect();
        let earlier = past.map(|p| Earlier::new(p, &setup, &change, &shown(&setup, &change, &risk), ids.join(",")));
        let mut prepared =
            Self { started, setup, change, risk, scanned, reviewers, bundles: Vec::new(), shared: Vec::new(), rules_not_shown, earlier };
        if prepared.setup.gateway.is_some() || plan {
            prepared.pack(&rules_index);
        }
        Ok(prepared)
    }

    fn pack(&mut self, rules_index: &str) {
        let shown = self.shown();
        let config = self.setup.config();
        let private = |path: &RepoPath| config.is_private(path);
        let mut analysis = mem::take(&mut self.scanned.analysis);
        analysis.retain(&self.change, &shown, &private);
        let outlined: Vec<usize> = self.earlier.iter().flat_map(|e| e.outlined.iter().copied()).collect();
        let fresh: Vec<usize> = shown.iter().copied().filter(|i| !outlined.contains(i)).collect();
        self.bundles = context::bundles(&self.change, &fresh, &analysis, config.limits.bundle_tokens);
        self.shared = context::pack(&Packing {
            change: &self.change,
            analysis: &analysis,
            bundles: &self.bundles,
            outlined: &outlined,
            rule_hits: &self.scanned.notes,
            facts: &self.risk.facts,
            rules_index,
            private: &private,
            mask: &secrets::mask,
            key: self.setup.state_key.as_deref(),
            context_tokens: config.limits.context_tokens,
        });
    }

    /// Indices of the files that models are shown.
    pub fn shown(&self) -> Vec<usize> {
        shown(&self.setup, &self.change, &self.risk)
    }

    /// Names of the languages of a bundle, most changed lines first, as checklists are named.
    pub(super) fn languages(&self, bundle: &Bundle) -> Vec<&'static str> {
        let mut lines: BTreeMap<&'static str, usize> = BTreeMap::new();
        for file in bundle.parts.iter().filter_map(|p| self.change.files.get(p.file)) {
            if let Some(lang) = Lang::of(file.path()) {
                let name = match lang.name() {
                    "typescript" | "tsx" => "javascript",
                    other => other,
                };
                *lines.entry(name).or_default() += file.changed_lines();
            }
        }
        let mut names: Vec<(&'static str, usize)> = lines.into_iter().collect();
        names.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
        names.into_iter().map(|(name, _)| name).collect()
    }

    /// The event that says what was planned.
    pub fn planned(&self) -> Event {
        Event::Planned {
            files: self.change.files.len(),
            lines: self.change.files.iter().map(FileDiff::changed_lines).sum(),
            tier: self.risk.tier.name().to_owned(),
            reviewers: if self.setup.gateway.is_some() { self.reviewers.iter().map(|r| r.profile.id.clone()).collect() } else { Vec::new() },
            bundles: self.bundles.len(),
        }
    }
}

fn shown(setup: &Setup, change: &Change, risk: &Risk) -> Vec<usize> {
    let config = setup.config();
    let open = |(i, f): &(usize, &FileDiff)| {
        risk.noise.get(*i).is_some_and(Option::is_none) && !config.is_private(&f.new_path) && !config.is_private(&f.old_path)
    };
    change.files.iter().enumerate().filter(open).map(|(i, _)| i).collect()
}

/// The rules without a detector that apply to what models are shown.
fn judged_rules<'a>(setup: &'a Setup, change: &Change, risk: &Risk) -> Vec<&'a Rule> {
    let mut ids = BTreeMap::new();
    for file in shown(setup, change, risk).into_iter().filter_map(|i| change.files.get(i)) {
        for rule in setup.rules.applicable(file.path(), Lang::of(file.path())) {
            if !rule.has_detector && setup.in_force(rule, file.path()).is_some() {
                ids.insert(rule.id.clone(), rule);
            }
        }
    }
    ids.into_values().collect()
}
