//! A draft, and the rule file that it is written to. What models wrote is bounded, cannot make a heading, a link or front matter,
//! and stands beside the passage that it came from, which is the document's own.

use super::document::Document;
use super::extract::Requirement;
use crate::findings::sanitize;
use crate::findings::words::{cut, cut_bytes, one_line, visible};
use crate::findings::{Category, Severity};
use serde_json::Value;

/// Lines of an example and its bytes.
const MAX_CODE_LINES: usize = 60;
const MAX_CODE: usize = 4_000;
/// Bytes of a passage.
const MAX_PASSAGE: usize = 2_500;
/// Characters of `source`.
const MAX_SOURCE: usize = 180;

/// An example: the language's name and the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) language: String,
    pub(super) code: String,
}

impl Example {
    /// A model's example, bounded; `None` for an empty one.
    pub(super) fn new(language: &str, code: &str) -> Option<Self> {
        let code = visible(&crate::secrets::mask(code)).into_owned();
        let lines: Vec<&str> = cut_bytes(&code, MAX_CODE).trim_matches('\n').lines().take(MAX_CODE_LINES).collect();
        let language = if language.bytes().all(|b| b.is_ascii_alphanumeric()) { language } else { "" };
        let code = lines.join("\n");
        (!code.trim().is_empty()).then(|| Self { language: language.to_owned(), code: code + "\n" })
    }

    fn fenced(&self) -> String {
        let longest = self.code.lines().map(|l| l.trim_start().bytes().take_while(|b| *b == b'`').count()).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        format!("{fence}{}\n{}{fence}\n", self.language, self.code)
    }
}

/// The detector with its examples.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Detector {
    /// `rule`, and perhaps `constraints` and `utils`: ast-grep's.
    pub(super) detect: Value,
    pub(super) bad: Vec<Example>,
    pub(super) good: Vec<Example>,
    pub(super) also_bad: Vec<Example>,
    pub(super) also_good: Vec<Example>,
}

/// A draft of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) must: bool,
    pub(super) severity: Severity,
    pub(super) category: Category,
    pub(super) languages: Vec<String>,
    pub(super) bad: Vec<Example>,
    pub(super) good: Vec<Example>,
    /// A model says that a pattern can tell.
    pub(super) detectable: bool,
    /// A model says that what it is about is a change.
    pub(super) about_change: bool,
    pub(super) detector: Option<Detector>,
    /// Whether the detector did on all examples what it should.
    pub(super) proven: bool,
    /// What people should know before they take it over.
    pub(super) notes: Vec<String>,
    pub(super) requirements: Vec<Requirement>,
}

impl Draft {
    /// Where it comes from, for `source`.
    pub(super) fn source(&self, documents: &[Document]) -> String {
        let Some(first) = self.requirements.first() else { return String::new() };
        let name = documents.get(first.document).map_or("", |d| d.name.as_str());
        let section = if first.heading.is_empty() { format!("line {}", first.lines.0) } else { format!("§{}", first.heading) };
        let more = if self.requirements.len() > 1 { format!(" and {} more", self.requirements.len() - 1) } else { String::new() };
        cut(&one_line(&format!("{name} {section}{more}")), MAX_SOURCE)
    }

