//! Event streams as servers, gateways and proxies write them: all of these say the same.

use crate::calls::Wire;
use crate::gateway::{Script, Step, head, stream};
use crate::gzip::gzip;
use crate::review::{HIT, KEY, counted, good_answer};
use crate::table::{Failed, Whole, always, changed, row, table};
use serde_json::Value;
use std::time::Duration;

const LATER: &str = "run again later";

/// Each line changed.
fn lines(text: &str, change: impl Fn(&str) -> String) -> String {
    text.split_inclusive('\n').map(change).collect()
}

/// A head with this type of content, then the text.
fn typed(header: &str, text: &str) -> Script {
    vec![head(&[header]), Step::Write(text.as_bytes().to_vec())]
}

#[test]
fn lines_and_events() {
    let pretty = |line: &str| match line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok()) {
        Some(json) => format!("{json:#}\n").lines().map(|l| format!("data: {l}\n")).collect(),
        None => line.to_owned(),
    };
    let between = |more: &'static str| changed(move |text| stream(&text.replace("\n\n", &format!("\n\n{more}"))));
    table(vec![
        row("lines end in CR LF", changed(|text| stream(&text.replace('\n', "\r\n"))), Whole(1)),
        row("lines end in CR", changed(|text| stream(&text.replace('\n', "\r"))), Whole(1)),
        row("`data:` without a space", changed(|text| stream(&text.replace("data: ", "data:"))), Whole(1)),
        row("a byte order mark", changed(|text| stream(&format!("\u{feff}{text}"))), Whole(1)),
        row("blank lines first", changed(|text| stream(&format!("\n\r\n \n{text}"))), Whole(1)),
        row("more blank lines between events", between("\n\n\n"), Whole(1)),
        row("no blank line after the last event", changed(|text| stream(text.trim_end())), Whole(1)),
        row("JSON over several `data` lines", changed(move |text| stream(&lines(&text, pretty))), Whole(1)),
        row("comments between events", between(": OPENROUTER PROCESSING\n\n"), Whole(1)),
        row("comments within events", changed(|text| stream(&lines(&text, |line| format!(": alive\n:\n{line}")))), Whole(1)),
        row("`id` and `retry`", changed(|text| stream(&lines(&text, |line| line.replacen("data:", "id: 7\nretry: 3000\ndata:", 1)))), Whole(1)),
        row(
            "fields that nobody knows",
            changed(|text| stream(&lines(&text, |line| line.replacen("data:", "x-trace: a:b\nnothing\ndata:", 1)))),
            Whole(1),
        ),
        row("pings", between("event: ping\ndata: {\"type\": \"ping\"}\n\n"), Whole(1)),
        row("events that nobody knows", between("event: brand_new\ndata: {\"type\": \"brand_new\", \"index\": 0, \"x\": [1, null]}\n\n"), Whole(1)),
        row("events without data", between("event: nothing\n\nevent: data\ndata\n\n"), Whole(1)),
        row(
            "names of events left out",
            changed(|text| stream(&lines(&text, |line| if line.starts_with("event:") { String::new() } else { line.to_owned() }))),
            Whole(1),
        ),
        row("`[DONE]` is missing", changed(|text| stream(&text.replace("data: [DONE]\n\n", ""))), Whole(1)),
        row("`[DONE]` in every format", changed(|text| stream(&format!("{}data: [DONE]\n\n", text.replace("data: [DONE]\n\n", "")))), Whole(1)),
    ]);
}

