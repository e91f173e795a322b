//! A forge for tests: one trait, so that one test body runs on every fake. A fake serves HTTP on 127.0.0.1, checks what it
//! is sent as the real one does, and counts what must not happen as violations. Use it with
//! `#[path = "support/forge.rs"] mod forge;` beside `mod git_repo;`.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

pub(crate) mod diff;
pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod ground;
pub(crate) mod harm;
pub(crate) mod server;

use crate::git_repo::Repo;
use ground::Ground;
use tribune::diff::Side;

/// Users that every fake has, by name: `bot` is who the token belongs to, `author` opened the merge request, `dev` may
/// push, `maintainer` may merge, `stranger` is no member. Further names are made when they are first used (no members).
pub(crate) const BOT: &str = "bot";
pub(crate) const AUTHOR: &str = "author";
pub(crate) const DEV: &str = "dev";
pub(crate) const MAINTAINER: &str = "maintainer";
pub(crate) const STRANGER: &str = "stranger";

/// What the job's token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Everything that posting needs.
    Write,
    /// Reading the API only.
    Read,
    /// The CI job's own token.
    Job,
    /// No token at all (a fork's pipeline).
    None,
    /// A variable that is there and empty (protected, on an unprotected branch).
    Empty,
}

/// A thread as a reader of the page sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) path: String,
    /// `None` for a note on the file, and where the line is gone.
    pub(crate) line: Option<u32>,
    pub(crate) side: Side,
    /// First line, of a range.
    pub(crate) start_line: Option<u32>,
    /// Author and body of each comment, system notes left out.
    pub(crate) bodies: Vec<(String, String)>,
    pub(crate) resolved: bool,
    /// Who opened it.
    pub(crate) author: String,
    /// The head that it was opened on.
    pub(crate) head: String,
}

/// A plain comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) author: String,
    pub(crate) body: String,
}

/// What goes wrong. Requests and writes are counted from 1, from the moment that the fault is set.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Every nth new position is refused.
    RefuseEvery(usize),
    /// The request of this number is answered with this status, and a `retry-after` of so many seconds.
    Status { request: usize, status: u16, retry_after: Option<u64> },
    /// Every request whose path holds this text is answered with this status.
    Closed { path: &'static str, status: u16 },
    /// The write of this number is done; its answer never comes, nor any later one until [`FakeForge::heal`].
    KillAfterWrite(usize),
    /// The write of this number is done and only its answer is lost.
    LoseAnswer(usize),
    /// Before the request of this number is answered, somebody pushes an empty commit.
    MoveHeadAt(usize),
    /// Endpoints that only newer versions have are missing.
    OldVersion,
    /// The head's objects cannot be fetched by git; only the API has the diff.
    NoGit,
}

/// How a fake begins. The closures write files; the fake commits them.
pub(crate) struct Start<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    /// The target branch's files.
    pub(crate) base: &'a dyn Fn(&Repo),
    /// The source branch's.
    pub(crate) change: &'a dyn Fn(&Repo),
    /// The source branch lies in a fork.
    pub(crate) fork: bool,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self { title: "Change it", description: "", base: &|_| {}, change: &|_| {}, fork: false }
    }
}

/// A fake forge with one project and one merge request, from `topic` into the protected default branch `main`.
pub(crate) trait FakeForge: Send {
    /// `gitlab`, `github`.
    fn kind(&self) -> &'static str;
    /// Does something with what all fakes have.
    fn with(&self, act: &mut dyn FnMut(&mut Ground));
    /// The job's clone, with the source branch checked out. Commits made here reach the forge by [`FakeForge::push`].
    fn repo(&self) -> &Repo;
    /// The merge request's page, for `--url`.
    fn url(&self) -> String;
    /// The forge's origin, for what must not be contacted elsewhere.
    fn origin(&self) -> String;
    /// What a CI job of this merge request has in its environment (its own pipeline).
    fn env(&self, rights: Rights) -> Vec<(String, String)>;
    /// The token's text, which no output may hold.
    fn token(&self) -> String;

