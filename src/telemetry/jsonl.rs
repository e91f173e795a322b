//! `--events FILE`: every event as a JSON line with the seconds since the start, for tools that watch a run. A line is
//! whole in the file as soon as the event happened. A file that cannot be written ends the file, never the run.

use super::{Event, EventSink};
use crate::path::is_invisible;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Writes events as JSON lines.
pub struct JsonLines {
    /// `None` after the first line that could not be written: half a line must not be followed by another.
    out: Mutex<Option<Box<dyn Write + Send>>>,
    start: Instant,
}

#[derive(Serialize)]
struct Line<'a> {
    seconds: f64,
    #[serde(flatten)]
    event: &'a Event,
}

impl JsonLines {
    /// A new file at `path`, replacing what was there. Fails where it cannot be made; later nothing fails.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self::new(Box::new(File::create(path)?)))
    }

    /// Lines to `out`; the clock starts now.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(Some(out)), start: Instant::now() }
    }
}

impl EventSink for JsonLines {
    fn emit(&self, event: &Event) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that seconds never go back from line to line.
        let text = line(self.start.elapsed().as_secs_f64(), event);
        let written = out.as_mut().is_none_or(|out| out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok());
        if !written {
            *out = None;
        }
    }
}

fn line(seconds: f64, event: &Event) -> String {
    let seconds = (seconds * 1e3).round() / 1e3;
    let json = serde_json::to_string(&Line { seconds, event }).expect("events are plain data with text keys");
    // JSON escapes some control characters only. What is left stands inside strings, so it can go.
    let mut line: String = json.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_event_with_its_time() {
        let event = Event::ToolCalled {
            reviewer: "docs".to_owned(),
            bundle: 1,
            tool: "read_file".to_owned(),
            about: "a\u{202e}\u{9b}\nb".to_owned(),
            failed: false,
            ms: 5,
        };
        insta::assert_snapshot!(line(1.23456, &event), @r#"{"seconds":1.235,"event":"tool_called","reviewer":"docs","bundle":1,"tool":"read_file","about":"a\nb","failed":false,"ms":5}"#);
    }

    #[test]
    fn every_event_is_in_the_file_at_once() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("events.jsonl");
        let sink = JsonLines::create(&path).expect("the folder can be written");
        for hits in 0..3 {
            sink.emit(&Event::RulesRan { hits, rules: 9 });
            let text = std::fs::read_to_string(&path).expect("the file is there");
            assert_eq!(text.lines().count(), hits + 1);
            let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
            assert_eq!((&last["event"], &last["hits"]), (&serde_json::json!("rules_ran"), &serde_json::json!(hits)));
            assert!(last["seconds"].is_f64());
        }
    }

    #[test]
    fn a_full_disk_ends_the_file_and_not_the_run() {
        struct Full(u32);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 1 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sink = JsonLines::new(Box::new(Full(0)));
        for _ in 0..3 {
            sink.emit(&Event::RulesRan { hits: 0, rules: 0 });
        }
        assert!(sink.out.lock().expect("no test panics with it").is_none());
    }
}
