//! One request to a forge, before it is sent, and its answer.

use super::http::is_safe_twice;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// The most bytes of an answer unless a call asks for more.
const MAX_BODY: usize = 128 << 20;

/// A request: `path` below the API's base (one that begins with `/`: below the origin), each part already encoded; `what`
/// it does, to go after "to".
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) what: &'a str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) accept: Option<&'static str>,
    pub(super) max: usize,
    safe_twice: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: impl Into<String>, what: &'a str) -> Self {
        let safe_twice = is_safe_twice(&method);
        Self { method, path: path.into(), what, query: Vec::new(), body: None, accept: None, max: MAX_BODY, safe_twice }
    }

    pub(crate) fn get(path: impl Into<String>, what: &'a str) -> Self {
        Self::new(Method::GET, path, what)
    }

    pub(crate) fn post(path: impl Into<String>, what: &'a str, body: Value) -> Self {
        Self::new(Method::POST, path, what).body(body)
    }

    pub(crate) fn put(path: impl Into<String>, what: &'a str, body: Value) -> Self {
        Self::new(Method::PUT, path, what).body(body)
    }

    pub(crate) fn delete(path: impl Into<String>, what: &'a str) -> Self {
        Self::new(Method::DELETE, path, what)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn accept(mut self, kind: &'static str) -> Self {
        self.accept = Some(kind);
        self
    }

    /// The most bytes of the answer.
    pub(crate) fn max(mut self, bytes: usize) -> Self {
        self.max = bytes;
        self
    }

    /// Whether it may be sent again after an end that leaves open whether it was done: by default GET, PUT and DELETE are.
    pub(crate) fn safe_twice(mut self, safe: bool) -> Self {
        self.safe_twice = safe;
        self
    }

    pub(crate) fn repeatable(&self) -> bool {
        self.safe_twice
    }
}

/// A 2xx answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A refusal, for the forge to say what is missing.
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a Value,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) call: &'a Call<'a>,
    pub(crate) has_token: bool,
}

impl Refusal<'_> {
    /// Whether it was a request that changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        self.call.method == Method::GET
    }
}

/// Says in a forge's words what a refusal lacks (a scope, a role).
pub(crate) type Explain = fn(&Refusal<'_>) -> Option<String>;

/// One part of a path, encoded, `/` included.
pub(crate) fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            // A lone `.` or `..` would be taken for a step.
            b'.' if !text.trim_matches('.').is_empty() => out.push('.'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
