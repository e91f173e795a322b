//! Detectors with their examples, tried at once: what fails is told to the model once, and what still fails is told to people.

use super::document::Document;
use super::draft::{Detector, Draft, Example};
use super::nodes::nodes;
use super::talk::{Ask, Talk, json, line, tool};
use crate::config::ModelTier;
use crate::rules::test::{self, ExampleKind, Outcome};
use crate::rules::{Origin, RuleSet, check};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json as value};

/// Examples of one kind.
const MAX_EXAMPLES: usize = 6;
/// Failed examples that are told again.
const MAX_RETOLD: usize = 4;
/// Bytes of a detector.
const MAX_DETECT: usize = 8_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    rule: Option<Value>,
    utils: Option<Value>,
    constraints: Option<Value>,
    why_not: String,
    bad: Vec<String>,
    good: Vec<String>,
    also_bad: Vec<String>,
    also_good: Vec<String>,
}

/// Makes and tries a detector for each draft that a pattern can tell, and tests that every draft is a rule file at all.
pub(super) async fn detect(talk: &Talk<'_>, documents: &[Document], drafts: Vec<Draft>) -> Vec<Draft> {
    let work = drafts.into_iter().enumerate().map(|(n, mut draft)| async move {
        if draft.detectable && !draft.languages.is_empty() {
            one(talk, documents, n + 1, &mut draft).await;
        }
        // Whatever came of it, what is written has to be a rule.
        if let Err(problems) = tried(&draft, documents)
            && draft.detector.is_some()
        {
            if broken(&draft, documents) {
                let lost = draft.detector.take().unwrap_or_default();
                draft.notes.push(format!("A detector was made that cannot be used ({}); it is left out: {}", problems.join("; "), lost.detect));
            } else {
                draft.notes.push(format!("The detector fails its own examples, hence on trial: {}.", problems.join("; ")));
            }
        }
        draft
    });
    futures::stream::iter(work).buffered(talk.parallel).collect().await
}

async fn one(talk: &Talk<'_>, documents: &[Document], part: usize, draft: &mut Draft) {
    let shown = |examples: &[Example]| examples.iter().map(|e| indented(&e.code)).collect::<String>();
    let material = format!(
        "{} [{}]\n{}\n{}\nbad:\n{}nodes of bad:\n{}good:\n{}",
        draft.id,
        draft.languages.join(", "),
        draft.title,
        draft.text,
        shown(&draft.bad),
        draft.bad.iter().map(|e| indented(&nodes(e))).collect::<String>(),
        shown(&draft.good)
    );
    let mut own = String::new();
    for attempt in 1..=2 {
        let ask = Ask {
            stage: "detect",
            part,
            about: draft.id.clone(),
            tier: ModelTier::Top,
            tool: tool("write_detector", "Ends your work: the detector and its examples.", schema()),
            material: ("rule", &material),
            own: own.clone(),
        };
        let Some(raw) = talk.ask(ask, read).await else { return };
        let Some(detector) = detector(&raw, &draft.languages) else {
            let why = line(&raw.why_not, 200);
            draft.notes.push(format!("No detector: {}", if why.is_empty() { "a model says that a pattern cannot tell." } else { &why }));
            return;
        };
        draft.detector = Some(detector);
        draft.proven = false;
        match tried(draft, documents) {
            Ok(()) => {
                draft.proven = true;
                return;
            }
            Err(problems) if attempt == 1 => own = again(draft, documents, &problems),
            Err(_) => {}
        }
    }
}

fn indented(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("    {}\n", text.trim_end().replace('\n', "\n    ")) }
}

