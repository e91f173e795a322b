//! Runs all detectors over all files of a shard: each file is read and parsed once for all rules, on all cores, and only
//! what is told of it stays in memory.

use super::files::{Files, Held};
use super::report::{Coverage, Evidence, LeftOut, MAX_EVIDENCE, Shows, Unseen};
use crate::config::Waiver;
use crate::findings::Severity;
use crate::findings::words::{cut, cut_bytes, one_line, visible};
use crate::git::TreeEntry;
use crate::lang::{Lang, Source};
use crate::rules::waiver::{self, Comment};
use crate::rules::{Rule, RuleHit, RuleSet, TouchedLines};
use crate::run::Setup;
use crate::secrets;
use crate::text::FileText;
use crate::threads::{cores, together};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Lines and bytes of a quote.
const MAX_QUOTE_LINES: u32 = 5;
const MAX_QUOTE: usize = 400;
/// Characters of a note.
const MAX_NOTE: usize = 300;

/// What was counted of one rule.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) files: u64,
    pub(super) files_broken: u64,
    pub(super) places: u64,
    pub(super) waived: u64,
    pub(super) severity: Option<Severity>,
    pub(super) evidence: BTreeSet<Evidence>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.files += other.files;
        self.files_broken += other.files_broken;
        self.places += other.places;
        self.waived += other.waived;
        self.severity = self.severity.max(other.severity);
        other.evidence.into_iter().for_each(|e| self.tell(e));
    }

    fn tell(&mut self, evidence: Evidence) {
        self.evidence.insert(evidence);
        if self.evidence.len() > MAX_EVIDENCE {
            self.evidence.pop_last();
        }
    }
}

/// What all detectors found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) rules: BTreeMap<String, Tally>,
    pub(super) coverage: Coverage,
    left_out: BTreeMap<&'static str, u64>,
    /// The run was ended before all files were looked at.
    pub(super) interrupted: bool,
}

impl Scanned {
    fn add(&mut self, other: Scanned) {
        for (id, tally) in other.rules {
            self.rules.entry(id).or_default().add(tally);
        }
        for (reason, files) in other.left_out {
            *self.left_out.entry(reason).or_default() += files;
        }
        self.coverage.looked += other.coverage.looked;
        self.coverage.lines += other.coverage.lines;
        self.coverage.partial.extend(other.coverage.partial);
        self.coverage.failed.extend(other.coverage.failed);
    }
}

/// Scans those of `files` whose place in the list leaves `shard.0` when divided by `shard.1`.
pub(super) fn scan(setup: &Setup, rules: &RuleSet, files: &Files<'_>, shard: (usize, usize), stop: &AtomicBool) -> Scanned {
    let mine: Vec<&TreeEntry> = files.all.iter().skip(shard.0).step_by(shard.1).copied().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut out = Scanned::default();
        while let Some(entry) = mine.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                out.interrupted = true;
                break;
            }
            one(setup, rules, files, entry, &mut out);
        }
        out
    };
    let (mut all, others) = together(cores(), work);
    for other in others {
        match other {
            Ok(more) => {
                all.interrupted |= more.interrupted;
                all.add(more);
            }
            // It has told why on standard error; what it had found is lost.
            Err(_) => all.interrupted = true,
        }
    }
    if shard.0 == 0 && files.special > 0 {
        *all.left_out.entry("link or submodule").or_default() += files.special;
    }
    all.coverage.left_out = all.left_out.iter().map(|(reason, files)| LeftOut { reason: (*reason).to_owned(), files: *files }).collect();
    all
}

