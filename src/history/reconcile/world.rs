//! A hand-made merge request for the rounds' tests: files, pushes, what reviewers say, what people answer.

use super::super::testing::{
    AUTHOR, BOT, DEVELOPER, KEY, MAINTAINER, TARGET, comment, conversation, merge_request, sha, state, summary, thread, trust, user,
};
use super::super::{Drift, Roles, State, read};
use super::*;
use crate::context::{enclosing, symbols_of};
use crate::diff::FileDiff;
use crate::findings::fingerprint::{Enclosing, fingerprint, ordinal};
use crate::findings::testing::diff;
use crate::findings::{Category, Lines};
use crate::forge::{Role, Thread};
use crate::judge::verdict;
use crate::text::FileText;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Tree = BTreeMap<String, String>;

/// What the forge holds between the rounds, and what git has.
pub(super) struct World {
    pub(super) key: Option<&'static [u8]>,
    pub(super) number: u32,
    pub(super) head: Tree,
    pub(super) renamed: Vec<(&'static str, &'static str)>,
    /// Git has the head reviewed before.
    pub(super) has_last: bool,
    pub(super) left: Option<State>,
    pub(super) threads: Vec<Thread>,
    pub(super) rules_read: bool,
    pub(super) failed: bool,
    pub(super) answers: Vec<(String, PriorAnswer)>,
}

fn symbol(path: &RepoPath, text: &str, line: u32) -> Option<Enclosing> {
    let symbols = symbols_of(path, &FileText::whole(text.as_bytes()));
    let s = &symbols[enclosing(&symbols, line)?];
    Some(Enclosing { name: s.name.clone(), start: s.start, end: s.end })
}

