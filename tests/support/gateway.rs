//! A gateway faked at the socket: what is written to the wire is what the test says, byte for byte.
//!
//! It runs on a thread of its own, so blocking tests of the whole binary can use it as well as async ones. Use it
//! with `#[path = "support/gateway.rs"] mod gateway;`.

#![allow(dead_code, unused_imports, reason = "no test program uses all of it, and which parts each leaves out differs")]

pub(crate) mod answers;

pub(crate) use answers::answer;

use serde_json::Value;
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
