//! What the fake GitLab knows, and what its own rules make of it: versions, positions, notes.

use crate::forge::Fault;
use crate::forge::diff::Diffs;
use crate::forge::ground::Ground;
use crate::git_repo::git_in;
use serde_json::{Value, json};

pub(super) const PROJECT: &str = "group/sub/project";
pub(super) const PROJECT_ID: u64 = 42;
pub(super) const FORK_ID: u64 = 43;
pub(super) const IID: u64 = 7;
/// Of the merge request itself; ids exceed 31 bits on large instances.
pub(super) const REQUEST_ID: u64 = 5_000_000_007;

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
    /// GitLab's number of a role; `None`: no member.
    pub(super) level: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: u64,
    pub(super) base: String,
    pub(super) start: String,
    pub(super) head: String,
    pub(super) at: String,
}

#[derive(Debug, Clone)]
pub(super) struct NoteData {
    pub(super) id: u64,
    pub(super) kind: Option<&'static str>,
    pub(super) author: u64,
    pub(super) body: String,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) system: bool,
    pub(super) position: Option<Value>,
    /// The head that it was written on, whatever its position says now.
    pub(super) opened_on: String,
}

#[derive(Debug, Clone)]
pub(super) struct Discussion {
    pub(super) id: String,
    pub(super) individual: bool,
    pub(super) notes: Vec<NoteData>,
    pub(super) resolved_by: Option<(u64, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) id: u64,
    pub(super) author: u64,
    pub(super) note: String,
    pub(super) position: Option<Value>,
    pub(super) line_code: Option<String>,
    pub(super) reply_to: Option<String>,
    pub(super) resolve: bool,
    /// Why it will be lost when it is published.
    pub(super) wrong: Option<String>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) ground: Ground,
    /// What it says of itself, and the kinds of pipelines of the head.
    pub(super) version: String,
    pub(super) pipelines: Vec<&'static str>,
    /// Who may approve by the one rule that requires an approval; nobody: there is no such rule.
    pub(super) approvers: Vec<String>,
    pub(super) label_events: Vec<Value>,
    pub(super) users: Vec<User>,
    pub(super) versions: Vec<Version>,
    pub(super) discussions: Vec<Discussion>,
    pub(super) drafts: Vec<Draft>,
    pub(super) approvals: Vec<(u64, String)>,
    pub(super) statuses: Vec<Value>,
    pub(super) reviewer_state: Option<String>,
    pub(super) diffs: Diffs,
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
        let second = self.tick();
        format!("{second}.{:03}Z", self.clock % 1000)
    }

    pub(super) fn user(&self, id: u64) -> &User {
        self.users.iter().find(|u| u.id == id).expect("a user of this forge")
    }

    pub(super) fn user_json(&self, id: u64) -> Value {
        let user = self.user(id);
        json!({"id": user.id, "username": user.name, "name": user.name, "state": "active", "locked": false, "avatar_url": null,
               "web_url": format!("{}/{}", self.root, user.name)})
    }

    pub(super) fn head(&self) -> &Version {
        self.versions.last().expect("a first version")
    }

    /// The source branch as it stands in the repository becomes a new version; positions move along where they can.
    pub(super) fn take_push(&mut self) {
        let head = self.parse("refs/heads/topic");
        let start = self.parse(&format!("refs/heads/{}", self.target));
        let base = self.merge_base(&start, &head);
        git_in(&self.origin, &["update-ref", &format!("refs/merge-requests/{IID}/head"), &head]);
        let (id, at) = (self.id(), self.now());
        let version = Version { id, base, start, head, at };
        let before = self.versions.last().cloned();
        if before.as_ref().is_some_and(|b| (&b.head, &b.base) == (&version.head, &version.base)) {
            return;
        }
        self.versions.push(version.clone());
        if let Some(before) = before {
            for index in 0..self.discussions.len() {
                self.move_thread(index, &before, &version);
            }
        }
    }

    /// Moves a thread's position to the new version, as the real server does; leaves it where it was, with a system note
    /// inside the thread, where the line is gone.
    fn move_thread(&mut self, index: usize, before: &Version, now: &Version) {
        let Some(position) = self.discussions[index].notes[0].position.clone() else { return };
        if position["head_sha"] != json!(before.head) {
            return;
        }
        match self.moved(&position, before, now) {
            Some(moved) => {
                for note in self.discussions[index].notes.iter_mut().filter(|n| n.position.is_some()) {
                    note.position = Some(moved.clone());
                }
            }
            None => {
                let number = self.versions.len();
                let (id, at) = (self.id(), self.now());
                let opened_on = now.head.clone();
                self.discussions[index].notes.push(NoteData {
                    id,
                    kind: Some("DiffNote"),
                    author: self.users.iter().find(|u| u.name == "author").expect("an author").id,
                    body: format!("changed this line in [version {number} of the diff](/group)"),
                    created: at.clone(),
                    updated: at,
                    system: true,
                    position: None,
                    opened_on,
                });
            }
        }
    }

    fn moved(&mut self, position: &Value, before: &Version, now: &Version) -> Option<Value> {
        let origin = self.origin.clone();
        let new_side = position["new_line"].is_u64() || position["position_type"] == "file";
        let (from, to) = if new_side { (&before.head, &now.head) } else { (&before.base, &now.base) };
        let path = position[if new_side { "new_path" } else { "old_path" }].as_str()?.to_owned();
        // Where the file and line are in the new commit of the same side.
        let moved_file = self.diffs.files(&origin, from, to).iter().find(|f| f.old_path == path).cloned();
        let path_now = match &moved_file {
            Some(f) if f.status == 'D' => return None,
            Some(f) => f.new_path.clone(),
            None => path,
        };
        let line_now = match position[if new_side { "new_line" } else { "old_line" }].as_u64() {
            None => None,
            Some(line) => Some(match &moved_file {
                None => line as u32,
                Some(f) => self.diffs.lines(&origin, from, to, f).iter().find(|l| l.kind == b' ' && u64::from(l.old) == line)?.new,
            }),
        };
        // Where they are in the new version's diff.
        let file = self
            .diffs
            .files(&origin, &now.base, &now.head)
            .iter()
            .find(|f| if new_side { f.new_path == path_now } else { f.old_path == path_now })
            .cloned()?;
        let mut moved = json!({"position_type": position["position_type"], "base_sha": now.base, "start_sha": now.start, "head_sha": now.head,
            "old_path": file.old_path, "new_path": file.new_path, "old_line": null, "new_line": null, "line_range": null});
        if let Some(line) = line_now {
            let lines = self.diffs.lines(&origin, &now.base, &now.head, &file);
            let at = lines.iter().find(|l| if new_side { l.kind != b'-' && l.new == line } else { l.kind != b'+' && l.old == line })?;
            if at.kind != b'+' {
                moved["old_line"] = json!(at.old);
            }
            if at.kind != b'-' {
                moved["new_line"] = json!(at.new);
            }
        }
        Some(moved)
    }

    /// Whether a new position is refused by a fault; counts it.
    fn refused_by_fault(&mut self) -> bool {
        self.positions += 1;
        let count = self.positions;
        self.faults.iter().any(|a| matches!(a.fault, Fault::RefuseEvery(n) if (count - a.positions).is_multiple_of(n)))
    }

    /// A position's line code (`None` for a note on a file); the reason where it is wrong.
    pub(super) fn line_code(&mut self, position: &Value) -> Result<Option<String>, String> {
        if self.refused_by_fault() {
            return Err("refused by the test".to_owned());
        }
        let text = |key: &str| position[key].as_str().unwrap_or_default().to_owned();
        let (base, start, head) = (text("base_sha"), text("start_sha"), text("head_sha"));
        if !self.versions.iter().any(|v| (&v.base, &v.start, &v.head) == (&base, &start, &head)) {
            return Err(format!("no version of these commits: {position}"));
        }
        let origin = self.origin.clone();
        match position["position_type"].as_str() {
            Some("text") => self.diffs.line_code(&origin, position).map(Some),
            Some("file") => {
                let (old, new) = (text("old_path"), text("new_path"));
                let known = self.diffs.files(&origin, &base, &head).iter().any(|f| f.old_path == old && f.new_path == new);
                known.then_some(None).ok_or_else(|| format!("no such file in the diff: {old} -> {new}"))
            }
            _ => Err("position_type is missing".to_owned()),
        }
    }

    /// What a text of the token's user would do.
    pub(super) fn watch(&mut self, author: u64, body: &str) {
        let author = self.user(author).name.clone();
        self.ground.watch(&author, body);
    }

    /// A new discussion of one note.
    pub(super) fn open(&mut self, author: u64, body: &str, position: Option<Value>, individual: bool) -> usize {
        self.watch(author, body);
        let (id, at) = (self.id(), self.now());
        let kind = match (individual, &position) {
            (true, _) => None,
            (false, Some(_)) => Some("DiffNote"),
            (false, None) => Some("DiscussionNote"),
        };
        let opened_on = position.as_ref().and_then(|p| p["head_sha"].as_str()).unwrap_or(&self.head().head).to_owned();
        let position = position.map(|mut p| {
            for key in ["old_line", "new_line", "line_range"] {
                p[key] = p.get(key).cloned().unwrap_or_default();
            }
            p
        });
        let note = NoteData { id, kind, author, body: body.to_owned(), created: at.clone(), updated: at, system: false, position, opened_on };
        let discussion = Discussion { id: format!("{:040x}", id * 7919), individual, notes: vec![note], resolved_by: None };
        self.discussions.push(discussion);
        self.discussions.len() - 1
    }

    /// One more note in a discussion; it does not change whether that is resolved.
    pub(super) fn answer(&mut self, author: u64, discussion: usize, body: &str) -> u64 {
        self.watch(author, body);
        let (id, at) = (self.id(), self.now());
        let first = self.discussions[discussion].notes[0].clone();
        let kind = first.kind.or(Some("DiscussionNote"));
        let opened_on = self.head().head.clone();
        let note = NoteData {
            id,
            kind,
            author,
            body: body.to_owned(),
            created: at.clone(),
            updated: at,
            system: false,
            position: first.position,
            opened_on,
        };
        let d = &mut self.discussions[discussion];
        d.individual = false;
        d.notes.push(note);
        id
    }

    pub(super) fn find_discussion(&self, id: &str) -> Option<usize> {
        self.discussions.iter().position(|d| d.id == id)
    }

    /// Discussion and note of an id.
    pub(super) fn find_note(&self, id: u64) -> Option<(usize, usize)> {
        self.discussions.iter().enumerate().find_map(|(i, d)| Some((i, d.notes.iter().position(|n| n.id == id)?)))
    }

    /// Publishes a draft; one with a wrong position is gone without a word.
    pub(super) fn publish(&mut self, draft: Draft) {
        if draft.wrong.is_some() {
            return;
        }
        match draft.reply_to.as_deref().and_then(|id| self.find_discussion(id)) {
            Some(at) => {
                self.answer(draft.author, at, &draft.note);
                let by = (draft.author, self.now());
                self.discussions[at].resolved_by = draft.resolve.then_some(by);
            }
            None => {
                self.open(draft.author, &draft.note, draft.position, false);
            }
        }
    }
}
