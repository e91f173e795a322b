//! Brings what a merge request needs and a clone has not (CI clones are shallow, large ones partial) into the clean room:
//! the reviewed repository itself is never written to. The token travels in the environment of the one git process that
//! fetches, for the forge's own origin only, and no redirect is followed.

use super::access::GitAccess;
use super::fetch::{FetchError, User};
use super::object_id;
use super::room::Room;
use crate::http::{self, Origin};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// What is fetched for one change may take so much room on the disk, and so much time a step.
const MAX_BYTES: u64 = 4 << 30;
const MAX_TIME: Duration = Duration::from_secs(300);
/// How many commits a shallow clone gets at first: enough for the messages of most changes.
const FIRST_DEPTH: u32 = 50;
/// How it is deepened where a commit cannot be had by its id. The last one is all history.
const DEPTHS: [Option<u32>; 4] = [Some(200), Some(1_000), Some(10_000), None];
/// The most objects that are asked for in one batch.
const MAX_BATCH: usize = 50_000;

/// A merge request's commits and where the forge keeps them.
pub(crate) struct Wanted<'a> {
    pub(crate) commits: &'a [&'a str],
    /// Full names of refs of which all of them can be reached.
    pub(crate) refs: &'a [String],
    /// Commits that are there already: a server need not send what they hold.
    pub(crate) known: &'a [String],
    /// There is no whole history here to build on.
    pub(crate) shallow: bool,
    /// Contents may be missing of what is known: none are fetched with commits, but in a batch of their own.
    pub(crate) partial: bool,
}

/// Which of these objects are missing, in their order.
pub(crate) fn missing(room: &Room, ids: &[&str]) -> Result<Vec<String>, FetchError> {
    let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let call = room.call(&["cat-file", "--batch-check=%(objectname) %(objecttype)"])?.stdin(input.into_bytes());
    let answer = call.run()?.value;
    let lines = answer.split(|b| *b == b'\n').zip(ids);
    Ok(lines.filter(|(line, _)| line.ends_with(b" missing")).map(|(_, id)| (*id).to_owned()).collect())
}

/// Fetches the commits that are missing: by their ids, else by their refs, deeper step by step. Whether all of them are
/// there then.
pub(crate) fn commits(room: &Room, access: &GitAccess, wanted: &Wanted<'_>) -> Result<bool, FetchError> {
    let first = missing(room, wanted.commits)?;
    if first.is_empty() {
        return Ok(true);
    }
    let ids: Vec<String> = first.iter().filter_map(|id| object_id(id.as_bytes())).collect();
    remember(room, wanted.known)?;
    let depth = |n: u32| format!("--depth={n}");
    let filter = wanted.partial.then(|| "--filter=blob:none".to_owned());
    let with = |how: Option<String>| how.into_iter().chain(filter.clone()).collect::<Vec<_>>();
    let by_id = fetch(room, access, &with(wanted.shallow.then(|| depth(FIRST_DEPTH))), &ids);
    if by_id.is_ok() && missing(room, wanted.commits)?.is_empty() {
        return Ok(true);
    }
    // Not every server hands out what no branch points at.
    let mut outcome = by_id;
    for step in DEPTHS {
        let refs: Vec<String> = wanted.refs.iter().enumerate().map(|(n, name)| format!("+{name}:refs/brought/{n}")).collect();
        let how = match step {
            _ if !wanted.shallow => None,
            Some(n) => Some(depth(n)),
            None => fs::metadata(room.git_dir().join("shallow")).is_ok().then(|| "--unshallow".to_owned()),
        };
        outcome = fetch(room, access, &with(how), &refs);
        if missing(room, wanted.commits)?.is_empty() {
            return Ok(true);
        }
        if outcome.is_err() || !wanted.shallow {
            break;
        }
    }
    outcome.map(|()| false)
}

/// Fetches single objects in one batch, those that are missing among `ids`. Whether all of them are there then.
pub(crate) fn objects(room: &Room, access: &GitAccess, ids: &BTreeSet<String>) -> Result<bool, FetchError> {
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let lacking = missing(room, &all)?;
    if lacking.is_empty() {
        return Ok(true);
    }
    // With what is known here a server may send differences from contents that are missing.
    for refs in ["refs/known", "refs/brought"] {
        drop(fs::remove_dir_all(room.git_dir().join(refs)));
    }
    fetch(room, access, &[], &lacking[..lacking.len().min(MAX_BATCH)])?;
    Ok(missing(room, &all)?.is_empty())
}

/// Refs of ours for what is there, so that a server knows it.
fn remember(room: &Room, known: &[String]) -> Result<(), FetchError> {
    let folder = room.git_dir().join("refs/known");
    fs::create_dir_all(&folder)?;
    for (n, id) in known.iter().enumerate() {
        fs::write(folder.join(n.to_string()), format!("{id}\n"))?;
    }
    Ok(())
}

fn fetch(room: &Room, access: &GitAccess, how: &[String], what: &[String]) -> Result<(), FetchError> {
    let url = http::parse(access.url()).map_err(|e| FetchError::Unreachable(format!("the repository's URL {e}")))?;
    let origin = Origin::of(&url).map_err(|e| FetchError::Unreachable(format!("the repository's URL {e}")))?;
    let user = User::read(room.git_dir())?;
    let mut args: Vec<&str> = how.iter().map(String::as_str).collect();
    args.extend(["--stdin", "--", access.url()]);
    let mut call = user.call(room.git_dir(), url.scheme(), &args)?;
    call = call.env("GIT_CONFIG_COUNT", if access.header().is_some() { "3" } else { "2" });
    // Git would ask the reviewed repository itself for its refs; the ones that count are given.
    call = call.env("GIT_CONFIG_KEY_0", "core.alternateRefsCommand").env("GIT_CONFIG_VALUE_0", "true");
    call = call.env("GIT_CONFIG_KEY_1", "fetch.unpackLimit").env("GIT_CONFIG_VALUE_1", "1");
    if let Some(header) = access.header() {
        call = call.env("GIT_CONFIG_KEY_2", format!("http.{origin}/.extraHeader")).env("GIT_CONFIG_VALUE_2", header.expose());
    }
    let lines: String = what.iter().map(|w| format!("{w}\n")).collect();
    call.stdin(lines.into_bytes()).bounds(1 << 20, MAX_TIME).growing(room.git_dir(), MAX_BYTES).run()?;
    Ok(())
}
