//! Calls that succeed, and what stands around them: requests, streams in every cut, time, budget, counts.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/gateway.rs"]
mod gateway;

use calls::{Case, KEY, MODEL, Wire, context, quick, request};
use gateway::{FakeGateway, Script, Step, answer, chunked_stream, head, status, stream};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tribune::gateway::{Caps, ErrorKind, Limits, Link, ModelRequest, Price, Stop, Usage};

const PRICE: Price = Price { input: 1.0, cached: 0.1, cache_write: 1.25, output: 10.0, long: None };

fn case(wire: Wire, scripts: Vec<Script>) -> Case {
    Case::new(wire, FakeGateway::scripted(scripts), quick())
}

#[tokio::test]
async fn requests_carry_key_and_layout() {
    for (wire, path, key) in [
        (Wire::Chat, "/v1/chat/completions", "authorization"),
        (Wire::Responses, "/v1/responses", "authorization"),
        (Wire::Messages, "/v1/messages", "x-api-key"),
        (Wire::Generate, "/v1beta/models/model-1:streamGenerateContent?alt=sse", "x-goog-api-key"),
    ] {
        let case = case(wire, vec![wire.script(&answer("ok"))]);
        case.complete().await.expect("an answer");
        let sent = &case.fake.requests()[0];
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", path));
        assert!(sent.header(key).expect(key).ends_with(KEY));
        assert_eq!(sent.header("content-type"), Some("application/json"));
        assert!(sent.header("user-agent").expect("set").starts_with("tribune/"));
        assert_eq!(sent.header("anthropic-version"), (wire == Wire::Messages).then_some("2023-06-01"));
        let stream = if wire == Wire::Generate { json!(null) } else { json!(true) };
        let store = if wire == Wire::Responses { json!(false) } else { json!(null) };
        assert_eq!((sent.json()["stream"].clone(), sent.json()["store"].clone()), (stream, store));
        assert_eq!(sent.first_user_parts(), ["The change.", "# Reviewer: quality\nLook."]);
        assert_eq!(sent.reviewer(), "quality");
    }
}

#[tokio::test]
async fn requests_are_byte_stable_and_share_their_beginning() {
    for wire in Wire::ALL {
        let case = case(wire, vec![wire.script(&answer("ok"))]);
        for reviewer in ["quality", "quality", "security"] {
            case.gateway.complete(&context(), &request(reviewer)).await.expect("an answer");
        }
        let bodies: Vec<_> = case.fake.requests().into_iter().map(|r| String::from_utf8(r.body).expect("UTF-8")).collect();
        assert_eq!(bodies[0], bodies[1]);
        let common = bodies[0].bytes().zip(bodies[2].bytes()).take_while(|(a, b)| a == b).count();
        assert!(bodies[0][..common].ends_with("# Reviewer: "), "{wire:?}: {}", &bodies[0][..common]);
    }
}

/// An answer with everything in it.
fn rich() -> gateway::answers::ModelAnswer {
    answer("Grüße 😀 \"error\"").call("read_file", json!({"path": "ä.rs"})).call("search", json!({"text": "x\ny"})).usage(1000, 600, 3)
}

