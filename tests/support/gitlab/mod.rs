//! A fake GitLab on HTTP, below a sub-path, strict where the real one is: positions are checked against git's own diff,
//! drafts are not checked until they are lost, lists are paged, scopes and roles refuse, threads move along with pushes.
//! Git itself is served too, by git's own CGI program.

mod api;

mod drafts;
mod notes;
mod shapes;
mod state;

use super::ground::{Ground, lock};
use super::{AUTHOR, BOT, DEV, FakeForge, MAINTAINER, Note, Rights, STRANGER, Start, View};
use super::{diff, server};
use crate::git_repo::Repo;
use serde_json::json;
use state::{Draft, FORK_ID, IID, PROJECT, PROJECT_ID, State, User};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tribune::diff::Side;

pub(crate) const WRITE_TOKEN: &str = "glpat-write-4f9c2b7e1d";
pub(crate) const READ_TOKEN: &str = "glpat-read-81aa03c6f2";
pub(crate) const JOB_TOKEN: &str = "glcbt-64_job-7c1e55d0b9";

/// A running fake; its server ends with the process.
pub(crate) struct FakeGitLab {
    repo: Repo,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FakeGitLab {
    /// A project with a merge request.
    pub(crate) fn start(start: &Start<'_>) -> Self {
        let (repo, ground) = Ground::new(start, Some("refs/keep"));
        let users = [(BOT, Some(30)), (AUTHOR, Some(30)), (DEV, Some(30)), (MAINTAINER, Some(40)), (STRANGER, None)];
        let users = users.iter().zip(1001..).map(|((name, level), id)| User { id, name: (*name).to_owned(), level: *level }).collect();
        let state = Arc::new(Mutex::new(State {
            ground,
            version: "18.4.1-ee".to_owned(),
            pipelines: vec!["merge_request_event"],
            approvers: Vec::new(),
            label_events: Vec::new(),
            users,
            versions: Vec::new(),
            discussions: Vec::new(),
            drafts: Vec::new(),
            approvals: Vec::new(),
            statuses: Vec::new(),
            reviewer_state: None,
            diffs: diff::Diffs::default(),
        }));
        let shared = state.clone();
        let address = server::serve(move |request| api::serve(&shared, request));
        let fake = Self { repo, address, state };
        fake.state().root = format!("http://{address}/gitlab");
        fake.state().take_push();
        fake
    }

    /// Its version, `16.11.0` or with `-ee`.
    pub(crate) fn set_version(&self, version: &str) {
        self.state().version = version.to_owned();
    }

    /// Of which kinds the head has pipelines.
    pub(crate) fn set_pipelines(&self, sources: &[&'static str]) {
        self.state().pipelines = sources.to_vec();
    }

    /// Who may approve by a rule that requires an approval.
    pub(crate) fn set_approvers(&self, names: &[&str]) {
        self.state().approvers = names.iter().map(|n| (*n).to_owned()).collect();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The user's id; one that nobody knew becomes a user without a role.
fn user(state: &mut State, name: &str) -> u64 {
    if let Some(user) = state.users.iter().find(|u| u.name == name) {
        return user.id;
    }
    let id = 1001 + state.users.len() as u64;
    state.users.push(User { id, name: name.to_owned(), level: None });
    id
}

impl FakeForge for FakeGitLab {
    fn kind(&self) -> &'static str {
        "gitlab"
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
        format!("{}/{PROJECT}/-/merge_requests/{IID}", self.state().root)
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn env(&self, rights: Rights) -> Vec<(String, String)> {
        let state = self.state();
        let (head, source) = (state.head(), if state.fork { FORK_ID } else { PROJECT_ID });
        let mut env: Vec<(String, String)> = [
            ("CI", "true".to_owned()),
            ("GITLAB_CI", "true".to_owned()),
            ("CI_SERVER_URL", state.root.clone()),
            ("CI_API_V4_URL", format!("{}/api/v4", state.root)),
            ("CI_PROJECT_PATH", PROJECT.to_owned()),
            ("CI_PROJECT_ID", PROJECT_ID.to_string()),
            ("CI_DEFAULT_BRANCH", "main".to_owned()),
            ("CI_PIPELINE_SOURCE", "merge_request_event".to_owned()),
            ("CI_COMMIT_SHA", head.head.clone()),
            ("CI_MERGE_REQUEST_IID", IID.to_string()),
            ("CI_MERGE_REQUEST_PROJECT_PATH", PROJECT.to_owned()),
            ("CI_MERGE_REQUEST_PROJECT_ID", PROJECT_ID.to_string()),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", source.to_string()),
            ("CI_MERGE_REQUEST_EVENT_TYPE", "detached".to_owned()),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "topic".to_owned()),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", state.target.clone()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", head.base.clone()),
            ("CI_JOB_TOKEN", JOB_TOKEN.to_owned()),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .to_vec();
        match rights {
            Rights::Write => env.push(("GITLAB_TOKEN".into(), WRITE_TOKEN.into())),
            Rights::Read => env.push(("GITLAB_TOKEN".into(), READ_TOKEN.into())),
            Rights::Empty => env.push(("GITLAB_TOKEN".into(), String::new())),
            Rights::Job => {}
            Rights::None => env.retain(|(n, _)| n != "CI_JOB_TOKEN"),
        }
        env
    }

    fn token(&self) -> String {
        WRITE_TOKEN.to_owned()
    }

    fn user_id(&self, name: &str) -> u64 {
        user(&mut self.state(), name)
    }

    fn set_role(&mut self, name: &str, role: &str) {
        let mut state = self.state();
        let id = user(&mut state, name);
        let level = match role {
            "maintainer" => 40,
            "developer" => 30,
            _ => 20,
        };
        state.users.iter_mut().filter(|u| u.id == id).for_each(|u| u.level = Some(level));
    }

    fn human_comment(&mut self, name: &str, body: &str) -> String {
        let mut state = self.state();
        let author = user(&mut state, name);
        let at = state.open(author, body, None, true);
        state.discussions[at].notes[0].id.to_string()
    }

    fn human_reply(&mut self, name: &str, thread: &str, body: &str) -> String {
        let mut state = self.state();
        let author = user(&mut state, name);
        let at = state.find_discussion(thread).expect("a thread");
        state.answer(author, at, body).to_string()
    }

    fn human_thread(&mut self, name: &str, path: &str, line: u32, body: &str) -> String {
        let mut state = self.state();
        let author = user(&mut state, name);
        let position = position(&state, path, line);
        let origin = state.origin.clone();
        state.diffs.line_code(&origin, &position).expect("an added line");
        let at = state.open(author, body, Some(position), false);
        state.discussions[at].id.clone()
    }

    fn human_resolve(&mut self, name: &str, thread: &str, resolved: bool) {
        let mut state = self.state();
        let (by, now) = (user(&mut state, name), state.now());
        let at = state.find_discussion(thread).expect("a thread");
        state.discussions[at].resolved_by = resolved.then_some((by, now));
    }

    fn human_edit(&mut self, _user: &str, comment: &str, body: &str) {
        let mut state = self.state();
        let now = state.now();
        let (d, n) = state.find_note(comment.parse().expect("an id")).expect("a note");
        let note = &mut state.discussions[d].notes[n];
        (note.body, note.updated) = (body.to_owned(), now);
    }

    fn human_delete(&mut self, comment: &str) {
        let mut state = self.state();
        let (d, n) = state.find_note(comment.parse().expect("an id")).expect("a note");
        state.discussions[d].notes.remove(n);
        state.discussions.retain(|d| !d.notes.is_empty());
    }

    fn human_label(&mut self, name: &str, label: &str) {
        let mut state = self.state();
        let id = user(&mut state, name);
        api::set_label(&mut state, id, label, true);
    }

    fn leave_unfinished(&mut self, path: &str, line: u32, body: &str) {
        let mut state = self.state();
        let (id, author) = (state.id(), user(&mut state, BOT));
        let position = position(&state, path, line);
        let draft =
            Draft { id, author, note: body.to_owned(), position: Some(position), line_code: None, reply_to: None, resolve: false, wrong: None };
        state.drafts.push(draft);
    }

    fn threads(&self) -> Vec<View> {
        let state = self.state();
        let now = state.head().head.clone();
        let with_place = state.discussions.iter().filter_map(|d| Some((d, d.notes[0].position.clone()?)));
        with_place
            .map(|(d, position)| {
                let first = &d.notes[0];
                let number = |key: &str| position[key].as_u64().map(|n| n as u32);
                let (old, new) = (number("old_line"), number("new_line"));
                let current = position["head_sha"] == json!(now);
                let range = &position["line_range"]["start"]["line_code"];
                let mut start = range.as_str().unwrap_or_default().rsplit('_').filter_map(|n| n.parse().ok());
                let (start_new, start_old): (Option<u32>, Option<u32>) = (start.next(), start.next());
                let text = |key: &str| position[key].as_str().unwrap_or_default().to_owned();
                let bodies = d.notes.iter().filter(|n| !n.system).map(|n| (state.user(n.author).name.clone(), n.body.clone())).collect();
                View {
                    id: d.id.clone(),
                    path: if new.is_none() && old.is_some() { text("old_path") } else { text("new_path") },
                    line: new.or(old).filter(|_| current),
                    side: if new.is_none() && old.is_some() { Side::Old } else { Side::New },
                    start_line: if new.is_some() { start_new } else { start_old },
                    bodies,
                    resolved: d.resolved_by.is_some(),
                    author: state.user(first.author).name.clone(),
                    head: first.opened_on.clone(),
                }
            })
            .collect()
    }

    fn comments(&self) -> Vec<Note> {
        let state = self.state();
        let plain = state.discussions.iter().filter(|d| d.individual || d.notes[0].position.is_none()).flat_map(|d| &d.notes).filter(|n| !n.system);
        plain.map(|n| Note { id: n.id.to_string(), author: state.user(n.author).name.clone(), body: n.body.clone() }).collect()
    }

    fn approvals(&self) -> Vec<String> {
        let state = self.state();
        state.approvals.iter().map(|(id, _)| state.user(*id).name.clone()).collect()
    }

    fn checks(&self) -> Vec<(String, String)> {
        let state = self.state();
        let of_head = state.statuses.iter().filter(|s| s["sha"] == json!(state.head().head));
        of_head.map(|s| (s["name"].as_str().unwrap_or_default().to_owned(), s["status"].as_str().unwrap_or_default().to_owned())).collect()
    }

    fn unfinished(&self) -> usize {
        self.state().drafts.len()
    }
}

/// An added line of the current head, as a client would send it.
fn position(state: &State, path: &str, line: u32) -> serde_json::Value {
    let head = state.head();
    let files = diff::files(&state.origin, &head.base, &head.head);
    let old_path = files.iter().find(|f| f.new_path == path).map_or(path, |f| &f.old_path);
    json!({"position_type": "text", "base_sha": head.base, "start_sha": head.start, "head_sha": head.head, "old_path": old_path, "new_path": path,
        "old_line": null, "new_line": line, "line_range": null})
}
