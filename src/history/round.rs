//! What a round says about earlier ones: what became of each earlier finding, who opened the gate by hand, and the state that
//! the next round will read.

use super::gate::Gate;
use super::read::Memory;
use super::state::{Record, State, Status};
use crate::findings::Severity;
use crate::forge::{MergeRequest, Role};
use crate::report::{Outcome, Review};
use sha2::{Digest as _, Sha256};

/// An earlier finding, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prior {
    /// Its fingerprint, as it is in this round.
    pub fingerprint: String,
    /// [`Status::Open`] is `persisting`.
    pub status: Status,
    /// Who settled it: a login.
    pub by: Option<String>,
    /// Its title. A stranger's text.
    pub title: String,
    /// How bad it was.
    pub severity: Severity,
    /// Its thread, where it has one.
    pub thread: Option<String>,
    /// Why it is fixed, or how it was settled; a sentence. May hold a stranger's text.
    pub why: Option<String>,
}

/// The gate was opened by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Who: a login.
    pub by: String,
    /// In which role.
    pub role: Role,
    /// Why, one line of a stranger's text.
    pub reason: String,
    /// For which head, whole.
    pub head: String,
}

/// What publishing writes into the summary: what the pipeline prepared, or for a review without it (another tool's report)
/// nothing but that there was a round.
pub fn next_state(review: &Review, memory: &Memory) -> State {
    match &review.next {
        Some(state) => State { outcome: review.outcome, exit: exit(review.outcome), gate: Some(Gate::of(review)), ..state.clone() },
        None => State {
            round: memory.state.as_ref().map_or(0, |s| s.round).saturating_add(1),
            head: review.change.head_sha.clone().unwrap_or_default(),
            base: review.change.base_sha.clone().unwrap_or_default(),
            start: String::new(),
            policy_sha: review.provenance.policy_sha.clone(),
            config_digest: review.provenance.config_digest.clone(),
            outcome: review.outcome,
            exit: exit(review.outcome),
            // Never believed to be unchanged.
            complete: false,
            gate: Some(Gate::of(review)),
            spent_usd: None,
            events: String::new(),
            findings: memory.records().into_iter().cloned().collect(),
            files: Vec::new(),
        },
    }
}

/// What an outcome exits with, delivery aside.
pub fn exit(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => crate::error::Exit::Pass.code(),
        Outcome::Fail => crate::error::Exit::Findings.code(),
        Outcome::Inconclusive => crate::error::Exit::Inconclusive.code(),
    }
}

/// An earlier round's outcome that still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// How it ended.
    pub outcome: Outcome,
    /// What it exited with.
    pub exit: u8,
    /// Which round it was.
    pub round: u32,
    /// What its gate was made from, where that is known.
    pub gate: Option<Gate>,
    /// Whether everything that should have been looked at was.
    pub complete: bool,
}

impl Stored {
    pub(super) fn of(state: &State) -> Self {
        Self { outcome: state.outcome, exit: state.exit, round: state.round, gate: state.gate, complete: state.complete }
    }
}

/// The stored outcome where nothing has changed since: the same head, target, policy, configuration, and no human event since.
/// Only a trusted state of a complete round can say so.
pub fn unchanged(memory: &Memory, mr: &MergeRequest, policy_sha: Option<&str>, config_digest: &str, full: bool) -> Option<Stored> {
    let state = memory.state.as_ref().filter(|s| memory.trusted && s.complete)?;
    let same = state.head == mr.head_sha
        && state.base == mr.base_sha
        && state.start == mr.start_sha
        && state.policy_sha.as_deref() == policy_sha
        && state.config_digest == config_digest
        && state.events == events(memory, mr, full);
    same.then(|| Stored::of(state))
}

/// A digest of what humans did so far: their comments, the threads that they resolved, whether the merge request is a draft, and
/// whether somebody asks for a full review.
pub(crate) fn events(memory: &Memory, mr: &MergeRequest, full: bool) -> String {
    let mut hash = Sha256::new();
    hash.update([u8::from(mr.draft), u8::from(full)]);
    hash.update(&memory.events);
    super::pack::hex(&hash.finalize(), 32)
}

/// Whether a label that asks to skip the review counts: only when a Maintainer set it.
pub fn skip_counts(setter: Option<Role>) -> bool {
    setter.is_some_and(|role| role >= Role::Maintainer)
}

