//! What one round leaves for the next: the [`State`] in the summary, a [`Record`] in each thread.

use super::gate::Gate;
use crate::diff::Side;
use crate::findings::{Category, FindingSource, Severity};
use crate::path::RepoPath;
use crate::report::Outcome;

/// What became of a finding so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It stands.
    Open,
    /// It is gone.
    Fixed,
    /// A human settled it.
    Settled,
    /// A human argued, and the reviewer that told it did not repeat it.
    Withdrawn,
}

/// Where a finding stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// First and last line of its side; the quote as written, or with other white space (`moved`).
    Lines {
        /// First line, 1-based.
        start: u32,
        /// Last line, at least `start`.
        end: u32,
        /// Found with other white space only.
        moved: bool,
    },
    /// The file, on no line.
    File,
    /// Not even the file is part of the change.
    Nowhere,
}

impl Place {
    /// First and last line, where it has some.
    pub fn lines(self) -> Option<(u32, u32)> {
        match self {
            Place::Lines { start, end, .. } => Some((start, end)),
            Place::File | Place::Nowhere => None,
        }
    }
}

/// A finding of an earlier round: what it takes to know it again, and to tell it again without its reviewer.
/// Its texts are a stranger's: whoever shows them sanitises them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// See [`crate::findings::fingerprint`].
    pub fingerprint: String,
    /// The rule that it cites.
    pub rule: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of trouble.
    pub category: Category,
    /// Who told it: the reviewer's id, `rules` for a hit.
    pub reviewer: String,
    /// Who else did.
    pub also: Vec<String>,
    /// Rule or model.
    pub source: FindingSource,
    /// What breaks, in a line. Cut where the state would become too large.
    pub title: String,
    /// The whole telling. Empty in threads, and where the state would become too large.
    pub body: String,
    /// The file.
    pub path: RepoPath,
    /// Its path before the change, where it was renamed.
    pub old_path: Option<RepoPath>,
    /// Which side its lines are on.
    pub side: Side,
    /// Where it stood, in the change up to `head`.
    pub place: Place,
    /// What [`super::pack::code`] makes of the lines it is about; empty where it has none.
    pub code: String,
    /// The symbol around it; empty where there is none.
    pub symbol: String,
    /// What became of it.
    pub status: Status,
    /// Who settled it: a login, to be shown.
    pub by: Option<String>,
    /// It is settled, but not by somebody whom the gate listens to: it still counts for the gate.
    pub gates: bool,
    /// The round that first told it.
    pub round: u32,
    /// So many replies of humans in its thread its reviewer has heard.
    pub heard: u32,
    /// The head that `place` is of. It stands in the marker, not in the payload.
    pub head: String,
}

/// What a round leaves. Not trusted for being read: [`super::Memory::trusted`] says whether it may be.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Which round wrote it, from 1.
    pub round: u32,
    /// The reviewed head. It stands in the marker, not in the payload.
    pub head: String,
    /// The merge base.
    pub base: String,
    /// The tip of the target branch, as the forge gave it.
    pub start: String,
    /// The commit that policy came from.
    pub policy_sha: Option<String>,
    /// The configuration in force.
    pub config_digest: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What the process exited with.
    pub exit: u8,
    /// Whether everything that should have been looked at was.
    pub complete: bool,
    /// What its gate was made from. `None` until it is published, and in states that were written without.
    pub gate: Option<Gate>,
    /// What all rounds so far cost, of models that have a price; `None` where none had.
    pub spent_usd: Option<f64>,
    /// The human events that were taken into account, see [`super::Memory::events`].
    pub events: String,
    /// All findings so far.
    pub findings: Vec<Record>,
    /// The files that complete rounds have reviewed, as [`super::pack::file_tag`] names contents.
    pub files: Vec<String>,
}
