//! Annotations as workflow commands in a job's log: worst first, since GitHub shows ten errors and ten warnings a step. Every other
//! line is one that the runner does not take for a command.

use super::plain::{log_line, one_line, plain};
use super::{Review, Sources, WriteOptions, words};
use crate::findings::{Anchor, Finding, FindingStatus, Severity};
use crate::risk::Coverage;
use std::io;

pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in review.findings.iter().filter(|f| f.status != FindingStatus::Settled) {
        writeln!(out, "{}", annotation(finding))?;
    }
    writeln!(out, "{}", log_line(&words::ledger(review, words::NAMED, file)))?;
    for missing in words::missed(review) {
        writeln!(out, "{}", log_line(&format!("{}: {}", words::status_name(missing.status), file(missing))))?;
    }
    writeln!(out, "{}", log_line(&format!("{}. {}", words::headline(review), words::counts(review))))
}

fn file(file: &Coverage) -> String {
    match &file.reason {
        Some(reason) => format!("{}: {reason}", file.path.display()),
        None => file.path.display().into_owned(),
    }
}

fn annotation(finding: &Finding) -> String {
    let mut properties = Vec::new();
    if finding.anchor != Anchor::None {
        properties.push(format!("file={}", property(&finding.path.display())));
    }
    if let Some(lines) = words::new_lines(finding) {
        properties.push(format!("line={},endLine={}", lines.start, lines.end));
    }
    let title = format!("{}: {}", finding.severity.label(), one_line(&finding.title));
    properties.push(format!("title={}", property(&title)));
    format!("::{} {}::{}", level(finding.severity), properties.join(","), data(&words::message(finding)))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::Important => "error",
        Severity::Suggestion => "warning",
        Severity::Nit => "notice",
    }
}

fn data(text: &str) -> String {
    plain(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use crate::report::sample::{hostile, render, review};
    use crate::report::{Format, WriteOptions};

    #[test]
    fn annotations_and_a_result() {
        insta::assert_snapshot!(render(Format::Github, &review(), &WriteOptions::default()), @"
        ::error file=app/run.py,line=6,endLine=6,title=Critical%3A User input reaches a shell::The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out.%0A%0AWhen: any signed-in user sends a command in the query of this page%0A%0ASEC-PY-003 · Security handbook, part 4 · team-security · model, security reviewer
        ::error file=src/retry.rs,line=2,endLine=8,title=Important%3A Retry never ends when the server keeps answering 429::A server that answers 429 for ever keeps the caller in this loop for ever. Give up after a few attempts.%0A%0AWhen: the server answers every request with 429%0A%0Amodel, quality reviewer
        ::warning file=src/retry.rs,title=Suggestion%3A A failed fetch leaves no trace in the log::The removed line was the only trace of a failed fetch.%0A%0Amodel, quality reviewer
        ::notice file=README.md,title=Optional nit%3A The README tells of a limit that is gone::The README still promises five attempts.%0A%0Amodel, docs reviewer
        6 files: 3 reviewed, 1 filtered (Cargo.lock: lock file), 1 partial, 1 failed
        partial: assets/data.json: a line of 5 MB
        failed: src/big.rs: the gateway refused the request: 413
        Fail: significant concerns. 1 critical, 1 important, 1 suggestion, 1 nit
        ");
    }

    #[test]
    fn strangers_make_no_commands() {
        let text = render(Format::Github, &hostile(), &WriteOptions::default());
        let (ours, others): (Vec<_>, Vec<_>) = text.lines().partition(|l| l.starts_with("::"));
        assert_eq!(ours.len(), hostile().findings.len());
        for line in ours {
            // Command and properties end at the first `::` after the start, and each property has one name.
            let (properties, _) = line[2..].split_once("::").expect("a message");
            let names: Vec<&str> = properties.split([' ', ',']).filter_map(|p| p.split_once('=')).map(|(n, _)| n).collect();
            assert!(names.iter().all(|n| ["file", "line", "endLine", "title"].contains(n)), "{line}");
        }
        assert!(others.iter().all(|l| !l.trim_start().starts_with("::") && !l.contains("##[")), "{others:?}");
    }
}
