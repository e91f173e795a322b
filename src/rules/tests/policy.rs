//! Whose word counts when sources and settings disagree.

use super::*;
use crate::findings::Severity;
use crate::rules::RuleStatus;

/// What a repository's version of `SHELL` with `from` replaced leads to: the problem, and the severity in force.
fn repository(from: &str, to: &str) -> (String, Severity) {
    let mut set = set(Origin::Organisation, &[("a.md", SHELL)]);
    let problems = set.add_source("repo", Origin::Repository, owned(&[("own.md", &SHELL.replace(from, to))]));
    let rule = set.get("SEC-PY-003").expect("never gone");
    (problems.iter().map(|p| p.title.clone()).collect::<Vec<_>>().join("\n"), rule.severity)
}

#[test]
fn a_repository_tightens_a_must_rule_and_never_relaxes_it() {
    let stays = |changed: &str| (format!("`SEC-PY-003` is a `must` rule of the organisation: {changed} cannot be changed here"), Severity::Critical);
    assert_eq!(repository("level: must", "level: should"), stays("level"));
    assert_eq!(repository("status: enforced", "status: trial"), stays("status (lowered)"));
    assert_eq!(repository("severity: critical", "severity: nit"), stays("severity (lowered)"));
    assert_eq!(repository("shell=True", "shell=False"), stays("detect, text"));
    assert_eq!(repository("[python]", "[ruby, python]"), stays("languages"));
    assert_eq!(repository("category:", "paths: ['none']\ncategory:"), stays("paths"));
    assert_eq!(repository("leave the shell out", "keep the shell"), stays("text"));
    assert_eq!(repository("", ""), (String::new(), Severity::Critical));
}

#[test]
fn raising_is_allowed_and_so_is_replacing_advice() {
    let mut weak = set(Origin::BuiltIn, &[("a.md", &SHELL.replace("critical", "nit").replace("enforced", "trial"))]);
    assert_eq!(weak.add_source("repo", Origin::Repository, owned(&[("own.md", SHELL)])), []);
    let rule = weak.get("SEC-PY-003").expect("the rule");
    assert_eq!((rule.severity, rule.status, rule.origin.as_str()), (Severity::Critical, RuleStatus::Enforced, "repository"));

    let mut advice = set(Origin::Organisation, &[("a.md", EVAL)]);
    assert_eq!(advice.add_source("repo", Origin::Repository, owned(&[("own.md", &EVAL.replace("eval", "exec"))])), []);
    assert_eq!(scan(&advice, "src/a.ts", "exec(a); eval(a)", &TouchedLines::all()), "SEC-JS-001 1-1\n");

    let mut relaxed = set(Origin::BuiltIn, &[("a.md", SHELL)]);
    assert_eq!(relaxed.add_source("org", Origin::Organisation, owned(&[("own.md", &SHELL.replace("critical", "nit"))])), []);
    assert_eq!(relaxed.get("SEC-PY-003").map(|r| r.severity), Some(Severity::Nit));
}

#[test]
fn an_id_is_unique_in_its_source() {
    let mut set = RuleSet::default();
    let problems = set.add_source("org", Origin::Organisation, owned(&[("b.md", SHELL), ("a.md", SHELL)]));
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["b.md:0:0: `SEC-PY-003` is the id of a.md too (every rule has an id of its own)"]
    );
}
