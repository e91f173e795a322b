//! Compiles a rule's `detect:` with ast-grep for one language, and makes hits of what it matches.

use super::Rule;
use super::front::Detect;
use crate::lang::{Lang, Parsed};
use crate::text::FileText;
use ast_grep_config::{DenyUnknownKeys, Fixer, GlobalRules, RuleConfig, SerializableRuleConfig, SerializableRuleCore};
use ast_grep_core::NodeMatch;
use ast_grep_core::replacer::Replacer;
use ast_grep_core::tree_sitter::StrDoc;
use std::error::Error;

/// A compiled pattern.
pub(super) type Pattern = RuleConfig<Lang>;
/// What a pattern matched.
pub(super) type Match<'t> = NodeMatch<'t, StrDoc<Lang>>;

/// The longest message of a detector, in characters, and the longest suggestion, in bytes.
const MAX_MESSAGE: usize = 200;
const MAX_SUGGESTION: usize = 4 << 10;

/// Compiles a pattern; the error says in one line what ast-grep refuses.
pub(super) fn compile(rule: &Rule, detect: &Detect, lang: Lang) -> Result<Pattern, String> {
    let Some(pattern) = &detect.rule else { return Err("it has no pattern".to_owned()) };
    let fix = detect.fix.clone().map(|f| serde_json::from_value(serde_json::Value::String(f)).expect("a template can be any text"));
    let message = detect.message.clone().unwrap_or_default();
    Fixer::from_str(&message, &lang).map_err(|e| causes(&e))?;
    let config = SerializableRuleConfig {
        core: SerializableRuleCore {
            rule: pattern.clone(),
            constraints: detect.constraints.clone(),
            utils: detect.utils.clone(),
            transform: detect.transform.clone(),
        },
        fix,
        rewriters: None,
        id: rule.id.clone(),
        language: lang,
        message,
        note: None,
        severity: Default::default(),
        labels: None,
        files: None,
        ignores: None,
        url: None,
        metadata: None,
        unknown_keys: DenyUnknownKeys,
    };
    RuleConfig::try_from(config, &GlobalRules::default()).map_err(|e| causes(&e))
}

/// An error with its causes, in one line.
fn causes(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        // Of several lines (a regex with a mark under it) the last says what is wrong.
        let text = error.to_string();
        let line = text.lines().last().unwrap_or_default().trim().trim_end_matches('.').trim_start_matches("error: ");
        if !line.starts_with("Fail to parse yaml") && parts.last().is_none_or(|last| last != line) && parts.len() < 6 {
            parts.push(line.to_owned());
        }
        next = error.source();
    }
    parts.join(": ")
}

/// First and last line of a match, 1-based. A node that ends before a line's first character ends on the line before.
pub(super) fn rows(node: &tree_sitter::Node<'_>) -> (u32, u32) {
    let (start, end) = (node.start_position(), node.end_position());
    let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
    let number = |row: usize| u32::try_from(row).unwrap_or(u32::MAX - 1) + 1;
    (number(start.row), number(last))
}

/// The detector's own words for a match: one line, short, secrets in the code masked.
pub(super) fn message(pattern: &Pattern, found: &Match<'_>) -> Option<String> {
    if pattern.message.is_empty() {
        return None;
    }
    let text = pattern.get_message(found);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = crate::secrets::mask(&line).chars().filter(|c| !c.is_control() && !crate::path::is_invisible(*c)).collect();
    let short: String = clean.chars().take(MAX_MESSAGE).collect();
    Some(if short.len() < clean.len() { short + "…" } else { short })
}

/// What stands in place of lines `start` to `end` when the rule's fix is applied to a match on exactly these lines.
pub(super) fn suggestion(pattern: &Pattern, found: &Match<'_>, text: &FileText, (start, end): (u32, u32)) -> Option<String> {
    let fixer = pattern.fixer.first().filter(|_| text.is_whole())?;
    let source = text.as_str();
    let range = fixer.get_replaced_range(found, &pattern.matcher);
    let last = range.end.checked_sub(1).filter(|l| *l >= range.start && range.end <= source.len())?;
    if (text.line_at(range.start), text.line_at(last)) != (start, end) {
        return None;
    }
    let replacement = String::from_utf8(fixer.generate_replacement(found)).ok()?;
    let before = source[..range.start].rfind('\n').map_or(0, |i| i + 1);
    let after = source[last..].find('\n').map_or(source.len(), |i| last + i).max(range.end);
    let lines = format!("{}{replacement}{}", &source[before..range.start], &source[range.end..after]);
    let lines = lines.trim_end_matches(['\n', '\r']);
    (lines.len() <= MAX_SUGGESTION).then(|| lines.to_owned())
}

/// The syntax tree's own root node.
pub(super) fn tree_root(parsed: &Parsed) -> tree_sitter::Node<'_> {
    parsed.root().get_inner_node()
}
