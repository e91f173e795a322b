//! What a change deserves: which files are noise, which tier it is, and the ledger that says what
//! became of every file. Names and markers are the author's choice, so none of them alone hides a file.

mod attributes;
mod base;
mod evidence;
mod kinds;
mod ledger;
mod minified;
mod noise;
mod signals;
#[cfg(test)]
mod testing;
mod tier;
mod words;

pub use attributes::Attributes;
pub use kinds::{is_migration, is_policy};
pub use ledger::{Ledger, inconclusive};
pub use noise::{Noise, NoiseFilter, NoiseKind};
pub use signals::{Signal, signals};
pub use tier::{TierChoice, choose_tier};

/// Compiles all tables, for which the first file would have to wait otherwise.
pub fn compile() {
    kinds::compile();
    noise::compile();
    signals::compile();
    words::compile();
}

use crate::path::RepoPath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much review a change gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// One generalist pass.
    Trivial,
    /// The reviewers that nearly always pay.
    Lite,
    /// All of them.
    Full,
}

impl Tier {
    /// Its name as in configuration and reports.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Trivial => "trivial",
            Tier::Lite => "lite",
            Tier::Full => "full",
        }
    }
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CoverageStatus {
    /// All of it was looked at, by whom the entry names.
    Reviewed,
    /// Left out as noise, for the reason given.
    Filtered,
    /// Some of it was not looked at, for the reason given.
    Partial,
    /// None of it was looked at, for the reason given.
    Failed,
}

/// One line of the coverage ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The file (new path; old path if deleted).
    pub path: RepoPath,
    /// What became of it.
    pub status: CoverageStatus,
    /// Why, for anything but `Reviewed`.
    pub reason: Option<String>,
    /// Who looked: `rules` and reviewers' ids, sorted.
    pub reviewers: Vec<String>,
    /// A `Partial` only for a documented bound on the file itself: it does not make the run inconclusive.
    pub bounded: bool,
}