#[tokio::test]
async fn streams_in_every_cut_give_the_same_answer() {
    for wire in Wire::ALL {
        let text = wire.text(&rich());
        let in_reads = |text: &str, size: usize| {
            let reads = text.as_bytes().chunks(size).map(|read| Step::Write(read.to_vec()));
            std::iter::once(head(&["content-type: text/event-stream"])).chain(reads).collect::<Script>()
        };
        let gzipped = [head(&["content-encoding: gzip"]), Step::Write(gzip(text.as_bytes()))].to_vec();
        let unknown = "event: brand_new\ndata: {\"type\":\"brand_new\",\"choices\":[]}\n\n";
        for (name, script) in [
            ("in one", stream(&text)),
            ("in chunks", chunked_stream(&text)),
            ("byte by byte", in_reads(&text, 1)),
            ("CR LF in sevens", in_reads(&text.replace('\n', "\r\n"), 7)),
            ("CR", stream(&text.replace('\n', "\r"))),
            ("BOM and blanks", stream(&format!("\u{feff}\n\n{text}"))),
            ("comments", stream(&text.replace("data:", ": OPENROUTER PROCESSING\ndata:"))),
            ("no blank after the colon", stream(&text.replace("data: ", "data:"))),
            ("unknown events", stream(&format!("{unknown}{}", text.replace("\n\n", &format!("\n\n{unknown}"))))),
            ("no last blank line", stream(text.trim_end())),
            ("no [DONE]", stream(&text.replace("data: [DONE]\n\n", ""))),
            ("gzip", gzipped),
        ] {
            let case = case(wire, vec![script]);
            let answer = case.complete().await.unwrap_or_else(|error| panic!("{name}, {wire:?}: {error}"));
            let calls: Vec<_> = answer.turn.calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
            assert_eq!(answer.turn.text, "Grüße 😀 \"error\"", "{name}, {wire:?}");
            assert_eq!(calls, [("read_file", r#"{"path":"ä.rs"}"#), ("search", r#"{"text":"x\ny"}"#)], "{name}, {wire:?}");
            assert_eq!((&answer.stop, answer.model.as_str()), (&Stop::Tools, "fake-model-1"), "{name}, {wire:?}");
            let usage = Usage { input_tokens: 1000, cached_tokens: 600, output_tokens: 3, ..Usage::default() };
            assert_eq!((answer.usage, case.fake.requests().len()), (usage, 1), "{name}, {wire:?}");
        }
    }
}

#[tokio::test]
async fn servers_that_do_not_stream_are_understood() {
    let chat = json!({"model": "m", "choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7, "completion_tokens": 2}});
    let messages = json!({"model": "m", "content": [{"type": "text", "text": "whole"}], "stop_reason": "end_turn", "usage": {"input_tokens": 7, "output_tokens": 2}});
    let responses = json!({"model": "m", "status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "whole"}]}], "usage": {"input_tokens": 7, "output_tokens": 2}});
    let generate = json!([{"candidates": [{"content": {"parts": [{"text": "who"}]}}]}, {"candidates": [{"content": {"parts": [{"text": "le"}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2}}]);
    let all = [(Wire::Chat, chat), (Wire::Messages, messages), (Wire::Responses, responses), (Wire::Generate, generate)];
    for (wire, document) in all {
        let answer = case(wire, vec![status(200, &["content-type: application/json"], &document.to_string())]).complete().await.expect("an answer");
        assert_eq!((answer.turn.text.as_str(), answer.stop, answer.usage.input_tokens), ("whole", Stop::End, 7));
    }
}

#[tokio::test]
async fn a_whole_answer_stays_whole_however_its_connection_ends() {
    let text = answer("whole").uncounted().chat_text().replace("data: [DONE]\n\n", "");
    let limits = Limits { idle: Duration::from_millis(100), ..quick() };
    for end in [Step::Reset, Step::Hang] {
        let script = [stream(&text), vec![Step::Wait(Duration::from_millis(20)), end]].concat();
        let case = Case::new(Wire::Chat, FakeGateway::scripted(vec![script]), limits.clone());
        let answer = case.complete().await.expect("an answer");
        assert_eq!((answer.turn.text.as_str(), answer.usage.estimated), ("whole", true));
    }
}

#[tokio::test]
async fn an_end_mark_ends_the_answer_though_the_connection_stays() {
    for wire in Wire::ALL {
        let case = case(wire, vec![[wire.script(&answer("whole")), vec![Step::Hang]].concat()]);
        let started = Instant::now();
        case.complete().await.expect("an answer");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let text = answer("ok").chat_text();
    let case = case(Wire::Chat, vec![chunked_stream(&text)]);
    for _ in 0..3 {
        case.complete().await.expect("an answer");
    }
    let connections: Vec<_> = case.fake.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn usage_that_nobody_counted_is_estimated_and_marked() {
    for wire in Wire::ALL {
        let case = case(wire, vec![wire.script(&answer(&"word ".repeat(100)).uncounted())]);
        let answer = case.complete().await.expect("an answer");
        let body = case.fake.requests()[0].body.len() as u64;
        assert!(answer.usage.estimated, "{wire:?}");
        assert_eq!(answer.usage.input_tokens, body.div_ceil(4));
        assert!((120..160).contains(&answer.usage.output_tokens), "{:?}", answer.usage);
    }
}

#[tokio::test]
async fn attempts_that_failed_are_counted_where_they_began() {
    let broken = Wire::Messages.without_end(&answer("half").usage(100, 60, 20));
    let scripts = vec![status(500, &[], ""), stream(&broken), Wire::Messages.script(&answer("whole").usage(100, 60, 20))];
    let fake = FakeGateway::scripted(scripts);
    let url = fake.url();
    let case = Case::with(Wire::Messages, &url, fake, quick(), Caps::default(), Some(PRICE));
    let answer = case.complete().await.expect("an answer");
    let stats = case.gateway.stats("quality");
    assert_eq!((stats.requests, stats.usage), (3, answer.usage));
    assert_eq!((answer.usage.input_tokens, answer.usage.cached_tokens, answer.usage.output_tokens), (200, 120, 40));
    let cost = answer.usage.cost_usd.expect("the price is known");
    assert!((cost - (80.0 * 1.0 + 120.0 * 0.1 + 40.0 * 10.0) / 1e6).abs() < 1e-12, "{cost}");
    assert_eq!(case.gateway.stats("nobody"), Default::default());
}

#[tokio::test]
async fn deadline_and_cancellation_end_a_call_at_once() {
    for wire in Wire::ALL {
        let open = wire.without_end(&answer("half"));
        for (name, script) in [
            ("silent", vec![Step::Hang]),
            ("trickling", vec![head(&[]), Step::Trickle(b": ping\n\n".to_vec(), Duration::from_millis(10))]),
            ("flooding", [stream(&open), vec![Step::Trickle(vec![b'\n'; 1000], Duration::ZERO)]].concat()),
            ("waiting to retry", status(429, &["retry-after: 20"], "")),
        ] {
            let case = case(wire, vec![script]);
            let mut call = context();
            call.deadline = Instant::now() + Duration::from_millis(150);
            let started = Instant::now();
            let error = case.gateway.complete(&call, &request("quality")).await.expect_err(name);
            let kind = if name == "waiting to retry" { ErrorKind::RateLimited } else { ErrorKind::Timeout };
            assert_eq!(error.kind, kind, "{name}");
            assert!(started.elapsed() < Duration::from_secs(2), "{name}");

            let mut call = context();
            call.cancel = CancellationToken::new();
            let cancel = call.cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(150)).await;
                cancel.cancel();
            });
            let started = Instant::now();
            let error = case.gateway.complete(&call, &request("quality")).await.expect_err(name);
            assert_eq!((error.kind, started.elapsed() < Duration::from_secs(2)), (ErrorKind::Cancelled, true), "{name}");
        }
    }
}

#[tokio::test]
async fn what_a_cancelled_call_used_is_counted() {
    let script = [stream(&Wire::Messages.without_end(&answer("half").usage(100, 60, 20))), vec![Step::Hang]].concat();
    let case = case(Wire::Messages, vec![script]);
    let mut call = context();
    call.deadline = Instant::now() + Duration::from_millis(200);
    case.gateway.complete(&call, &request("quality")).await.expect_err("it hangs");
    assert_eq!(case.gateway.stats("quality").usage.input_tokens, 100);
}

#[tokio::test]
async fn a_request_that_was_given_up_counts_against_the_cap() {
    // It was sent, and may have been worked on: room for one such request is no room for two.
    let fake = FakeGateway::scripted(vec![vec![Step::Hang], Wire::Messages.script(&answer("x"))]);
    let url = fake.url();
    let case = Case::with(Wire::Messages, &url, fake, quick(), Caps { tokens: Some(3_000), ..Caps::default() }, Some(PRICE));
    let mut call = context();
    call.deadline = Instant::now() + Duration::from_millis(200);
    assert_eq!(case.gateway.complete(&call, &request("quality")).await.expect_err("it hangs").kind, ErrorKind::Timeout);
    let usage = case.gateway.stats("quality").usage;
    assert!(usage.estimated && usage.input_tokens > 0 && usage.cost_usd.is_some_and(|usd| usd > 0.0), "{usage:?}");
    assert_eq!(case.complete().await.expect_err("nothing is left").kind, ErrorKind::Budget);
    // Nothing is counted where nothing can have been read.
    let case = Case::with(Wire::Messages, "http://127.0.0.1:1", FakeGateway::scripted(vec![]), quick(), Caps::default(), Some(PRICE));
    assert_eq!(case.complete().await.expect_err("nobody is there").kind, ErrorKind::Network);
    assert_eq!(case.gateway.stats("quality").usage.input_tokens, 0);
}

#[tokio::test]
async fn those_who_wait_for_a_warm_cache_are_released() {
    let first = Wire::Chat.text(&answer("x"));
    let (start, rest) = first.split_at(first.find("\n\n").expect("an event") + 2);
    let slow = [stream(start), vec![Step::Wait(Duration::from_millis(400)), Step::Write(rest.into())]].concat();
    for (name, scripts) in [
        ("at the first event", vec![slow]),
        ("when the first attempt fails", vec![status(503, &["retry-after-ms: 400"], ""), Wire::Chat.script(&answer("x"))]),
    ] {
        let case = case(Wire::Chat, scripts);
        let began = CancellationToken::new();
        let call = calls::with_signal(&began);
        let gateway = case.gateway.clone();
        let started = Instant::now();
        let running = tokio::spawn(async move { gateway.complete(&call, &request("quality")).await });
        began.cancelled().await;
        assert!(started.elapsed() < Duration::from_millis(300), "{name}");
        assert!(!running.is_finished(), "{name}");
        running.await.expect("no panic").expect("an answer");
    }
    // A call that never begins releases them as well.
    let case = case(Wire::Chat, vec![]);
    let began = CancellationToken::new();
    let mut call = calls::with_signal(&began);
    let nowhere = [Link::new(MODEL, "nowhere")];
    call.chain = &nowhere;
    let error = case.gateway.complete(&call, &request("quality")).await.expect_err("no such endpoint");
    assert!(began.is_cancelled());
    insta::assert_snapshot!(error, @"no endpoint is named `nowhere`. Check the model's name, the gateway's URL and its preset.");
}

#[tokio::test]
async fn requests_at_the_same_time_are_bounded() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (counter, peak) = (now.clone(), most.clone());
    let fake = FakeGateway::smart(move |request| {
        let running = counter.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(running, Ordering::SeqCst);
        let counter = counter.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(40));
            counter.fetch_sub(1, Ordering::SeqCst);
        });
        [vec![Step::Wait(Duration::from_millis(50))], answer("ok").to(request)].concat()
    });
    let case = Case::new(Wire::Chat, fake, Limits { parallel: 3, ..quick() });
    let all = (0..12).map(|_| case.complete());
    assert!(futures::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_budget_ends_calls_before_they_start() {
    let fake = FakeGateway::smart(|request| answer("ok").usage(300, 0, 200).to(request));
    let url = fake.url();
    // Each request needs some 2,200 tokens at worst, 1,000 of them hidden and 1,000 of output, and uses 500.
    let case = Case::with(Wire::Chat, &url, fake, quick(), Caps { tokens: Some(3_500), ..Caps::default() }, None);
    let outcomes = futures::future::join_all((0..8).map(|_| case.complete())).await;
    let done = outcomes.iter().filter(|o| o.is_ok()).count();
    assert_eq!((done, case.fake.requests().len()), (3, 3), "{outcomes:?}");
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind, ErrorKind::Budget);
        assert_eq!(error.message, "the limit on tokens was reached");
    }
    let reached = case.gateway.reached();
    assert_eq!((reached[0].cap, reached[0].spent, reached[0].calls), (3_500.0, 1_500.0, 5));
}

#[tokio::test]
async fn less_output_is_asked_for_where_less_is_left_and_an_answer_that_it_cuts_off_fails() {
    let asked = |wire: Wire, body: &serde_json::Value| match wire {
        Wire::Chat => body["max_completion_tokens"].as_u64(),
        Wire::Responses => body["max_output_tokens"].as_u64(),
        Wire::Messages => body["max_tokens"].as_u64(),
        Wire::Generate => body["generationConfig"]["maxOutputTokens"].as_u64(),
    };
    for (wire, cut) in
        [(Wire::Chat, "length"), (Wire::Responses, "max_output_tokens"), (Wire::Messages, "max_tokens"), (Wire::Generate, "MAX_TOKENS")]
    {
        for (stop, text) in [(None, "whole"), (Some(cut), "half")] {
            let said = stop.map_or(answer(text), |reason| answer(text).stop(reason));
            let fake = FakeGateway::scripted(vec![wire.script(&said)]);
            let url = fake.url();
            let case = Case::with(wire, &url, fake, quick(), Caps { tokens: Some(5_000), ..Caps::default() }, None);
            let request = ModelRequest { max_output_tokens: 8_000, ..request("quality") };
            let outcome = case.gateway.complete(&context(), &request).await;
            let most = asked(wire, &case.fake.requests()[0].json()).expect("a bound");
            assert!((2_000..4_000).contains(&most), "{wire:?}: {most}");
            match stop {
                None => assert_eq!(outcome.expect("an answer").turn.text, "whole", "{wire:?}"),
                Some(_) => {
                    let error = outcome.expect_err("our limit cut it off");
                    assert_eq!((error.kind, case.fake.requests().len()), (ErrorKind::Budget, 1), "{wire:?}: {error}");
                    assert_eq!(error.message, format!("the limit on tokens was reached: its answer was cut off at {most} tokens"));
                }
            }
            assert_eq!(case.gateway.stats("quality").requests, 1, "{wire:?}");
        }
    }
}

#[tokio::test]
async fn events_tell_what_happened_and_nothing_else() {
    let script = answer("ok").model("evil\u{1b}[2J\u{202e}model");
    let case = case(Wire::Chat, vec![status(503, &[], &format!("no\n::error::{KEY}")), Wire::Chat.script(&script)]);
    let answer = case.complete().await.expect("an answer");
    assert_eq!(answer.model, "evil [2J model");
    let host = case.fake.url().replace("http://", "").replace("/v1", "");
    let lines: Vec<_> = case.events.lines().iter().map(|l| l.replace(&host, "HOST")).collect();
    insta::with_settings!({filters => vec![(r#"ms":\d+"#, r#"ms":N"#)]}, {
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"event":"model_called","reviewer":"quality","bundle":1,"model":"model-1","provider":"openai","host":"HOST","request":1,"attempt":1}
        {"event":"model_ended","reviewer":"quality","bundle":1,"model":"model-1","failed":"unavailable","status":503,"input_tokens":0,"cached_tokens":0,"cache_write_tokens":0,"output_tokens":0,"estimated":false,"cost_usd":null,"first_byte_ms":null,"ms":N}
        {"event":"model_retried","reviewer":"quality","reason":"HOST answered 503 (Service Unavailable): no ::error::[secret]","wait_ms":N}
        {"event":"model_called","reviewer":"quality","bundle":1,"model":"model-1","provider":"openai","host":"HOST","request":1,"attempt":2}
        {"event":"model_ended","reviewer":"quality","bundle":1,"model":"evil [2J model","failed":null,"status":null,"input_tokens":100,"cached_tokens":60,"cache_write_tokens":0,"output_tokens":20,"estimated":false,"cost_usd":null,"first_byte_ms":N,"ms":N}
        {"event":"model_answered","reviewer":"quality","bundle":1,"model":"evil [2J model","input_tokens":100,"cached_tokens":60,"output_tokens":20,"first_byte_ms":N,"ms":N}
        "#);
    });
    assert!(lines[0].contains(MODEL));
}

/// gzip with stored blocks: what a proxy could send.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    for (i, block) in bytes.chunks(100).enumerate() {
        let len = u16::try_from(block.len()).expect("a short block");
        out.push(u8::from((i + 1) * 100 >= bytes.len()));
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    let crc = bytes.iter().fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xEDB8_8320 & (0u32.wrapping_sub(c & 1)))));
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).expect("short").to_le_bytes());
    out
}
