//! A circuit breaker for each model at an endpoint: what fails again and again is passed over for a while, so that a
//! model that is down costs a run a few requests and not three of every reviewer's. It never decides what is asked
//! instead, and it keeps nothing beyond the run.

use super::chain::Link;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many failures in a row open it …
const FAILURES: u32 = 3;
/// … if they come from so many reviewers: one reviewer's request can be what a model cannot stand.
const REVIEWERS: usize = 2;
/// For so long; then one request is a probe.
pub(crate) const OPEN: Duration = Duration::from_secs(120);

/// The breakers of a run.
#[derive(Debug, Default)]
pub(crate) struct Breakers {
    all: Mutex<BTreeMap<Link, Breaker>>,
}

/// Closed as long as `open_until` is none.
#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    reviewers: BTreeSet<String>,
    open_until: Option<Instant>,
    probing: bool,
}

impl Breakers {
    /// Leave for one attempt; for how long there is none while the breaker is open. `last`: there is nobody else to
    /// ask, so an attempt is better than none.
    pub(crate) fn enter<'a>(&'a self, link: &'a Link, last: bool) -> Result<Pass<'a>, Duration> {
        let mut all = self.lock();
        let pass = |probe| Pass { breakers: self, link, probe, settled: false };
        let Some(breaker) = all.get_mut(link) else { return Ok(pass(false)) };
        let Some(until) = breaker.open_until else { return Ok(pass(false)) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() && !breaker.probing {
            breaker.probing = true;
            return Ok(pass(true));
        }
        if last { Ok(pass(false)) } else { Err(left) }
    }

    /// Whether requests are passed over now.
    pub(crate) fn is_open(&self, link: &Link) -> bool {
        self.lock().get(link).is_some_and(|breaker| breaker.open_until.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Link, Breaker>> {
        // Whole at every step, so a panic elsewhere leaves it usable.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one attempt. Dropped without a word (the caller's time was over), it proves nothing.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breakers: &'a Breakers,
    link: &'a Link,
    probe: bool,
    settled: bool,
}

impl Pass<'_> {
    /// The model answered, if only that the request is wrong: the breaker is closed.
    pub(crate) fn answered(mut self) {
        self.settled = true;
        self.breakers.lock().remove(self.link);
    }

    /// The attempt failed in a way that another can mend. Whether this opened the breaker.
    pub(crate) fn failed(mut self, reviewer: &str) -> bool {
        self.settled = true;
        let mut all = self.breakers.lock();
        let breaker = all.entry(self.link.clone()).or_default();
        if self.probe {
            breaker.probing = false;
            breaker.open_until = Some(Instant::now() + OPEN);
            return false;
        }
        breaker.failures = breaker.failures.saturating_add(1);
        breaker.reviewers.insert(reviewer.to_owned());
        let opens = breaker.open_until.is_none() && breaker.failures >= FAILURES && breaker.reviewers.len() >= REVIEWERS;
        if opens {
            breaker.open_until = Some(Instant::now() + OPEN);
        }
        opens
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe
            && !self.settled
            && let Some(breaker) = self.breakers.lock().get_mut(self.link)
        {
            breaker.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link { model: "m".into(), endpoint: "e".into() }
    }

    /// Whether an attempt is let through, and whether its failure opens the breaker.
    fn fail(breakers: &Breakers, link: &Link, reviewer: &str) -> Option<bool> {
        breakers.enter(link, false).ok().map(|pass| pass.failed(reviewer))
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_three_failures_in_a_row_of_two_reviewers() {
        let (breakers, link) = (Breakers::default(), link());
        for _ in 0..5 {
            assert_eq!(fail(&breakers, &link, "a"), Some(false), "one reviewer alone proves nothing");
        }
        breakers.enter(&link, false).expect("closed").answered();
        assert_eq!(["a", "b"].map(|who| fail(&breakers, &link, who)), [Some(false); 2], "an answer ends the row");
        assert_eq!(fail(&breakers, &link, "a"), Some(true));
        assert_eq!((fail(&breakers, &link, "c"), breakers.is_open(&link)), (None, true));
        let other = Link { endpoint: "f".into(), ..link.clone() };
        assert_eq!((fail(&breakers, &other, "c"), breakers.is_open(&other)), (Some(false), false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_in_two_minutes_decides() {
        let (breakers, link) = (Breakers::default(), link());
        for who in ["a", "b", "c"] {
            fail(&breakers, &link, who);
        }
        for _ in 0..2 {
            tokio::time::advance(OPEN - Duration::from_secs(1)).await;
            assert_eq!(breakers.enter(&link, false).expect_err("still open"), Duration::from_secs(1));
            tokio::time::advance(Duration::from_secs(1)).await;
            let probe = breakers.enter(&link, false).expect("one probe");
            assert!(breakers.enter(&link, false).is_err(), "only one");
            drop(probe);
            let probe = breakers.enter(&link, false).expect("a probe that ended without a word is made again");
            assert!(!probe.failed("a"));
        }
        tokio::time::advance(OPEN).await;
        breakers.enter(&link, false).expect("a probe").answered();
        assert_eq!(fail(&breakers, &link, "a"), Some(false), "closed");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_link_is_never_refused() {
        let (breakers, link) = (Breakers::default(), link());
        for who in ["a", "b", "c"] {
            fail(&breakers, &link, who);
        }
        tokio::time::advance(OPEN / 2).await;
        assert!(!breakers.enter(&link, true).expect("nobody else to ask").failed("a"));
        tokio::time::advance(OPEN / 2).await;
        assert!(breakers.enter(&link, false).is_ok(), "such failures do not put the probe off");
    }
}
