//! The judge's part: what it is shown, and what of its answer is carried out. The caller makes the call.
//!
//! It may keep, drop, merge, recategorise and lower the findings of models. It may not raise a severity, touch a rule's hit
//! or invent anything; what it may not do is refused and noted, and what it does not mention is kept.

use super::summary::count;
use super::{absorb, enforced, is_hit, overlap};
use crate::findings::check::{category, parse_severity};
use crate::findings::parse::{Decision, SubmitReview};
use crate::findings::words::{cut, cut_bytes, visible};
use crate::findings::{Dropped, Finding, FindingSource, Severity};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The judge is shown so many findings; the rest stay as they are.
const MAX_SHOWN: usize = 150;
/// How much of a quote it is shown.
const MAX_QUOTE_LINES: usize = 12;
const MAX_QUOTE_BYTES: usize = 800;
/// A summary's and a reason's bound, in characters.
const MAX_SUMMARY: usize = 600;
const MAX_REASON: usize = 200;
/// Refusals are noted one by one up to this many, then counted.
const MAX_NOTES: usize = 10;

/// What is left after the judge.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// What stands, in the given order.
    pub findings: Vec<Finding>,
    /// Critical and important findings that it dropped, or merged into something at another place.
    pub dropped: Vec<Dropped>,
    /// What it did or was refused, one line each.
    pub notes: Vec<String>,
    /// Its summary, if it gave one.
    pub summary: Option<String>,
}

/// Whether there is something to judge: two or more reviewers have model findings.
pub fn needed(findings: &[Finding]) -> bool {
    let told = findings.iter().filter(|f| f.source == FindingSource::Model);
    told.map(|f| f.reviewer.as_str()).collect::<BTreeSet<_>>().len() >= 2
}

/// The judge's own part of the request: its first line, then the findings as `F1`, `F2` … in the given order, which has to be
/// the order that [`apply`] gets. `fence` puts a border around strangers' text, given a label; inside, our lines begin at the
/// margin and theirs are indented, so that none can pose as another finding.
pub fn own_part(findings: &[Finding], fence: &dyn Fn(&str, &str) -> String) -> String {
    let mut text = String::new();
    for (i, finding) in findings.iter().take(MAX_SHOWN).enumerate() {
        show(&mut text, i + 1, finding);
    }
    let mut out = format!("# Coordinator\n{} to judge.", count(findings.len().min(MAX_SHOWN), "finding"));
    if findings.len() > MAX_SHOWN {
        let _ = write!(out, " {} more are not shown and stay.", findings.len() - MAX_SHOWN);
    }
    out.push_str(" Those marked `rule` are fixed: others may be merged into them, nothing else.\n");
    out.push_str(&fence("findings", &text));
    out
}

fn show(out: &mut String, number: usize, f: &Finding) {
    let fixed = if is_hit(f) { "rule, " } else { "" };
    let also = if f.also.is_empty() { String::new() } else { format!(" (also {})", f.also.join(", ")) };
    let severity = format!("{:?}", f.severity).to_lowercase();
    let _ = writeln!(out, "F{number} {fixed}{severity}, {}, by {}{also}", f.category.label(), f.reviewer);
    let lines = f.anchor.lines().map(|l| if l.start == l.end { format!(":{}", l.start) } else { format!(":{}-{}", l.start, l.end) });
    field(out, "at", &format!("{}{}", f.path.display(), lines.unwrap_or_else(|| " (no lines)".to_owned())));
    field(out, "title", &f.title);
    field(out, "body", &f.body);
    for (name, value) in [("trigger", &f.trigger), ("cause", &f.cause)] {
        if let Some(value) = value {
            field(out, name, value);
        }
    }
    if let Some(rule) = &f.rule {
        field(out, "rule", &rule.id);
    }
    let quote: Vec<&str> = f.quote.lines().take(MAX_QUOTE_LINES).collect();
    let quote = quote.join("\n");
    field(out, "quote", cut_bytes(&quote, MAX_QUOTE_BYTES));
}

fn field(out: &mut String, name: &str, value: &str) {
    let mut lines = value.split(['\n', '\r']).filter(|l| !l.trim().is_empty());
    match (lines.next(), lines.next()) {
        (Some(only), None) if name != "quote" => drop(writeln!(out, "  {name}: {only}")),
        (Some(first), second) => {
            let _ = writeln!(out, "  {name}:");
            for line in std::iter::once(first).chain(second).chain(lines) {
                let _ = writeln!(out, "    {line}");
            }
        }
        (None, _) => {}
    }
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
    Into(usize),
}

/// Carries out the judge's answer on the findings that [`own_part`] showed it, so far as it has the power.
pub fn apply(findings: Vec<Finding>, answer: &SubmitReview) -> Judged {
    let mut bench = Bench {
        fates: vec![Fate::Kept; findings.len()],
        grave: findings.iter().map(|f| f.severity >= Severity::Important).collect(),
        decided: vec![None; findings.len()],
        findings,
        refused: Vec::new(),
    };
    for decision in &answer.findings {
        bench.decide(decision);
    }
    bench.refuse_merges_that_lead_nowhere();
    let mut judged = bench.close();
    let summary = answer.summary.split_whitespace().collect::<Vec<_>>().join(" ");
    judged.summary = Some(cut(&summary, MAX_SUMMARY)).filter(|s| !s.is_empty());
    judged
}

