//! A whole tree against the Codex: how far each rule is followed, with evidence. Rules with a detector are checked by code over
//! all files ([`scan`]); the others by two auditors through the gateway, and a third where they differ ([`judge`]). The report is a pure function of
//! what was counted ([`verdict`]), so shards [merge](merge()) to what one run gives.
//!
//! It reads git objects, runs nothing of the tree, and posts nothing.

mod answer;
mod files;
mod judge;
mod markdown;
mod merge;
mod plan;
mod report;
mod run;
mod sarif;
mod scan;
mod state;
mod verdict;

pub use markdown::markdown;
pub use merge::{merge, with_threshold};
pub use report::*;
pub use run::{Options, run};
pub use sarif::sarif;
