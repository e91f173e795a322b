//! The gateway as the reviewers see it: one call in, one answer or one classified error out. Here are the
//! attempts, the waits between them, and what is counted.

use super::attempt::Attempt;
use super::budget::{Budget, Caps, Price};
use super::classify::Failure;
use super::endpoint::Endpoint;
use super::error::{ErrorKind, GatewayError, one_line, shorten};
use super::limits::Limits;
use super::retry::backoff;
use super::types::{Answer, ModelRequest, Usage};
use super::wire::Decoded;
use crate::telemetry::{Event, Events};
use reqwest::Client;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

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
}

/// Who calls, and until when.
#[derive(Debug, Clone)]
pub struct CallContext<'a> {
    /// The reviewer's id, or `coordinator`: for events and counts.
    pub reviewer: &'a str,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// Which bundle of the change it is about, from 1: for events.
    pub bundle: usize,
    /// From 1 within this reviewer and bundle: for events.
    pub request_no: u32,
    /// When the call ends, whatever it waits for.
    pub deadline: Instant,
    /// Ends the call at once.
    pub cancel: CancellationToken,
    /// Cancelled, as a signal to those who wait for a warm cache, at the first byte of an answer, when the first
    /// attempt fails, and at the latest when the call returns.
    pub began: Option<CancellationToken>,
}

/// What a reviewer's calls were.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CallStats {
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they used, those that failed included.
    pub usage: Usage,
}

/// The gateway client of a run.
#[derive(Debug)]
pub struct Gateway {
    lines: BTreeMap<String, Line>,
    prices: BTreeMap<String, Price>,
    budget: Budget,
    limits: Limits,
    events: Events,
    parallel: Semaphore,
    stats: Mutex<BTreeMap<String, CallStats>>,
}

/// An endpoint with its connections, made at the first call: reading the certificates takes time.
#[derive(Debug)]
struct Line {
    endpoint: Endpoint,
    client: OnceLock<Result<Client, GatewayError>>,
}

impl Gateway {
    /// A client for all calls of a run. Touches no network.
    pub fn new(setup: Setup) -> Self {
        let lines = setup.endpoints.into_iter().map(|(name, endpoint)| (name, Line { endpoint, client: OnceLock::new() }));
        Self {
            lines: lines.collect(),
            prices: setup.prices,
            budget: Budget::new(setup.caps),
            parallel: Semaphore::new(setup.limits.parallel.clamp(1, Semaphore::MAX_PERMITS)),
            limits: setup.limits,
            events: setup.events,
            stats: Mutex::default(),
        }
    }

    /// What the calls of `reviewer` were so far.
    pub fn stats(&self, reviewer: &str) -> CallStats {
        self.all_stats().get(reviewer).copied().unwrap_or_default()
    }

    /// Asks a model: as many attempts as the limits allow, until the answer is whole. `Answer::usage` counts the
    /// attempts that failed, too. Fails with a classified error; at the deadline with [`ErrorKind::Timeout`], on
    /// cancellation with [`ErrorKind::Cancelled`], at once.
    pub async fn complete(&self, call: &CallContext<'_>, request: &ModelRequest) -> Result<Answer, GatewayError> {
        let began: Option<DropGuard> = call.began.clone().map(CancellationToken::drop_guard);
        let line = self
            .lines
            .get(call.endpoint)
            .ok_or_else(|| GatewayError::new(ErrorKind::NotFound, format!("no endpoint is named `{}`", shorten(one_line(call.endpoint), 60))))?;
        let client = line.client.get_or_init(|| connect(&line.endpoint)).as_ref().map_err(Clone::clone)?;
        let body = line.endpoint.body(request);
        let started = Instant::now();
        let mut spent = Usage::default();
        let mut number = 1;
        loop {
            let (outcome, first_byte) = self.attempt(call, line, client, request, &body, number, &mut spent).await;
            let failure = match outcome {
                Ok(decoded) => {
                    drop(began);
                    return Ok(self.answer(call, request, decoded, spent, first_byte, started));
                }
                Err(failure) => failure,
            };
            if let Some(began) = &call.began {
                began.cancel();
            }
            let wait = self.wait(call, failure, number)?;
            call.or_stopped(tokio::time::sleep(wait)).await?;
            number += 1;
        }
    }

