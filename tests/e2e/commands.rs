//! The other commands, and mistakes on the command line.

use crate::git_repo::Repo;
use crate::harness::{JSON, project, run, tribune};

#[test]
fn mistakes_are_usage_errors_with_a_way_out() {
    let repo = project();
    repo.write("app.py", "print(1)\n");
    let cases: [(&[&str], &str); 9] = [
        (&["review", "--only", "qualty"], "quality"),
        (&["review", "--base", "-x"], "-x"),
        (&["review", "--base", "nonsense"], "nonsense"),
        (&["review", "--format", "html"], "terminal"),
        (&["review", "--report", "sarif"], "FORMAT=FILE"),
        (&["review", "--post"], "--post"),
        (&["review", "--staged", "--base", "main"], "--base"),
        (&["review", "--config", "/nonexistent.yaml"], "/nonexistent.yaml"),
        (&["rules", "show", "SEC-PY-0003"], "SEC-PY-003"),
    ];
    for (args, says) in cases {
        let done = run(&repo, args);
        assert_eq!(done.code, 2, "{args:?}: {}{}", done.stdout, done.stderr);
        assert!(done.stderr.contains(says), "{args:?}: {}", done.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_exit_4() {
    let repo = project();
    let empty = repo.outside.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    let here = tribune(&repo).current_dir(&empty).args(["review"]).output().expect("it runs");
    assert_eq!(here.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&here.stderr).contains("fix:"));
    assert_eq!(run(&repo, &["review", "--diff", "/nonexistent.patch"]).code, 4);
    // What `git diff > x.patch` makes in Windows PowerShell.
    let utf16: Vec<u8> = "\u{feff}diff --git a/x b/x\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(repo.outside.path().join("utf16.patch"), utf16).expect("written");
    let refused = run(&repo, &["review", "--diff", "../utf16.patch"]);
    assert_eq!(refused.code, 4);
    assert!(refused.stderr.contains("UTF-16") && refused.stderr.contains("git diff --output=FILE"), "{}", refused.stderr);
}

#[test]
fn a_gateway_without_a_model_is_a_usage_error() {
    let repo = project();
    repo.write("app.py", "print(1)\n");
    let done = tribune(&repo).env("TRIBUNE_GATEWAY_URL", "http://127.0.0.1:9/v1").args(JSON).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("TRIBUNE_MODEL"));
}

#[test]
fn a_first_commit_and_no_commit_at_all_can_be_reviewed() {
    let repo = Repo::new();
    repo.write("a.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let done = run(&repo, &JSON);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.report()["change"]["base_sha"].is_null());
}

#[test]
fn plan_makes_no_call_and_names_reviewers_and_reasons() {
    let repo = project();
    repo.write("app.py", "print(1)\n");
    let gateway = crate::harness::reviewers(|_| vec![]);
    let done = crate::harness::ask(&repo, &gateway, &["plan", "--tier", "full"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(gateway.requests().is_empty());
    assert!(done.stdout.contains("full tier") && done.stdout.contains("security") && done.stdout.contains("input tokens"), "{}", done.stdout);
    let json = run(&repo, &["plan", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json.stdout).expect("JSON")["tier"]["level"], "trivial");
}

#[test]
fn the_built_in_rules_pass_their_own_examples() {
    let repo = project();
    let done = run(&repo, &["rules", "test"]);
    assert_eq!(done.code, 0, "{}", done.stdout);
    assert!(done.stdout.contains(" 0 failed"), "{}", done.stdout);
    assert_eq!(run(&repo, &["rules", "check"]).code, 0);
    let list = run(&repo, &["rules", "list"]);
    assert!(list.stdout.lines().count() > 25, "{}", list.stdout);
    assert!(run(&repo, &["rules", "show", "SEC-PY-003"]).stdout.contains("## Bad"));
}

#[test]
fn rules_and_config_work_outside_a_repository() {
    let repo = project();
    for args in [&["rules", "list"][..], &["config", "show"], &["config", "schema"], &["config", "schema", "--report"]] {
        let done = tribune(&repo).current_dir("/").args(args).output().expect("it runs");
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn config_validate_points_at_the_place_and_the_right_name() {
    let repo = project();
    repo.write(".tribune.yaml", "language: German\nmin_confidense: 0.7\nfail_on: allways\n");
    let done = run(&repo, &["config", "validate"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains(":2:1") && done.stderr.contains("min_confidence") && done.stderr.contains("allways"), "{}", done.stderr);
    repo.write(".tribune.yaml", "language: German\n");
    assert_eq!(run(&repo, &["config", "validate"]).code, 0);
    let shown = run(&repo, &["config", "show"]);
    assert!(shown.stdout.contains("German") && shown.stdout.contains(".tribune.yaml:1"), "{}", shown.stdout);
}
