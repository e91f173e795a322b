//! Facts that code can read off files nobody reviews line by line.
//!
//! A fact is a statement about the change, not a finding: reviewers and people weigh it.

pub mod lockfile;
