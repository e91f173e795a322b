//! Progress as plain lines, for CI logs: a line when a reviewer starts and ends, for what goes wrong, and a heartbeat.
//! Single requests and tool calls are not worth a line here; [`super::jsonl`] has them.

use super::{Event, EventSink};
use crate::report::log_line;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes a line per event that people wait for. A line that cannot be written is lost; the run goes on.
pub struct Lines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl Lines {
    /// Lines to `out`, which is the standard error of a real run.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        if let Some(line) = line(event) {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            // One call, so that lines of several processes in one log do not mix.
            let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
        }
    }
}

/// The event in one clean line; `None` for those that are not worth one.
pub(super) fn line(event: &Event) -> Option<String> {
    let text = match event {
        Event::Planned { files, lines, tier, reviewers, bundles } => {
            let who = if reviewers.is_empty() { "rules only".to_owned() } else { reviewers.join(", ") };
            let parts = if *bundles > 1 { format!(" in {bundles} bundles") } else { String::new() };
            format!("{} with {} changed{parts}, {tier} tier: {who}", many(*files, "file"), many(*lines, "line"))
        }
        Event::RulesRan { hits, rules } => format!("rules: {}, {}", many(*rules, "rule"), many(*hits, "hit")),
        Event::ReviewerStarted { reviewer, model, bundle, bundles } => {
            format!("{reviewer}{}: started, {model}", part(*bundle, *bundles))
        }
        Event::ModelRetried { reviewer, reason, wait_ms } => {
            format!("{reviewer}: tries again in {}: {reason}", seconds(*wait_ms))
        }
        Event::ModelChanged { reviewer, to, reason, .. } => format!("{reviewer}: goes on with {to}: {reason}"),
        Event::ReviewerFinished { reviewer, bundle, findings, failed, ms } => match failed {
            Some(reason) => format!("{reviewer}{}: failed after {}: {reason}", part(*bundle, 0), seconds(*ms)),
            None => format!("{reviewer}{}: {} after {}", part(*bundle, 0), many(*findings, "finding"), seconds(*ms)),
        },
        Event::Heartbeat { seconds, waiting_for } if waiting_for.is_empty() => format!("still at work after {seconds} s"),
        Event::Heartbeat { seconds, waiting_for } => {
            format!("still at work after {seconds} s, waiting for {}", waiting_for.join(", "))
        }
        Event::Note { text } => format!("note: {text}"),
        Event::Finished { outcome, findings, ms } => format!("{outcome}: {} after {}", many(*findings, "finding"), seconds(*ms)),
        Event::ModelCalled { .. } | Event::ModelEnded { .. } | Event::ModelAnswered { .. } | Event::ToolCalled { .. } => return None,
    };
    Some(log_line(&format!("tribune: {text}")))
}

/// ` 2/5`, ` 2` where the number of bundles is not known, nothing where there is only one.
fn part(bundle: usize, bundles: usize) -> String {
    match (bundle, bundles) {
        (_, 1) | (0 | 1, 0) => String::new(),
        (bundle, 0) => format!(" {bundle}"),
        (bundle, bundles) => format!(" {bundle}/{bundles}"),
    }
}

/// `1 file`, `2 files`.
pub(super) fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `3.2 s`.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn called(reviewer: &str) -> Event {
        Event::ModelCalled {
            reviewer: reviewer.to_owned(),
            bundle: 2,
            model: "model-a".to_owned(),
            provider: "openai",
            host: "h".to_owned(),
            request: 1,
            attempt: 1,
        }
    }

    /// A writer whose text can be read afterwards.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panics with it").write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn started(reviewer: &str, bundle: usize, bundles: usize) -> Event {
        Event::ReviewerStarted { reviewer: reviewer.to_owned(), model: "model-a".to_owned(), bundle, bundles }
    }

    fn finished(reviewer: &str, bundle: usize, failed: Option<&str>) -> Event {
        let failed = failed.map(str::to_owned);
        Event::ReviewerFinished { reviewer: reviewer.to_owned(), bundle, findings: 1, failed, ms: 21_560 }
    }

    #[test]
    fn tells_what_people_wait_for() {
        let out = Shared::default();
        let lines = Lines::new(Box::new(out.clone()));
        for event in [
            Event::Planned { files: 16, lines: 1, tier: "full".to_owned(), reviewers: vec!["quality".to_owned(), "docs".to_owned()], bundles: 2 },
            Event::Planned { files: 1, lines: 4, tier: "lite".to_owned(), reviewers: Vec::new(), bundles: 0 },
            Event::RulesRan { hits: 1, rules: 25 },
            started("docs", 1, 1),
            started("quality", 2, 2),
            called("quality"),
            Event::ModelRetried { reviewer: "quality".to_owned(), reason: "429 Too Many Requests".to_owned(), wait_ms: 3_250 },
            Event::Heartbeat { seconds: 90, waiting_for: vec!["docs".to_owned(), "quality".to_owned()] },
            finished("docs", 1, None),
            finished("quality", 2, Some("no answer within 120 s")),
            Event::Note { text: "Cargo.lock was left out".to_owned() },
            Event::Finished { outcome: "pass".to_owned(), findings: 2, ms: 34_000 },
        ] {
            lines.emit(&event);
        }
        let text = String::from_utf8(out.0.lock().expect("no test panics with it").clone()).expect("lines are UTF-8");
        insta::assert_snapshot!(text, @"
        tribune: 16 files with 1 line changed in 2 bundles, full tier: quality, docs
        tribune: 1 file with 4 lines changed, lite tier: rules only
        tribune: rules: 25 rules, 1 hit
        tribune: docs: started, model-a
        tribune: quality 2/2: started, model-a
        tribune: quality: tries again in 3.2 s: 429 Too Many Requests
        tribune: still at work after 90 s, waiting for docs, quality
        tribune: docs: 1 finding after 21.5 s
        tribune: quality 2: failed after 21.5 s: no answer within 120 s
        tribune: note: Cargo.lock was left out
        tribune: pass: 2 findings after 34.0 s
        ");
    }

    #[test]
    fn a_line_is_one_line_and_no_command() {
        let evil = "x\n::error::y\x1b[2J##[group]\r";
        let text = line(&Event::Note { text: evil.to_owned() }).expect("notes are told");
        assert_eq!(text, "tribune: note: x ::error::y[2J# #[group]");
    }

    #[test]
    fn a_closed_output_does_not_stop_the_run() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        Lines::new(Box::new(Closed)).emit(&Event::RulesRan { hits: 0, rules: 1 });
    }
}
