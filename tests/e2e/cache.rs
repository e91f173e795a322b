//! What requests share, how the cache of it is warmed, and servers that do not read all of it.

use crate::gateway::{FakeGateway, RecordedRequest, Script, Step, answer, status};
use crate::git_repo::Repo;
use crate::harness::{Done, JSON, coverage, project, tribune};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const EDIT: &str = "import subprocess\nimport os\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=False)\n    return name\n";

fn nothing(request: &RecordedRequest) -> Script {
    let tool = if request.reviewer() == "coordinator" { "submit_review" } else { "report_findings" };
    answer("").call(tool, json!({"findings": [], "summary": ""})).to(request)
}

/// A review with a gateway of this kind, all reviewers of one model.
fn review(repo: &Repo, gateway: &FakeGateway, preset: &str, wire: &str, args: &[&str]) -> Done {
    let host = gateway.url().trim_end_matches("/v1").to_owned();
    let url = if preset == "openai" { gateway.url() } else { host };
    let mut command = tribune(repo);
    command.env("TRIBUNE_GATEWAY_URL", url).env("TRIBUNE_GATEWAY_PRESET", preset).env("TRIBUNE_GATEWAY_WIRE", wire).env("TRIBUNE_MODEL", "m");
    Done::of(command.args(JSON).args(args))
}

const WIRES: [(&str, &str); 4] = [("openai", "chat"), ("openai", "responses"), ("anthropic", "messages"), ("google", "generate-content")];

/// How many answers the request's conversation holds already.
fn answered(request: &RecordedRequest) -> usize {
    let body = request.json();
    let list = ["messages", "input", "contents"].iter().find_map(|name| body[*name].as_array().cloned()).unwrap_or_default();
    let ours = |m: &Value| {
        m["role"] == "tool"
            || m["type"] == "function_call_output"
            || m["content"][0]["type"] == "tool_result"
            || m["parts"][0]["functionResponse"].is_object()
    };
    list.iter().filter(|m| ours(m)).count()
}

#[test]
fn all_requests_of_a_model_begin_with_the_same_bytes_on_every_wire() {
    let repo = project();
    repo.write("app.py", EDIT);
    for (preset, wire) in WIRES {
        let gateway = FakeGateway::smart(|r| match answered(r) {
            0 | 1 if r.reviewer() != "coordinator" => answer("I look.").call("read_file", json!({"path": "README.md"})).to(r),
            _ => nothing(r),
        });
        let done = review(&repo, &gateway, preset, wire, &["--tier", "full"]);
        assert_eq!(done.code, 0, "{wire}: {}", done.stdout);
        let requests: Vec<RecordedRequest> = gateway.requests();
        assert_eq!(requests.len(), 18, "{wire}: six reviewers, three requests each");
        let mut beginnings = BTreeSet::new();
        for request in &requests {
            let body = String::from_utf8(request.body.clone()).expect("UTF-8");
            let own = body.find("# Reviewer: ").expect("an own part");
            beginnings.insert(body[..own].to_owned());
        }
        assert_eq!(beginnings.len(), 1, "{wire}");
        let beginning = beginnings.pop_first().expect("one");
        for part in ["report_findings", "find_symbol", "check=False"] {
            assert!(beginning.contains(part), "{wire}: {part} belongs to what is shared");
        }
        // What a conversation has said stays as it was sent, but for the marks of what to cache.
        let plain = |r: &RecordedRequest| {
            let body = r.json();
            let list = ["messages", "input", "contents"].iter().find_map(|name| body[*name].as_array().cloned()).expect("a conversation");
            list.into_iter()
                .map(|m| {
                    m.to_string().replace(r#","cache_control":{"type":"ephemeral"}"#, "").replace(r#""cache_control":{"type":"ephemeral"},"#, "")
                })
                .collect::<Vec<_>>()
        };
        for who in ["quality", "security"] {
            let mut talk: Vec<&RecordedRequest> = requests.iter().filter(|r| r.reviewer() == who).collect();
            talk.sort_by_key(|r| answered(r));
            for pair in talk.windows(2) {
                assert!(plain(pair[1]).starts_with(&plain(pair[0])), "{wire}, {who}");
            }
        }
    }
}

#[test]
fn anthropic_is_told_where_to_cache() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = FakeGateway::smart(|r| match answered(r) {
        0 => answer("I look.").call("read_file", json!({"path": "README.md"})).to(r),
        _ => nothing(r),
    });
    assert_eq!(review(&repo, &gateway, "anthropic", "messages", &["--only", "quality"]).code, 0);
    let marks = |r: &RecordedRequest| {
        let body = r.json();
        let mut marks = Vec::new();
        let blocks = |list: &Value| list.as_array().cloned().unwrap_or_default();
        let mut look = |name: String, list: &Value| {
            marks.extend(blocks(list).iter().enumerate().filter(|(_, b)| b["cache_control"].is_object()).map(|(i, _)| format!("{name}{i}")));
        };
        look("tools".into(), &body["tools"]);
        look("system".into(), &body["system"]);
        for (i, message) in blocks(&body["messages"]).iter().enumerate() {
            look(format!("m{i}."), &message["content"]);
        }
        marks.join(" ")
    };
    let requests = gateway.requests();
    assert_eq!(
        requests.iter().map(marks).collect::<Vec<_>>(),
        ["system0 m0.0", "system0 m0.0 m0.1 m2.0"],
        "the shared part, then where this request ends and where the one before did"
    );
}

