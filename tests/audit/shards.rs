//! Shards, runs that ended early, and caps.

use crate::gateway::{FakeGateway, answer, status};
use crate::{JSON, asked, large, opinionated, run, service, with, word};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn three_shards_merge_to_exactly_what_one_run_gives() {
    let repo = large();
    let gateway = opinionated();
    let whole = run(&repo, Some(&gateway), &JSON);
    assert!(whole.rule("SEC-ANY-004").contains(" 9/9/0"), "{}", whole.rule("SEC-ANY-004"));
    let requests = gateway.requests().len();
    let mut files = Vec::new();
    for i in [2, 3, 1] {
        let name = format!("../{i}.json");
        let done = run(&repo, Some(&gateway), &with(&["--shard", &format!("{i}/3"), "--output", &name]));
        assert!([0, 1].contains(&done.code), "{}", done.stderr);
        files.push(name);
    }
    assert_eq!(gateway.requests().len(), 2 * requests, "the shards ask what one run asks, no more");
    let args: Vec<&str> = files.iter().map(String::as_str).collect();
    let merged = run(&repo, None, &[&with(&["--merge"])[..], &args].concat());
    assert_eq!((merged.code, merged.stdout == whole.stdout), (whole.code, true), "{}", merged.stderr);
    // Whether a machine had a source of rules in its cache is told, and parts nothing.
    let first = repo.outside.path().join("1.json");
    let mut shard: Value = serde_json::from_slice(&std::fs::read(&first).unwrap()).unwrap();
    shard["provenance"]["rules"][0]["cached"] = json!(true);
    std::fs::write(&first, shard.to_string()).unwrap();
    let merged = run(&repo, None, &[&with(&["--merge"])[..], &args].concat());
    let mut wanted = whole.report();
    wanted["provenance"]["rules"][0]["cached"] = json!(true);
    assert_eq!((merged.code, merged.report()), (whole.code, wanted), "{}", merged.stderr);
    // A shard that is missing is told, and nothing is called whole.
    let part = run(&repo, None, &[&with(&["--fail-on", "never", "--merge"])[..], &args[..2]].concat());
    assert_eq!((part.code, part.report()["incomplete"].clone()), (3, json!(["Shards are missing: 1 of 3."])));
}

#[test]
fn reports_that_do_not_belong_together_are_refused() {
    let repo = service();
    let shard = |n: &str, to: &str, more: &[&str]| {
        let done = run(&repo, None, &[&with(&["--shard", n, "--output", to])[..], more].concat());
        assert!(done.code <= 1, "{}", done.stderr);
    };
    shard("1/2", "../a.json", &[]);
    shard("2/2", "../b.json", &["--rules", "SEC-*"]);
    shard("1/3", "../c.json", &[]);
    assert!(run(&repo, None, &with(&["--output", "../whole.json"])).code == 1);
    repo.write("app/new.py", "x = 1\n");
    repo.commit("other tree");
    shard("2/2", "../d.json", &[]);
    std::fs::write(repo.outside.path().join("e.json"), "{}").unwrap();
    std::fs::write(repo.outside.path().join("f.json"), "not JSON").unwrap();
    for (files, says) in [
        (["../a.json", "../b.json"], "what made them differs"),
        (["../a.json", "../c.json"], "the number of shards differs"),
        (["../a.json", "../d.json"], "the tree differs"),
        (["../a.json", "../a.json"], "is there twice"),
        (["../whole.json", "../a.json"], "a whole audit"),
        (["../a.json", "../e.json"], "no report of an audit"),
        (["../a.json", "../f.json"], "no report of an audit"),
        (["../a.json", "../none.json"], "no report of an audit"),
    ] {
        let done = run(&repo, None, &[&with(&["--merge"])[..], &files].concat());
        assert_eq!(done.code, 2, "{files:?}");
        assert!(done.stderr.contains(says), "{says}: {}", done.stderr);
    }
}

#[test]
fn a_run_that_ended_early_is_gone_on_with() {
    let repo = large();
    let whole = run(&repo, Some(&opinionated()), &with(&["--fail-on", "never"]));
    // The gateway dies after some answers.
    static LEFT: AtomicUsize = AtomicUsize::new(7);
    let sick = FakeGateway::smart(|request| {
        if LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err() {
            return status(401, &[], "{}");
        }
        let rules: Vec<Value> = asked(request).iter().map(|id| word(id, "not_applicable", json!([]))).collect();
        answer("").call("report_compliance", json!({"rules": rules})).to(request)
    });
    let args = with(&["--fail-on", "never", "--resume", "../state.jsonl"]);
    let first = run(&repo, Some(&sick), &args);
    assert_eq!(first.code, 3, "{}", first.stderr);
    let told = first.report()["incomplete"].to_string();
    assert!(told.contains("Reviewers did not judge all") && told.contains("not asked to the end"), "{told}");
    let state = repo.outside.path().join("state.jsonl");
    let kept = std::fs::read_to_string(&state).unwrap().lines().count();
    assert!(kept >= 2, "a unit that was answered is kept at once");
    // A crash in the middle of a line costs that line alone.
    std::fs::write(&state, std::fs::read_to_string(&state).unwrap() + "{\"unit\": \"abc").unwrap();
    let well = opinionated();
    let second = run(&repo, Some(&well), &args);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.report()["incomplete"].as_array().unwrap().is_empty());
    let asked = well.requests().len();
    // A third run asks nothing, and says the same.
    let third = run(&repo, Some(&well), &args);
    assert_eq!((well.requests().len(), third.stdout == second.stdout), (asked, true));
    // What one folder changes is asked about anew; the rest is known.
    repo.write("svc4/mod.py", "import os\nos.system(\"run \" + NAME)\n");
    repo.commit("one folder");
    run(&repo, Some(&well), &args);
    let again = well.requests().len() - asked;
    let all = whole.report()["reviewers"]["requests"].as_u64().unwrap();
    assert!(again > 0 && (again as u64) < all / 3, "{again} of {all}");
    // Another file is not taken for a state.
    std::fs::write(&state, "hello\n").unwrap();
    let refused = run(&repo, Some(&well), &args);
    assert_eq!((refused.code, std::fs::read_to_string(&state).unwrap().as_str()), (2, "hello\n"));
}

#[test]
fn a_cap_ends_the_asking_and_says_so() {
    let repo = large();
    let gateway = FakeGateway::smart(|request| {
        let rules: Vec<Value> = asked(request).iter().map(|id| word(id, "not_applicable", json!([]))).collect();
        answer("").usage(9_000, 0, 500).call("report_compliance", json!({"rules": rules})).to(request)
    });
    let done = run(&repo, Some(&gateway), &with(&["--max-tokens", "60000", "--fail-on", "never"]));
    assert_eq!(done.code, 3, "{}", done.stderr);
    let told = done.report()["incomplete"].to_string();
    assert!(told.contains("60,000 tokens") && told.contains("--max-tokens"), "{told}");
    assert!((1..=6).contains(&gateway.requests().len()), "{}", gateway.requests().len());
}
