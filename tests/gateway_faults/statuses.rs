//! Statuses of failure, with and without a wait that is asked for.

use crate::calls::Wire;
use crate::gateway::{FakeGateway, Script, Step, status};
use crate::review::KEY;
use crate::table::{Failed, Whole, always, changed, once, row, table};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A kind of error that each provider tells in its own words.
#[derive(Clone, Copy)]
pub(crate) enum Said {
    BadRequest,
    Overflow,
    Auth,
    NotFound,
    Quota,
    RateLimit,
    Overloaded,
}

/// The body of an error as the format's provider writes it. It holds the key, as some do.
pub(crate) fn said(wire: Wire, what: Said) -> String {
    let (openai, code, anthropic, google, number, message) = match what {
        Said::BadRequest => ("invalid_request_error", None, "invalid_request_error", "INVALID_ARGUMENT", 400, "no such field"),
        Said::Overflow => {
            let message = match wire {
                Wire::Messages => "input length and `max_tokens` exceed context limit",
                Wire::Generate => "The input token count (9) exceeds the maximum (8)",
                _ => "too long",
            };
            ("invalid_request_error", Some("context_length_exceeded"), "invalid_request_error", "INVALID_ARGUMENT", 400, message)
        }
        Said::Auth => ("invalid_request_error", Some("invalid_api_key"), "authentication_error", "UNAUTHENTICATED", 401, "bad key"),
        Said::NotFound => ("invalid_request_error", Some("model_not_found"), "not_found_error", "NOT_FOUND", 404, "no such model"),
        Said::Quota => ("insufficient_quota", Some("insufficient_quota"), "billing_error", "RESOURCE_EXHAUSTED", 429, "no credit"),
        Said::RateLimit => ("rate_limit_error", Some("rate_limit_exceeded"), "rate_limit_error", "RESOURCE_EXHAUSTED", 429, "slower"),
        Said::Overloaded => ("server_error", None, "overloaded_error", "UNAVAILABLE", 503, "overloaded"),
    };
    let message = format!("{message} ({KEY})");
    let body = match wire {
        Wire::Chat | Wire::Responses => json!({"error": {"message": message, "type": openai, "param": null, "code": code}}),
        Wire::Messages => json!({"type": "error", "error": {"type": anthropic, "message": message}, "request_id": "req_1"}),
        Wire::Generate => {
            let details = match what {
                Said::Quota => json!([{"violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}]),
                _ => json!([]),
            };
            json!([{"error": {"code": number, "message": message, "status": google, "details": details}}])
        }
    };
    body.to_string()
}

/// An answer of this status, in the provider's words.
fn refused(code: u16, what: Said) -> impl Fn(Wire) -> Vec<Script> {
    move |wire| vec![status(code, &[], &said(wire, what))]
}

/// A busy gateway that asks for a wait.
fn busy(code: u16, header: &str) -> Script {
    status(code, &[header], &format!("busy, {KEY}"))
}

/// So many seconds from now, as a header writes a time.
fn date_in(seconds: u64) -> String {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(seconds);
    let mut date = Command::new("date");
    date.args(["-u", "-d", &format!("@{}", at.as_secs()), "+%a, %d %b %Y %H:%M:%S GMT"]).env("LC_ALL", "C");
    String::from_utf8(date.output().expect("date runs").stdout).expect("ASCII").trim().to_owned()
}

const TOKEN: &str = "Check the gateway's token";
const LATER: &str = "run again later";

#[test]
fn statuses_that_no_second_attempt_cures() {
    let html = format!("<html>\u{1b}[31m {KEY}</html>");
    table(vec![
        row(
            "400, a bad request",
            refused(400, Said::BadRequest),
            Failed(1, "answered 400 (Bad Request): no such field ([secret])", "Check that the model takes tools"),
        ),
        row("400, context overflow", refused(400, Said::Overflow), Failed(1, "answered 400", "Use a model with a larger context")),
        row("401, the key is echoed", refused(401, Said::Auth), Failed(1, "answered 401 (Unauthorized): bad key ([secret])", TOKEN)),
        row("402, no credit", always(status(402, &[], "")), Failed(1, "answered 402 (Payment Required): an empty body", "Add credit")),
        row(
            "403, a page of a firewall",
            always(status(403, &["content-type: text/html"], &html)),
            Failed(1, "answered 403 (Forbidden): an HTML page", TOKEN),
        ),
        row("404, no such model", refused(404, Said::NotFound), Failed(1, "answered 404 (Not Found): no such model", "Check the model's name")),
        row("407, from something in between", always(status(407, &[], KEY)), Failed(1, "answered 407", TOKEN)),
        row("413, too large for a proxy", always(status(413, &[], &html)), Failed(1, "answered 413 (Payload Too Large)", "larger context")),
        row("418", always(status(418, &[], "{\"error\":{}}")), Failed(1, "it gave no reason", "Check that the model takes tools")),
        row("422", refused(422, Said::BadRequest), Failed(1, "answered 422", "preset is this gateway's")),
        row("429, no credit", refused(429, Said::Quota), Failed(1, "answered 429 (Too Many Requests): no credit", "Add credit")),
        row("500 that says not to try again", always(status(500, &["x-should-retry: false"], "")), Failed(1, "answered 500", LATER)),
    ]);
}

#[test]
fn statuses_that_are_tried_again() {
    let mut rows = vec![
        row("429 for ever", refused(429, Said::RateLimit), Failed(3, "slower ([secret]) (3 attempts)", "Lower `limits.parallel`")),
        row("503 for ever", refused(503, Said::Overloaded), Failed(3, "answered 503 (Service Unavailable): overloaded", LATER)),
        row(
            "502 for ever, a page",
            always(status(502, &[], &format!("<h1>{KEY}"))),
            Failed(3, "an HTML page, so a proxy or another server answered", LATER),
        ),
        row(
            "500 for ever, with an empty body",
            always(status(500, &[], "")),
            Failed(3, "answered 500 (Internal Server Error): an empty body", LATER),
        ),
        row("400 that says to try again", once(status(400, &["x-should-retry: true"], "")), Whole(2)),
    ];
    for code in [408, 409, 500, 502, 504, 529] {
        rows.push(row(format!("{code} once"), once(status(code, &[], KEY)), Whole(2)));
    }
    table(rows);
}

#[test]
fn waits_that_are_asked_for() {
    table(vec![
        row("429 without a wait", once(status(429, &[], KEY)), Whole(2)),
        row("429, a wait in seconds", once(busy(429, "retry-after: 1")), Whole(2)),
        row("429, a wait in fractions", once(busy(429, "retry-after: 0.2")), Whole(2)),
        row("429, a wait in milliseconds", once(busy(429, "retry-after-ms: 50")), Whole(2)),
        row("503, no wait at all", once(busy(503, "retry-after: 0")), Whole(2)),
        row("503, a wait until a date", |wire| once(busy(503, &format!("retry-after: {}", date_in(1))))(wire), Whole(2)),
        row("429, a date that is over", once(busy(429, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT")), Whole(2)),
        row("429, a date before all clocks", once(busy(429, "retry-after: Thu, 01 Jan 1900 00:00:00 GMT")), Whole(2)),
        row("429, less than nothing", once(busy(429, "retry-after: -5")), Whole(2)),
        row("429, a word", once(busy(429, "retry-after: soon")), Whole(2)),
        row("429, not a number", once(busy(429, "retry-after: NaN")), Whole(2)),
        row(
            "429, too long a wait",
            always(busy(429, "retry-after: 31")),
            Failed(1, "(it asks to wait 31 s, longer than the 30 s that are allowed)", "Lower"),
        ),
        row(
            "503, a date an hour ahead",
            |wire| always(busy(503, &format!("retry-after: {}", date_in(3600))))(wire),
            Failed(1, "it asks to wait 3", LATER),
        ),
        row("503, a date in another age", always(busy(503, "retry-after: Fri, 31 Dec 9999 23:59:59 GMT")), Failed(1, "it asks to wait", LATER)),
        row("429, a wait beyond all numbers", always(busy(429, "retry-after: 1e300")), Failed(1, "it asks to wait 1000000000 s", "Lower")),
    ]);
}

#[test]
fn redirects_are_not_followed() {
    let other: &'static FakeGateway = Box::leak(Box::new(FakeGateway::smart(crate::review::good)));
    let to = move |code: u16| {
        let location = format!("location: {}/chat/completions?{KEY}", other.url());
        row(
            format!("{code} to another host"),
            always(status(code, &[&location], "")),
            Failed(1, "a redirect to http://127.0.0.1", "the key belongs to 127.0.0.1"),
        )
    };
    table([301, 302, 303, 307, 308].map(to).into());
    assert!(other.requests().is_empty(), "the key went to another host");
}

#[test]
fn answers_before_the_answer() {
    let head = |text: &str| Step::Write(text.replace('\n', "\r\n").into_bytes());
    let after = move |first: &'static str| changed(move |text| vec![head(first), Step::Write(text.into_bytes())]);
    table(vec![
        row("103, early hints", after("HTTP/1.1 103 Early Hints\nlink: </x>\n\nHTTP/1.1 200 OK\nconnection: close\n\n"), Whole(1)),
        row("100, go on", after("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nconnection: close\n\n"), Whole(1)),
        row("an answer in HTTP/1.0", after("HTTP/1.0 200 OK\n\n"), Whole(1)),
        row("246, as a gateway with guardrails says it", after("HTTP/1.1 246 Guardrails\nconnection: close\n\n"), Whole(1)),
        row("204, no content", always(status(204, &[], "")), Failed(3, "broke its answer off: it was empty (3 attempts)", LATER)),
    ]);
}
