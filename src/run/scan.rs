//! Reads all changed files, on all cores, each once: the rules run over it, and its symbols and words are kept for facts and
//! context. The rules see filtered files too: noise is no hiding place.

use super::validate::validate;
use super::waive::{Judged, Waivers};
use super::{Risk, Setup};
use crate::change::Change;
use crate::context::{Analysis, FileView, HitNote, affordable};
use crate::diff::{FileDiff, Side};
use crate::findings::hit::{HitInput, finding};
use crate::findings::texts::MaskedTexts;
use crate::findings::{Dropped, Finding};
use crate::lang::Source;
use crate::rules::facts::across::facts;
use crate::rules::waiver::Waived;
use crate::rules::{RuleHit, RuleSet, RuleStatus, TouchedLines};
use crate::secrets;
use crate::threads::{cores, together};
use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// What the rules saw of one file.
#[derive(Debug)]
pub struct FileScan {
    /// Its index in `Change::files`.
    pub file: usize,
    /// Hits on touched lines.
    pub hits: Vec<RuleHit>,
    /// What was not looked at, for a documented bound.
    pub bound: Option<String>,
    /// Whether its new side could be read as text (or there was nothing to read).
    pub read: bool,
}

/// What the rules found, with what configuration says about it.
#[derive(Debug, Default)]
pub struct Scanned {
    /// What was seen of each file, in the change's order; files are missing when the run was interrupted.
    pub files: Vec<FileScan>,
    /// What was read of the files that are no noise.
    pub analysis: Analysis,
    /// Hits that are shown.
    pub findings: Vec<Finding>,
    /// Hits of rules on trial: counted, not shown.
    pub dropped: Vec<Dropped>,
    /// Hits that a waiver covers.
    pub waived: Vec<Waived>,
    /// What the report should say about waivers, one line each.
    pub told: Vec<String>,
    /// The same hits, waived ones too, as evidence for reviewers.
    pub notes: Vec<HitNote>,
    /// Wall time.
    pub seconds: f64,
}

impl Setup {
    /// Reads every changed file and runs the rules over its new side. Ends early when `stop` is set.
    pub fn scan(&self, change: &Change, risk: &Risk, stop: &AtomicBool) -> Scanned {
        let started = Instant::now();
        let (files, analysis) = files(&self.rules, change, risk, stop);
        let mut out = Scanned { files, analysis, ..Scanned::default() };
        if self.scope.rules() {
            self.tell(change, risk, stop, &mut out);
            out.findings.extend(validate(change));
        }
        out.seconds = started.elapsed().as_secs_f64();
        out
    }

    /// Turns hits into findings.
    fn tell(&self, change: &Change, risk: &Risk, stop: &AtomicBool, out: &mut Scanned) {
        let texts = MaskedTexts::new(change);
        let waivers = Waivers::new(self, change, &texts);
        let mut told = Vec::new();
        for scan in out.files.iter().filter(|s| !s.hits.is_empty()) {
            let Some(file) = change.files.get(scan.file) else { continue };
            for hit in &scan.hits {
                told.push((file, Side::New, hit.clone(), None));
            }
        }
        if !stop.load(Ordering::Relaxed) {
            let noise = |i: usize| risk.noise.get(i).is_some_and(Option::is_some);
            for fact in facts(&self.rules, change, &out.analysis, &noise) {
                let Some(file) = change.files.get(fact.file) else { continue };
                let (start, end) = fact.lines;
                let hit = RuleHit { rule_id: fact.rule_id, start, end, message: Some(fact.message), suggestion: None };
                told.push((file, fact.side, hit, Some(fact.places).filter(|p| !p.is_empty())));
            }
        }
        for (file, side, hit, places) in &told {
            self.one(risk, &texts, &waivers, (file, *side, hit, places.as_deref()), out);
        }
        out.findings.extend(waivers.expired());
        out.told = waivers.useless(&self.rules);
    }

