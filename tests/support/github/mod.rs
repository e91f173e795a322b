//! A fake GitHub on HTTP, as an Enterprise Server has it (`/api/v3`, `/api/graphql`), strict where the real one is: one bad
//! comment refuses a whole review, lines have to stand in a hunk, limits and permissions refuse, lists are paged, comments
//! move along with pushes. Git itself is served too, by git's own CGI program.

mod api;
mod checks;
mod graphql;
mod pulls;
mod shapes;
mod state;

use super::ground::{Ground, lock};
use super::server;
use super::{AUTHOR, BOT, DEV, FakeForge, MAINTAINER, Note, Rights, STRANGER, Start, View};
use crate::git_repo::Repo;
use serde_json::json;
use state::{CommentData, NUMBER, PROJECT, Review, State, User};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tribune::diff::Side;

/// Of an app that may resolve threads.
pub(crate) const APP_TOKEN: &str = "ghs_app-4f9c2b7e1d";
/// The workflow's own: it writes, but resolves and approves nothing.
pub(crate) const ACTIONS_TOKEN: &str = "ghs_actions-7c1e55d0b9";
pub(crate) const READ_TOKEN: &str = "ghs_read-81aa03c6f2";
/// A person's fine-grained one, without the permission to write.
pub(crate) const FINE_TOKEN: &str = "github_pat_read-5d20c8e97a";

