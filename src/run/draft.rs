//! Findings on their way to a review: what was found, what was dropped, who looked at what.

use super::Prepared;
use super::collect::files_of;
use super::waive::{Judged, Waivers};
use crate::config::SummaryWhen;
use crate::context::Bundle;
use crate::diff::{FileDiff, FileMode, LineKind, Side};
use crate::findings::parse::PriorAnswer;
use crate::findings::texts::MaskedTexts;
use crate::findings::{Dropped, Finding, FindingSource};
use crate::forge::Span;
use crate::gateway::Usage;
use crate::history::{Prior, Record};
use crate::judge::{summary, verdict};
use crate::path::RepoPath;
use crate::report::{ChangeInfo, Outcome, Posting, Provenance, Review, ReviewerRun, ReviewerStatus, Sources};
use crate::risk::{self, Ledger, NoiseKind};
use crate::rules::waiver::Waived;
use std::collections::{BTreeMap, BTreeSet};

/// What is known so far.
pub struct Draft<'a> {
    /// What everything is about.
    pub prepared: &'a Prepared,
    /// Findings, in no order.
    pub findings: Vec<Finding>,
    /// What is not shown.
    pub dropped: Vec<Dropped>,
    /// What waivers cover.
    pub waived: Vec<Waived>,
    /// Who ran.
    pub runs: Vec<ReviewerRun>,
    /// What the report should say.
    pub notes: Vec<String>,
    /// The judge's sentences.
    pub summary: Option<String>,
    /// Texts that findings stand in.
    pub texts: MaskedTexts<'a>,
    /// The run was ended from outside before it was done.
    pub interrupted: bool,
    /// A limit on money, tokens or time was reached.
    pub(super) limited: bool,
    /// What reviewers say of earlier findings: who, and what.
    pub answers: Vec<(String, PriorAnswer)>,
    /// What became of earlier findings.
    pub prior: Vec<Prior>,
    /// What the next round has to know of all findings.
    pub(super) records: Vec<Record>,
    /// By reviewer: the files that it completed on.
    pub(super) completed: BTreeMap<String, BTreeSet<RepoPath>>,
    ledger: Ledger,
}

impl<'a> Draft<'a> {
    /// The rules' findings and the ledger as it stands before any model.
    pub(super) fn new(prepared: &'a Prepared) -> Self {
        let change = &prepared.change;
        let mut draft = Self {
            prepared,
            findings: prepared.scanned.findings.clone(),
            dropped: prepared.scanned.dropped.clone(),
            waived: prepared.scanned.waived.clone(),
            runs: Vec::new(),
            notes: change.notes.iter().chain(&prepared.setup.notes).chain(&prepared.scanned.told).cloned().collect(),
            summary: None,
            texts: MaskedTexts::new(change),
            interrupted: false,
            limited: false,
            answers: Vec::new(),
            prior: Vec::new(),
            records: Vec::new(),
            completed: BTreeMap::new(),
            ledger: Ledger::new(&change.files),
        };
        draft.open_ledger();
        draft.runs.push(ReviewerRun {
            id: "rules".to_owned(),
            model: None,
            status: if prepared.setup.scope.rules() { ReviewerStatus::Completed } else { ReviewerStatus::Skipped },
            reason: (!prepared.setup.scope.rules()).then(|| "not among --only".to_owned()),
            seconds: prepared.scanned.seconds,
            requests: 0,
            usage: Usage::default(),
            first_token_seconds: None,
            models: Vec::new(),
            findings: draft.findings.len(),
        });
        if prepared.rules_not_shown > 0 {
            draft.notes.push(format!(
                "{} rules that apply have no line of their own in the reviewers' prompt: they are counted there by topic, and can be read.",
                prepared.rules_not_shown
            ));
        }
        draft
    }

