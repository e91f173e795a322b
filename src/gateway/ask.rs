//! One call at one link of its chain: the attempts, the waits between them, and what is counted. Which link comes next is
//! the chain's business.

use super::attempt::Attempt;
use super::breaker::OPEN;
use super::chain::Link;
use super::classify::Failure;
use super::client::{CallContext, Gateway, Line};
use super::error::{ErrorKind, GatewayError, one_line, shorten};
use super::recovery::Turn;
use super::size::Size;
use super::tape::Place;
use super::types::{Answer, ModelRequest, Stop, Usage};
use super::wire::Decoded;
use crate::http::wait::{asked_and_spread, backoff};
use crate::telemetry::Event;
use reqwest::Client;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A request of fewer tokens is cut by nobody, and an estimate of it means little.
const SHORT: u64 = 1_000;

const NO_TIME: &str = " (no time is left for another attempt)";

/// What all attempts of a call at one link share.
pub(super) struct Ask<'a> {
    gateway: &'a Gateway,
    call: &'a CallContext<'a>,
    link: &'a Link,
    /// Nobody else is left to ask.
    last: bool,
    line: &'a Line,
    client: &'a Client,
    request: ModelRequest,
    /// What a model that has read all of it counts, and at least half of which a server has to report.
    least_tokens: u64,
    body: Vec<u8>,
}

impl<'a> Ask<'a> {
    /// Prepares the request for this link. Fails where its endpoint is unknown or cannot be connected to at all.
    pub(super) fn new(
        gateway: &'a Gateway,
        call: &'a CallContext<'a>,
        link: &'a Link,
        last: bool,
        request: &'a ModelRequest,
    ) -> Result<Self, GatewayError> {
        let line = gateway
            .lines
            .get(&link.endpoint)
            .ok_or_else(|| GatewayError::new(ErrorKind::NotFound, format!("no endpoint is named `{}`", shorten(one_line(&link.endpoint), 60))))?;
        let client = line.client()?;
        let request = ModelRequest { model: link.model.clone(), ..request.clone() };
        let body = line.endpoint.body(&request);
        let least_tokens = request.least_tokens();
        Ok(Self { gateway, call, link, last, line, client, request, least_tokens, body })
    }

    /// As many attempts as the limits allow, until the answer is whole. What they use is added to `spent`.
    pub(super) async fn run(&self, spent: &mut Usage) -> Result<Answer, Failure> {
        let (call, breakers, recovery) = (self.call, &self.gateway.breakers, &self.line.recovery);
        let started = Instant::now();
        let mut failed: Option<Failure> = None;
        let mut turn: Option<Turn> = None;
        let mut number = 1;
        loop {
            // Others have just tried in vain.
            let hopeless = recovery.is_lost();
            let pass = match breakers.enter(self.link, self.last) {
                Ok(pass) => pass,
                Err(left) => return Err(failed.unwrap_or_else(|| passed_over(left))),
            };
            let (outcome, first_byte) = self.attempt(number, spent).await;
            let failure = match outcome {
                Ok(decoded) => {
                    recovery.answered();
                    pass.answered();
                    return Ok(self.answer(decoded, *spent, first_byte, started));
                }
                Err(failure) => failure,
            };
            if let Some(began) = &call.began {
                began.cancel();
            }
            if call.is_over() || matches!(failure.error.kind, ErrorKind::Budget | ErrorKind::Cancelled) {
                return Err(failure);
            }
            if !failure.retry && failure.error.kind != ErrorKind::Timeout {
                if !failure.unreachable {
                    recovery.answered();
                }
                pass.answered();
            } else if pass.failed(call.reviewer) {
                self.gateway.events.note(format!("{} failed again and again: passed over for {} s.", self.link, OPEN.as_secs()));
            }
            if hopeless && failure.unreachable || !self.last && breakers.is_open(self.link) {
                return Err(failure);
            }
            self.wait_to_retry(&failure, number, &mut turn).await?;
            failed = Some(failure);
            number += 1;
        }
    }

