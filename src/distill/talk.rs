//! How all stages ask models: one structured answer to one question, what it cost summed up, what failed remembered.

use crate::config::ModelTier;
use crate::context::fence;
use crate::findings::words::{cut, one_line, visible};
use crate::gateway::{ToolSpec, Usage};
use crate::reviewers::definition::PromptFiles;
use crate::reviewers::once::{self, Question};
use crate::reviewers::prompt::Variables;
use crate::run::Client;
use crate::secrets;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longer input of a tool is refused, in bytes.
const MAX_INPUT: usize = 2 << 20;
/// Failures that are told one by one.
const MAX_TOLD: usize = 20;

/// What the stages share.
pub(super) struct Talk<'a> {
    pub(super) client: &'a Client,
    pub(super) prompts: &'a PromptFiles,
    /// The language of prose, where one is configured.
    pub(super) language: Option<&'a str>,
    pub(super) time: Duration,
    /// Requests side by side.
    pub(super) parallel: usize,
    pub(super) cancel: CancellationToken,
    pub(super) sum: Mutex<Sum>,
}

/// What was asked so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Sum {
    pub(super) requests: u64,
    pub(super) usage: Usage,
    pub(super) failures: Vec<String>,
    failed: usize,
    over: bool,
}

/// One question of a stage.
pub(super) struct Ask<'a> {
    /// The stage's name: `extract`.
    pub(super) stage: &'static str,
    /// From 1 within the stage, and what it is about in a few words.
    pub(super) part: usize,
    pub(super) about: String,
    pub(super) tier: ModelTier,
    pub(super) tool: ToolSpec,
    /// The fence's label and what stands inside.
    pub(super) material: (&'static str, &'a str),
    /// What the own part says beside its first line.
    pub(super) own: String,
}

impl Talk<'_> {
    /// Asks; `None` where there is no answer, which is remembered.
    pub(super) async fn ask<T>(&self, ask: Ask<'_>, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if self.sum().over {
            self.fail(&ask, "not asked any more");
            return None;
        }
        let prompt = format!("_distill-{}", ask.stage);
        let question = Question {
            reviewer: format!("distill-{}", ask.stage),
            part: ask.part,
            chain: self.client.chain("distill", ask.tier),
            tool: ask.tool.clone(),
            system: self.prompts.other(&prompt, &Variables { language: self.language, marks: "" }).into(),
            shared: fence(ask.material.0, ask.material.1, None).text.into(),
            own: format!("# Reviewer: distill-{}\n{}", ask.stage, ask.own),
            time: self.time,
            run_ends: None,
        };
        let bounded = |input: &str| if input.len() > MAX_INPUT { Err(format!("the input has {} bytes", input.len())) } else { read(input) };
        let told = once::ask(&self.client.gateway, question, &self.cancel, bounded).await;
        {
            let mut sum = self.sum();
            sum.requests += told.requests;
            sum.usage.add(&told.usage);
        }
        match told.answer {
            Ok(value) => Some(value),
            Err(failed) => {
                self.sum().over |= failed.all;
                self.fail(&ask, &failed.why);
                None
            }
        }
    }

    fn fail(&self, ask: &Ask<'_>, why: &str) {
        let mut sum = self.sum();
        sum.failed += 1;
        if sum.failures.len() < MAX_TOLD {
            let line = format!("{} ({}): {why}", ask.stage, ask.about);
            sum.failures.push(line);
        } else {
            sum.failures[MAX_TOLD - 1] = format!("and {} more", sum.failed - MAX_TOLD + 1);
        }
    }

    pub(super) fn sum(&self) -> MutexGuard<'_, Sum> {
        // Sums are whole at every step, so a panic elsewhere leaves them usable.
        self.sum.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tool with one list or object as input.
pub(super) fn tool(name: &'static str, description: &str, schema: serde_json::Value) -> ToolSpec {
    ToolSpec { name, description: description.to_owned(), schema }
}

/// A model's words on one line, short, secrets masked.
pub(super) fn line(text: &str, max: usize) -> String {
    cut(&one_line(&visible(&secrets::mask(text))), max)
}

/// JSON of a tool's input as `T`; the error is worded for the model.
pub(super) fn json<T: serde::de::DeserializeOwned>(input: &str) -> Result<T, String> {
    serde_json::from_str(input).map_err(|e| format!("the input has not the form of the schema ({e})"))
}
