//! Which merge request a run is about, on which forge, and with which token: from `--url`, or from what the CI system says.
//! The CI system's variables only find the merge request; what is known of it comes from the forge's API.
//!
//! A token belongs to one origin: in CI to the server that runs the job, else to the one that the operator's environment
//! names, else to the URL that a person gave by hand. Another origin is refused, and no text of a stranger can change it.

use super::{Forge, ForgeError, github, gitlab};
use crate::config::Env;
use crate::error::UserError;
use crate::http::{self, Origin, Secret};
use reqwest::Url;
use std::time::Duration;

/// A minute, of forges that limit writes by it.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// The forges that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GitLab.
    GitLab,
    /// GitHub.
    GitHub,
}

/// What was found.
#[derive(Debug)]
pub enum Located {
    /// A merge request.
    Here(Box<Found>),
    /// A merge request's pipeline in which there is nothing to do; one line why.
    Skip(String),
    /// No merge request: a local change is meant.
    Nowhere,
}

/// A merge request's address and the token for it.
#[derive(Debug, Clone)]
pub struct Found {
    /// On which forge.
    pub kind: Kind,
    /// The forge's page, below which projects lie.
    pub web: Url,
    /// The API's root, where it is told; else derived from `web`.
    pub api: Option<Url>,
    /// Whether `web` is only the origin of a URL given by hand: the first parts of `project` may be the path under which
    /// the forge lives.
    pub guessed_root: bool,
    /// The project's path.
    pub project: String,
    /// The merge request's number; 0 where only `of_head` is known.
    pub number: u64,
    /// The head by which the merge request is found, where the run knows no number that can be believed.
    pub of_head: Option<HeadOf>,
    /// Whether a report that this run publishes comes from a job that a stranger's branch defines (a fork's): it is shown
    /// as unverified, and nothing follows from it.
    pub unverified: bool,
    /// The token.
    pub token: Token,
    /// Whether this is that merge request's own pipeline, where posting is the default.
    pub own_pipeline: bool,
    /// Whether the forge shows all of the outcome by this run's own job at the merge request's head, so that it needs no other place
    /// there.
    pub shown_by_job: bool,
    /// Whether this run is one of those that a push starts and marking as ready starts again: a draft can wait for that.
    pub draft_waits: bool,
    /// The commit that this pipeline runs for, where it is one of the merge request: a newer head has its own run.
    pub head: Option<String>,
    /// What the report should say: one line each.
    pub notes: Vec<String>,
    /// How long the minute of a forge's limit on writes is: a minute. Tests take less.
    pub minute: Duration,
}

impl Found {
    /// One that is only named, by its project below `web` and its number: no token, none of its own pipelines.
    pub(super) fn named(kind: Kind, web: Url, project: String, number: u64) -> Self {
        Self {
            kind,
            web,
            api: None,
            guessed_root: false,
            project,
            number,
            of_head: None,
            unverified: false,
            token: Token::None,
            own_pipeline: false,
            shown_by_job: false,
            draft_waits: false,
            head: None,
            notes: Vec::new(),
            minute: MINUTE,
        }
    }

    /// One that the page at `url` names: what the environment says of its server, and the token for it, are added. Fails where the
    /// page lies on another server than the token's.
    pub(super) fn by_page(env: Env<'_>, kind: Kind, url: &Url, project: String, number: u64) -> Result<Self, UserError> {
        let mut web = url.clone();
        web.set_path("/");
        let mut found = Self { guessed_root: true, ..Self::named(kind, web, project, number) };
        match kind {
            Kind::GitLab => gitlab::env::complete(env, &mut found)?,
            Kind::GitHub => github::env::complete(env, &mut found)?,
        }
        Ok(found)
    }
}

/// A head whose one open merge request is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadOf {
    /// The project that its branch lies in.
    pub project: String,
    /// The branch.
    pub branch: String,
    /// The commit.
    pub sha: String,
}

/// With what the forge is asked.
#[derive(Debug, Clone)]
pub enum Token {
    /// A token of a user, a bot or an app.
    Access(Secret),
    /// The CI job's own token, which reads (some) and fetches, but writes no comment.
    Job(Secret),
    /// None: only what is public can be read.
    None,
}

impl Token {
    /// Whether comments can be written with it at all.
    pub fn may_write(&self) -> bool {
        matches!(self, Self::Access(_))
    }
}

