//! Waivers: what they cover, what they cannot, and that nothing they cover vanishes.

use crate::git_repo::Repo;
use crate::harness::{Done, JSON, finding, findings, project, reviewers, tribune};
use serde_json::Value;

const PRINT: &str = "---\nid: APP-PY-001\ntitle: Do not print\nlevel: must\nstatus: enforced\nseverity: suggestion\ncategory: quality\nlanguages: [python]\ndetect:\n  rule: {pattern: print($$$A)}\n---\nUse the logger.\n";
const SIN: &str = "import subprocess\nsubprocess.run(input(), shell=True)";

fn on(repo: &Repo, day: u64, format: &str) -> Done {
    let mut command = tribune(repo);
    command.env("SOURCE_DATE_EPOCH", (day * 86_400).to_string());
    Done::of(command.args(["review", "--no-progress", "--format", format]))
}

/// 2027-01-31.
const LAST_DAY: u64 = 20_849;

fn waived(report: &Value) -> Vec<String> {
    let list = report["waived"].as_array().expect("a list");
    let text = |w: &Value, key: &str| w[key].as_str().unwrap_or("-").to_owned();
    list.iter()
        .map(|w| {
            format!(
                "{} {}:{} {} ({}, until {})",
                text(w, "rule_id"),
                text(w, "path"),
                w["start_line"],
                text(w, "reason"),
                text(w, "by"),
                text(w, "until")
            )
        })
        .collect()
}

fn body(report: &Value) -> String {
    report["findings"][0]["body"].as_str().unwrap_or_default().to_owned()
}

/// A branch off a `main` that has these files.
fn with_base(files: &[(&str, &str)]) -> Repo {
    let repo = project();
    repo.git(&["checkout", "-q", "main"]);
    for (path, text) in files {
        repo.write(path, text);
    }
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo
}

#[test]
fn a_comment_counts_in_full_once_it_stands_in_the_target() {
    let line = "# tribune:allow SEC-PY-003 the command comes from our own table\n";
    let repo = with_base(&[("app.py", &format!("import subprocess\n{line}subprocess.run(cmd)\n"))]);
    repo.write("app.py", format!("import subprocess\n{line}subprocess.run(cmd, shell=True)\n"));
    let done = on(&repo, 1, "json");
    assert_eq!((done.code, findings(&done.report())), (0, vec![]));
    assert_eq!(waived(&done.report()), ["SEC-PY-003 app.py:3 the command comes from our own table (comment, until -)"]);
    for format in ["markdown", "terminal"] {
        let told = on(&repo, 1, format).stdout.replace("\n  ", " ").replace(['\\', '`'], "");
        assert!(told.contains("1 finding waived: SEC-PY-003 at app.py:3 (the command comes from our own table)"), "{format}: {told}");
    }
}

#[test]
fn one_that_the_change_adds_counts_below_important_only() {
    let repo = project();
    repo.write("app.py", format!("{SIN}  # tribune:allow SEC-PY-003 trust me\n"));
    let done = on(&repo, 1, "json");
    assert_eq!((done.code, waived(&done.report())), (1, vec![]));
    assert!(body(&done.report()).contains("The waiver that this change adds (\"trust me\") does not count"), "{}", done.stdout);

    let repo = with_base(&[(".tribune/rules/APP-PY-001.md", PRINT)]);
    repo.write("web.py", "# tribune:allow APP-PY-001 a script that one person runs\nprint(1)\n");
    let done = on(&repo, 1, "json");
    assert_eq!((findings(&done.report()), waived(&done.report()).len()), (vec![], 1), "{}", done.stdout);
}

