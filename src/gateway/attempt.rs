//! One attempt: one request sent, one answer read. It keeps what came so far, so that a broken or cancelled
//! attempt can be accounted for. It never waits, and it sends a request again only with a new token, after a 401.

use super::classify::{self, Failure};
use super::endpoint::Endpoint;
use super::error::{ErrorKind, GatewayError};
use super::limits::Limits;
use super::sse::SseParser;
use super::tape::{Place, Played, Take, Tape};
use super::types::{ModelRequest, Usage};
use super::wire::{self, DecodeError, Decoded, Decoder, ErrorBody, Progress};
use crate::http::{read_start, reason, trouble};
use reqwest::{Client, Response, StatusCode};
use serde::de::IgnoredAny;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The most bytes of a stream, after decompression.
const MAX_STREAM: usize = 100 << 20;
/// The most bytes of a document from a server that does not stream.
const MAX_DOCUMENT: usize = 16 << 20;
/// The most bytes of an error's body that are read.
const MAX_ERROR_BODY: usize = 64 << 10;
/// How long a whole answer waits for its usage, and an ended stream for its connection to be free again.
const GRACE: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_millis(50);

/// What the first byte of a body tells about all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Unknown,
    Events,
    Document,
}

/// An attempt in progress.
pub(crate) struct Attempt<'a> {
    endpoint: &'a Endpoint,
    limits: &'a Limits,
    model: &'a str,
    reviewer: &'a str,
    decoder: Box<dyn Decoder>,
    parser: SseParser,
    format: Format,
    document: Vec<u8>,
    /// Bytes of the body so far.
    bytes: usize,
    started: Instant,
    first_byte: Option<Duration>,
    first_token: Option<Duration>,
    reel: Reel<'a>,
}

