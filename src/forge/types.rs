//! What forges are told and tell, in words that none of them owns. Texts are a stranger's: unsanitised, but bounded.

use super::Span;
use crate::diff::Side;
use crate::path::RepoPath;
use std::time::Duration;

/// A merge request's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The kind of forge: `gitlab`, `github`.
    pub forge: &'static str,
    /// Its host, with the port where it has one and the sub-path where it lives below one (`host/gitlab`).
    pub host: String,
    /// The project's path, `group/sub/project`.
    pub project: String,
    /// The number in the project.
    pub number: u64,
}

/// A person or a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The forge's id: the only thing that is compared.
    pub id: u64,
    /// The login, to be shown.
    pub name: String,
    /// Whether the forge calls it a bot.
    pub bot: bool,
}

/// What a user may do. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing, or only read.
    Reader,
    /// May push branches (Developer, `write`).
    Developer,
    /// May change settings and merge (Maintainer, Owner, `maintain`, `admin`).
    Maintainer,
}

/// Where the change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// A branch of the same project.
    Same,
    /// Another project.
    Fork,
}

/// A merge request as the forge tells it.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// Its title.
    pub title: String,
    /// Its description, whole (at most 1 MiB).
    pub description: String,
    /// Who opened it.
    pub author: User,
    /// Whether it is marked as not ready.
    pub draft: bool,
    /// Whether it can still be merged (not merged, not closed).
    pub open: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// Same project or fork.
    pub provenance: Provenance,
    /// The branch that it is to be merged into.
    pub target_branch: String,
    /// Whether policy may come from `target_branch`: only some may push to it, or it is the default branch.
    pub target_protected: bool,
    /// The project's default branch.
    pub default_branch: String,
    /// Where policy comes from (TRUST 3): the tip of the target branch if that is protected, else of the default branch.
    /// `None` where the forge does not tell.
    pub policy_sha: Option<String>,
    /// The branch that it comes from.
    pub source_branch: String,
    /// The merge base: what the diff starts from.
    pub base_sha: String,
    /// The tip of the target branch when the head was pushed; positions need it.
    pub start_sha: String,
    /// The commit under review.
    pub head_sha: String,
    /// The ref under which the forge serves the head, in the target project.
    pub head_ref: String,
    /// How many files the forge says have changed, where it tells exactly.
    pub changed_files: Option<u64>,
    /// Whether every thread has to be resolved before a merge.
    pub threads_must_resolve: bool,
    /// Where git reads the target project (https, no user in it).
    pub clone_url: String,
    /// The page for people.
    pub web_url: String,
}

/// The forge's own diff.
#[derive(Debug, Clone)]
pub struct ApiDiff {
    /// A patch as git writes it, for [`crate::change::Source::Patch`]'s parser.
    pub patch: Vec<u8>,
    /// Files that the forge names but whose diff it does not give, with the reason.
    pub missing: Vec<(RepoPath, String)>,
}

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The forge's id.
    pub id: String,
    /// Who wrote it.
    pub author: User,
    /// Markdown as it was written.
    pub body: String,
    /// Whether it was changed after it was written.
    pub edited: bool,
    /// When, RFC 3339.
    pub created: String,
    /// Written by the forge itself ("changed this line in version 3"): no word of a human.
    pub system: bool,
}

/// Where a thread hangs, as the forge says now; `None` fields where it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line it stands at now, and on which side; `None` for a note on the file or when the line is gone.
    pub line: Option<(u32, Side)>,
}

/// A discussion, oldest comment first. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The forge's id, as its own calls take it.
    pub id: String,
    /// The comments.
    pub comments: Vec<Comment>,
    /// Where it hangs; `None` for a general one.
    pub place: Option<Place>,
    /// Whether it can be resolved at all.
    pub resolvable: bool,
    /// Whether it is resolved.
    pub resolved: bool,
    /// Who resolved it, where the forge tells.
    pub resolved_by: Option<User>,
}

/// Everything that was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Plain comments, outside of threads.
    pub comments: Vec<Comment>,
    /// Threads.
    pub threads: Vec<Thread>,
}

/// A thread to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewThread {
    /// The file's old path (the same as `new_path` unless it was renamed).
    pub old_path: String,
    /// The file's new path (the old one of a deleted file).
    pub new_path: String,
    /// The lines; `None` for a note on the file.
    pub span: Option<Span>,
    /// The body, markers included.
    pub body: String,
    /// The body where the thread can only be opened on the file or another line (no suggestion block).
    pub plain_body: String,
}

/// What became of a new thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// It stands on its lines.
    OnLines,
    /// It stands on the file.
    OnFile,
    /// The forge took it nowhere, and why: it has to go to the summary.
    Refused(String),
}

/// The outcome at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The commit.
    pub head: String,
    /// How it ended.
    pub conclusion: Conclusion,
    /// One line.
    pub title: String,
    /// Markdown, sanitised.
    pub summary: String,
    /// Findings on their lines, where the forge shows them beside the code.
    pub annotations: Vec<Annotation>,
    /// It tells what nobody trusts, so it has a name of its own: it neither replaces what was told before nor stands for it.
    pub unverified: bool,
}

/// A finding beside the code; sanitised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// First and last line of the new side.
    pub lines: (u32, u32),
    /// Whether it fails the gate.
    pub fails: bool,
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
}

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing fails the gate.
    Success,
    /// Findings fail the gate.
    Failure,
    /// It cannot be said.
    Neutral,
}

/// Why a forge gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// The token is missing, expired or unknown.
    #[error("the forge does not know the token: {0}")]
    Unauthorised(String),
    /// The token or its role may not do this; says what is missing.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// There is no such thing, or the token may not see it.
    #[error("not found: {0}")]
    Missing(String),
    /// The state has changed under us (the head moved, it exists already).
    #[error("the merge request has changed meanwhile: {0}")]
    Conflict(String),
    /// The request was not taken; says why.
    #[error("refused: {0}")]
    Refused(String),
    /// Too many requests, and waiting for it would take too long.
    #[error("rate limited ({0:?} to wait)")]
    RateLimited(Duration),
    /// No answer, a broken one, or a server error after all attempts.
    #[error("no answer: {0}")]
    Unavailable(String),
    /// The answer is not what the API promises, or exceeds a bound.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}