fn one(setup: &Setup, rules: &RuleSet, files: &Files<'_>, entry: &TreeEntry, out: &mut Scanned) {
    let unseen = |reason: String| Unseen { path: entry.path.display().into_owned(), reason };
    let text = match files.read(entry) {
        Held::Text(text) => text,
        Held::Not(why) => return *out.left_out.entry(why).or_default() += 1,
        Held::TooLarge => return out.coverage.partial.push(unseen(format!("larger than {} MiB", crate::change::MAX_TEXT_BYTES >> 20))),
        Held::Failed(why) => return out.coverage.failed.push(unseen(why)),
    };
    let all = TouchedLines::all();
    let scan = if let Some(reason) = files.noise(entry, &text) {
        *out.left_out.entry(reason).or_default() += 1;
        let scan = rules.scan_secrets(&entry.path, &text, &all);
        for id in scan.hits.iter().map(|h| h.rule_id.as_str()).collect::<BTreeSet<_>>() {
            out.rules.entry(id.to_owned()).or_default().files += 1;
        }
        scan
    } else {
        out.coverage.looked += 1;
        out.coverage.lines += u64::from(text.line_count());
        let lang = Lang::of(&entry.path);
        for rule in rules.applicable(&entry.path, lang) {
            if setup.in_force(rule, &entry.path).is_some() && (rule.has_detector || may_judge(rule, lang)) {
                out.rules.entry(rule.id.clone()).or_default().files += 1;
            }
        }
        rules.scan(&entry.path, &Source::new(&entry.path, text.clone()), &all)
    };
    out.coverage.partial.extend(scan.bound.map(unseen));
    if scan.hits.is_empty() {
        return;
    }
    let masked = text.with_text(secrets::mask(text.as_str()).into_owned());
    let waivers = Waivers { setup, entry, comments: waiver::comments(&entry.path, &masked) };
    let mut broken = BTreeSet::new();
    for hit in scan.hits {
        let Some(rule) = rules.get(&hit.rule_id) else { continue };
        let Some((_, severity)) = setup.in_force(rule, &entry.path) else { continue };
        let tally = out.rules.entry(hit.rule_id.clone()).or_default();
        tally.severity = tally.severity.max(Some(severity));
        let reason = waivers.of(&hit);
        if reason.is_some() {
            tally.waived += 1;
        } else {
            tally.places += 1;
            tally.files_broken += u64::from(broken.insert(hit.rule_id.clone()));
        }
        tally.tell(evidence(entry, &masked, &hit, reason));
    }
}

/// Whether models judge a rule in a file of this language: in source code, and where the rule names paths.
pub(super) fn may_judge(rule: &Rule, lang: Option<Lang>) -> bool {
    lang.is_some() || rule.paths.iter().any(|p| !p.starts_with('!'))
}

struct Waivers<'a> {
    setup: &'a Setup,
    entry: &'a TreeEntry,
    comments: Vec<Comment>,
}

impl Waivers<'_> {
    /// Why a hit is waived, if it is. What stands in the audited tree counts: nobody brings it in by the audit.
    fn of(&self, hit: &RuleHit) -> Option<String> {
        let dated = |w: &&Waiver| w.rule == hit.rule_id && w.until >= self.setup.today && w.paths.is_match(&self.entry.path);
        if let Some(entry) = self.setup.config().waivers.iter().find(dated) {
            return Some(format!("{} (until {})", entry.reason, entry.until));
        }
        let comment = self.comments.iter().find(|c| c.rule_id == hit.rule_id && !c.reason.is_empty() && c.covers((hit.start, hit.end)))?;
        Some(comment.reason.clone())
    }
}

fn evidence(entry: &TreeEntry, masked: &FileText, hit: &RuleHit, waived: Option<String>) -> Evidence {
    let shows = if waived.is_some() { Shows::Waived } else { Shows::Breach };
    let note = waived.map(|reason| secrets::mask(&reason).into_owned()).or_else(|| hit.message.clone());
    Evidence {
        shows,
        path: entry.path.display().into_owned(),
        start_line: hit.start,
        end_line: hit.end,
        quote: quote(masked, hit.start, hit.end),
        note: note.map(|n| cut(&one_line(&visible(&n)), MAX_NOTE)),
    }
}

/// Lines of a masked text, short.
pub(super) fn quote(masked: &FileText, start: u32, end: u32) -> String {
    let last = end.min(start.saturating_add(MAX_QUOTE_LINES - 1));
    let lines: Vec<&str> = (start..=last).filter_map(|n| masked.line(n)).collect();
    let text = visible(&lines.join("\n")).into_owned();
    let short = cut_bytes(&text, MAX_QUOTE);
    if short.len() < text.len() || last < end { format!("{short}…") } else { text }
}
