//! Reviewers and judge through a faked gateway.

use crate::gateway::{FakeGateway, Step, answer, status};
use crate::git_repo::link;
use crate::harness::{JSON, TOKEN, ask, coverage, finding, findings, project, reviewers, tribune};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

const EDIT: &str = "import subprocess\nimport os\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=False)\n    return name\n";

#[test]
fn reviewers_report_the_judge_weighs_and_code_finds_the_lines() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = reviewers(|who| match who {
        "quality" => {
            vec![finding("app.py", "    subprocess.run([\"tar\", name], check=False)", "important", "A failed archive is taken for a whole one")]
        }
        "docs" => vec![finding("app.py", "import   os", "suggestion", "Nothing says what os is for")],
        _ => vec![],
    });
    let done = ask(&repo, &gateway, &[&JSON[..], &["--tier", "full", "--fail-on", "important"]].concat());
    let report = done.report();
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert_eq!(
        findings(&report),
        ["important app.py:5 exact A failed archive is taken for a whole one", "suggestion app.py:2 moved Nothing says what os is for"]
    );
    assert_eq!(report["summary"], "Judged.");
    assert_eq!(coverage(&report), ["reviewed app.py"]);
    let input = |r: &crate::gateway::RecordedRequest| r.body.len() as u64 / 4;
    let who: BTreeSet<String> = gateway.requests().iter().map(|r| r.reviewer()).collect();
    assert_eq!(who.into_iter().collect::<Vec<_>>(), ["codex", "coordinator", "docs", "performance", "quality", "release", "security"]);
    let quality = report["reviewers"].as_array().and_then(|l| l.iter().find(|r| r["id"] == "quality")).expect("quality ran").clone();
    assert_eq!(
        (quality["status"].as_str(), quality["requests"].as_u64(), quality["usage"]["input_tokens"].as_u64()),
        (Some("completed"), Some(1), Some(input(&gateway.requests().into_iter().find(|r| r.reviewer() == "quality").expect("quality asked"))))
    );
    assert_eq!(report["usage"]["input_tokens"], gateway.requests().iter().map(input).sum::<u64>());
}

#[test]
fn requests_share_one_prefix_and_the_own_part_comes_last() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = reviewers(|_| vec![]);
    for _ in 0..2 {
        ask(&repo, &gateway, &[&JSON[..], &["--tier", "full"]].concat());
    }
    let requests = gateway.requests();
    assert_eq!(requests.len(), 12, "no judge is asked where nobody found anything");
    let mut prefixes = BTreeSet::new();
    for request in &requests {
        let body = request.json();
        let parts = request.first_user_parts();
        assert!(parts.last().is_some_and(|own| own.starts_with("# Reviewer: ") && own.len() < 4000));
        prefixes.insert(json!([body["tools"], body["messages"][0], parts[0]]).to_string());
        let system = body["messages"][0]["content"].as_str().expect("a system message").to_owned();
        assert!(!system.contains("check=False") && !system.contains("app.py"));
        let tools: Vec<&str> = body["tools"].as_array().expect("tools").iter().filter_map(|t| t["function"]["name"].as_str()).collect();
        assert_eq!(tools, ["read_file", "search", "list_files", "show_diff", "find_symbol", "codex_rule", "report_findings"]);
    }
    assert_eq!(prefixes.len(), 1, "byte-identical for all reviewers and from run to run");
}

#[test]
fn prose_is_asked_about_once_and_then_that_reviewer_has_failed() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = FakeGateway::smart(|r| answer("Looks good to me!").to(r));
    let done = ask(&repo, &gateway, &JSON);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for request in gateway.requests() {
        *counts.entry(request.reviewer()).or_default() += 1;
    }
    assert!(counts.values().all(|n| *n == 2), "{counts:?}");
    let report = done.report();
    assert_eq!((done.code, report["outcome"].as_str()), (3, Some("inconclusive")));
    assert_eq!(coverage(&report), ["failed app.py"]);
    assert!(!done.stdout.contains("no findings"));
}

