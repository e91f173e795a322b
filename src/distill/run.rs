//! The stages in their order.

use super::contradict::contradict;
use super::detect::detect;
use super::document::Document;
use super::extract::extract;
use super::group::group;
use super::page::page;
use super::talk::{Sum, Talk};
use super::write::write;
use crate::config::Config;
use crate::gateway::Usage;
use crate::reviewers::definition::PromptFiles;
use crate::rules::RuleSet;
use crate::run::Client;
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// What came of the documents.
#[derive(Debug)]
pub struct Distilled {
    /// Rule files by name, and README.md.
    pub files: Vec<(String, String)>,
    /// How many drafts there are.
    pub drafts: usize,
    /// How many of them have a detector that passes all its examples, and how many one that does not.
    pub detectors: (usize, usize),
    /// Contradictions and repetitions to settle.
    pub contradictions: usize,
    /// Requirements whose passage does not stand in the document.
    pub made_up: usize,
    /// What failed, one line each: the result is not whole.
    pub failures: Vec<String>,
    /// Requests that were answered.
    pub requests: u64,
    /// What they cost.
    pub usage: Usage,
}

/// Distils documents to drafts; `rules` are those in force, to compare with. Never fails: what was not done is in the result.
pub async fn run(
    client: &Client,
    config: &Config,
    prompts: &PromptFiles,
    rules: &RuleSet,
    documents: &[Document],
    cancel: CancellationToken,
) -> Distilled {
    let language = config.language.as_str();
    let talk = Talk {
        client,
        prompts,
        language: (!language.is_empty() && language != "English").then_some(language),
        time: config.limits.reviewer,
        parallel: config.limits.parallel.max(1),
        cancel,
        sum: Mutex::new(Sum::default()),
    };
    let extracted = extract(&talk, documents).await;
    let groups = group(&talk, &extracted.requirements).await;
    let (mut drafts, past) = write(&talk, documents, &extracted.requirements, &groups).await;
    let contradictions = contradict(&talk, &mut drafts, rules).await;
    let drafts = detect(&talk, documents, drafts).await;
    let sum = talk.sum().clone();
    let mut files: Vec<(String, String)> = drafts.iter().map(|d| (format!("{}.md", d.id), d.file(documents))).collect();
    files.push(("README.md".to_owned(), page(documents, &drafts, &extracted, &contradictions, &sum, &past)));
    let with = |proven: bool| drafts.iter().filter(|d| d.detector.is_some() && d.proven == proven).count();
    Distilled {
        files,
        drafts: drafts.len(),
        detectors: (with(true), with(false)),
        contradictions: contradictions.len(),
        made_up: extracted.made_up,
        failures: sum.failures,
        requests: sum.requests,
        usage: sum.usage,
    }
}
