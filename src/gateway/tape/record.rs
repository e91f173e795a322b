//! Writing a recording. What cannot be written is told, and never fails a review.

use super::super::endpoint::Endpoint;
use super::super::error::{ErrorKind, GatewayError};
use super::super::types::ModelRequest;
use super::{Exchange, Failed, MANIFEST, MAX_ANSWER, MAX_EXCHANGES, Manifest, Place, VERSION, digest, is_plain, manifest};
use crate::error::UserError;
use crate::gateway::Price;
use crate::platform;
use crate::secrets;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most bytes of a whole recording.
const MAX_BYTES: usize = 512 << 20;
/// The headers of an answer that are written down: what it is, and what decides on another attempt.
const HEADERS: [&str; 6] = ["content-type", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "request-id"];

/// Writes down the exchanges of one run.
#[derive(Debug)]
pub struct Recorder {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    manifest: Manifest,
    attempts: BTreeMap<Place, u32>,
    bytes: usize,
    /// What is missing in it, one line each.
    trouble: Vec<String>,
}

impl Recorder {
    /// A recording in `dir`, which is made where it is missing; a recording that is there is replaced. Fails (exit 2)
    /// where something else is there, and where nothing can be written.
    pub fn create(dir: &Path, models: BTreeMap<String, Vec<String>>, prices: BTreeMap<String, Price>) -> Result<Self, UserError> {
        let refuse = |why: String| UserError::usage(format!("nothing can be recorded in {}", dir.display()), why, "Name a new or empty folder.");
        // What stands in it is somebody's code.
        platform::create_private_folder(dir).map_err(|e| refuse(e.to_string()))?;
        let mut there = std::fs::read_dir(dir).map_err(|e| refuse(e.to_string()))?;
        if there.next().is_some() {
            let old = manifest(dir).map_err(|_| refuse("it holds something else than a recording".to_owned()))?;
            for name in old.files().chain([MANIFEST]) {
                // Names are those of the folder itself, and of a link the link goes.
                let _ = std::fs::remove_file(dir.join(name));
            }
        }
        let tribune = env!("CARGO_PKG_VERSION").to_owned();
        let manifest = Manifest { tribune_recording: VERSION, tribune, scripted: None, models, prices, exchanges: Vec::new() };
        let state = State { manifest, attempts: BTreeMap::new(), bytes: 0, trouble: Vec::new() };
        state.write(dir).map_err(|e| refuse(e.to_string()))?;
        Ok(Self { dir: dir.to_owned(), state: Mutex::new(state) })
    }

    /// Begins an exchange.
    pub(crate) fn take<'a>(self: &Arc<Self>, endpoint: &'a Endpoint, model: &str, place: Place, request: &ModelRequest) -> Take<'a> {
        let mut state = self.state();
        let attempt = state.attempts.entry(place.clone()).or_default();
        *attempt += 1;
        let exchange = Exchange {
            attempt: *attempt,
            reviewer: place.reviewer,
            bundle: place.bundle,
            request: place.request,
            model: model.to_owned(),
            wire: endpoint.wire_kind(),
            digest: Some(digest(request)),
            sent: None,
            answer: None,
            failed: None,
        };
        Take { recorder: self.clone(), endpoint, exchange, sent: Vec::new(), head: String::new(), body: Vec::new(), cut: false }
    }

    /// What a report should say of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let state = self.state();
        let count = state.manifest.exchanges.len();
        let mut notes = vec![format!("{count} exchange{} with models recorded in {}.", if count == 1 { "" } else { "s" }, self.dir.display())];
        notes.extend(state.trouble.iter().map(|why| format!("The recording is not whole: {why}.")));
        notes
    }

    fn keep(&self, mut exchange: Exchange, sent: &[u8], answer: Option<&[u8]>) {
        let mut state = self.state();
        let stem = format!("{}-{}-{}-{}", exchange.reviewer, exchange.bundle, exchange.request, exchange.attempt);
        let sent = pretty(sent);
        if !is_plain(&stem) || state.manifest.exchanges.len() >= MAX_EXCHANGES {
            return state.miss(format!("{stem} was left out: a recording has at most {MAX_EXCHANGES} exchanges"));
        }
        state.bytes += sent.len() + answer.map_or(0, <[u8]>::len);
        if state.bytes > MAX_BYTES {
            return state.miss(format!("it ends at {} MiB", MAX_BYTES >> 20));
        }
        let mut files = vec![(format!("{stem}.request.json"), &sent[..])];
        exchange.sent = Some(files[0].0.clone());
        if let Some(answer) = answer {
            files.push((format!("{stem}.answer.txt"), answer));
            exchange.answer = Some(files[1].0.clone());
        }
        state.manifest.exchanges.push(exchange);
        state.manifest.exchanges.sort_by_key(|e| (e.place(), e.attempt));
        let written = files.iter().try_for_each(|(name, bytes)| create(&self.dir.join(name), bytes)).and_then(|()| state.write(&self.dir));
        if let Err(e) = written {
            state.miss(format!("{} cannot be written: {e}", self.dir.display()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // At worst an exchange is missing in the list.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the old list's place in one step, so that a run that is killed leaves a recording.
    fn write(&self, dir: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        serde_json::to_writer_pretty(&mut file, &self.manifest)?;
        file.write_all(b"\n")?;
        file.persist(dir.join(MANIFEST))?;
        Ok(())
    }

    fn miss(&mut self, why: String) {
        if self.trouble.len() < 10 && !self.trouble.contains(&why) {
            self.trouble.push(why);
        }
    }
}

/// One exchange while it happens. It is written when it is dropped, however it ended.
#[derive(Debug)]
pub(crate) struct Take<'a> {
    recorder: Arc<Recorder>,
    endpoint: &'a Endpoint,
    exchange: Exchange,
    sent: Vec<u8>,
    head: String,
    body: Vec<u8>,
    cut: bool,
}

impl Take<'_> {
    /// What goes out.
    pub(crate) fn sends(&mut self, body: &[u8]) {
        self.sent = body.to_vec();
    }

    /// An answer began.
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.head = format!("HTTP {}\n", status.as_u16());
        for name in HEADERS {
            if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
                let _ = writeln!(self.head, "{name}: {value}");
            }
        }
    }

    /// More of its body came.
    pub(crate) fn bytes(&mut self, chunk: &[u8]) {
        let room = MAX_ANSWER.saturating_sub(self.body.len());
        self.cut |= chunk.len() > room;
        self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    /// The connection failed: no answer tells why.
    pub(crate) fn failed(&mut self, error: &GatewayError) {
        self.exchange.failed = Some(Failed { kind: error.kind, message: error.message.clone() });
    }
}