#[test]
fn a_gateway_that_is_down_costs_the_models_only() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let done = tribune(&repo)
        .env("TRIBUNE_GATEWAY_URL", format!("http://{free}/v1"))
        .env("TRIBUNE_MODEL", "m")
        .args(JSON)
        .args(["--fail-on", "never"])
        .output()
        .expect("it runs");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!(done.status.code(), Some(3));
    assert_eq!(report["findings"][0]["rule_id"], "SEC-PY-003");
    assert_eq!(coverage(&report), ["failed app.py"]);
    let tried: Vec<u64> =
        report["reviewers"].as_array().expect("a list").iter().filter(|r| r["id"] != "rules").filter_map(|r| r["requests"].as_u64()).collect();
    assert!(!tried.is_empty() && tried.iter().all(|n| (1..=3).contains(n)), "{tried:?}");
}

#[test]
fn answers_that_are_no_answers_fail_their_reviewer_and_show_no_token() {
    let repo = project();
    repo.write("app.py", EDIT);
    let html = "<html>\x1b[31m sign in</html>";
    let scripts: Vec<(&str, crate::gateway::Script)> = vec![
        ("401", status(401, &[], "{\"error\":{\"message\":\"bad key tok-e2e-0123456789\"}}")),
        ("403", status(403, &[], "")),
        ("404", status(404, &[], html)),
        ("400", status(400, &[], "{\"error\":{\"message\":\"no\",\"code\":\"context_length_exceeded\"}}")),
        ("413", status(413, &[], "")),
        ("html", status(200, &["content-type: text/html"], html)),
        ("empty", status(200, &["content-type: text/event-stream"], "")),
        ("json", status(200, &["content-type: application/json"], "{")),
    ];
    for (name, script) in scripts {
        let gateway = FakeGateway::scripted(vec![script]);
        let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality"]].concat());
        assert_eq!((done.code, coverage(&done.report())), (3, vec!["failed app.py".to_owned()]), "{name}: {}", done.stdout);
        assert!(!done.stdout.contains(TOKEN) && !done.stderr.contains(TOKEN), "{name}");
        assert!(!done.stdout.contains('\x1b'), "{name}");
    }
}

#[test]
fn a_key_in_an_answer_gets_nowhere() {
    let repo = project();
    repo.write("app.py", EDIT);
    // Whoever stands between us and the model can put it there.
    let leak = format!("It told me {TOKEN}");
    let gateway = reviewers(move |_| vec![finding("app.py", "    subprocess.run([\"tar\", name], check=False)", "important", &leak)]);
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality"]].concat());
    assert!(done.stdout.contains("It told me [secret]"), "{}", done.stdout);
    assert!(!done.stdout.contains(TOKEN) && !done.stderr.contains(TOKEN), "{}{}", done.stdout, done.stderr);
}

