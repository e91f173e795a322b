//! What a round starts from: the memory, the merge request, who may what, and how each earlier finding stands after what humans did.

use super::humans::{Humans, Roles};
use super::read::{Known, Memory};
use super::round::{Stored, events, unchanged};
use super::state::{Record, Status};
use crate::findings::FindingSource;
use crate::forge::{MergeRequest, Role, Target};
use crate::report::Review;

/// Everything that earlier rounds and the forge tell a run.
#[derive(Debug, Clone)]
pub struct Past {
    /// Which merge request.
    pub target: Target,
    /// The merge request as it stands.
    pub mr: MergeRequest,
    /// What earlier rounds left.
    pub memory: Memory,
    /// The roles of those whom [`Memory::asked`] names.
    pub roles: Roles,
    /// Somebody asks for a full review: files that were reviewed before are shown again.
    pub full: bool,
}

/// An earlier finding as it stands before this round looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing<'a> {
    /// What reviewers call it: `P1` …
    pub id: String,
    /// What was told.
    pub record: &'a Record,
    /// Its thread.
    pub thread: Option<&'a Known>,
    /// Open, settled or withdrawn.
    pub status: Status,
    /// Who settled it.
    pub by: Option<String>,
    /// Settled, but it counts for the gate.
    pub gates: bool,
    /// How it was settled, in words.
    pub how: Option<String>,
}

impl Past {
    /// The number of the round that this run is.
    pub fn round(&self) -> u32 {
        self.memory.state.as_ref().map_or(0, |s| s.round).saturating_add(1)
    }

    /// What earlier rounds cost, so far as that can be believed.
    pub fn spent_usd(&self) -> Option<f64> {
        self.memory.state.as_ref().filter(|_| self.memory.trusted)?.spent_usd
    }

    /// What all rounds cost with this one, so far as that is known and can be believed.
    pub fn spent_after(&self, review: &Review) -> Option<f64> {
        match (self.spent_usd(), review.known_usd()) {
            (None, None) => None,
            (before, now) => Some(before.unwrap_or(0.0) + now.unwrap_or(0.0)),
        }
    }

    /// The head that was reviewed last.
    pub fn last_head(&self) -> Option<&str> {
        self.memory.state.as_ref().map(|s| s.head.as_str()).filter(|h| !h.is_empty())
    }

    /// See [`unchanged`].
    pub fn unchanged(&self, policy_sha: Option<&str>, config_digest: &str) -> Option<Stored> {
        unchanged(&self.memory, &self.mr, policy_sha, config_digest, self.full)
    }

    /// The human events that this run takes into account.
    pub(crate) fn events(&self) -> String {
        events(&self.memory, &self.mr, self.full)
    }

    /// What humans decided; see [`Memory::humans`].
    pub fn humans(&self, overriding: Role) -> Humans {
        self.memory.humans(&self.mr, &self.roles, overriding)
    }

    /// Earlier findings that are not fixed, each with what became of it. An open thread's evidence goes before what was stored; a
    /// memory that cannot be trusted settles nothing.
    pub fn standing<'a>(&'a self, humans: &Humans) -> Vec<Standing<'a>> {
        let mut out = Vec::new();
        for record in self.memory.records().into_iter().filter(|r| r.status != Status::Fixed) {
            let thread = self.memory.thread_of(record);
            let mut standing =
                Standing { id: format!("P{}", out.len() + 1), record, thread, status: Status::Open, by: None, gates: false, how: None };
            let settled = thread.filter(|t| t.trusted).and_then(|t| humans.settled.get(&t.thread.id));
            let stored = self.memory.stored(record) && (record.status == Status::Withdrawn || (record.status == Status::Settled && thread.is_none()));
            if let Some(settled) = settled {
                (standing.status, standing.gates) = (Status::Settled, settled.gates);
                (standing.by, standing.how) = (Some(settled.by.clone()), Some(settled.how.clone()));
            } else if stored {
                (standing.status, standing.gates, standing.by) = (record.status, record.gates, record.by.clone());
            }
            out.push(standing);
        }
        out
    }
}

impl Standing<'_> {
    /// Whether this reviewer told it.
    pub fn told_by(&self, reviewer: &str) -> bool {
        self.record.source == FindingSource::Model && (self.record.reviewer == reviewer || self.record.also.iter().any(|r| r == reviewer))
    }

    /// Whether humans have said something in its thread that its reviewer has not heard.
    pub fn unheard(&self) -> bool {
        self.thread.is_some_and(|t| t.replies > self.record.heard)
    }
}