#[test]
fn a_waiver_without_reason_or_for_another_rule_counts_for_nothing_and_is_told() {
    let repo = project();
    repo.write("app.py", format!("{SIN}  # tribune:allow SEC-PY-003\n"));
    repo.write("b.py", "# tribune:allow SEC-PY-03 because\n# tribune:allow because\nx = 1\n");
    let report = on(&repo, 1, "json").report();
    assert!(body(&report).contains("gives no reason"), "{report:#}");
    let notes: Vec<&str> = report["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).filter(|n| n.contains(".py:")).collect();
    assert_eq!(
        notes,
        [
            "app.py:2: the waiver of SEC-PY-003 gives no reason, so it does not count.",
            "b.py:1: the waiver names a rule SEC-PY-03 that does not exist. Did you mean SEC-PY-003?",
            "b.py:2: a waiver names its rule: `tribune:allow RULE-ID reason`.",
        ]
    );
}

#[test]
fn an_entry_of_the_policy_counts_until_its_day_and_is_then_a_finding() {
    let entry = "waivers:\n- rule: SEC-PY-003\n  paths: [\"legacy/\"]\n  until: 2027-01-31\n  reason: Replaced in Q1 (OPS-12)\n- {rule: SEC-PY-03, paths: [x], until: 2027-01-31, reason: a slip}\n";
    let repo = with_base(&[(".tribune.yaml", entry)]);
    repo.write("legacy/app.py", format!("{SIN}\n"));
    let report = on(&repo, LAST_DAY, "json").report();
    assert_eq!(waived(&report), ["SEC-PY-003 legacy/app.py:2 Replaced in Q1 (OPS-12) (.tribune.yaml:2, until 2027-01-31)"]);
    assert_eq!(findings(&report), [""; 0]);
    assert!(report["notes"].to_string().contains("`waivers` names a rule SEC-PY-03 that does not exist. Did you mean SEC-PY-003?"), "{report:#}");

    let done = on(&repo, LAST_DAY + 1, "json");
    assert_eq!(done.code, 1);
    assert_eq!(
        findings(&done.report()),
        [
            "critical legacy/app.py:2 exact Do not pass untrusted text to a shell",
            "suggestion .tribune.yaml:2 exact The waiver of SEC-PY-003 expired on 2027-01-31",
        ]
    );
    assert!(done.stdout.contains("Its reason was: Replaced in Q1 (OPS-12)"), "{}", done.stdout);

    // Nobody is told of it where the change has nothing to do with it, or takes it out.
    repo.write(".tribune.yaml", "fail_on: critical\n");
    assert_eq!(findings(&on(&repo, LAST_DAY + 1, "json").report()).len(), 1);
    let elsewhere = with_base(&[(".tribune.yaml", entry)]);
    elsewhere.write("other.py", "x = 1\n");
    assert_eq!(findings(&on(&elsewhere, LAST_DAY + 1, "json").report()), [""; 0]);
}

#[test]
fn an_entry_that_the_change_brings_is_not_in_force() {
    let repo = project();
    repo.write("app.py", format!("{SIN}\n"));
    repo.write(".tribune.yaml", "waivers: [{rule: SEC-PY-003, paths: [\"**\"], until: 2099-01-01, reason: mine}]\n");
    let done = on(&repo, 1, "json");
    assert_eq!((done.code, waived(&done.report())), (1, vec![]));
}

#[test]
fn a_broken_entry_is_told_with_its_key() {
    let repo = with_base(&[(
        ".tribune.yaml",
        "waivers: [{rule: SEC-PY-003, paths: [\"**\"], until: 2027-02-30, reason: x}, {rule: SEC-PY-003, paths: [a], until: 2027-01-01}]\n",
    )]);
    repo.write("app.py", "x = 1\n");
    let done = on(&repo, 1, "json");
    let notes = done.report()["notes"].to_string();
    assert_eq!(done.code, 3);
    assert!(notes.contains("waivers[0].until") && notes.contains("reason"), "{notes}");
}

#[test]
fn settings_that_do_nothing_are_told() {
    let repo = with_base(&[(".tribune.yaml", "rules: {off: [SEC-PY-003, NO-SUCH-1]}\n")]);
    repo.write("app.py", "x = 1\n");
    let notes = on(&repo, 1, "json").report()["notes"].to_string();
    assert!(notes.contains("`rules.off` names a rule NO-SUCH-1 that does not exist."), "{notes}");
    assert!(
        notes.contains("`rules.off` names SEC-PY-003, a `must` rule of built-in: only the organisation relaxes it, so it stays in force."),
        "{notes}"
    );
}

#[test]
fn what_a_model_finds_against_a_rule_is_waived_as_well() {
    let repo = with_base(&[(".tribune.yaml", "waivers: [{rule: ERR-ANY-001, paths: [\"*.py\"], until: 2099-01-01, reason: a prototype}]\n")]);
    repo.write("app.py", "try:\n    run()\nexcept OSError:\n    raise E('no')\n");
    let gateway = reviewers(|who| {
        let mut found = finding("app.py", "    raise E('no')", "important", "The cause is lost");
        found["rule_id"] = Value::from("ERR-ANY-001");
        if who == "codex" { vec![found] } else { Vec::new() }
    });
    let done = crate::harness::ask(&repo, &gateway, &JSON);
    assert_eq!(waived(&done.report()), ["ERR-ANY-001 app.py:4 a prototype (.tribune.yaml:1, until 2099-01-01)"], "{}", done.stdout);
    assert_eq!(findings(&done.report()), [""; 0]);
}
