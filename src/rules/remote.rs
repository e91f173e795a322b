//! Rules of a git repository elsewhere, at one commit, by way of a cache on this machine. A commit that is in the cache is
//! read from there and its host is not asked: the id vouches for the contents, and git checks them against it.

use crate::config::{Env, RuleSource};
use crate::git::Objects;
use crate::git::fetch::{self, FetchError};
use crate::platform;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A commit's files, and whether they came from the cache.
pub(super) struct Fetched {
    pub(super) objects: Objects,
    pub(super) cached: bool,
    /// Where the objects lie, without a cache.
    _folder: Option<TempDir>,
}

/// The commit, from the cache or from its host. Without a place for a cache it is fetched each time.
pub(super) fn open(url: &str, commit: &str, env: Env<'_>) -> Result<Fetched, FetchError> {
    let cache = cache_folder(env);
    let kept = cache.as_ref().map(|c| c.join(name(url, commit)));
    if let Some(kept) = kept.as_ref().filter(|k| k.is_dir()) {
        match fetch::open(kept, commit) {
            Ok(objects) => return Ok(Fetched { objects, cached: true, _folder: None }),
            // Damaged, or not what its name says: as good as not there.
            Err(_) => fs::remove_dir_all(kept)?,
        }
    }
    let folder = new_folder(cache.as_deref())?;
    fetch::fetch(url, RuleSource::protocol(url), commit, folder.path())?;
    let Some(kept) = kept else {
        let objects = fetch::open(folder.path(), commit).map_err(FetchError::Unreachable)?;
        return Ok(Fetched { objects, cached: false, _folder: Some(folder) });
    };
    let from = folder.keep();
    if fs::rename(&from, &kept).is_err() {
        // Another run was faster.
        fs::remove_dir_all(&from)?;
    }
    Ok(Fetched { objects: fetch::open(&kept, commit).map_err(FetchError::Unreachable)?, cached: false, _folder: None })
}

fn new_folder(cache: Option<&Path>) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("new-");
    match cache {
        Some(cache) => {
            fs::create_dir_all(cache)?;
            builder.tempdir_in(cache)
        }
        None => builder.tempdir(),
    }
}

/// `$XDG_CACHE_HOME/tribune/rules`, else `~/.cache/tribune/rules`.
fn cache_folder(env: Env<'_>) -> Option<PathBuf> {
    Some(platform::cache_home(env)?.join("tribune").join("rules"))
}

/// A folder's name that holds nothing of the URL but its hash.
fn name(url: &str, commit: &str) -> String {
    let mut out = String::new();
    for byte in Sha256::digest(url.as_bytes()).iter().take(8) {
        let _ = write!(out, "{byte:02x}");
    }
    format!("{out}-{commit}.git")
}
