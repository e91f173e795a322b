//! What detectors find, where, and what fails an audit.

use crate::{JSON, run, service, with};
use serde_json::json;

#[test]
fn detectors_judge_every_rule_with_evidence() {
    let repo = service();
    let done = run(&repo, None, &JSON);
    assert_eq!((done.code, done.report()["outcome"].as_str()), (1, Some("fail")), "{}", done.stderr);
    assert_eq!(done.rule("SEC-PY-003"), "non_compliant 3 1/1/0");
    assert_eq!(done.evidence("SEC-PY-003"), ["breach app/run.py:5 subprocess.run(f\"tar {name}\", shell=True)"]);
    assert_eq!(done.rule("SEC-PY-001"), "partial 3 0/0/1");
    assert_eq!(done.evidence("SEC-PY-001"), ["waived app/old.py:4 yaml.load(open(\"own.yml\"), Loader=yaml.Loader)"]);
    assert!(done.rule("SEC-PY-002").starts_with("compliant 3 0/0/0"));
    assert!(done.rule("SEC-GO-001").starts_with("not_applicable 0"));
    assert!(done.rule("FACT-CALL-001").starts_with("not_applicable"));
    assert!(done.rule("SEC-ANY-004").starts_with("not_assessed "));
    let coverage = &done.report()["coverage"];
    assert_eq!(coverage["left_out"], json!([{"reason": "binary", "files": 1}, {"reason": "vendored", "files": 1}]));
    assert_eq!(coverage["looked"], 5);
    // The same tree gives the same bytes.
    assert_eq!(run(&repo, None, &JSON).stdout, done.stdout);
}

#[test]
fn the_gate_is_for_binding_rules_at_its_threshold() {
    let repo = service();
    assert_eq!(run(&repo, None, &with(&["--fail-on", "never"])).code, 0);
    assert_eq!(run(&repo, None, &with(&["--rules", "SEC-PY-001,SEC-PY-002"])).code, 0, "waived is not broken");
    assert_eq!(run(&repo, None, &with(&["--rules", "SEC-PY-*", "--fail-on", "important"])).code, 1);
    // A rule that advises, or is on trial here, fails nothing.
    repo.write(".tribune.yaml", "rules:\n  status: {APP-OWN-001: trial}\n");
    let rule = |id: &str, level: &str| {
        format!(
            "---\nid: {id}\ntitle: Add nothing\nlevel: {level}\nstatus: enforced\nseverity: critical\ncategory: quality\nlanguages: [javascript]\ndetect: {{ rule: {{ pattern: \"$A + $B\" }} }}\n---\nText.\n## Bad\n```js\na + b;\n```\n## Good\n```js\na - b;\n```\n"
        )
    };
    repo.write(".tribune/rules/APP-OWN-001.md", rule("APP-OWN-001", "must"));
    repo.write(".tribune/rules/APP-OWN-002.md", rule("APP-OWN-002", "should"));
    repo.commit("own rules");
    let done = run(&repo, None, &with(&["--rules", "APP-*"]));
    assert_eq!(
        (done.code, done.rule("APP-OWN-001"), done.rule("APP-OWN-002")),
        (0, "non_compliant 1 1/1/0".to_owned(), "non_compliant 1 1/1/0".to_owned())
    );
}

#[test]
fn a_folder_a_commit_and_the_work_tree() {
    let repo = service();
    let first = repo.ask(&["rev-parse", "HEAD"]);
    repo.write("app/run.py", "import subprocess\nsubprocess.run([\"tar\"], check=True)\n");
    let (head, work, below) = (
        run(&repo, None, &with(&["--rules", "SEC-PY-003"])),
        run(&repo, None, &with(&["--rules", "SEC-PY-003", "--rev", "worktree"])),
        run(&repo, None, &with(&["web", "--rules", "SEC-PY-003"])),
    );
    assert_eq!((head.code, work.code, below.code), (1, 0, 0));
    assert_eq!(below.report()["tree"]["path"], "web");
    repo.commit("mended");
    assert_eq!(run(&repo, None, &with(&["--rules", "SEC-PY-003"])).code, 0);
    let old = run(&repo, None, &with(&["--rules", "SEC-PY-003", "--rev", &first]));
    assert_eq!((old.code, old.report()["tree"]["commit"].as_str()), (1, Some(first.as_str())));
    assert_eq!(run(&repo, None, &with(&["app/safe.py", "--rules", "SEC-PY-003"])).report()["coverage"]["looked"], 1);
}

#[test]
fn noise_is_no_hiding_place_for_secrets() {
    let repo = service();
    repo.write("web/vendor/config.py", "API_SECRET = \"Zx83kQ9mTb27LrWvYc\"\n");
    repo.commit("vendored");
    let done = run(&repo, None, &with(&["--rules", "SEC-SECRET-001,SEC-PY-003"]));
    assert_eq!(done.rule("SEC-PY-003"), "non_compliant 3 1/1/0");
    assert!(
        done.evidence("SEC-SECRET-001")[0].starts_with("breach web/vendor/config.py:1 API_SECRET = \"‹masked:"),
        "{:?}",
        done.evidence("SEC-SECRET-001")
    );
    assert!(!done.stdout.contains("Zx83kQ9mTb27LrWvYc"));
}
