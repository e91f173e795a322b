//! The rules that come with tribune do what their examples say.

use super::*;
use crate::rules::test::Outcome;
use crate::rules::{check, test};

#[test]
fn built_in_rules_are_sound() {
    let set = RuleSet::built_in();
    let problems: Vec<String> = check::run(&set).iter().map(ToString::to_string).collect();
    assert_eq!(problems, [""; 0]);
    let failed: Vec<_> = test::run(&set, |_| true).into_iter().filter(|r| r.outcome != Outcome::Passed).collect();
    assert_eq!(failed, []);
    assert!(set.iter().all(|r| r.origin == "built-in"));
}

#[test]
fn every_detector_is_tested_on_three_variants_that_stay_bad_and_three_that_become_good() {
    let few: Vec<String> = RuleSet::built_in()
        .entries
        .values()
        // Facts are tested on trees of their own (tests/e2e/facts.rs).
        .filter(|e| e.loaded.file.detect.as_ref().is_some_and(|d| d.fact.is_none()))
        .filter_map(|e| {
            let count = |kind| e.loaded.file.examples.iter().filter(|x| x.variant && x.kind == kind).count();
            let (bad, good) = (count(test::ExampleKind::Bad), count(test::ExampleKind::Good));
            (bad < 3 || good < 3).then(|| format!("{}: {bad} bad, {good} good", e.rule.id))
        })
        .collect();
    assert_eq!(few, [""; 0]);
}
