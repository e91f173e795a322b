//! GitLab's Code Quality report. It needs no token, so it is the format for forks. Each entry must name a line: findings
//! without a certain line in today's file stand on line 1 and say so. A finding without even a file has no
//! place in this format and is left out; the other formats have it.

use super::plain::{cut_chars, one_line, write_json};
use super::{Review, Sources, WriteOptions, words};
use crate::findings::{Anchor, Finding, FindingStatus, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;

pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    let mut seen = BTreeMap::new();
    let shown = review.findings.iter().filter(|f| f.anchor != Anchor::None && f.status != FindingStatus::Settled);
    let entries: Vec<Value> = shown.map(|f| entry(f, &mut seen)).collect();
    write_json(&entries, out)
}

fn entry(finding: &Finding, seen: &mut BTreeMap<String, usize>) -> Value {
    let lines = words::new_lines(finding);
    let mut description = one_line(&finding.title);
    if lines.is_none() {
        description.push_str(&format!(" ({})", words::remarks(finding).join(", ")));
    }
    let message = one_line(&words::message(finding));
    if !message.is_empty() {
        description.push_str(&format!(": {message}"));
    }
    json!({
        "description": cut_chars(&description, 1_000),
        "check_name": words::check_name(finding),
        "fingerprint": unique(one_line(&finding.fingerprint), seen),
        "severity": severity(finding.severity),
        "location": {
            "path": finding.path.display(),
            "lines": { "begin": lines.map_or(1, |l| l.start), "end": lines.map_or(1, |l| l.end) },
        },
    })
}

/// GitLab shows one entry per fingerprint only.
fn unique(fingerprint: String, seen: &mut BTreeMap<String, usize>) -> String {
    let n = seen.entry(fingerprint.clone()).or_insert(0);
    *n += 1;
    if *n == 1 { fingerprint } else { format!("{fingerprint}-{n}") }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Important => "major",
        Severity::Suggestion => "minor",
        Severity::Nit => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Format;
    use crate::report::sample::{finding, render, review};

    fn entries(review: &Review) -> Vec<Value> {
        serde_json::from_str(&render(Format::CodeQuality, review, &WriteOptions::default())).expect("an array")
    }

    #[test]
    fn an_entry_has_what_gitlab_asks_for() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&entries(&review())[0]).expect("JSON"), @r#"
        {
          "check_name": "SEC-PY-003",
          "description": "User input reaches a shell: The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out. When: any signed-in user sends a command in the query of this page SEC-PY-003 · Security handbook, part 4 · team-security · model, security reviewer",
          "fingerprint": "00000000000000001422cbd550e0bc6e",
          "location": {
            "lines": {
              "begin": 6,
              "end": 6
            },
            "path": "app/run.py"
          },
          "severity": "critical"
        }
        "#);
    }

    #[test]
    fn findings_without_a_line_of_today_stand_on_the_first_and_say_so() {
        let entries = entries(&review());
        let place = |i: usize| (entries[i]["location"]["lines"]["begin"].as_u64(), entries[i]["description"].as_str().unwrap_or_default());
        assert_eq!(place(1).0, Some(2));
        assert_eq!(place(2).0, Some(1));
        assert!(place(2).1.starts_with("A failed fetch leaves no trace in the log (removed code): The removed line"), "{}", place(2).1);
        assert!(place(3).1.starts_with("The README tells of a limit that is gone (no certain line, told before): "), "{}", place(3).1);
    }

    #[test]
    fn fingerprints_are_unique_and_findings_without_a_file_are_left_out() {
        let mut review = review();
        let mut lost = finding(Severity::Nit, "Nowhere");
        lost.anchor = Anchor::None;
        review.findings = vec![finding(Severity::Nit, "Same"), finding(Severity::Nit, "Same"), lost, finding(Severity::Nit, "Same")];
        let prints: Vec<String> = entries(&review).iter().map(|e| e["fingerprint"].as_str().unwrap_or_default().to_owned()).collect();
        let first = &review.findings[0].fingerprint;
        assert_eq!(prints, [first.clone(), format!("{first}-2"), format!("{first}-3")]);
    }
}