/// A running fake; its server ends with the process.
pub(crate) struct FakeGitHub {
    repo: Repo,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FakeGitHub {
    /// A project with a pull request.
    pub(crate) fn start(start: &Start<'_>) -> Self {
        let (repo, ground) = Ground::new(start, None);
        let users = [(BOT, "write"), (AUTHOR, "write"), (DEV, "write"), (MAINTAINER, "maintain"), (STRANGER, "read")];
        let users = users.iter().zip(1001..).map(|((name, role), id)| User { id, name: (*name).to_owned(), role }).collect();
        let state = Arc::new(Mutex::new(State {
            ground,
            scopes: "repo",
            events: Vec::new(),
            users,
            base: String::new(),
            start: String::new(),
            head: String::new(),
            comments: Vec::new(),
            reviews: Vec::new(),
            resolved: HashMap::new(),
            checks: Vec::new(),
            diffs: super::diff::Diffs::default(),
            hunks: HashMap::new(),
            places: Vec::new(),
            minute: Duration::from_secs(60),
            created: VecDeque::new(),
            busiest: 0,
            max_diff_lines: 20_000,
        }));
        let shared = state.clone();
        let address = server::serve(move |request| api::serve(&shared, request));
        let fake = Self { repo, address, state };
        fake.state().root = format!("http://{address}");
        fake.state().take_push();
        fake
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Scopes of classic tokens (`ghp_of-NAME`).
    pub(crate) fn set_scopes(&self, scopes: &'static str) {
        self.state().scopes = scopes;
    }

    /// How long the minute of the limit on writes is.
    pub(crate) fn set_minute(&self, minute: Duration) {
        self.state().minute = minute;
    }

    /// The most writes that fell into one minute.
    pub(crate) fn busiest_minute(&self) -> usize {
        self.state().busiest
    }

    /// Longer diffs than this are refused with 406.
    pub(crate) fn set_max_diff_lines(&self, lines: usize) {
        self.state().max_diff_lines = lines;
    }

    /// First lines of the comments that are folded.
    pub(crate) fn folded(&self) -> Vec<String> {
        self.state().comments.iter().filter(|c| c.folded).map(|c| c.body.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// The event that a workflow of this pull request is started by.
    pub(crate) fn event(&self) -> serde_json::Value {
        let state = self.state();
        let pull = shapes::pull(&state);
        json!({"action": "synchronize", "number": NUMBER, "pull_request": pull, "repository": shapes::repository(&state, PROJECT, 42)})
    }
}

/// The user's id; one that nobody knew becomes a user without a role.
fn user(state: &mut State, name: &str) -> u64 {
    if let Some(user) = state.users.iter().find(|u| u.name == name) {
        return user.id;
    }
    let id = 1001 + state.users.len() as u64;
    state.users.push(User { id, name: name.to_owned(), role: "read" });
    id
}

impl FakeForge for FakeGitHub {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn with(&self, act: &mut dyn FnMut(&mut Ground)) {
        act(&mut self.state());
    }

    fn take_push(&self) {
        self.state().take_push();
    }

    fn repo(&self) -> &Repo {
        &self.repo
    }

    fn url(&self) -> String {
        format!("{}/{PROJECT}/pull/{NUMBER}", self.origin())
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn env(&self, rights: Rights) -> Vec<(String, String)> {
        let path = self.repo.outside.path().join("event.json");
        std::fs::write(&path, self.event().to_string()).expect("written");
        let (root, head) = (self.origin(), self.state().head.clone());
        let mut env: Vec<(String, String)> = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_SERVER_URL", root.clone()),
            ("GITHUB_API_URL", format!("{root}/api/v3")),
            ("GITHUB_REPOSITORY", PROJECT.to_owned()),
            ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
            ("GITHUB_EVENT_PATH", path.to_string_lossy().into_owned()),
            ("GITHUB_SHA", head),
            ("GITHUB_ACTOR", AUTHOR.to_owned()),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .to_vec();
        let token = match rights {
            Rights::Write => Some(APP_TOKEN),
            Rights::Job => Some(ACTIONS_TOKEN),
            Rights::Read => Some(READ_TOKEN),
            Rights::Empty => Some(""),
            Rights::None => None,
        };
        env.extend(token.map(|t| ("GITHUB_TOKEN".to_owned(), t.to_owned())));
        env
    }

    fn token(&self) -> String {
        APP_TOKEN.to_owned()
    }

    fn user_id(&self, name: &str) -> u64 {
        user(&mut self.state(), name)
    }

    fn set_role(&mut self, name: &str, role: &str) {
        let mut state = self.state();
        let id = user(&mut state, name);
        let role = match role {
            "maintainer" => "maintain",
            "developer" => "write",
            _ => "read",
        };
        state.users.iter_mut().filter(|u| u.id == id).for_each(|u| u.role = role);
    }

    fn human_comment(&mut self, name: &str, body: &str) -> String {
        let mut state = self.state();
        let author = user(&mut state, name);
        state.say(author, body, None).to_string()
    }

    fn human_reply(&mut self, name: &str, thread: &str, body: &str) -> String {
        let mut state = self.state();
        let author = user(&mut state, name);
        let first = state.thread(thread).expect("a thread");
        state.say(author, body, Some(first)).to_string()
    }

    fn human_thread(&mut self, name: &str, path: &str, line: u32, body: &str) -> String {
        let mut state = self.state();
        let (author, head) = (user(&mut state, name), state.head.clone());
        let comment =
            state.comment_of(author, &json!({"path": path, "line": line, "side": "RIGHT", "body": body}), &head, 0).expect("a line of the diff");
        let id = format!("PRRT_{}", comment.id);
        state.comments.push(comment);
        id
    }

    fn human_resolve(&mut self, name: &str, thread: &str, resolved: bool) {
        let mut state = self.state();
        let by = user(&mut state, name);
        let first = state.thread(thread).expect("a thread");
        match resolved {
            true => state.resolved.insert(first, by),
            false => state.resolved.remove(&first),
        };
    }

    fn human_edit(&mut self, _user: &str, comment: &str, body: &str) {
        let mut state = self.state();
        let now = state.now();
        let comment = state.comments.iter_mut().find(|c| c.id.to_string() == comment).expect("a comment");
        (comment.body, comment.updated) = (body.to_owned(), now);
    }

    fn human_delete(&mut self, comment: &str) {
        self.state().comments.retain(|c| c.id.to_string() != comment);
    }

    fn human_label(&mut self, name: &str, label: &str) {
        let mut state = self.state();
        let id = user(&mut state, name);
        pulls::label(&mut state, id, label, true);
    }

    fn leave_unfinished(&mut self, path: &str, line: u32, body: &str) {
        let mut state = self.state();
        let (id, author, head) = (state.id(), user(&mut state, BOT), state.head.clone());
        let comment =
            state.comment_of(author, &json!({"path": path, "line": line, "side": "RIGHT", "body": body}), &head, id).expect("a line of the diff");
        state.comments.push(comment);
        state.reviews.push(Review { id, author, state: "PENDING", head, body: String::new() });
    }

    fn threads(&self) -> Vec<View> {
        let state = self.state();
        let nobody = 0;
        let firsts = state.comments.iter().filter(|c| c.path.is_some() && c.reply_to.is_none() && state.is_seen(c, nobody));
        firsts
            .map(|first| {
                let of_thread = |c: &&CommentData| c.id == first.id || c.reply_to == Some(first.id);
                let name = |c: &CommentData| state.user(c.author).name.clone();
                View {
                    id: format!("PRRT_{}", first.id),
                    path: first.path.clone().unwrap_or_default(),
                    line: first.place.filter(|_| !first.outdated).map(|(_, line, _)| line),
                    side: if first.place.is_some_and(|(_, _, side)| side == "LEFT") { Side::Old } else { Side::New },
                    start_line: first.place.and_then(|(start, _, _)| start),
                    bodies: state.comments.iter().filter(of_thread).map(|c| (name(c), c.body.clone())).collect(),
                    resolved: state.resolved.contains_key(&first.id),
                    author: name(first),
                    head: first.opened_on.clone(),
                }
            })
            .collect()
    }

    fn comments(&self) -> Vec<Note> {
        let state = self.state();
        let plain = state.comments.iter().filter(|c| c.path.is_none());
        plain.map(|c| Note { id: c.id.to_string(), author: state.user(c.author).name.clone(), body: c.body.clone() }).collect()
    }

    fn approvals(&self) -> Vec<String> {
        let state = self.state();
        state.reviews.iter().filter(|r| r.state == "APPROVED" && r.head == state.head).map(|r| state.user(r.author).name.clone()).collect()
    }

    fn checks(&self) -> Vec<(String, String)> {
        let state = self.state();
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        // The newest of a name is the one that is shown.
        let mut shown: Vec<(String, String)> = Vec::new();
        for run in state.checks.iter().filter(|c| c["head_sha"] == state.head) {
            shown.retain(|(name, _)| *name != text(&run["name"]));
            shown.push((text(&run["name"]), text(&run["conclusion"])));
        }
        shown
    }

    fn unfinished(&self) -> usize {
        let state = self.state();
        let pending = |id: u64| state.reviews.iter().any(|r| r.id == id && r.state == "PENDING");
        state.comments.iter().filter(|c| pending(c.review)).count()
    }

    fn hurry(&mut self) {
        self.set_minute(Duration::from_millis(10));
    }
}
