//! What an auditor hands in, read leniently and believed only as far as its quotes stand in the files that it was shown.

use super::report::{Evidence, Opinion, Shows, Verdict};
use super::scan::quote;
use crate::findings::Proposal;
use crate::findings::anchor::{AnchorInput, anchor};
use crate::findings::words::{cut, one_line, visible};
use crate::gateway::ToolSpec;
use crate::path::RepoPath;
use crate::secrets;
use crate::text::FileText;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The tool that ends an auditor's work.
pub(super) const TOOL: &str = "report_compliance";
/// Longer input is refused, in bytes.
const MAX_INPUT: usize = 2 << 20;
/// Quotes of one rule that are looked for.
const MAX_QUOTES: usize = 10;
/// Characters of the reason and of the remedy.
const MAX_WHY: usize = 300;
const MAX_REMEDY: usize = 500;

/// What one auditor says of one rule, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) opinion: Opinion,
    /// It says that the rule is broken, whether or not it can show where.
    pub(super) accuses: bool,
    pub(super) evidence: Vec<Evidence>,
    pub(super) remedy: Option<String>,
}

/// The tool's description for the model.
pub(super) fn tool() -> ToolSpec {
    let evidence = json!({
        "type": "object",
        "required": ["path", "quote", "shows"],
        "properties": {
            "path": {"type": "string"},
            "quote": {"type": "string", "description": "1 to 5 whole lines copied as shown, without the leading mark"},
            "shows": {"enum": ["breach", "kept"]}
        }
    });
    let rule = json!({
        "type": "object",
        "required": ["rule_id", "verdict", "why"],
        "properties": {
            "rule_id": {"type": "string"},
            "verdict": {"enum": ["compliant", "partial", "non_compliant", "not_applicable", "cannot_tell"]},
            "why": {"type": "string", "description": "<= 40 words"},
            "evidence": {"type": "array", "items": evidence},
            "remediation": {"type": "string", "description": "<= 40 words: what to change, for a breach"}
        }
    });
    let schema = json!({"type": "object", "required": ["rules"], "properties": {"rules": {"type": "array", "items": rule}}});
    ToolSpec { name: TOOL, description: "Ends your work: a verdict for every rule of the list.".to_owned(), schema }
}

/// Reads the input of the tool. `asked` are the rules that count, `texts` the masked files that were shown, `reviewer` who
/// answers. A rule that is told twice counts once; one that is not asked for does not count.
pub(super) fn read(
    input: &str,
    reviewer: &str,
    asked: &BTreeSet<&str>,
    texts: &BTreeMap<RepoPath, Arc<FileText>>,
) -> Result<BTreeMap<String, Word>, String> {
    if input.len() > MAX_INPUT {
        return Err(format!("the input has {} bytes, more than {MAX_INPUT}", input.len()));
    }
    let value: Value = serde_json::from_str(input).map_err(|e| format!("the input is not valid JSON ({e})"))?;
    let rules = value.get("rules").and_then(Value::as_array).ok_or("the input needs `rules`, a list")?;
    let mut out = BTreeMap::new();
    for rule in rules {
        let id = text(rule, "rule_id", 100);
        if asked.contains(id.as_str()) && !out.contains_key(&id) {
            out.extend(word(rule, reviewer, texts).map(|word| (id, word)));
        }
    }
    if out.is_empty() { Err("it says nothing of any rule of the list".to_owned()) } else { Ok(out) }
}

fn text(value: &Value, key: &str, max: usize) -> String {
    let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
    cut(&one_line(&visible(&secrets::mask(text))), max)
}

fn word(rule: &Value, reviewer: &str, texts: &BTreeMap<RepoPath, Arc<FileText>>) -> Option<Word> {
    let said = text(rule, "verdict", 40).to_ascii_lowercase().replace(['-', ' '], "_");
    let verdict = match said.as_str() {
        "compliant" => Verdict::Compliant,
        "partial" | "partially_compliant" => Verdict::Partial,
        "non_compliant" | "noncompliant" => Verdict::NonCompliant,
        "not_applicable" => Verdict::NotApplicable,
        "cannot_tell" => Verdict::NotAssessed,
        _ => return None,
    };
    let quotes = rule.get("evidence").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let quotes = if verdict == Verdict::NotAssessed { &[] } else { quotes };
    let mut evidence: Vec<Evidence> = quotes.iter().take(MAX_QUOTES).filter_map(|q| found(q, verdict, texts)).collect();
    evidence.sort();
    evidence.dedup();
    let breach = matches!(verdict, Verdict::NonCompliant | Verdict::Partial);
    let proven = !breach || evidence.iter().any(|e| e.shows == Shows::Breach);
    let mut why = text(rule, "why", MAX_WHY);
    if breach {
        evidence.iter_mut().filter(|e| e.shows == Shows::Breach && !why.is_empty()).for_each(|e| e.note = Some(why.clone()));
    }
    if !proven {
        why = format!("None of its quotes of a breach stands in the files. It said: {why}");
        evidence.clear();
    }
    let opinion = Opinion { reviewer: reviewer.to_owned(), verdict: if proven { verdict } else { Verdict::NotAssessed }, why };
    Some(Word {
        opinion,
        accuses: breach,
        evidence,
        remedy: Some(text(rule, "remediation", MAX_REMEDY)).filter(|r| breach && proven && !r.is_empty()),
    })
}