    fn open_ledger(&mut self) {
        let prepared = self.prepared;
        let change = &prepared.change;
        let models = prepared.setup.gateway.is_some();
        let config = prepared.setup.config();
        for (i, file) in change.files.iter().enumerate() {
            let path = file.path();
            if let Some(noise) = prepared.risk.noise.get(i).and_then(Option::as_ref) {
                if noise.kind == NoiseKind::Oversized {
                    self.ledger.bounded(path, noise.reason.clone());
                } else {
                    self.ledger.filtered(path, noise.reason.clone());
                }
            } else if models && (config.is_private(&file.new_path) || config.is_private(&file.old_path)) {
                self.ledger.filtered(path, "private path: rules only, no model");
            }
            match prepared.scanned.files.binary_search_by_key(&i, |s| s.file).ok().and_then(|at| prepared.scanned.files.get(at)) {
                Some(scan) => {
                    if scan.read || !regular(file) {
                        self.ledger.looked(path, "rules");
                    } else if prepared.risk.noise.get(i).is_some_and(Option::is_none) {
                        self.ledger.bounded(path, format!("larger than {} MiB: the rules did not run on it", crate::change::MAX_TEXT_BYTES >> 20));
                    }
                    if let Some(bound) = &scan.bound {
                        self.ledger.bounded(path, bound.clone());
                    }
                }
                None => self.ledger.missed(path, "rules", "the run was interrupted"),
            }
        }
        for (path, reason) in &change.unreadable {
            self.ledger.unreadable(path, reason.clone());
        }
        for (path, size) in &change.oversized {
            self.ledger.filtered(path, format!("{} MiB: too large to look at", size >> 20));
        }
        if let Some(earlier) = &prepared.earlier {
            for file in earlier.outlined.iter().filter_map(|i| change.files.get(*i)) {
                self.ledger.reviewed_before(file.path(), earlier.remark());
            }
        }
        for shared in &prepared.shared {
            for (path, reason) in &shared.bounded {
                self.ledger.bounded(path, reason.clone());
            }
        }
        let invisible: usize = prepared.shared.iter().map(|s| s.invisible).sum();
        if invisible > 0 {
            self.notes.push(format!("{invisible} invisible or direction-changing characters were removed from what models were shown."));
        }
    }

    /// Takes out what a waiver covers of the findings that cite a rule: a model's, too.
    pub(super) fn waive(&mut self) {
        let findings = std::mem::take(&mut self.findings);
        let waivers = Waivers::new(&self.prepared.setup, &self.prepared.change, &self.texts);
        let mut left = Vec::new();
        for finding in findings {
            match finding.source {
                FindingSource::Rule => left.push(finding),
                FindingSource::Model => match waivers.judge(finding) {
                    Judged::Stands(finding) => left.push(*finding),
                    Judged::Waived(waived) => self.waived.push(*waived),
                },
            }
        }
        self.findings = left;
    }

    /// A reviewer reported on a bundle.
    pub(super) fn looked(&mut self, bundle: &Bundle, who: &str) {
        for path in files_of(self.prepared, bundle) {
            self.ledger.looked(path, who);
        }
    }

    /// A reviewer failed on a bundle.
    pub(super) fn missed(&mut self, bundle: &Bundle, who: &str, why: &str) {
        for path in files_of(self.prepared, bundle) {
            self.ledger.missed(path, who, why);
        }
    }

