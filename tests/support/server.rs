//! A small HTTP server for fakes: one thread a connection, one request a connection, answers as the handler says.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As it was sent, still encoded, without the query.
    pub(crate) path: String,
    /// Decoded names and values, in their order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) raw_query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection ends without an answer.
    pub(crate) lost: bool,
}

impl Response {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".into(), "application/json".into())];
        Self { status, headers, body: body.to_string().into_bytes(), lost: false }
    }

    pub(crate) fn bytes(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), kind.into())], body: body.into(), lost: false }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), lost: false }
    }

    pub(crate) fn lost() -> Self {
        Self { lost: true, ..Self::empty(200) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// Serves on a free port until the process ends.
pub(crate) fn serve(handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let handler = Arc::new(handler);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handler = handler.clone();
            std::thread::spawn(move || answer(stream, handler.as_ref()));
        }
    });
    address
}

fn answer(mut stream: TcpStream, handler: &(dyn Fn(Request) -> Response + Send + Sync)) {
    let Some(request) = read(&mut stream) else { return };
    record(&request);
    let head_only = request.method == "HEAD";
    let response = handler(request);
    if response.lost {
        return;
    }
    let mut head = format!("HTTP/1.1 {} Whatever\r\nconnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if response.status != 204 {
        head.push_str(&format!("content-length: {}\r\n", response.body.len()));
    }
    head.push_str("\r\n");
    let body: &[u8] = if head_only { &[] } else { &response.body };
    // A client that left does not want it.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// Appends the request to the file that `TRIBUNE_TEST_LOG` names, if any, as a line of JSON: another judge reads them.
fn record(request: &Request) {
    let Some(log) = std::env::var_os("TRIBUNE_TEST_LOG") else { return };
    let headers: Value = request.headers.iter().map(|(n, v)| (n.clone(), Value::from(v.as_str()))).collect::<serde_json::Map<_, _>>().into();
    let line = serde_json::json!({"method": request.method, "path": request.path, "query": request.raw_query, "headers": headers,
        "body": String::from_utf8_lossy(&request.body)});
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(log).expect("the log can be written");
    // One write, so that lines of several tests do not mix.
    file.write_all(format!("{line}\n").as_bytes()).expect("the log can be written");
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
    let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    if header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = bytes.split_off(end);
    if header("transfer-encoding").is_some() {
        body = chunked(stream, body)?;
    } else {
        let length: usize = header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
        while body.len() < length {
            more(stream, &mut body)?;
        }
    }
    let (path, raw_query) = target.split_once('?').unwrap_or((&target, ""));
    let query = raw_query.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")));
    let query = query.map(|(n, v)| (decode(&n.replace('+', " ")), decode(&v.replace('+', " ")))).collect();
    Some(Request { method, path: path.to_owned(), query, raw_query: raw_query.to_owned(), headers, body })
}

fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 << 10];
    let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
    bytes.extend_from_slice(&buffer[..n]);
    Some(())
}

fn chunked(stream: &mut TcpStream, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") else {
            more(stream, &mut bytes)?;
            continue;
        };
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?.trim(), 16).ok()?;
        while bytes.len() < end + 2 + size + 2 {
            more(stream, &mut bytes)?;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes.drain(..end + 2 + size + 2);
        if size == 0 {
            return Some(body);
        }
    }
}

/// A URL's part with its `%XX` as what they stand for.
pub(crate) fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten().and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs the handler in git's own CGI program for a bare repository: a push is refused, a fetch is served.
pub(crate) fn git_backend(repository: &std::path::Path, path: &str, request: &Request) -> Response {
    let exec_path = std::process::Command::new("git").arg("--exec-path").output().expect("git runs").stdout;
    let program = std::path::Path::new(String::from_utf8_lossy(&exec_path).trim()).join("git-http-backend");
    let mut command = std::process::Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_HTTP_EXPORT_ALL", "1")]);
    command.env("GIT_PROJECT_ROOT", repository).env("PATH_INFO", path).env("REQUEST_METHOD", &request.method);
    command.env("QUERY_STRING", &request.raw_query).env("CONTENT_TYPE", request.header("content-type").unwrap_or_default());
    command.env("CONTENT_LENGTH", request.body.len().to_string());
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    if let Some(encoding) = request.header("content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", encoding);
    }
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("git-http-backend runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let body = request.body.clone();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&body)));
    let output = child.wait_with_output().expect("it ends").stdout;
    let _ = writer.join();
    let end = output.windows(4).position(|w| w == b"\r\n\r\n").map_or(output.len(), |at| at + 4);
    let mut response = Response::empty(200);
    for (name, value) in String::from_utf8_lossy(&output[..end]).lines().filter_map(|l| l.split_once(':')) {
        match name.eq_ignore_ascii_case("status") {
            true => response.status = value.trim().get(..3).and_then(|s| s.parse().ok()).unwrap_or(500),
            false => response.headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
        }
    }
    response.body = output[end..].to_vec();
    response
}
