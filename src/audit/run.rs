//! The audit's stages in their order: the files, the detectors, the plan, the auditors, the report.

use super::files::Files;
use super::judge::{Bench, Judged};
use super::merge::better;
use super::plan::{Unit, for_auditors, plan};
use super::report::{Audit, CheckedBy, Coverage, Provenance, Reviewers, RuleResult, SCHEMA, Shard, TreeInfo, Unseen};
use super::scan::{Scanned, Tally, scan};
use super::state::State;
use super::verdict::finish;
use crate::change::Change;
use crate::error::UserError;
use crate::findings::words::{cut, one_line};
use crate::path::RepoPath;
use crate::report::Outcome;
use crate::rules::{Rule, RuleSet};
use crate::run::{Setup, limit_reached};
use crate::telemetry::Events;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// Characters of a remedy taken from a rule's text.
const MAX_REMEDY: usize = 400;

/// What to audit, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder or file below the repository's root; empty: all of it.
    pub below: String,
    /// Only a part of the work.
    pub shard: Option<Shard>,
    /// Where answers are kept.
    pub resume: Option<PathBuf>,
    /// Why no model is to be asked, where none is.
    pub no_models: Option<String>,
}

/// Audits a tree by the rules in `rules`. What goes wrong with models is in the report; what ends in an error is a tree that cannot be
/// read (exit 4), a folder without files, or a state or gateway that cannot be used (exit 2).
pub async fn run(
    setup: &Setup,
    change: &Change,
    rules: &RuleSet,
    options: &Options,
    events: &Events,
    (stop, cancel): (&AtomicBool, CancellationToken),
) -> Result<Audit, UserError> {
    let files = Files::new(setup, change, &options.below)
        .map_err(|e| UserError::unreadable("the tree cannot be read", e.to_string(), "Check the repository with `git fsck`."))?;
    if files.all.is_empty() && files.special == 0 {
        let what = if options.below.is_empty() { "the tree is empty".to_owned() } else { format!("{} is not in {}", options.below, change.label) };
        return Err(UserError::usage("there are no files to audit", what, "Name a folder that git tracks, or audit the work tree: --rev worktree."));
    }
    let state = options.resume.as_deref().map(State::open).transpose()?;
    let client = if options.no_models.is_some() { None } else { setup.client(setup.caps(None), events)? };
    let share = options.shard.map_or((0, 1), |s| (s.index.saturating_sub(1) as usize, s.of.max(1) as usize));
    let scanned = scan(setup, rules, &files, share, stop);
    let mut audit = audit(setup, change, rules, options, &files);
    tell_scanned(&mut audit, rules, scanned);
    let asked_for = rules.iter().any(for_auditors);
    match &client {
        None if asked_for => audit.reviewers.not_asked = Some(options.no_models.clone().unwrap_or_else(no_gateway)),
        Some(client) if asked_for => {
            let plan = plan(setup, rules, &files);
            let mine: Vec<&Unit> = plan.units.iter().skip(share.0).step_by(share.1).collect();
            let bench = Bench {
                setup,
                rules,
                files: &files,
                plan: &plan,
                client,
                state: state.as_ref(),
                cancel,
                over: Mutex::default(),
                lost: AtomicBool::new(false),
            };
            let side_by_side = setup.config().limits.parallel.div_ceil(2).max(1);
            let judged: Vec<Judged> =
                futures::stream::iter(mine.into_iter().map(|unit| bench.judge(unit))).buffer_unordered(side_by_side).collect().await;
            tell_judged(&mut audit, judged);
            let reached: Vec<String> = client.gateway.reached().iter().map(|reached| limit_reached(&setup.resolved, reached, None)).collect();
            audit.notes.extend_from_slice(&reached);
            audit.notes.extend(client.gateway.take_notes());
            audit.incomplete.extend(reached);
            audit.notes.extend(client.gateway.tape_notes());
            audit.coverage.partial.extend(plan.withheld.iter().map(|(path, reason)| Unseen { path: path.clone(), reason: reason.clone() }));
            let over = bench.over.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            audit.incomplete.extend(over.map(|why| format!("The auditors were not asked to the end: {why}")));
            if bench.lost.load(Ordering::Relaxed) {
                audit.notes.push("Not all answers could be kept in the file that --resume names: a second run asks for them again.".to_owned());
            }
        }
        _ => {}
    }
    finish(&mut audit);
    Ok(audit)
}

fn no_gateway() -> String {
    "No gateway is configured, so no model judged it.".to_owned()
}

