//! A merge request for tests: people, a key, findings, comments.

use super::marker::{Kind, Trust, marker};
use super::pack::code;
use super::state::{Place, Record, State, Status};
use crate::diff::Side;
use crate::findings::fingerprint::fingerprint;
use crate::findings::{Category, FindingSource, Severity};
use crate::forge::{Comment, Conversation, MergeRequest, Provenance, Target, Thread, User};
use crate::path::RepoPath;
use crate::report::Outcome;
use std::sync::LazyLock;

pub(crate) const KEY: &[u8] = b"a state key of the operator";
/// Our own user, and the people around the merge request.
pub(crate) const BOT: u64 = 7;
pub(crate) const AUTHOR: u64 = 20;
pub(crate) const DEVELOPER: u64 = 21;
pub(crate) const MAINTAINER: u64 = 22;
pub(crate) const STRANGER: u64 = 23;

pub(crate) static TARGET: LazyLock<Target> =
    LazyLock::new(|| Target { forge: "test", host: "forge.example".to_owned(), project: "group/project".to_owned(), number: 7 });

/// A commit's id made of one hex digit.
pub(crate) fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

pub(crate) fn trust(key: Option<&'static [u8]>) -> Trust<'static> {
    Trust { key, ours: &[BOT], target: &TARGET }
}

pub(crate) fn user(id: u64) -> User {
    let name = match id {
        BOT => "review-bot",
        AUTHOR => "author",
        DEVELOPER => "developer",
        MAINTAINER => "maintainer",
        _ => "stranger",
    };
    User { id, name: name.to_owned(), bot: id == BOT }
}

pub(crate) fn comment(id: &str, by: u64, body: &str) -> Comment {
    Comment { id: id.to_owned(), author: user(by), body: body.to_owned(), edited: false, created: String::new(), system: false }
}

/// A thread of ours about a record, with further comments.
pub(crate) fn thread(id: &str, record: &Record, key: Option<&'static [u8]>, replies: &[(u64, &str)]) -> Thread {
    let body = format!("**{}**\n\n{}", record.title, marker(Kind::Thread, &record.payload(), &record.head, &trust(key)));
    let first = comment(&format!("{id}.0"), BOT, &body);
    let later = replies.iter().enumerate().map(|(i, (by, text))| comment(&format!("{id}.{}", i + 1), *by, text));
    Thread {
        id: id.to_owned(),
        comments: std::iter::once(first).chain(later).collect(),
        place: None,
        resolvable: true,
        resolved: false,
        resolved_by: None,
    }
}

/// The summary that holds a state.
pub(crate) fn summary(id: &str, state: &State, key: Option<&'static [u8]>) -> Comment {
    comment(id, BOT, &format!("## Review\n\n{}", marker(Kind::Summary(1), &state.payload(), &state.head, &trust(key))))
}

pub(crate) fn conversation(comments: Vec<Comment>, threads: Vec<Thread>) -> Conversation {
    Conversation { comments, threads }
}

/// A model's open finding on one line of a file, told at head `a` in round 1.
pub(crate) fn record(title: &str, severity: Severity, path: &str, line: u32, quote: &str) -> Record {
    Record {
        fingerprint: fingerprint(None, quote, None, 0),
        rule: None,
        severity,
        category: Category::Quality,
        reviewer: "quality".to_owned(),
        also: Vec::new(),
        source: FindingSource::Model,
        title: title.to_owned(),
        body: format!("{title}: because of that."),
        path: RepoPath::from(path),
        old_path: None,
        side: Side::New,
        place: Place::Lines { start: line, end: line, moved: false },
        code: code(quote),
        symbol: String::new(),
        status: Status::Open,
        by: None,
        gates: false,
        round: 1,
        heard: 0,
        head: sha('a'),
    }
}

/// A complete first round at head `a`.
pub(crate) fn state(findings: Vec<Record>) -> State {
    State {
        round: 1,
        head: sha('a'),
        base: sha('b'),
        start: sha('c'),
        policy_sha: Some(sha('c')),
        config_digest: "d1".repeat(32),
        outcome: Outcome::Pass,
        exit: 0,
        complete: true,
        gate: None,
        spent_usd: Some(0.25),
        events: String::new(),
        findings,
        files: Vec::new(),
    }
}

/// The merge request of [`state`]'s round.
pub(crate) fn merge_request() -> MergeRequest {
    MergeRequest {
        title: "A change".to_owned(),
        description: String::new(),
        author: user(AUTHOR),
        draft: false,
        open: true,
        labels: Vec::new(),
        provenance: Provenance::Same,
        target_branch: "main".to_owned(),
        target_protected: true,
        default_branch: "main".to_owned(),
        policy_sha: Some(sha('c')),
        source_branch: "topic".to_owned(),
        base_sha: sha('b'),
        start_sha: sha('c'),
        head_sha: sha('a'),
        head_ref: "refs/changes/7/head".to_owned(),
        changed_files: None,
        threads_must_resolve: false,
        clone_url: "https://forge.example/group/project.git".to_owned(),
        web_url: "https://forge.example/group/project/7".to_owned(),
    }
}
