//! Chains of models, from the operator's file to the report.

use crate::gateway::{FakeGateway, answer, status};
use crate::git_repo::Repo;
use crate::harness::{Done, JSON, coverage, finding, findings, project, reviewers, tribune};
use serde_json::{Value, json};

const EDIT: &str = "import subprocess\nimport os\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=False)\n    return name\n";

/// Reviews with two endpoints, `one` and `two`, and this about models.
fn review(repo: &Repo, one: &str, two: &str, more: &str, args: &[&str]) -> Done {
    let file = repo.outside.path().join("op.yaml");
    std::fs::write(&file, format!("endpoints: {{one: {{url: '{one}'}}, two: {{url: '{two}'}}}}\n{more}\n")).expect("a file");
    Done::of(tribune(repo).args(JSON).args(args).arg("--config").arg(&file))
}

const CHAIN: &str = "models: {standard: [{model: m1, endpoint: one}, {model: m2, endpoint: two}]}";

#[test]
fn one_model_of_a_chain_down_for_good_loses_no_finding() {
    let repo = project();
    repo.write("app.py", EDIT);
    let down = FakeGateway::scripted(vec![status(503, &[], "")]);
    let up = reviewers(|who| vec![finding("app.py", if who == "docs" { "import os" } else { "check=False" }, "suggestion", &format!("From {who}"))]);
    let done = review(&repo, &down.url(), &up.url(), CHAIN, &["--tier", "full"]);
    let report = done.report();
    assert_eq!((done.code, coverage(&report)), (0, vec!["reviewed app.py".to_owned()]), "{}", done.stderr);
    assert_eq!(report["reviewers"].as_array().expect("a list").iter().filter(|r| r["status"] == "failed").count(), 0);
    assert!(!findings(&report).is_empty());
    let models: Vec<&Value> = report["reviewers"].as_array().expect("a list").iter().map(|r| &r["model"]).filter(|m| !m.is_null()).collect();
    assert!(models.len() == 7 && models.iter().all(|m| **m == "fake-model-1"), "{models:?}");
    assert!(report["notes"].to_string().contains("m1 at one did not answer, so the next model of its chain was asked"), "{}", report["notes"]);
    // Six reviewers at once and the judge: without a breaker it would be three attempts each.
    assert!(down.requests().len() < 14, "{}", down.requests().len());
    assert!(up.requests().iter().all(|r| r.json()["model"] == "m2"));
}

#[test]
fn a_conversation_stays_where_it_moved_to() {
    let repo = project();
    repo.write("app.py", EDIT);
    let turns = |r: &crate::gateway::RecordedRequest| r.json()["messages"].as_array().map_or(0, Vec::len);
    let look = || answer("").call("read_file", json!({"path": "README.md"}));
    let first = FakeGateway::smart(move |r| if turns(r) == 2 { look().to(r) } else { status(500, &[], "") });
    let second = FakeGateway::smart(move |r| match turns(r) {
        4 => look().to(r),
        _ => answer("").call("report_findings", json!({"findings": []})).to(r),
    });
    let done = review(&repo, &first.url(), &second.url(), CHAIN, &["--only", "quality"]);
    assert_eq!(done.code, 0, "{}", done.stdout);
    let seen: Vec<usize> = first.requests().iter().map(turns).collect();
    assert_eq!(seen, [2, 4, 4, 4], "nothing comes back to the first");
    assert_eq!(second.requests().iter().map(turns).collect::<Vec<_>>(), [4, 6]);
}

#[test]
fn reviewers_and_the_judge_can_have_models_of_their_own() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway =
        reviewers(|who| vec![finding("app.py", if who == "docs" { "import os" } else { "check=False" }, "suggestion", &format!("From {who}"))]);
    let own = format!("{CHAIN}\nreviewers: {{docs: {{model: m9}}, security: {{model: m2}}, coordinator: {{model: judge}}}}")
        .replace("endpoint: two", "endpoint: one");
    let open = review(&repo, &gateway.url(), &gateway.url(), &own, &["--tier", "full"]);
    assert_eq!((open.code, gateway.requests().len()), (2, 0), "two endpoints, and none is said to have m9");
    let own = own.replace("m9", "m1").replace("judge", "m2");
    let done = review(&repo, &gateway.url(), &gateway.url(), &own, &["--tier", "full"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let mut asked: Vec<String> =
        gateway.requests().iter().map(|r| format!("{} {}", r.reviewer(), r.json()["model"].as_str().unwrap_or("?"))).collect();
    asked.sort();
    assert_eq!(asked, ["codex m1", "coordinator m2", "docs m1", "performance m1", "quality m1", "release m1", "security m2"]);
}
