//! How a run comes back to an endpoint that failed: one call tries again, and the others that failed wait for what
//! becomes of it.
//! Once it answers they start at random moments of a time that grows with how long the endpoint was away. So the jobs
//! that an outage held up add little to the load that the endpoint has to bear when it is back, however long it told
//! all of them to wait. Where nothing failed, nobody waits. It makes no call and counts no attempt.

use super::error::GatewayError;
use crate::http::wait::up_to;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// No longer than this does anybody wait for another's answer to begin.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Who waited starts within so many times the time for which the endpoint was away …
const SPREAD: u32 = 4;
/// … but within this: a reviewer has five minutes, two retries of the longest wait included.
const LONGEST_SPREAD: Duration = Duration::from_secs(90);

/// What a run knows of an endpoint's failures since its last answer.
#[derive(Debug)]
pub(crate) struct Recovery(watch::Sender<State>);

impl Default for Recovery {
    fn default() -> Self {
        Self(watch::Sender::new(State::default()))
    }
}

#[derive(Debug, Default)]
struct State {
    /// The first failure.
    since: Option<Instant>,
    trial: Option<Trial>,
    /// How a call failed that could not even connect, in all its attempts.
    lost: Option<GatewayError>,
    /// Trials so far.
    trials: u64,
}

/// The call that tries again.
#[derive(Debug)]
struct Trial {
    number: u64,
    /// When its next attempt starts, or started.
    at: Instant,
    /// The endpoint serves, if not this run now: who comes later has a better chance than who comes at once.
    limited: bool,
}

impl Recovery {
    /// An answer has begun, if only to say that the request is wrong: the endpoint is back.
    pub(crate) fn answered(&self) {
        self.0.send_if_modified(|state| {
            let failed = state.since.is_some() || state.lost.is_some();
            if failed {
                *state = State { trials: state.trials, ..State::default() };
            }
            failed
        });
    }

    /// A call has made all its attempts and could not even connect: the others need not find out by themselves.
    pub(crate) fn lose(&self, error: &GatewayError) {
        self.0.send_modify(|state| state.lost = Some(error.clone()));
    }

    /// Whether a call could not connect since the last answer: another one need not try as often.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.borrow().lost.is_some()
    }

    /// After a failure: the turn to try again, for the first who asks. `None`: somebody has it.
    pub(crate) fn turn(&self) -> Option<Turn<'_>> {
        let mut number = None;
        self.0.send_if_modified(|state| {
            let now = Instant::now();
            state.since.get_or_insert(now);
            if state.trial.is_none() {
                state.trials += 1;
                number = Some(state.trials);
                state.trial = Some(Trial { number: state.trials, at: now, limited: false });
            }
            number.is_some()
        });
        Some(Turn { recovery: self, number: number? })
    }

    /// Waits behind whoever tries again. Returns how long to wait from then on (nothing where nobody tries, or who did
    /// has given up and no rate was limited), or the failure of one who could not connect.
    pub(crate) async fn behind(&self) -> Result<Duration, GatewayError> {
        let mut state = self.0.subscribe();
        let mut waited = None;
        loop {
            let (since, at, limited) = {
                let state = state.borrow_and_update();
                match (&state.trial, state.since) {
                    (Some(trial), Some(since)) => (since, trial.at, trial.limited),
                    _ => break,
                }
            };
            waited = Some((since, at, limited));
            tokio::select! {
                _ = state.changed() => {}
                () = sleep_until(at + LONGEST_WAIT) => return Ok(spread(since, at)),
            }
        }
        let Some((since, at, limited)) = waited else { return Ok(Duration::ZERO) };
        let state = self.0.borrow();
        match &state.lost {
            Some(lost) => Err(lost.clone()),
            // The same row of failures: it was given up.
            None if state.since == Some(since) && !limited => Ok(Duration::ZERO),
            None => Ok(spread(since, at)),
        }
    }
}

/// When to start after an endpoint that was away from `since` to `at`, counted from its answer.
fn spread(since: Instant, at: Instant) -> Duration {
    let most = (at.saturating_duration_since(since) * SPREAD).min(LONGEST_SPREAD);
    // Not at once: many other jobs try for the first time just then.
    most / 8 + up_to(most / 8 * 7)
}

