//! Every fault that a gateway can have, on both wires: what it is classified as, how many attempts are made, and
//! that the key appears nowhere.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/gateway.rs"]
mod gateway;

use calls::{Case, KEY, Wire, quick};
use gateway::{FakeGateway, Script, Step, answer, head, status, stream};
use std::time::Duration;
use tribune::gateway::{ErrorKind, Limits};

/// What a row expects: the answer's text or the error's kind, and the number of attempts.
type Expected<'a> = (Result<&'a str, ErrorKind>, usize);

/// Runs one script against both wires: the script is made for each, and played for every attempt unless it is followed by a whole answer.
async fn row(name: &str, scripts: impl Fn(Wire) -> Vec<Script>, expected: Expected<'_>) {
    row_with(name, quick(), scripts, expected).await;
}

async fn row_with(name: &str, limits: Limits, scripts: impl Fn(Wire) -> Vec<Script>, expected: Expected<'_>) {
    for wire in Wire::ALL {
        let case = Case::new(wire, FakeGateway::scripted(scripts(wire)), limits.clone());
        let outcome = case.complete().await;
        let told = outcome.as_ref().map(|answer| answer.turn.text.as_str()).map_err(|error| error.kind);
        assert_eq!((told, case.fake.requests().len()), expected, "{name}, {wire:?}: {outcome:?}");
        assert_eq!(case.attempts(), expected.1, "{name}, {wire:?}: events");
        if let Err(error) = &outcome {
            let shown = error.to_string();
            assert!(shown.chars().count() < 700 && !shown.contains(char::is_control), "{name}, {wire:?}: {shown:?}");
        }
        case.assert_key_is_nowhere(name, &outcome);
    }
}

/// The script, then a whole answer.
fn then_whole(script: Script) -> impl Fn(Wire) -> Vec<Script> {
    move |wire| vec![script.clone(), wire.script(&answer("whole"))]
}

fn always(script: Script) -> impl Fn(Wire) -> Vec<Script> {
    move |_| vec![script.clone()]
}

use ErrorKind::*;

