//! What a user is told when a run cannot go on: a title, the cause, the fix, and the exit code.

use std::fmt;

/// The process's exit codes (DESIGN, Contract). Where several hold, [`Exit::worse`] orders them 2, 4, 1, 3, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Nothing fails the gate.
    Pass = 0,
    /// Findings fail the gate.
    Findings = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Something that should have been looked at was not.
    Inconclusive = 3,
    /// The change could not be read, or the result not delivered.
    Unreadable = 4,
}

impl Exit {
    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The one of two exits that a run with both ends with.
    pub fn worse(self, other: Exit) -> Exit {
        let rank = |e: Exit| match e {
            Exit::Usage => 4,
            Exit::Unreadable => 3,
            Exit::Findings => 2,
            Exit::Inconclusive => 1,
            Exit::Pass => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// An error that ends the run, told to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// One line: what did not work.
    pub title: String,
    /// Why, with the facts at hand. May have several lines.
    pub cause: String,
    /// What to do about it. May have several lines.
    pub fix: String,
    /// What the process exits with.
    pub exit: Exit,
}

impl UserError {
    /// An error of usage or configuration (exit 2).
    pub fn usage(title: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { title: title.into(), cause: cause.into(), fix: fix.into(), exit: Exit::Usage }
    }

    /// The change could not be read or the result not written (exit 4).
    pub fn unreadable(title: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { title: title.into(), cause: cause.into(), fix: fix.into(), exit: Exit::Unreadable }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.cause)
    }
}

impl std::error::Error for UserError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_are_ordered_as_the_contract_says() {
        let order = [Exit::Usage, Exit::Unreadable, Exit::Findings, Exit::Inconclusive, Exit::Pass];
        for (i, a) in order.iter().enumerate() {
            for b in &order[i..] {
                assert_eq!(a.worse(*b), *a);
                assert_eq!(b.worse(*a), *a);
            }
        }
    }
}
