//! The shared texts of all bundles of a run.

use super::{Analysis, Bundle, ContextInput, HitNote, Mask, Private, Shared, default_budget, shared};
use crate::change::Change;
use crate::path::RepoPath;

/// What all bundles of a run have in common.
pub struct Packing<'a> {
    /// The change.
    pub change: &'a Change,
    /// What was read of the changed files.
    pub analysis: &'a Analysis,
    /// All bundles.
    pub bundles: &'a [Bundle],
    /// Files (indices) that reviewers have seen before as they stand: shown as outline only.
    pub outlined: &'a [usize],
    /// Hits of rules in all files.
    pub rule_hits: &'a [HitNote],
    /// One line for each lock file.
    pub facts: &'a [String],
    /// The rules that reviewers judge.
    pub rules_index: &'a str,
    /// Paths that no model may see.
    pub private: Private<'a>,
    /// Masks secrets.
    pub mask: Mask<'a>,
    /// The state key.
    pub key: Option<&'a [u8]>,
    /// Tokens for everything but the diff, where that is configured.
    pub context_tokens: Option<u64>,
}

/// Writes the shared text of each bundle, in order.
pub fn pack(packing: &Packing<'_>) -> Vec<Shared> {
    packing.bundles.iter().map(|bundle| one(packing, bundle)).collect()
}

fn one(packing: &Packing<'_>, bundle: &Bundle) -> Shared {
    let here = |index: usize| bundle.parts.iter().any(|p| p.file == index);
    let files = &packing.change.files;
    let other_files: Vec<RepoPath> =
        files.iter().enumerate().filter(|(i, _)| !here(*i) && !packing.outlined.contains(i)).map(|(_, f)| f.path().clone()).collect();
    let in_bundle = |path: &RepoPath| bundle.parts.iter().any(|p| files.get(p.file).is_some_and(|f| f.path() == path));
    let rule_hits: Vec<HitNote> = packing.rule_hits.iter().filter(|h| in_bundle(&h.path)).cloned().collect();
    shared(&ContextInput {
        change: packing.change,
        repo: packing.change,
        analysis: packing.analysis,
        bundle,
        other_files: &other_files,
        outlined: packing.outlined,
        rule_hits: &rule_hits,
        facts: packing.facts,
        rules_index: packing.rules_index,
        private: packing.private,
        mask: packing.mask,
        key: packing.key,
        budget_tokens: packing.context_tokens.unwrap_or_else(|| default_budget(bundle.tokens)),
    })
}