/// Finds the merge request: `url` as given by hand, else what the environment says. Fails with a usage error where the
/// URL is none of a merge request, or lies on another server than the token's.
pub fn locate(env: Env<'_>, url: Option<&str>) -> Result<Located, UserError> {
    match url {
        Some(url) => by_url(env, url),
        None if variable(env, "GITLAB_CI").is_some() => gitlab::env::locate(env),
        None if variable(env, "GITHUB_ACTIONS").is_some() => github::env::locate(env),
        None => Ok(Located::Nowhere),
    }
}

/// Opens what was found. Asks the forge only where the URL leaves open how much of it is the forge's own path.
pub async fn connect(found: &Found) -> Result<Box<dyn Forge>, ForgeError> {
    match found.kind {
        Kind::GitLab => Ok(Box::new(gitlab::connect(found).await?)),
        Kind::GitHub => Ok(Box::new(github::connect(found).await?)),
    }
}

fn by_url(env: Env<'_>, text: &str) -> Result<Located, UserError> {
    // What is copied from a browser may lead to a comment.
    let bare = text.split(['#', '?']).next().unwrap_or_default();
    let url = http::parse(bare).map_err(|e| refused(&format!("the URL {e}")))?;
    let path = decoded(url.path());
    let (kind, project, rest) = split(&path).ok_or_else(|| refused("it is not the page of a merge request"))?;
    let number =
        rest.split('/').next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).ok_or_else(|| refused("it names no merge request's number"))?;
    Ok(Located::Here(Box::new(Found::by_page(env, kind, &url, project.to_owned(), number)?)))
}

/// The kind of forge, the project's path and what follows the word for merge requests.
fn split(path: &str) -> Option<(Kind, &str, &str)> {
    [(Kind::GitLab, "/-/merge_requests/"), (Kind::GitLab, "/merge_requests/"), (Kind::GitHub, "/pull/")].into_iter().find_map(|(kind, word)| {
        let (project, rest) = path.split_once(word)?;
        let project = project.trim_matches('/');
        let plain = project.split('/').all(|p| !matches!(p, "" | "-" | "." | "..")) && !project.chars().any(char::is_control);
        (project.contains('/') && plain).then_some((kind, project, rest))
    })
}

/// Takes the configured root off a URL given by hand: the project then begins after the root's own path. Fails where the
/// URL lies elsewhere, since the token would.
pub(super) fn below(found: &mut Found, root: &Url, names: &str) -> Result<(), UserError> {
    let same = Origin::of(root).is_ok_and(|origin| origin.covers(&found.web));
    let base = root.path().trim_matches('/');
    let inside = if base.is_empty() { Some(found.project.as_str()) } else { found.project.strip_prefix(base).and_then(|p| p.strip_prefix('/')) };
    let (true, Some(project)) = (same, inside.filter(|p| p.contains('/'))) else {
        let here = Origin::of(root).map(|o| o.to_string()).unwrap_or_default();
        return Err(UserError::usage(
            "--url leads to another server than the token's",
            format!("{names} names {here}{}", root.path().trim_end_matches('/')),
            format!("Give a merge request of that server, or run where {names} names the right one: a token is sent to its own server only."),
        ));
    };
    found.project = project.to_owned();
    (found.web, found.guessed_root) = (root.clone(), false);
    Ok(())
}

/// A root named by the environment. Fails with a usage error that does not repeat it.
pub(super) fn root(name: &str, text: &str) -> Result<Url, UserError> {
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    http::parse(&text).map_err(|e| UserError::usage(format!("{name} cannot be used"), format!("the URL {e}"), "Write it like https://git.example."))
}

/// A variable's value; an empty one counts as unset.
pub(super) fn variable(env: Env<'_>, name: &str) -> Option<String> {
    env(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// A token variable: its value, or why there is none although somebody meant it to be there.
pub(super) fn token(env: Env<'_>, name: &str) -> Result<Option<Secret>, String> {
    match env(name).as_deref().map(str::trim) {
        None => Ok(None),
        Some("") => Err(format!(
            "{name} is empty: a protected variable is not given to jobs of unprotected branches, nor any to a fork's. Unprotect the variable (masked), or protect the branch."
        )),
        Some(text) if text.starts_with('$') => Err(format!(
            "{name} holds the name of another variable that is not set here (protected variables are not given to jobs of unprotected branches, nor any to a fork's)."
        )),
        Some(text) => Ok(Some(Secret::new(text))),
    }
}

fn refused(cause: &str) -> UserError {
    UserError::usage(
        "--url is refused",
        cause,
        "Give a merge request's page: https://git.example/group/project/-/merge_requests/7 or https://git.example/owner/repository/pull/7.",
    )
}

/// A URL's path with its `%XX` as what they stand for.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
