//! The gateway as the reviewers see it: one call in, one answer or one classified error out. Here the chain of models is
//! walked; what one of them is asked, and how often, is `ask`'s part.

use super::ask::Ask;
use super::breaker::Breakers;
use super::budget::{Budget, Caps, Reached};
use super::chain::{Link, spent};
use super::classify::Failure;
use super::endpoint::Endpoint;
use super::error::{ErrorKind, GatewayError, shorten};
use super::limits::Limits;
use super::price::Price;
use super::recovery::Recovery;
use super::stats::CallStats;
use super::tape::Tape;
use super::types::{Answer, ModelRequest, Usage};
use crate::telemetry::{Event, Events};
use reqwest::Client;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The most characters of a reason in a note.
const MAX_REASON: usize = 200;

/// What a gateway is made of.
#[derive(Debug, Default)]
pub struct Setup {
    /// Endpoints by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Prices by model, as asked for.
    pub prices: BTreeMap<String, Price>,
    /// What the run may spend.
    pub caps: Caps,
    /// Bounds on calls.
    pub limits: Limits,
    /// Where events go.
    pub events: Events,
    /// What writes all exchanges down, or answers in the place of every endpoint.
    pub tape: Option<Tape>,
}

/// Who calls, and until when.
#[derive(Debug, Clone)]
pub struct CallContext<'a> {
    /// The reviewer's id, or `coordinator`: for events and counts.
    pub reviewer: &'a str,
    /// Which bundle of the change it is about, from 1: for events.
    pub bundle: usize,
    /// Whom to ask: the first link, and where it does not answer the next.
    pub chain: &'a [Link],
    /// From 1 within this reviewer and bundle: for events.
    pub request_no: u32,
    /// When the call ends, whatever it waits for.
    pub deadline: Instant,
    /// Ends the call at once.
    pub cancel: CancellationToken,
    /// Cancelled, as a signal to those who wait for a warm cache, at the first event of an answer, when the first
    /// attempt fails, and at the latest when the call returns.
    pub began: Option<CancellationToken>,
}

/// The gateway client of a run.
#[derive(Debug)]
pub struct Gateway {
    pub(super) lines: BTreeMap<String, Line>,
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) budget: Budget,
    pub(super) limits: Limits,
    pub(super) events: Events,
    pub(super) breakers: Breakers,
    pub(super) tape: Option<Tape>,
    stats: Mutex<BTreeMap<String, CallStats>>,
    /// Links that were left for the next of their chain, and why first.
    left: Mutex<BTreeMap<Link, String>>,
}

/// An endpoint with its connections, made at the first call: reading the certificates takes time.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) endpoint: Endpoint,
    client: OnceLock<Result<Client, GatewayError>>,
    /// Turns: a provider bounds how many requests it takes at once, so each has its own.
    pub(super) parallel: Semaphore,
    /// How the run comes back to it after a failure.
    pub(super) recovery: Recovery,
}

impl Line {
    /// The connections to it. Fails, the same way each time, where none can be set up.
    pub(super) fn client(&self) -> Result<&Client, GatewayError> {
        let connect = || self.endpoint.connect().map_err(|error| GatewayError::new(ErrorKind::Network, self.endpoint.quote(&error)));
        self.client.get_or_init(connect).as_ref().map_err(Clone::clone)
    }
}

impl Gateway {
    /// A client for all calls of a run. Touches no network.
    pub fn new(setup: Setup) -> Self {
        let turns = setup.limits.parallel.clamp(1, Semaphore::MAX_PERMITS);
        let line = |endpoint| Line { endpoint, client: OnceLock::new(), parallel: Semaphore::new(turns), recovery: Recovery::default() };
        Self {
            lines: setup.endpoints.into_iter().map(|(name, endpoint)| (name, line(endpoint))).collect(),
            prices: setup.prices,
            budget: Budget::new(setup.caps),
            limits: setup.limits,
            events: setup.events,
            breakers: Breakers::default(),
            tape: setup.tape,
            stats: Mutex::default(),
            left: Mutex::default(),
        }
    }

