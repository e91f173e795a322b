//! Errors under a status of success: instead of an answer, as its first event, in its middle. And what is no answer.

use crate::calls::Wire;
use crate::gateway::{status, stream};
use crate::review::{HIT, KEY, counted, good_answer};
use crate::statuses::{Said, said};
use crate::table::{Expected, Failed, Row, Whole, always, changed, once, row, table, whole};
use serde_json::json;

const LATER: &str = "run again later";

/// An error as the format tells it within a stream.
fn event(wire: Wire, what: Said) -> String {
    let body = said(wire, what);
    match wire {
        Wire::Chat => format!("data: {body}\n\n"),
        Wire::Messages => format!("event: error\ndata: {body}\n\n"),
        // Flat, without an object `error`.
        Wire::Responses => {
            let error: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let (code, message) = (&error["error"]["code"], &error["error"]["message"]);
            let code = if code.is_null() { &error["error"]["type"] } else { code };
            format!("event: error\ndata: {}\n\n", json!({"type": "error", "code": code, "message": message, "param": null, "sequence_number": 3}))
        }
        // Bare lines of JSON, without `data:`.
        Wire::Generate => {
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            format!("{:#}\n\n", body[0])
        }
    }
}

/// The error at each place of an answer.
fn everywhere(name: &str, what: Said, expected: Expected) -> Vec<Row> {
    vec![
        row(format!("{name}, as a document"), move |w| vec![stream(&said(w, what))], expected),
        row(format!("{name}, as the first event"), move |w| vec![stream(&first(w, what))], expected),
        row(format!("{name}, in the middle"), move |w| vec![stream(&format!("{}{}", w.without_end(&counted("half")), event(w, what)))], expected),
    ]
}

/// As the first event Google's error is a `data` line; only bare lines after events are told from a document.
fn first(wire: Wire, what: Said) -> String {
    match wire {
        Wire::Generate => format!("data: {}\n\n", said(wire, what)),
        _ => event(wire, what),
    }
}

#[test]
fn errors_in_the_words_of_each_format() {
    let mut rows = Vec::new();
    for (name, what, expected) in [
        (
            "a bad request",
            Said::BadRequest,
            Failed(1, "reported an error in its answer: no such field ([secret])", "Check that the model takes tools"),
        ),
        ("a bad key", Said::Auth, Failed(1, "reported an error in its answer: bad key ([secret])", "Check the gateway's token")),
        ("no credit", Said::Quota, Failed(1, "reported an error in its answer: no credit", "Add credit")),
        ("a long prompt", Said::Overflow, Failed(1, "reported an error in its answer", "Use a model with a larger context")),
        ("too many requests", Said::RateLimit, Failed(3, "slower ([secret]) (3 attempts)", "Lower `limits.parallel`")),
        ("an overload", Said::Overloaded, Failed(3, "overloaded ([secret]) (3 attempts)", LATER)),
    ] {
        rows.extend(everywhere(name, what, expected));
    }
    rows.push(row(
        "an overload in the middle, once",
        |w| vec![stream(&format!("{}{}", w.without_end(&counted("half")), event(w, Said::Overloaded))), whole(w)],
        Whole(2),
    ));
    table(rows);
}