    /// The review, and the code that its findings stand in.
    pub fn finish(mut self) -> (Review, Sources) {
        let prepared = self.prepared;
        let config = prepared.setup.config();
        verdict::sort(&mut self.findings);
        self.dropped.sort_by(|a, b| (&a.title, &a.reason).cmp(&(&b.title, &b.reason)));
        self.waived.sort_by(|a, b| (&a.path, a.lines, &a.rule_id, &a.title).cmp(&(&b.path, b.lines, &b.rule_id, &b.title)));
        let coverage = self.ledger.finish();
        let gates = prepared.setup.rollout.may_gate();
        let inconclusive = self.interrupted || self.limited || prepared.setup.policy_broken || risk::inconclusive(&coverage);
        let earlier = prepared.earlier.as_ref();
        // Opened by hand for this head only.
        let glass = earlier.and_then(|e| e.humans.glass.as_ref()).filter(|g| prepared.change.head_sha.as_deref() == Some(&g.head));
        let mut usage = Usage::default();
        for run in self.runs.iter().filter(|r| r.requests > 0) {
            usage.add(&run.usage);
        }
        let lines = |kind: LineKind| prepared.change.files.iter().flat_map(|f| &f.hunks).flat_map(|h| &h.lines).filter(|l| l.kind == kind).count();
        let gateway_host = prepared.setup.gateway.as_ref().and_then(|g| g.first_endpoint()).map(|e| host(&e.url));
        let mut sources = Sources::default();
        for f in &self.findings {
            let path = match (f.side, &f.old_path) {
                (Side::Old, Some(old)) => old,
                _ => &f.path,
            };
            // Rules' findings were anchored by others: their texts may not have been asked for yet.
            let text = self.texts.known(path, f.side).or_else(|| {
                let file = prepared.change.files.iter().find(|d| d.new_path == f.path)?;
                self.texts.changed(file, f.side)
            });
            if let Some(text) = text {
                sources.insert(path.clone(), f.side, (*text).clone());
            }
        }
        let spans = self.findings.iter().map(|f| span(&prepared.change.files, f)).collect();
        let path_fail_on = self.findings.iter().map(|f| config.at(&f.path).own_fail_on().filter(|_| gates)).collect();
        let mut review = Review {
            outcome: Outcome::Inconclusive,
            verdict: verdict::verdict(&self.findings),
            provenance: Provenance {
                tribune: env!("CARGO_PKG_VERSION").to_owned(),
                policy_sha: prepared.setup.policy_sha.clone(),
                config_digest: prepared.setup.resolved.digest(),
                prompts_digest: prepared.setup.prompts.digest(),
                rules: prepared.setup.rule_sources.clone(),
                gateway_host,
                prices: prepared.setup.price_list(),
            },
            tier: prepared.risk.tier,
            tier_reasons: prepared.risk.reasons.clone(),
            change: ChangeInfo {
                base_sha: prepared.change.base_sha.clone(),
                head_sha: prepared.change.head_sha.clone(),
                label: prepared.change.label.clone(),
                files: coverage.len(),
                lines_added: lines(LineKind::Added),
                lines_removed: lines(LineKind::Removed),
            },
            summary: self.summary.unwrap_or_else(|| summary::by_code(&self.findings)),
            // What models saw before and need not see again, they have looked at.
            models_looked: earlier.is_some_and(|e| !e.outlined.is_empty())
                || self.runs.iter().any(|r| r.id != "rules" && r.id != "coordinator" && r.model.is_some()),
            findings: self.findings,
            dropped: self.dropped,
            waived: self.waived,
            reviewers: self.runs,
            coverage,
            usage,
            notes: self.notes,
            seconds: prepared.started.elapsed().as_secs_f64(),
            fail_on: config.fail_on.filter(|_| gates),
            target: earlier.map(|e| e.past.target.clone()),
            round: earlier.map_or(1, |e| e.past.round()),
            prior: self.prior,
            override_: glass.cloned(),
            spent_before_usd: earlier.and_then(|e| e.past.spent_usd()),
            next: None,
            spans,
            path_fail_on,
            posting: earlier.map(|_| Posting { inline_max: config.post.inline_max, always: config.summary == SummaryWhen::Always }),
        };
        review.conclude(inconclusive);
        if let Some(earlier) = earlier {
            review.next = Some(earlier.next(prepared, &review, !inconclusive, self.records));
        }
        (review, sources)
    }
}

/// Where a finding's lines stand in the diff.
fn span(files: &[FileDiff], finding: &Finding) -> Option<Span> {
    let lines = finding.anchor.lines()?;
    Span::of(files.iter().find(|f| f.new_path == finding.path || f.old_path == finding.path)?, finding.side, lines.start, lines.end)
}

/// Whether the new side is a regular file with contents that rules could run on.
fn regular(file: &FileDiff) -> bool {
    matches!(file.new_mode, Some(FileMode::Regular | FileMode::Executable) | None)
}

/// Host and port of a checked URL; `replay` for a recording.
fn host(url: &str) -> String {
    if url.starts_with(crate::config::REPLAY) {
        return "replay".to_owned();
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest).to_owned()
}
