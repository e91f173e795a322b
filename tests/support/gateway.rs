//! A gateway faked at the socket: what is written to the wire is what the test says, byte for byte.
//!
//! It runs on a thread of its own, so blocking tests of the whole binary can use it as well as async ones. Use it
//! with `#[path = "support/gateway.rs"] mod gateway;`.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct RecordedRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
    /// Since the gateway's start.
    pub(crate) at: Duration,
}

impl RecordedRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }

    /// All text parts of the first user message: shared context (if any) and own part.
    pub(crate) fn first_user_parts(&self) -> Vec<String> {
        let json = self.json();
        let list = ["messages", "input", "contents"].iter().find_map(|name| json[name].as_array());
        let user = list.and_then(|m| m.iter().find(|m| m["role"] == "user")).cloned().unwrap_or_default();
        match if user["parts"].is_array() { &user["parts"] } else { &user["content"] } {
            Value::String(text) => vec![text.clone()],
            Value::Array(parts) => parts.iter().filter_map(|p| p["text"].as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    }

    /// The reviewer's own part: the one that begins with its mark.
    pub(crate) fn own(&self) -> String {
        let parts = self.first_user_parts();
        parts.into_iter().find(|p| p.starts_with("# Reviewer:") || p.starts_with("# Coordinator")).unwrap_or_default()
    }

    /// Who asks: the reviewer's id or `coordinator`.
    pub(crate) fn reviewer(&self) -> String {
        let own = self.own();
        let first = own.lines().next().unwrap_or_default();
        first.strip_prefix("# Reviewer:").map_or_else(|| "coordinator".to_owned(), |id| id.trim().to_owned())
    }
}

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Writes these bytes in one go.
    Write(Vec<u8>),
    /// Writes these bytes so many times.
    Repeat(Vec<u8>, usize),
    /// Writes these bytes, waits, and so on until the client leaves.
    Trickle(Vec<u8>, Duration),
    /// Waits.
    Wait(Duration),
    /// Says nothing more and keeps the connection.
    Hang,
    /// Ends the connection with a reset.
    Reset,
    /// Resets the connection before the request is read. First in a script only.
    ResetAtAccept,
    /// Keeps the connection for the next request.
    KeepOpen,
}

/// An answer in steps; the connection is closed after the last.
pub(crate) type Script = Vec<Step>;

type Handler = Arc<dyn Fn(&RecordedRequest) -> Script + Send + Sync>;

#[derive(Default)]
struct Shared {
    requests: Vec<RecordedRequest>,
    queue: VecDeque<Script>,
}

/// A running gateway; it ends with the test's process.
pub(crate) struct FakeGateway {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl FakeGateway {
    /// Answers the requests in order with these scripts, further ones with the last.
    pub(crate) fn scripted(scripts: Vec<Script>) -> Self {
        let last = scripts.last().cloned().unwrap_or_default();
        Self::launch(scripts.into(), Arc::new(move |_| last.clone()))
    }

    /// Answers each request with what `handler` says.
    pub(crate) fn smart(handler: impl Fn(&RecordedRequest) -> Script + Send + Sync + 'static) -> Self {
        Self::launch(VecDeque::new(), Arc::new(handler))
    }

    fn launch(queue: VecDeque<Script>, handler: Handler) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a non-blocking socket");
        let address = listener.local_addr().expect("a bound socket");
        let shared = Arc::new(Mutex::new(Shared { queue, ..Shared::default() }));
        let state = shared.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a socket of this runtime");
                let started = Instant::now();
                for connection in 0.. {
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(serve(stream, connection, started, state.clone(), handler.clone()));
                }
            });
        });
        Self { address, shared }
    }

    /// The base URL, as `TRIBUNE_GATEWAY_URL` takes it for chat completions.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Requests so far, in the order of their arrival.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.shared).requests.clone()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, connection: usize, started: Instant, shared: Arc<Mutex<Shared>>, handler: Handler) {
    if matches!(lock(&shared).queue.front().and_then(|s| s.first()), Some(Step::ResetAtAccept)) {
        lock(&shared).queue.pop_front();
        let _ = stream.set_zero_linger();
        return;
    }
    while let Some(mut request) = read_request(&mut stream).await {
        request.connection = connection;
        request.at = started.elapsed();
        let scripted = {
            let mut shared = lock(&shared);
            shared.requests.push(request.clone());
            shared.queue.pop_front()
        };
        let script = scripted.unwrap_or_else(|| handler(&request));
        if !play(&mut stream, script).await {
            return;
        }
    }
}

/// Plays an answer; whether the connection stays open.
async fn play(stream: &mut TcpStream, script: Script) -> bool {
    for step in script {
        match step {
            Step::Write(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
            }
            Step::Repeat(bytes, times) => {
                for _ in 0..times {
                    if stream.write_all(&bytes).await.is_err() {
                        return false;
                    }
                }
            }
            Step::Trickle(bytes, pause) => {
                while stream.write_all(&bytes).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
                return false;
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
            // Ends when the client leaves.
            Step::Hang => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            }
            Step::Reset | Step::ResetAtAccept => {
                let _ = stream.set_zero_linger();
                return false;
            }
            Step::KeepOpen => return true,
        }
    }
    false
}