#[test]
fn errors_in_the_words_of_gateways() {
    let failed = |body: serde_json::Value| once(stream(&format!("data: {body}\n\n")));
    table(vec![
        row("a number as the code", failed(json!({"error": {"message": KEY, "code": 502}})), Whole(2)),
        row("a number in a text", failed(json!({"error": {"message": KEY, "type": null, "code": "503"}})), Whole(2)),
        row("an error that is a text", failed(json!({"error": format!("upstream: {KEY}")})), Whole(2)),
        row("an error in a choice's place", failed(json!({"choices": [{"finish_reason": "error"}], "error": {"message": "x", "code": 502}})), Whole(2)),
        row("a list of errors", failed(json!({"success": false, "errors": [{"code": 10000, "message": "x"}]})), Whole(2)),
        row("a detail", failed(json!({"detail": "worker died"})), Whole(2)),
        row("an error that says nothing", always(stream("data: {\"error\": {}}\n\n")), Failed(3, "it gave no reason", LATER)),
        row("an error of 60 kB", always(stream(&format!("data: {}\n\n", json!({"error": {"message": format!("{KEY} {}", "x\r\n\u{1b}[31m".repeat(10_000))}})))), Failed(3, "[secret] x [31mx", LATER)),
        row("a response that failed", always(stream("event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"boom\"}}}\n\n")), Failed(3, "boom", LATER)).only(&[Wire::Responses]),
        row("a response that was cancelled", always(stream("data: {\"type\":\"response.cancelled\",\"response\":{\"status\":\"cancelled\"}}\n\n")), Failed(3, "the response was cancelled", LATER)).only(&[Wire::Responses]),
        row("a prompt that was blocked", always(stream("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{\"promptTokenCount\":20000}}\n\n")), Failed(1, "the model refused to answer", "")).only(&[Wire::Generate]),
        // No error: each event says so.
        row("`error` is null in each event", changed(|text| stream(&text.replace("data: {", "data: {\"error\":null,"))), Whole(1)),
        row("a text about \"error\"", |w| vec![w.script(&counted("\"error\": {\"message\": \"x\"}").call("report_findings", good_answer(HIT).arguments(0)))], Whole(1)),
    ]);
}

#[test]
fn what_is_no_answer() {
    let ended = |text: &str| always(stream(text));
    table(vec![
        row("an empty body", ended(""), Failed(3, "broke its answer off: it was empty", LATER)),
        row("blank lines", ended("\n\n\r\n\n"), Failed(3, "broke its answer off: it was empty", LATER)),
        row("only comments", ended(": a\n\n: b\n\n"), Failed(3, "it ended before its end mark", LATER)),
        row("only pings", ended("event: ping\ndata: {\"type\": \"ping\"}\n\n"), Failed(3, "it ended before its end mark", LATER)),
        row("only `[DONE]`", ended("data: [DONE]\n\n"), Failed(3, "it ended before its end mark", LATER)),
        row("only events that nobody knows", ended("event: x\ndata: {\"type\": \"x\"}\n\n"), Failed(3, "it ended before its end mark", LATER)),
        row("prose", ended("I am sorry.\nReally.\n"), Failed(1, "answered with text that is no event stream", "Check the gateway's URL and preset")),
        row("prose as data", ended("data: I am sorry.\n\n"), Failed(3, "an event that is not the JSON of this format", LATER)),
        row("a number as data", ended("data: 7\n\n"), Failed(3, "", LATER)),
        row("a NUL byte", ended("\0"), Failed(1, "answered with text that is no event stream", "Check the gateway's URL and preset")),
        row(
            "another format's stream",
            |w| vec![stream(&if w == Wire::Chat { Wire::Messages } else { Wire::Chat }.text(&good_answer(HIT)))],
            Failed(3, "it ended before its end mark", LATER),
        ),
    ]);
}

/// `[[[…]]]`, which is valid.
fn nested() -> String {
    format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))
}

#[test]
fn json_that_is_nested_deeply() {
    // What is read of a format is parsed to a bounded depth; what is not read is passed over at any.
    let read = |wire: Wire| match wire {
        Wire::Chat => "choices",
        Wire::Responses => "item",
        Wire::Messages => "content_block",
        Wire::Generate => "candidates",
    };
    let before =
        |field: &str, wire: Wire| vec![stream(&format!("data: {{\"type\": \"x\", \"{field}\": {}}}\n\n{}", nested(), wire.text(&good_answer(HIT))))];
    table(vec![
        row("in an event, where nobody looks", move |w| before("x", w), Whole(1)),
        row("in an event, where it is read", move |w| before(read(w), w), Failed(3, "an event that is not the JSON of this format", LATER)),
        row(
            "in a document",
            |_| vec![stream(&format!("{{\"x\": {}}}", nested()))],
            Failed(1, "instead of a model's answer", "Check the gateway's URL and preset"),
        ),
        row(
            "in an error's body",
            |_| vec![status(400, &[], &format!("{{\"error\": {}}}", nested()))],
            Failed(1, "answered 400", "Check that the model takes tools"),
        ),
    ]);
}
