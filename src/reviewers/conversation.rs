//! A conversation with a model, whoever holds it: it stays with the model that answered first, gives an answer that was cut off
//! more room once, and says of each failure whether every other conversation would end the same way. What is asked
//! and what counts as an answer is its holder's.

use crate::gateway::{Answer, CallContext, ErrorKind, Gateway, GatewayError, Link, ModelRequest, Stop, ToolCall, ToolResult, ToolSpec, Turn, Usage};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Requests of one conversation, retries of the gateway not counted. Most end in one or two.
pub(super) const MAX_REQUESTS: u32 = 8;
/// Output tokens asked for at first, and once more after an answer that was cut.
const OUTPUT_TOKENS: [u32; 2] = [8_000, 24_000];

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// In one line.
    pub why: String,
    /// Whether every other question would fail the same way (budget, key, cancellation).
    pub all: bool,
}

impl Failed {
    /// A failure of this conversation alone.
    pub(super) fn alone(why: impl Into<String>) -> Self {
        Self { why: why.into(), all: false }
    }
}

/// How long a conversation may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimit {
    own: Duration,
    deadline: Instant,
    run_ends: Option<Instant>,
}

impl TimeLimit {
    /// So long from now, and no longer than the run, where that ends too.
    pub(super) fn from_now(own: Duration, run_ends: Option<Instant>) -> Self {
        let deadline = Instant::now() + own;
        Self { own, deadline: run_ends.map_or(deadline, |end| end.min(deadline)), run_ends }
    }

    /// When it is over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// A failed call in words: where the time was over, which limit that was.
    fn told(&self, error: &GatewayError) -> String {
        match error.kind == ErrorKind::Timeout && Instant::now() >= self.deadline {
            false => error.to_string(),
            true if self.run_ends.is_some_and(|end| self.deadline >= end) => "the time of the run was over".to_owned(),
            true => format!("its time of {} s was over (`limits.reviewer_seconds` sets it)", self.own.as_secs()),
        }
    }
}

/// What a conversation begins with.
pub(super) struct Opening<'a> {
    pub(super) gateway: &'a Gateway,
    /// Who asks, for events and counts.
    pub(super) reviewer: &'a str,
    /// About which part, from 1: for events.
    pub(super) part: usize,
    /// Whom, one after the other.
    pub(super) chain: &'a [Link],
    /// Tools offered.
    pub(super) tools: Arc<Vec<ToolSpec>>,
    /// The system message: instructions only.
    pub(super) system: Arc<str>,
    /// The material, fenced. May be empty.
    pub(super) shared: Arc<str>,
    /// The last block.
    pub(super) own: String,
    /// How long it may take.
    pub(super) time: TimeLimit,
    /// Ends it at once.
    pub(super) cancel: CancellationToken,
    /// Cancelled, as a signal, once the first request has begun to be answered, or will not be.
    pub(super) began: Option<CancellationToken>,
}

/// The conversation with one model.
pub(super) struct Conversation<'a> {
    gateway: &'a Gateway,
    reviewer: &'a str,
    part: usize,
    chain: &'a [Link],
    time: TimeLimit,
    cancel: CancellationToken,
    /// Until the first request is sent.
    began: Option<CancellationToken>,
    request: ModelRequest,
    /// The model as it named itself.
    pub(super) model: Option<String>,
    /// Requests sent.
    pub(super) requests: u32,
    /// Of these answered.
    pub(super) answered: u64,
    /// What the answers cost.
    pub(super) usage: Usage,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(opening: Opening<'a>) -> Self {
        let Opening { gateway, reviewer, part, chain, tools, system, shared, own, time, cancel, began } = opening;
        let (model, turns, max_output_tokens) = (String::new(), Vec::new(), OUTPUT_TOKENS[0]);
        let request = ModelRequest { model, tools, system, shared, own, turns, max_output_tokens };
        Self { gateway, reviewer, part, chain, time, cancel, began, request, model: None, requests: 0, answered: 0, usage: Usage::default() }
    }

    /// Asks for the next answer, and gets a whole one.
    pub(super) async fn ask(&mut self) -> Result<Answer, Failed> {
        while self.requests < MAX_REQUESTS {
            let answer = self.send().await?;
            match answer.stop {
                Stop::Refused => return Err(Failed::alone("the model refused to answer")),
                Stop::Length if self.request.max_output_tokens == OUTPUT_TOKENS[0] => self.request.max_output_tokens = OUTPUT_TOKENS[1],
                Stop::Length => return Err(Failed::alone(format!("its answer was cut off at {} tokens, twice", OUTPUT_TOKENS[1]))),
                Stop::End | Stop::Tools | Stop::Other(_) => return Ok(answer),
            }
        }
        Err(Failed::alone(format!("it did not report within {MAX_REQUESTS} requests")))
    }

    async fn send(&mut self) -> Result<Answer, Failed> {
        self.requests += 1;
        let call = CallContext {
            reviewer: self.reviewer,
            bundle: self.part,
            chain: self.chain,
            request_no: self.requests,
            deadline: self.time.deadline,
            cancel: self.cancel.clone(),
            began: self.began.take(),
        };
        let answer = self.gateway.complete(&call, &self.request).await.map_err(|e| Failed {
            all: matches!(e.kind, ErrorKind::Budget | ErrorKind::Auth | ErrorKind::NotFound | ErrorKind::Quota | ErrorKind::Cancelled),
            why: self.time.told(&e),
        })?;
        // What answered once goes on, since the conversation is cached there.
        self.chain = &self.chain[answer.link..];
        self.answered += 1;
        self.usage.add(&answer.usage);
        self.model = Some(answer.model.clone());
        Ok(answer)
    }

    /// Goes on: what the model said, and what it is answered.
    pub(super) fn reply(&mut self, said: Answer, answered: Turn) {
        self.request.turns.extend([Turn::Assistant(said.turn), answered]);
    }
}

/// The answer to a turn that is not taken: as the result of each of its calls, or, where it has none, as our word.
pub(super) fn not_taken(calls: &[ToolCall], why: &str) -> Turn {
    if calls.is_empty() {
        return Turn::User(why.to_owned());
    }
    let refuse = |c: &ToolCall| ToolResult { call_id: c.id.clone(), name: c.name.clone(), content: why.to_owned(), is_error: true };
    Turn::ToolResults(calls.iter().map(refuse).collect())
}

/// What a model is told whose report could not be read.
pub(super) fn unreadable(tool: &str, why: &str) -> String {
    format!("Not taken: {why}. Call `{tool}` again, in the form of its schema.")
}
