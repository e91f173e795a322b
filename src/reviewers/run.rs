//! One reviewer on one bundle: asks, answers its tool calls, and ends with its report or with the
//! reason why there is none. An answer in prose is asked for once more and never guessed at.

use super::conversation::{Conversation, MAX_REQUESTS, Opening, TimeLimit, not_taken, unreadable};
use super::tools::{REPORT_TOOL, Toolbox};
use crate::findings::parse::{self, Report};
use crate::gateway::{Gateway, Link, ToolCall, ToolResult, ToolSpec, Turn, Usage, estimate_tokens};
use crate::telemetry::{Event, Events};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Tool calls answered in one step; the rest is refused.
const MAX_CALLS: usize = 16;
/// Bytes of all tool results together.
const MAX_TOOL_BYTES: usize = 160 * 1024;
/// Findings of one reviewer on one bundle; the rest is counted.
const MAX_FINDINGS: usize = 100;
/// A tool that takes longer is given up.
const TOOL_TIME: Duration = Duration::from_secs(10);

/// What one reviewer is asked to do with one bundle. What reviewers of one model share is shared memory.
#[derive(Debug, Clone)]
pub struct Task {
    /// The reviewer's id.
    pub reviewer: String,
    /// The models to ask, in this order.
    pub chain: Arc<[Link]>,
    /// Which bundle, from 1, and of how many.
    pub bundle: (usize, usize),
    /// Tools offered.
    pub tools: Arc<Vec<ToolSpec>>,
    /// The system message.
    pub system: Arc<str>,
    /// The shared context.
    pub shared: Arc<str>,
    /// The reviewer's own part.
    pub own: String,
    /// Its time limit.
    pub time: Duration,
}

impl Task {
    /// Tokens of what all reviewers of its model share, estimated.
    pub(super) fn shared_tokens(&self) -> u64 {
        let tools = self.tools.iter().map(ToolSpec::tokens).sum::<u64>();
        tools + estimate_tokens(&self.system) + estimate_tokens(&self.shared)
    }
}

/// How it ended.
#[derive(Debug)]
pub struct TaskResult {
    /// The reviewer's id.
    pub reviewer: String,
    /// Which bundle, from 1.
    pub bundle: usize,
    /// What it reported; the reason where it did not.
    pub report: Result<Report, String>,
    /// The model as it named itself.
    pub model: Option<String>,
    /// Requests sent.
    pub requests: u32,
    /// What they cost.
    pub usage: Usage,
    /// How long it took.
    pub time: Duration,
}

/// What all tasks of a run share.
#[derive(Clone)]
pub struct Desk {
    /// Where models answer.
    pub gateway: Arc<Gateway>,
    /// What reviewers may look at.
    pub toolbox: Arc<Toolbox>,
    /// When the whole run ends.
    pub deadline: Instant,
    /// Ends everything at once.
    pub cancel: CancellationToken,
    /// Where events go.
    pub events: Events,
}

