//! Progress on a terminal: a line per reviewer with what it is doing, taken away before the report is printed.

use super::{Event, EventSink};
use crate::findings::sanitize;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The display, on standard error.
pub struct Progress {
    lines: MultiProgress,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    /// Nothing is drawn before the first reviewer starts.
    #[expect(clippy::new_without_default, reason = "it takes the terminal; that should be visible where it is made")]
    pub fn new() -> Self {
        Self { lines: MultiProgress::new(), bars: Mutex::default() }
    }

    fn say(&self, reviewer: &str, text: &str) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(reviewer.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix:12} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = self.lines.add(ProgressBar::new_spinner().with_style(style).with_prefix(reviewer.to_owned()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(sanitize::terminal(text).replace('\n', " "));
    }

    fn done(&self, reviewer: &str) {
        if let Some(bar) = self.bars.lock().unwrap_or_else(PoisonError::into_inner).remove(reviewer) {
            bar.finish_and_clear();
        }
    }
}

impl EventSink for Progress {
    fn emit(&self, event: &Event) {
        match event {
            Event::ReviewerStarted { reviewer, model, .. } => self.say(reviewer, &format!("asks {model}")),
            Event::ModelCalled { reviewer, request, attempt, .. } if *request > 1 || *attempt > 1 => self.say(reviewer, &format!("request {request}, attempt {attempt}")),
            Event::ModelRetried { reviewer, reason, wait_ms } => self.say(reviewer, &format!("{reason}; waits {:.1} s", *wait_ms as f64 / 1000.0)),
            Event::ToolCalled { reviewer, tool, about } => self.say(reviewer, &format!("{tool} {about}")),
            Event::ReviewerFinished { reviewer, .. } => self.done(reviewer),
            _ => {}
        }
    }

    fn close(&self) {
        for bar in std::mem::take(&mut *self.bars.lock().unwrap_or_else(PoisonError::into_inner)).into_values() {
            bar.finish_and_clear();
        }
        // A terminal that cannot be cleared shows one line too many.
        let _ = self.lines.clear();
    }
}