    /// The rule file.
    pub(super) fn file(&self, documents: &[Document]) -> String {
        let text = |s: &str| Value::String(s.to_owned()).to_string();
        let name = |v: Value| v.as_str().unwrap_or_default().to_owned();
        // A draft whose detector is not proven is never shown to anybody but those who try it.
        let status = if self.detector.is_some() && !self.proven { "trial" } else { "advisory" };
        let mut out = format!(
            "---\nid: {}\ntitle: {}\nlevel: {}\nstatus: {status}\nseverity: {}\ncategory: {}\n",
            self.id,
            text(&unlinked(&self.title)),
            if self.must { "must" } else { "should" },
            name(serde_json::json!(self.severity)),
            name(serde_json::json!(self.category)),
        );
        if !self.languages.is_empty() {
            out.push_str(&format!("languages: [{}]\n", self.languages.join(", ")));
        }
        out.push_str(&format!("source: {}\n", text(&unlinked(&self.source(documents)))));
        if self.about_change {
            out.push_str("about: change\n");
        }
        if let Some(detector) = &self.detector {
            out.push_str("detect:\n");
            yaml(&detector.detect, 2, &mut out);
        }
        out.push_str(&format!("---\n{}\n", prose(&self.text)));
        for r in &self.requirements {
            let (from, to) = r.lines;
            let name = documents.get(r.document).map_or("", |d| d.name.as_str());
            let section = if r.heading.is_empty() { String::new() } else { format!(" §{}", plain(&r.heading)) };
            let lines = if from == to { format!("line {from}") } else { format!("lines {from} to {to}") };
            out.push_str(&format!("\nFrom {}{section}, {lines}:\n\n", plain(name)));
            for line in cut_bytes(&r.passage, MAX_PASSAGE).lines() {
                out.push_str(format!("> {}", unlinked(line)).trim_end());
                out.push('\n');
            }
        }
        let (bad, good, empty) = match &self.detector {
            Some(d) => (&d.bad, &d.good, Vec::new()),
            None => (&self.bad, &self.good, Vec::new()),
        };
        let (also_bad, also_good) = self.detector.as_ref().map_or((&empty, &empty), |d| (&d.also_bad, &d.also_good));
        section(&mut out, "## Bad", bad);
        section(&mut out, "## Good", good);
        if !self.notes.is_empty() {
            out.push_str("\n## For whoever reviews this draft\n\n");
            self.notes.iter().for_each(|note| out.push_str(&format!("- {}\n", plain(note))));
        }
        section(&mut out, "## Also bad", also_bad);
        section(&mut out, "## Also good", also_good);
        out
    }
}

fn section(out: &mut String, heading: &str, examples: &[Example]) {
    if !examples.is_empty() {
        out.push_str(&format!("\n{heading}\n"));
        examples.iter().for_each(|e| out.push_str(&e.fenced()));
    }
}

/// A model's prose as Markdown that can neither head a section nor link.
fn prose(text: &str) -> String {
    let safe = sanitize::markdown(text);
    let line = |l: &str| if l.trim_end() == "---" || l.starts_with('#') { format!("\\{l}") } else { unlinked(l) };
    safe.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// One line of a stranger's words.
fn plain(text: &str) -> String {
    unlinked(&sanitize::inline(text))
}

/// Only people make links.
fn unlinked(line: &str) -> String {
    line.replace("](", "] (")
}

/// JSON as block YAML, so that people can read and mend it.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                out.push_str(&format!("{pad}{}:", scalar(&Value::String(key.clone()))));
                nested(inner, indent + 2, out);
            }
        }
        Value::Array(list) => {
            for inner in list {
                out.push_str(&format!("{pad}-"));
                nested(inner, indent + 2, out);
            }
        }
        other => out.push_str(&format!("{pad}{}\n", scalar(other))),
    }
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::Array(list) if list.is_empty() => out.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            out.push('\n');
            yaml(value, indent, out);
        }
        other => out.push_str(&format!(" {}\n", scalar(other))),
    }
}

/// A plain word as it is, any other text in double quotes, which JSON and YAML share.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(s)
            if !s.is_empty()
                && s.starts_with(|c: char| c.is_ascii_alphabetic())
                && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !reserved(s) =>
        {
            s.clone()
        }
        other => other.to_string(),
    }
}

fn reserved(word: &str) -> bool {
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].iter().any(|r| word.eq_ignore_ascii_case(r))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn block_yaml_reads_back_as_what_it_was() {
        for value in [
            json!({"rule": {"any": [{"pattern": "os.system($A)"}, {"pattern": "x: \"#\" {y}\n  z"}], "not": {"inside": {"kind": "try_statement", "stopBy": "end"}}}}),
            json!({"rule": {"regex": "^\\s*no$", "nthChild": 1, "all": [], "has": {}, "kind": "null"}, "utils": {"on": {"kind": "yes"}, "a b": [[1, 2], ["é"]]}}),
        ] {
            let mut text = String::new();
            yaml(&value, 0, &mut text);
            let back: Value = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(back, value, "{text}");
        }
    }

    #[test]
    fn a_models_words_stay_words() {
        let text = prose("Use it.\n## Bad\n```sh\nrm -rf /\n```\n---\n[x](https://evil.example) ![y](z) <script>");
        assert!(text.lines().all(|l| !l.starts_with('#') && l != "---") && !text.contains("]("), "{text}");
        let example = Example::new("python", "```\n## Good\n~~~\nx()\n").expect("code");
        assert!(example.fenced().starts_with("````python\n```\n"), "{}", example.fenced());
        assert_eq!(Example::new("../x y", "a\n").map(|e| e.language), Some(String::new()));
        assert_eq!(Example::new("c", "\n \n"), None);
    }
}
