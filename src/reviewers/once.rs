//! One question to a model with one structured answer, by one tool, and no tools to look around. An answer in prose, or in
//! another shape, is asked for once more and never guessed at.

use super::conversation::{Conversation, Opening, TimeLimit, not_taken, unreadable};
use crate::gateway::{Gateway, Link, ToolSpec, Usage};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use super::conversation::Failed;

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
    /// The last block; begins with `# Reviewer: <id>` or `# Coordinator`.
    pub own: String,
    /// How long it may take.
    pub time: Duration,
    /// When the run that it belongs to ends, where that has an end.
    pub run_ends: Option<Instant>,
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

/// Asks, and reads the answer with `read`, whose error is told to the model once. Never fails: the failure is in the result.
pub async fn ask<T>(gateway: &Gateway, question: Question, cancel: &CancellationToken, read: impl Fn(&str) -> Result<T, String>) -> Told<T> {
    let tool = question.tool.name;
    let mut talk = Conversation::new(Opening {
        gateway,
        reviewer: &question.reviewer,
        part: question.part,
        chain: &question.chain,
        tools: Arc::new(vec![question.tool]),
        system: question.system,
        shared: question.shared,
        own: question.own,
        time: TimeLimit::from_now(question.time, question.run_ends),
        cancel: cancel.clone(),
        began: None,
    });
    let answer = hold(&mut talk, tool, read).await;
    Told { answer, model: talk.model, requests: talk.answered, usage: talk.usage }
}

async fn hold<T>(talk: &mut Conversation<'_>, tool: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Failed> {
    let mut reminded = false;
    loop {
        let answer = talk.ask().await?;
        let calls = &answer.turn.calls;
        let why = match calls.iter().find(|c| c.name == tool) {
            Some(call) => match read(&call.arguments) {
                Ok(value) => return Ok(value),
                Err(why) => unreadable(tool, &why),
            },
            None if calls.is_empty() => format!("Nobody reads prose here. Call `{tool}` now."),
            None => format!("There is no such tool. Call `{tool}` now."),
        };
        if reminded {
            return Err(Failed::alone(format!("it did not call {tool} with something readable, twice")));
        }
        reminded = true;
        let reply = not_taken(calls, &why);
        talk.reply(answer, reply);
    }
}
