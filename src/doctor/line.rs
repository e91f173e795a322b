//! One check and how it came out.

use crate::error::{Exit, UserError};
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, with a reservation.
    Warning,
    /// It stops a review, or keeps its result from being posted.
    Problem,
    /// There is nothing to check here.
    NotApplicable,
}

impl State {
    /// As it is shown.
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
            State::NotApplicable => "-",
        }
    }
}

/// A check. Its texts may hold a stranger's words, but never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What was checked, in a word or two.
    pub name: String,
    /// How it came out.
    pub state: State,
    /// The facts; of a problem its cause.
    pub told: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What a problem makes the exit code; of a warning what it would be, were this run to post.
    #[serde(skip)]
    pub exit: Exit,
}

impl Line {
    fn new(state: State, name: impl Into<String>, told: impl Into<String>) -> Self {
        Self { name: name.into(), state, told: told.into(), fix: None, exit: Exit::Pass }
    }

    /// As it should be.
    pub fn ok(name: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(State::Ok, name, told)
    }

    /// It works, with a reservation.
    pub fn warning(name: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(State::Warning, name, told)
    }

    /// There is nothing to check.
    pub fn idle(name: impl Into<String>, told: impl Into<String>) -> Self {
        Self::new(State::NotApplicable, name, told)
    }

    /// It stops a review or its posting: why, and what to do.
    pub fn problem(name: impl Into<String>, told: impl Into<String>, fix: impl Into<String>, exit: Exit) -> Self {
        Self { fix: Some(fix.into()), exit, ..Self::new(State::Problem, name, told) }
    }

    /// What a run would end with.
    pub fn of_error(name: impl Into<String>, error: &UserError) -> Self {
        Self::problem(name, format!("{}: {}", error.title, error.cause), error.fix.clone(), error.exit)
    }

    /// With what to do about it.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}
