//! Reads what models hand to `report_findings` and `submit_review`. Lenient where the meaning is plain (numbers as text,
//! nulls, JSON within text); never guesses, and one bad entry does not lose the others.

use super::words::{cut, cut_bytes, one_line};
use super::{Dropped, Proposal};
use serde_json::{Map, Value};

/// How many findings a reviewer may report, all its bundles together.
pub const MAX_FINDINGS: usize = 100;
/// Longer input is refused, in bytes.
const MAX_INPUT: usize = 8 << 20;
/// Longer texts within it are cut, in bytes.
const MAX_FIELD: usize = 64 << 10;
/// Entries of other lists.
const MAX_ENTRIES: usize = 1_000;

/// What a reviewer reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Its findings, unchecked.
    pub proposals: Vec<Proposal>,
    /// Entries that could not be read, or are too many.
    pub dropped: Vec<Dropped>,
    /// Its answers about earlier findings; those not mentioned persist.
    pub prior: Vec<PriorAnswer>,
}

/// What a reviewer says of an earlier finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorAnswer {
    /// The id that its part listed.
    pub id: String,
    /// Whether it says that it is fixed, with a reason.
    pub fixed: bool,
    /// The reason.
    pub why: String,
}

/// What the judge decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitReview {
    /// Its decisions in its order.
    pub findings: Vec<Decision>,
    /// Its summary; empty where it gave none.
    pub summary: String,
}

/// One decision of the judge. Unchecked: whether it has the power is for [`crate::judge`] to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Which finding (`F1`).
    pub id: String,
    /// `keep`, `drop` or `merge`.
    pub action: String,
    /// For `merge`: into which.
    pub into: Option<String>,
    /// The severity it should have.
    pub severity: Option<String>,
    /// The category it should have.
    pub category: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Why input could not be read; worded for the model that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is longer than the bound.
    #[error("the input has {0} bytes, more than {MAX_INPUT}: report less")]
    TooLong(usize),
    /// It is not JSON.
    #[error("the input is not valid JSON ({0}): call the tool again with valid JSON")]
    Json(String),
    /// It has not the shape asked for.
    #[error("the input needs {0}: call the tool again")]
    Shape(&'static str),
}

/// Reads the input of `report_findings`. At most `room` findings are taken (see [`MAX_FINDINGS`]); the rest is counted in `dropped`.
pub fn report(input: &str, room: usize) -> Result<Report, ParseError> {
    let shape = ParseError::Shape("`findings`, a list of objects (an empty list if there are none)");
    let mut object = match json(input)? {
        Value::Object(object) => object,
        Value::Array(list) => Map::from_iter([("findings".to_owned(), Value::Array(list))]),
        _ => return Err(shape),
    };
    let Some(entries) = list(object.remove("findings")) else { return Err(shape) };
    let mut out = Report::default();
    let more = entries.len().saturating_sub(room);
    for (i, entry) in entries.into_iter().take(room).enumerate() {
        match proposal(entry) {
            Ok(p) => out.proposals.push(p),
            Err((title, reason)) => {
                let title = Some(cut(&one_line(&title), 80)).filter(|t| !t.is_empty());
                out.dropped.push(Dropped { title: title.unwrap_or_else(|| format!("(entry {})", i + 1)), reason });
            }
        }
    }
    if more > 0 {
        let reason = format!("a reviewer may report {MAX_FINDINGS}");
        out.dropped.push(Dropped { title: format!("{more} more findings beyond {MAX_FINDINGS}"), reason });
    }
    for entry in list(object.remove("prior")).unwrap_or_default().into_iter().take(MAX_ENTRIES) {
        let Value::Object(o) = entry else { continue };
        if let Some(id) = text(&o, "id") {
            let why = text(&o, "why").unwrap_or_default();
            let fixed = text(&o, "state").is_some_and(|s| s.trim().eq_ignore_ascii_case("fixed")) && !why.trim().is_empty();
            out.prior.push(PriorAnswer { id, fixed, why });
        }
    }
    Ok(out)
}