/// The place of a quote, if it stands in a file that was shown.
fn found(quoted: &Value, verdict: Verdict, texts: &BTreeMap<RepoPath, Arc<FileText>>) -> Option<Evidence> {
    let string = |key: &str| quoted.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = quoted.get("line").and_then(Value::as_i64);
    let proposal = Proposal { path: string("path"), quote: string("quote"), line, ..Proposal::default() };
    let shown = |path: &RepoPath| texts.iter().find(|(p, _)| p.display() == path.display()).map(|(_, t)| Arc::clone(t));
    let place = anchor(&AnchorInput { files: &[], text: &|_, _| None, elsewhere: &shown }, &proposal);
    let lines = place.anchor.lines()?;
    let masked = shown(&place.path)?;
    let shows = match (string("shows").as_str(), verdict) {
        ("kept", Verdict::Partial) | (_, Verdict::Compliant | Verdict::NotApplicable) => Shows::Kept,
        _ => Shows::Breach,
    };
    let quote = quote(&masked, lines.start, lines.end);
    Some(Evidence { shows, path: place.path.display().into_owned(), start_line: lines.start, end_line: lines.end, quote, note: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> BTreeMap<RepoPath, Arc<FileText>> {
        BTreeMap::from([(RepoPath::from("a/b.py"), Arc::new(FileText::whole(b"def f():\n    return fetch(url)\n\n\ndef g():\n    pass\n")))])
    }

    fn read_one(rule: Value) -> Result<Word, String> {
        let input = json!({"rules": [rule]}).to_string();
        read(&input, "first", &BTreeSet::from(["AA-1"]), &texts()).map(|mut all| all.remove("AA-1").expect("told"))
    }

    #[test]
    fn a_breach_is_believed_by_its_quote_alone() {
        let breach = |path: &str, quote: &str| json!({"rule_id": "AA-1", "verdict": "non_compliant", "why": "No time-out.", "evidence": [{"path": path, "quote": quote, "shows": "breach"}], "remediation": "Give one."});
        let word = read_one(breach("a/b.py", "| return fetch(url)")).expect("read");
        assert_eq!(word.opinion.verdict, Verdict::NonCompliant);
        let told: Vec<String> = word.evidence.iter().map(|e| format!("{}:{} {} {:?}", e.path, e.start_line, e.quote.trim(), e.note)).collect();
        assert_eq!(told, ["a/b.py:2 return fetch(url) Some(\"No time-out.\")"]);
        assert_eq!(word.remedy.as_deref(), Some("Give one."));
        for (path, quote) in [("a/b.py", "return fetch(other)"), ("other.py", "return fetch(url)"), ("../a/b.py", "return fetch(url)"), ("", "")] {
            let word = read_one(breach(path, quote)).expect("read");
            assert_eq!((word.opinion.verdict, word.evidence.len(), word.remedy), (Verdict::NotAssessed, 0, None), "{path} {quote}");
        }
    }

    #[test]
    fn who_cannot_tell_accuses_nobody() {
        let quote = json!([{"path": "a/b.py", "quote": "| return fetch(url)", "shows": "breach"}]);
        let word =
            read_one(json!({"rule_id": "AA-1", "verdict": "cannot tell", "why": "The caller decides.", "evidence": quote, "remediation": "Ask."}));
        let Word { opinion, accuses, evidence, remedy } = word.expect("read");
        assert_eq!((opinion.verdict, opinion.why.as_str(), accuses), (Verdict::NotAssessed, "The caller decides.", false));
        assert_eq!((evidence, remedy), (Vec::new(), None), "whatever it quotes");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for (rule, says) in [
            (json!({"rule_id": "BB-2", "verdict": "compliant", "why": ""}), "nothing of any rule"),
            (json!({"rule_id": "AA-1", "verdict": "splendid", "why": ""}), "nothing of any rule"),
            (json!("AA-1"), "nothing of any rule"),
        ] {
            assert!(read_one(rule).expect_err("refused").contains(says));
        }
        let none = |input: &str| read(input, "first", &BTreeSet::from(["AA-1"]), &texts()).expect_err("refused");
        assert!(none("{").contains("JSON") && none("{}").contains("`rules`") && none(&"x".repeat(MAX_INPUT + 1)).contains("bytes"));
    }

    #[test]
    fn the_schema_is_short() {
        assert!(crate::gateway::estimate_tokens(&tool().schema.to_string()) < 300);
    }
}