impl Desk {
    /// Runs one reviewer on one bundle to its end. Never fails: the failure is in the result. `began` is cancelled, as a
    /// signal, once its first request has begun to be answered, or will not be.
    pub async fn run(&self, task: Task, began: Option<CancellationToken>) -> TaskResult {
        let started = Instant::now();
        self.events.emit(Event::ReviewerStarted {
            reviewer: task.reviewer.clone(),
            model: task.chain.first().map_or(String::new(), |link| link.model.clone()),
            bundle: task.bundle.0,
            bundles: task.bundle.1,
        });
        let time = TimeLimit::from_now(task.time, Some(self.deadline));
        let talk = Conversation::new(Opening {
            gateway: &self.gateway,
            reviewer: &task.reviewer,
            part: task.bundle.0,
            chain: &task.chain,
            tools: task.tools.clone(),
            system: task.system.clone(),
            shared: task.shared.clone(),
            own: task.own.clone(),
            time,
            cancel: self.cancel.clone(),
            began,
        });
        let mut work = Work { desk: self, task: &task, deadline: time.deadline(), talk, tool_bytes: 0 };
        let report = work.review().await;
        self.events.emit(Event::ReviewerFinished {
            reviewer: task.reviewer.clone(),
            bundle: task.bundle.0,
            findings: report.as_ref().map_or(0, |r| r.proposals.len()),
            failed: report.as_ref().err().cloned(),
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        let Conversation { model, requests, usage, .. } = work.talk;
        TaskResult { reviewer: task.reviewer, bundle: task.bundle.0, report, model, requests, usage, time: started.elapsed() }
    }
}

/// One reviewer at work.
struct Work<'a> {
    desk: &'a Desk,
    task: &'a Task,
    deadline: Instant,
    talk: Conversation<'a>,
    tool_bytes: usize,
}

impl Work<'_> {
    async fn review(&mut self) -> Result<Report, String> {
        let mut reminded = false;
        loop {
            let answer = self.talk.ask().await.map_err(|failed| failed.why)?;
            let calls = &answer.turn.calls;
            let reply = match calls.iter().find(|c| c.name == REPORT_TOOL) {
                Some(call) => match parse::report(&call.arguments, MAX_FINDINGS) {
                    Ok(report) => return Ok(report),
                    Err(_) if reminded => return Err(format!("it called {REPORT_TOOL} with something unreadable, twice")),
                    Err(why) => {
                        reminded = true;
                        not_taken(calls, &unreadable(REPORT_TOOL, &why.to_string()))
                    }
                },
                None if calls.is_empty() && reminded => return Err(format!("it answered in prose instead of calling {REPORT_TOOL}, twice")),
                None if calls.is_empty() => {
                    reminded = true;
                    Turn::User(format!("Nobody reads prose here. Call `{REPORT_TOOL}` now, with an empty list if there is nothing to report."))
                }
                None => Turn::ToolResults(self.use_tools(calls).await?),
            };
            self.talk.reply(answer, reply);
        }
    }

    async fn use_tools(&mut self, calls: &[ToolCall]) -> Result<Vec<ToolResult>, String> {
        let mut results = Vec::with_capacity(calls.len());
        for (i, call) in calls.iter().enumerate() {
            let (content, is_error) = if i >= MAX_CALLS {
                (format!("Not looked up: at most {MAX_CALLS} calls in one step."), true)
            } else if self.tool_bytes >= MAX_TOOL_BYTES {
                (format!("Not looked up: you have been shown {MAX_TOOL_BYTES} bytes. Call `{REPORT_TOOL}` now."), true)
            } else {
                self.use_tool(call).await?
            };
            self.tool_bytes += content.len();
            results.push(ToolResult { call_id: call.id.clone(), name: call.name.clone(), content, is_error });
        }
        if self.talk.requests + 1 == MAX_REQUESTS
            && let Some(last) = results.last_mut()
        {
            last.content.push_str(&format!("\n\nThis was your last look. Call `{REPORT_TOOL}` now."));
        }
        Ok(results)
    }

    async fn use_tool(&self, call: &ToolCall) -> Result<(String, bool), String> {
        let (toolbox, name, arguments) = (self.desk.toolbox.clone(), call.name.clone(), call.arguments.clone());
        let began = Instant::now();
        let work = tokio::task::spawn_blocking(move || toolbox.call(&name, &arguments));
        let left = TOOL_TIME.min(self.deadline.saturating_duration_since(Instant::now()));
        let output = tokio::select! {
            () = self.desk.cancel.cancelled() => return Err("the run was interrupted".into()),
            done = tokio::time::timeout(left, work) => done,
        };
        Ok(match output {
            Ok(Ok(output)) => {
                self.desk.events.emit(Event::ToolCalled {
                    reviewer: self.task.reviewer.clone(),
                    bundle: self.task.bundle.0,
                    tool: output.tool.to_owned(),
                    about: output.about,
                    failed: output.is_error,
                    ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                });
                (output.content, output.is_error)
            }
            Ok(Err(_)) => ("This look-up failed inside the program.".into(), true),
            Err(_) => (format!("Given up after {} s.", TOOL_TIME.as_secs()), true),
        })
    }
}
