use super::*;
use crate::report::sample::{clean_review, hostile, review};
use crate::report::{Format, sample};

mod round_trip;

fn json(review: &Review) -> String {
    sample::render(Format::Json, review, &WriteOptions::default())
}

#[test]
fn every_report_is_valid_against_its_schema() {
    let validator = jsonschema::validator_for(&json_schema()).expect("the schema is one");
    for review in [review(), clean_review(), hostile()] {
        let value = serde_json::from_str(&json(&review)).expect("the report is JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
}

#[test]
fn the_fields_are_those_of_the_contract() {
    let mut review = review();
    review.findings.truncate(1);
    review.findings[0].confidence = Some(0.1 + 0.2);
    review.coverage.truncate(2);
    review.reviewers.remove(0);
    review.reviewers.truncate(1);
    insta::assert_snapshot!(json(&review), @r#"
    {
      "schema": "tribune.report/v1",
      "outcome": "fail",
      "verdict": "significant_concerns",
      "provenance": {
        "tribune": "0.1.0",
        "policy_sha": "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f",
        "config_digest": "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
        "prompts_digest": "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",
        "rules": [
          {
            "source": "built-in",
            "commit": null
          }
        ],
        "gateway_host": "gateway.example.org",
        "prices": "2026-11-26"
      },
      "tier": {
        "level": "full",
        "reasons": [
          "app/run.py is security-sensitive",
          "112 changed lines"
        ]
      },
      "change": {
        "base_sha": "babababababababababababababababababababa",
        "head_sha": null,
        "label": "work tree against main (babababa)",
        "files": 6,
        "lines_added": 90,
        "lines_removed": 22
      },
      "coverage": [
        {
          "path": "Cargo.lock",
          "status": "filtered",
          "reason": "lock file",
          "reviewers": []
        },
        {
          "path": "README.md",
          "status": "reviewed",
          "reviewers": [
            "quality",
            "rules"
          ]
        }
      ],
      "reviewers": [
        {
          "id": "quality",
          "model": "model-a-2",
          "status": "completed",
          "findings": 1,
          "seconds": 21.5,
          "requests": 2,
          "usage": {
            "input_tokens": 61728,
            "cached_tokens": 50000,
            "cache_write_tokens": 0,
            "output_tokens": 1605,
            "cost_usd": 0.21
          },
          "first_token_seconds": 1.25,
          "models": [
            {
              "model": "model-a",
              "requests": 2,
              "usage": {
                "input_tokens": 61728,
                "cached_tokens": 50000,
                "cache_write_tokens": 0,
                "output_tokens": 1605,
                "cost_usd": 0.21
              },
              "seconds": 20.5,
              "first_token_seconds": 1.25
            }
          ]
        }
      ],
      "findings": [
        {
          "fingerprint": "00000000000000001422cbd550e0bc6e",
          "severity": "critical",
          "category": "security",
          "reviewer": "rules",
          "also": [
            "security"
          ],
          "source": "rule",
          "title": "User input reaches a shell",
          "body": "The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out.",
          "trigger": "any signed-in user sends a command in the query of this page",
          "rule_id": "SEC-PY-003",
          "rule": {
            "status": "enforced",
            "source": "Security handbook, part 4",
            "url": "https://codex.example.org/security/python",
            "owner": "team-security"
          },
          "path": "app/run.py",
          "side": "new",
          "start_line": 6,
          "end_line": 6,
          "anchor": "exact",
          "quote": "subprocess.call(cmd, shell=True)",
          "suggestion": "    subprocess.call(shlex.split(cmd))",
          "confidence": 0.3,
          "status": "new"
        }
      ],
      "prior": [],
      "dropped": [
        {
          "title": "Name could be shorter",
          "reason": "confidence 0.3 is below 0.5"
        }
      ],
      "waived": [],
      "summary": "User input reaches a shell, and the new retry loop has no end.",
      "usage": {
        "input_tokens": 123456,
        "cached_tokens": 100000,
        "cache_write_tokens": 0,
        "output_tokens": 3210,
        "cost_usd": 0.42
      },
      "notes": [
        "AGENTS.md of the base commit was used."
      ],
      "round": 1,
      "seconds": 34.2,
      "fail_on": "critical",
      "models_looked": true
    }
    "#);
}

#[test]
fn what_is_unknown_is_left_out_or_null() {
    let mut review = clean_review();
    let mut finding = sample::finding(crate::findings::Severity::Nit, "t");
    finding.anchor = findings::Anchor::File;
    review.findings.push(finding);
    let value: serde_json::Value = serde_json::from_str(&json(&review)).expect("the report is JSON");
    for absent in ["target", "override"] {
        assert!(value.get(absent).is_none(), "{absent}");
    }
    assert!(value["provenance"].get("gateway_host").is_none());
    assert!(value["change"]["head_sha"].is_null() && value["change"].get("head_sha").is_some());
    assert!(value["provenance"]["rules"][0]["commit"].is_null() && value["provenance"]["rules"][0].get("commit").is_some());
    assert!(value["reviewers"][0].get("model").is_none() && value["usage"].get("cost_usd").is_none());
    let finding = value["findings"][0].as_object().expect("a finding");
    for null in ["start_line", "end_line"] {
        assert_eq!(finding.get(null), Some(&serde_json::Value::Null), "{null}");
    }
    for absent in ["trigger", "rule_id", "old_path", "old_line", "suggestion", "confidence"] {
        assert!(!finding.contains_key(absent), "{absent}");
    }
}

#[test]
fn no_control_character_gets_through() {
    fn strings(value: &serde_json::Value, f: &mut impl FnMut(&str)) {
        match value {
            serde_json::Value::String(s) => f(s),
            serde_json::Value::Array(a) => a.iter().for_each(|v| strings(v, f)),
            serde_json::Value::Object(o) => o.values().for_each(|v| strings(v, f)),
            _ => {}
        }
    }
    let text = json(&hostile());
    let value = serde_json::from_str(&text).expect("the report is JSON");
    strings(&value, &mut |s| assert!(!s.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{s:?}"));
    assert!(!text.contains("##["), "no command in a log");
    assert!(text.lines().all(|l| !l.trim_start().starts_with("::")));
}
