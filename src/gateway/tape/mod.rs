//! Recordings of what a run and its models said to each other: written by [`Recorder`], played back by [`Player`] with
//! no network. For bug reports, for work on prompts, and for a demonstration without a key.
//!
//! A recording is a folder: `recording.json` says what it is and lists the exchanges; each has a request (JSON) and an
//! answer (status, some headers, an empty line, the body as it came). It never holds a token or a secret, and playing
//! one never touches the network.

mod play;
mod record;

pub(crate) use play::Played;
pub use play::Player;
pub use record::Recorder;
pub(crate) use record::Take;

use super::error::ErrorKind;
use super::price::Price;
use super::types::{ModelRequest, Turn};
use super::wire::WireKind;
use crate::error::UserError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// The list of what a recording holds.
const MANIFEST: &str = "recording.json";
/// The version that this program writes, and the only one that it plays.
const VERSION: u32 = 1;
const MAX_MANIFEST: u64 = 8 << 20;
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// The most exchanges.
const MAX_EXCHANGES: usize = 10_000;

/// What stands between a run and its models.
#[derive(Debug, Clone)]
pub enum Tape {
    /// Everything is written down.
    Record(Arc<Recorder>),
    /// Nobody is asked: answers come from a recording.
    Play(Arc<Player>),
}

impl Tape {
    /// What a report should say of it, one line each.
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Record(recorder) => recorder.notes(),
            Self::Play(player) => player.notes(),
        }
    }
}

/// What a recording is and holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Its version.
    tribune_recording: u32,
    /// The version of the program that made it.
    tribune: String,
    /// Where its answers come from, when no model gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scripted: Option<String>,
    /// The models that the tiers asked, first choice first.
    #[serde(default)]
    pub models: BTreeMap<String, Vec<String>>,
    /// What they cost.
    #[serde(default)]
    pub prices: BTreeMap<String, Price>,
    exchanges: Vec<Exchange>,
}

/// One request and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Exchange {
    reviewer: String,
    bundle: usize,
    request: u32,
    /// From 1 within this request, whichever model was asked.
    attempt: u32,
    model: String,
    wire: WireKind,
    /// [`digest`] of the request; a scripted answer has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// The file with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    /// The file with the answer, where one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Why the connection gave no whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Failed>,
}

/// A failure that no answer tells of.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failed {
    kind: ErrorKind,
    message: String,
}

/// Whose request, about what: an exchange's place in a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) reviewer: String,
    pub(crate) bundle: usize,
    pub(crate) request: u32,
}

impl Exchange {
    fn place(&self) -> Place {
        Place { reviewer: self.reviewer.clone(), bundle: self.bundle, request: self.request }
    }
}

/// Reads the manifest of a recording. Fails (exit 2) where there is none, or none that this version plays.
pub fn manifest(dir: &Path) -> Result<Manifest, UserError> {
    let unusable = |why: String| {
        UserError::usage(
            format!("{} cannot be played", dir.display()),
            why,
            "Name a folder that `tribune review --record DIR` wrote, after `replay:`.",
        )
    };
    let text = read(&dir.join(MANIFEST), MAX_MANIFEST).map_err(|why| unusable(format!("{MANIFEST}: {why}")))?;
    let version: Version = serde_json::from_slice(&text).map_err(|e| unusable(format!("{MANIFEST} is none of a recording: {e}")))?;
    if version.tribune_recording != VERSION {
        return Err(unusable(format!("it has version {}, and this program plays version {VERSION}", version.tribune_recording)));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| unusable(format!("{MANIFEST} cannot be read: {e}")))?;
    if manifest.exchanges.len() > MAX_EXCHANGES {
        return Err(unusable(format!("it lists more than {MAX_EXCHANGES} exchanges")));
    }
    if let Some(name) = manifest.files().find(|name| !is_plain(name)) {
        return Err(unusable(format!("{MANIFEST} names the file {name:?}, which is no file of that folder")));
    }
    Ok(manifest)
}

#[derive(Deserialize)]
struct Version {
    tribune_recording: u32,
}

impl Manifest {
    fn files(&self) -> impl Iterator<Item = &str> {
        self.exchanges.iter().flat_map(|e| e.sent.iter().chain(&e.answer)).map(String::as_str)
    }
}

/// Whether a name stays inside its folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// A regular file (no link) of at most `max` bytes. Fails with a reason in words.
fn read(file: &Path, max: u64) -> Result<Vec<u8>, String> {
    let meta = std::fs::symlink_metadata(file).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file).and_then(|f| f.take(max + 1).read_to_end(&mut bytes)).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > max { Err(format!("it has more than {max} bytes")) } else { Ok(bytes) }
}

/// What a request says, whatever it is written in and whoever is asked: hex. Names that a provider gave to tool calls
/// are left out.
fn digest(request: &ModelRequest) -> String {
    let mut hash = Sha256::new();
    let mut put = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    for tool in request.tools.iter() {
        put(tool.name);
        put(&tool.description);
        put(&tool.schema.to_string());
    }
    for part in [&*request.system, &*request.shared, &request.own] {
        put(part);
    }
    for turn in &request.turns {
        match turn {
            Turn::Assistant(said) => {
                put("assistant");
                put(&said.text);
                for call in &said.calls {
                    put(&call.name);
                    put(&call.arguments);
                }
            }
            Turn::ToolResults(results) => {
                put("results");
                for result in results {
                    put(&result.name);
                    put(&result.content);
                    put(if result.is_error { "failed" } else { "done" });
                }
            }
            Turn::User(text) => {
                put("user");
                put(text);
            }
        }
    }
    put(&request.max_output_tokens.to_string());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