/// The right to try again, given back when dropped: without an answer before, the trial is given up.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    recovery: &'a Recovery,
    number: u64,
}

impl Turn<'_> {
    /// Tells the others when the next attempt starts, and whether a limit on the rate stood against the last one.
    pub(crate) fn next(&self, at: Instant, limited: bool) {
        self.change(|trial| {
            if let Some(trial) = trial {
                (trial.at, trial.limited) = (at, limited);
            }
        });
    }

    /// Changes the trial, unless it is over.
    fn change(&self, change: impl FnOnce(&mut Option<Trial>)) {
        self.recovery.0.send_if_modified(|state| {
            let ours = state.trial.as_ref().is_some_and(|trial| trial.number == self.number);
            if ours {
                change(&mut state.trial);
            }
            ours
        });
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.change(|trial| *trial = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::ErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    /// What `behind` returns, and when: in seconds.
    async fn waited(recovery: &Recovery) -> (u64, Result<Duration, GatewayError>) {
        let start = Instant::now();
        let outcome = recovery.behind().await;
        (start.elapsed().as_secs(), outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_where_nothing_failed() {
        let recovery = Recovery::default();
        recovery.answered();
        assert_eq!(waited(&recovery).await, (0, Ok(Duration::ZERO)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_starts_within_four_times_the_outage() {
        for (away, most) in [(1, 4), (10, 40), (30, 90)] {
            let mut starts = Vec::new();
            for _ in 0..50 {
                let recovery = Recovery::default();
                let turn = recovery.turn().expect("the first");
                assert!(recovery.turn().is_none(), "one only");
                turn.next(Instant::now() + SECOND * away, false);
                let (_, (at, outcome)) = tokio::join!(
                    async {
                        tokio::time::sleep(SECOND * (away + 2)).await;
                        recovery.answered();
                    },
                    waited(&recovery)
                );
                assert_eq!(at, u64::from(away) + 2, "at the answer");
                starts.push(outcome.expect("an answer").as_secs_f64());
                assert!(recovery.turn().is_some(), "another outage, another turn");
            }
            let range = f64::from(most) / 8.0..=f64::from(most);
            assert!(starts.iter().all(|start| range.contains(start)), "{away}: {starts:?}");
            assert!(starts.iter().any(|start| *start > f64::from(most) / 2.0) && starts.iter().any(|start| *start < f64::from(most) / 2.0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_holds_nobody_up_for_long() {
        let recovery = Recovery::default();
        let turn = recovery.turn().expect("the first");
        turn.next(Instant::now() + SECOND, false);
        let (at, outcome) = waited(&recovery).await;
        assert!(at == 6 && outcome.as_ref().is_ok_and(|wait| *wait <= 4 * SECOND), "{at}: {outcome:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gave_up_is_followed_at_once() {
        let lost = GatewayError::new(ErrorKind::Network, "cannot be reached (3 attempts)");
        for (name, unreachable, told) in [("an overload", false, Ok(Duration::ZERO)), ("no connection", true, Err(lost.clone()))] {
            let recovery = Recovery::default();
            let turn = recovery.turn().expect("the first");
            turn.next(Instant::now() + SECOND * 20, false);
            let (_, outcome) = tokio::join!(
                async {
                    tokio::time::sleep(SECOND * 20).await;
                    if unreachable {
                        recovery.lose(&lost);
                    }
                    drop(turn);
                },
                waited(&recovery)
            );
            assert_eq!(outcome, (20, told), "{name}");
            assert_eq!(waited(&recovery).await, (0, Ok(Duration::ZERO)), "{name}: who comes later tries");
            assert!(recovery.turn().is_some(), "{name}: the next one's turn");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_an_answer_ended_does_not_end_the_next_one() {
        let recovery = Recovery::default();
        let old = recovery.turn().expect("the first");
        recovery.answered();
        let _new = recovery.turn().expect("a new outage");
        drop(old);
        assert!(recovery.turn().is_none(), "somebody has it");
    }
}