impl World {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        Self {
            key: Some(KEY),
            number: 0,
            head: files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect(),
            renamed: Vec::new(),
            has_last: true,
            left: None,
            threads: Vec::new(),
            rules_read: true,
            failed: false,
            answers: Vec::new(),
        }
    }

    /// A finding on the first line of a file that holds `quote`.
    pub(super) fn finding(&self, severity: Severity, title: &str, path: &str, quote: &str) -> Finding {
        let text = FileText::whole(self.head[path].as_bytes());
        let (line, code) = text.lines().find(|(_, l)| l.contains(quote)).expect("the quote is there");
        let repo = RepoPath::from(path);
        let around = symbol(&repo, text.as_str(), line);
        let nth = ordinal(&text, code, line, around.as_ref());
        Finding {
            fingerprint: fingerprint(None, code, around.as_ref().map(|s| s.name.as_str()), nth),
            severity,
            category: Category::Quality,
            reviewer: "quality".to_owned(),
            also: Vec::new(),
            source: FindingSource::Model,
            title: title.to_owned(),
            body: format!("{title}, because."),
            trigger: None,
            cause: None,
            rule: None,
            path: repo,
            old_path: None,
            side: Side::New,
            anchor: Anchor::Exact(Lines { start: line, end: line, old_line: None }),
            quote: code.to_owned(),
            suggestion: None,
            confidence: None,
            status: FindingStatus::New,
        }
    }

    pub(super) fn hit(&self, rule: &str, path: &str, quote: &str) -> Finding {
        let mut hit = self.finding(Severity::Important, "A rule", path, quote);
        hit.fingerprint = crate::findings::fingerprint::with_rule(&hit.fingerprint, Some(rule));
        Finding { source: FindingSource::Rule, reviewer: "rules".to_owned(), rule: Some(rule_of(rule)), ..hit }
    }

    pub(super) fn says(&mut self, id: &str, fixed: bool, why: &str) {
        self.answers.push(("quality".to_owned(), PriorAnswer { id: id.to_owned(), fixed, why: why.to_owned() }));
    }

    pub(super) fn reply(&mut self, thread: usize, by: u64, text: &str) {
        let n = self.threads[thread].comments.len();
        self.threads[thread].comments.push(comment(&format!("r{thread}.{n}"), by, text));
    }

    /// One round: `now` is what stands at the new head, `found` what its reviewers say. Then what publishing would do.
    pub(super) fn round(&mut self, now: &[(&str, &str)], found: impl FnOnce(&Self) -> Vec<Finding>) -> String {
        self.number += 1;
        let last = std::mem::replace(&mut self.head, now.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect());
        let found = found(self);
        let comments = self.left.iter().map(|s| summary("1", s, self.key)).collect();
        let memory = read(&conversation(comments, self.threads.clone()), &trust(Some(KEY)));
        let roles = Roles::from([(AUTHOR, Role::Developer), (DEVELOPER, Role::Developer), (MAINTAINER, Role::Maintainer)]);
        let past = Past { target: TARGET.clone(), mr: merge_request(), memory, roles, full: false };
        let humans = past.humans(Role::Maintainer);
        let pushed: Vec<FileDiff> = self.pushed(&last);
        let drift = Drift::new(pushed, BTreeSet::new());
        let files: Vec<FileDiff> = self.head.iter().map(|(p, t)| diff(p, "", t).0).collect();
        let text = |path: &RepoPath, side: Side| {
            self.head.get(path.as_str()?).filter(|_| side == Side::New).map(|t| Arc::new(FileText::whole(t.as_bytes())))
        };
        let around = |path: &RepoPath, _: Side, line: u32| symbol(path, self.head.get(path.as_str()?)?, line);
        let completed = |who: &str, _: &RepoPath| if who == "rules" { self.rules_read } else { !self.failed };
        let ground = Ground { files: &files, drift: Some(&drift).filter(|_| self.has_last), text: &text, symbol: &around };
        let head = sha(char::from_digit(self.number, 10).unwrap_or('0'));
        let facts =
            Facts { ground: &ground, completed: &completed, answers: &self.answers, rule: &|id| Some(rule_of(id)), reviewed: &|_| true, head: &head };
        let out = reconcile(&past, &humans, &facts, found);
        let next = State { round: self.number, head: head.clone(), ..state(out.records.clone()) };
        let told = told(&out, &past.memory.notes, &humans.notes);
        for (finding, record) in out.findings.iter().zip(&out.records) {
            if finding.status == FindingStatus::New {
                self.threads.push(thread(&format!("t{}", self.threads.len() + 1), record, self.key, &[]));
            }
        }
        for prior in out.prior.iter().filter(|p| p.status == Status::Fixed) {
            if let Some(t) = self.threads.iter_mut().find(|t| Some(&t.id) == prior.thread.as_ref()) {
                (t.resolved, t.resolved_by) = (true, Some(user(BOT)));
            }
        }
        self.left = Some(next);
        self.renamed.clear();
        self.answers.clear();
        told
    }

    fn pushed(&self, last: &Tree) -> Vec<FileDiff> {
        let mut out = Vec::new();
        for (path, text) in &self.head {
            let from = self.renamed.iter().find(|(_, to)| to == path).map_or(path.as_str(), |(from, _)| from);
            let before = last.get(from).map_or("", String::as_str);
            if before != text || from != path {
                let (mut file, ..) = diff(path, before, text);
                file.old_path = RepoPath::from(from);
                out.push(file);
            }
        }
        out
    }
}

fn rule_of(id: &str) -> RuleRef {
    RuleRef { id: id.to_owned(), status: crate::rules::RuleStatus::Enforced, source: None, url: None, owner: None }
}

fn told(out: &Reconciled, notes: &[String], human: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for f in &out.findings {
        let line = f.anchor.lines().map_or("-".to_owned(), |l| l.start.to_string());
        lines.push(format!("{:?} {:?} {}:{line} {}", f.status, f.severity, f.path, f.title));
    }
    for p in out.prior.iter().filter(|p| p.status != Status::Open) {
        let by = p.by.as_deref().map(|b| format!(" by {b}")).unwrap_or_default();
        lines.push(format!("({:?}{by}: {}: {})", p.status, p.title, p.why.as_deref().unwrap_or("-")));
    }
    lines.extend(out.dropped.iter().map(|d| format!("(dropped: {}: {})", d.title, d.reason)));
    lines.extend(notes.iter().chain(human).map(|n| format!("(note: {n})")));
    lines.push(format!("gate: {}", if verdict::gate(&out.findings, Some(Severity::Critical)) { "closed" } else { "open" }));
    lines.join("\n")
}