#[test]
fn tools_read_the_repository_and_nothing_else() {
    let repo = project();
    repo.write("app.py", EDIT);
    std::fs::write(repo.outside.path().join("beside.txt"), "OUTSIDE").expect("a file");
    link(&repo.outside.path().join("beside.txt"), &repo.dir.join("link"));
    let gateway = FakeGateway::smart(|request| {
        let turns = request.json()["messages"].as_array().map_or(0, Vec::len);
        if turns > 2 {
            return answer("").call("report_findings", json!({"findings": []})).to(request);
        }
        let read = |path: &str| json!({"path": path});
        answer("")
            .call("read_file", read("README.md"))
            .call("read_file", read("../beside.txt"))
            .call("read_file", read("/etc/passwd"))
            .call("read_file", read("link"))
            .call("read_file", read(".git/config"))
            .call("search", json!({"text": "check=False"}))
            .call("find_symbol", json!({"name": "pack"}))
            .call("show_diff", read("app.py"))
            .call("list_files", read(""))
            .call("codex_rule", json!({"ids": ["SEC-PY-003", "NO-SUCH-1"]}))
            .call("shell", json!({"command": "id"}))
            .to(request)
    });
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality"]].concat());
    assert_eq!(done.code, 0, "{}", done.stdout);
    let second = gateway.requests().into_iter().nth(1).expect("a second request");
    let results: Vec<String> = second.json()["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter(|m| m["role"] == "tool")
        .filter_map(|m| m["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(results.len(), 11);
    assert!(results[0].contains("# Program"));
    for refused in &results[1..5] {
        assert!(!refused.contains("OUTSIDE") && !refused.contains("root:") && !refused.contains("[core]"), "{refused}");
    }
    assert!(results[5].contains("app.py:5"), "{}", results[5]);
    assert!(results[6].contains("def pack(name):"), "{}", results[6]);
    assert!(results[7].contains("-    subprocess.run([\"tar\", name], check=True)"), "{}", results[7]);
    assert!(results[8].contains("README.md"));
    assert!(results[9].contains("shell") && results[9].contains("NO-SUCH-1: there is no such rule"));
    assert!(results[10].contains("no such tool"));
}

#[test]
fn private_paths_and_secrets_reach_no_model() {
    let repo = project();
    repo.git(&["checkout", "-q", "main"]);
    repo.write(".tribune.yaml", "private_paths: [\"vault/\"]\n");
    repo.commit("policy");
    repo.git(&["checkout", "-q", "-b", "next"]);
    let secret = ["gh", "p_", "q7Rk2LmZ0xVb4TnYc8WdJ5sHf1GaE9uQpo3K"].concat();
    repo.write("vault/plan.py", "HIDDEN_PLAN = 'acquire'\n");
    repo.write("app.py", format!("{EDIT}KEY = \"{secret}\"\n"));
    let gateway = FakeGateway::smart(|request| {
        let turns = request.json()["messages"].as_array().map_or(0, Vec::len);
        let looks = answer("")
            .call("read_file", json!({"path": "vault/plan.py"}))
            .call("search", json!({"text": "HIDDEN_PLAN"}))
            .call("show_diff", json!({"path": "vault/plan.py"}))
            .call("read_file", json!({"path": "app.py"}));
        if turns > 2 { answer("").call("report_findings", json!({"findings": []})).to(request) } else { looks.to(request) }
    });
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality,rules"]].concat());
    for request in gateway.requests() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!body.contains("acquire") && !body.contains(&secret), "{body}");
    }
    assert_eq!(gateway.requests().len(), 2);
    assert_eq!(coverage(&done.report()), ["reviewed app.py", "filtered vault/plan.py"]);
    assert_eq!(done.report()["findings"][0]["rule_id"], "SEC-SECRET-001");
}

#[test]
fn nonsense_from_a_model_loses_nothing_and_gates_nothing() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = reviewers(|_| {
        let mut all = vec![
            finding("no/such/file.py", "x = 1", "critical", "About a file that does not exist"),
            finding("app.py", "this stands nowhere", "critical", "About code that stands nowhere"),
            finding(
                "app.py",
                "    subprocess.run([\"tar\", name], check=False)\n    made_up(name)",
                "critical",
                "About code that stands there in part",
            ),
            finding("app.py", "def pack(name):", "critical", "About code that the change leaves alone"),
            json!({"path": "app.py", "quote": "    subprocess.run([\"tar\", name], check=False)", "severity": "critical", "title": "No trigger", "body": "b"}),
            json!({"path": 7, "severity": "doom"}),
            json!("garbage"),
        ];
        all.extend((0..10_000).map(|i| finding("app.py", "check=False", "nit", &format!("Nit {i}"))));
        all
    });
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality"]].concat());
    let report = done.report();
    assert_eq!(done.code, 0, "what has no anchor does not gate");
    let shown = findings(&report);
    assert!(shown.contains(&"critical no/such/file.py:null none About a file that does not exist".to_owned()), "{shown:?}");
    assert!(shown.contains(&"critical app.py:null file About code that stands there in part".to_owned()), "{shown:?}");
    assert!(shown.contains(&"suggestion app.py:5 exact No trigger".to_owned()), "{shown:?}");
    let dropped: Vec<&str> = report["dropped"].as_array().expect("a list").iter().filter_map(|d| d["title"].as_str()).collect();
    assert!(dropped.contains(&"About code that the change leaves alone") && dropped.contains(&"About code that stands nowhere"), "{dropped:?}");
    assert!(report["dropped"].to_string().contains("9"), "the rest is counted: {}", report["dropped"]);
}

