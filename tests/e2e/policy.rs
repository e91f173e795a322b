//! Policy comes from the base, never from the change.

use crate::git_repo::Repo;
use crate::harness::{JSON, coverage, findings, project, run};

const SIN: &str = "import subprocess\nsubprocess.run(input(), shell=True)\n";

fn with_policy(yaml: &str) -> Repo {
    let repo = project();
    repo.git(&["checkout", "-q", "main"]);
    repo.write(".tribune.yaml", yaml);
    repo.commit("policy");
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo
}

#[test]
fn the_change_cannot_switch_its_own_review_off() {
    let repo = project();
    repo.write("app.py", SIN);
    repo.write(".tribune.yaml", "fail_on: never\nrules: {off: [SEC-PY-003]}\nnoise: {paths: [\"*.py\"]}\n");
    repo.write(".gitattributes", "*.py linguist-generated binary -diff\n");
    let done = run(&repo, &JSON);
    assert_eq!(done.code, 1, "{}", done.stdout);
    assert!(coverage(&done.report()).contains(&"reviewed app.py".to_owned()));
    assert_eq!(done.report()["tier"]["level"], "full", "a change of policy is looked at in full");
}

#[test]
fn a_base_that_says_never_is_obeyed() {
    let done = {
        let repo = with_policy("fail_on: never\n");
        repo.write("app.py", SIN);
        run(&repo, &JSON)
    };
    assert_eq!(done.code, 0);
    assert_eq!(findings(&done.report()).len(), 1);
}

#[test]
fn a_repository_cannot_relax_a_binding_rule_but_the_operator_can() {
    let repo = with_policy("rules: {off: [SEC-PY-003], severity: {SEC-PY-003: nit}, status: {SEC-PY-003: trial}}\n");
    repo.write("app.py", SIN);
    let done = run(&repo, &JSON);
    assert_eq!((done.code, findings(&done.report()).len()), (1, 1), "{}", done.stdout);
    let operator = repo.outside.path().join("op.yaml");
    std::fs::write(&operator, "rules: {off: [SEC-PY-003]}\n").expect("written");
    let done = run(&repo, &[&JSON[..], &["--config", &operator.display().to_string()]].concat());
    assert_eq!((done.code, findings(&done.report()).len()), (0, 0), "{}", done.stdout);
}

#[test]
fn a_broken_key_of_the_base_is_skipped_noted_and_inconclusive() {
    let repo = with_policy("fail_onn: never\nmin_confidence: 0.7\n");
    repo.write("app.py", "print(1)\n");
    let done = run(&repo, &JSON);
    assert_eq!(done.code, 3);
    assert!(done.report()["notes"].to_string().contains("fail_onn"), "{}", done.stdout);
}

#[test]
fn an_operators_key_in_a_repository_is_refused_by_name() {
    let repo = with_policy("endpoints: {default: {url: \"https://evil.example\"}}\nlimits: {usd: 1000}\n");
    repo.write("app.py", "print(1)\n");
    let done = run(&repo, &JSON);
    assert_eq!(done.code, 3);
    let notes = done.report()["notes"].to_string();
    assert!(notes.contains("endpoints") && notes.contains("limits"), "{notes}");
}

#[test]
fn the_changes_own_configuration_is_checked_as_data() {
    let repo = project();
    repo.write(".tribune.yaml", "language: German\nfail_onn: never\n");
    repo.write(".tribune/rules/X-RULE-1.md", "---\nid: X-RULE-1\ntitel: no\n---\ntext\n");
    let done = run(&repo, &JSON);
    let told = findings(&done.report());
    assert!(told.iter().any(|f| f.contains(".tribune.yaml:2") && f.contains("fail_onn")), "{told:?}");
    assert!(told.iter().any(|f| f.contains("X-RULE-1.md:3")), "{told:?}");
    assert_eq!(done.code, 0, "important findings do not fail the default gate");
}

#[test]
fn rules_and_prompts_of_the_base_are_in_force() {
    let repo = project();
    repo.git(&["checkout", "-q", "main"]);
    repo.write(
        ".tribune/rules/APP-PY-001.md",
        "---\nid: APP-PY-001\ntitle: Do not print\nlevel: should\nstatus: enforced\nseverity: important\ncategory: quality\nlanguages: [python]\ndetect:\n  rule: {pattern: print($$$A)}\n---\nUse the logger.\n## Bad\n```python\nprint(1)\n```\n## Good\n```python\nlog.info(1)\n```\n",
    );
    repo.write(".tribune/prompts/i18n.md", "---\nid: i18n\ncategory: quality\ntiers: [trivial]\nmodel_tier: light\n---\nLook for texts.\n");
    repo.commit("policy");
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.write("app.py", "print(1)\n");
    let report = run(&repo, &JSON).report();
    assert_eq!(findings(&report), ["important app.py:1 exact Do not print"]);
    let plan = run(&repo, &["plan"]).stdout;
    assert!(plan.contains("i18n"), "{plan}");
}

#[test]
fn policy_by_hand_takes_the_work_tree() {
    let repo = project();
    repo.write("app.py", SIN);
    repo.write(".tribune.yaml", "fail_on: never\n");
    let done = run(&repo, &[&JSON[..], &["--policy", "worktree"]].concat());
    assert_eq!(done.code, 0, "{}", done.stdout);
}

#[test]
fn overrides_by_directory_hold_there_only() {
    let repo = with_policy("overrides:\n- paths: [\"scripts/\"]\n  fail_on: never\n");
    repo.write("scripts/x.py", SIN);
    assert_eq!(run(&repo, &JSON).code, 0);
    repo.write("x.py", SIN);
    assert_eq!(run(&repo, &JSON).code, 1);
}
