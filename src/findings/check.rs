//! Turns proposals into findings. Each check lowers, strips or drops with a reason; none trusts the model, and none judges
//! whether a finding is right.

use super::anchor::{AnchorInput, Anchored, anchor, plain};
use super::cause::Causes;
use super::fingerprint::{Enclosing, fingerprint, ordinal};
use super::suggestion;
use super::words::{cut, cut_bytes, first_sentence, one_line, visible};
use super::{Anchor, Category, Dropped, Finding, FindingSource, FindingStatus, Proposal, RuleRef, Severity};
use crate::diff::{FileDiff, Side};
use crate::path::RepoPath;
use crate::text::FileText;
use std::borrow::Cow;
use std::sync::Arc;

/// A title's bound, in characters.
pub const MAX_TITLE: usize = 80;
/// A body's bound, in characters.
pub const MAX_BODY: usize = 600;
/// A trigger's and a cause's bound, in characters.
const MAX_DETAIL: usize = 300;
/// A trigger has to have so many letters or digits to say anything.
const MIN_TRIGGER: usize = 6;
/// What models write where they know of no trigger.
const NO_TRIGGER: [&str; 12] =
    ["nobody", "noone", "anyone", "always", "unknown", "unspecified", "undefined", "various", "notapplicable", "anyinput", "allinputs", "seeabove"];

/// How advice begins, in English. Other languages' advice is the judge's to see.
const ADVICE: [&str; 8] = ["consider", "ensure", "make sure", "verify", "double-check", "confirm", "please", "maybe"];

/// What the checks need to know.
#[derive(Clone, Copy)]
pub struct CheckInput<'a> {
    /// Where to look for quotes.
    pub anchor: AnchorInput<'a>,
    /// Who proposes.
    pub reviewer: &'a str,
    /// The reviewer's own category.
    pub category: Category,
    /// Less sure findings are dropped; 0..1.
    pub min_confidence: f64,
    /// The rule of that id and how bad a breach of it is, if it is known and applies to what the reviewer was shown.
    pub rule: &'a dyn Fn(&str) -> Option<(RuleRef, Severity)>,
    /// Masks secrets.
    pub mask: &'a dyn for<'t> Fn(&'t str) -> Cow<'t, str>,
    /// Whether a file is one that no suggestion may be offered for (CI, policy, security-sensitive).
    pub sensitive: &'a dyn Fn(&RepoPath) -> bool,
    /// The innermost symbol around a line (1-based) of a side.
    pub symbol: &'a dyn Fn(&RepoPath, Side, u32) -> Option<Enclosing>,
}

/// What became of a reviewer's proposals.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// What stands, in the order it was proposed.
    pub findings: Vec<Finding>,
    /// What does not, and why.
    pub dropped: Vec<Dropped>,
    /// How many cited a rule that there is not, or that does not apply; the findings stand without it.
    pub citations_removed: usize,
    /// How many were lowered since nothing was said of what makes it go wrong.
    pub lowered: usize,
}

/// Checks proposals, already bounded in number by [`super::parse::report`].
pub fn check(input: &CheckInput<'_>, proposals: &[Proposal]) -> Checked {
    let causes = Causes::new(input.anchor);
    let mut out = Checked::default();
    for proposal in proposals {
        let title = title(input, proposal);
        match one(input, &causes, proposal, title.clone(), &mut out) {
            Ok(finding) => out.findings.push(finding),
            Err(reason) => out.dropped.push(Dropped { title: if title.is_empty() { "(no title)".to_owned() } else { title }, reason }),
        }
    }
    out
}

fn one(input: &CheckInput<'_>, causes: &Causes<'_>, proposal: &Proposal, title: String, out: &mut Checked) -> Result<Finding, String> {
    let confidence = proposal.confidence.filter(|c| c.is_finite()).map(|c| c.clamp(0.0, 1.0));
    if title.is_empty() {
        return Err("says nothing: neither title nor body".to_owned());
    }
    if let Some(c) = confidence.filter(|c| *c < input.min_confidence) {
        return Err(format!("confidence {c:.2} is below {:.2}", input.min_confidence));
    }
    if plain(&proposal.path).is_empty() && input.anchor.files.len() != 1 {
        return Err("names no file".to_owned());
    }
    if severity(&proposal.severity) < Severity::Important && is_advice(&title) {
        return Err("advises, and names nothing that goes wrong".to_owned());
    }
    let anchored = anchor(&input.anchor, proposal);
    let changed = changed_file(input, &anchored);
    if anchored.missed {
        return Err("its quote stands nowhere in the file".to_owned());
    }
    // Of a file that does not exist nothing can be untouched: "there should be a migration guide" is a fair finding.
    let untouched = match anchored.anchor {
        Anchor::Exact(_) | Anchor::Moved(_) => !anchored.touched,
        Anchor::File => changed.is_none(),
        Anchor::None => false,
    };
    let cause = detail(input, proposal.cause.as_deref());
    if untouched && !proposal.cause.as_deref().is_some_and(|c| causes.has(c)) {
        let why = if cause.is_some() { ", and its cause is no changed line" } else { "" };
        return Err(format!("about code that the change does not touch{why}"));
    }
    let trigger = detail(input, proposal.trigger.as_deref()).filter(|t| says_something(t, &title));
    let mut severity = severity(&proposal.severity);
    if severity >= Severity::Important && trigger.is_none() {
        severity = Severity::Suggestion;
        out.lowered += 1;
    }
    let cited = proposal.rule_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let rule = cited.and_then(|id| (input.rule)(id));
    // Who holds a change against the rules has nothing to say beside them, and nothing worse than they say.
    let rule = match rule {
        None if input.category == Category::Codex => return Err("cites no rule that applies".to_owned()),
        Some((rule, worst)) if input.category == Category::Codex => {
            severity = severity.min(worst);
            Some(rule)
        }
        other => other.map(|(rule, _)| rule),
    };
    out.citations_removed += usize::from(cited.is_some() && rule.is_none());
    let id = identity(input, changed, &anchored, rule.as_ref().map(|r| r.id.as_str()), &title);
    Ok(Finding {
        fingerprint: id,
        severity,
        category: proposal.category.as_deref().and_then(category).unwrap_or(input.category),
        reviewer: input.reviewer.to_owned(),
        also: Vec::new(),
        source: FindingSource::Model,
        body: cut((input.mask)(visible(&proposal.body).trim()).as_ref(), MAX_BODY),
        title,
        trigger,
        cause,
        rule,
        suggestion: proposal.suggestion.as_deref().and_then(|s| suggest(input, &anchored, &proposal.quote, s)),
        path: anchored.path,
        old_path: anchored.old_path,
        side: anchored.side,
        anchor: anchored.anchor,
        quote: (input.mask)(&anchored.quote).into_owned(),
        confidence,
        status: FindingStatus::New,
    })
}