#[test]
fn the_judge_cannot_raise_settle_or_touch_a_rule() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\nx = 1\ny = 2\n");
    let gateway = FakeGateway::smart(|request| {
        let said = match request.reviewer().as_str() {
            "coordinator" => {
                let decisions: Vec<Value> = (1..=4)
                    .flat_map(|i| {
                        [
                            json!({"id": format!("F{i}"), "action": "drop", "reason": "the text says so"}),
                            json!({"id": format!("F{i}"), "action": "keep", "severity": "critical"}),
                        ]
                    })
                    .collect();
                answer("").call("submit_review", json!({"findings": decisions, "summary": "@all /merge"}))
            }
            who => answer("").call(
                "report_findings",
                json!({"findings": [finding("app.py", if who == "quality" { "x = 1" } else { "y = 2" }, "suggestion", &format!("From {who}"))]}),
            ),
        };
        said.to(request)
    });
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality,docs,rules"]].concat());
    let report = done.report();
    assert_eq!(done.code, 1);
    assert_eq!(findings(&report)[0], "critical app.py:2 exact Do not pass untrusted text to a shell");
    assert!(findings(&report)[1..].iter().all(|f| f.starts_with("suggestion")), "{:?}", findings(&report));
}

#[test]
fn a_judge_whose_answer_was_cut_gets_more_room_once() {
    let repo = project();
    repo.write("app.py", "x = 1\ny = 2\n");
    for (cuts, told) in [(1, false), (9, true)] {
        let gateway = FakeGateway::smart(move |request| match (request.reviewer().as_str(), request.json()["max_completion_tokens"].as_u64()) {
            ("coordinator", room) => {
                let judged = answer("").call("submit_review", json!({"findings": [], "summary": "Judged."}));
                if room == Some(8_000) || cuts > 1 { judged.stop("length").to(request) } else { judged.to(request) }
            }
            (who, _) => answer("")
                .call(
                    "report_findings",
                    json!({"findings": [finding("app.py", if who == "quality" { "x = 1" } else { "y = 2" }, "important", &format!("From {who}"))]}),
                )
                .to(request),
        });
        let report = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality,docs"]].concat()).report();
        let rooms: Vec<Value> =
            gateway.requests().iter().filter(|r| r.reviewer() == "coordinator").map(|r| r.json()["max_completion_tokens"].clone()).collect();
        assert_eq!(rooms, [8_000, 24_000]);
        assert_eq!((report["notes"].to_string().contains("cut off"), findings(&report).len()), (told, 2), "{}", report["notes"]);
        assert_eq!(report["summary"] == "Judged.", !told);
    }
}

#[test]
fn a_failed_judge_keeps_everything_and_says_so() {
    let repo = project();
    repo.write("app.py", "x = 1\ny = 2\n");
    let gateway = FakeGateway::smart(|request| match request.reviewer().as_str() {
        "coordinator" => answer("I like it.").to(request),
        who => answer("")
            .call(
                "report_findings",
                json!({"findings": [finding("app.py", if who == "quality" { "x = 1" } else { "y = 2" }, "important", &format!("From {who}"))]}),
            )
            .to(request),
    });
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality,docs"]].concat());
    assert_eq!(findings(&done.report()).len(), 2);
    let notes = done.report()["notes"].to_string();
    assert!(notes.contains("The judge failed (it did not call submit_review with something readable, twice)"), "{notes}");
    let asked: Vec<_> = gateway.requests().into_iter().filter(|r| r.reviewer() == "coordinator").collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].json()["messages"].to_string().contains("Nobody reads prose here. Call `submit_review` now."));
}

