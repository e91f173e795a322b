//! Traces and metrics of whole runs, at a collector in this process.

use crate::gateway::{FakeGateway, RecordedRequest, Step, answer, status};
use crate::git_repo::Repo;
use crate::harness::{Done, JSON, TOKEN, finding, project, reviewers, tribune};
use serde_json::{Value, json};
use std::process::Command;

/// What must reach no collector: code, the fake secret in it, its path, titles, prompts, the gateway's token and the collector's own.
const NEVER: [&str; 8] = ["check=False", "hunter2", "app.py", "taken for a whole one", "It goes wrong", "# Reviewer", TOKEN, "tok-otlp"];
const EDIT: &str = "import subprocess\nimport os\n\nPASSWORD = \"hunter2-Zq81mX0pLw7\"\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=False)\n    return name\n";

fn collector() -> FakeGateway {
    FakeGateway::smart(|_| status(200, &["content-type: application/json"], "{}"))
}

/// A reviewer looks around once and reports.
fn models() -> FakeGateway {
    FakeGateway::smart(|request| {
        let said = match (request.reviewer().as_str(), request.json()["messages"].as_array().is_some_and(|all| all.len() > 2)) {
            ("coordinator", _) => answer("").call("submit_review", json!({"findings": [], "summary": "Judged."})),
            ("quality", false) => answer("I look.").call("read_file", json!({"path": "app.py"})),
            ("quality", true) => {
                let found =
                    finding("app.py", "    subprocess.run([\"tar\", name], check=False)", "important", "A failed archive is taken for a whole one");
                answer("").call("report_findings", json!({"findings": [found]}))
            }
            _ => {
                answer("").call("report_findings", json!({"findings": [finding("app.py", "import os", "suggestion", "Nothing says what os is for")]}))
            }
        };
        said.to(request)
    })
}

fn review(repo: &Repo, gateway: &str, collector: &str) -> Command {
    let mut command = tribune(repo);
    command.args(JSON).args(["--only", "quality,docs", "--fail-on", "important"]);
    command.env("TRIBUNE_GATEWAY_URL", gateway).env("TRIBUNE_GATEWAY_TOKEN", TOKEN).env("TRIBUNE_MODEL", "fake");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector).env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20tok-otlp");
    command
}

/// The value of an attribute.
fn attribute<'a>(of: &'a Value, key: &str) -> &'a Value {
    let all = of["attributes"].as_array().expect("attributes");
    let value = all.iter().find(|a| a["key"] == key).and_then(|a| a["value"].as_object()?.values().next());
    value.unwrap_or(&Value::Null)
}

fn sent<'a>(requests: &'a [RecordedRequest], path: &str) -> &'a RecordedRequest {
    let found: Vec<_> = requests.iter().filter(|r| r.path == path).collect();
    assert_eq!(found.len(), 1, "{path} is sent once");
    found[0]
}