struct Bench<'a> {
    findings: Vec<Finding>,
    fates: Vec<Fate>,
    /// Which were critical or important before it lowered any.
    grave: Vec<bool>,
    /// The decision in force on each finding: the first.
    decided: Vec<Option<&'a Decision>>,
    refused: Vec<String>,
}

impl<'a> Bench<'a> {
    fn decide(&mut self, decision: &'a Decision) {
        let Some(i) = self.number(&decision.id) else {
            return self.refuse(&decision.id, "there is no such finding");
        };
        if self.decided[i].is_some() {
            return self.refuse(&decision.id, "it was decided before");
        }
        self.decided[i] = Some(decision);
        if is_hit(&self.findings[i]) {
            if decision.action != "keep" || decision.severity.is_some() || decision.category.is_some() {
                self.refuse(&decision.id, "a rule's hit stands as it is");
            }
            return;
        }
        match decision.action.as_str() {
            "keep" => {}
            "drop" => self.fates[i] = Fate::Dropped,
            "merge" => match decision.into.as_deref().and_then(|id| self.number(id)) {
                Some(into) if into != i => self.fates[i] = Fate::Into(into),
                _ => self.refuse(&decision.id, "there is nothing to merge it into"),
            },
            _ => self.refuse(&decision.id, "the action is none of keep, drop and merge"),
        }
        self.amend(i, decision);
    }

    /// Severity and category, which go with every action.
    fn amend(&mut self, i: usize, decision: &Decision) {
        if let Some(word) = &decision.severity {
            match parse_severity(word) {
                Some(s) if s <= self.findings[i].severity => self.findings[i].severity = s,
                Some(_) => self.refuse(&decision.id, "a severity may only be lowered"),
                None => self.refuse(&decision.id, "there is no such severity"),
            }
        }
        if let Some(word) = &decision.category {
            match category(word) {
                Some(c) => self.findings[i].category = c,
                None => self.refuse(&decision.id, "there is no such category"),
            }
        }
    }

    /// The index of a finding that was shown: `F3`, `f3` or `3`.
    fn number(&self, id: &str) -> Option<usize> {
        let number: usize = id.trim().trim_start_matches(['F', 'f']).parse().ok()?;
        number.checked_sub(1).filter(|i| *i < self.findings.len().min(MAX_SHOWN))
    }

    fn refuse(&mut self, id: &str, why: &str) {
        self.refused.push(format!("The judge's decision on {} was refused: {why}.", cut(&visible(id), 20)));
    }

    /// Follows merges to the finding that stays. One that ends in a circle, in a dropped finding, or in a rule's hit that
    /// does not gate while it would, is kept.
    fn refuse_merges_that_lead_nowhere(&mut self) {
        let wanted = self.fates.clone();
        for i in 0..wanted.len() {
            let Fate::Into(mut to) = wanted[i] else { continue };
            let mut steps = 0;
            while let Fate::Into(next) = wanted[to] {
                to = next;
                steps += 1;
                if steps > wanted.len() {
                    break;
                }
            }
            let toothless = enforced(&self.findings[i]) && !enforced(&self.findings[to]) && self.findings[i].severity > Severity::Suggestion;
            let why = match wanted[to] {
                Fate::Kept if !toothless => {
                    self.fates[i] = Fate::Into(to);
                    continue;
                }
                Fate::Kept => "it counts for the gate, and what it would be merged into does not",
                Fate::Dropped => "what it would be merged into was dropped",
                Fate::Into(_) => "it would be merged in a circle",
            };
            self.fates[i] = Fate::Kept;
            self.refuse(&format!("F{}", i + 1), why);
        }
    }

    fn close(self) -> Judged {
        let mut out = Judged::default();
        let mut stays: Vec<Option<Finding>> = vec![None; self.findings.len()];
        let mut merged = Vec::new();
        let mut trifles = 0;
        for (i, finding) in self.findings.into_iter().enumerate() {
            match self.fates[i] {
                Fate::Kept => stays[i] = Some(finding),
                Fate::Into(to) => merged.push((to, finding, self.grave[i])),
                Fate::Dropped if self.grave[i] => {
                    let reason = self.decided[i].and_then(|d| d.reason.as_deref()).unwrap_or("it gave no reason");
                    out.dropped.push(Dropped { title: finding.title, reason: format!("the judge: {}", cut(&visible(reason), MAX_REASON)) });
                }
                Fate::Dropped => trifles += 1,
            }
        }
        for (to, finding, grave) in merged {
            // The fate of `to` is to be kept: merges were followed to their end.
            let Some(kept) = stays[to].as_mut() else { continue };
            if grave && !overlap(kept, &finding) {
                out.dropped.push(Dropped { title: finding.title.clone(), reason: format!("the judge: the same as \u{201c}{}\u{201d}", kept.title) });
            }
            absorb(kept, finding);
        }
        out.findings = stays.into_iter().flatten().collect();
        if trifles > 0 {
            out.notes.push(format!("The judge dropped {} below important.", count(trifles, "finding")));
        }
        let more = self.refused.len().saturating_sub(MAX_NOTES);
        out.notes.extend(self.refused.into_iter().take(MAX_NOTES));
        if more > 0 {
            out.notes.push(format!("{more} more decisions of the judge were refused."));
        }
        out
    }
}

#[cfg(test)]
mod tests;