/// What a tape has to do with it.
enum Reel<'a> {
    None,
    Take(Take<'a>),
    Played(Played),
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(endpoint: &'a Endpoint, limits: &'a Limits, model: &'a str, reviewer: &'a str) -> Self {
        Self {
            endpoint,
            limits,
            model,
            reviewer,
            decoder: endpoint.wire().decoder(),
            parser: SseParser::default(),
            format: Format::Unknown,
            document: Vec::new(),
            bytes: 0,
            started: Instant::now(),
            first_byte: None,
            first_token: None,
            reel: Reel::None,
        }
    }

    /// Lets a tape take part: write this attempt down, or answer it.
    pub(crate) fn on(mut self, tape: Option<&Tape>, place: Place, request: &ModelRequest) -> Self {
        match tape {
            None => {}
            Some(Tape::Record(recorder)) => self.reel = Reel::Take(recorder.take(self.endpoint, self.model, place, request)),
            Some(Tape::Play(player)) => {
                let played = player.play(place, request);
                if let Some(kind) = played.wire {
                    self.decoder = wire::of(kind).decoder();
                }
                self.reel = Reel::Played(played);
            }
        }
        self
    }

    /// From sending the request to the first byte of an answer's body.
    pub(crate) fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    /// From sending the request to the first piece of an answer: gateways send comments before.
    pub(crate) fn first_token(&self) -> Option<Duration> {
        self.first_token
    }

    /// What it has used, by the provider's count; else estimated, once an answer began or where we gave up waiting for one
    /// (`given_up`: they may have read all of it by then); else nothing.
    pub(crate) fn usage(&self, body_bytes: usize, given_up: bool) -> Usage {
        let received = (self.decoder.received() as u64).div_ceil(4);
        match self.decoder.usage() {
            // The last count of an answer that broke off is from before most of its output.
            Some(usage) if self.decoder.progress() == Progress::Open && received > usage.output_tokens => {
                Usage { output_tokens: received, estimated: true, ..usage }
            }
            Some(usage) => usage,
            None if self.first_byte.is_some() || given_up => {
                Usage { input_tokens: (body_bytes as u64).div_ceil(4), output_tokens: received, estimated: true, ..Usage::default() }
            }
            None => Usage::default(),
        }
    }

    /// Sends `body` and reads the answer. `began` is called at the first events of an answer that is no error.
    pub(crate) async fn run(&mut self, client: &Client, body: Vec<u8>, began: &(dyn Fn() + Sync)) -> Result<Decoded, Failure> {
        self.started = Instant::now();
        let first_by = self.started + self.limits.first_byte();
        if let Reel::Take(take) = &mut self.reel {
            take.sends(&body);
        }
        let sent = match &mut self.reel {
            Reel::Played(played) => played.response().map_err(Failure::from),
            _ => self.send(client, body, first_by).await,
        };
        let mut response = sent.map_err(|failure| self.lost(failure))?;
        if let Reel::Take(take) = &mut self.reel {
            take.answered(response.status(), response.headers());
        }
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        loop {
            let now = Instant::now();
            let whole = self.decoder.progress() == Progress::Whole;
            let (by, silence) = match (self.first_byte, whole) {
                (None, _) => (first_by, self.limits.first_byte()),
                (Some(_), true) => (now + self.limits.idle.min(GRACE), GRACE),
                (Some(_), false) => (now + self.limits.idle, self.limits.idle),
            };
            match timeout_at(by, response.chunk()).await {
                // What is whole stays whole, however its connection ends.
                Err(_) | Ok(Err(_)) if whole => break,
                Err(_) => {
                    let failure = self.silent(silence);
                    return Err(self.lost(failure));
                }
                Ok(Err(error)) => {
                    let failure = self.broken(&reason(&error));
                    return Err(self.lost(failure));
                }
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => self.take(&chunk, began)?,
            }
            if self.decoder.progress() == Progress::Over {
                // Reading to the very end lets the next request use this connection.
                let _ = timeout(DRAIN, async { while let Ok(Some(_)) = response.chunk().await {} }).await;
                break;
            }
        }
        self.end()
    }

    /// Sends the request; a second time where the token was refused and there is a new one.
    async fn send(&mut self, client: &Client, body: Vec<u8>, by: Instant) -> Result<Response, Failure> {
        let (mut headers, which) = self.endpoint.headers(self.reviewer);
        let mut renewed = false;
        loop {
            let request = client.post(self.endpoint.target(self.model)).headers(headers).body(body.clone());
            let response = match timeout_at(by, request.send()).await {
                Err(_) => return Err(self.silent(self.limits.first_byte())),
                Ok(Err(error)) => return Err(self.unreachable(&error)),
                Ok(Ok(response)) => response,
            };
            if renewed || response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            match self.endpoint.renew(which).await {
                Ok(false) => return Ok(response),
                Ok(true) => (headers, renewed) = (self.endpoint.headers(self.reviewer).0, true),
                Err(why) => {
                    let mut failure = self.refused(response).await;
                    failure.error.message.push_str(&format!(" (no new token: {})", self.endpoint.quote(&why)));
                    return Err(failure);
                }
            }
        }
    }

    fn take(&mut self, chunk: &[u8], began: &(dyn Fn() + Sync)) -> Result<(), Failure> {
        if chunk.is_empty() {
            return Ok(());
        }
        if let Reel::Take(take) = &mut self.reel {
            take.bytes(chunk);
        }
        self.first_byte.get_or_insert_with(|| self.started.elapsed());
        self.bytes = self.bytes.saturating_add(chunk.len());
        if self.bytes > MAX_STREAM {
            return Err(self.unreadable(DecodeError::TooLong("a stream of more than 100 MiB")));
        }
        let mut chunk = chunk;
        if self.format == Format::Unknown {
            let blank = |b: &u8| b" \t\r\n\xEF\xBB\xBF".contains(b);
            let Some(start) = chunk.iter().position(|b| !blank(b)) else { return Ok(()) };
            chunk = &chunk[start..];
            self.format = match chunk[0] {
                b'{' | b'[' => Format::Document,
                b'<' => return Err(self.unspoken("an HTML page")),
                _ => Format::Events,
            };
        }
        if self.format == Format::Document {
            if self.document.len() + chunk.len() > MAX_DOCUMENT {
                return Err(self.unreadable(DecodeError::TooLong("a document of more than 16 MiB")));
            }
            self.document.extend_from_slice(chunk);
            self.first_token = self.first_token.or(self.first_byte);
            return Ok(());
        }
        let decoder = &mut self.decoder;
        let mut begun = false;
        let fed = self.parser.feed(chunk, &mut |event| {
            begun = true;
            decoder.event(event)
        });
        // Comments come while the prompt is still being read; an event comes after.
        if begun && self.first_token.is_none() {
            self.first_token = Some(self.started.elapsed());
            if fed.is_ok() {
                began();
            }
        }
        fed.map_err(|error| self.unreadable(error))
    }

    /// The body is over: the answer, if it is whole.
    fn end(&mut self) -> Result<Decoded, Failure> {
        match self.format {
            Format::Unknown => return Err(self.broken("it was empty")),
            Format::Document => {
                let document = std::mem::take(&mut self.document);
                self.decoder.document(&String::from_utf8_lossy(&document)).map_err(|error| match error {
                    // Valid JSON did not break off: it is something else, and will be at the next attempt.
                    DecodeError::Garbled(_) if serde_json::from_slice::<IgnoredAny>(&document).is_ok() => self.unspoken("JSON of something else"),
                    error => self.unreadable(error),
                })?;
            }
            Format::Events => {
                if let Some(event) = self.parser.finish()
                    && let Err(error @ DecodeError::Upstream(_)) = self.decoder.event(event)
                {
                    return Err(self.unreadable(error));
                }
            }
        }
        match self.decoder.finish() {
            Some(mut answer) => {
                if let Some(raw) = &mut answer.turn.raw {
                    raw.from = self.endpoint.origin(self.model);
                }
                self.endpoint.clean(&mut answer.turn);
                Ok(answer)
            }
            None if let Some(said) = self.parser.stray().and_then(ErrorBody::parse) => Err(self.unreadable(DecodeError::Upstream(said))),
            None if self.format == Format::Events && !self.parser.is_framed() => Err(self.unspoken("text that is no event stream")),
            None => Err(self.broken("it ended before its end mark")),
        }
    }

    /// An answer with a status that is no success.
    async fn refused(&mut self, response: Response) -> Failure {
        let (status, headers) = (response.status(), response.headers().clone());
        // What has come by then is enough to tell.
        let body = read_start(response, MAX_ERROR_BODY, self.limits.idle.min(GRACE)).await;
        if let Reel::Take(take) = &mut self.reel {
            take.bytes(&body);
        }
        classify::status(self.endpoint, status, &headers, &body)
    }

    /// The connection failed: what a recording says of it, or is told.
    fn lost(&mut self, failure: Failure) -> Failure {
        match &mut self.reel {
            Reel::None => failure,
            Reel::Take(take) => {
                take.failed(&failure.error);
                failure
            }
            Reel::Played(played) => played.failure().map_or(failure, Failure::from),
        }
    }

    fn unreadable(&self, error: DecodeError) -> Failure {
        match error {
            DecodeError::Upstream(said) => classify::in_stream(self.endpoint, &said),
            DecodeError::Garbled(what) => self.broken(&format!("it held {what}")),
            DecodeError::NoAnswer(what) => self.unspoken(what),
            DecodeError::TooLong(what) => self.fail(ErrorKind::Protocol, format!("sent {what}; the answer was given up")),
        }
    }

    fn unspoken(&self, what: &str) -> Failure {
        self.fail(ErrorKind::Protocol, format!("answered with {what} instead of a model's answer"))
    }

    fn broken(&self, why: &str) -> Failure {
        self.fail(ErrorKind::Stream, format!("broke its answer off: {why}"))
    }

    fn silent(&self, time: Duration) -> Failure {
        let (when, limit) = match self.first_byte {
            Some(_) => ("in the middle of its answer", "idle_seconds"),
            None => ("before its answer", "first_byte_seconds"),
        };
        self.fail(ErrorKind::Timeout, format!("sent no byte for {} s {when}; `limits.{limit}` says how long it may be silent", time.as_secs_f64()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        if let Some(trouble) = trouble(error) {
            let failure = self.fail(ErrorKind::Network, format!("cannot be reached: {}", trouble.why));
            return Failure { retry: !trouble.lasting, unreachable: true, ..failure };
        }
        let what = if error.is_connect() { "cannot be reached" } else { "broke the connection off before its answer" };
        let why = match error.is_connect() && error.is_timeout() {
            true => "no connection came about in time (a firewall, a proxy or a name server does not answer)".to_owned(),
            false => self.endpoint.quote(&reason(error)),
        };
        let failure = self.fail(ErrorKind::Network, format!("{what}: {why}"));
        Failure { unreachable: error.is_connect(), ..failure }
    }

    fn fail(&self, kind: ErrorKind, what: String) -> Failure {
        GatewayError::new(kind, format!("{} {what}", self.endpoint.host())).into()
    }
}
