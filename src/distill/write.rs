//! A rule for each group of requirements.

use super::document::Document;
use super::draft::{Draft, Example};
use super::extract::{Left, Requirement, languages};
use super::talk::{Ask, Talk, json, line, tool};
use crate::config::ModelTier;
use crate::findings::check::{category, parse_severity};
use crate::findings::words::{cut_bytes, visible};
use crate::findings::{Category, Severity};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::json as value;
use std::collections::BTreeMap;

/// Rules of one run.
const MAX_DRAFTS: usize = 200;
/// Characters of a title, bytes of a text.
const MAX_TITLE: usize = 95;
const MAX_TEXT: usize = 3_000;
/// The words for what a rule is about, and what ids of such rules begin with.
const TOPICS: [(&str, &str); 11] = [
    ("security", "SEC"),
    ("correctness", "COR"),
    ("concurrency", "CON"),
    ("errors", "ERR"),
    ("performance", "PERF"),
    ("tests", "TEST"),
    ("documentation", "DOC"),
    ("release", "REL"),
    ("supply-chain", "SUP"),
    ("operations", "OPS"),
    ("design", "DES"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    title: String,
    text: String,
    level: String,
    severity: String,
    category: String,
    topic: String,
    languages: Vec<String>,
    example_language: String,
    bad: String,
    good: String,
    detectable: bool,
    about_change: bool,
}

/// Drafts in the order of their groups; groups without an answer are missing. Also what was left out because there are too many.
pub(super) async fn write(talk: &Talk<'_>, documents: &[Document], requirements: &[Requirement], groups: &[Vec<usize>]) -> (Vec<Draft>, Vec<Left>) {
    let asked = groups.iter().take(MAX_DRAFTS).enumerate().map(|(n, group)| async move {
        let of: Vec<&Requirement> = group.iter().filter_map(|i| requirements.get(*i)).collect();
        let list: String = of.iter().map(|r| told(documents, r)).collect();
        let ask = Ask {
            stage: "write",
            part: n + 1,
            about: of.first().map_or(String::new(), |r| line(&r.statement, 60)),
            tier: ModelTier::Standard,
            tool: tool("write_rule", "Ends your work: the rule.", schema()),
            material: ("requirements", &list),
            own: String::new(),
        };
        let raw = talk.ask(ask, read).await?;
        Some((raw, of.into_iter().cloned().collect::<Vec<_>>()))
    });
    let answers: Vec<Option<(Raw, Vec<Requirement>)>> = futures::stream::iter(asked).buffered(talk.parallel).collect().await;
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let drafts = answers.into_iter().flatten().map(|(raw, of)| draft(raw, of, &mut numbers)).collect();
    let past = groups.iter().skip(MAX_DRAFTS).flatten().filter_map(|i| requirements.get(*i));
    let why = format!("more than {MAX_DRAFTS} rules: distil fewer documents at once");
    (drafts, past.map(|r| Left { document: r.document, line: r.lines.0, text: r.statement.clone(), why: why.clone() }).collect())
}

fn told(documents: &[Document], r: &Requirement) -> String {
    let name = documents.get(r.document).map_or("", |d| d.name.as_str());
    let passage: String = r.passage.lines().map(|l| format!("    {l}\n")).collect();
    format!("{}: {}\n  from {name} §{}\n{passage}", if r.must { "must" } else { "should" }, r.statement, r.heading)
}

fn read(input: &str) -> Result<Raw, String> {
    let raw: Raw = json(input)?;
    let missing: Vec<&str> = [("title", &raw.title), ("text", &raw.text)].into_iter().filter(|(_, v)| v.trim().is_empty()).map(|(k, _)| k).collect();
    if missing.is_empty() { Ok(raw) } else { Err(format!("it lacks {}", missing.join(" and "))) }
}

fn draft(raw: Raw, requirements: Vec<Requirement>, numbers: &mut BTreeMap<&str, usize>) -> Draft {
    let prefix = TOPICS.iter().find(|(word, _)| raw.topic.eq_ignore_ascii_case(word)).map_or("DES", |(_, prefix)| prefix);
    let number = numbers.entry(prefix).or_default();
    *number += 1;
    let binding = requirements.iter().any(|r| r.must);
    let mut spoken = languages(&raw.languages);
    if spoken.is_empty() && requirements.iter().all(|r| !r.languages.is_empty()) {
        spoken = requirements.iter().flat_map(|r| r.languages.iter().cloned()).collect();
        spoken.sort();
        spoken.dedup();
    }
    let language = languages(std::slice::from_ref(&raw.example_language)).pop().or_else(|| spoken.first().cloned()).unwrap_or_default();
    let category = category(&raw.category).filter(|c| *c != Category::AgentsMd).unwrap_or(Category::Codex);
    Draft {
        id: format!("DRAFT-{prefix}-{number:03}"),
        title: line(&raw.title, MAX_TITLE),
        text: cut_bytes(visible(&crate::secrets::mask(&raw.text)).trim(), MAX_TEXT).to_owned(),
        // No stronger than the strongest of its passages.
        must: binding && raw.level.eq_ignore_ascii_case("must"),
        severity: parse_severity(&raw.severity).unwrap_or(Severity::Suggestion),
        category,
        languages: spoken,
        bad: Example::new(&language, &raw.bad).into_iter().collect(),
        good: Example::new(&language, &raw.good).into_iter().collect(),
        // A pattern sees code as it stands.
        detectable: raw.detectable && !raw.about_change,
        about_change: raw.about_change,
        detector: None,
        proven: false,
        notes: Vec::new(),
        requirements,
    }
}

fn schema() -> serde_json::Value {
    value!({
        "type": "object",
        "required": ["title", "text", "level", "severity", "category", "topic", "example_language", "bad", "good", "detectable", "about_change"],
        "properties": {
            "title": {"type": "string", "description": "one imperative line, <= 80 characters"},
            "text": {"type": "string"},
            "level": {"enum": ["must", "should"]},
            "severity": {"enum": ["critical", "important", "suggestion", "nit"]},
            "category": {"enum": ["security", "quality", "codex", "documentation", "performance", "release"]},
            "topic": {"enum": TOPICS.map(|(word, _)| word)},
            "languages": {"type": "array", "items": {"type": "string"}},
            "example_language": {"type": "string"},
            "bad": {"type": "string"},
            "good": {"type": "string"},
            "detectable": {"type": "boolean"},
            "about_change": {"type": "boolean"}
        }
    })
}
