//! One question to a model with one structured answer, by one tool, and no tools to look around. An answer in prose, or in
//! another shape, is asked for once more and never guessed at.

use crate::gateway::{CallContext, ErrorKind, Gateway, Link, ModelRequest, Stop, ToolResult, ToolSpec, Turn, Usage};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Output tokens asked for at first, and once more after an answer that was cut.
const OUTPUT_TOKENS: [u32; 2] = [8_000, 24_000];

/// What is asked, of whom.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who asks, for events and counts.
    pub reviewer: String,
    /// About which part, from 1: for events.
    pub part: usize,
    /// Whom, one after the other.
    pub chain: Arc<[Link]>,
    /// The tool whose call is the answer.
    pub tool: ToolSpec,
    /// The system message: instructions only.
    pub system: Arc<str>,
    /// The material, fenced. May be empty.
    pub shared: Arc<str>,
    /// The last block; begins with `# Reviewer: <id>`.
    pub own: String,
    /// How long it may take.
    pub time: Duration,
}

/// What came of a question.
#[derive(Debug)]
pub struct Told<T> {
    /// The answer; or why there is none, and whether that ends all further asking (budget, key, cancellation).
    pub answer: Result<T, Failed>,
    /// The model as it named itself.
    pub model: Option<String>,
    /// Requests that were answered.
    pub requests: u64,
    /// What they cost.
    pub usage: Usage,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// In one line.
    pub why: String,
    /// Whether every other question would fail the same way.
    pub all: bool,
}

/// Asks, and reads the answer with `read`, whose error is told to the model once. Never fails: the failure is in the result.
pub async fn ask<T>(gateway: &Gateway, question: Question, cancel: &CancellationToken, read: impl Fn(&str) -> Result<T, String>) -> Told<T> {
    let mut told = Told { answer: Err(failed("it was not asked")), model: None, requests: 0, usage: Usage::default() };
    told.answer = talk(gateway, question, cancel, read, &mut told).await;
    told
}

async fn talk<T>(
    gateway: &Gateway,
    question: Question,
    cancel: &CancellationToken,
    read: impl Fn(&str) -> Result<T, String>,
    told: &mut Told<T>,
) -> Result<T, Failed> {
    let tool = question.tool.name;
    let deadline = Instant::now() + question.time;
    let mut request = ModelRequest {
        model: String::new(),
        tools: Arc::new(vec![question.tool.clone()]),
        system: question.system,
        shared: question.shared,
        own: question.own,
        turns: Vec::new(),
        max_output_tokens: OUTPUT_TOKENS[0],
    };
    // What answered once goes on.
    let mut link = 0;
    let mut reminded = false;
    for request_no in 1.. {
        let call = CallContext {
            reviewer: &question.reviewer,
            bundle: question.part,
            chain: &question.chain[link..],
            request_no,
            deadline,
            cancel: cancel.clone(),
            began: None,
        };
        let answer = gateway.complete(&call, &request).await.map_err(|e| Failed {
            all: matches!(e.kind, ErrorKind::Budget | ErrorKind::Auth | ErrorKind::NotFound | ErrorKind::Quota | ErrorKind::Cancelled),
            why: e.to_string(),
        })?;
        link += answer.link;
        told.requests += 1;
        told.usage.add(&answer.usage);
        told.model = Some(answer.model);
        match answer.stop {
            Stop::Refused => return Err(failed("the model refused to answer")),
            Stop::Length if request.max_output_tokens == OUTPUT_TOKENS[0] => {
                request.max_output_tokens = OUTPUT_TOKENS[1];
                continue;
            }
            Stop::Length => return Err(failed("its answer was cut off, twice")),
            Stop::End | Stop::Tools | Stop::Other(_) => {}
        }
        let why = match answer.turn.calls.iter().find(|c| c.name == tool) {
            Some(call) => match read(&call.arguments) {
                Ok(value) => return Ok(value),
                Err(why) => format!("Not taken: {why}. Call `{tool}` again, in the form of its schema."),
            },
            None => format!("Nobody reads prose here. Call `{tool}` now."),
        };
        if reminded {
            return Err(failed(&format!("it did not call {tool} with something readable, twice")));
        }
        reminded = true;
        let next = if answer.turn.calls.is_empty() {
            Turn::User(why)
        } else {
            let refuse =
                |c: &crate::gateway::ToolCall| ToolResult { call_id: c.id.clone(), name: c.name.clone(), content: why.clone(), is_error: true };
            Turn::ToolResults(answer.turn.calls.iter().map(refuse).collect())
        };
        request.turns.extend([Turn::Assistant(answer.turn), next]);
    }
    Err(failed("it did not answer"))
}

fn failed(why: &str) -> Failed {
    Failed { why: why.to_owned(), all: false }
}
