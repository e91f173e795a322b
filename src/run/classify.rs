//! What the change deserves: noise, tier, signals, facts from lock files.

use super::Setup;
use crate::change::Change;
use crate::diff::{FileDiff, Side};
use crate::path::RepoPath;
use crate::risk::{self, Attributes, Noise, NoiseFilter, NoiseKind, Tier};
use crate::rules::facts::lockfile::lock_facts;
use std::collections::{BTreeSet, HashSet};
use std::ptr::from_ref;

/// A policy file larger than this is not read.
const MAX_POLICY_BYTES: u64 = 1 << 20;
/// Policy files of one name that are read.
const MAX_POLICY_FILES: usize = 500;

/// The classified change.
#[derive(Debug)]
pub struct Risk {
    /// Why a file is noise, by its index in `Change::files`.
    pub noise: Vec<Option<Noise>>,
    /// The tier.
    pub tier: Tier,
    /// Why this tier.
    pub reasons: Vec<String>,
    /// Names of the signals that call reviewers.
    pub signals: BTreeSet<String>,
    /// One line for each lock file.
    pub facts: Vec<String>,
    sensitive: BTreeSet<RepoPath>,
}

impl Risk {
    /// Whether no suggestion may be offered for a file: CI, policy, security-sensitive.
    pub fn is_sensitive(&self, path: &RepoPath) -> bool {
        self.sensitive.contains(path) || risk::is_policy(path)
    }
}

impl Setup {
    /// Classifies the change.
    pub fn classify(&self, change: &Change) -> Risk {
        let config = self.config();
        let attributes = policy_files(change, ".gitattributes");
        let attributes = Attributes::new(attributes.iter().map(|(path, text)| (path, text.as_str())));
        let texts = |file: &FileDiff, side: Side| change.text(file, side);
        let base = change.objects.as_ref().and_then(|o| o.entries(Side::Old).ok()).unwrap_or_default();
        let filter = NoiseFilter::new(config, attributes, base);
        let noise: Vec<Option<Noise>> = change.files.iter().map(|f| filter.judge(f, &texts)).collect();
        let facts = change
            .files
            .iter()
            .zip(&noise)
            .filter(|(_, n)| n.as_ref().is_some_and(|n| n.kind == NoiseKind::Lock))
            .filter_map(|(f, _)| facts(change, f))
            .collect();
        let noisy: HashSet<*const FileDiff> = change.files.iter().zip(&noise).filter(|(_, n)| n.is_some()).map(|(f, _)| from_ref(f)).collect();
        let filtered = |file: &FileDiff| noisy.contains(&from_ref(file));
        let choice = risk::choose_tier(&change.files, &filtered, config, self.scope.tier, false);
        let left: Vec<&FileDiff> = change.files.iter().filter(|f| !filtered(f)).collect();
        let signals = risk::signals(&left, config, &policy_files(change, "AGENTS.md"));
        let sensitive =
            change.files.iter().flat_map(|f| [&f.new_path, &f.old_path]).filter(|p| config.tiers.sensitive_paths.is_match(p)).cloned().collect();
        Risk { noise, tier: choice.tier, reasons: choice.reasons, signals: signals.keys().map(|s| s.name().to_owned()).collect(), facts, sensitive }
    }
}

fn policy_text(change: &Change, path: &RepoPath) -> Option<String> {
    let bytes = change.objects.as_ref()?.policy_file(path, MAX_POLICY_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The files of that name in the policy tree, at any depth.
fn policy_files(change: &Change, name: &str) -> Vec<(RepoPath, String)> {
    let Some(objects) = &change.objects else { return Vec::new() };
    let entries = objects.policy_entries().unwrap_or_default();
    let named = entries.iter().filter(|e| e.path.file_name() == name).take(MAX_POLICY_FILES);
    named.filter_map(|e| Some((e.path.clone(), policy_text(change, &e.path)?))).collect()
}

fn facts(change: &Change, file: &FileDiff) -> Option<String> {
    let text = |side| change.text(file, side).map(|t| t.as_str().to_owned());
    let (old, new) = (text(Side::Old), text(Side::New));
    let facts = lock_facts(file.path(), old.as_deref(), new.as_deref())?;
    Some(format!("{}: {}", file.path(), facts.summary()))
}