fn changed_file<'a>(input: &CheckInput<'a>, anchored: &Anchored) -> Option<&'a FileDiff> {
    input.anchor.files.iter().find(|f| f.new_path == anchored.path)
}

fn identity(input: &CheckInput<'_>, changed: Option<&FileDiff>, anchored: &Anchored, rule: Option<&str>, title: &str) -> String {
    let text: Option<Arc<FileText>> = match changed {
        Some(file) => (input.anchor.text)(file, anchored.side),
        None => (input.anchor.elsewhere)(&anchored.path),
    };
    match anchored.anchor.lines().zip(text) {
        Some((lines, text)) => {
            let path = match (anchored.side, &anchored.old_path) {
                (Side::Old, Some(old)) => old,
                _ => &anchored.path,
            };
            let symbol = (input.symbol)(path, anchored.side, lines.start);
            let ordinal = ordinal(&text, &anchored.quote, lines.start, symbol.as_ref());
            fingerprint(rule, &anchored.quote, symbol.as_ref().map(|s| s.name.as_str()), ordinal)
        }
        // Without code, what is said is all there is to know it by.
        None if anchored.quote.trim().is_empty() => fingerprint(rule, title, None, 0),
        None => fingerprint(rule, &anchored.quote, None, 0),
    }
}

fn suggest(input: &CheckInput<'_>, anchored: &Anchored, quote: &str, raw: &str) -> Option<String> {
    let placed = anchored.anchor.lines().is_some() && anchored.side == Side::New && anchored.whole_lines;
    let sensitive = (input.sensitive)(&anchored.path) || anchored.old_path.as_ref().is_some_and(|p| (input.sensitive)(p));
    if placed && !sensitive { suggestion::ready(raw, quote, &anchored.quote, input.mask) } else { None }
}

fn title(input: &CheckInput<'_>, proposal: &Proposal) -> String {
    let plain = |text: &str| one_line(visible(text).trim().trim_start_matches(['#', ' ']));
    let mut title = plain(cut_bytes(&proposal.title, 2_000));
    if let Some(bare) = title.strip_prefix("**").and_then(|t| t.strip_suffix("**")) {
        title = bare.to_owned();
    }
    if title.is_empty() {
        title = plain(&first_sentence(cut_bytes(&visible(&proposal.body), 2_000)));
    }
    cut(&(input.mask)(&title), MAX_TITLE)
}

fn detail(input: &CheckInput<'_>, text: Option<&str>) -> Option<String> {
    let text = one_line(&visible(text?));
    (!text.is_empty()).then(|| cut(&(input.mask)(&text), MAX_DETAIL))
}

/// Whether a trigger is more than a word to fill the field.
fn says_something(trigger: &str, title: &str) -> bool {
    let letters = |t: &str| t.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let said = letters(trigger);
    said.chars().count() >= MIN_TRIGGER && !NO_TRIGGER.contains(&said.as_str()) && said != letters(title)
}

/// Whether a title asks for something instead of saying what breaks, as trifles do.
fn is_advice(title: &str) -> bool {
    let start = |begin: &&str| title.get(..begin.len()).is_some_and(|t| t.eq_ignore_ascii_case(begin));
    ADVICE.iter().any(|a| start(a) && title[a.len()..].starts_with(|c: char| c.is_whitespace()))
}

/// Reads a severity; one that there is not is a suggestion.
fn severity(word: &str) -> Severity {
    parse_severity(word).unwrap_or(Severity::Suggestion)
}

/// A severity by its name or label, in any case.
pub(crate) fn parse_severity(word: &str) -> Option<Severity> {
    let all = [Severity::Critical, Severity::Important, Severity::Suggestion, Severity::Nit];
    let word = word.trim();
    all.into_iter().find(|s| word.eq_ignore_ascii_case(s.label())).or_else(|| word.eq_ignore_ascii_case("nit").then_some(Severity::Nit))
}

/// A category by its name or heading, in any case.
pub(crate) fn category(word: &str) -> Option<Category> {
    let key = |t: &str| t.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let word = key(cut_bytes(word, 100));
    Category::ALL.into_iter().find(|c| word == key(c.label()) || word == key(&format!("{c:?}")))
}

#[cfg(test)]
mod tests;
