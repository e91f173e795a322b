//! The rules that a reviewer judges, as lines of a prompt: binding ones first, within a budget.

use super::{Rule, RuleLevel};
use crate::findings::Severity;

/// Bytes of the index; what does not fit is named as a count, and can be read by `codex_rule`.
const MAX_BYTES: usize = 4_800;
/// Up to this many rules get their first paragraph as well.
const WITH_TEXT: usize = 12;
/// Bytes of such a paragraph.
const TEXT_BYTES: usize = 260;

/// The index of `rules` (those without a detector that apply to the change), and how many did not fit.
pub fn index(rules: &[&Rule]) -> (String, usize) {
    let mut sorted: Vec<&&Rule> = rules.iter().collect();
    sorted.sort_by(|a, b| (a.level != RuleLevel::Must, &a.id).cmp(&(b.level != RuleLevel::Must, &b.id)));
    let with_text = sorted.len() <= WITH_TEXT;
    let mut out = String::new();
    for (i, rule) in sorted.iter().enumerate() {
        let level = if rule.level == RuleLevel::Must { "must" } else { "should" };
        let mut line = format!("- {} ({level}, at most {}): {}", rule.id, severity(rule.severity), rule.title);
        if with_text {
            line.push_str(". ");
            line.push_str(&first_paragraph(&rule.text));
        }
        line.push('\n');
        if out.len() + line.len() > MAX_BYTES {
            return (out, sorted.len() - i);
        }
        out.push_str(&line);
    }
    (out, 0)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Important => "important",
        Severity::Suggestion => "suggestion",
        Severity::Nit => "nit",
    }
}

fn first_paragraph(text: &str) -> String {
    let paragraph: String = text.trim().lines().take_while(|l| !l.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    if paragraph.len() <= TEXT_BYTES {
        return paragraph;
    }
    let mut to = TEXT_BYTES;
    while !paragraph.is_char_boundary(to) {
        to -= 1;
    }
    let to = paragraph[..to].rfind(' ').unwrap_or(to);
    format!("{} …", &paragraph[..to])
}