async fn read_request(stream: &mut TcpStream) -> Option<RecordedRequest> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
    let length = headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(end);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(RecordedRequest { method, path, headers, body, connection: 0, at: Duration::ZERO })
}

/// An answer with a status, further headers (each `name: value`) and a whole body.
pub(crate) fn status(code: u16, headers: &[&str], body: &str) -> Script {
    let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
    let head = format!("HTTP/1.1 {code} Whatever\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    vec![Step::Write([head.as_bytes(), body.as_bytes()].concat())]
}

/// The head of an answer whose body ends with the connection.
pub(crate) fn head(headers: &[&str]) -> Step {
    let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
    Step::Write(format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n").into_bytes())
}

/// An event stream of this text.
pub(crate) fn stream(text: &str) -> Script {
    vec![head(&["content-type: text/event-stream"]), Step::Write(text.as_bytes().to_vec())]
}

/// An event stream in chunked encoding, after which the connection can be used again.
pub(crate) fn chunked_stream(text: &str) -> Script {
    let chunk = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    vec![Step::Write(format!("{head}{chunk}").into_bytes()), Step::KeepOpen]
}

/// A model's answer, to be written in any format.
#[derive(Debug, Clone)]
pub(crate) struct ModelAnswer {
    model: String,
    text: String,
    calls: Vec<(String, Value)>,
    usage: Option<(u64, u64, u64)>,
    stop: Option<String>,
}

/// The usage of an answer that says nothing of it.
const USAGE: Option<(u64, u64, u64)> = Some((100, 60, 20));

/// An answer of this text; it can be empty.
pub(crate) fn answer(text: &str) -> ModelAnswer {
    ModelAnswer { model: "fake-model-1".into(), text: text.into(), calls: Vec::new(), usage: USAGE, stop: None }
}

impl ModelAnswer {
    /// One more tool call.
    pub(crate) fn call(mut self, name: &str, arguments: Value) -> Self {
        self.calls.push((name.into(), arguments));
        self
    }

    /// All input tokens, those of it read from the cache, output tokens. Default: 100, 60, 20.
    pub(crate) fn usage(mut self, input: u64, cached: u64, output: u64) -> Self {
        self.usage = Some((input, cached, output));
        self
    }

    /// The arguments of its call of that number.
    pub(crate) fn arguments(&self, number: usize) -> Value {
        self.calls[number].1.clone()
    }

    /// Without usage.
    pub(crate) fn uncounted(mut self) -> Self {
        self.usage = None;
        self
    }

    /// The reason to stop, in the format's own word.
    pub(crate) fn stop(mut self, reason: &str) -> Self {
        self.stop = Some(reason.into());
        self
    }

    /// The model's name for itself.
    pub(crate) fn model(mut self, name: &str) -> Self {
        self.model = name.into();
        self
    }

    /// The text of an event stream of chat completions.
    pub(crate) fn chat_text(&self) -> String {
        let chunk = |delta: Value, reason: Value| {
            json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": self.model, "usage": null,
                   "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        };
        let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
        for piece in pieces(&self.text) {
            chunks.push(chunk(json!({"content": piece}), Value::Null));
        }
        for (index, (name, arguments)) in self.calls.iter().enumerate() {
            let call = json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": {"name": name, "arguments": ""}});
            chunks.push(chunk(json!({"tool_calls": [call]}), Value::Null));
            for piece in pieces(&arguments.to_string()) {
                chunks.push(chunk(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), Value::Null));
            }
        }
        chunks.push(chunk(json!({}), json!(self.reason("stop", "tool_calls"))));
        if let Some((input, cached, output)) = self.usage {
            chunks.push(json!({"model": self.model, "choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output,
                "prompt_tokens_details": {"cached_tokens": cached}}}));
        }
        let events: String = chunks.iter().map(|c| format!("data: {c}\n\n")).collect();
        events + "data: [DONE]\n\n"
    }

    /// The text of an event stream of messages.
    pub(crate) fn messages_text(&self) -> String {
        let (input, cached, output) = self.usage.unwrap_or_default();
        let counted = |usage: Value| if self.usage.is_some() { usage } else { json!({}) };
        let start = counted(json!({"input_tokens": input - cached, "cache_read_input_tokens": cached, "output_tokens": 1}));
        let mut events = vec![json!({"type": "message_start", "message": {"model": self.model, "role": "assistant", "content": [], "usage": start}})];
        let mut block = |begin: Value, kind: &str, field: &str, text: &str| {
            let index = events.iter().filter(|e| e["type"] == "content_block_start").count();
            events.push(json!({"type": "content_block_start", "index": index, "content_block": begin}));
            for piece in pieces(text) {
                events.push(json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, field: piece}}));
            }
            events.push(json!({"type": "content_block_stop", "index": index}));
        };
        if !self.text.is_empty() {
            block(json!({"type": "text", "text": ""}), "text_delta", "text", &self.text);
        }
        for (number, (name, arguments)) in self.calls.iter().enumerate() {
            let begin = json!({"type": "tool_use", "id": format!("toolu_{number}"), "name": name, "input": {}});
            block(begin, "input_json_delta", "partial_json", &arguments.to_string());
        }
        let reason = self.reason("end_turn", "tool_use");
        let end = counted(json!({"output_tokens": output}));
        events.push(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": end}));
        events.push(json!({"type": "message_stop"}));
        events.iter().map(|e| format!("event: {}\ndata: {e}\n\n", e["type"].as_str().unwrap_or_default())).collect()
    }

    /// The text of an event stream of responses.
    pub(crate) fn responses_text(&self) -> String {
        let usage = self.usage.map(
            |(input, cached, output)| json!({"input_tokens": input, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": output}),
        );
        let mut events =
            vec![json!({"type": "response.created", "response": {"model": self.model, "status": "in_progress", "error": null, "output": []}})];
        let mut output = Vec::new();
        let mut item = |begun: Value, whole: Value, kind: &str, text: &str| {
            let index = output.len();
            events.push(json!({"type": "response.output_item.added", "output_index": index, "item": begun}));
            events.extend(pieces(text).into_iter().map(|piece| json!({"type": kind, "output_index": index, "delta": piece})));
            events.push(json!({"type": "response.output_item.done", "output_index": index, "item": whole}));
            output.push(whole);
        };
        let reasoning = |secret: Value| json!({"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": secret});
        item(reasoning(Value::Null), reasoning(json!("gAAAfake")), "", "");
        if !self.text.is_empty() {
            let message = |content: Value| json!({"type": "message", "id": "msg_0", "role": "assistant", "status": "completed", "content": content});
            let whole = message(json!([{"type": "output_text", "text": self.text, "annotations": []}]));
            item(message(json!([])), whole, "response.output_text.delta", &self.text);
        }
        for (number, (name, arguments)) in self.calls.iter().enumerate() {
            let call = |arguments: &str| json!({"type": "function_call", "id": format!("fc_{number}"), "call_id": format!("call_{number}"), "name": name, "arguments": arguments});
            let arguments = arguments.to_string();
            item(call(""), call(&arguments), "response.function_call_arguments.delta", &arguments);
        }
        let (status, why) = match self.stop.as_deref() {
            Some(reason) => ("incomplete", json!({"reason": reason})),
            None => ("completed", Value::Null),
        };
        let response = json!({"model": self.model, "status": status, "error": null, "incomplete_details": why, "output": output, "usage": usage});
        events.push(json!({"type": format!("response.{status}"), "response": response}));
        let numbered = events.iter_mut().enumerate().map(|(number, event)| {
            event["sequence_number"] = json!(number);
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
        });
        numbered.collect()
    }

    /// The text of an event stream of generateContent.
    pub(crate) fn generate_text(&self) -> String {
        let chunk = |parts: Value| json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}}], "modelVersion": self.model});
        let mut chunks: Vec<Value> = pieces(&self.text).into_iter().map(|piece| chunk(json!([{"text": piece}]))).collect();
        let calls = self.calls.iter().enumerate().map(|(number, (name, arguments))| {
            let mut part = json!({"functionCall": {"name": name, "args": arguments}});
            if number == 0 {
                part["thoughtSignature"] = json!("c2lnbmF0dXJl");
            }
            chunk(json!([part]))
        });
        chunks.extend(calls);
        let mut last = json!({"candidates": [{"index": 0, "finishReason": self.stop.as_deref().unwrap_or("STOP")}], "modelVersion": self.model});
        if let Some((input, cached, output)) = self.usage {
            last["usageMetadata"] = json!({"promptTokenCount": input, "cachedContentTokenCount": cached, "candidatesTokenCount": output, "totalTokenCount": input + output});
        }
        chunks.push(last);
        chunks.iter().map(|c| format!("data: {c}\n\n")).collect()
    }

    /// A script of chat completions.
    pub(crate) fn chat(&self) -> Script {
        stream(&self.chat_text())
    }

    /// A script of messages.
    pub(crate) fn messages(&self) -> Script {
        stream(&self.messages_text())
    }

    /// A script in the format that the request is in. Where no usage was given, it is that of a server which has read
    /// all of the request, more than half of it from its cache.
    pub(crate) fn to(&self, request: &RecordedRequest) -> Script {
        let all = request.body.len() as u64 / 4;
        if self.usage == USAGE && all > 100 {
            return self.clone().usage(all, all * 3 / 5, 20).to(request);
        }
        match request.path.as_str() {
            path if path.ends_with("/messages") => self.messages(),
            path if path.ends_with("/responses") => stream(&self.responses_text()),
            path if path.contains(":streamGenerateContent") => stream(&self.generate_text()),
            _ => self.chat(),
        }
    }

    fn reason(&self, whole: &str, tools: &str) -> String {
        let default = if self.calls.is_empty() { whole } else { tools };
        self.stop.clone().unwrap_or_else(|| default.to_owned())
    }
}

/// A text in two pieces, so that joining is always tried.
fn pieces(text: &str) -> Vec<String> {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(i, _)| i);
    [&text[..middle], &text[middle..]].into_iter().filter(|p| !p.is_empty()).map(str::to_owned).collect()
}
