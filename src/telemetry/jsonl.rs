//! Events as JSON lines, for `--events FILE`.

use super::{Event, EventSink};
use serde::Serialize;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Writes each event as one line with `seconds` since the start, at once. A writer that fails is left alone:
/// telling what happens must not end what happens.
pub struct JsonLines {
    started: Instant,
    out: Mutex<Option<Box<dyn Write + Send>>>,
}

#[derive(Serialize)]
struct Line<'a> {
    seconds: f64,
    #[serde(flatten)]
    event: &'a Event,
}

impl JsonLines {
    /// Lines to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { started: Instant::now(), out: Mutex::new(Some(out)) }
    }
}

impl EventSink for JsonLines {
    fn emit(&self, event: &Event) {
        let seconds = (self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = out.as_mut() else { return };
        let Ok(mut line) = serde_json::to_vec(&Line { seconds, event }) else { return };
        line.push(b'\n');
        if writer.write_all(&line).and_then(|()| writer.flush()).is_err() {
            *out = None;
        }
    }
}
