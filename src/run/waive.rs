//! Which findings a waiver covers. An entry of the policy's configuration counts until its day. A comment counts in full once
//! it stands in the policy's version of its file; one that the change brings counts below important only, so that nobody
//! waives their own way past the gate (TRUST 3). Nothing that is waived vanishes: it is listed in the report.

use super::Setup;
use crate::change::{Change, Policy};
use crate::config::{self, Waiver};
use crate::date::Date;
use crate::diff::{LineKind, Side};
use crate::findings::fingerprint::fingerprint;
use crate::findings::texts::MaskedTexts;
use crate::findings::{Anchor, Category, Finding, FindingSource, FindingStatus, Lines, Severity};
use crate::path::RepoPath;
use crate::rules::RuleSet;
use crate::rules::waiver::{self, Comment, Waived, is_rule_id};
use crate::secrets;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Larger files of the policy are not searched for waivers.
const MAX_BYTES: u64 = 1 << 20;
/// Comments that are told as useless, at most.
const MAX_TOLD: usize = 20;
/// Lines of an entry that are quoted.
const MAX_ENTRY: u32 = 8;

/// What becomes of a finding.
pub(super) enum Judged {
    /// It stands; its body may have got a word about a waiver that does not count.
    Stands(Box<Finding>),
    /// It is waived.
    Waived(Box<Waived>),
}

/// The waivers of a run.
pub(super) struct Waivers<'a> {
    setup: &'a Setup,
    change: &'a Change,
    texts: &'a MaskedTexts<'a>,
    known: RefCell<BTreeMap<RepoPath, Rc<Vec<Standing>>>>,
}

/// A comment, and whether it stands in the policy's version of the file too.
struct Standing {
    comment: Comment,
    in_policy: bool,
}

impl<'a> Waivers<'a> {
    pub(super) fn new(setup: &'a Setup, change: &'a Change, texts: &'a MaskedTexts<'a>) -> Self {
        Self { setup, change, texts, known: RefCell::default() }
    }

    /// Weighs one finding against the waivers of its rule.
    pub(super) fn judge(&self, mut finding: Finding) -> Judged {
        let Some(id) = finding.rule.as_ref().map(|r| r.id.clone()) else { return Judged::Stands(Box::new(finding)) };
        let fits = |w: &&Waiver| w.rule == id && w.until >= self.setup.today && w.paths.is_match(&finding.path);
        if let Some(entry) = self.setup.config().waivers.iter().find(fits) {
            return Judged::Waived(Box::new(waived(&finding, id, &entry.reason, entry.origin.to_string(), Some(entry.until))));
        }
        let Some(lines) = finding.anchor.lines().filter(|_| finding.side == Side::New) else { return Judged::Stands(Box::new(finding)) };
        let comments = self.comments(&finding.path);
        let mut why_not = None;
        for standing in comments.iter().filter(|s| s.comment.rule_id == id && s.comment.covers((lines.start, lines.end))) {
            let reason = &standing.comment.reason;
            if reason.is_empty() {
                why_not = why_not.or_else(|| Some("The waiver beside it does not count, since it gives no reason.".to_owned()));
            } else if standing.in_policy || finding.severity < Severity::Important {
                return Judged::Waived(Box::new(waived(&finding, id, reason, "comment".to_owned(), None)));
            } else {
                why_not = Some(format!(
                    "The waiver that this change adds (\"{reason}\") does not count for an {} finding; it will once it stands in the target branch, so it has to be merged by somebody who accepts it.",
                    if finding.severity == Severity::Critical { "important or critical" } else { "important" }
                ));
            }
        }
        if let Some(why_not) = why_not {
            finding.body = format!("{}\n\n{why_not}", finding.body.trim_end());
        }
        Judged::Stands(Box::new(finding))
    }

    fn comments(&self, path: &RepoPath) -> Rc<Vec<Standing>> {
        if let Some(known) = self.known.borrow().get(path) {
            return known.clone();
        }
        let read = Rc::new(self.read(path));
        self.known.borrow_mut().insert(path.clone(), read.clone());
        read
    }

    fn read(&self, path: &RepoPath) -> Vec<Standing> {
        let file = self.change.files.iter().find(|f| f.new_path == *path);
        let text = match file {
            Some(file) => self.texts.changed(file, Side::New),
            None => self.texts.elsewhere(path),
        };
        let comments = text.map(|t| waiver::comments(path, &t)).unwrap_or_default();
        if comments.is_empty() {
            return Vec::new();
        }
        let old = file.map_or(path, |f| &f.old_path);
        let mut paths = vec![path];
        paths.extend(Some(old).filter(|old| *old != path));
        let before: Vec<Comment> = paths.into_iter().flat_map(|p| self.of_policy(p)).collect();
        let in_policy = |c: &Comment| before.iter().any(|b| (&b.rule_id, &b.reason) == (&c.rule_id, &c.reason));
        comments.into_iter().map(|comment| Standing { in_policy: in_policy(&comment), comment }).collect()
    }

