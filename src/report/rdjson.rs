//! The reviewdog diagnostic format. Suggestions are ranges of whole lines (no columns), which replace them up to the last
//! one's line end. A finding about removed code names its file only.

use super::plain::{one_line, plain, write_json};
use super::{Review, Sources, WriteOptions, uri, words};
use crate::findings::{Anchor, Finding, FindingStatus, Lines, Severity};
use serde_json::{Value, json};
use std::io;

pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    let shown = review.findings.iter().filter(|f| f.status != FindingStatus::Settled);
    let result = json!({
        "source": { "name": "tribune" },
        "diagnostics": shown.map(diagnostic).collect::<Vec<_>>(),
    });
    write_json(&result, out)
}

fn diagnostic(finding: &Finding) -> Value {
    let message = words::message(finding);
    let title = format!("{}: {}", finding.severity.label(), one_line(&finding.title));
    let mut diagnostic = json!({
        "message": format!("{title}\n\n{message}").trim_end(),
        "severity": severity(finding.severity),
        "code": { "value": words::check_name(finding) },
    });
    if let Some(url) = finding.rule.as_ref().and_then(|r| r.url.as_deref()).and_then(uri::link) {
        diagnostic["code"]["url"] = json!(url);
    }
    let lines = words::new_lines(finding);
    if finding.anchor != Anchor::None {
        diagnostic["location"] = json!({ "path": finding.path.display() });
    }
    if let Some(lines) = lines {
        diagnostic["location"]["range"] = range(lines);
    }
    if let (Some(lines), Some(text)) = (lines, &finding.suggestion) {
        diagnostic["suggestions"] = json!([{ "range": range(lines), "text": plain(text) }]);
    }
    diagnostic
}

fn range(lines: Lines) -> Value {
    json!({ "start": { "line": lines.start }, "end": { "line": lines.end } })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::Important => "ERROR",
        Severity::Suggestion => "WARNING",
        Severity::Nit => "INFO",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Format;
    use crate::report::sample::{render, review};

    #[test]
    fn a_diagnostic_has_its_range_and_its_fix() {
        let text = render(Format::Rdjson, &review(), &WriteOptions::default());
        let result: Value = serde_json::from_str(&text).expect("JSON");
        insta::assert_snapshot!(serde_json::to_string_pretty(&result["diagnostics"][0]).expect("JSON"), @r#"
        {
          "code": {
            "url": "https://codex.example.org/security/python",
            "value": "SEC-PY-003"
          },
          "location": {
            "path": "app/run.py",
            "range": {
              "end": {
                "line": 6
              },
              "start": {
                "line": 6
              }
            }
          },
          "message": "Critical: User input reaches a shell\n\nThe value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out.\n\nWhen: any signed-in user sends a command in the query of this page\n\nSEC-PY-003 · Security handbook, part 4 · team-security · model, security reviewer",
          "severity": "ERROR",
          "suggestions": [
            {
              "range": {
                "end": {
                  "line": 6
                },
                "start": {
                  "line": 6
                }
              },
              "text": "    subprocess.call(shlex.split(cmd))"
            }
          ]
        }
        "#);
        assert_eq!(result["diagnostics"][2]["location"], json!({ "path": "src/retry.rs" }), "removed code has no line of today");
    }
}
