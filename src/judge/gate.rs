//! The gate of a whole review: which findings fail it, and how a run ends.

use super::verdict;
use crate::report::{Outcome, Review};

impl Review {
    /// Whether one of `findings`, by its index, fails the gate: at or above the threshold of its path, else of all.
    pub fn fails(&self, index: usize) -> bool {
        let own = self.path_fail_on.get(index).copied().flatten();
        let least = own.unwrap_or(self.fail_on);
        self.findings.get(index).zip(least).is_some_and(|(finding, least)| verdict::fails(finding, least))
    }

    /// Sets the outcome from findings and thresholds; `inconclusive`: something that should have been looked at was not. A gate
    /// that was opened by hand fails nothing.
    pub fn conclude(&mut self, inconclusive: bool) {
        let fails = (0..self.findings.len()).any(|i| self.fails(i));
        self.outcome = match (fails && self.override_.is_none(), inconclusive) {
            (true, _) => Outcome::Fail,
            (false, true) => Outcome::Inconclusive,
            (false, false) => Outcome::Pass,
        };
    }
}
