//! What all fakes have and do alike: the repositories of a merge request, its words, the counters, the faults, the clock.

use super::server::Response;
use super::{BOT, Fault, Start, harm};
use crate::git_repo::{Repo, git_in};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fault and the counters when it was set.
#[derive(Debug, Clone)]
pub(crate) struct Armed {
    pub(crate) fault: Fault,
    requests: usize,
    writes: usize,
    pub(crate) positions: usize,
}

/// The state that does not depend on the forge.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) origin: PathBuf,
    /// Where it is served: `http://127.0.0.1:PORT` and perhaps a path.
    pub(crate) root: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) draft: bool,
    pub(crate) target: String,
    /// Whether only some may push to the target branch.
    pub(crate) protected: bool,
    pub(crate) must_resolve: bool,
    pub(crate) fork: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) faults: Vec<Armed>,
    dead: bool,
    pub(crate) requests: usize,
    pub(crate) writes: usize,
    /// New positions that were sent.
    pub(crate) positions: usize,
    pub(crate) violations: Vec<String>,
    next_id: u64,
    pub(crate) clock: u64,
}

/// What a fault makes of a request before anything is done.
pub(crate) enum Early {
    /// Its answer never comes.
    Lost,
    /// It is refused with this status, and a `retry-after` of so many seconds.
    Refused(u16, Option<u64>),
    /// What it asks for is closed to all, with this status.
    Closed(u16),
}

impl Ground {
    /// The forge's bare repository and the job's clone of it, with `main` and the change on `topic`. `hidden` are refs that
    /// nobody may fetch.
    pub(crate) fn new(start: &Start<'_>, hidden: Option<&str>) -> (Repo, Self) {
        let repo = Repo::new();
        repo.write("README.md", "# project\n");
        (start.base)(&repo);
        repo.commit("base");
        let origin = repo.outside.path().join("origin.git");
        git_in(repo.outside.path(), &["init", "-q", "--bare", "-b", "main", "origin.git"]);
        let hidden = hidden.map(|refs| ("uploadpack.hideRefs", refs));
        for (key, value) in [("uploadpack.allowFilter", "true"), ("uploadpack.allowAnySHA1InWant", "true")].into_iter().chain(hidden) {
            git_in(&origin, &["config", key, value]);
        }
        repo.git(&["remote", "add", "origin", &origin.to_string_lossy()]);
        repo.git(&["push", "-q", "origin", "main"]);
        repo.git(&["checkout", "-q", "-b", "topic"]);
        (start.change)(&repo);
        repo.commit("change");
        repo.git(&["push", "-q", "origin", "topic"]);
        let ground = Self {
            origin,
            root: String::new(),
            title: start.title.to_owned(),
            description: start.description.to_owned(),
            draft: false,
            target: "main".to_owned(),
            protected: true,
            must_resolve: false,
            fork: start.fork,
            labels: Vec::new(),
            faults: Vec::new(),
            dead: false,
            requests: 0,
            writes: 0,
            positions: 0,
            violations: Vec::new(),
            // Above 31 bits, as on large instances.
            next_id: 3_000_000_000,
            clock: 0,
        };
        (repo, ground)
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The next moment, to the second and without its zone.
    pub(crate) fn tick(&mut self) -> String {
        self.clock += 7;
        let (h, m, s) = (self.clock / 3600 % 24, self.clock / 60 % 60, self.clock % 60);
        format!("2026-01-02T{h:02}:{m:02}:{s:02}")
    }

    /// What a text of this user would do, if it is the token's.
    pub(crate) fn watch(&mut self, author: &str, body: &str) {
        if author == BOT {
            let found = harm::of(body);
            self.violations.extend(found.into_iter().map(|f| format!("{f} in a text of the bot's")));
        }
    }

    /// A ref's commit.
    pub(crate) fn parse(&self, name: &str) -> String {
        self.ask(&["rev-parse", name])
    }

    /// Where two commits part.
    pub(crate) fn merge_base(&self, one: &str, other: &str) -> String {
        self.ask(&["merge-base", one, other])
    }

    fn ask(&self, arguments: &[&str]) -> String {
        String::from_utf8(git_in(&self.origin, arguments)).expect("an id").trim().to_owned()
    }

    /// Somebody pushes a commit without changes onto the source branch.
    fn push_empty(&self) {
        let head = self.parse("refs/heads/topic");
        let made = self.ask(&["commit-tree", "-p", &head, "-m", "moved", &format!("{head}^{{tree}}")]);
        git_in(&self.origin, &["update-ref", "refs/heads/topic", &made]);
    }

    /// Counts a request: whether the source branch has moved before it, and what a fault makes of it.
    pub(crate) fn arrived(&mut self, path: &str) -> (bool, Option<Early>) {
        self.requests += 1;
        let count = self.requests;
        if self.dead {
            return (false, Some(Early::Lost));
        }
        let mut moved = false;
        for armed in &self.faults {
            match armed.fault {
                Fault::Status { request, status, retry_after } if armed.requests + request == count => {
                    return (moved, Some(Early::Refused(status, retry_after)));
                }
                Fault::MoveHeadAt(request) if armed.requests + request == count => {
                    self.push_empty();
                    moved = true;
                }
                Fault::Closed { path: closed, status } if path.contains(closed) => return (moved, Some(Early::Closed(status))),
                _ => {}
            }
        }
        (moved, None)
    }

    /// Counts a write that is done; where a fault has it so, its answer is lost.
    pub(crate) fn written(&mut self, answer: Response) -> Response {
        self.writes += 1;
        let count = self.writes;
        for armed in &self.faults {
            match armed.fault {
                Fault::KillAfterWrite(write) if armed.writes + write == count => {
                    self.dead = true;
                    return Response::lost();
                }
                Fault::LoseAnswer(write) if armed.writes + write == count => return Response::lost(),
                _ => {}
            }
        }
        answer
    }

    /// Whether only the API has the diff.
    pub(crate) fn serves_no_git(&self) -> bool {
        self.faults.iter().any(|a| matches!(a.fault, Fault::NoGit))
    }

    /// From now on this goes wrong.
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.faults.push(Armed { fault, requests: self.requests, writes: self.writes, positions: self.positions });
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&mut self) {
        self.faults.clear();
        self.dead = false;
    }
}

/// The state of a fake; a test that has panicked elsewhere leaves it usable.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