    /// One attempt with all that it has to wait for before: budget, then its turn. In this order, so that whoever
    /// holds a turn waits for nobody.
    async fn attempt(&self, number: u32, spent: &mut Usage) -> (Result<Decoded, Failure>, Option<Duration>) {
        let (gateway, call, model) = (self.gateway, self.call, &self.link.model);
        let price = gateway.prices.get(model).copied();
        let before = async {
            let reservation = gateway.budget.reserve(model, Size::of(&self.body), self.request.max_output_tokens, price).await?;
            let turn = self.line.parallel.acquire().await.expect("the semaphore is never closed");
            Ok::<_, GatewayError>((reservation, turn))
        };
        let (reservation, turn) = match call.or_stopped(before).await.and_then(|ready| ready) {
            Ok(ready) => ready,
            Err(error) => return (Err(error.into()), None),
        };
        gateway.events.emit(Event::ModelCalled {
            reviewer: call.reviewer.to_owned(),
            bundle: call.bundle,
            model: model.clone(),
            provider: self.line.endpoint.preset().name(),
            host: self.line.endpoint.host(),
            request: call.request_no,
            attempt: number,
        });
        let started = Instant::now();
        let place = Place { reviewer: call.reviewer.to_owned(), bundle: call.bundle, request: call.request_no };
        let attempt = Attempt::new(&self.line.endpoint, &gateway.limits, model, call.reviewer);
        let mut attempt = attempt.on(gateway.tape.as_ref(), place, &self.request);
        let began = || {
            self.line.recovery.answered();
            if let Some(began) = &call.began {
                began.cancel();
            }
        };
        let ran = call.or_stopped(attempt.run(self.client, self.body_with(reservation.output()), &began)).await;
        drop(turn);
        let ended = ran.unwrap_or_else(|stopped| Err(stopped.into()));
        let given_up = ended.as_ref().is_err_and(|failure| matches!(failure.error.kind, ErrorKind::Timeout | ErrorKind::Cancelled));
        let mut usage = attempt.usage(self.body.len(), given_up);
        let settled = reservation.settle(&mut usage, ended.as_ref().is_ok_and(|decoded| decoded.stop == Stop::Length));
        let ended = ended.and_then(|decoded| settled.map(|()| decoded).map_err(Failure::from)).and_then(|decoded| self.uncut(decoded, &usage));
        spent.add(&usage);
        gateway.count(call.reviewer, model, &usage, started.elapsed(), attempt.first_token());
        gateway.events.emit(Event::ModelEnded {
            reviewer: call.reviewer.to_owned(),
            bundle: call.bundle,
            model: ended.as_ref().map_or_else(|_| model.clone(), |decoded| self.named(decoded)),
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

    /// The body, with the output that the budget leaves room for.
    fn body_with(&self, max_output_tokens: u32) -> Vec<u8> {
        if max_output_tokens == self.request.max_output_tokens {
            return self.body.clone();
        }
        self.line.endpoint.body(&ModelRequest { max_output_tokens, ..self.request.clone() })
    }

    /// The answer, unless the server cut the prompt without a word, as some do whose context is too small: such an answer
    /// is one about a part of the change. Servers that count cached input apart are given the benefit of the doubt.
    fn uncut(&self, decoded: Decoded, usage: &Usage) -> Result<Decoded, Failure> {
        let counted = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens;
        if usage.estimated || counted == 0 || self.least_tokens < SHORT || counted >= self.least_tokens / 2 {
            return Ok(decoded);
        }
        let message = format!(
            "{} read {counted} tokens of a request of about {}: it cut the prompt without saying so (Ollama does, beyond `num_ctx`)",
            self.line.endpoint.host(),
            self.least_tokens
        );
        Err(GatewayError::new(ErrorKind::TooLarge, message).into())
    }

    /// Waits until the next attempt. Fails, with `failure` and why, where there is none. Who failed first of all calls at
    /// an endpoint has the `turn` to try again; the others wait for what becomes of that.
    async fn wait_to_retry<'t>(&'t self, failure: &Failure, number: u32, turn: &mut Option<Turn<'t>>) -> Result<(), Failure> {
        let (call, recovery, now) = (self.call, &self.line.recovery, Instant::now());
        let own = self.wait(failure, number).inspect_err(|failure| {
            if failure.unreachable {
                recovery.lose(&failure.error);
            }
        })?;
        // Where another model can be asked, that is better than to wait for this one.
        if self.last && turn.is_none() {
            *turn = recovery.turn();
        }
        let out_of_time = |error: GatewayError| match error.kind {
            ErrorKind::Timeout => with_reason(failure, NO_TIME),
            _ => error.into(),
        };
        let wait = match turn {
            Some(turn) => {
                turn.next(now + own, failure.error.kind == ErrorKind::RateLimited);
                own
            }
            None if self.last => {
                let wait = call.or_stopped(recovery.behind()).await.map_err(out_of_time)?;
                let wait = wait.map_err(lost)?;
                // What this call itself was asked to wait holds all the same.
                let asked = now + failure.wait.unwrap_or_default();
                self.within(wait).max(asked.saturating_duration_since(Instant::now()))
            }
            None => own,
        };
        self.gateway.events.emit(Event::ModelRetried {
            reviewer: call.reviewer.to_owned(),
            reason: failure.error.message.clone(),
            wait_ms: millis(wait),
        });
        call.or_stopped(sleep(wait)).await.map_err(out_of_time)
    }

    /// A wait for the others' sake, of which at least half of the time that is left has to remain.
    fn within(&self, wait: Duration) -> Duration {
        wait.min(self.call.deadline.saturating_duration_since(Instant::now()) / 2)
    }

    /// The wait that the gateway or our own rule asks for before the next attempt; the failure where there is none.
    fn wait(&self, failure: &Failure, number: u32) -> Result<Duration, Failure> {
        let limits = &self.gateway.limits;
        let give_up = |why: &str| Err(with_reason(failure, why));
        if !failure.retry {
            return give_up("");
        }
        if number >= limits.attempts {
            return give_up(&if number > 1 { format!(" ({number} attempts)") } else { String::new() });
        }
        let wait = match failure.wait {
            Some(asked) if asked > limits.longest_wait => {
                let longest = limits.longest_wait.as_secs_f64();
                return give_up(&format!(" (it asks to wait {:.0} s, longer than the {longest:.0} s that are allowed)", asked.as_secs_f64()));
            }
            Some(asked) => asked_and_spread(asked, limits.backoff, number),
            None => backoff(limits.backoff, number),
        };
        if Instant::now() + wait >= self.call.deadline {
            return give_up(NO_TIME);
        }
        Ok(wait)
    }

    fn answer(&self, decoded: Decoded, usage: Usage, first_byte: Option<Duration>, started: Instant) -> Answer {
        let model = self.named(&decoded);
        self.gateway.events.emit(Event::ModelAnswered {
            reviewer: self.call.reviewer.to_owned(),
            bundle: self.call.bundle,
            model: model.clone(),
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            first_byte_ms: millis(first_byte.unwrap_or_default()),
            ms: millis(started.elapsed()),
        });
        Answer { turn: decoded.turn, stop: decoded.stop, usage, model, link: 0 }
    }

    /// The model as it named itself; the asked-for name where it did not.
    fn named(&self, decoded: &Decoded) -> String {
        match shorten(self.line.endpoint.quote(&decoded.model), 100) {
            model if model.is_empty() => self.link.model.clone(),
            model => model,
        }
    }
}

/// The failure, with why there is no other attempt.
fn with_reason(failure: &Failure, why: &str) -> Failure {
    let mut error = failure.error.clone();
    error.message.push_str(why);
    Failure { error, ..*failure }
}

/// The failure of a call that did not try again, since another one could not connect.
fn lost(mut error: GatewayError) -> Failure {
    error.message.push_str(", as another request found");
    Failure { unreachable: true, ..error.into() }
}

fn passed_over(left: Duration) -> Failure {
    let message = format!("passed over, since it failed again and again (for another {} s)", left.as_secs());
    GatewayError::new(ErrorKind::Unavailable, message).into()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