    /// One attempt with all that it has to wait for before: budget, then its turn. In this order, so that whoever
    /// holds a turn waits for nobody.
    #[expect(clippy::too_many_arguments, reason = "all of one call's state, used here once")]
    async fn attempt(
        &self,
        call: &CallContext<'_>,
        line: &Line,
        client: &Client,
        request: &ModelRequest,
        body: &[u8],
        number: u32,
        spent: &mut Usage,
    ) -> (Result<Decoded, Failure>, Option<Duration>) {
        let price = self.prices.get(&request.model).copied();
        let before = async {
            let reservation = self.budget.reserve(body.len(), request.max_output_tokens, price).await?;
            let turn = self.parallel.acquire().await.expect("the semaphore is never closed");
            Ok::<_, GatewayError>((reservation, turn))
        };
        let (reservation, turn) = match call.or_stopped(before).await.and_then(|ready| ready) {
            Ok(ready) => ready,
            Err(error) => return (Err(error.into()), None),
        };
        self.events.emit(Event::ModelCalled {
            reviewer: call.reviewer.to_owned(),
            bundle: call.bundle,
            model: request.model.clone(),
            provider: line.endpoint.preset().name(),
            host: line.endpoint.host(),
            request: call.request_no,
            attempt: number,
        });
        let started = Instant::now();
        let mut attempt = Attempt::new(&line.endpoint, &self.limits, &request.model, call.reviewer);
        let ran = call.or_stopped(attempt.run(client, body.to_vec(), call.began.as_ref())).await;
        drop(turn);
        let mut usage = attempt.usage(body.len());
        reservation.settle(&mut usage);
        spent.add(&usage);
        let mut all = self.all_stats();
        let stats = all.entry(call.reviewer.to_owned()).or_default();
        stats.requests += 1;
        stats.usage.add(&usage);
        drop(all);
        let ended = ran.unwrap_or_else(|stopped| Err(stopped.into()));
        self.events.emit(Event::ModelEnded {
            reviewer: call.reviewer.to_owned(),
            bundle: call.bundle,
            model: ended.as_ref().map_or_else(|_| request.model.clone(), |decoded| named(decoded, request)),
            failed: ended.as_ref().err().map(|failure| failure.error.kind.name()),
            status: ended.as_ref().err().and_then(|failure| failure.error.status),
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            output_tokens: usage.output_tokens,
            estimated: usage.estimated,
            cost_usd: usage.cost_usd,
            first_byte_ms: attempt.first_byte().map(millis),
            ms: millis(started.elapsed()),
        });
        (ended, attempt.first_byte())
    }

    /// The wait before the next attempt; the error where there is none.
    fn wait(&self, call: &CallContext<'_>, failure: Failure, number: u32) -> Result<Duration, GatewayError> {
        let Failure { mut error, retry, wait } = failure;
        let give_up = |mut error: GatewayError, why: String| {
            error.message.push_str(&why);
            Err(error)
        };
        if !retry {
            return Err(error);
        }
        if number >= self.limits.attempts {
            return if number > 1 { give_up(error, format!(" ({number} attempts)")) } else { Err(error) };
        }
        let wait = match wait {
            Some(asked) if asked > self.limits.longest_wait => {
                let longest = self.limits.longest_wait.as_secs_f64();
                return give_up(error, format!(" (it asks to wait {:.0} s, longer than the {longest:.0} s that are allowed)", asked.as_secs_f64()));
            }
            Some(asked) => asked,
            None => backoff(self.limits.backoff, number),
        };
        if Instant::now() + wait >= call.deadline {
            return give_up(error, " (no time is left for another attempt)".into());
        }
        self.events.emit(Event::ModelRetried {
            reviewer: call.reviewer.to_owned(),
            reason: std::mem::take(&mut error.message),
            wait_ms: millis(wait),
        });
        Ok(wait)
    }

    fn answer(
        &self,
        call: &CallContext<'_>,
        request: &ModelRequest,
        decoded: Decoded,
        usage: Usage,
        first_byte: Option<Duration>,
        started: Instant,
    ) -> Answer {
        let model = named(&decoded, request);
        self.events.emit(Event::ModelAnswered {
            reviewer: call.reviewer.to_owned(),
            bundle: call.bundle,
            model: model.clone(),
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            first_byte_ms: millis(first_byte.unwrap_or_default()),
            ms: millis(started.elapsed()),
        });
        Answer { turn: decoded.turn, stop: decoded.stop, usage, model }
    }

    fn all_stats(&self) -> MutexGuard<'_, BTreeMap<String, CallStats>> {
        // Counts are whole at every step, so a panic elsewhere leaves them usable.
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallContext<'_> {
    /// Runs `work` until it is done, the deadline is reached or the call is cancelled.
    async fn or_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, GatewayError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(GatewayError::new(ErrorKind::Cancelled, "the run was cancelled")),
            () = sleep_until(self.deadline) => Err(GatewayError::new(ErrorKind::Timeout, "the time for this reviewer is over")),
            done = work => Ok(done),
        }
    }
}

/// The connections to one endpoint.
fn connect(endpoint: &Endpoint) -> Result<Client, GatewayError> {
    endpoint.connect().map_err(|error| GatewayError::new(ErrorKind::Network, endpoint.quote(&error)))
}

/// The model as it named itself; the asked-for name where it did not.
fn named(decoded: &Decoded, request: &ModelRequest) -> String {
    match shorten(one_line(&decoded.model), 100) {
        model if model.is_empty() => request.model.clone(),
        model => model,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
