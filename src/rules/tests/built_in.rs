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
