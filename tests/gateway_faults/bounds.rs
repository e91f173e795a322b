//! Answers that are too long are given up, and told so.

use crate::calls::Wire;
use crate::gateway::{Script, Step, head};
use crate::gzip::gzip;
use crate::review::counted;
use crate::table::{Failed, row, table};
use serde_json::json;
use std::sync::LazyLock;

const CHECK: &str = "Check the gateway's URL and preset";
const MIB: usize = 1 << 20;

/// These bytes so many times, after a head and a start.
fn endless(start: &str, bytes: Vec<u8>, times: usize) -> Script {
    vec![head(&["content-type: text/event-stream"]), Step::Write(start.as_bytes().to_vec()), Step::Repeat(bytes, times)]
}

/// 101 MiB of comments in 100 KiB.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&[b": comment\n".repeat(MIB / 10)].concat().repeat(102)));

#[test]
fn answers_of_a_hundred_megabytes() {
    let comments = [vec![b':'; MIB - 1], vec![b'\n']].concat();
    let x = || vec![b'x'; MIB];
    table(vec![
        row("comments", move |_| vec![endless("", comments.clone(), 101)], Failed(1, "sent a stream of more than 100 MiB", CHECK)),
        row("one line", move |_| vec![endless("data: ", x(), 100)], Failed(1, "sent one event of more than 16 MiB", CHECK)),
        row(
            "one event",
            |_| vec![endless("", [b"data: ", &vec![b'x'; MIB][..], b"\n"].concat(), 100)],
            Failed(1, "sent one event of more than 16 MiB", CHECK),
        ),
        row("one document", |_| vec![endless("{", vec![b' '; MIB], 100)], Failed(1, "sent a document of more than 16 MiB", CHECK)),
        row("blank lines", |_| vec![endless("", vec![b'\n'; MIB], 101)], Failed(1, "sent a stream of more than 100 MiB", CHECK)),
        row(
            "an error",
            move |_| vec![vec![Step::Write(b"HTTP/1.1 400 No\r\n\r\n".to_vec()), Step::Repeat(x(), 100)]],
            Failed(1, "answered 400 (Bad Request): xxx", "Check that the model"),
        ),
        row(
            "comments in gzip",
            |_| vec![vec![head(&["content-encoding: gzip"]), Step::Write(BOMB.clone())]],
            Failed(1, "sent a stream of more than 100 MiB", CHECK),
        ),
    ]);
}

#[test]
fn answers_of_too_many_parts() {
    let many = |wire: Wire| wire.script(&(0..1_100).fold(counted(""), |said, _| said.call("list_files", json!({"path": ""}))));
    table(vec![
        row("5 MiB of text", |w| vec![w.script(&counted(&"x".repeat(5 * MIB)))], Failed(1, "more than 4 MiB of text and arguments", CHECK)),
        row(
            "5 MiB of arguments",
            |w| vec![w.script(&counted("").call("list_files", json!({"path": "x".repeat(5 * MIB)})))],
            Failed(1, "more than 4 MiB of text and arguments", CHECK),
        ),
        row("1,100 calls", move |w| vec![many(w)], Failed(1, "more than 1,024 tool calls or blocks", CHECK)),
    ]);
}
