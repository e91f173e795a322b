//! Connections that break, at each stage of an answer, and those that fall silent.

use crate::calls::{Case, Wire, quick};
use crate::gateway::{FakeGateway, Script, Step, head, stream};
use crate::review::{HIT, KEY, counted, good_answer};
use crate::table::{Failed, Whole, always, once, row, table, whole};
use std::time::Duration;

const LATER: &str = "run again later";
const NETWORK: &str = "Check the gateway's URL, the proxy, the certificates";

/// What was sent before arrives before what follows.
fn pause() -> Step {
    Step::Wait(Duration::from_millis(20))
}

/// The first half of a good answer's stream, cut at the end of an event.
fn half(wire: Wire) -> String {
    let text = wire.text(&counted("I look at it.").call("report_findings", good_answer(HIT).arguments(0)));
    let end = text[..text.len() / 2].rfind("\n\n").expect("an event");
    text[..end + 2].to_owned()
}

fn then(start: Script, more: impl IntoIterator<Item = Step>) -> Script {
    start.into_iter().chain(more).collect()
}

/// Chunked encoding of this text without an end.
fn chunked(text: &str, end: &str) -> Script {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    vec![Step::Write(format!("{head}{:x}\r\n{text}\r\n{end}", text.len()).into_bytes())]
}

#[test]
fn before_an_answer() {
    let raw = |bytes: &str| always(vec![Step::Write(bytes.as_bytes().to_vec())]);
    table(vec![
        row("a reset, once", once(vec![Step::Reset]), Whole(2)),
        row("a reset, always", always(vec![Step::Reset]), Failed(3, "broke the connection off before its answer", NETWORK)),
        row("closed without a word", always(vec![]), Failed(3, "broke the connection off before its answer", NETWORK)),
        row("half a head", raw("HTTP/1.1 200 O"), Failed(3, "broke the connection off before its answer", NETWORK)),
        row("a head that is none", raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Failed(3, "broke the connection off before its answer", NETWORK)),
        row(
            "a head of 2 MB",
            |_| vec![vec![Step::Write(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2 << 20)).into_bytes())]],
            Failed(3, "broke the connection off before its answer", NETWORK),
        ),
    ]);
}

/// A reset before the request is read is no request that the gateway saw, so only the events count it.
#[tokio::test]
async fn before_a_request() {
    for wire in Wire::ALL {
        let case = Case::new(wire, FakeGateway::scripted(vec![vec![Step::ResetAtAccept], wire.script(&counted("whole"))]), quick());
        assert_eq!(case.complete().await.expect("the second attempt").turn.text, "whole");
        assert_eq!(case.attempts(), 2);
    }
}

#[test]
fn in_the_middle_of_an_answer() {
    let inside_a_character = |w: Wire| {
        let text = w.text(&good_answer(HIT));
        text.as_bytes()[..text.find('名').expect("a character of three bytes") + 1].to_vec()
    };
    table(vec![
        row("a reset after the head", always(vec![head(&[]), pause(), Step::Reset]), Failed(3, "broke its answer off", LATER)),
        row("a reset in the middle", |w| vec![then(stream(&half(w)), [pause(), Step::Reset])], Failed(3, "broke its answer off", LATER)),
        row("a reset in the middle, once", |w| vec![then(stream(&half(w)), [pause(), Step::Reset]), whole(w)], Whole(2)),
        row("closed in the middle", |w| vec![stream(&half(w))], Failed(3, "broke its answer off: it ended before its end mark", LATER)),
        row("closed in the middle, once", |w| vec![stream(&half(w)), whole(w)], Whole(2)),
        row("closed within a line", |w| vec![stream(&format!("{}data: {{\"cho", half(w)))], Failed(3, "ended before its end mark", LATER)),
        row("closed within a name", |w| vec![stream(&format!("{}da", half(w)))], Failed(3, "ended before its end mark", LATER)),
        row(
            "closed within a character",
            move |w| vec![vec![head(&[]), Step::Write(inside_a_character(w))]],
            Failed(3, "ended before its end mark", LATER),
        ),
        row("closed before the end mark", |w| vec![stream(&w.without_end(&counted("cut")))], Failed(3, "ended before its end mark", LATER)),
        row(
            "less than promised",
            |w| vec![vec![Step::Write(format!("HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n{}", half(w)).into_bytes())]],
            Failed(3, "broke its answer off", LATER),
        ),
        row("chunks without the last one", |w| vec![chunked(&half(w), "")], Failed(3, "broke its answer off", LATER)),
        row("half a chunk", |w| vec![chunked(&half(w), "ffff\r\ndata: {\"x")], Failed(3, "broke its answer off", LATER)),
        row("a chunk with a bad size", |w| vec![chunked(&half(w), "zz\r\n")], Failed(3, "broke its answer off", LATER)),
        row(
            "a garbled event",
            |w| vec![stream(&format!("{}data: {{\"choices\": \n\n", half(w)))],
            Failed(3, "an event that is not the JSON of this format", LATER),
        ),
    ]);
}

