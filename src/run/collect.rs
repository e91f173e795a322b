//! What reviewers reported, anchored and checked.

use super::{Draft, Prepared};
use crate::context::Bundle;
use crate::diff::{FileDiff, Side};
use crate::findings::anchor::AnchorInput;
use crate::findings::check::{CheckInput, check};
use crate::findings::hit::rule_ref;
use crate::findings::texts::MaskedTexts;
use crate::findings::{Dropped, Proposal, RuleRef, Severity};
use crate::lang::Lang;
use crate::path::RepoPath;
use crate::report::{ModelRun, ReviewerRun, ReviewerStatus};
use crate::reviewers::definition::Reviewer;
use crate::reviewers::run::{Desk, TaskResult};
use crate::secrets;
use std::collections::{BTreeMap, BTreeSet};

/// Turns the results of all tasks into findings, and keeps account of who looked at what.
pub fn collect<'a>(prepared: &'a Prepared, desk: Option<&Desk>, results: Vec<TaskResult>) -> Draft<'a> {
    let mut draft = Draft::new(prepared);
    let Some(desk) = desk else { return draft };
    for reviewer in &prepared.reviewers {
        let of: Vec<&TaskResult> = results.iter().filter(|r| r.reviewer == reviewer.profile.id).collect();
        let mut failures: Vec<String> = Vec::new();
        let mut found = 0;
        let (mut seen, mut unseen): (BTreeSet<RepoPath>, BTreeSet<RepoPath>) = Default::default();
        for (i, bundle) in prepared.bundles.iter().enumerate() {
            match of.iter().find(|r| r.bundle == i + 1).map(|r| &r.report) {
                Some(Ok(report)) => {
                    seen.extend(files_of(prepared, bundle).into_iter().cloned());
                    draft.answers.extend(report.prior.iter().map(|a| (reviewer.profile.id.clone(), a.clone())));
                    found += report.proposals.len();
                    draft.looked(bundle, &reviewer.profile.id);
                    draft.dropped.extend(report.dropped.iter().cloned());
                    take(prepared, &mut draft, reviewer, &report.proposals);
                }
                Some(Err(why)) => {
                    unseen.extend(files_of(prepared, bundle).into_iter().cloned());
                    draft.missed(bundle, &reviewer.profile.id, why);
                    failures.push(why.clone());
                }
                None => {
                    unseen.extend(files_of(prepared, bundle).into_iter().cloned());
                    let why = "it ended inside the program".to_owned();
                    draft.missed(bundle, &reviewer.profile.id, &why);
                    failures.push(why);
                }
            }
        }
        draft.completed.insert(reviewer.profile.id.clone(), seen.difference(&unseen).cloned().collect());
        let stats = desk.gateway.stats(&reviewer.profile.id);
        failures.dedup();
        draft.runs.push(ReviewerRun {
            id: reviewer.profile.id.clone(),
            model: answered(&of),
            status: if failures.is_empty() { ReviewerStatus::Completed } else { ReviewerStatus::Failed },
            reason: (!failures.is_empty()).then(|| failures.join("; ")),
            seconds: of.iter().map(|r| r.time.as_secs_f64()).fold(0.0, f64::max),
            requests: stats.requests,
            usage: stats.usage,
            first_token_seconds: stats.first_token_seconds(),
            models: ModelRun::all(&stats),
            findings: found,
        });
    }
    draft.notes.extend(desk.gateway.take_notes());
    draft.waive();
    draft
}

/// The models that answered, each once, in the order of the bundles: a chain can end at another one in each.
fn answered(of: &[&TaskResult]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in of.iter().filter_map(|r| r.model.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// Checks one report. Proposals are grouped by the confidence that their path asks for.
fn take(prepared: &Prepared, draft: &mut Draft<'_>, reviewer: &Reviewer, proposals: &[Proposal]) {
    let config = prepared.setup.config();
    let mut groups: BTreeMap<u64, (f64, Vec<Proposal>)> = BTreeMap::new();
    for proposal in proposals {
        let view = config.at(&RepoPath::from(proposal.path.as_str()));
        if !view.reviewer_enabled(&reviewer.profile.id) {
            draft
                .dropped
                .push(Dropped { title: proposal.title.clone(), reason: format!("the {} reviewer is off for this path", reviewer.profile.id) });
            continue;
        }
        let least = view.min_confidence();
        groups.entry(least.to_bits()).or_insert_with(|| (least, Vec::new())).1.push(proposal.clone());
    }
    let texts: &MaskedTexts<'_> = &draft.texts;
    let text = |file: &FileDiff, side: Side| texts.changed(file, side);
    let elsewhere = |path: &RepoPath| texts.elsewhere(path);
    let symbol = |path: &RepoPath, side: Side, line: u32| texts.symbol(path, side, line);
    let rule = |id: &str| applicable(prepared, id);
    let sensitive = |path: &RepoPath| prepared.risk.is_sensitive(path);
    let mut all = Vec::new();
    for (min_confidence, group) in groups.into_values() {
        let input = CheckInput {
            anchor: AnchorInput { files: &prepared.change.files, text: &text, elsewhere: &elsewhere },
            reviewer: &reviewer.profile.id,
            category: reviewer.profile.category,
            min_confidence,
            rule: &rule,
            mask: &secrets::mask,
            sensitive: &sensitive,
            symbol: &symbol,
        };
        all.push(check(&input, &group));
    }
    for checked in all {
        draft.findings.extend(checked.findings);
        draft.dropped.extend(checked.dropped);
        if checked.citations_removed > 0 {
            draft.notes.push(format!(
                "{} citations of rules that do not exist or do not apply here were removed ({}).",
                checked.citations_removed, reviewer.profile.id
            ));
        }
    }
}

/// The rule of that id and the worst that a breach of it is in a file of the change, if it applies to one and is not off there.
fn applicable(prepared: &Prepared, id: &str) -> Option<(RuleRef, Severity)> {
    let rule = prepared.setup.rules.get(id)?;
    let files = prepared.change.files.iter().map(FileDiff::path).filter(|p| prepared.setup.rules.applies(id, p, Lang::of(p)));
    let worst = files.filter_map(|p| prepared.setup.in_force(rule, p)).map(|(_, severity)| severity).max()?;
    Some((rule_ref(rule), worst))
}

/// The files of a bundle, each once.
pub(super) fn files_of<'a>(prepared: &'a Prepared, bundle: &Bundle) -> Vec<&'a RepoPath> {
    let mut indices: Vec<usize> = bundle.parts.iter().map(|p| p.file).collect();
    indices.sort_unstable();
    indices.dedup();
    indices.into_iter().filter_map(|i| prepared.change.files.get(i)).map(FileDiff::path).collect()
}
