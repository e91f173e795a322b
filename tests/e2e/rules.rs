//! Rules alone: no key, no network.

use crate::harness::{JSON, coverage, findings, project, run};
use serde_json::Value;

#[test]
fn a_critical_hit_fails_the_gate_and_the_report_fits_its_schema() {
    let repo = project();
    repo.write("app.py", "import subprocess\n\n\ndef pack(name):\n    subprocess.run(f\"tar {name}\", shell=True, check=True)\n    return name\n");
    let done = run(&repo, &JSON);
    let report = done.report();
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert_eq!(report["outcome"], "fail");
    assert_eq!(report["verdict"], "significant_concerns");
    assert_eq!(findings(&report), ["critical app.py:5 exact Do not pass untrusted text to a shell"]);
    assert_eq!(report["findings"][0]["rule_id"], "SEC-PY-003");
    assert_eq!(coverage(&report), ["reviewed app.py"]);
    assert_eq!(report["coverage"][0]["reviewers"], serde_json::json!(["rules"]));
    let schema: Value = serde_json::from_str(&run(&repo, &["config", "schema", "--report"]).stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a sound schema");
    let errors: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn fail_on_never_reports_and_passes() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let done = run(&repo, &[&JSON[..], &["--fail-on", "never"]].concat());
    assert_eq!((done.code, done.report()["outcome"].as_str()), (0, Some("pass")));
    assert_eq!(done.report()["findings"].as_array().map(Vec::len), Some(1));
}

#[test]
fn code_that_the_change_does_not_touch_is_left_alone() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n\n\n\n\n\nx = 1\n");
    repo.commit("old sin");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "work"]);
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n\n\n\n\n\nx = 2\n");
    let done = run(&repo, &JSON);
    assert_eq!((done.code, findings(&done.report())), (0, vec![]));
}

#[test]
fn a_secret_is_found_and_never_shown() {
    let repo = project();
    let secret = ["gh", "p_", "q7Rk2LmZ0xVb4TnYc8WdJ5sHf1GaE9uQpo3K"].concat();
    repo.write("deploy.py", format!("TOKEN = \"{secret}\"\n"));
    for format in ["json", "terminal", "markdown", "sarif", "code-quality", "rdjson", "github"] {
        let done = run(&repo, &["review", "--format", format, "--no-progress"]);
        assert_eq!(done.code, 1, "{format}: {}", done.stderr);
        assert!(!done.stdout.contains(&secret) && !done.stderr.contains(&secret), "{format}");
    }
    let report = run(&repo, &JSON).report();
    assert_eq!(report["findings"][0]["rule_id"], "SEC-SECRET-001");
}

#[test]
fn a_secret_in_a_filtered_file_is_found_all_the_same() {
    let repo = project();
    let secret = ["gh", "p_", "q7Rk2LmZ0xVb4TnYc8WdJ5sHf1GaE9uQpo3K"].concat();
    repo.write("dist/app.min.js", format!("{}var t=\"{secret}\";", "var a=1;b(a);".repeat(400)));
    let report = run(&repo, &JSON).report();
    assert_eq!(report["findings"][0]["rule_id"], "SEC-SECRET-001", "{report:#}");
}

#[test]
fn without_a_gateway_one_line_says_how_to_have_reviewers() {
    let repo = project();
    repo.write("app.py", "print(1)\n");
    let done = run(&repo, &["review", "--no-progress"]);
    assert_eq!(done.code, 0);
    assert_eq!(done.stdout.matches("TRIBUNE_GATEWAY_URL").count(), 1, "{}", done.stdout);
    assert!(done.stdout.trim_end().lines().last().is_some_and(|l| l.starts_with("Pass: ")), "{}", done.stdout);
}

#[test]
fn nothing_changed_is_said_and_passes() {
    let repo = project();
    let done = run(&repo, &["review", "--no-progress"]);
    assert_eq!(done.code, 0);
    assert!(done.stdout.contains("No changed files"), "{}", done.stdout);
}

#[test]
fn a_bare_patch_needs_no_repository() {
    let repo = project();
    let patch = std::fs::canonicalize("tests/sample/change.patch").expect("the sample");
    let outside = repo.outside.path().join("empty");
    std::fs::create_dir(&outside).expect("a folder");
    let done = crate::harness::tribune(&repo)
        .current_dir(&outside)
        .args(["review", "--no-progress", "--format", "json", "--diff"])
        .arg(&patch)
        .output()
        .expect("it runs");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!(done.status.code(), Some(1));
    let ids: Vec<&str> = report["findings"].as_array().expect("a list").iter().filter_map(|f| f["rule_id"].as_str()).collect();
    assert_eq!(ids, ["SEC-GHA-001", "SEC-PY-003", "REL-PY-001", "SEC-PY-004"]);
    assert!(report["change"]["base_sha"].is_null() && report["change"]["head_sha"].is_null());
}

#[test]
fn all_reports_are_written_in_one_run() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let file = |f: &str| repo.outside.path().join(f).display().to_string();
    let reports: Vec<String> = ["json", "sarif", "code-quality", "rdjson", "markdown", "github"].iter().map(|f| format!("{f}={}", file(f))).collect();
    let mut args = vec!["review", "--no-progress", "--quiet"];
    for r in &reports {
        args.extend(["--report", r]);
    }
    let done = run(&repo, &args);
    assert_eq!(done.code, 1);
    let read = |f: &str| std::fs::read_to_string(file(f)).expect(f);
    let json = |f: &str| serde_json::from_str::<Value>(&read(f)).expect(f);
    assert_eq!(json("sarif")["runs"][0]["results"][0]["ruleId"], "SEC-PY-003");
    assert_eq!(json("code-quality")[0]["location"]["lines"]["begin"], 2);
    assert_eq!(json("rdjson")["diagnostics"][0]["location"]["range"]["start"]["line"], 2);
    assert!(read("github").starts_with("::error file=app.py,line=2,endLine=2"), "{}", read("github"));
    assert!(read("markdown").starts_with("**"), "{}", read("markdown"));
}

#[test]
fn a_report_that_cannot_be_written_is_exit_4_and_the_rest_is_still_told() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let done = run(&repo, &["review", "--no-progress", "--report", "json=/nonexistent/x.json"]);
    assert_eq!(done.code, 4);
    assert!(done.stdout.contains("SEC-PY-003") && done.stderr.contains("/nonexistent/x.json"), "{}", done.stderr);
}
