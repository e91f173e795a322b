//! The input schemas of the two tools that end a review. They are part of every request, so they are kept short.

use serde_json::{Value, json};

/// The input of `report_findings`, with which a reviewer ends.
pub fn report_findings_schema() -> Value {
    json!({
        "type": "object",
        "required": ["findings"],
        "properties": {
            "findings": {"type": "array", "items": {
                "type": "object",
                "required": ["path", "quote", "severity", "title", "body"],
                "properties": {
                    "path": {"type": "string"},
                    "quote": {"type": "string", "description": "code it is about, whole lines copied as shown, without diff marks"},
                    "line": {"type": "integer"},
                    "end_line": {"type": "integer"},
                    "severity": {"enum": ["critical", "important", "suggestion", "nit"]},
                    "category": {"enum": ["security", "quality", "codex", "documentation", "performance", "release", "agents-md"]},
                    "title": {"type": "string", "description": "what breaks, <= 80 characters"},
                    "body": {"type": "string", "description": "<= 60 words"},
                    "trigger": {"type": "string", "description": "input or state, and who brings it about"},
                    "cause": {"type": "string", "description": "for unchanged code: the changed line that breaks it"},
                    "suggestion": {"type": "string", "description": "replaces the quoted lines exactly"},
                    "rule_id": {"type": "string"},
                    "confidence": {"type": "number", "description": "0..1"}
                }
            }},
            "prior": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "state", "why"],
                "properties": {"id": {"type": "string"}, "state": {"enum": ["persists", "fixed"]}, "why": {"type": "string"}}
            }}
        }
    })
}

/// The input of `submit_review`, with which the judge ends.
pub fn submit_review_schema() -> Value {
    json!({
        "type": "object",
        "required": ["findings", "summary"],
        "properties": {
            "findings": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "action"],
                "properties": {
                    "id": {"type": "string"},
                    "action": {"enum": ["keep", "drop", "merge"]},
                    "into": {"type": "string", "description": "merge: the id that stays"},
                    "severity": {"enum": ["critical", "important", "suggestion", "nit"], "description": "only lower"},
                    "category": {"enum": ["security", "quality", "codex", "documentation", "performance", "release", "agents-md"]},
                    "reason": {"type": "string"}
                }
            }},
            "summary": {"type": "string", "description": "<= 3 sentences"}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::check::{category, parse_severity};
    use crate::findings::{Category, Severity};
    use crate::gateway::estimate_tokens;

    #[test]
    fn stays_short() {
        let sizes = [report_findings_schema(), submit_review_schema()].map(|s| estimate_tokens(&s.to_string()));
        assert!(sizes[0] < 350 && sizes[1] < 250, "{sizes:?}");
    }

    #[test]
    fn names_what_the_checks_know() {
        let schema = report_findings_schema();
        let words = |name: &str| {
            let list = &schema["properties"]["findings"]["items"]["properties"][name]["enum"];
            list.as_array().expect("an enum").iter().map(|v| v.as_str().expect("a word").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words("category").iter().filter_map(|w| category(w)).collect::<Vec<_>>(), Category::ALL);
        let severities = [Severity::Critical, Severity::Important, Severity::Suggestion, Severity::Nit];
        assert_eq!(words("severity").iter().filter_map(|w| parse_severity(w)).collect::<Vec<_>>(), severities);
    }
}
