//! GitHub, github.com and Enterprise Server, by REST where that can and by GraphQL where only that can.
//!
//! It reads, and writes what it is told to. It never decides what is posted, and never claims what a token was refused.

mod answers;
mod check;
mod conversation;
pub(super) mod doctor;
pub(super) mod env;
mod event;
mod explain;
mod graphql;
mod pace;
mod read;
mod reviews;
mod search;
mod threads;
mod write;

use super::call::part;
use super::http::Api;
use super::locate::{Found, Token};
use super::{
    ApiDiff, Check, Conclusion, Conversation, Forge, ForgeError, MergeRequest, NewThread, Posted, Reply, Role, Target, Thread, User, Wishes,
};
use crate::doctor::Line;
use crate::git::GitAccess;
use crate::http::Origin;
use futures::future::BoxFuture;
use graphql::Ground;
use pace::Pacer;
use reqwest::Url;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Characters of a comment, which GitHub bounds; bytes are never fewer.
const MAX_COMMENT: usize = 65_536;

/// One pull request of a GitHub.
#[derive(Debug)]
pub(super) struct GitHub {
    api: Api,
    web: Url,
    target: Target,
    /// `repos/owner/name`, and with the pull request or its issue behind it.
    project: String,
    pull: String,
    issue: String,
    graphql_path: String,
    token: Token,
    pacer: Pacer,
    known: Mutex<Known>,
}

/// What was read once and holds for the run.
#[derive(Debug, Default)]
struct Known {
    ground: Option<Ground>,
    /// The first page of threads, as it came with the ground; for the next reading only.
    threads: Option<graphql::Page>,
}

/// Connects. Asks GitHub only where the run knows a head and no number.
pub(super) async fn connect(found: &Found) -> Result<GitHub, ForgeError> {
    let github = GitHub::at(found, found.number)?;
    match &found.of_head {
        None => Ok(github),
        Some(head) => GitHub::at(found, github.number_of(head).await?),
    }
}

impl GitHub {
    fn at(found: &Found, number: u64) -> Result<Self, ForgeError> {
        let base = found.api.clone().unwrap_or_else(|| env::api(&found.web));
        let token = match &found.token {
            Token::Access(secret) | Token::Job(secret) => Some(("authorization", "Bearer ", secret.clone())),
            Token::None => None,
        };
        // Enterprise Server has GraphQL beside REST's version, github.com below the same root.
        let root = base.path().trim_end_matches('/');
        let graphql_path = root.strip_suffix("/v3").map_or("graphql".to_owned(), |above| format!("{above}/graphql"));
        let api = Api::new(&base, token, "application/vnd.github+json", explain::explain)?.with_minute(found.minute);
        let origin = Origin::of(&found.web).map_err(|e| ForgeError::Refused(format!("the forge's URL {e}")))?;
        let host = format!("{}{}", origin.host(), found.web.path().trim_end_matches('/'));
        let path: Vec<String> = found.project.split('/').map(part).collect();
        let project = format!("repos/{}", path.join("/"));
        Ok(Self {
            pull: format!("{project}/pulls/{number}"),
            issue: format!("{project}/issues/{number}"),
            project,
            target: Target { forge: "github", host, project: found.project.clone(), number },
            web: found.web.clone(),
            token: found.token.clone(),
            pacer: Pacer::new(found.minute),
            graphql_path,
            api,
            known: Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path below the pull request.
    fn of_pull(&self, rest: &str) -> String {
        format!("{}/{rest}", self.pull)
    }

    /// A path below its issue, which has what is not about code.
    fn of_issue(&self, rest: &str) -> String {
        format!("{}/{rest}", self.issue)
    }

    /// The page of something, below the forge's root.
    fn page(&self, rest: &str) -> String {
        format!("{}/{}", self.web.as_str().trim_end_matches('/'), rest)
    }

    /// Fails at once where there is no token, instead of by a refusal later.
    fn may_write(&self) -> Result<(), ForgeError> {
        match self.token.may_write() {
            true => Ok(()),
            false => Err(ForgeError::Unauthorised(
                "there is no token: set GITHUB_TOKEN (in Actions: `${{ github.token }}` with `pull-requests: write` and `checks: write`)".to_owned(),
            )),
        }
    }
}

impl Forge for GitHub {
    fn target(&self) -> &Target {
        &self.target
    }

    fn comment_bytes(&self) -> usize {
        MAX_COMMENT
    }

    fn suggestion(&self, _start: u32, _end: u32) -> String {
        // It replaces the lines on which the comment stands.
        "suggestion".to_owned()
    }

    fn link(&self, sha: &str, path: &str, lines: Option<(u32, u32)>) -> String {
        let path: Vec<String> = path.split('/').map(part).collect();
        let lines = lines.map(|(a, b)| if a == b { format!("#L{a}") } else { format!("#L{a}-L{b}") }).unwrap_or_default();
        self.page(&format!("{}/blob/{}/{}{lines}", self.target.project, part(sha), path.join("/")))
    }

    fn git_access(&self) -> GitAccess {
        let url = self.page(&format!("{}.git", self.target.project));
        match &self.token {
            Token::Access(secret) | Token::Job(secret) => GitAccess::with_token(url, "x-access-token", secret),
            Token::None => GitAccess::open(url),
        }
    }

    fn examine<'a>(&'a self, wishes: &'a Wishes) -> BoxFuture<'a, Vec<Line>> {
        Box::pin(self.examination(wishes))
    }

    fn merge_request(&self) -> Reply<'_, MergeRequest> {
        Box::pin(self.read_request())
    }

    fn still<'a>(&'a self, at: &'a MergeRequest) -> Reply<'a, ()> {
        Box::pin(self.stands_still(at))
    }

    fn by_hand(&self, head: &str) -> Option<String> {
        // The workflow of our template; the run is the maintainer's own.
        let Target { project, number, .. } = &self.target;
        Some(format!("gh workflow run fork-model-review.yml --repo {project} -f number={number} -f sha={head}"))
    }

    fn diff(&self) -> Reply<'_, ApiDiff> {
        Box::pin(self.read_diff())
    }

    fn conversation(&self) -> Reply<'_, Conversation> {
        Box::pin(self.read_conversation())
    }

