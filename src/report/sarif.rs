//! SARIF 2.1.0, for code scanning pages and editors. A finding about removed code names its file without a region, since
//! its line numbers are not those of the file as it is now.

use super::plain::{one_line, write_json};
use super::{Review, Sources, WriteOptions, uri, words};
use crate::findings::{Anchor, Finding, FindingStatus, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    // Sorted, and each rule once: results refer to them by index.
    let rules: BTreeMap<String, &Finding> = review.findings.iter().rev().map(|f| (words::check_name(f), f)).collect();
    let ids: Vec<&String> = rules.keys().collect();
    let index = |f: &Finding| ids.binary_search(&&words::check_name(f)).ok();
    let rules = rules.iter().map(|(id, f)| rule(id, f)).collect();
    let results = review.findings.iter().map(|f| result(f, index(f))).collect();
    let log = log("tribune/", &one_line(&review.provenance.tribune), rules, results);
    write_json(&log, out)
}

/// A log of one run. `category` is what code scanning keeps apart from other tools' results, and from our other ones; it ends with a slash.
pub(crate) fn log(category: &str, version: &str, rules: Vec<Value>, results: Vec<Value>) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tribune", "semanticVersion": version, "rules": rules } },
            "automationDetails": { "id": category },
            "originalUriBaseIds": { "SRCROOT": { "description": { "text": "The root of the repository." } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(id: &str, finding: &Finding) -> Value {
    let mut rule = json!({
        "id": id,
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": { "tags": [finding.category.label()] },
    });
    let help = finding.rule.as_ref().and_then(|r| r.url.as_deref()).and_then(uri::link);
    match (&finding.rule, help) {
        (Some(_), Some(help)) => rule["helpUri"] = json!(help),
        (Some(_), None) => {}
        (None, _) => rule["shortDescription"] = json!({ "text": format!("A finding of the {} reviewer.", one_line(&finding.reviewer)) }),
    }
    rule
}

fn result(finding: &Finding, rule: Option<usize>) -> Value {
    let mut text = one_line(&finding.title);
    let message = words::message(finding);
    if !message.is_empty() {
        text.push_str(&format!("\n\n{message}"));
    }
    let mut result = json!({
        "ruleId": words::check_name(finding),
        "level": level(finding.severity),
        "message": { "text": message_text(&text) },
        "partialFingerprints": { "tribune/v1": one_line(&finding.fingerprint) },
        "properties": { "severity": words::severity_name(finding.severity), "category": finding.category },
    });
    if let Some(index) = rule {
        result["ruleIndex"] = json!(index);
    }
    if finding.anchor != Anchor::None {
        let mut place = json!({ "artifactLocation": { "uri": uri::relative(&finding.path), "uriBaseId": "SRCROOT" } });
        if let Some(lines) = words::new_lines(finding) {
            place["region"] = json!({ "startLine": lines.start, "endLine": lines.end });
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    match finding.status {
        FindingStatus::New => {}
        FindingStatus::Persisting => result["baselineState"] = json!("unchanged"),
        FindingStatus::Settled => result["suppressions"] = json!([{ "kind": "external", "status": "accepted" }]),
    }
    result
}

/// In SARIF messages `[text](target)` is a link even in plain text, and nobody but us makes links.
pub(crate) fn message_text(text: &str) -> String {
    text.replace("](", "] (")
}

/// A severity in SARIF's words.
pub(crate) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::Important => "error",
        Severity::Suggestion => "warning",
        Severity::Nit => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::RepoPath;
    use crate::report::Format;
    use crate::report::sample::{render, review};

    fn run(review: &Review) -> Value {
        let log: Value = serde_json::from_str(&render(Format::Sarif, review, &WriteOptions::default())).expect("JSON");
        log["runs"][0].clone()
    }

    #[test]
    fn a_result_names_its_rule_and_place() {
        let run = run(&review());
        insta::assert_snapshot!(serde_json::to_string_pretty(&run["results"][0]).expect("JSON"), @r#"
        {
          "level": "error",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "app/run.py",
                  "uriBaseId": "SRCROOT"
                },
                "region": {
                  "endLine": 6,
                  "startLine": 6
                }
              }
            }
          ],
          "message": {
            "text": "User input reaches a shell\n\nThe value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out.\n\nWhen: any signed-in user sends a command in the query of this page\n\nSEC-PY-003 · Security handbook, part 4 · team-security · model, security reviewer"
          },
          "partialFingerprints": {
            "tribune/v1": "00000000000000001422cbd550e0bc6e"
          },
          "properties": {
            "category": "security",
            "severity": "critical"
          },
          "ruleId": "SEC-PY-003",
          "ruleIndex": 0
        }
        "#);
        insta::assert_snapshot!(serde_json::to_string_pretty(&run["tool"]["driver"]["rules"]).expect("JSON"), @r#"
        [
          {
            "defaultConfiguration": {
              "level": "error"
            },
            "helpUri": "https://codex.example.org/security/python",
            "id": "SEC-PY-003",
            "properties": {
              "tags": [
                "Security"
              ]
            }
          },
          {
            "defaultConfiguration": {
              "level": "note"
            },
            "id": "tribune/docs",
            "properties": {
              "tags": [
                "Documentation"
              ]
            },
            "shortDescription": {
              "text": "A finding of the docs reviewer."
            }
          },
          {
            "defaultConfiguration": {
              "level": "error"
            },
            "id": "tribune/quality",
            "properties": {
              "tags": [
                "Code Quality"
              ]
            },
            "shortDescription": {
              "text": "A finding of the quality reviewer."
            }
          }
        ]
        "#);
    }

    #[test]
    fn every_result_points_to_its_own_rule() {
        let run = run(&review());
        for result in run["results"].as_array().expect("results") {
            let index = result["ruleIndex"].as_u64().and_then(|i| usize::try_from(i).ok()).expect("an index");
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        }
    }

    #[test]
    fn places_are_uris_and_removed_code_has_no_region() {
        let mut review = review();
        review.findings[0].path = RepoPath::from("a b/c:#é.py");
        let place = |i: usize| run(&review)["results"][i]["locations"][0]["physicalLocation"].clone();
        assert_eq!(place(0)["artifactLocation"]["uri"], "a%20b/c%3A%23%C3%A9.py");
        assert_eq!(place(1)["region"], json!({ "startLine": 2, "endLine": 8 }));
        assert!(place(2).get("region").is_none() && place(3).get("region").is_none());
    }

    #[test]
    fn a_strangers_text_makes_no_link() {
        let mut review = review();
        review.findings[0].body = "see [this](https://evil.example)".to_owned();
        let text = run(&review)["results"][0]["message"]["text"].as_str().unwrap_or_default().to_owned();
        assert!(!text.contains("]("), "{text}");
    }
}