    fn of_policy(&self, path: &RepoPath) -> Vec<Comment> {
        let Some(objects) = self.change.objects.as_ref().filter(|_| self.change.policy != Policy::None) else { return Vec::new() };
        let Ok(bytes) = objects.policy_file(path, MAX_BYTES) else { return Vec::new() };
        let text = crate::text::FileText::whole(secrets::mask(&String::from_utf8_lossy(&bytes)).as_bytes());
        waiver::comments(path, &text)
    }

    /// What is to be said of waivers that the change brings and that can never count: one line each.
    pub(super) fn useless(&self, rules: &RuleSet) -> Vec<String> {
        let mut told = Vec::new();
        let marked = |text: &[u8]| text.windows(waiver::MARK.len()).any(|w| w == waiver::MARK.as_bytes());
        for file in &self.change.files {
            let added: Vec<u32> =
                file.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == LineKind::Added && marked(&l.text)).filter_map(|l| l.new).collect();
            if added.is_empty() {
                continue;
            }
            for comment in self.comments(file.path()).iter().map(|s| &s.comment).filter(|c| added.contains(&c.line)) {
                let place = format!("{}:{}", file.path(), comment.line);
                if !is_rule_id(&comment.rule_id) {
                    told.push(format!("{place}: a waiver names its rule: `tribune:allow RULE-ID reason`."));
                } else if rules.get(&comment.rule_id).is_none() {
                    told.push(format!("{place}: the waiver names {}", no_such_rule(rules, &comment.rule_id)));
                } else if comment.reason.is_empty() {
                    told.push(format!("{place}: the waiver of {} gives no reason, so it does not count.", comment.rule_id));
                }
            }
        }
        if told.len() > MAX_TOLD {
            let more = told.len() - MAX_TOLD;
            told.truncate(MAX_TOLD);
            told.push(format!("{more} more waivers can never count."));
        }
        told
    }

    /// Entries that are past their day, as findings: where they are about a file of this change, and still stand after it.
    pub(super) fn expired(&self) -> Vec<Finding> {
        let expired = |w: &&Waiver| w.until < self.setup.today && self.change.files.iter().any(|f| w.paths.is_match(&f.new_path));
        self.setup.config().waivers.iter().filter(expired).filter_map(|w| self.finding(w)).collect()
    }

    fn finding(&self, entry: &Waiver) -> Option<Finding> {
        let config::Origin::Repository(line) = entry.origin else { return None };
        let path = RepoPath::from(config::REPOSITORY_FILE);
        let objects = self.change.objects.as_ref()?;
        let bytes = objects.policy_file(&path, config::MAX_CONFIG_BYTES as u64).ok()?;
        let policy = crate::text::FileText::whole(&bytes);
        let indent = |text: &str| text.len() - text.trim_start_matches([' ', '-']).len();
        let first = policy.line(line)?;
        let more = (line + 1..line + MAX_ENTRY).take_while(|n| {
            policy
                .line(*n)
                .is_some_and(|l| !l.trim().is_empty() && !l.trim_start().starts_with("- ") && l.starts_with(' ') && indent(l) >= indent(first))
        });
        let block: Vec<&str> = std::iter::once(first).chain(more.filter_map(|n| policy.line(n))).collect();
        let file = self.change.files.iter().find(|f| f.new_path == path);
        let now = match file {
            Some(file) => self.texts.changed(file, Side::New),
            None => self.texts.elsewhere(&path),
        };
        // One that the change takes out or renews needs no word.
        let now = now?;
        let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
        let start = (1..=now.line_count()).find(|n| (*n..).zip(&block).all(|(n, text)| now.line(n) == Some(text)))?;
        let quote = block.join("\n");
        Some(Finding {
            fingerprint: fingerprint(Some("expired-waiver"), &quote, None, 0),
            severity: Severity::Suggestion,
            category: Category::Codex,
            reviewer: "rules".to_owned(),
            also: Vec::new(),
            source: FindingSource::Rule,
            title: format!("The waiver of {} expired on {}", entry.rule, entry.until),
            body: format!(
                "It no longer counts: findings of {} are shown again. Its reason was: {}\n\nMend what it was for and take the entry out, or give it a new day.",
                entry.rule, entry.reason
            ),
            trigger: None,
            cause: None,
            rule: None,
            path,
            old_path: None,
            side: Side::New,
            anchor: Anchor::Exact(Lines { start, end: start + length - 1, old_line: file.is_none().then_some(start + length - 1) }),
            quote,
            suggestion: None,
            confidence: None,
            status: FindingStatus::New,
        })
    }
}

fn waived(finding: &Finding, rule_id: String, reason: &str, by: String, until: Option<Date>) -> Waived {
    Waived {
        rule_id,
        severity: finding.severity,
        title: finding.title.clone(),
        path: finding.path.clone(),
        lines: finding.anchor.lines().map_or((0, 0), |l| (l.start, l.end)),
        reason: secrets::mask(reason).into_owned(),
        by,
        until,
    }
}

/// `a rule X that does not exist. Did you mean Y?`
pub(super) fn no_such_rule(rules: &RuleSet, id: &str) -> String {
    let near = rules.iter().map(|r| (strsim::damerau_levenshtein(&r.id, id), &r.id)).min().filter(|(d, _)| *d <= 2);
    format!("a rule {id} that does not exist.{}", near.map(|(_, near)| format!(" Did you mean {near}?")).unwrap_or_default())
}
