//! Lays what was found beside what was told before: the same defect keeps its fingerprint and is not new, what is gone is
//! fixed, what humans settled stays settled, and what nobody told again but is still there stays. Code decides all of this; a
//! model is heard on one thing only, whether its own finding is fixed, and only where the code around it was pushed to.

use super::humans::Humans;
use super::past::{Past, Standing};
use super::round::Prior;
use super::state::{Place, Record, Status};
use super::whereabouts::{Ground, Now};
use crate::diff::Side;
use crate::findings::aside;
use crate::findings::fingerprint::same_defect;
use crate::findings::parse::PriorAnswer;
use crate::findings::{Anchor, Dropped, Finding, FindingSource, FindingStatus, RuleRef, Severity};
use crate::path::RepoPath;

/// Spans of one defect may differ by so many lines.
const WIDER: u32 = 8;
/// A reviewer's reason is cut to so many characters.
const MAX_WHY: usize = 300;

/// What this run knows, besides what it found.
pub(crate) struct Facts<'a> {
    /// This head.
    pub(crate) ground: &'a Ground<'a>,
    /// Whether a reviewer (or `rules`) was shown the whole of a file and completed.
    pub(crate) completed: &'a dyn Fn(&str, &RepoPath) -> bool,
    /// What reviewers say of earlier findings: who, and what.
    pub(crate) answers: &'a [(String, PriorAnswer)],
    /// A rule of that id.
    pub(crate) rule: &'a dyn Fn(&str) -> Option<RuleRef>,
    /// Whether a complete earlier round reviewed a file as it stood in the head before, by its name now.
    pub(crate) reviewed: &'a dyn Fn(&RepoPath) -> bool,
    /// The head that is reviewed now.
    pub(crate) head: &'a str,
}

/// What is left to tell, and to remember.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Reconciled {
    pub(crate) findings: Vec<Finding>,
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) prior: Vec<Prior>,
    pub(crate) records: Vec<Record>,
}

/// Reconciles what was found with what was told before.
pub(crate) fn reconcile(past: &Past, humans: &Humans, facts: &Facts<'_>, found: Vec<Finding>) -> Reconciled {
    let standing = past.standing(humans);
    let places: Vec<Now> = standing.iter().map(|s| facts.ground.find(s.record)).collect();
    let partner = pair(&standing, &places, &found);
    let mut work = Work { past, humans, facts, out: Reconciled::default() };
    for (i, finding) in found.into_iter().enumerate() {
        match partner.iter().position(|p| *p == Some(i)) {
            Some(at) => work.again(&standing[at], &places[at], finding),
            None => work.first_told(finding),
        }
    }
    for ((standing, now), partner) in standing.iter().zip(&places).zip(&partner) {
        if partner.is_none() {
            work.not_told(standing, now);
        }
    }
    let fixed = past.memory.records().into_iter().filter(|r| r.status == Status::Fixed);
    let again = |r: &&Record| !work.out.records.iter().any(|o| o.fingerprint == r.fingerprint);
    let fixed: Vec<Record> = fixed.filter(again).cloned().collect();
    work.out.records.extend(fixed);
    work.out
}

