//! What a round's gate was made from, kept so that another threshold can be put to the same round: who gates in a job of its own
//! may change `fail-on` while nothing else changes.

use super::round::Stored;
use crate::findings::Severity;
use crate::judge::verdict;
use crate::report::{Outcome, Review};

/// What decides over a gate, the threshold aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gate {
    /// The worst of the findings that can fail it and whose path has no threshold of its own.
    pub worst: Option<Severity>,
    /// A finding fails it at its own path's threshold.
    pub own: bool,
    /// Somebody has opened it by hand for this head.
    pub opened: bool,
}

impl Gate {
    /// What a review's findings mean for the gate.
    pub(super) fn of(review: &Review) -> Self {
        let mut gate = Self { opened: review.override_.is_some(), ..Self::default() };
        for (i, finding) in review.findings.iter().enumerate() {
            match review.path_fail_on.get(i).copied().flatten() {
                Some(own) => gate.own |= own.is_some_and(|least| verdict::fails(finding, least)),
                // At the lowest threshold whatever may fail at all fails.
                None if verdict::fails(finding, Severity::Nit) => gate.worst = gate.worst.max(Some(finding.severity)),
                None => {}
            }
        }
        gate
    }

    /// Whether it is shut at this threshold; `None` is `never`.
    fn fails(self, fail_on: Option<Severity>) -> bool {
        !self.opened && (self.own || fail_on.is_some_and(|least| self.worst >= Some(least)))
    }
}

impl Stored {
    /// How the round ends at this threshold. `gates` is false where nothing may fail at all (the rollout). A round that was written
    /// down without what this takes ends as it did.
    pub fn at(&self, fail_on: Option<Severity>, gates: bool) -> Outcome {
        match self.gate {
            None => self.outcome,
            Some(gate) if gates && gate.fails(fail_on) => Outcome::Fail,
            Some(_) if self.complete => Outcome::Pass,
            Some(_) => Outcome::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Fail, Inconclusive, Pass};
    use Severity::{Critical, Important, Nit};

    fn stored(gate: Option<Gate>, complete: bool) -> Stored {
        Stored { outcome: Fail, exit: 1, round: 2, gate, complete }
    }

    #[test]
    fn another_threshold_is_put_to_the_same_round() {
        let important = Gate { worst: Some(Important), ..Gate::default() };
        for (gate, complete, fail_on, gates, expected) in [
            (important, true, Some(Critical), true, Pass),
            (important, true, Some(Important), true, Fail),
            (important, true, Some(Nit), true, Fail),
            (important, true, None, true, Pass),
            (important, true, Some(Nit), false, Pass),
            (important, false, Some(Critical), true, Inconclusive),
            (important, false, Some(Nit), true, Fail),
            (Gate { opened: true, ..important }, true, Some(Nit), true, Pass),
            (Gate { own: true, worst: None, opened: false }, true, None, true, Fail),
            (Gate { own: true, worst: None, opened: true }, true, None, true, Pass),
            (Gate::default(), true, Some(Nit), true, Pass),
        ] {
            assert_eq!(stored(Some(gate), complete).at(fail_on, gates), expected, "{gate:?} {complete} {fail_on:?} {gates}");
        }
        assert_eq!(stored(None, true).at(None, true), Fail, "a state of before");
    }

    #[test]
    fn it_agrees_with_how_a_review_ends() {
        let mut review = crate::report::sample::review();
        for own in [None, Some(None), Some(Some(Nit)), Some(Some(Critical))] {
            review.path_fail_on = vec![own; review.findings.len().div_ceil(2)];
            for fail_on in [None, Some(Nit), Some(Severity::Suggestion), Some(Important), Some(Critical)] {
                review.fail_on = fail_on;
                review.conclude(false);
                let stored = Stored { gate: Some(Gate::of(&review)), ..stored(None, true) };
                assert_eq!(stored.at(fail_on, true), review.outcome, "{own:?} {fail_on:?}");
            }
        }
    }
}
