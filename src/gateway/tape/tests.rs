use super::*;
use crate::gateway::types::{AssistantTurn, ToolCall, ToolResult, ToolSpec};
use crate::gateway::{CallContext, Endpoint, Gateway, Link, Preset, Secret, Setup};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const KEY: &str = "key-of-the-gateway-1";
/// A secret that a model may say, if anybody told it.
const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn request(own: &str) -> ModelRequest {
    let tool = ToolSpec { name: "report_findings", description: "Ends.".into(), schema: serde_json::json!({"type": "object"}) };
    ModelRequest {
        model: "m".into(),
        tools: vec![tool].into(),
        system: "You review.".into(),
        shared: "The change.".into(),
        own: own.to_owned(),
        turns: Vec::new(),
        max_output_tokens: 100,
    }
}

/// Serves these answers to as many connections, one each, then closes.
async fn serve(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = [0; 65_536];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    url
}

fn event(json: &str) -> String {
    format!("data: {json}\n\n")
}

/// An answer that says `pieces`.
fn said(pieces: &[&str]) -> String {
    let deltas: String =
        pieces.iter().map(|text| event(&format!(r#"{{"model":"m-1","choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#))).collect();
    let end = event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#)
        + &event(r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#);
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: r1\r\nset-cookie: c={SECRET}\r\nconnection: close\r\n\r\n{deltas}{end}data: [DONE]\n\n"
    )
}

fn gateway(endpoint: Endpoint, tape: Tape) -> Gateway {
    let limits = crate::gateway::Limits { backoff: Duration::from_millis(1), ..Default::default() };
    Gateway::new(Setup { endpoints: [("default".to_owned(), endpoint)].into(), limits, tape: Some(tape), ..Setup::default() })
}

/// What a call ends with, in a line.
async fn ask(gateway: &Gateway, reviewer: &str, request_no: u32, request: &ModelRequest) -> String {
    let (deadline, cancel) = (Instant::now() + Duration::from_secs(20), CancellationToken::new());
    let chain = [Link::new("m", "default")];
    let call = CallContext { reviewer, chain: &chain, bundle: 1, request_no, deadline, cancel, began: None };
    match gateway.complete(&call, request).await {
        Ok(answer) => format!("{}: {} ({} + {} tokens)", answer.model, answer.turn.text, answer.usage.input_tokens, answer.usage.output_tokens),
        Err(error) => format!("{}: {}", error.kind.name(), error.message),
    }
}

fn recorder(dir: &Path) -> Result<Recorder, UserError> {
    let price = Price { input: 1.0, cached: 0.1, cache_write: 1.0, output: 4.0, long: None };
    Recorder::create(dir, [("top".to_owned(), vec!["m".to_owned()])].into(), [("m".to_owned(), price)].into())
}

/// Records a run of some calls with these answers; returns what each ended with, and the folder's files as one text.
async fn recorded(dir: &Path, answers: Vec<String>, calls: &[(&str, u32, ModelRequest)]) -> (Vec<String>, String) {
    let url = serve(answers).await;
    let endpoint = Endpoint::new(&url, Preset::OpenAi, None, Some(Secret::new(KEY))).expect("an endpoint");
    let tape = Tape::Record(Arc::new(recorder(dir).expect("a recording")));
    let gateway = gateway(endpoint, tape);
    let mut told = Vec::new();
    for (reviewer, number, request) in calls {
        told.push(ask(&gateway, reviewer, *number, request).await.replace(url.trim_start_matches("http://").trim_end_matches("/v1"), "HOST"));
    }
    (told, folder(dir))
}

fn folder(dir: &Path) -> String {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let show =
        |file: &PathBuf| format!("== {}\n{}", file.file_name().expect("a name").to_string_lossy(), std::fs::read_to_string(file).expect("UTF-8"));
    files.iter().map(show).collect::<Vec<_>>().join("\n")
}

/// Plays a recording to these calls: what each ended with, and the notes.
async fn played(dir: &Path, calls: &[(&str, u32, ModelRequest)]) -> Vec<String> {
    let player = Tape::Play(Arc::new(Player::open(dir).expect("a recording")));
    let gateway = gateway(Endpoint::recording(WireKind::Responses), player);
    let mut told = Vec::new();
    for (reviewer, number, request) in calls {
        told.push(ask(&gateway, reviewer, *number, request).await);
    }
    told.extend(gateway.tape_notes().into_iter().map(|note| note.replace(&dir.display().to_string(), "DIR")));
    told
}

#[tokio::test]
async fn what_was_recorded_is_played_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let calls = [("docs", 1, request("Reviewer: docs")), ("docs", 2, request("Reviewer: docs again")), ("quality", 1, request("Reviewer: quality"))];
    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno".to_owned();
    let broken = said(&["half"]).replace("text/event-stream", "text/event-stream\r\ncontent-length: 9999").replace("data: [DONE]\n\n", "");
    let broken = broken.split("data: {\"choices\":[{\"index\":0,\"delta\":{},").next().expect("its beginning").to_owned();
    let (told, files) = recorded(dir.path(), vec![busy, said(&["All ", "good."]), said(&["Twice."]), broken, said(&["At last."])], &calls).await;
    assert_eq!(told, ["m-1: All good. (7 + 3 tokens)", "m-1: Twice. (7 + 3 tokens)", "m-1: At last. (107 + 5 tokens)"]);
    let names: Vec<&str> = files.split("== ").filter_map(|file| file.lines().next()).collect();
    insta::assert_snapshot!(names.join(" "), @"docs-1-1-1.answer.txt docs-1-1-1.request.json docs-1-1-2.answer.txt docs-1-1-2.request.json docs-1-2-1.answer.txt docs-1-2-1.request.json quality-1-1-1.answer.txt quality-1-1-1.request.json quality-1-1-2.answer.txt quality-1-1-2.request.json recording.json");
    let shown = files.split("== ").filter(|file| ["docs-1-1-1", "quality-1-1-1.answer"].iter().any(|name| file.starts_with(name)));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    docs-1-1-1.answer.txt
    HTTP 503
    retry-after: 0

    no

    docs-1-1-1.request.json
    {
      "model": "m",
      "stream": true,
      "stream_options": {
        "include_usage": true
      },
      "tools": [
        {
          "type": "function",
          "function": {
            "name": "report_findings",
            "description": "Ends.",
            "parameters": {
              "type": "object"
            }
          }
        }
      ],
      "tool_choice": "auto",
      "messages": [
        {
          "role": "system",
          "content": "You review."
        },
        {
          "role": "user",
          "content": [
            {
              "type": "text",
              "text": "The change."
            },
            {
              "type": "text",
              "text": "Reviewer: docs"
            }
          ]
        }
      ],
      "max_completion_tokens": 100
    }


    quality-1-1-1.answer.txt
    HTTP 200
    content-type: text/event-stream
    x-request-id: r1

    data: {"model":"m-1","choices":[{"index":0,"delta":{"content":"half"}}]}

    "#);
    let list: serde_json::Value = serde_json::from_str(files.split("== recording.json\n").nth(1).expect("the list")).expect("JSON");
    let last = |name: &str| list["exchanges"].as_array().and_then(|all| all.iter().find(|e| e["sent"] == name)).expect(name).clone();
    assert!(last("docs-1-1-1.request.json")["failed"].is_null(), "an answer with a status tells by itself");
    assert_eq!(last("quality-1-1-1.request.json")["failed"]["kind"], "stream");
    let again = played(dir.path(), &calls).await;
    assert_eq!(again[..2], told[..2]);
    // What a broken answer used is estimated from the request, which is written in another format here.
    assert!(again[2].starts_with("m-1: At last. ("), "{}", again[2]);
    insta::assert_snapshot!(again[3..].join("\n"), @"No model was asked: the answers come from the recording DIR, made by tribune 0.1.0.");
}

#[tokio::test]
async fn another_request_is_played_by_position_and_a_missing_one_fails() {
    let dir = tempfile::tempdir().expect("a folder");
    let (_, _) = recorded(dir.path(), vec![said(&["Fine."])], &[("docs", 1, request("Reviewer: docs"))]).await;
    let calls = [("docs", 1, request("Reviewer: docs, in other words")), ("docs", 2, request("more")), ("quality", 1, request("Reviewer: quality"))];
    insta::assert_snapshot!(played(dir.path(), &calls).await.join("\n"), @"
    m-1: Fine. (7 + 3 tokens)
    not_recorded: the recording has no answer to request 2 of docs
    not_recorded: the recording has no answer to request 1 of quality
    No model was asked: the answers come from the recording DIR, made by tribune 0.1.0.
    The recording was made with other requests (another prompt, change, key or version): 1 answer (docs) was played by position.
    ");
}

#[tokio::test]
async fn no_secret_is_in_a_recording() {
    let dir = tempfile::tempdir().expect("a folder");
    let calls = [
        ("docs", 1, request(&format!("Reviewer: docs {SECRET}"))),
        ("quality", 1, request("Reviewer: quality")),
        ("release", 1, request("x")),
        ("security", 1, request("y")),
    ];
    let answers = vec![
        said(&[&format!("You told me {SECRET} and {KEY}.")]),
        said(&["It is ", &SECRET[..11], &SECRET[11..], "."]),
        said(&[KEY]),
        said(&["Yours is ", &KEY[..11], &KEY[11..]]),
    ];
    let (told, files) = recorded(dir.path(), answers, &calls).await;
    assert!(told.iter().all(|told| !told.contains(KEY)), "{told:?}");
    for secret in [SECRET, &SECRET[11..], KEY, &KEY[11..], "authorization", "set-cookie"] {
        assert!(!files.contains(secret), "{secret} in {files}");
    }
    assert!(files.contains("You told me ‹masked:ghp_…› and [secret]."), "{files}");
    insta::assert_snapshot!(played(dir.path(), &calls).await[..4].join("\n"), @"
    m-1: You told me ‹masked:ghp_…› and [secret]. (7 + 3 tokens)
    not_recorded: this answer is not in the recording: it held a secret
    m-1: [secret] (7 + 3 tokens)
    not_recorded: this answer is not in the recording: it held a secret
    ");
}

#[test]
#[cfg_attr(windows, ignore = "compares the system's own words")]
fn a_folder_with_something_else_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let told = |dir: &Path| recorder(dir).map(|_| ()).map_err(|e| format!("exit {}: {}", e.exit.code(), e.cause));
    assert_eq!(told(&dir.path().join("new/deep")), Ok(()));
    assert_eq!(told(&dir.path().join("new/deep")), Ok(()), "a recording is replaced");
    std::fs::write(dir.path().join("thesis.txt"), "years of work").expect("written");
    insta::assert_debug_snapshot!(told(dir.path()), @r#"
    Err(
        "exit 2: it holds something else than a recording",
    )
    "#);
    std::fs::write(dir.path().join(MANIFEST), "{}").expect("written");
    assert!(told(dir.path()).is_err() && dir.path().join("thesis.txt").exists());
    insta::assert_debug_snapshot!(told(&dir.path().join("thesis.txt")), @r#"
    Err(
        "exit 2: File exists (os error 17)",
    )
    "#);
}

#[test]
#[cfg_attr(windows, ignore = "compares the system's own words")]
fn recordings_that_cannot_be_played() {
    let dir = tempfile::tempdir().expect("a folder");
    let told = |text: Option<&str>| {
        text.iter().for_each(|text| std::fs::write(dir.path().join(MANIFEST), text).expect("written"));
        manifest(dir.path()).map(|_| ()).expect_err("refused").cause
    };
    let exchange = |name: &str| {
        format!(
            r#"{{"tribune_recording":1,"tribune":"0","exchanges":[{{"reviewer":"a","bundle":1,"request":1,"attempt":1,"model":"m","wire":"chat","answer":"{name}"}}]}}"#
        )
    };
    let table = [
        told(None),
        told(Some("")),
        told(Some("[1]")),
        told(Some(r#"{"tribune_recording":2}"#)),
        told(Some(r#"{"tribune_recording":1}"#)),
        told(Some(&exchange("../../etc/passwd"))),
        told(Some(&exchange(".."))),
        told(Some(&exchange("/etc/passwd"))),
        told(Some(&exchange(""))),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    recording.json: No such file or directory (os error 2)
    recording.json is none of a recording: EOF while parsing a value at line 1 column 0
    recording.json cannot be read: invalid length 1, expected struct Manifest with 6 elements at line 1 column 3
    it has version 2, and this program plays version 1
    recording.json cannot be read: missing field `tribune` at line 1 column 23
    recording.json names the file "../../etc/passwd", which is no file of that folder
    recording.json names the file "..", which is no file of that folder
    recording.json names the file "/etc/passwd", which is no file of that folder
    recording.json names the file "", which is no file of that folder
    "#);
}

#[tokio::test]
#[cfg_attr(windows, ignore = "compares the system's own words")]
async fn answers_that_cannot_be_played_fail_their_request() {
    let dir = tempfile::tempdir().expect("a folder");
    let calls = [("docs", 1, request("Reviewer: docs"))];
    recorded(dir.path(), vec![said(&["Fine."])], &calls).await;
    let file = dir.path().join("docs-1-1-1.answer.txt");
    let mut table = Vec::new();
    for text in [
        "",
        "HTTP 200",
        "HTTP x\n\nbody",
        "HTTP 200\nno colon\n\nbody",
        "HTTP 200\na b: c\n\nbody",
        "HTTP 200\n\n",
        "HTTP 200\n\n{\"x\": 1}",
        "HTTP 404\n\n",
    ] {
        std::fs::write(&file, text).expect("written");
        table.push(played(dir.path(), &calls).await.remove(0));
    }
    std::fs::remove_file(&file).expect("removed");
    table.push(played(dir.path(), &calls).await.remove(0));
    let outside = tempfile::NamedTempFile::new().expect("a file");
    crate::platform::link(outside.path(), &file).expect("linked");
    table.push(played(dir.path(), &calls).await.remove(0));
    insta::assert_snapshot!(table.join("\n"), @"
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: no empty line ends its headers
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: no empty line ends its headers
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: it does not begin with a status such as `HTTP 200`
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: a header has no `:`
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: invalid HTTP header name
    not_recorded: the recording has no answer to request 1 of docs, attempt 2
    protocol: recording answered with JSON without a finished choice instead of a model's answer
    not_found: recording answered 404 (Not Found): an empty body
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: No such file or directory (os error 2)
    not_recorded: the recording has no answer to request 1 of docs that can be played: docs-1-1-1.answer.txt: it is no regular file
    ");
}

#[test]
fn a_digest_is_of_what_is_said() {
    let first = request("own");
    let turn = |id: &str, arguments: &str, content: &str| {
        let call = ToolCall { id: id.into(), name: "read_file".into(), arguments: arguments.into() };
        let result = ToolResult { call_id: id.into(), name: "read_file".into(), content: content.into(), is_error: false };
        let said = AssistantTurn { text: String::new(), calls: vec![call], raw: None };
        ModelRequest { turns: vec![Turn::Assistant(said), Turn::ToolResults(vec![result])], ..request("own") }
    };
    assert_eq!(digest(&first), digest(&ModelRequest { model: "other".into(), ..request("own") }));
    assert_eq!(digest(&turn("id-1", "{}", "text")), digest(&turn("id-2", "{}", "text")));
    let all = [
        first.clone(),
        request("own "),
        turn("1", "{}", "text"),
        turn("1", "{ }", "text"),
        turn("1", "{}", "text "),
        ModelRequest { max_output_tokens: 101, ..first },
    ];
    let digests: std::collections::BTreeSet<String> = all.iter().map(digest).collect();
    assert_eq!(digests.len(), all.len());
}
