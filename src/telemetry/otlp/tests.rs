//! One run as it is exported.

use super::*;
use crate::report::sample;
use serde_json::Value as Json;

fn called(request: u32) -> Event {
    Event::ModelCalled {
        reviewer: "quality".to_owned(),
        bundle: 1,
        model: "model-a".to_owned(),
        provider: "google",
        host: "gateway.example.org".to_owned(),
        request,
        attempt: 1,
    }
}

fn ended(failed: Option<&'static str>) -> Event {
    let n = u64::from(failed.is_none());
    Event::ModelEnded {
        reviewer: "quality".to_owned(),
        bundle: 1,
        model: if failed.is_some() { "model-a" } else { "model-a-2" }.to_owned(),
        failed,
        status: failed.map(|_| 503),
        input_tokens: n * 1000,
        cached_tokens: n * 600,
        cache_write_tokens: 0,
        output_tokens: n * 20,
        estimated: false,
        cost_usd: failed.is_none().then_some(0.25),
        first_byte_ms: failed.is_none().then_some(1500),
        ms: 2500,
    }
}

/// A reviewer that is tried again, looks around and reports; and one that is stopped in the middle.
fn events() -> Vec<Event> {
    let started = |reviewer: &str| Event::ReviewerStarted { reviewer: reviewer.to_owned(), model: "model-a".to_owned(), bundle: 1, bundles: 1 };
    vec![
        started("quality"),
        started("performance"),
        called(1),
        ended(Some("unavailable")),
        called(1),
        ended(None),
        Event::ToolCalled {
            reviewer: "quality".to_owned(),
            bundle: 1,
            tool: "read_file".to_owned(),
            about: "secret/plans.md".to_owned(),
            failed: false,
            ms: 5,
        },
        Event::ReviewerFinished { reviewer: "quality".to_owned(), bundle: 1, findings: 2, failed: None, ms: 9 },
    ]
}

/// What is collected of a run with these variables.
fn collected(content: bool) -> Collected {
    let mut collected = Collected::new(Some(([0xab; 16], [0xcd; 8])), content);
    events().iter().for_each(|event| collected.take(event));
    let mut review = sample::review();
    review.findings.truncate(2);
    tell(&mut collected, &review, content);
    collected
}

/// `{"key": …, "value": {"stringValue": …}}` as `key=…`.
fn attributes(of: &Json) -> String {
    let all = of["attributes"].as_array().into_iter().flatten();
    let one = |a: &Json| {
        let value =
            a["value"].as_object().and_then(|value| value.values().next()).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        format!("{}={}", a["key"].as_str().unwrap_or_default(), value.unwrap_or_default())
    };
    all.map(one).collect::<Vec<_>>().join(" ")
}

fn traces(collected: &Collected) -> String {
    let tree = message::to_json(&collected.traces(&vec![say("service.name", "tribune")]));
    let frame = &tree["resourceSpans"][0];
    let spans = frame["scopeSpans"][0]["spans"].as_array().expect("spans");
    let name = |id: &Json| spans.iter().find(|s| s["spanId"] == *id).map_or_else(|| id.to_string(), |s| s["name"].to_string());
    let mut out = format!("{} {}\n", attributes(&frame["resource"]), frame["scopeSpans"][0]["scope"]["name"]);
    for span in spans {
        assert_eq!(span["traceId"], "ab".repeat(16));
        let time = |at: &str| span[at].as_str().and_then(|t| t.parse::<u64>().ok()).expect("a time");
        assert!(time("startTimeUnixNano") > 1_700_000_000_000_000_000 && time("endTimeUnixNano") >= time("startTimeUnixNano"));
        out +=
            &format!("{} in {} kind {} status {}\n  {}\n", span["name"], name(&span["parentSpanId"]), span["kind"], span["status"], attributes(span));
        for event in span["events"].as_array().into_iter().flatten() {
            out += &format!("  * {} {}\n", event["name"], attributes(event));
        }
    }
    out
}