/// Reads the input of `submit_review`. Decisions that cannot be read are left out: what is not mentioned is kept.
pub fn review(input: &str) -> Result<SubmitReview, ParseError> {
    let shape = ParseError::Shape("`findings` (a list of objects) and `summary`");
    let Value::Object(mut object) = json(input)? else { return Err(shape) };
    let summary = text(&object, "summary").unwrap_or_default();
    let Some(entries) = list(object.remove("findings")) else { return Err(shape) };
    let decision = |entry: Value| {
        let Value::Object(o) = entry else { return None };
        Some(Decision {
            id: text(&o, "id")?.trim().to_owned(),
            action: text(&o, "action").unwrap_or_default().trim().to_ascii_lowercase(),
            into: text(&o, "into").map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()),
            severity: text(&o, "severity").filter(|t| !t.trim().is_empty()),
            category: text(&o, "category").filter(|t| !t.trim().is_empty()),
            reason: text(&o, "reason").map(|t| one_line(&t)).filter(|t| !t.is_empty()),
        })
    };
    Ok(SubmitReview { findings: entries.into_iter().take(MAX_ENTRIES).filter_map(decision).collect(), summary })
}

fn proposal(entry: Value) -> Result<Proposal, (String, String)> {
    let Value::Object(o) = entry else { return Err((String::new(), "not an object".to_owned())) };
    let title = text(&o, "title").unwrap_or_default();
    for name in ["path", "quote", "title", "body", "severity"] {
        if matches!(o.get(name), Some(Value::Object(_) | Value::Array(_))) {
            return Err((title, format!("its {name} is not text")));
        }
    }
    let [path, quote, body] = ["path", "quote", "body"].map(|n| text(&o, n).unwrap_or_default());
    if path.trim().is_empty() && quote.trim().is_empty() {
        return Err((title, "has neither path nor quote".to_owned()));
    }
    Ok(Proposal {
        path,
        quote,
        line: integer(&o, "line"),
        end_line: integer(&o, "end_line"),
        severity: text(&o, "severity").unwrap_or_default(),
        category: text(&o, "category"),
        title,
        body,
        trigger: text(&o, "trigger"),
        cause: text(&o, "cause"),
        suggestion: text(&o, "suggestion"),
        rule_id: text(&o, "rule_id"),
        confidence: confidence(&o),
    })
}

/// Parses JSON that may itself stand in a JSON string.
fn json(input: &str) -> Result<Value, ParseError> {
    if input.len() > MAX_INPUT {
        return Err(ParseError::TooLong(input.len()));
    }
    let parse = |t: &str| serde_json::from_str(t.trim()).map_err(|e| ParseError::Json(e.to_string()));
    match parse(input)? {
        Value::String(inner) => parse(&inner),
        value => Ok(value),
    }
}

fn list(value: Option<Value>) -> Option<Vec<Value>> {
    match value? {
        Value::Array(list) => Some(list),
        Value::String(inner) => match serde_json::from_str(inner.trim()).ok()? {
            Value::Array(list) => Some(list),
            _ => None,
        },
        _ => None,
    }
}

