//! What is left of a summary that began before what is retracted: what stands from before, and nothing of what was taken back.
//! Its state forgets the rest and is not complete, so that the next run looks at everything again and writes the summary anew.

use crate::findings::sanitize;
use crate::history::{Kind, Memory, Record, State, Status, Trust, marker};
use crate::report::Outcome;
use std::collections::BTreeSet;

/// Findings that are named one by one.
const MAX_NAMED: usize = 20;

/// What the summary says once the findings of `gone` threads are taken back. Findings without a thread go with them where they were
/// first told in the same round or a later one. `None` where nobody can tell what it says now.
pub(super) fn rewritten(memory: &Memory, gone: &[Record], trust: &Trust<'_>) -> Option<String> {
    let state = memory.state.as_ref()?;
    let taken: BTreeSet<&str> = gone.iter().map(|r| r.fingerprint.as_str()).collect();
    let first = gone.iter().map(|r| r.round).min()?;
    let stays = |r: &Record| !taken.contains(r.fingerprint.as_str()) && (r.round < first || memory.thread_of(r).is_some());
    let findings: Vec<Record> = state.findings.iter().filter(|r| stays(r)).cloned().collect();
    let text = text(&findings);
    let state = State { findings, files: Vec::new(), complete: false, gate: None, outcome: Outcome::Inconclusive, exit: 3, ..state.clone() };
    Some(format!("{text}\n{}", marker(Kind::Summary(1), &state.payload(), &state.head, trust)))
}

fn text(findings: &[Record]) -> String {
    let mut out = "**Retracted in part.** tribune posted comments here by mistake and takes them back.".to_owned();
    let mut open: Vec<&Record> = findings.iter().filter(|r| r.status == Status::Open).collect();
    open.sort_by_key(|r| std::cmp::Reverse(r.severity));
    if !open.is_empty() {
        out.push_str(" What it said before them stands:\n");
    }
    for record in open.iter().take(MAX_NAMED) {
        let title = if record.title.is_empty() { format!("a finding of round {}", record.round) } else { sanitize::inline(&record.title) };
        let path = record.path.as_str().filter(|p| !p.is_empty()).map(|p| format!(", {}", sanitize::code_span(p))).unwrap_or_default();
        out.push_str(&format!("\n- {}: {title}{path}", record.severity.label()));
    }
    if open.len() > MAX_NAMED {
        out.push_str(&format!("\n- and {} more", open.len() - MAX_NAMED));
    }
    out.push_str("\n\nThe gate and the verdict are open until the next run, which reviews everything again.\n");
    out
}