#[tokio::test]
async fn statuses_that_no_second_attempt_cures() {
    let error = |kind: &str, code: &str| format!(r#"{{"error":{{"message":"no ({KEY})","type":"{kind}","code":"{code}"}}}}"#);
    for (code, body, kind) in [
        (400, error("invalid_request_error", ""), BadRequest),
        (400, error("invalid_request_error", "context_length_exceeded"), TooLarge),
        (401, error("authentication_error", ""), Auth),
        (402, error("", ""), Quota),
        (403, format!("denied for {KEY}"), Auth),
        (404, error("not_found_error", "model_not_found"), NotFound),
        (413, String::new(), TooLarge),
        (422, error("", ""), BadRequest),
        (429, error("insufficient_quota", "insufficient_quota"), Quota),
        (301, String::new(), Protocol),
    ] {
        row(&format!("{code} {kind:?}"), always(status(code, &[], &body)), (Err(kind), 1)).await;
    }
}

#[tokio::test]
async fn statuses_that_are_tried_again() {
    for code in [408, 409, 429, 500, 502, 503, 504, 529] {
        let kind = if code == 429 { RateLimited } else { Unavailable };
        row(&format!("{code} once"), then_whole(status(code, &[], "")), (Ok("whole"), 2)).await;
        row(&format!("{code} always"), always(status(code, &[], &format!("busy {KEY}"))), (Err(kind), 3)).await;
    }
    row("told to", then_whole(status(400, &["x-should-retry: true"], "")), (Ok("whole"), 2)).await;
    row("told not to", always(status(500, &["x-should-retry: false"], "")), (Err(Unavailable), 1)).await;
}

#[tokio::test]
async fn waits_are_honoured() {
    for (header, least, most) in [
        ("retry-after-ms: 300", 300, 900),
        ("retry-after: 0.3", 300, 900),
        ("retry-after: Sun, 06 Nov 1994 08:49:37 GMT", 0, 250),
        ("retry-after: soon", 0, 250),
    ] {
        let case = Case::new(Wire::Chat, FakeGateway::scripted(then_whole(status(429, &[header], ""))(Wire::Chat)), quick());
        case.complete().await.expect(header);
        let requests = case.fake.requests();
        let waited = (requests[1].at - requests[0].at).as_millis();
        assert!((least..most).contains(&waited), "{header}: {waited} ms");
    }
    row("too long a wait", always(status(429, &["retry-after: 31"], "")), (Err(RateLimited), 1)).await;
    let date = "retry-after: Fri, 31 Dec 9999 23:59:59 GMT";
    row("a date too far", always(status(503, &[date], "")), (Err(Unavailable), 1)).await;
    row("nonsense", then_whole(status(429, &["retry-after: -5"], "")), (Ok("whole"), 2)).await;
}

#[tokio::test]
async fn connections_that_break() {
    let half = |wire: Wire| {
        let text = wire.text(&answer("half"));
        text[..text.len() / 2].to_owned()
    };
    // A reset before the request is read is no request that the gateway saw, so only the events count it.
    for wire in Wire::ALL {
        let case = Case::new(wire, FakeGateway::scripted(vec![vec![Step::ResetAtAccept], wire.script(&answer("whole"))]), quick());
        assert_eq!(case.complete().await.expect("the second attempt").turn.text, "whole");
        assert_eq!(case.attempts(), 2);
    }
    row("reset instead of an answer", then_whole(vec![Step::Reset]), (Ok("whole"), 2)).await;
    row("closed instead of an answer", always(vec![]), (Err(Network), 3)).await;
    row("half a head", always(vec![Step::Write(b"HTTP/1.1 200 O".to_vec())]), (Err(Network), 3)).await;
    row("reset after the head", always(vec![head(&[]), Step::Wait(Duration::from_millis(20)), Step::Reset]), (Err(Stream), 3)).await;
    row("reset in the middle", |w| vec![[stream(&half(w)), vec![Step::Wait(Duration::from_millis(20)), Step::Reset]].concat()], (Err(Stream), 3))
        .await;
    row("closed in the middle", |w| vec![stream(&half(w)), w.script(&answer("whole"))], (Ok("whole"), 2)).await;
    row("closed within a line", |w| vec![stream(&format!("{}data: {{\"cho", half(w)))], (Err(Stream), 3)).await;
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\ndata: {}\n\n";
    row("less than promised", always(vec![Step::Write(short.into())]), (Err(Stream), 3)).await;
    row("garbled", always(stream("data: {\"choices\": \n\n")), (Err(Stream), 3)).await;
    row("without an end mark", |w| vec![stream(&w.without_end(&answer("cut")))], (Err(Stream), 3)).await;
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let case = Case::at(Wire::Chat, &format!("http://{address}/v1"), FakeGateway::scripted(vec![]), quick());
    let outcome = case.complete().await;
    assert_eq!(outcome.as_ref().expect_err("nobody is there").kind, Network);
    assert_eq!(case.attempts(), 3);
    let shown = outcome.as_ref().expect_err("as above").to_string().replace(&address.to_string(), "HOST");
    insta::assert_snapshot!(shown, @"HOST cannot be reached: Connection refused (os error 111) (3 attempts). Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.");
}

#[tokio::test]
async fn tls_where_none_is_spoken() {
    let fake = FakeGateway::scripted(vec![vec![Step::ResetAtAccept]; 3]);
    let url = fake.url().replace("http:", "https:");
    let case = Case::at(Wire::Chat, &url, fake, quick());
    let outcome = case.complete().await;
    assert_eq!(outcome.as_ref().expect_err("no TLS there").kind, Network);
    assert!(case.fake.requests().is_empty(), "nothing is sent in the clear");
    case.assert_key_is_nowhere("TLS", &outcome);
}

#[tokio::test]
async fn silence() {
    let idle = Duration::from_millis(120);
    let limits = Limits { first_byte: Duration::from_millis(250), idle, ..quick() };
    let start = |w: Wire| w.without_end(&answer("slow"));
    row_with("no head", limits.clone(), always(vec![Step::Hang]), (Err(Timeout), 1)).await;
    row_with("no body", limits.clone(), always(vec![head(&[]), Step::Hang]), (Err(Timeout), 1)).await;
    row_with("no end", limits.clone(), |w| vec![[stream(&start(w)), vec![Step::Hang]].concat()], (Err(Timeout), 1)).await;
    let pause = Step::Wait(Duration::from_millis(80));
    let alive = [
        pause.clone(),
        Step::Write(b": still here\n\n".to_vec()),
        pause.clone(),
        Step::Write(b"event: ping\ndata: {\"type\":\"ping\"}\n\n".to_vec()),
        pause,
    ];
    let kept = |w: Wire| {
        let text = w.text(&answer("whole"));
        let (a, b) = text.split_at(text.find("\n\n").expect("an event") + 2);
        vec![[stream(a), alive.to_vec(), vec![Step::Write(b.into())]].concat()]
    };
    row_with("comments and pings are bytes", limits, kept, (Ok("whole"), 1)).await;
}

#[tokio::test]
async fn what_is_no_answer() {
    row("HTML", always(stream("\n<!DOCTYPE html><h1>Sign in</h1>")), (Err(Protocol), 1)).await;
    row("empty", always(stream("")), (Err(Stream), 3)).await;
    row("blank", always(stream("\n\n\n")), (Err(Stream), 3)).await;
    row("no content", always(status(204, &[], "")), (Err(Stream), 3)).await;
    row("prose", always(stream("I am sorry.\nReally.\n")), (Err(Protocol), 1)).await;
    row("JSON of something else", always(stream("{\"ok\":true}")), (Err(Protocol), 1)).await;
    row("JSON that is cut", always(stream("{\"choices\": [")), (Err(Stream), 3)).await;
    row("only [DONE]", always(stream("data: [DONE]\n\n")), (Err(Stream), 3)).await;
    row("only comments", always(stream(": a\n\n: b\n\n")), (Err(Stream), 3)).await;
    row("a list of nothing", always(stream("[]")), (Err(Protocol), 1)).await;
}

#[tokio::test]
async fn errors_under_a_status_of_success() {
    let error = |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{KEY} says no"}}}}"#);
    for (kind, expected) in [
        ("overloaded_error", (Err(Unavailable), 3)),
        ("rate_limit_error", (Err(RateLimited), 3)),
        ("api_error", (Err(Unavailable), 3)),
        ("server_error", (Err(Unavailable), 3)),
        ("authentication_error", (Err(Auth), 1)),
        ("invalid_request_error", (Err(BadRequest), 1)),
        ("insufficient_quota", (Err(Quota), 1)),
        ("brand_new_error", (Err(Unavailable), 3)),
    ] {
        row(&format!("{kind} as a document"), always(stream(&error(kind))), expected).await;
        let event = format!("event: error\ndata: {}\n\n", error(kind));
        row(&format!("{kind} as the first event"), always(stream(&event)), expected).await;
        row(&format!("{kind} in the middle"), |w| vec![stream(&format!("{}{event}", w.without_end(&answer("half"))))], expected).await;
    }
    row("a bare error", then_whole(stream("data: {\"error\":{\"message\":\"x\",\"code\":502}}\n\n")), (Ok("whole"), 2)).await;
}

#[tokio::test]
async fn redirects_are_never_followed() {
    for wire in Wire::ALL {
        let other = FakeGateway::scripted(vec![wire.script(&answer("stolen"))]);
        for code in [301, 302, 303, 307, 308] {
            let location = format!("location: {}/chat/completions?{KEY}", other.url());
            let case = Case::new(wire, FakeGateway::scripted(vec![status(code, &[&location], "")]), quick());
            let outcome = case.complete().await;
            let error = outcome.as_ref().expect_err("no answer");
            assert_eq!((error.kind, error.status, case.fake.requests().len()), (Protocol, Some(code), 1));
            assert!(error.message.contains("redirect"), "{error}");
            case.assert_key_is_nowhere("redirect", &outcome);
        }
        assert!(other.requests().is_empty(), "the key went to another origin");
    }
}

#[tokio::test]
async fn answers_without_end_are_bounded() {
    let comment = vec![b':'; 1 << 20].into_iter().chain(*b"\n").collect::<Vec<u8>>();
    row("101 MiB of comments", |_| vec![vec![head(&[]), Step::Repeat(comment.clone(), 101)]], (Err(Protocol), 1)).await;
    row("a line of 100 MiB", |_| vec![vec![head(&[]), Step::Write(b"data: ".to_vec()), Step::Repeat(vec![b'x'; 1 << 20], 100)]], (Err(Protocol), 1))
        .await;
    row("a document of 100 MiB", |_| vec![vec![head(&[]), Step::Write(b"{".to_vec()), Step::Repeat(vec![b' '; 1 << 20], 100)]], (Err(Protocol), 1))
        .await;
    row(
        "an error of 100 MiB",
        |_| vec![vec![Step::Write(b"HTTP/1.1 400 No\r\n\r\n".to_vec()), Step::Repeat(vec![b'x'; 1 << 20], 100)]],
        (Err(BadRequest), 1),
    )
    .await;
    let text = "x".repeat(1 << 20);
    row("5 MiB of text", |w| vec![w.script(&answer(&text.repeat(5)))], (Err(Protocol), 1)).await;
}
