//! The rules that a reviewer judges, as lines of a prompt: all of them where they are few; else the binding ones, and of
//! the rest a line for each topic, whose rules the tool `codex_rule` lists. Never more than a bound, and what is not named
//! is counted.

use super::{Rule, RuleLevel};
use crate::findings::Severity;
use std::collections::BTreeMap;

/// Bytes of the whole index.
const MAX_BYTES: usize = 5_000;
/// Bytes of the topics' lines among them.
const TOPIC_BYTES: usize = 1_800;
/// Bytes that the last line, of rules without a topic's line, may take.
const REST_BYTES: usize = 120;
/// Up to this many rules get their first paragraph as well.
const WITH_TEXT: usize = 12;
/// Bytes of such a paragraph.
const TEXT_BYTES: usize = 260;

/// The index of `rules` (those without a detector that apply to the change), and how many have no line of their own.
pub fn index(rules: &[&Rule]) -> (String, usize) {
    let mut sorted: Vec<&Rule> = rules.to_vec();
    sorted.sort_by(|a, b| (a.level != RuleLevel::Must, &a.id).cmp(&(b.level != RuleLevel::Must, &b.id)));
    let lines: Vec<String> = sorted.iter().map(|rule| line(rule, sorted.len() <= WITH_TEXT)).collect();
    if lines.iter().map(String::len).sum::<usize>() <= MAX_BYTES {
        return (lines.concat(), 0);
    }
    let mut out = String::new();
    let mut hidden = Vec::new();
    for (rule, line) in sorted.iter().zip(&lines) {
        if rule.level == RuleLevel::Must && hidden.is_empty() && out.len() + line.len() <= MAX_BYTES - TOPIC_BYTES - REST_BYTES {
            out.push_str(line);
        } else {
            hidden.push(*rule);
        }
    }
    out.push_str(&topics(&hidden));
    (out, hidden.len())
}

/// The rules' topics with counts, those with most binding rules first.
fn topics(rules: &[&Rule]) -> String {
    let mut by_topic: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for &rule in rules {
        by_topic.entry(topic(&rule.id)).or_default().push(rule);
    }
    let must = |rules: &[&Rule]| rules.iter().filter(|r| r.level == RuleLevel::Must).count();
    let mut all: Vec<(&str, Vec<&Rule>)> = by_topic.into_iter().collect();
    all.sort_by_key(|(topic, rules)| (std::cmp::Reverse((must(rules), rules.len())), *topic));
    let mut out = "More rules apply, by topic; list the topics that this change is about by `codex_rule` with `topic`:\n".to_owned();
    let mut left = (0, 0);
    for (topic, rules) in &all {
        let worst = rules.iter().map(|r| r.severity).max().map_or("nit", severity);
        let binding = match must(rules) {
            0 => String::new(),
            n => format!(", {n} must"),
        };
        let line = format!("- {topic}: {} rules{binding}, at most {worst}\n", rules.len());
        if left.0 > 0 || out.len() + line.len() > TOPIC_BYTES {
            left = (left.0 + 1, left.1 + rules.len());
        } else {
            out.push_str(&line);
        }
    }
    if left.0 > 0 {
        out.push_str(&format!("- {} more topics with {} rules: {}\n", left.0, left.1, "`codex_rule` with an empty `topic` lists them"));
    }
    out
}

/// What a rule is about, by its id: all but the last part (`SEC-PY` of `SEC-PY-003`).
pub fn topic(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(topic, _)| topic)
}

/// A rule as a line, for this index and for the list of a topic.
pub fn line(rule: &Rule, with_text: bool) -> String {
    let level = if rule.level == RuleLevel::Must { "must" } else { "should" };
    let text = if with_text { format!(". {}", first_paragraph(&rule.text)) } else { String::new() };
    format!("- {} ({level}, at most {}): {}{text}\n", rule.id, severity(rule.severity), rule.title)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::estimate_tokens;
    use crate::lang::Lang;
    use crate::path::RepoPath;
    use crate::rules::{Origin, RuleSet};

    /// 2,000 rules of which 150 are about Python, 50 of these binding.
    fn large() -> RuleSet {
        let rule = |i: usize| {
            let (lang, level) = if i < 150 { ("python", if i.is_multiple_of(3) { "must" } else { "should" }) } else { ("go", "must") };
            let title = format!("Do what this organisation has decided for case {i} of its services");
            let text = format!(
                "---\nid: TOPIC{}-{i:04}\ntitle: {title}\nlevel: {level}\nstatus: enforced\nseverity: important\ncategory: codex\nlanguages: [{lang}]\n---\n{}\n",
                i % 40,
                "A long text. ".repeat(100)
            );
            (format!("{i}.md"), text)
        };
        let mut set = RuleSet::default();
        assert_eq!(set.add_source("org", Origin::Organisation, (0..2_000).map(rule).collect()), []);
        set
    }

    #[test]
    fn many_rules_cost_little_and_none_is_lost_silently() {
        let set = large();
        let applicable = set.applicable(&RepoPath::from("a.py"), Some(Lang::Python));
        assert_eq!(applicable.len(), 150);
        let (text, hidden) = index(&applicable);
        assert!(estimate_tokens(&text) < 1_300 && text.len() <= MAX_BYTES, "{}", text.len());
        let shown = text.lines().filter(|l| l.contains("(must, ")).count();
        assert_eq!((shown + hidden, text.matches("(should, ").count()), (150, 0));
        assert!(text.starts_with("- TOPIC0-0000 (must, at most important): Do what"), "{text}");
        // The counts of the topics are the rules that have no line.
        let number =
            |line: &str, before: &str| line.split(before).next().and_then(|l| l.rsplit([' ', ':']).next()?.parse::<usize>().ok()).unwrap_or(0);
        let counted: usize = text.lines().filter(|l| l.contains(" rules")).map(|l| number(l, " rules")).sum();
        assert_eq!(counted, hidden, "{text}");
        // Another order of the same rules is the same text.
        let backwards: Vec<&Rule> = applicable.into_iter().rev().collect();
        assert_eq!(index(&backwards).0, text);
    }

    #[test]
    fn few_rules_come_with_their_first_paragraph() {
        let set = large();
        let few: Vec<&Rule> = ["TOPIC0-0000", "TOPIC1-0001"].iter().filter_map(|id| set.get(id)).collect();
        let (text, hidden) = index(&few);
        assert_eq!(hidden, 0);
        assert!(text.lines().nth(1).is_some_and(|l| l.starts_with("- TOPIC1-0001 (should, at most important): ") && l.ends_with(" …")), "{text}");
    }
}