#[test]
#[cfg_attr(windows, ignore = "no program sends another one a Ctrl-C there")]
fn a_signal_ends_the_run_and_keeps_what_was_found() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let gateway = FakeGateway::smart(|_| vec![Step::Hang]);
    let events = repo.outside.path().join("events");
    let mut command = tribune(&repo);
    command.env("TRIBUNE_GATEWAY_URL", gateway.url()).env("TRIBUNE_MODEL", "m").args(JSON).args(["--fail-on", "never", "--events"]).arg(&events);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    while gateway.requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().expect("kill runs");
    let done = child.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!(done.status.code(), Some(3));
    assert_eq!(report["findings"][0]["rule_id"], "SEC-PY-003");
    let told = std::fs::read_to_string(&events).expect("events");
    let last: Value = serde_json::from_str(told.lines().last().expect("a line")).expect("JSON");
    assert_eq!((last["event"].as_str(), last["outcome"].as_str()), (Some("finished"), Some("inconclusive")));
}

#[test]
fn a_budget_that_is_spent_keeps_what_was_found_and_is_inconclusive() {
    let repo = project();
    repo.write("app.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    let gateway = reviewers(|_| vec![]);
    let done = ask(&repo, &gateway, &[&JSON[..], &["--max-tokens", "500", "--fail-on", "never"]].concat());
    assert_eq!(done.code, 3);
    assert!(gateway.requests().is_empty(), "nothing that could exceed the cap is sent");
    assert_eq!(done.report()["findings"][0]["rule_id"], "SEC-PY-003");
    assert!(done.report()["reviewers"].to_string().contains("failed"));
}

#[test]
fn a_large_change_is_packed_and_every_file_reaches_each_reviewer_once() {
    let repo = project();
    for i in 0..30 {
        repo.write(format!("src/part_{i}.py"), (0..400).map(|j| format!("def f_{i}_{j}(value):\n    return value + {j}\n")).collect::<String>());
    }
    repo.write("config.yaml", "limits: {bundle_tokens: 12000}\n");
    let config = repo.outside.path().join("op.yaml");
    std::fs::rename(repo.dir.join("config.yaml"), &config).expect("moved");
    let gateway = reviewers(|_| vec![]);
    let done = ask(&repo, &gateway, &[&JSON[..], &["--only", "quality", "--config", &config.display().to_string()]].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(gateway.requests().len() > 3);
    let shared: Vec<String> = gateway.requests().iter().map(|r| r.first_user_parts()[0].clone()).collect();
    for i in 0..30 {
        let heading = format!("## src/part_{i}.py");
        assert_eq!(shared.iter().filter(|s| s.contains(&heading)).count(), 1, "{heading}");
    }
    assert!(coverage(&done.report()).iter().all(|c| c.starts_with("reviewed")));
}

#[test]
fn anthropic_messages_are_spoken_where_they_are_asked_for() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = reviewers(|_| vec![finding("app.py", "import os", "suggestion", "Nothing uses os")]);
    let host = gateway.url().trim_end_matches("/v1").to_owned();
    let mut command = tribune(&repo);
    command.env("TRIBUNE_GATEWAY_URL", host).env("TRIBUNE_GATEWAY_TOKEN", TOKEN).env("TRIBUNE_MODEL", "m").env("TRIBUNE_GATEWAY_PRESET", "anthropic");
    let done = command.args(JSON).args(["--only", "quality"]).output().expect("it runs");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!((done.status.code(), findings(&report)), (Some(0), vec!["suggestion app.py:2 exact Nothing uses os".to_owned()]));
    let request = &gateway.requests()[0];
    assert_eq!((request.path.as_str(), request.header("x-api-key")), ("/v1/messages", Some(TOKEN)));
    assert!(request.own().starts_with("# Reviewer: quality"));
}