    /// The source branch as it stands in the forge's repository becomes the merge request's head.
    fn take_push(&self);
    /// The source branch's `HEAD` of the clone becomes the merge request's head (by force).
    fn push(&mut self) {
        self.repo().git(&["push", "-q", "-f", "origin", "HEAD:refs/heads/topic"]);
        self.take_push();
    }
    /// A commit with these files lands on the target branch; the merge request is not touched.
    fn push_target(&mut self, files: &[(&str, &str)]) {
        let mut target = String::new();
        self.with(&mut |ground| target.clone_from(&ground.target));
        let repo = self.repo();
        repo.git(&["checkout", "-q", "-B", &target, &format!("origin/{target}")]);
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit("more on the target branch");
        repo.git(&["push", "-q", "origin", &target]);
        repo.git(&["checkout", "-q", "topic"]);
    }
    /// The merge request is to be merged into another branch, made from `main` where it is new.
    fn retarget(&mut self, branch: &str, protected: bool) {
        let repo = self.repo();
        if repo.git(&["ls-remote", "origin", &format!("refs/heads/{branch}")]).is_empty() {
            repo.git(&["push", "-q", "origin", &format!("origin/main:refs/heads/{branch}")]);
        }
        repo.git(&["fetch", "-q", "origin"]);
        self.with(&mut |ground| (ground.target, ground.protected) = (branch.to_owned(), protected));
        self.take_push();
    }
    /// Title and description.
    fn edit_request(&mut self, title: &str, description: &str) {
        self.with(&mut |ground| (ground.title, ground.description) = (title.to_owned(), description.to_owned()));
    }
    /// Marks it as a draft, or as ready.
    fn set_draft(&mut self, draft: bool) {
        self.with(&mut |ground| ground.draft = draft);
    }
    /// Whether the project demands resolved threads.
    fn set_threads_must_resolve(&mut self, demanded: bool) {
        self.with(&mut |ground| ground.must_resolve = demanded);
    }

    /// A user's id.
    fn user_id(&self, name: &str) -> u64;
    /// Gives a user a role: `reader`, `developer`, `maintainer`.
    fn set_role(&mut self, user: &str, role: &str);
    /// A plain comment; its id.
    fn human_comment(&mut self, user: &str, body: &str) -> String;
    /// An answer in a thread; its id.
    fn human_reply(&mut self, user: &str, thread: &str, body: &str) -> String;
    /// A thread on a line of the new side of the current head; the thread's id.
    fn human_thread(&mut self, user: &str, path: &str, line: u32, body: &str) -> String;
    fn human_resolve(&mut self, user: &str, thread: &str, resolved: bool);
    /// Changes a comment's text, whoever wrote it, as `user` (with a trace that it was edited).
    fn human_edit(&mut self, user: &str, comment: &str, body: &str);
    fn human_delete(&mut self, comment: &str);
    fn human_label(&mut self, user: &str, label: &str);
    /// What a broken run left behind unpublished, of the token's own user.
    fn leave_unfinished(&mut self, path: &str, line: u32, body: &str);

    /// Threads, oldest first; only those on code.
    fn threads(&self) -> Vec<View>;
    /// Plain comments, oldest first; system notes left out.
    fn comments(&self) -> Vec<Note>;
    fn labels(&self) -> Vec<String> {
        let mut labels = Vec::new();
        self.with(&mut |ground| labels.clone_from(&ground.labels));
        labels
    }
    /// Names of who approves the current head.
    fn approvals(&self) -> Vec<String>;
    /// Statuses or check runs of the current head: name and state.
    fn checks(&self) -> Vec<(String, String)>;
    /// Unpublished comments that are left.
    fn unfinished(&self) -> usize;

    /// Writes of the API that succeeded.
    fn writes(&self) -> usize {
        let mut writes = 0;
        self.with(&mut |ground| writes = ground.writes);
        writes
    }
    /// Requests of the API, git's left out.
    fn requests(&self) -> usize {
        let mut requests = 0;
        self.with(&mut |ground| requests = ground.requests);
        requests
    }
    /// What the forge would have done that nobody wanted: quick actions run, people notified, images and HTML shown.
    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        self.with(&mut |ground| violations.clone_from(&ground.violations));
        violations
    }
    /// Sets both counters to zero.
    fn reset_counters(&mut self) {
        self.with(&mut |ground| (ground.requests, ground.writes) = (0, 0));
    }
    /// Limits by the minute go by a much shorter one.
    fn hurry(&mut self) {}
    fn fault(&mut self, fault: Fault) {
        self.with(&mut |ground| ground.arm(fault.clone()));
    }
    /// Takes all faults away.
    fn heal(&mut self) {
        self.with(&mut Ground::heal);
    }
}