fn text(o: &Map<String, Value>, name: &str) -> Option<String> {
    match o.get(name)? {
        Value::String(t) => Some(cut_bytes(t, MAX_FIELD).to_owned()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn integer(o: &Map<String, Value>, name: &str) -> Option<i64> {
    match o.get(name)? {
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 1e15).map(|f| f as i64)),
        Value::String(t) => t.trim().parse().ok(),
        _ => None,
    }
}

/// A share of 1; "85", "85%" and 85 are read as percent.
fn confidence(o: &Map<String, Value>) -> Option<f64> {
    let value = match o.get("confidence")? {
        Value::Number(n) => n.as_f64()?,
        Value::String(t) => t.trim().trim_end_matches('%').trim().parse::<f64>().ok()?,
        _ => return None,
    };
    match value {
        v if (0.0..=1.0).contains(&v) => Some(v),
        v if v > 1.0 && v <= 100.0 => Some(v / 100.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"path":"a.rs","quote":"x","severity":"nit","title":"T","body":"B"}"#;

    fn read(input: &str) -> Report {
        report(input, MAX_FINDINGS).expect("readable")
    }

    #[test]
    fn reads_what_was_asked_for() {
        let all = r#"{"findings":[{"path":"a.rs","quote":"x","line":3,"end_line":4,"severity":"critical","category":"security","title":"T","body":"B",
            "trigger":"W","cause":"C","suggestion":"S","rule_id":"SEC-PY-003","confidence":0.8}],"prior":[{"id":"P1","state":"fixed","why":"gone"},{"id":"P2","state":"fixed"}]}"#;
        let some = |t: &str| Some(t.to_owned());
        let r = read(all);
        assert_eq!(
            r.proposals,
            [Proposal {
                path: "a.rs".to_owned(),
                quote: "x".to_owned(),
                line: Some(3),
                end_line: Some(4),
                severity: "critical".to_owned(),
                category: some("security"),
                title: "T".to_owned(),
                body: "B".to_owned(),
                trigger: some("W"),
                cause: some("C"),
                suggestion: some("S"),
                rule_id: some("SEC-PY-003"),
                confidence: Some(0.8),
            }]
        );
        assert_eq!(r.prior.iter().map(|p| (p.id.as_str(), p.fixed)).collect::<Vec<_>>(), [("P1", true), ("P2", false)]);
        assert_eq!(read(r#"{"findings":[]}"#), Report::default());
    }

    #[test]
    fn tolerates_what_is_plain() {
        let plain = read(&format!(r#"{{"findings":[{GOOD}]}}"#));
        assert_eq!(plain.proposals.len(), 1);
        assert_eq!(read(&format!("[{GOOD}]")), plain);
        assert_eq!(read(&serde_json::json!({"findings": format!("[{GOOD}]")}).to_string()), plain);
        assert_eq!(read(&serde_json::json!(format!(r#" {{"findings":[{GOOD}],"extra":1}}"#)).to_string()), plain);
        let odd = read(
            r#"{"findings":[{"path":"a","quote":null,"line":"12","end_line":13.0,"severity":null,"title":5,"confidence":"85%","rule_id":null,"x":[]}],"prior":null}"#,
        );
        let p = &odd.proposals[0];
        assert_eq!((p.line, p.end_line, p.title.as_str(), p.confidence, p.rule_id.as_deref()), (Some(12), Some(13), "5", Some(0.85), None));
    }

    #[test]
    fn a_bad_entry_does_not_lose_the_others() {
        let r = read(&format!(r#"{{"findings":[3,{GOOD},{{"title":"No place"}},{{"title":"Odd","path":["a"],"quote":"x"}}]}}"#));
        assert_eq!(r.proposals.len(), 1);
        let dropped: Vec<_> = r.dropped.iter().map(|d| (d.title.as_str(), d.reason.as_str())).collect();
        assert_eq!(dropped, [("(entry 1)", "not an object"), ("No place", "has neither path nor quote"), ("Odd", "its path is not text")]);
    }

    #[test]
    fn counts_what_is_too_much() {
        let many = format!(r#"{{"findings":[{}]}}"#, vec![GOOD; 10_000].join(","));
        let r = read(&many);
        assert_eq!((r.proposals.len(), r.dropped.len(), r.dropped[0].title.as_str()), (100, 1, "9900 more findings beyond 100"));
        assert_eq!(report(&many, 3).expect("readable").proposals.len(), 3);
    }

    #[test]
    fn tells_the_model_what_is_wrong() {
        let told = |input: &str| report(input, 100).expect_err("unreadable").to_string();
        insta::assert_snapshot!(told(r#"{"findings":["#), @"the input is not valid JSON (EOF while parsing a list at line 1 column 13): call the tool again with valid JSON");
        insta::assert_snapshot!(told("{}"), @"the input needs `findings`, a list of objects (an empty list if there are none): call the tool again");
        for garbage in ["", "null", "3", "\"prose\"", r#"{"findings":"none"}"#, r#"{"findings":{}}"#, r#"{"findings":null}"#] {
            told(garbage);
        }
        told(&"[".repeat(100_000));
        told(&format!("[{}]", " ".repeat(9 << 20)));
    }

    #[test]
    fn reads_the_judge() {
        let r = review(r#"{"findings":[{"id":" F1 ","action":"MERGE","into":"F2"},{"id":3,"action":"drop","reason":"not\nso","severity":""},"x",{"action":"drop"}],"summary":"S"}"#).expect("readable");
        let told: Vec<_> =
            r.findings.iter().map(|d| (d.id.as_str(), d.action.as_str(), d.into.as_deref(), d.reason.as_deref(), d.severity.as_deref())).collect();
        assert_eq!(told, [("F1", "merge", Some("F2"), None, None), ("3", "drop", None, Some("not so"), None)]);
        assert_eq!(r.summary, "S");
        assert!(review("[]").is_err() && review(r#"{"summary":"S"}"#).is_err());
    }
}