#[test]
fn reads_of_every_size() {
    let apart = |text: String, cut: fn(&str) -> Vec<usize>| {
        let bytes = text.as_bytes();
        let ends = cut(&text).into_iter().chain([bytes.len()]);
        let mut from = 0;
        let mut script = vec![head(&["content-type: text/event-stream"])];
        for end in ends {
            script.extend([Step::Write(bytes[from..end].to_vec()), Step::Wait(Duration::from_millis(3))]);
            from = end;
        }
        script
    };
    let chunks = |text: String, size: usize| {
        let chunks = text.as_bytes().chunks(size).flat_map(|c| [format!("{:x};ext=1\r\n", c.len()).as_bytes(), c, b"\r\n"].concat());
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        vec![Step::Write(head.iter().copied().chain(chunks).chain(*b"0\r\n\r\n").collect())]
    };
    let characters = |text: &str| text.char_indices().filter(|(_, c)| !c.is_ascii()).map(|(at, _)| at + 1).collect();
    let line_ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect();
    let half_lines = |text: &str| text.match_indices("data").map(|(at, _)| at + 2).collect();
    table(vec![
        row("a byte at a time", changed(|text| [head(&[])].into_iter().chain(text.bytes().map(|b| Step::Write(vec![b]))).collect()), Whole(1)),
        row("reads end within characters", changed(move |text| apart(text, characters)), Whole(1)),
        row("reads end before line ends", changed(move |text| apart(text, line_ends)), Whole(1)),
        row("reads end between CR and LF", changed(move |text| apart(text.replace('\n', "\r\n"), line_ends)), Whole(1)),
        row("reads end within `data`", changed(move |text| apart(text, half_lines)), Whole(1)),
        row("chunks of one byte", changed(move |text| chunks(text, 1)), Whole(1)),
        row("chunks of seven bytes", changed(move |text| chunks(text, 7)), Whole(1)),
    ]);
}

#[test]
fn types_and_encodings() {
    const GZIP: &str = "content-encoding: gzip";
    let packed = |text: &str, bytes: usize| {
        let whole = gzip(text.as_bytes());
        vec![head(&[GZIP]), Step::Write(whole[..whole.len().min(bytes)].to_vec())]
    };
    table(vec![
        row("no type", changed(|text| typed("x: y", &text)), Whole(1)),
        row("said to be text", changed(|text| typed("content-type: text/plain; charset=latin-1", &text)), Whole(1)),
        row("said to be JSON", changed(|text| typed("content-type: application/json", &text)), Whole(1)),
        row("said to be HTML", changed(|text| typed("content-type: text/html", &text)), Whole(1)),
        row("gzip", changed(move |text| packed(&text, usize::MAX)), Whole(1)),
        row(
            "gzip, a byte at a time",
            changed(|text| [head(&[GZIP])].into_iter().chain(gzip(text.as_bytes()).into_iter().map(|b| Step::Write(vec![b]))).collect()),
            Whole(1),
        ),
        row("gzip that breaks off", changed(move |text| packed(&text, 60)), Failed(3, "broke its answer off", LATER)),
        row("gzip that is none", changed(|text| typed(GZIP, &text)), Failed(3, "broke its answer off", LATER)),
        row(
            "HTML",
            always(typed("content-type: text/html", "\n<!DOCTYPE html><h1>Sign in</h1>")),
            Failed(1, "answered with an HTML page instead of a model's answer", "Check the gateway's URL and preset"),
        ),
        row("HTML, said to be events", always(stream("<html>")), Failed(1, "answered with an HTML page", "Check the gateway's URL and preset")),
    ]);
}

#[test]
fn bytes_that_are_no_text() {
    let raw =
        |before: &'static [u8]| move |wire: Wire| vec![vec![head(&[]), Step::Write([before, wire.text(&good_answer(HIT)).as_bytes()].concat())]];
    let nul = |wire: Wire| {
        let said = counted("a\u{0}b\u{1b}[31mc").model("m\u{0}\u{1b}[31m");
        vec![wire.script(&said.call("report_findings", good_answer(HIT).arguments(0)))]
    };
    table(vec![
        row("no UTF-8 in a comment", raw(b": \xff\xfe\xc3\n\n"), Whole(1)),
        row("no UTF-8 in an unknown event", raw(b"event: x\xff\ndata: {\"type\": \"x\xff\xc3\"}\n\n"), Whole(1)),
        row("NUL bytes in a comment", raw(b": \0\0\n\n"), Whole(1)),
        row("NUL bytes in an event", raw(b"data: {\"type\": \"\0\"}\n\n"), Failed(3, "an event that is not the JSON of this format", LATER)),
        row("the key as the model's name", |w| vec![w.script(&good_answer(HIT).model(&format!("m/{KEY}")))], Whole(1)),
        row("control characters in the text and the model's name", nul, Whole(1)),
    ]);
}