#[test]
fn the_first_request_warms_the_cache_for_the_rest() {
    let repo = project();
    repo.write("app.py", EDIT);
    const PAUSE: Duration = Duration::from_millis(700);
    let gateway = FakeGateway::smart(|request| {
        // A comment is no event: the prompt is still being read.
        let head = crate::gateway::head(&["content-type: text/event-stream"]);
        let mut script = vec![head, Step::Write(b": working\n\n".to_vec()), Step::Wait(PAUSE)];
        script.extend(nothing(request).into_iter().skip(1));
        script
    });
    let done = review(&repo, &gateway, "openai", "chat", &["--tier", "full"]);
    assert_eq!(done.code, 0, "{}", done.stdout);
    let at: Vec<Duration> = gateway.requests().iter().map(|r| r.at).collect();
    assert_eq!(at.len(), 6);
    assert!(at[1..].iter().all(|later| *later >= at[0] + PAUSE), "nobody starts before the first has begun to answer: {at:?}");
}

#[test]
fn a_warm_up_that_fails_releases_the_rest() {
    let repo = project();
    repo.write("app.py", EDIT);
    let first = std::sync::atomic::AtomicBool::new(true);
    let gateway = FakeGateway::smart(move |request| match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
        true => status(503, &["retry-after: 2"], ""),
        false => nothing(request),
    });
    let done = review(&repo, &gateway, "openai", "chat", &["--tier", "full"]);
    assert_eq!(done.code, 0, "{}", done.stdout);
    let who: Vec<String> = gateway.requests().iter().map(RecordedRequest::reviewer).collect();
    assert_eq!((who.len(), who.first() == who.last()), (7, true), "the first comes back when all others are through: {who:?}");
}

#[test]
fn a_server_that_cuts_prompts_fails_the_reviewer_or_hands_on_to_the_next() {
    let repo = project();
    repo.write("app.py", EDIT);
    let cutting = || {
        FakeGateway::smart(|r| {
            let all = r.body.len() as u64 / 4;
            let tool = answer("").call("report_findings", json!({"findings": []}));
            tool.usage(all / 3, 0, 5).to(r)
        })
    };
    let gateway = cutting();
    let done = review(&repo, &gateway, "openai", "chat", &["--only", "quality"]);
    let report = done.report();
    assert_eq!((done.code, coverage(&report), gateway.requests().len()), (3, vec!["failed app.py".to_owned()], 1));
    let reason = report["reviewers"].to_string() + &report["coverage"].to_string() + &report["notes"].to_string();
    assert!(reason.contains("it cut the prompt without saying so"), "{report}");

    let (first, second) = (cutting(), FakeGateway::smart(nothing));
    let file = repo.outside.path().join("op.yaml");
    let text = format!(
        "endpoints: {{one: {{url: '{}'}}, two: {{url: '{}'}}}}\nmodels: {{standard: [{{model: small, endpoint: one}}, {{model: large, endpoint: two}}]}}",
        first.url(),
        second.url()
    );
    std::fs::write(&file, text).expect("a file");
    let done = Done::of(tribune(&repo).args(JSON).args(["--only", "quality", "--config"]).arg(&file));
    assert_eq!((done.code, coverage(&done.report())), (0, vec!["reviewed app.py".to_owned()]), "{}", done.stdout);
}

#[test]
fn a_gateway_is_told_what_requests_are_for_and_no_name() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = FakeGateway::smart(nothing);
    let host = gateway.url().trim_end_matches("/v1").to_owned();
    for key in [None, Some("an organisation's key")] {
        let mut command = tribune(&repo);
        command.env("TRIBUNE_GATEWAY_URL", &host).env("TRIBUNE_GATEWAY_PRESET", "litellm").env("TRIBUNE_MODEL", "m");
        command.env("GITHUB_RUN_ID", "4711").env("GITHUB_REPOSITORY", "team/app").env("GITHUB_ACTOR", "ada").env("GITHUB_ACTOR_ID", "583231");
        key.map(|key| command.env("TRIBUNE_STATE_KEY", key));
        let done = Done::of(command.args(JSON).args(["--only", "quality"]));
        assert_eq!(done.code, 0, "{}", done.stderr);
        let request = gateway.requests().pop().expect("a request");
        let told: Value = serde_json::from_str(request.header("x-litellm-spend-logs-metadata").expect("metadata")).expect("JSON");
        assert_eq!((&told["run"], &told["project"], &told["reviewer"]), (&json!("4711"), &json!("team/app"), &json!("quality")));
        assert_eq!(told["user"].as_str().map(str::len), key.map(|_| 32), "{told}");
        let all = format!("{:?} {}", request.headers, String::from_utf8_lossy(&request.body));
        assert!(!all.contains("ada\"") && !all.contains("583231"), "{all}");
    }
}