#[test]
fn a_run_is_one_trace() {
    insta::assert_snapshot!(traces(&collected(false)), @r#"
    service.name=tribune "tribune"
    "chat model-a" in "invoke_agent quality" kind 3 status {"code":2}
      gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.request.stream=true gen_ai.agent.name=quality tribune.request=1 tribune.attempt=1 gen_ai.response.model=model-a error.type=503 gen_ai.usage.input_tokens=0 gen_ai.usage.cache_read.input_tokens=0 gen_ai.usage.cache_creation.input_tokens=0 gen_ai.usage.output_tokens=0 tribune.usage.estimated=false
    "chat model-a" in "invoke_agent quality" kind 3 status null
      gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.request.stream=true gen_ai.agent.name=quality tribune.request=1 tribune.attempt=1 gen_ai.response.model=model-a-2 gen_ai.usage.input_tokens=1000 gen_ai.usage.cache_read.input_tokens=600 gen_ai.usage.cache_creation.input_tokens=0 gen_ai.usage.output_tokens=20 tribune.usage.estimated=false gen_ai.response.time_to_first_chunk=1.5 tribune.cost=0.25
    "execute_tool read_file" in "invoke_agent quality" kind 1 status null
      gen_ai.operation.name=execute_tool gen_ai.tool.name=read_file gen_ai.tool.type=function
    "invoke_agent quality" in "invoke_workflow tribune" kind 1 status null
      gen_ai.operation.name=invoke_agent gen_ai.agent.name=quality gen_ai.request.model=model-a tribune.bundle=1 tribune.findings=2
    "invoke_agent performance" in "invoke_workflow tribune" kind 1 status {"code":2}
      gen_ai.operation.name=invoke_agent gen_ai.agent.name=performance gen_ai.request.model=model-a tribune.bundle=1 error.type=cancelled
    "invoke_workflow tribune" in "cdcdcdcdcdcdcdcd" kind 1 status null
      gen_ai.operation.name=invoke_workflow gen_ai.workflow.name=tribune tribune.outcome=fail tribune.verdict=significant_concerns tribune.tier=full tribune.files=6 tribune.round=1
      * "tribune.finding" tribune.finding.status=new tribune.finding.severity=critical tribune.reviewer=rules tribune.rule.id=SEC-PY-003 tribune.finding.fingerprint=00000000000000001422cbd550e0bc6e
      * "tribune.finding" tribune.finding.status=new tribune.finding.severity=important tribune.reviewer=quality gen_ai.response.model=model-a-2 tribune.finding.fingerprint=00000000000000007466e14226a86310
      * "tribune.finding" tribune.finding.status=dropped
    "#);
}

#[test]
fn titles_places_and_what_tools_were_asked_are_sent_only_where_that_is_switched_on() {
    let words = ["secret/plans.md", "User input reaches a shell", "app/run.py", "Name could be shorter"];
    for content in [false, true] {
        let text = traces(&collected(content));
        assert_eq!(words.map(|word| text.contains(word)), [content; 4]);
    }
}

#[test]
fn metrics_add_up() {
    let tree = message::to_json(&collected(false).metrics(&Vec::new(), false));
    let mut out = String::new();
    for metric in tree["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().expect("metrics") {
        let kind = if metric["sum"].is_object() { "sum" } else { "histogram" };
        for point in metric[kind]["dataPoints"].as_array().expect("points") {
            let buckets = point["bucketCounts"].as_array();
            let n: Option<u64> = buckets.map(|all| all.iter().filter_map(|n| n.as_str()?.parse::<u64>().ok()).sum());
            assert_eq!(n.map(|n| n.to_string()).as_deref(), point["count"].as_str(), "as many in buckets as in all");
            assert_eq!(buckets.map(Vec::len), point["explicitBounds"].as_array().map(|bounds| bounds.len() + 1));
            let full = buckets.and_then(|all| all.iter().position(|n| n != "0"));
            let value = if metric["name"] == "tribune.run.duration" { &Json::Null } else { &point[if kind == "sum" { "asDouble" } else { "sum" }] };
            out += &format!("{} {} {value} in {full:?} {}\n", metric["name"].as_str().unwrap_or_default(), metric["unit"], attributes(point));
        }
    }
    insta::assert_snapshot!(out, @r#"
    gen_ai.client.operation.duration "s" 2.5 in Some(8) gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.response.model=model-a error.type=503
    gen_ai.client.operation.duration "s" 2.5 in Some(8) gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.response.model=model-a-2
    gen_ai.client.operation.time_to_first_chunk "s" 1.5 in Some(12) gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.response.model=model-a-2
    gen_ai.client.token.usage "{token}" 1000.0 in Some(5) gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.response.model=model-a-2 gen_ai.token.type=input
    gen_ai.client.token.usage "{token}" 20.0 in Some(3) gen_ai.operation.name=chat gen_ai.provider.name=gcp.gen_ai gen_ai.request.model=model-a server.address=gateway.example.org server.port=443 gen_ai.response.model=model-a-2 gen_ai.token.type=output
    tribune.cost "USD" 0.25 in None gen_ai.request.model=model-a tribune.reviewer=quality
    tribune.findings "{finding}" 1.0 in None tribune.finding.status=new tribune.finding.severity=critical tribune.reviewer=rules tribune.rule.id=SEC-PY-003
    tribune.findings "{finding}" 1.0 in None tribune.finding.status=new tribune.finding.severity=important tribune.reviewer=quality gen_ai.response.model=model-a-2
    tribune.findings "{finding}" 1.0 in None tribune.finding.status=dropped
    tribune.run.duration "s" null in Some(0) tribune.outcome=fail tribune.tier=full
    "#);
}