    fn me(&self) -> Reply<'_, Option<User>> {
        Box::pin(async { Ok(self.ground().await?.me) })
    }

    fn role<'a>(&'a self, user: &User) -> Reply<'a, Role> {
        let user = user.clone();
        Box::pin(async move { self.read_role(&user).await })
    }

    fn label_setter<'a>(&'a self, label: &'a str) -> Reply<'a, Option<User>> {
        Box::pin(self.read_label_setter(label))
    }

    fn comment<'a>(&'a self, body: &'a str) -> Reply<'a, String> {
        Box::pin(self.write_comment(body))
    }

    fn edit_comment<'a>(&'a self, id: &'a str, body: &'a str) -> Reply<'a, ()> {
        Box::pin(self.edit_plain(id, body))
    }

    fn delete_comment<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        Box::pin(self.delete_plain(id))
    }

    fn open_threads<'a>(&'a self, at: &'a MergeRequest, threads: &'a [NewThread]) -> Reply<'a, Vec<Posted>> {
        Box::pin(self.write_threads(at, threads))
    }

    fn edit_thread<'a>(&'a self, thread: &'a Thread, body: &'a str) -> Reply<'a, ()> {
        Box::pin(self.edit_first(thread, body))
    }

    fn reply<'a>(&'a self, thread: &'a Thread, body: &'a str) -> Reply<'a, ()> {
        Box::pin(self.write_reply(thread, body))
    }

    fn resolve<'a>(&'a self, thread: &'a Thread) -> Reply<'a, bool> {
        Box::pin(self.write_resolved(thread))
    }

    fn remove_thread<'a>(&'a self, thread: &'a Thread) -> Reply<'a, ()> {
        Box::pin(self.delete_thread(thread))
    }

    fn label<'a>(&'a self, add: &'a [String], remove: &'a [String]) -> Reply<'a, ()> {
        Box::pin(self.write_labels(add, remove))
    }

    fn approve<'a>(&'a self, head: &'a str) -> Reply<'a, ()> {
        Box::pin(self.write_approval(head))
    }

    fn unapprove(&self) -> Reply<'_, ()> {
        Box::pin(self.take_verdict_back())
    }

    fn request_changes<'a>(&'a self, head: &'a str, body: &'a str) -> Reply<'a, ()> {
        Box::pin(self.write_request_for_changes(head, body))
    }

    fn checked<'a>(&'a self, head: &'a str) -> Reply<'a, Option<Conclusion>> {
        Box::pin(self.read_check(head))
    }

    fn check<'a>(&'a self, check: &'a Check) -> Reply<'a, bool> {
        Box::pin(self.write_check(check))
    }
}