impl Memory {
    /// What earlier rounds told: the newest state's findings, and those of threads that it does not know (a run was killed after
    /// it had opened them).
    pub fn records(&self) -> Vec<&Record> {
        let known = self.state.iter().flat_map(|s| &s.findings);
        let mut out: Vec<&Record> = known.collect();
        for thread in &self.threads {
            if !out.iter().any(|r| r.fingerprint == thread.record.fingerprint) && !thread.thread.resolved {
                out.push(&thread.record);
            }
        }
        out
    }

    /// Whether a record stands in a state that can be believed. What a thread alone says of itself settles nothing.
    pub(super) fn stored(&self, record: &Record) -> bool {
        self.trusted && self.state.iter().flat_map(|s| &s.findings).any(|r| r == record)
    }

    /// The thread of an earlier finding: the newest one that is open, else the newest. Where files hold the same code, it is one about
    /// the finding's own file; where that was renamed since, one about no other finding's.
    pub fn thread_of(&self, record: &Record) -> Option<&super::Known> {
        let others = || self.state.iter().flat_map(|s| &s.findings).filter(|r| r.fingerprint == record.fingerprint && r.path != record.path);
        let newest = |wanted: &dyn Fn(&super::Known) -> bool| {
            let of = || self.threads.iter().rev().filter(|t| t.record.fingerprint == record.fingerprint && wanted(t));
            of().find(|t| !t.thread.resolved).or_else(|| of().next())
        };
        newest(&|t| t.record.path == record.path).or_else(|| newest(&|t| others().all(|r| r.path != t.record.path)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::testing::{DEVELOPER, KEY, comment, conversation, merge_request, sha, state, summary, trust};
    use super::*;

    /// The memory of a round that heeded everything that is in `comments` so far.
    fn after(outcome: Outcome, key: Option<&'static [u8]>, comments: &[crate::forge::Comment]) -> Memory {
        let before = read(&conversation(comments.to_vec(), Vec::new()), &trust(Some(KEY)));
        let mut left = state(Vec::new());
        (left.outcome, left.exit, left.events) = (outcome, exit(outcome), events(&before, &merge_request(), false));
        let all = comments.iter().cloned().chain([summary("9", &left, key)]).collect();
        read(&conversation(all, Vec::new()), &trust(Some(KEY)))
    }

    #[test]
    fn the_same_again_ends_the_same() {
        let hello = comment("1", DEVELOPER, "Hello");
        let memory = after(Outcome::Fail, Some(KEY), &[hello]);
        let (mr, policy, digest) = (merge_request(), Some(sha('c')), "d1".repeat(32));
        let ask = |memory: &Memory, mr: &MergeRequest, full| unchanged(memory, mr, policy.as_deref(), &digest, full);
        assert_eq!(ask(&memory, &mr, false), Some(Stored { outcome: Outcome::Fail, exit: 1, round: 1, gate: None, complete: true }));
        for (what, other) in [
            ("head", MergeRequest { head_sha: sha('e'), ..mr.clone() }),
            ("base", MergeRequest { base_sha: sha('e'), ..mr.clone() }),
            ("target", MergeRequest { start_sha: sha('e'), ..mr.clone() }),
            ("draft", MergeRequest { draft: true, ..mr.clone() }),
        ] {
            assert_eq!(ask(&memory, &other, false), None, "{what}");
        }
        assert_eq!(ask(&memory, &mr, true), None);
        assert_eq!(unchanged(&memory, &mr, None, &digest, false), None);
        assert_eq!(unchanged(&memory, &mr, policy.as_deref(), "other", false), None);
        let mut later = memory.clone();
        later.events.push('1');
        assert_eq!(ask(&later, &mr, false), None);
        let mut incomplete = memory;
        incomplete.state.as_mut().expect("it has one").complete = false;
        assert_eq!(ask(&incomplete, &mr, false), None);
        // Nobody can say so without the key.
        assert_eq!(ask(&after(Outcome::Pass, None, &[]), &mr, false), None);
    }

    #[test]
    fn only_a_maintainer_skips() {
        assert_eq!([None, Some(Role::Reader), Some(Role::Developer), Some(Role::Maintainer)].map(skip_counts), [false, false, false, true]);
    }
}
