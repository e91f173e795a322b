//! GitLab, 16 to 19, as its REST API version 4 has it.
//!
//! It reads, and writes what it is told to. It never decides what is posted, and it believes no answer that it did not
//! look at: what was published is counted by reading it back.

mod answers;
mod conversation;
pub(super) mod doctor;
mod drafts;
pub(super) mod env;
mod explain;
mod position;
mod read;
mod threads;

mod write;

use super::call::{Call, part};
use super::http::Api;
use super::locate::{Found, Token};
use super::{
    ApiDiff, Check, Conclusion, Conversation, Forge, ForgeError, MergeRequest, NewThread, Posted, Reply, Role, Target, Thread, User, Wishes,
};
use crate::doctor::Line;
use crate::git::GitAccess;
use crate::http::Origin;
use answers::WireProject;
use futures::future::BoxFuture;
use reqwest::Url;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Characters of a note, which GitLab bounds; bytes are never fewer.
const MAX_NOTE: usize = 1_000_000;

/// One merge request of a GitLab.
#[derive(Debug)]
pub(super) struct GitLab {
    api: Api,
    web: Url,
    target: Target,
    /// `projects/group%2Fproject`, and with the merge request behind it.
    project: String,
    request: String,
    token: Token,
    known: Mutex<Known>,
}

/// What was read once and holds for the run.
#[derive(Debug, Default, Clone)]
struct Known {
    project: Option<WireProject>,
    me: Option<User>,
    /// The head at the last reading: threads on other commits stand on lines that are gone.
    head: Option<String>,
}

/// Connects; where the URL leaves open how much of it is the path below which GitLab lives, finds that out.
pub(super) async fn connect(found: &Found) -> Result<GitLab, ForgeError> {
    let parts: Vec<&str> = found.project.split('/').collect();
    let first = GitLab::at(found, &found.web, &found.project)?;
    if !found.guessed_root || parts.len() <= 2 {
        return Ok(first);
    }
    // The longest path is the likeliest: subgroups are more frequent than GitLabs below a path.
    let mut told = None;
    for taken in 0..=parts.len() - 2 {
        let mut web = found.web.clone();
        web.set_path(&parts[..taken].join("/"));
        let gitlab = GitLab::at(found, &web, &parts[taken..].join("/"))?;
        match gitlab.project().await {
            Ok(_) => return Ok(gitlab),
            // What answers for the first path answers for the URL as it was given.
            Err(e @ (ForgeError::Missing(_) | ForgeError::Unexpected(_) | ForgeError::Refused(_))) => told = told.or(Some(e)),
            Err(e) => return Err(told.unwrap_or(e)),
        }
    }
    Err(told.unwrap_or(ForgeError::Missing("the merge request".to_owned())))
}

impl GitLab {
    fn at(found: &Found, web: &Url, project: &str) -> Result<Self, ForgeError> {
        let mut api = web.clone();
        api.set_path(&format!("{}/api/v4", web.path().trim_end_matches('/')));
        let api = found.api.clone().filter(|_| !found.guessed_root).unwrap_or(api);
        let token = match &found.token {
            Token::Access(secret) => Some(("private-token", "", secret.clone())),
            Token::Job(secret) => Some(("job-token", "", secret.clone())),
            Token::None => None,
        };
        let api = Api::new(&api, token, "application/json", explain::explain)?;
        let origin = Origin::of(web).map_err(|e| ForgeError::Refused(format!("the forge's URL {e}")))?;
        let host = format!("{}{}", origin.host(), web.path().trim_end_matches('/'));
        let path = format!("projects/{}", part(project));
        Ok(Self {
            request: format!("{path}/merge_requests/{}", found.number),
            project: path,
            target: Target { forge: "gitlab", host, project: project.to_owned(), number: found.number },
            web: web.clone(),
            token: found.token.clone(),
            api,
            known: Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path below the merge request.
    fn of_request(&self, rest: &str) -> String {
        format!("{}/{rest}", self.request)
    }

    /// The page of something, below the forge's root.
    fn page(&self, rest: &str) -> String {
        format!("{}/{}", self.web.as_str().trim_end_matches('/'), rest)
    }

    /// Fails at once where the token cannot write, and says so, instead of by a refusal later.
    fn may_write(&self) -> Result<(), ForgeError> {
        match self.token {
            Token::Access(_) => Ok(()),
            Token::Job(_) => Err(ForgeError::Forbidden(
                "CI_JOB_TOKEN cannot write comments: set GITLAB_TOKEN to a project access token with the scope `api` and the role Developer"
                    .to_owned(),
            )),
            Token::None => Err(ForgeError::Unauthorised(
                "there is no token: set GITLAB_TOKEN to a project access token with the scope `api` and the role Developer".to_owned(),
            )),
        }
    }
}

impl Forge for GitLab {
    fn target(&self) -> &Target {
        &self.target
    }

    fn comment_bytes(&self) -> usize {
        MAX_NOTE
    }

    fn suggestion(&self, start: u32, end: u32) -> String {
        // Relative to the line on which the comment hangs: the last one.
        format!("suggestion:-{}+0", end.saturating_sub(start))
    }

    fn link(&self, sha: &str, path: &str, lines: Option<(u32, u32)>) -> String {
        let path: Vec<String> = path.split('/').map(part).collect();
        let lines = lines.map(|(a, b)| if a == b { format!("#L{a}") } else { format!("#L{a}-{b}") }).unwrap_or_default();
        self.page(&format!("{}/-/blob/{}/{}{lines}", self.target.project, part(sha), path.join("/")))
    }

    fn git_access(&self) -> GitAccess {
        let url = self.page(&format!("{}.git", self.target.project));
        match &self.token {
            Token::Access(secret) => GitAccess::with_token(url, "oauth2", secret),
            Token::Job(secret) => GitAccess::with_token(url, "gitlab-ci-token", secret),
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

    fn diff(&self) -> Reply<'_, ApiDiff> {
        Box::pin(self.read_diff())
    }

    fn conversation(&self) -> Reply<'_, Conversation> {
        Box::pin(self.read_conversation())
    }

    fn me(&self) -> Reply<'_, Option<User>> {
        Box::pin(self.read_me())
    }

    fn role<'a>(&'a self, user: &User) -> Reply<'a, Role> {
        Box::pin(self.read_role(user.id))
    }

    fn label_setter<'a>(&'a self, label: &'a str) -> Reply<'a, Option<User>> {
        Box::pin(self.read_label_setter(label))
    }

    fn comment<'a>(&'a self, body: &'a str) -> Reply<'a, String> {
        Box::pin(self.write_comment(body))
    }

    fn edit_comment<'a>(&'a self, id: &'a str, body: &'a str) -> Reply<'a, ()> {
        Box::pin(self.edit_note(id, body))
    }

    fn delete_comment<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        Box::pin(self.delete_note(id))
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
        Box::pin(self.take_approval_back())
    }

    fn request_changes<'a>(&'a self, head: &'a str, body: &'a str) -> Reply<'a, ()> {
        Box::pin(self.write_request_for_changes(head, body))
    }

    fn checked<'a>(&'a self, head: &'a str) -> Reply<'a, Option<Conclusion>> {
        Box::pin(self.read_status(head))
    }

    fn check<'a>(&'a self, check: &'a Check) -> Reply<'a, bool> {
        Box::pin(self.write_status(check))
    }
}

/// A call below the merge request that reads.
fn read_call<'a>(path: String, what: &'a str) -> Call<'a> {
    Call::get(path, what)
}