/// For each earlier finding the one that tells it again: the same code first, then what stands where its code went.
fn pair(standing: &[Standing<'_>], places: &[Now], found: &[Finding]) -> Vec<Option<usize>> {
    let mut partner: Vec<Option<usize>> = vec![None; standing.len()];
    let mut taken = vec![false; found.len()];
    type Pass<'a> = &'a dyn Fn(&Standing<'_>, &Now, &Finding) -> bool;
    let passes: [Pass<'_>; 4] = [
        &|s, now, f| s.record.fingerprint == f.fingerprint && now.path == f.path,
        &|s, now, f| same_defect(&s.record.fingerprint, &f.fingerprint) && now.path == f.path,
        &|s, _, f| s.record.fingerprint == f.fingerprint,
        &same_place,
    ];
    for pass in passes {
        for (at, (s, now)) in standing.iter().zip(places).enumerate() {
            if partner[at].is_none()
                && let Some(i) = found.iter().enumerate().position(|(i, f)| !taken[i] && pass(s, now, f))
            {
                (partner[at], taken[i]) = (Some(i), true);
            }
        }
    }
    partner
}

/// Whether a finding is about the place where the earlier one's code is now, and the same kind of trouble told by the same.
fn same_place(s: &Standing<'_>, now: &Now, f: &Finding) -> bool {
    let r = s.record;
    let Some(((a, b), lines)) = now.span.zip(f.anchor.lines()) else { return false };
    let overlap = lines.start <= b && a <= lines.end;
    let alike = (b - a).abs_diff(lines.end - lines.start) <= WIDER;
    let rules = match (&r.rule, &f.rule) {
        (Some(one), Some(other)) => *one == other.id,
        (None, None) => r.category == f.category,
        _ => r.category == f.category && (r.source, f.source) != (FindingSource::Rule, FindingSource::Rule),
    };
    let teller = |id: &str| r.reviewer == id || r.also.iter().any(|a| a == id);
    let told = teller(&f.reviewer) || f.also.iter().any(|a| teller(a)) || r.rule.is_some();
    now.path == f.path && r.side == f.side && overlap && alike && rules && told
}

struct Work<'a, 'f> {
    past: &'a Past,
    humans: &'a Humans,
    facts: &'a Facts<'f>,
    out: Reconciled,
}

impl Work<'_, '_> {
    /// An earlier finding was told again.
    fn again(&mut self, s: &Standing<'_>, now: &Now, mut finding: Finding) {
        if s.status != Status::Open && self.materially_changed(s, now, &finding) {
            // What was settled was other code.
            return self.keep(finding, FindingStatus::New, Status::Open, None);
        }
        finding.fingerprint.clone_from(&s.record.fingerprint);
        let worse = finding.severity == Severity::Critical && s.record.severity < Severity::Critical;
        let (_, asides) = aside::texts(&s.record.body);
        if finding.source == FindingSource::Rule && (now.intact || now.present) && !asides.is_empty() && aside::texts(&finding.body).1.is_empty() {
            // What a model said of the rule's line stands like anything that is not told again: its text, and how bad that was.
            aside::append(&mut finding.body, asides);
            finding.severity = finding.severity.max(s.record.severity);
        }
        if finding.source == FindingSource::Model && (now.intact || now.present) {
            // The same code, so a milder word of a model is no news: a retry never opens the gate.
            finding.severity = finding.severity.max(s.record.severity);
            if finding.anchor.lines().is_none() && now.anchor.lines().is_some() {
                (finding.anchor, finding.side) = (now.anchor, s.record.side);
            }
        }
        self.tell_again(s, finding, worse);
    }

    /// A finding that was told before, as humans left it.
    fn tell_again(&mut self, s: &Standing<'_>, finding: Finding, worse: bool) {
        let gates = s.gates || worse;
        let status = if s.status == Status::Open || gates { FindingStatus::Persisting } else { FindingStatus::Settled };
        self.prior(s, s.status, settled_words(s, gates));
        self.keep(finding, status, s.status, Some((s, gates)));
    }

    /// Whether the code of a settled finding is other code now.
    fn materially_changed(&self, s: &Standing<'_>, now: &Now, finding: &Finding) -> bool {
        if !s.record.code.is_empty() && !now.present {
            return true;
        }
        let line = now.anchor.lines().or(finding.anchor.lines()).map(|l| l.start);
        let symbol = |line: u32| (self.facts.ground.symbol)(&now.path, Side::New, line).is_some();
        s.record.side == Side::New && line.is_some_and(|l| symbol(l) && self.facts.ground.symbol_touched(&now.path, l) == Some(true))
    }

    /// Nobody told it before. On code that stands as it was reviewed only critical findings and rules' hits are new.
    fn first_told(&mut self, finding: Finding) {
        let free = finding.source == FindingSource::Rule || finding.severity == Severity::Critical || !self.past.memory.trusted;
        if !free && (self.facts.reviewed)(&finding.path) && self.stood(&finding) {
            let round = self.past.round().saturating_sub(1);
            let reason = format!("its code was reviewed in round {round} and has not changed since: only critical findings are new there");
            self.out.dropped.push(Dropped { title: finding.title, reason });
            return;
        }
        self.keep(finding, FindingStatus::New, Status::Open, None);
    }

    fn stood(&self, finding: &Finding) -> bool {
        let Some(drift) = self.facts.ground.drift else { return false };
        match (finding.anchor.lines(), finding.side) {
            (Some(l), Side::New) => drift.stood(&finding.path, (l.start, l.end)),
            _ if finding.anchor == Anchor::None => drift.is_empty(),
            _ => drift.of_new(&finding.path).is_none(),
        }
    }

    /// An earlier finding that nobody told now.
    fn not_told(&mut self, s: &Standing<'_>, now: &Now) {
        if let Some(why) = self.fixed(s, now) {
            let prior = Status::Fixed;
            self.prior(s, prior, Some(why));
            let record = Record { status: prior, body: String::new(), path: now.path.clone(), ..self.record_of(s, now) };
            self.out.records.push(record);
            return;
        }
        if let Some((by, author)) = self.withdrawn(s, now) {
            let gone = Standing { status: Status::Withdrawn, by: Some(by), gates: author, how: None, ..s.clone() };
            let finding = self.told_before(&gone, now);
            return self.tell_again(&gone, finding, false);
        }
        let finding = self.told_before(s, now);
        self.tell_again(s, finding, false);
    }

    /// Why an earlier finding is fixed, if it is.
    fn fixed(&self, s: &Standing<'_>, now: &Now) -> Option<String> {
        let (r, facts) = (s.record, self.facts);
        if r.source == FindingSource::Rule {
            return (facts.completed)("rules", &now.path).then(|| "the rule does not hit there any more".to_owned());
        }
        let tellers = || std::iter::once(&r.reviewer).chain(&r.also);
        let has_code = r.place.lines().is_some() && !r.code.is_empty();
        if has_code && !now.present && (!now.changed || tellers().any(|t| (facts.completed)(t, &now.path))) {
            return Some("the code that it is about is gone".to_owned());
        }
        if r.place == Place::File && !now.changed {
            return Some("its file is no longer part of the change".to_owned());
        }
        let answer = facts.answers.iter().find(|(who, a)| a.fixed && a.id.trim().eq_ignore_ascii_case(&s.id) && tellers().any(|t| t == who))?;
        let pushed = match now.span {
            Some((line, _)) if now.present => facts.ground.symbol_touched(&now.path, line).unwrap_or(false) || self.uses_touched(now, line),
            _ => facts.ground.drift.is_some_and(|d| d.of_new(&now.path).is_some()),
        };
        let why = crate::findings::words::one_line(&crate::findings::words::visible(&answer.1.why));
        pushed.then(|| crate::findings::words::cut(&why, MAX_WHY))
    }

    /// Whether the symbol around a line uses a symbol that the push touched.
    fn uses_touched(&self, now: &Now, line: u32) -> bool {
        let ground = self.facts.ground;
        let Some((symbol, text)) = (ground.symbol)(&now.path, Side::New, line).zip((ground.text)(&now.path, Side::New)) else { return false };
        let Some(drift) = ground.drift else { return false };
        (symbol.start..=symbol.end).filter_map(|n| text.line(n)).any(|l| super::outline::mentions(l, drift.names()))
    }

    /// Who argued a finding away, and whether all who did are the change's author: its reviewer heard it and did not repeat it.
    fn withdrawn(&self, s: &Standing<'_>, now: &Now) -> Option<(String, bool)> {
        let r = s.record;
        let open = s.status == Status::Open && r.severity < Severity::Critical && r.source == FindingSource::Model;
        let thread = s.thread.filter(|t| open && t.trusted && s.unheard())?;
        let arguments = self.humans.arguments.get(&thread.thread.id)?;
        let persists = |who: &str| self.facts.answers.iter().any(|(w, a)| w == who && !a.fixed && a.id.trim().eq_ignore_ascii_case(&s.id));
        let heard = (self.facts.completed)(&r.reviewer, &now.path) && !persists(&r.reviewer);
        let last = arguments.iter().rev().find(|a| !a.author).or(arguments.last()).filter(|_| heard)?;
        Some((last.by.clone(), last.author))
    }

    /// A finding as it was told, where its code is now.
    fn told_before(&self, s: &Standing<'_>, now: &Now) -> Finding {
        let r = s.record;
        let text = (self.facts.ground.text)(if r.side == Side::Old { now.old_path.as_ref().unwrap_or(&now.path) } else { &now.path }, r.side);
        let quote = now.anchor.lines().zip(text).map(|(l, t)| (l.start..=l.end).filter_map(|n| t.line(n)).collect::<Vec<_>>().join("\n"));
        Finding {
            fingerprint: r.fingerprint.clone(),
            severity: r.severity,
            category: r.category,
            reviewer: r.reviewer.clone(),
            also: r.also.clone(),
            source: r.source,
            title: if r.title.is_empty() { format!("A finding of round {}", r.round) } else { r.title.clone() },
            body: r.body.clone(),
            trigger: None,
            cause: None,
            rule: r.rule.as_deref().and_then(|id| (self.facts.rule)(id)),
            path: now.path.clone(),
            old_path: now.old_path.clone(),
            side: r.side,
            anchor: now.anchor,
            quote: quote.unwrap_or_default(),
            suggestion: None,
            confidence: None,
            status: FindingStatus::Persisting,
        }
    }

    fn record_of(&self, s: &Standing<'_>, now: &Now) -> Record {
        Record { path: now.path.clone(), old_path: now.old_path.clone(), head: self.facts.head.to_owned(), ..s.record.clone() }
    }

    fn prior(&mut self, s: &Standing<'_>, status: Status, why: Option<String>) {
        self.out.prior.push(Prior {
            fingerprint: s.record.fingerprint.clone(),
            status,
            by: s.by.clone(),
            title: s.record.title.clone(),
            severity: s.record.severity,
            thread: s.thread.map(|t| t.thread.id.clone()),
            why,
        });
    }

    /// Takes a finding up, and remembers it.
    fn keep(&mut self, mut finding: Finding, status: FindingStatus, remembered: Status, before: Option<(&Standing<'_>, bool)>) {
        finding.status = status;
        let lines = finding.anchor.lines();
        let path = if finding.side == Side::Old { finding.old_path.as_ref().unwrap_or(&finding.path) } else { &finding.path };
        let symbol = lines.and_then(|l| (self.facts.ground.symbol)(path, finding.side, l.start)).map(|s| s.name);
        let standing = before.map(|(s, _)| s);
        let heard = standing.map_or(0, |s| {
            let replies = s.thread.map_or(0, |t| t.replies);
            if (self.facts.completed)(&s.record.reviewer, &finding.path) { replies } else { s.record.heard }
        });
        self.out.records.push(Record {
            fingerprint: finding.fingerprint.clone(),
            rule: finding.rule.as_ref().map(|r| r.id.clone()),
            severity: finding.severity,
            category: finding.category,
            reviewer: finding.reviewer.clone(),
            also: finding.also.clone(),
            source: finding.source,
            title: finding.title.clone(),
            body: finding.body.clone(),
            path: finding.path.clone(),
            old_path: finding.old_path.clone(),
            side: finding.side,
            place: match finding.anchor {
                Anchor::Exact(l) => Place::Lines { start: l.start, end: l.end, moved: false },
                Anchor::Moved(l) => Place::Lines { start: l.start, end: l.end, moved: true },
                // Its code may come back, or its reviewer may complete on it the next time.
                Anchor::File => standing.map_or(Place::File, |s| s.record.place),
                Anchor::None => Place::Nowhere,
            },
            code: if lines.is_some() { super::pack::code(&finding.quote) } else { standing.map_or_else(String::new, |s| s.record.code.clone()) },
            symbol: symbol.unwrap_or_default(),
            status: remembered,
            by: standing.and_then(|s| s.by.clone()),
            gates: before.is_some_and(|(_, gates)| gates),
            round: standing.map_or_else(|| self.past.round(), |s| s.record.round),
            heard,
            head: self.facts.head.to_owned(),
        });
        self.out.findings.push(finding);
    }
}

/// How a finding was settled, and whether it counts on.
pub(super) fn settled_words(s: &Standing<'_>, gates: bool) -> Option<String> {
    let what = match s.status {
        Status::Settled => s.how.clone()?,
        Status::Withdrawn => "its reviewer did not repeat it after an answer".to_owned(),
        Status::Open | Status::Fixed => return None,
    };
    Some(if gates { format!("{what}; for the gate it counts on, because that takes another role or person") } else { what })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
