//! Plain lines for CI logs.

use super::{Event, EventSink};
use crate::findings::sanitize;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes one line per event that a reader of a log wants to know.
pub struct Lines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl Lines {
    /// Lines to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        if let Some(line) = line(event) {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            // A log that cannot be written ends nothing.
            let _ = writeln!(out, "tribune: {}", sanitize::terminal(&line).replace('\n', " "));
        }
    }
}

/// The event in words; `None` for those that only machines want.
pub(super) fn line(event: &Event) -> Option<String> {
    let part = |bundle: usize, bundles: usize| if bundles > 1 { format!(" (part {bundle} of {bundles})") } else { String::new() };
    Some(match event {
        Event::Planned { files, lines, tier, reviewers, bundles } => {
            let who = if reviewers.is_empty() { "rules only".to_owned() } else { reviewers.join(", ") };
            let packed = if *bundles > 1 { format!(", {bundles} bundles") } else { String::new() };
            format!("{files} files, {lines} changed lines, {tier} tier{packed}: {who}")
        }
        Event::ReviewerStarted { reviewer, model, bundle, bundles } => format!("{reviewer}: started{}, {model}", part(*bundle, *bundles)),
        Event::ModelRetried { reviewer, reason, wait_ms } => format!("{reviewer}: {reason}; tries again in {:.1} s", *wait_ms as f64 / 1000.0),
        Event::ReviewerFinished { reviewer, failed: Some(why), .. } => format!("{reviewer}: failed: {why}"),
        Event::ReviewerFinished { reviewer, findings, ms, .. } => {
            format!("{reviewer}: done, {findings} {}, {:.1} s", if *findings == 1 { "finding" } else { "findings" }, *ms as f64 / 1000.0)
        }
        Event::Heartbeat { seconds, waiting_for } if waiting_for.is_empty() => format!("still at work after {seconds} s"),
        Event::Heartbeat { seconds, waiting_for } => format!("still at work after {seconds} s, waiting for {}", waiting_for.join(", ")),
        Event::Note { text } => format!("note: {text}"),
        Event::RulesRan { .. } | Event::ModelCalled { .. } | Event::ModelAnswered { .. } | Event::ToolCalled { .. } | Event::Finished { .. } => return None,
    })
}
