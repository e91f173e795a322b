//! Playing a recording: an exchange is found by what the request says, else by its place in the run, which is told.

use super::super::error::{ErrorKind, GatewayError};
use super::super::types::ModelRequest;
use super::super::wire::WireKind;
use super::{Exchange, MAX_ANSWER, Manifest, Place, digest, manifest, read};
use crate::error::UserError;
use futures::stream;
use reqwest::{Body, Response, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A stream is given out in pieces of so many bytes, as a network would.
const PIECE: usize = 1_024;

/// Plays one recording to one run.
#[derive(Debug)]
pub struct Player {
    dir: PathBuf,
    manifest: Manifest,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    attempts: BTreeMap<Place, u32>,
    /// Whose requests were not those of the recording.
    strangers: BTreeSet<String>,
    by_place: usize,
}

/// What was recorded of one attempt.
#[derive(Debug)]
pub(crate) struct Played {
    /// The format of the answer.
    pub(crate) wire: Option<WireKind>,
    response: Option<Response>,
    failed: Option<GatewayError>,
}

impl Played {
    /// The answer, to be taken once. Fails where the recorded connection failed before one began.
    pub(crate) fn response(&mut self) -> Result<Response, GatewayError> {
        let gone = || GatewayError::new(ErrorKind::Protocol, "the recording has neither an answer nor a failure here");
        self.response.take().ok_or_else(|| self.failed.take().unwrap_or_else(gone))
    }

    /// Why the recorded connection failed in the middle of its answer.
    pub(crate) fn failure(&mut self) -> Option<GatewayError> {
        self.failed.take()
    }
}

impl Player {
    /// Opens a recording. Fails (exit 2) where it is none.
    pub fn open(dir: &Path) -> Result<Self, UserError> {
        Ok(Self { dir: dir.to_owned(), manifest: manifest(dir)?, state: Mutex::default() })
    }

    /// The next recorded attempt of this request; where the recording has none, that failure.
    pub(crate) fn play(&self, place: Place, request: &ModelRequest) -> Played {
        let missing = |why: &str| {
            let Place { reviewer, bundle, request } = &place;
            let bundle = if *bundle > 1 { format!(", bundle {bundle}") } else { String::new() };
            let message = format!("the recording has no answer to request {request} of {reviewer}{bundle}{why}");
            Played { wire: None, response: None, failed: Some(GatewayError::new(ErrorKind::NotRecorded, message)) }
        };
        let exchange = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let attempt = state.attempts.entry(place.clone()).or_default();
            *attempt += 1;
            let attempt = *attempt;
            let digest = digest(request);
            let of = |same: &dyn Fn(&Exchange) -> bool| self.manifest.exchanges.iter().find(|e| e.attempt == attempt && same(e));
            match of(&|e| e.digest.as_ref() == Some(&digest)).or_else(|| of(&|e| e.place() == place)) {
                None if attempt > 1 => return missing(&format!(", attempt {attempt}")),
                None => return missing(""),
                Some(exchange) => {
                    if exchange.digest.as_ref().is_some_and(|recorded| *recorded != digest) {
                        state.strangers.insert(place.reviewer.clone());
                        state.by_place += 1;
                    }
                    exchange
                }
            }
        };
        let failed = exchange.failed.as_ref().map(|f| GatewayError::new(f.kind, f.message.clone()));
        let response = match &exchange.answer {
            None => None,
            Some(name) => match read(&self.dir.join(name), MAX_ANSWER as u64 + 8_192).and_then(|file| answer(&file, failed.is_some())) {
                Ok(response) => Some(response),
                Err(why) => return missing(&format!(" that can be played: {name}: {why}")),
            },
        };
        Played { wire: Some(exchange.wire), response, failed }
    }

    /// What a report should say of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let from = self.dir.display();
        let mut notes = vec![match &self.manifest.scripted {
            Some(words) => format!("No model was asked: the answers come from {from}. Scripted: {words}"),
            None => format!("No model was asked: the answers come from the recording {from}, made by tribune {}.", self.manifest.tribune),
        }];
        if state.by_place > 0 {
            let who = state.strangers.iter().cloned().collect::<Vec<_>>().join(", ");
            notes.push(format!(
                "The recording was made with other requests (another prompt, change, key or version): {} played by position.",
                if state.by_place == 1 { format!("1 answer ({who}) was") } else { format!("{} answers ({who}) were", state.by_place) }
            ));
        }
        notes
    }
}

/// An answer as it stands in its file: `HTTP 200`, headers, an empty line, the body, which breaks off at its end where
/// the connection did.
fn answer(file: &[u8], cut: bool) -> Result<Response, String> {
    let end = file.windows(2).position(|two| two == b"\n\n").ok_or("no empty line ends its headers")?;
    let head = std::str::from_utf8(&file[..end]).map_err(|_| "its headers are not UTF-8")?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|first| first.strip_prefix("HTTP ")).and_then(|code| StatusCode::from_bytes(code.trim().as_bytes()).ok());
    let mut response = http::Response::builder().status(status.ok_or("it does not begin with a status such as `HTTP 200`")?);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header has no `:`")?;
        response = response.header(name.trim(), value.trim());
    }
    let mut pieces: Vec<io::Result<Vec<u8>>> = file[end + 2..].chunks(PIECE).map(|piece| Ok(piece.to_vec())).collect();
    if cut {
        pieces.push(Err(io::ErrorKind::UnexpectedEof.into()));
    }
    let response = response.body(Body::wrap_stream(stream::iter(pieces))).map_err(|e| e.to_string())?;
    Ok(Response::from(response))
}
