//! Requirements with the passages that they stand in. A passage that is not in the stretch that was shown is made up, and its
//! requirement with it.

use super::document::Document;
use super::talk::{Ask, Talk, json, line, tool};
use crate::config::ModelTier;
use crate::lang::Lang;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::json as value;

/// Requirements of one stretch, and of a run, that are taken.
const MAX_OF_STRETCH: usize = 40;
const MAX_ALL: usize = 400;
/// Passages of one stretch that are told as left out.
const MAX_LEFT: usize = 20;
/// Characters of a statement, of a passage that is left out, and of the reason.
const MAX_STATEMENT: usize = 300;
const MAX_PASSAGE: usize = 160;
const MAX_WHY: usize = 120;

/// A requirement that stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    /// In one sentence, a model's words.
    pub(super) statement: String,
    /// Whether the text binds.
    pub(super) must: bool,
    /// Names as [`Lang::name`] gives them.
    pub(super) languages: Vec<String>,
    /// The document's index, the heading that the passage stands under, its lines and its text: the document's own.
    pub(super) document: usize,
    pub(super) heading: String,
    pub(super) lines: (u32, u32),
    pub(super) passage: String,
}

/// What is no draft's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// The document's index, and the line where it begins, so far as it stands there.
    pub(super) document: usize,
    pub(super) line: u32,
    /// What it says: the document's words or a model's.
    pub(super) text: String,
    /// Why it is left out.
    pub(super) why: String,
}

/// What came of the stage.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    pub(super) requirements: Vec<Requirement>,
    /// What is left out, in the order of the documents.
    pub(super) left: Vec<Left>,
    /// Of these, those whose passage does not stand in the document.
    pub(super) made_up: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    requirements: Vec<RawRequirement>,
    left_out: Vec<RawLeft>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawLeft {
    passage: String,
    why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawRequirement {
    statement: String,
    passage: String,
    strength: String,
    languages: Vec<String>,
}

/// Reads all documents, stretch by stretch.
pub(super) async fn extract(talk: &Talk<'_>, documents: &[Document]) -> Extracted {
    let stretches: Vec<(usize, (u32, u32))> =
        documents.iter().enumerate().flat_map(|(i, d)| d.stretches().into_iter().map(move |s| (i, s))).collect();
    let asked = stretches.into_iter().enumerate().map(|(n, (i, stretch))| async move {
        let document = &documents[i];
        let shown = document.shown(stretch);
        let ask = Ask {
            stage: "extract",
            part: n + 1,
            about: format!("{} from line {}", document.name, stretch.0),
            tier: ModelTier::Standard,
            tool: tool("report_requirements", "Ends your work: the requirements of this part.", schema()),
            material: ("document", &shown),
            own: String::new(),
        };
        let found = talk.ask(ask, json::<Raw>).await.unwrap_or_default();
        (i, stretch, found)
    });
    let answers: Vec<_> = futures::stream::iter(asked).buffered(talk.parallel).collect().await;
    let mut out = Extracted::default();
    for (i, stretch, found) in answers {
        let Raw { requirements, left_out } = found;
        for (n, raw) in requirements.into_iter().enumerate() {
            take(&mut out, documents, i, stretch, (n, raw));
        }
        for raw in left_out.into_iter().take(MAX_LEFT) {
            // What does not stand there was not left out either.
            let Some(place) = documents[i].find(&raw.passage, stretch) else { continue };
            let told = Left { document: i, line: place.lines.0, text: line(&place.text, MAX_PASSAGE), why: line(&raw.why, MAX_WHY) };
            if !out.requirements.iter().any(|r| (r.document, r.lines) == (i, place.lines)) && !out.left.contains(&told) {
                out.left.push(told);
            }
        }
    }
    out
}

fn take(out: &mut Extracted, documents: &[Document], document: usize, stretch: (u32, u32), (number, raw): (usize, RawRequirement)) {
    let statement = line(&raw.statement, MAX_STATEMENT);
    if statement.is_empty() {
        return;
    }
    let left = |line: u32, why: String| Left { document, line, text: statement.clone(), why };
    if number >= MAX_OF_STRETCH {
        out.left.push(left(stretch.0, format!("more than {MAX_OF_STRETCH} requirements in one part of a document")));
        return;
    }
    let Some(place) = documents[document].find(&raw.passage, stretch) else {
        out.made_up += 1;
        out.left.push(left(stretch.0, "its passage does not stand in the document".to_owned()));
        return;
    };
    // The same passage told twice is one requirement, unless it demands two things.
    let same = |r: &Requirement| r.document == document && r.lines == place.lines && r.statement.eq_ignore_ascii_case(&statement);
    if out.requirements.iter().any(same) {
        return;
    }
    if out.requirements.len() >= MAX_ALL {
        out.left.push(left(place.lines.0, format!("more than {MAX_ALL} requirements: distil fewer documents at once")));
        return;
    }
    out.requirements.push(Requirement {
        statement,
        must: raw.strength.eq_ignore_ascii_case("must"),
        languages: languages(&raw.languages),
        document,
        heading: documents[document].heading(place.lines.0).to_owned(),
        lines: place.lines,
        passage: place.text,
    });
}

/// Those words that name a language, in our spelling, each once.
pub(super) fn languages(words: &[String]) -> Vec<String> {
    let named = |word: &String| Lang::of_fence(word.trim()).map(|l| if l == Lang::Tsx { Lang::TypeScript } else { l });
    let mut out: Vec<String> = words.iter().take(20).filter_map(named).map(|l| l.name().to_owned()).collect();
    out.sort();
    out.dedup();
    out
}

fn schema() -> serde_json::Value {
    let requirement = value!({
        "type": "object",
        "required": ["statement", "passage", "strength"],
        "properties": {
            "statement": {"type": "string", "description": "one sentence, <= 40 words"},
            "passage": {"type": "string", "description": "copied exactly from the document"},
            "strength": {"enum": ["must", "should"]},
            "languages": {"type": "array", "items": {"type": "string"}}
        }
    });
    let left = value!({
        "type": "object",
        "required": ["passage", "why"],
        "properties": {
            "passage": {"type": "string", "description": "copied exactly from the document"},
            "why": {"type": "string", "description": "<= 12 words"}
        }
    });
    value!({
        "type": "object",
        "required": ["requirements", "left_out"],
        "properties": {"requirements": {"type": "array", "items": requirement}, "left_out": {"type": "array", "items": left}}
    })
}