#[test]
fn a_run_is_told_as_one_trace_and_metrics_without_its_texts() {
    let repo = project();
    repo.write("app.py", EDIT);
    for protocol in ["http/protobuf", "http/json"] {
        let (gateway, collector) = (models(), collector());
        let done = Done::of(review(&repo, &gateway.url(), &collector.url()).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol));
        assert_eq!((done.code, done.stderr.as_str()), (1, ""));
        let requests = collector.requests();
        let (traces, metrics) = (sent(&requests, "/v1/v1/traces"), sent(&requests, "/v1/v1/metrics"));
        for request in [traces, metrics] {
            assert_eq!(request.header("authorization"), Some("Bearer tok-otlp"));
            let text = String::from_utf8_lossy(&request.body);
            assert!(text.contains("gen_ai.request.model"), "{text}");
            assert_eq!(NEVER.map(|word| text.contains(word)), [false; NEVER.len()], "{text}");
        }
        if protocol == "http/protobuf" {
            assert_eq!(traces.header("content-type"), Some("application/x-protobuf"));
            continue;
        }
        let traces = traces.json();
        let spans = traces["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans");
        let mut names: Vec<&str> = spans.iter().filter_map(|s| s["name"].as_str()).collect();
        names.sort_unstable();
        let agents = ["invoke_agent coordinator", "invoke_agent docs", "invoke_agent quality"];
        assert_eq!(names, [&["chat fake"; 4][..], &["execute_tool read_file"], &agents, &["invoke_workflow tribune"]].concat());
        let span = |name: &str| spans.iter().find(|s| s["name"] == name).expect("a span of that name");
        let root = span("invoke_workflow tribune");
        for agent in agents {
            assert_eq!((&span(agent)["parentSpanId"], &span(agent)["traceId"]), (&root["spanId"], &root["traceId"]));
        }
        assert_eq!((attribute(root, "tribune.outcome"), attribute(root, "tribune.files")), (&json!("fail"), &json!("1")));
        let chats = spans.iter().filter(|s| s["name"] == "chat fake" && attribute(s, "gen_ai.agent.name") == "quality");
        let mut input = 0;
        for chat in chats {
            assert_eq!(chat["parentSpanId"], span("invoke_agent quality")["spanId"]);
            let told = ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.response.model"].map(|key| attribute(chat, key));
            assert_eq!(told, [&json!("chat"), &json!("openai"), &json!("fake-model-1")]);
            input += attribute(chat, "gen_ai.usage.input_tokens").as_str().and_then(|n| n.parse::<u64>().ok()).expect("tokens");
        }
        let report = done.report();
        let quality = report["reviewers"].as_array().and_then(|all| all.iter().find(|r| r["id"] == "quality")).expect("it ran");
        assert_eq!(quality["usage"]["input_tokens"], input);
        let found = root["events"].as_array().expect("events").iter().find(|e| attribute(e, "tribune.reviewer") == "quality").expect("its finding");
        let told = ["tribune.finding.status", "tribune.finding.severity", "gen_ai.response.model"].map(|key| attribute(found, key));
        assert_eq!((found["name"].as_str(), told), (Some("tribune.finding"), [&json!("new"), &json!("important"), &json!("fake-model-1")]));
        let metrics = metrics.json();
        let metrics = metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().expect("metrics");
        let names: Vec<&str> = metrics.iter().filter_map(|m| m["name"].as_str()).collect();
        let client = ["gen_ai.client.operation.duration", "gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.token.usage"];
        assert_eq!(names, [&client[..], &["tribune.findings", "tribune.run.duration"]].concat(), "no dollars without a price");
    }
}

#[test]
fn a_collector_in_trouble_changes_nothing_but_one_line_each() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port that was free");
    let hanging = FakeGateway::smart(|_| vec![Step::Hang]);
    let refusing = FakeGateway::smart(|_| status(401, &[], "no"));
    let moved = FakeGateway::smart(|_| status(307, &["location: http://127.0.0.1:1/"], ""));
    for (url, why) in [
        (hanging.url(), " took longer than 0.4 s"),
        (refusing.url(), " answered 401"),
        (moved.url(), " answered 307"),
        (format!("http://{gone}"), ": "),
    ] {
        let done = Done::of(review(&repo, &models().url(), &url).env("OTEL_EXPORTER_OTLP_TIMEOUT", "400"));
        let lines: Vec<&str> = done.stderr.lines().collect();
        assert_eq!((done.code, lines.len(), done.report()["outcome"].as_str()), (1, 2, Some("fail")), "{}", done.stderr);
        for (line, what) in lines.iter().zip(["traces", "metrics"]) {
            assert!(line.starts_with(&format!("{what} were not exported: 127.0.0.1:")) && line.contains(why), "{line}");
        }
        assert!(!done.stderr.contains("tok-otlp") && !done.stdout.contains("exported"));
    }
    // What cannot be used is told, and the run goes on.
    let done = Done::of(&mut review(&repo, &models().url(), "http://collector.invalid:4318"));
    assert_eq!((done.code, done.stderr.lines().count()), (1, 2));
    assert!(done.stderr.contains("metrics are not exported: the URL in OTEL_EXPORTER_OTLP_ENDPOINT for collector.invalid is plain http"));
}

#[test]
fn what_was_not_reviewed_or_only_played_is_not_told() {
    let repo = project();
    repo.write("app.py", EDIT);
    let collector = collector();
    let tape = repo.outside.path().join("tape").display().to_string();
    let recorded = Done::of(review(&repo, &reviewers(|_| vec![]).url(), &collector.url()).args(["--record", &tape]));
    assert_eq!(collector.requests().len(), 2, "{}", recorded.stderr);
    let played = Done::of(&mut review(&repo, &format!("replay:{tape}"), &collector.url()));
    assert_eq!(played.report()["outcome"], recorded.report()["outcome"]);
    let config = repo.outside.path().join("operator.yaml");
    std::fs::write(&config, "rollout: {mode: off}\n").expect("written");
    let off = Done::of(review(&repo, &models().url(), &collector.url()).args(["--config", config.to_str().expect("UTF-8")]));
    assert_eq!((off.code, collector.requests().len()), (0, 2), "{}", off.stderr);
}
