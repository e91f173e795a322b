//! Facts that code can read off files nobody reviews line by line.
//!
//! A fact is a statement about the change. Those of lock files are told to reviewers, who weigh them; those
//! [across files](across) are findings of a rule.

pub mod across;
pub mod lockfile;
