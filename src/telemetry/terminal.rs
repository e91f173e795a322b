//! Progress on a terminal: a line per reviewer with what it is doing, drawn on the standard error and gone without a trace
//! before the report is printed. Nothing here is the only place where something is said: notes and failures are in the report.

use super::lines::{many, seconds};
use super::{Event, EventSink};
use crate::report::log_line;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the spinners and clocks move.
const TICK: Duration = Duration::from_millis(120);

/// Draws a line per reviewer. Clones share it: one is a sink, the other is told to [`Progress::clear`].
#[derive(Clone)]
pub struct Progress {
    state: Arc<Mutex<State>>,
}

struct State {
    multi: MultiProgress,
    lines: BTreeMap<String, Reviewer>,
    /// After the end nothing is drawn any more, whatever still happens.
    over: bool,
}

struct Reviewer {
    bar: ProgressBar,
    /// Bundles at work, done, in all; findings so far; whether something failed.
    working: usize,
    done: usize,
    bundles: usize,
    findings: usize,
    failed: bool,
}

impl Progress {
    /// Progress on the standard error. Draws nothing where that is no terminal.
    pub fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let multi = MultiProgress::with_draw_target(target);
        Self { state: Arc::new(Mutex::new(State { multi, lines: BTreeMap::new(), over: false })) }
    }

    /// Takes every line away, for good. Done by itself at [`Event::Finished`]; to be called before anything else is printed
    /// when a run ends early.
    pub fn clear(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl EventSink for Progress {
    fn emit(&self, event: &Event) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    }
}

impl State {
    fn clear(&mut self) {
        self.over = true;
        for reviewer in self.lines.values() {
            reviewer.bar.finish_and_clear();
        }
        self.lines.clear();
        let _ = self.multi.clear();
    }

    fn take(&mut self, event: &Event) {
        if self.over {
            return;
        }
        match event {
            Event::ReviewerStarted { reviewer, model, bundles, .. } => {
                let line = self.line(reviewer);
                line.working += 1;
                line.bundles = line.bundles.max(*bundles);
                line.say(&format!("asks {model}"));
            }
            Event::ModelCalled { reviewer, request, attempt, .. } => {
                let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                self.line(reviewer).say(&format!("waits for an answer (request {request}{again})"));
            }
            Event::ModelRetried { reviewer, reason, wait_ms } => {
                self.line(reviewer).say(&format!("tries again in {}: {reason}", seconds(*wait_ms)));
            }
            Event::ModelChanged { reviewer, to, reason, .. } => self.line(reviewer).say(&format!("goes on with {to}: {reason}")),
            Event::ModelAnswered { reviewer, .. } => self.line(reviewer).say("reads the answer"),
            Event::ToolCalled { reviewer, tool, about, .. } => self.line(reviewer).say(&format!("{tool} {about}")),
            Event::ReviewerFinished { reviewer, findings, failed, .. } => {
                let line = self.line(reviewer);
                line.working = line.working.saturating_sub(1);
                line.done += 1;
                line.findings += findings;
                line.failed |= failed.is_some();
                let found = many(line.findings, "finding");
                match failed {
                    Some(reason) => line.say(&format!("failed: {reason}")),
                    None if line.done < line.bundles => line.say(&format!("{found} so far")),
                    None => line.say(&found),
                }
                if line.working == 0 && line.done >= line.bundles {
                    line.end();
                }
            }
            Event::Finished { .. } => self.clear(),
            Event::Planned { .. } | Event::ModelEnded { .. } | Event::RulesRan { .. } | Event::Heartbeat { .. } | Event::Note { .. } => {}
        }
    }

    fn line(&mut self, reviewer: &str) -> &mut Reviewer {
        let multi = &self.multi;
        self.lines.entry(reviewer.to_owned()).or_insert_with(|| {
            let bar = multi.add(ProgressBar::new_spinner().with_style(style("{spinner} {prefix:<14} {elapsed:>4} {wide_msg}")));
            bar.set_prefix(log_line(reviewer));
            bar.enable_steady_tick(TICK);
            Reviewer { bar, working: 0, done: 0, bundles: 1, findings: 0, failed: false }
        })
    }
}

impl Reviewer {
    fn say(&self, text: &str) {
        let part = if self.bundles > 1 { format!("[{}/{}] ", self.done, self.bundles) } else { String::new() };
        self.bar.set_message(log_line(&format!("{part}{text}")));
    }

    /// Its clock stops; its line stays until all are done, so that lines do not jump.
    fn end(&self) {
        let mark = if self.failed { "✗" } else { "✓" };
        self.bar.set_style(style(&format!("{mark} {{prefix:<14}} {{elapsed:>4}} {{wide_msg}}")));
        self.bar.abandon();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is one of the two above")
}

#[cfg(test)]
mod tests;
