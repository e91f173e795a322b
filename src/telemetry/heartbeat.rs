//! A sign of life: after 30 s in which nobody was told anything, who is still awaited. It only keeps count; whoever runs
//! the reviewers asks it now and then and emits what it gives.

use super::{Event, EventSink, lines};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long a silence is broken. CI systems end jobs that are silent for minutes.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Watches events and breaks silences. Clones share their state: one is a sink, the other is asked.
#[derive(Clone)]
pub struct Heartbeat {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
}

#[derive(Default)]
struct State {
    /// When something was last told.
    told: Duration,
    /// Reviewers at work, and on how many bundles.
    working: BTreeMap<String, usize>,
}

impl Heartbeat {
    /// One whose time begins now.
    pub fn start() -> Self {
        let start = Instant::now();
        Self::with_clock(move || start.elapsed())
    }

    /// One whose time is what `clock` says: the time since the start, never going back.
    pub fn with_clock(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { state: Arc::default(), clock: Arc::new(clock) }
    }

    /// To be asked about once a second: the event to emit, if [`SILENCE`] has passed since anything was told.
    pub fn tick(&self) -> Option<Event> {
        let now = (self.clock)();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(state.told) < SILENCE {
            return None;
        }
        state.told = now;
        Some(Event::Heartbeat { seconds: now.as_secs(), waiting_for: state.working.keys().cloned().collect() })
    }
}

impl EventSink for Heartbeat {
    fn emit(&self, event: &Event) {
        let now = (self.clock)();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Silence is what a reader of the log sees, so events that make no line do not break it.
        if lines::line(event).is_some() {
            state.told = now;
        }
        match event {
            Event::ReviewerStarted { reviewer, .. } => *state.working.entry(reviewer.clone()).or_insert(0) += 1,
            Event::ReviewerFinished { reviewer, .. } => {
                if let Some(n) = state.working.get_mut(reviewer) {
                    *n -= 1;
                    if *n == 0 {
                        state.working.remove(reviewer);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn started(reviewer: &str, bundle: usize) -> Event {
        Event::ReviewerStarted { reviewer: reviewer.to_owned(), model: "m".to_owned(), bundle, bundles: 2 }
    }

    fn finished(reviewer: &str, bundle: usize) -> Event {
        Event::ReviewerFinished { reviewer: reviewer.to_owned(), bundle, findings: 0, failed: None, ms: 1 }
    }

    fn told(event: Option<Event>) -> Option<(u64, Vec<String>)> {
        event.map(|e| match e {
            Event::Heartbeat { seconds, waiting_for } => (seconds, waiting_for),
            other => panic!("no heartbeat: {other:?}"),
        })
    }

    #[test]
    fn breaks_a_silence_of_thirty_seconds_with_who_is_awaited() {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now);
        let heart = Heartbeat::with_clock(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
        let sink = heart.clone();
        let at = |s| now.store(s, Ordering::Relaxed);
        let ids = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();

        sink.emit(&started("quality", 1));
        sink.emit(&started("quality", 2));
        sink.emit(&started("docs", 1));
        at(29);
        assert_eq!(told(heart.tick()), None);
        at(30);
        assert_eq!(told(heart.tick()), Some((30, ids(&["docs", "quality"]))));
        assert_eq!(told(heart.tick()), None, "once a silence");
        at(40);
        sink.emit(&finished("docs", 1));
        sink.emit(&finished("quality", 1));
        at(60);
        // No line is made of it, so the log is silent all the same.
        sink.emit(&Event::ToolCalled {
            reviewer: "quality".to_owned(),
            bundle: 1,
            tool: "read_file".to_owned(),
            about: "a".to_owned(),
            failed: false,
            ms: 5,
        });
        at(69);
        assert_eq!(told(heart.tick()), None);
        at(70);
        assert_eq!(told(heart.tick()), Some((70, ids(&["quality"]))), "one of its bundles is still awaited");
        sink.emit(&finished("quality", 2));
        sink.emit(&finished("quality", 3));
        at(200);
        assert_eq!(told(heart.tick()), Some((200, ids(&[]))));
    }
}
