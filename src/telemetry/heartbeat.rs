//! Says that a silent run is alive. It only reckons; whoever owns the clock calls it.

use super::Event;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Silence after which the run says that it is alive: CI systems end jobs that print nothing.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Who is awaited, and since when nothing was heard.
#[derive(Debug)]
pub struct Heartbeat {
    started: Instant,
    last: Instant,
    waiting: BTreeSet<(String, usize)>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        let now = Instant::now();
        Self { started: now, last: now, waiting: BTreeSet::new() }
    }
}

impl Heartbeat {
    /// Something happened.
    pub fn saw(&mut self, event: &Event, now: Instant) {
        self.last = now;
        match event {
            Event::ReviewerStarted { reviewer, bundle, .. } => {
                self.waiting.insert((reviewer.clone(), *bundle));
            }
            Event::ReviewerFinished { reviewer, bundle, .. } => {
                self.waiting.remove(&(reviewer.clone(), *bundle));
            }
            _ => {}
        }
    }

    /// The event to emit, if nothing was heard for [`SILENCE`].
    pub fn due(&self, now: Instant) -> Option<Event> {
        if now.saturating_duration_since(self.last) < SILENCE {
            return None;
        }
        let mut names: Vec<String> = self.waiting.iter().map(|(who, _)| who.clone()).collect();
        names.dedup();
        Some(Event::Heartbeat { seconds: now.saturating_duration_since(self.started).as_secs(), waiting_for: names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_after_silence_and_names_who_is_awaited() {
        let mut beat = Heartbeat::default();
        let at = |s| beat_start() + Duration::from_secs(s);
        fn beat_start() -> Instant {
            static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
            *START.get_or_init(Instant::now)
        }
        let started = |who: &str| Event::ReviewerStarted { reviewer: who.into(), model: "m".into(), bundle: 1, bundles: 1 };
        beat.saw(&started("docs"), at(1));
        beat.saw(&started("quality"), at(2));
        beat.saw(&Event::ReviewerFinished { reviewer: "docs".into(), bundle: 1, findings: 0, failed: None, ms: 1 }, at(3));
        assert!(beat.due(at(32)).is_none());
        match beat.due(at(33)) {
            Some(Event::Heartbeat { waiting_for, .. }) => assert_eq!(waiting_for, ["quality"]),
            other => panic!("{other:?}"),
        }
    }
}
