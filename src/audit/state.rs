//! What reviewers have answered already, in a file of JSON lines: a line for each unit of work, written as soon as it is done, so
//! that a run that was killed is gone on with and nothing is paid for twice. A unit is known by all that was sent for
//! it: where a file, a rule, a prompt or a model is another, it is asked anew.

use super::judge::Judged;
use crate::error::UserError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The first line's `schema`.
const SCHEMA: &str = "tribune.audit-state/v1";
/// A larger file is refused, in bytes.
const MAX_BYTES: u64 = 512 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    schema: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    unit: String,
    judged: Judged,
}

/// The answers so far.
pub(super) struct State {
    known: BTreeMap<String, Judged>,
    out: Mutex<File>,
    path: PathBuf,
}

impl State {
    /// Opens the file, or begins it. A last line that was cut off by a crash is left out; a file of another kind is refused (exit 2).
    pub(super) fn open(path: &Path) -> Result<Self, UserError> {
        let failed = |e: std::io::Error| {
            UserError::unreadable(format!("{} cannot be used", path.display()), e.to_string(), "Name a file that can be written: --resume FILE.")
        };
        let foreign = |why: &str| {
            UserError::usage(
                format!("{} holds no state of an audit", path.display()),
                why.to_owned(),
                "Name the file that --resume wrote, or one that is not there yet.",
            )
        };
        let mut text = Vec::new();
        match File::open(path) {
            Ok(file) => drop(file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(failed)?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        if text.len() as u64 > MAX_BYTES {
            return Err(foreign("it is larger than 512 MiB"));
        }
        let text = String::from_utf8_lossy(&text);
        let mut lines = text.lines();
        let mut known = BTreeMap::new();
        match lines.next().map(serde_json::from_str::<Head>) {
            None => {}
            Some(Ok(head)) if head.schema == SCHEMA => {
                for line in lines.filter_map(|l| serde_json::from_str::<Line>(l).ok()) {
                    known.insert(line.unit, line.judged);
                }
            }
            Some(_) => return Err(foreign("its first line is not that of such a file")),
        }
        let mut out = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        if text.is_empty() {
            writeln!(out, "{}", serde_json::to_string(&Head { schema: SCHEMA.to_owned() }).expect("plain data is JSON")).map_err(failed)?;
        } else if !text.ends_with('\n') {
            writeln!(out).map_err(failed)?;
        }
        Ok(Self { known, out: Mutex::new(out), path: path.to_owned() })
    }

    /// What is known of a unit.
    pub(super) fn get(&self, unit: &str) -> Option<Judged> {
        self.known.get(unit).cloned()
    }

    /// Keeps a unit's result; the error in one line.
    pub(super) fn keep(&self, unit: &str, judged: &Judged) -> Result<(), String> {
        let line = serde_json::to_string(&Line { unit: unit.to_owned(), judged: judged.clone() }).expect("plain data is JSON");
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| format!("{}: {e}", self.path.display()))
    }
}