#[test]
fn after_a_whole_answer() {
    table(vec![
        row("a reset", |w| vec![then(whole(w), [pause(), Step::Reset])], Whole(1)),
        row("chunks without the last one", |w| vec![chunked(&w.text(&good_answer(HIT)), "")], Whole(1)),
        row("chunks with trailers", |w| vec![chunked(&w.text(&good_answer(HIT)), "0\r\nx-checksum: 1\r\nx-cost: 2\r\n\r\n")], Whole(1)),
        row("a connection that is kept", |w| vec![then(whole(w), [Step::Wait(Duration::from_secs(2)), Step::Hang])], Whole(1)),
        row("comments for ever", |w| vec![then(whole(w), [Step::Trickle(b": still here\n\n".to_vec(), Duration::from_millis(5))])], Whole(1)),
    ]);
}

#[test]
fn silence() {
    const SHORT: &str = "first_byte_seconds: 2, idle_seconds: 2";
    const ENDS: &str = "first_byte_seconds: 60, idle_seconds: 60, reviewer_seconds: 3";
    let endless = |bytes: &str| Step::Trickle(bytes.as_bytes().to_vec(), Duration::from_millis(10));
    table(vec![
        row("no head", always(vec![Step::Hang]), Failed(1, "sent no byte for 2 s before its answer", "`limits.first_byte_seconds`")).limits(SHORT),
        row("no body", always(vec![head(&[]), Step::Hang]), Failed(1, "sent no byte for 2 s before its answer", "`limits.first_byte_seconds`"))
            .limits(SHORT),
        row(
            "no end",
            |w| vec![then(stream(&half(w)), [Step::Hang])],
            Failed(1, "sent no byte for 2 s in the middle of its answer", "`limits.idle_seconds`"),
        )
        .limits(SHORT),
        row(
            "half a line, then nothing",
            always(then(stream("data: {\"a"), [Step::Hang])),
            Failed(1, "sent no byte for 2 s in the middle", "`limits.idle_seconds`"),
        )
        .limits(SHORT),
        row(
            "an error's body that never ends",
            always(vec![Step::Write(format!("HTTP/1.1 400 No\r\n\r\nno, {KEY}").into_bytes()), Step::Hang]),
            Failed(1, "answered 400 (Bad Request): no, [secret]", "Check that the model"),
        )
        .limits(SHORT),
        row(
            "comments without end",
            move |w| vec![then(stream(&half(w)), [endless(": still here\n\n")])],
            Failed(1, "its time of 3 s was over", "`limits.reviewer_seconds`"),
        )
        .limits(ENDS),
        row(
            "blank lines without end",
            move |_| vec![vec![head(&[]), endless("\n")]],
            Failed(1, "its time of 3 s was over", "`limits.reviewer_seconds`"),
        )
        .limits(ENDS),
        row(
            "a line without end",
            move |_| vec![then(stream("data: "), [endless("x")])],
            Failed(1, "its time of 3 s was over", "`limits.reviewer_seconds`"),
        )
        .limits(ENDS),
        row(
            "a head without end",
            move |_| vec![vec![Step::Write(b"HTTP/1.1 200 OK\r\n".to_vec()), endless("x: y\r\n")]],
            Failed(1, "its time of 3 s was over", "`limits.reviewer_seconds`"),
        )
        .limits(ENDS),
    ]);
}