impl Drop for Take<'_> {
    fn drop(&mut self) {
        let mut exchange = self.exchange.clone();
        let fail = |kind, message: &str| Some(Failed { kind, message: message.to_owned() });
        if self.head.is_empty() && exchange.failed.is_none() {
            exchange.failed = fail(ErrorKind::Cancelled, "the recorded run was ended here");
        }
        let masked = |text: &str| self.endpoint.mask(&secrets::mask(text));
        let mask = |bytes: &[u8]| masked(&String::from_utf8_lossy(bytes));
        let mut body = mask(&self.body);
        if pieces(&body).values().any(|text| *secrets::mask(text) != **text || self.endpoint.is_told(text)) {
            body.clear();
            exchange.failed = fail(ErrorKind::NotRecorded, "this answer is not in the recording: it held a secret");
        } else if self.cut {
            exchange.failed = fail(ErrorKind::NotRecorded, "this answer is not whole in the recording: it was too long");
        }
        let answer = (!self.head.is_empty()).then(|| format!("{}\n{body}", mask(self.head.as_bytes())));
        self.recorder.keep(exchange, mask(&self.sent).as_bytes(), answer.as_deref().map(str::as_bytes));
    }
}

/// The texts of a stream, their pieces put together: a secret that is spread over events is in none of them.
fn pieces(stream: &str) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data:")) {
        if let Ok(value) = serde_json::from_str::<Value>(data) {
            collect(&value, &mut String::new(), &mut texts);
        }
    }
    texts
}

/// Adds each text of `value` to what stood at the same place of earlier events.
fn collect(value: &Value, place: &mut String, texts: &mut BTreeMap<String, String>) {
    let length = place.len();
    match value {
        Value::String(text) => texts.entry(place.clone()).or_default().push_str(text),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let _ = write!(place, "/{i}");
                collect(item, place, texts);
                place.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let _ = write!(place, "/{name}");
                collect(field, place, texts);
                place.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON over lines, its fields in their order: the order of a request is what caches live by.
fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 5 / 4);
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    for (i, &byte) in json.iter().enumerate() {
        if text {
            out.push(byte);
            text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        let closes = matches!(json.get(i + 1), Some(b'}' | b']'));
        match byte {
            b'{' | b'[' => {
                depth += 1;
                out.push(byte);
                if !closes {
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend(b": "),
            _ => {
                text = byte == b'"';
                out.push(byte);
            }
        }
    }
    out.push(b'\n');
    out
}

/// A new file; one that is there, a link too, is in the way.
fn create(file: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(file)?.write_all(bytes)
}
