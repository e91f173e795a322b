//! The event that started a workflow, as far as it is believed: it finds the pull request, nothing more. Its texts are a
//! stranger's, so only numbers, ids of commits and names of repositories and branches are read.

use crate::error::UserError;
use serde::Deserialize;
use std::fs::File;
use std::io::Read as _;

/// The most bytes of an event; GitHub sends at most 25 MB.
const MAX_EVENT: u64 = 32 << 20;

/// What an event says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event {
    pub(super) pull_request: Option<Pull>,
    pub(super) workflow_run: Option<Run>,
    pub(super) repository: Option<Repository>,
    /// Of a run by hand.
    pub(super) inputs: Option<Inputs>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) head: End,
}

#[derive(Debug, Deserialize)]
pub(super) struct End {
    pub(super) sha: String,
    /// Null where the fork was deleted.
    pub(super) repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) event: String,
    pub(super) head_branch: Option<String>,
    pub(super) head_sha: String,
    pub(super) head_repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Inputs {
    /// Inputs are texts, whatever their type in the workflow.
    pub(super) number: Option<String>,
    pub(super) sha: Option<String>,
}

/// Reads the file that `GITHUB_EVENT_PATH` names.
pub(super) fn read(path: &str) -> Result<Event, UserError> {
    let refused = |cause: String| {
        UserError::unreadable("the event of this workflow cannot be read", format!("GITHUB_EVENT_PATH: {cause}"), "Name the pull request with --url.")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| refused(e.to_string()))?;
    file.take(MAX_EVENT + 1).read_to_end(&mut bytes).map_err(|e| refused(e.to_string()))?;
    if bytes.len() as u64 > MAX_EVENT {
        return Err(refused(format!("more than the {MAX_EVENT} bytes that an event can have")));
    }
    serde_json::from_slice(&bytes).map_err(|e| refused(format!("not an event of GitHub (line {}, column {})", e.line(), e.column())))
}

/// Whether a text is the whole id of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