/// The report before anything is counted.
fn audit(setup: &Setup, change: &Change, rules: &RuleSet, options: &Options, files: &Files<'_>) -> Audit {
    let mut incomplete = Vec::new();
    if setup.policy_broken {
        incomplete.push("Something of the policy, or a source of rules, could not be used.".to_owned());
    }
    let unseen = |(path, reason): &(RepoPath, String)| Unseen { path: path.display().into_owned(), reason: reason.clone() };
    let oversized = change.oversized.iter().map(|(path, size)| Unseen { path: path.display().into_owned(), reason: format!("{size} bytes") });
    Audit {
        schema: SCHEMA.to_owned(),
        outcome: Outcome::Pass,
        tree: TreeInfo {
            commit: change.head_sha.clone(),
            digest: files.digest(),
            path: RepoPath::from(options.below.as_str()).display().into_owned(),
            label: one_line(&change.label),
        },
        shard: options.shard,
        provenance: Provenance {
            tribune: env!("CARGO_PKG_VERSION").to_owned(),
            policy_sha: setup.policy_sha.clone(),
            config_digest: setup.resolved.digest(),
            prompts_digest: setup.prompts.digest(),
            rules_digest: rules.digest(),
            rules: setup.rule_sources.iter().map(Into::into).collect(),
        },
        fail_on: setup.config().fail_on,
        rules: rules.iter().filter_map(|rule| result(setup, rule)).collect(),
        coverage: Coverage { failed: change.unreadable.iter().map(unseen).collect(), partial: oversized.collect(), ..Coverage::default() },
        reviewers: Reviewers::default(),
        incomplete,
        notes: change.notes.iter().chain(&setup.notes).map(|n| one_line(n)).collect(),
    }
}

/// A rule of which nothing is counted yet; `None` where the configuration has it off.
fn result(setup: &Setup, rule: &Rule) -> Option<RuleResult> {
    let (status, severity) = setup.in_force(rule, &RepoPath::from("."))?;
    let checked_by = match rule.has_detector {
        _ if rule.about_changes => CheckedBy::Change,
        true => CheckedBy::Detector,
        false => CheckedBy::Reviewers,
    };
    Some(RuleResult {
        id: rule.id.clone(),
        title: one_line(&rule.title),
        level: rule.level,
        status,
        severity,
        category: rule.category,
        source: rule.source.clone(),
        url: rule.url.clone(),
        owner: rule.owner.clone(),
        checked_by,
        verdict: super::report::Verdict::NotAssessed,
        reason: None,
        files: 0,
        files_broken: 0,
        places: 0,
        waived: 0,
        evidence: Vec::new(),
        remediation: None,
        parts: Vec::new(),
    })
}

fn tell_scanned(audit: &mut Audit, rules: &RuleSet, mut scanned: Scanned) {
    if scanned.interrupted {
        audit.incomplete.push("The audit was ended before all files were looked at.".to_owned());
    }
    let Coverage { looked, lines, left_out, partial, failed } = scanned.coverage;
    audit.coverage.partial.extend(partial);
    audit.coverage.failed.extend(failed);
    (audit.coverage.looked, audit.coverage.lines, audit.coverage.left_out) = (looked, lines, left_out);
    for rule in &mut audit.rules {
        let Some(tally) = scanned.rules.remove(&rule.id) else { continue };
        let Tally { files, files_broken, places, waived, severity, evidence } = tally;
        (rule.files, rule.files_broken, rule.places, rule.waived) = (files, files_broken, places, waived);
        rule.severity = rule.severity.max(severity.unwrap_or(rule.severity));
        rule.evidence = evidence.into_iter().collect();
        if places > 0 {
            rule.remediation = rules.get(&rule.id).map(|r| cut(&first_paragraph(&r.text), MAX_REMEDY));
        }
    }
}

fn first_paragraph(text: &str) -> String {
    text.trim().lines().take_while(|l| !l.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn tell_judged(audit: &mut Audit, judged: Vec<Judged>) {
    let mut rules: BTreeMap<String, usize> = audit.rules.iter().enumerate().map(|(i, r)| (r.id.clone(), i)).collect();
    rules.retain(|_, i| audit.rules[*i].checked_by == CheckedBy::Reviewers);
    let mut models = BTreeSet::new();
    let mut cost = Some(0);
    for unit in judged {
        let sum = &mut audit.reviewers;
        models.extend(unit.models);
        sum.requests += unit.requests;
        sum.input_tokens += unit.input_tokens;
        sum.cached_tokens += unit.cached_tokens;
        sum.output_tokens += unit.output_tokens;
        if unit.requests > 0 {
            cost = cost.zip(unit.cost).map(|(sum, more): (u64, u64)| sum + more);
        }
        for judged in unit.rules {
            let Some(rule) = rules.get(&judged.id).and_then(|i| audit.rules.get_mut(*i)) else { continue };
            let broken: BTreeSet<(&str, u32, u32)> = judged
                .evidence
                .iter()
                .filter(|e| e.shows == super::report::Shows::Breach)
                .map(|e| (e.path.as_str(), e.start_line, e.end_line))
                .collect();
            rule.places += broken.len() as u64;
            rule.files_broken += broken.iter().map(|(path, ..)| path).collect::<BTreeSet<_>>().len() as u64;
            rule.evidence.extend(judged.evidence);
            rule.remediation = better(rule.remediation.take(), judged.remedy);
            rule.parts.push(judged.part);
        }
    }
    audit.reviewers.models = models.into_iter().collect();
    audit.reviewers.cost_usd = cost.filter(|_| audit.reviewers.requests > 0).map(|billionths| billionths as f64 / 1e9);
}