/// What a model is told of its own detector that failed: which of its examples, in its own words, with the nodes in them. It has
/// never seen the file that lines are counted in.
fn again(draft: &Draft, documents: &[Document], problems: &[String]) -> String {
    let Some(detector) = &draft.detector else { return String::new() };
    let mut out = format!("\nYour first detector failed. It was:\n\n{}\n\nWhat failed:\n", detector.detect);
    let mine: Vec<(&str, &Example)> =
        [("bad", &detector.bad), ("good", &detector.good), ("also_bad", &detector.also_bad), ("also_good", &detector.also_good)]
            .into_iter()
            .flat_map(|(name, list)| list.iter().map(move |e| (name, e)))
            .collect();
    let results = test::run(&set(draft, documents), |_| true);
    let failed: Vec<_> = results.iter().zip(&mine).filter(|(r, _)| r.outcome != Outcome::Passed).collect();
    // Where the rule itself is unsound there are no results, or not one for each example.
    if failed.is_empty() || results.len() != mine.len() {
        problems.iter().for_each(|p| out.push_str(&format!("- {p}\n")));
        return out;
    }
    for (result, (name, example)) in failed.into_iter().take(MAX_RETOLD) {
        let what = match &result.outcome {
            Outcome::Missed => "is not hit".to_owned(),
            Outcome::FalseAlarm(lines) => format!("is hit at its line {}", lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
            Outcome::NotRun(why) => format!("could not be run ({})", line(why, 120)),
            Outcome::Passed => continue,
        };
        out.push_str(&format!("- this `{name}` {what}:\n{}  its nodes:\n{}", indented(&example.code), indented(&nodes(example))));
    }
    out
}

fn read(input: &str) -> Result<Raw, String> {
    let raw: Raw = json(input)?;
    match &raw.rule {
        Some(rule) if !rule.is_object() => Err("`rule` is an object, or null".to_owned()),
        Some(_) if raw.bad.is_empty() || raw.good.is_empty() => Err("a detector needs `bad` and `good` examples".to_owned()),
        _ => Ok(raw),
    }
}

fn detector(raw: &Raw, languages: &[String]) -> Option<Detector> {
    let mut detect = serde_json::Map::new();
    for (key, part) in [("rule", &raw.rule), ("utils", &raw.utils), ("constraints", &raw.constraints)] {
        if let Some(part) = part.as_ref().filter(|p| p.is_object()) {
            detect.insert(key.to_owned(), part.clone());
        }
    }
    let detect = Value::Object(detect);
    if raw.rule.is_none() || detect.to_string().len() > MAX_DETECT {
        return None;
    }
    let language = languages.first().map(String::as_str).unwrap_or_default();
    let examples = |list: &[String]| list.iter().take(MAX_EXAMPLES).filter_map(|code| Example::new(language, code)).collect();
    Some(Detector {
        detect,
        bad: examples(&raw.bad),
        good: examples(&raw.good),
        also_bad: examples(&raw.also_bad),
        also_good: examples(&raw.also_good),
    })
}

/// Loads the draft as `rules check` and `rules test` do; what is wrong, one line each.
fn tried(draft: &Draft, documents: &[Document]) -> Result<(), Vec<String>> {
    let set = set(draft, documents);
    let mut problems: Vec<String> = check::run(&set).into_iter().map(|p| line(&format!("{} {}", p.title, p.help), 200)).collect();
    for result in test::run(&set, |_| true) {
        let kind = if result.kind == ExampleKind::Bad { "Bad" } else { "Good" };
        let what = match result.outcome {
            Outcome::Passed => continue,
            Outcome::Missed => "is not hit".to_owned(),
            Outcome::FalseAlarm(_) => "is hit".to_owned(),
            Outcome::NotRun(why) => format!("could not be run ({})", line(&why, 120)),
        };
        problems.push(format!("the {kind} example at line {} {what}", result.line));
    }
    problems.dedup();
    problems.truncate(10);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether the file is no rule at all.
fn broken(draft: &Draft, documents: &[Document]) -> bool {
    set(draft, documents).get(&draft.id).is_none()
}

fn set(draft: &Draft, documents: &[Document]) -> RuleSet {
    let mut set = RuleSet::default();
    set.add_source("drafts", Origin::Organisation, vec![(format!("{}.md", draft.id), draft.file(documents))]);
    set
}

fn schema() -> serde_json::Value {
    let codes = value!({"type": "array", "items": {"type": "string"}});
    value!({
        "type": "object",
        "required": ["rule", "bad", "good", "also_bad", "also_good"],
        "properties": {
            "rule": {"type": ["object", "null"], "description": "an ast-grep rule"},
            "utils": {"type": "object"},
            "constraints": {"type": "object"},
            "why_not": {"type": "string"},
            "bad": codes, "good": codes, "also_bad": codes, "also_good": codes
        }
    })
}
