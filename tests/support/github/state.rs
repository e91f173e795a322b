//! What the fake GitHub knows, and what its own rules make of it: hunks, comments, reviews, pushes.

use crate::forge::Fault;
use crate::forge::diff::Diffs;
use crate::forge::ground::Ground;
use crate::git_repo::git_in;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

pub(super) const PROJECT: &str = "octo/app";
pub(super) const FORK: &str = "fork/app";
pub(super) const NUMBER: u64 = 7;

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
    /// GitHub's word for the role; `none`: no collaborator.
    pub(super) role: &'static str,
}

/// A comment, on code where `path` is set.
#[derive(Debug, Clone)]
pub(super) struct CommentData {
    pub(super) id: u64,
    pub(super) author: u64,
    pub(super) body: String,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) reply_to: Option<u64>,
    pub(super) path: Option<String>,
    /// Start, line, `LEFT` or `RIGHT`; `None`: on the file.
    pub(super) place: Option<(Option<u32>, u32, &'static str)>,
    /// The line is gone.
    pub(super) outdated: bool,
    pub(super) opened_on: String,
    pub(super) review: u64,
    pub(super) folded: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) id: u64,
    pub(super) author: u64,
    pub(super) state: &'static str,
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) ground: Ground,
    /// Scopes of classic tokens.
    pub(super) scopes: &'static str,
    pub(super) events: Vec<Value>,
    pub(super) users: Vec<User>,
    pub(super) base: String,
    pub(super) start: String,
    pub(super) head: String,
    pub(super) comments: Vec<CommentData>,
    pub(super) reviews: Vec<Review>,
    /// Threads by their first comment: who resolved it.
    pub(super) resolved: HashMap<u64, u64>,
    pub(super) checks: Vec<Value>,
    pub(super) diffs: Diffs,
    /// Headers of hunks by base, head and path.
    pub(super) hunks: HashMap<(String, String, String), Vec<String>>,
    /// Places in the order in which they were first seen, for refusing every nth.
    pub(super) places: Vec<String>,
    /// How long a minute is, and the requests that created content within the last one.
    pub(super) minute: Duration,
    pub(super) created: VecDeque<Instant>,
    pub(super) busiest: usize,
    /// More than this many lines of diff are answered with 406.
    pub(super) max_diff_lines: usize,
}

impl std::ops::Deref for State {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl std::ops::DerefMut for State {
    fn deref_mut(&mut self) -> &mut Ground {
        &mut self.ground
    }
}

impl State {
    pub(super) fn now(&mut self) -> String {
        format!("{}Z", self.tick())
    }

    pub(super) fn user(&self, id: u64) -> &User {
        self.users.iter().find(|u| u.id == id).expect("a user of this forge")
    }

    pub(super) fn watch(&mut self, author: u64, body: &str) {
        let author = self.user(author).name.clone();
        self.ground.watch(&author, body);
    }

    /// The source branch as it stands in the repository becomes the head; comments move along where their line lives on.
    pub(super) fn take_push(&mut self) {
        let (before_base, before_head) = (self.base.clone(), self.head.clone());
        self.head = self.parse("refs/heads/topic");
        self.start = self.parse(&format!("refs/heads/{}", self.target));
        self.base = self.merge_base(&self.start, &self.head);
        let head = self.head.clone();
        git_in(&self.origin, &["update-ref", &format!("refs/pull/{NUMBER}/head"), &head]);
        if before_head.is_empty() {
            return;
        }
        let (base, origin) = (self.base.clone(), self.origin.clone());
        for at in 0..self.comments.len() {
            let Some((start, line, side)) = self.comments[at].place.filter(|_| !self.comments[at].outdated) else { continue };
            let path = self.comments[at].path.clone().expect("it is on code");
            let (from, to) = if side == "LEFT" { (&before_base, &base) } else { (&before_head, &head) };
            let file = self.diffs.files(&origin, from, to).iter().find(|f| f.old_path == path).cloned();
            let Some(file) = file else { continue };
            let lines = self.diffs.lines(&origin, from, to, &file);
            let now = |n: u32| lines.iter().find(|l| l.kind == b' ' && l.old == n).map(|l| l.new);
            let comment = &mut self.comments[at];
            match (file.status, now(line)) {
                ('D', _) | (_, None) => comment.outdated = true,
                (_, Some(line)) => {
                    comment.place = Some((start.and_then(now), line, side));
                    comment.path = Some(file.new_path);
                }
            }
        }
    }

    /// Whether a fault refuses this place: every nth that is seen for the first time, and that one for ever.
    fn refused_by_fault(&mut self, place: &str) -> bool {
        let index = self.places.iter().position(|p| p == place).unwrap_or_else(|| {
            self.places.push(place.to_owned());
            self.places.len() - 1
        });
        self.faults.iter().any(|a| matches!(a.fault, Fault::RefuseEvery(n) if (index + 1).is_multiple_of(n)))
    }