    /// Turns one hit into a finding, or what else becomes of it.
    fn one(&self, risk: &Risk, texts: &MaskedTexts<'_>, waivers: &Waivers<'_>, (file, side, hit, places): Told<'_>, out: &mut Scanned) {
        let Some(text) = texts.changed(file, side) else { return };
        let Some(rule) = self.rules.get(&hit.rule_id) else { return };
        let Some((status, severity)) = self.in_force(rule, file.path()) else { return };
        let path = if side == Side::Old { &file.old_path } else { &file.new_path };
        let symbol = texts.symbol(path, side, hit.start);
        let sensitive = risk.is_sensitive(file.path());
        let mut finding = finding(&HitInput { file, side, text: &text, symbol: symbol.as_ref(), mask: &secrets::mask, sensitive }, rule, hit);
        finding.severity = severity;
        if let Some(places) = places {
            finding.body = format!("It still stands in {places}.\n\n{}", finding.body);
        }
        if let Some(cited) = &mut finding.rule {
            cited.status = status;
        }
        if status == RuleStatus::Trial {
            let title = format!("{} ({}:{})", finding.title, file.path(), hit.start);
            return out.dropped.push(Dropped { title, reason: format!("{} is on trial", rule.id) });
        }
        let note = |title| HitNote { path: file.path().clone(), line: hit.start, rule_id: rule.id.clone(), title };
        out.notes.push(match waivers.judge(finding) {
            Judged::Stands(finding) => {
                let title = finding.title.clone();
                out.findings.push(*finding);
                note(title)
            }
            Judged::Waived(waived) => {
                let title = format!("{} (waived: {})", waived.title, waived.reason);
                out.waived.push(*waived);
                note(title)
            }
        });
    }
}

/// A hit, where it stands, and what its body adds.
type Told<'t> = (&'t FileDiff, Side, &'t RuleHit, Option<&'t str>);

/// Reads all files on all cores; results are in the change's order.
fn files(rules: &RuleSet, change: &Change, risk: &Risk, stop: &AtomicBool) -> (Vec<FileScan>, Analysis) {
    let wanted = |file: usize| risk.noise.get(file).is_some_and(Option::is_none);
    let parse = affordable(change, change, &wanted);
    // The largest first: one that comes last would keep the other cores waiting.
    let mut order: Vec<usize> = (0..change.files.len()).collect();
    order.sort_by_key(|i| Reverse(change.files[*i].changed_lines()));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let Some(&file) = order.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            done.push(one(rules, change, file, wanted(file).then_some(parse[file])));
        }
        done
    };
    // A small change is done before a second thread has started.
    let (mut all, others) = together(if change.files.len() < 4 { 1 } else { cores() }, work);
    // A thread that panicked has told why on standard error; its files are missing and end as failed.
    all.extend(others.into_iter().flat_map(Result::unwrap_or_default));
    let mut views: Vec<FileView> = Vec::new();
    views.resize_with(change.files.len(), FileView::default);
    let mut scans = Vec::with_capacity(all.len());
    for (scan, view) in all {
        views[scan.file] = view;
        scans.push(scan);
    }
    scans.sort_by_key(|s| s.file);
    (scans, Analysis::new(views))
}

/// Reads one file; `view`: whether its symbols are wanted, and if so, whether its texts may be parsed for them.
fn one(rules: &RuleSet, change: &Change, file: usize, view: Option<bool>) -> (FileScan, FileView) {
    let diff = &change.files[file];
    let touched = TouchedLines::of(diff);
    let new = if touched.is_empty() && view.is_none() { None } else { change.text(diff, Side::New) };
    let old = view.and_then(|_| change.text(diff, Side::Old)).map(|text| Source::new(&diff.old_path, text));
    let new = new.map(|text| match &old {
        Some(old) if view == Some(true) => Source::new(diff.path(), text).after(old, &diff.hunks),
        _ => Source::new(diff.path(), text),
    });
    let mut scan = FileScan { file, hits: Vec::new(), bound: None, read: touched.is_empty() || new.is_some() };
    if let Some(source) = &new {
        let found = rules.scan(diff.path(), source, &touched);
        (scan.hits, scan.bound) = (found.hits, found.bound);
    }
    let view = view.map(|parse| FileView::read(diff, old.as_ref(), new.as_ref(), &secrets::mask, parse));
    (scan, view.unwrap_or_default())
}
