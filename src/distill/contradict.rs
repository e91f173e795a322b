//! What contradicts or repeats what: drafts among themselves, and drafts and rules in force. People settle it.

use super::draft::Draft;
use super::talk::{Ask, Talk, json, line, tool};
use crate::config::ModelTier;
use crate::findings::words::{cut, one_line};
use crate::rules::{Rule, RuleSet};
use serde::Deserialize;
use serde_json::json as value;
use std::collections::BTreeSet;

/// Rules in force that drafts are compared with in one request, and drafts.
const MAX_RULES: usize = 200;
const MAX_DRAFTS: usize = 100;
/// Characters of a rule's text that are shown: of the built-in rules, one in a hundred has more.
const MAX_TEXT: usize = 600;
/// Characters of a reason.
const MAX_WHY: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    pairs: Vec<Pair>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Pair {
    a: String,
    b: String,
    kind: String,
    why: String,
}

/// Writes what was found into the drafts' notes, and returns it, one line each.
pub(super) async fn contradict(talk: &Talk<'_>, drafts: &mut [Draft], rules: &RuleSet) -> Vec<String> {
    let mut told = BTreeSet::new();
    for (n, from) in (0..drafts.len()).step_by(MAX_DRAFTS).enumerate() {
        let to = (from + MAX_DRAFTS).min(drafts.len());
        let shown = &drafts[from..to];
        let near = nearest(shown, rules);
        // A single draft and no rule beside it: nothing to compare.
        if shown.len() + near.len() < 2 {
            continue;
        }
        let mut list: String = shown.iter().map(|d| entry(&d.id, &d.title, &d.text, &d.languages)).collect();
        near.iter().for_each(|r| list.push_str(&entry(&r.id, &r.title, &r.text, &r.languages)));
        let ask = Ask {
            stage: "contradict",
            part: n + 1,
            about: format!("drafts {} to {to}", from + 1),
            tier: ModelTier::Top,
            tool: tool("report_contradictions", "Ends your work: the pairs.", schema()),
            material: ("rules", &list),
            own: String::new(),
        };
        let raw = talk.ask(ask, json::<Raw>).await.unwrap_or_default();
        let known: BTreeSet<&str> = shown.iter().map(|d| d.id.as_str()).chain(near.iter().map(|r| r.id.as_str())).collect();
        let sound = |p: &Pair| {
            p.a != p.b && known.contains(p.a.as_str()) && known.contains(p.b.as_str()) && [&p.a, &p.b].iter().any(|id| id.starts_with("DRAFT-"))
        };
        let pairs: Vec<Pair> = raw.pairs.into_iter().filter(sound).collect();
        for pair in pairs {
            let why = line(&pair.why, MAX_WHY);
            let verb = if pair.kind.eq_ignore_ascii_case("repeats") { "repeats" } else { "contradicts" };
            for (own, other) in [(&pair.a, &pair.b), (&pair.b, &pair.a)] {
                if let Some(draft) = drafts.iter_mut().find(|d| d.id == *own) {
                    draft.notes.push(format!("A model says that this {verb} {other}: {why} Settle it before you take this over."));
                }
            }
            told.insert(format!("{} {verb} {}: {why}", pair.a, pair.b));
        }
    }
    told.into_iter().collect()
}

fn entry(id: &str, title: &str, text: &str, languages: &[String]) -> String {
    let about = if languages.is_empty() { String::new() } else { format!(" [{}]", languages.join(", ")) };
    // The whole text: what it lets pass often stands at its end.
    format!("{id}{about}: {}. {}\n", one_line(title), cut(&one_line(text), MAX_TEXT))
}

/// The rules in force that share most words with the drafts, so far as there is room.
fn nearest<'r>(drafts: &[Draft], rules: &'r RuleSet) -> Vec<&'r Rule> {
    let words =
        |text: &str| -> BTreeSet<String> { text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() > 3).map(str::to_lowercase).collect() };
    let wanted: BTreeSet<String> = drafts.iter().flat_map(|d| words(&format!("{} {}", d.title, d.text))).collect();
    let fits =
        |r: &&Rule| r.languages.is_empty() || drafts.iter().any(|d| d.languages.is_empty() || d.languages.iter().any(|l| r.languages.contains(l)));
    let mut all: Vec<(usize, &Rule)> =
        rules.iter().filter(fits).map(|r| (words(&format!("{} {}", r.title, r.text)).intersection(&wanted).count(), r)).collect();
    all.sort_by(|a, b| (b.0, &a.1.id).cmp(&(a.0, &b.1.id)));
    let mut near: Vec<&Rule> = all.into_iter().take(MAX_RULES).map(|(_, r)| r).collect();
    near.sort_by(|a, b| a.id.cmp(&b.id));
    near
}

fn schema() -> serde_json::Value {
    let pair = value!({
        "type": "object",
        "required": ["a", "b", "kind", "why"],
        "properties": {
            "a": {"type": "string", "description": "a draft's id"},
            "b": {"type": "string"},
            "kind": {"enum": ["contradicts", "repeats"]},
            "why": {"type": "string", "description": "<= 40 words"}
        }
    });
    value!({"type": "object", "required": ["pairs"], "properties": {"pairs": {"type": "array", "items": pair}}})
}