    /// A comment on code as a request has it, checked against git's own hunks; or why it is refused.
    pub(super) fn comment_of(&mut self, author: u64, json: &Value, head: &str, review: u64) -> Result<CommentData, String> {
        let body = json["body"].as_str().filter(|b| !b.trim().is_empty()).ok_or("body is missing")?.to_owned();
        if body.chars().count() > 65_536 {
            return Err("body is too long (maximum is 65536 characters)".into());
        }
        if head != self.head {
            return Err("commit_id is not the head of the pull request".into());
        }
        let path = json["path"].as_str().ok_or("path is missing")?.to_owned();
        let (origin, base) = (self.origin.clone(), self.base.clone());
        let file = self.diffs.files(&origin, &base, head).iter().find(|f| f.new_path == path).cloned().ok_or("Path could not be resolved")?;
        let place = match (json["subject_type"].as_str(), json["line"].as_u64()) {
            (Some("file"), None) => None,
            (None | Some("line"), Some(line)) => Some(self.place_of(&file.old_path, &path, line as u32, json)?),
            _ => return Err("Line could not be resolved".into()),
        };
        let key =
            format!("{path} {}", place.map_or(format!("file {body}"), |(_, line, side)| format!("{side} {line} {body}").chars().take(24).collect()));
        if self.refused_by_fault(&key) {
            return Err("Line could not be resolved".into());
        }
        let (id, at) = (self.id(), self.now());
        Ok(CommentData {
            id,
            author,
            body,
            created: at.clone(),
            updated: at,
            reply_to: None,
            path: Some(path),
            place,
            outdated: false,
            opened_on: head.to_owned(),
            review,
            folded: false,
        })
    }

    fn place_of(&mut self, old: &str, new: &str, line: u32, json: &Value) -> Result<(Option<u32>, u32, &'static str), String> {
        let side = match json["side"].as_str() {
            Some("LEFT") => "LEFT",
            Some("RIGHT") | None => "RIGHT",
            _ => return Err("side is not included in the list".into()),
        };
        let start = json["start_line"].as_u64().map(|n| n as u32);
        let key = (self.base.clone(), self.head.clone(), new.to_owned());
        let text = self.hunks.entry(key).or_insert_with(|| {
            let text = git_in(&self.ground.origin, &["diff", "-M", "--no-color", "-U3", &self.base, &self.head, "--", old, new]);
            String::from_utf8_lossy(&text).lines().filter(|l| l.starts_with("@@")).map(str::to_owned).collect()
        });
        let sign = if side == "LEFT" { '-' } else { '+' };
        let hunk = text.iter().find_map(|l| {
            let range = l.split(' ').find_map(|w| w.strip_prefix(sign))?;
            let (from, count) = range.split_once(',').unwrap_or((range, "1"));
            let (from, count): (u32, u32) = (from.parse().ok()?, count.parse().ok()?);
            (line >= from && line < from + count).then_some((from, from + count))
        });
        let (from, end) = hunk.ok_or("Line could not be resolved")?;
        match start {
            None => Ok((None, line, side)),
            Some(start) if start >= line => Err("start_line must precede the end line".into()),
            Some(_) if json["start_side"].as_str().is_some_and(|s| s != side) => Err("start_side differs".into()),
            Some(start) if (from..end).contains(&start) => Ok((Some(start), line, side)),
            Some(_) => Err("Start line must be part of the same hunk as the line".into()),
        }
    }

    /// A comment that is part of the talk outside of the code, or an answer in a thread.
    pub(super) fn say(&mut self, author: u64, body: &str, reply_to: Option<u64>) -> u64 {
        self.watch(author, body);
        let (id, at) = (self.id(), self.now());
        let first = reply_to.and_then(|id| self.comments.iter().find(|c| c.id == id)).cloned();
        let path = first.as_ref().and_then(|f| f.path.clone());
        let (place, opened_on) = first.as_ref().map_or((None, self.head.clone()), |f| (f.place, f.opened_on.clone()));
        let outdated = first.is_some_and(|f| f.outdated);
        self.comments.push(CommentData {
            id,
            author,
            body: body.to_owned(),
            created: at.clone(),
            updated: at,
            reply_to,
            path,
            place,
            outdated,
            opened_on,
            review: 0,
            folded: false,
        });
        id
    }

    /// The first comment of the thread that an id names: its node id, or a number of one of its comments.
    pub(super) fn thread(&self, id: &str) -> Option<u64> {
        let number: u64 = id.trim_start_matches("PRRT_").parse().ok()?;
        let comment = self.comments.iter().find(|c| c.id == number && c.path.is_some())?;
        Some(comment.reply_to.unwrap_or(comment.id))
    }

    /// Whether comments of an unpublished review are seen by this caller.
    pub(super) fn is_seen(&self, comment: &CommentData, by: u64) -> bool {
        self.reviews.iter().all(|r| r.id != comment.review || r.state != "PENDING" || r.author == by)
    }

    /// One more request that creates content: whether the limit lets it pass.
    pub(super) fn may_create(&mut self) -> bool {
        let now = Instant::now();
        while self.created.front().is_some_and(|then| now.duration_since(*then) >= self.minute) {
            self.created.pop_front();
        }
        self.created.push_back(now);
        self.busiest = self.busiest.max(self.created.len());
        self.created.len() <= 80
    }

    pub(super) fn user_json(&self, id: u64) -> Value {
        let user = self.user(id);
        let bot = user.name == crate::forge::BOT;
        let login = if bot { format!("{}[bot]", user.name) } else { user.name.clone() };
        json!({"id": user.id, "login": login, "node_id": format!("U_{}", user.id), "type": if bot { "Bot" } else { "User" },
            "site_admin": false, "url": format!("{}/api/v3/users/{login}", self.root), "html_url": format!("{}/{login}", self.root)})
    }
}