    /// What a report should say of the tape, one line each.
    pub fn tape_notes(&self) -> Vec<String> {
        self.tape.iter().flat_map(Tape::notes).collect()
    }

    /// What the calls of `reviewer` were so far.
    pub fn stats(&self, reviewer: &str) -> CallStats {
        lock(&self.stats).get(reviewer).cloned().unwrap_or_default()
    }

    /// The caps that ended calls so far.
    pub fn reached(&self) -> Vec<Reached> {
        self.budget.reached()
    }

    /// What a report should say of models that were left for the next of their chain since the last call of this: one
    /// line each.
    pub fn take_notes(&self) -> Vec<String> {
        let left = std::mem::take(&mut *lock(&self.left));
        left.into_iter().map(|(link, why)| format!("{link} did not answer, so the next model of its chain was asked: {why}")).collect()
    }

    /// Asks the models of the chain, one after the other, until one answers: each as often as the limits allow where
    /// another attempt can help, the next one where it cannot. `Answer::usage` counts all attempts, and
    /// `Answer::link` says who answered: a conversation stays there. Fails with a classified error once the chain is
    /// spent; at the deadline with [`ErrorKind::Timeout`], on cancellation with [`ErrorKind::Cancelled`], at once.
    pub async fn complete(&self, call: &CallContext<'_>, request: &ModelRequest) -> Result<Answer, GatewayError> {
        let _began: Option<DropGuard> = call.began.clone().map(CancellationToken::drop_guard);
        let mut used = Usage::default();
        let mut left: Vec<(&Link, GatewayError)> = Vec::new();
        let mut open: Vec<(usize, &Link)> = call.chain.iter().enumerate().rev().collect();
        while let Some((at, link)) = open.pop() {
            let failure = match Ask::new(self, call, link, open.is_empty(), request) {
                Ok(ask) => match ask.run(&mut used).await {
                    Ok(answer) => return Ok(Answer { link: at, ..answer }),
                    Err(failure) => failure,
                },
                Err(error) => Failure::from(error),
            };
            if let Some(began) = &call.began {
                began.cancel();
            }
            if failure.unreachable {
                open.retain(|(_, other)| other.endpoint != link.endpoint);
            }
            let Some((_, next)) = open.last().filter(|_| failure.error.kind.moves_on() && !call.is_over()) else {
                return Err(spent(&left, link, failure.error));
            };
            self.leave(call, link, next, &failure.error);
            left.push((link, failure.error));
        }
        Err(GatewayError::new(ErrorKind::NotFound, "no model is configured"))
    }

    fn leave(&self, call: &CallContext<'_>, link: &Link, next: &Link, why: &GatewayError) {
        let reason = shorten(why.message.clone(), MAX_REASON);
        self.events.emit(Event::ModelChanged {
            reviewer: call.reviewer.to_owned(),
            bundle: call.bundle,
            from: link.to_string(),
            to: next.to_string(),
            reason: reason.clone(),
        });
        lock(&self.left).entry(link.clone()).or_insert(reason);
    }

    /// Counts one attempt: the model that was asked, what it used, its time, and when its answer began.
    pub(super) fn count(&self, reviewer: &str, model: &str, usage: &Usage, time: Duration, first: Option<Duration>) {
        lock(&self.stats).entry(reviewer.to_owned()).or_default().add(model, usage, time, first);
    }
}

/// Counts are whole at every step, so a panic elsewhere leaves them usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CallContext<'_> {
    /// Whether there is no use in going on.
    pub(super) fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() >= self.deadline
    }

    /// Runs `work` until it is done, the deadline is reached or the call is cancelled.
    pub(super) async fn or_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, GatewayError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(GatewayError::new(ErrorKind::Cancelled, "the run was cancelled")),
            () = sleep_until(self.deadline) => Err(GatewayError::new(ErrorKind::Timeout, "the time for this reviewer is over (`limits.reviewer_seconds`, `limits.run_seconds`)")),
            done = work => Ok(done),
        }
    }
}
