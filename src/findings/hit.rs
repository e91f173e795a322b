//! A rule's hit as a finding. It comes from code, so nothing is lowered or dropped.

use super::anchor::code;
use super::check::{MAX_BODY, MAX_TITLE};
use super::fingerprint::{Enclosing, fingerprint, ordinal};
use super::place::old_line;
use super::words::{cut, one_line, visible};
use super::{Anchor, Finding, FindingSource, FindingStatus, Lines, RuleRef, suggestion};
use crate::diff::{FileDiff, Side};
use crate::rules::{Rule, RuleHit};
use crate::text::FileText;
use std::borrow::Cow;

/// Where a rule hit, and what is needed to tell it.
#[derive(Clone, Copy)]
pub struct HitInput<'a> {
    /// The file.
    pub file: &'a FileDiff,
    /// Which side the hit stands on.
    pub side: Side,
    /// Its masked text on that side.
    pub text: &'a FileText,
    /// The innermost symbol around the hit's first line.
    pub symbol: Option<&'a Enclosing>,
    /// Masks secrets.
    pub mask: &'a dyn for<'t> Fn(&'t str) -> Cow<'t, str>,
    /// Whether no suggestion may be offered for this file.
    pub sensitive: bool,
}

/// The finding that a hit of `rule` is. Its lines are those of the hit, bounded by the file's.
pub fn finding(input: &HitInput<'_>, rule: &Rule, hit: &RuleHit) -> Finding {
    let end = hit.end.clamp(1, input.text.line_count().max(1));
    let start = hit.start.clamp(1, end);
    let quote = code(input.text, start, end).unwrap_or_default();
    let ordinal = ordinal(input.text, &quote, start, input.symbol);
    let said = hit.message.as_deref().map(|m| one_line(&visible(m))).filter(|m| !m.is_empty());
    Finding {
        fingerprint: fingerprint(Some(&rule.id), &quote, input.symbol.map(|s| s.name.as_str()), ordinal),
        severity: rule.severity,
        category: rule.category,
        reviewer: "rules".to_owned(),
        also: Vec::new(),
        source: FindingSource::Rule,
        title: cut(&(input.mask)(said.as_deref().unwrap_or(&rule.title)), MAX_TITLE),
        body: cut(&unwrapped(rule.text.trim()), MAX_BODY),
        trigger: None,
        cause: None,
        rule: Some(rule_ref(rule)),
        path: input.file.new_path.clone(),
        old_path: Some(&input.file.old_path).filter(|p| **p != input.file.new_path).cloned(),
        side: input.side,
        anchor: Anchor::Exact(Lines { start, end, old_line: if input.side == Side::New { old_line(input.file, end) } else { None } }),
        suggestion: hit.suggestion.as_deref().filter(|_| !input.sensitive).and_then(|s| suggestion::ready(s, &quote, &quote, input.mask)),
        quote,
        confidence: None,
        status: FindingStatus::New,
    }
}

/// The lines of each paragraph as one: rule files are wrapped by hand, comments and terminals wrap by themselves. Lists,
/// quotes and code keep their lines.
fn unwrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fenced = false;
    let mut joins = false;
    for line in text.lines() {
        let start = line.trim_start();
        let fence = start.starts_with("```");
        let own = fenced || fence || line.trim().is_empty() || start.starts_with(['-', '*', '>', '|', '#']) || line.starts_with("    ");
        if !out.is_empty() {
            out.push(if joins && !own { ' ' } else { '\n' });
        }
        out.push_str(if own { line } else { start });
        fenced ^= fence;
        joins = !fenced && !fence && !line.trim().is_empty();
    }
    out
}

/// What findings tell of a rule.
pub fn rule_ref(rule: &Rule) -> RuleRef {
    RuleRef { id: rule.id.clone(), status: rule.status, source: rule.source.clone(), url: rule.url.clone(), owner: rule.owner.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diff, mask};
    use super::*;
    use crate::findings::{Category, Severity};
    use crate::rules::{RuleLevel, RuleStatus};

    #[test]
    fn tells_a_hit_on_its_lines() {
        let (file, _, new) = diff("a.py", "def f():\n    pass\n", "def f():\n    run(x)\n    pass\n");
        let rule = Rule {
            id: "SEC-PY-003".to_owned(),
            title: "Do not run it".to_owned(),
            level: RuleLevel::Must,
            status: RuleStatus::Enforced,
            severity: Severity::Critical,
            category: Category::Security,
            languages: Vec::new(),
            paths: Vec::new(),
            source: Some("RFC-021".to_owned()),
            url: None,
            owner: None,
            has_detector: true,
            about_changes: false,
            text: "Because.\n".to_owned(),
            body: String::new(),
            origin: "built-in".to_owned(),
        };
        let symbol = Enclosing { name: "f".to_owned(), start: 1, end: 3 };
        let input = HitInput { file: &file, side: Side::New, text: &new, symbol: Some(&symbol), mask: &mask, sensitive: false };
        let hit = RuleHit { rule_id: rule.id.clone(), start: 2, end: 2, message: None, suggestion: Some("    run([x])".to_owned()) };
        let found = finding(&input, &rule, &hit);
        assert_eq!((found.title.as_str(), found.body.as_str(), found.quote.as_str()), ("Do not run it", "Because.", "    run(x)"));
        assert_eq!(found.anchor, Anchor::Exact(Lines { start: 2, end: 2, old_line: None }));
        assert_eq!(found.suggestion.as_deref(), Some("    run([x])"));
        assert_eq!(found.fingerprint, fingerprint(Some("SEC-PY-003"), "run(x)", Some("f"), 0));
        let past = finding(&HitInput { sensitive: true, ..input }, &rule, &RuleHit { start: 9, end: 12, ..hit });
        assert_eq!((past.anchor.lines().map(|l| (l.start, l.end)), past.suggestion), (Some((3, 3)), None));
    }
}
