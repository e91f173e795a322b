//! `tribune`: a CI-native code review agent.
//!
//! The modules read top to bottom as the pipeline: a [`change`] is read through [`git`] and parsed
//! by [`diff`]; [`risk`] filters noise and picks a tier; [`rules`] run; [`context`] packs what the
//! [`reviewers`] are shown through the [`gateway`]; [`findings`] anchors what they say; [`judge`]
//! merges and weighs it; [`report`] renders it; a [`forge`] is where merge requests are read and comments go.
//! [`pipeline`] holds these stages in order. An [`audit`] looks at a whole tree instead of a change.
//!
//! The engine never prints: it emits [`telemetry`] events, and reports take a writer.

pub mod audit;
pub mod change;
pub mod cli;
pub mod config;
pub mod context;
pub mod date;
pub mod diff;
pub mod distill;
pub mod doctor;
pub mod error;
pub mod findings;
pub mod forge;
pub mod gateway;
pub mod git;
pub mod history;
pub mod http;
pub mod judge;
pub mod lang;
pub mod path;
pub mod pipeline;
mod platform;
pub mod publish;
pub mod report;
pub mod retract;
pub mod reviewers;
pub mod risk;
pub mod rules;
pub mod run;
pub mod secrets;
pub mod telemetry;
pub mod text;
mod threads;
