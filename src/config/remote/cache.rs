//! The last good copy of the organisation's configuration: one file for its owner only, bound to its URL. With a key (the
//! state key, else the configuration's token) it carries a MAC, so that a CI cache that others write cannot plant one;
//! without a key, a copy inside the tree of a change is never believed.

use super::super::Env;
use super::super::operator_file_allowed;
use super::super::yaml::MAX_CONFIG_BYTES;
use crate::http::Secret;
use crate::platform;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first line of a file that this version reads.
const HEAD: &str = "tribune remote configuration 1";

/// A document as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copy {
    /// Empty where the server sends none.
    pub(super) etag: String,
    pub(super) text: String,
}

/// The place of the copy.
#[derive(Debug)]
pub(super) struct Cache {
    file: PathBuf,
    url: String,
    key: Option<Secret>,
}

impl Cache {
    /// Below `$XDG_CACHE_HOME/tribune`, else `~/.cache/tribune`. `None` without either, and where strangers write there
    /// and no key tells their files from ours.
    pub(super) fn find(url: &Url, key: Option<Secret>, env: Env<'_>, worktree: &Path, ci: bool) -> Option<Self> {
        let folder = platform::cache_home(env)?.join("tribune");
        let file = folder.join(format!("{}.yaml", hex(&Sha256::digest(url.as_str()))));
        if key.is_none() {
            // The nearest part that exists: the folder itself may still have to be made.
            let there = folder.ancestors().find(|path| path.exists())?;
            operator_file_allowed(there, Some(worktree), ci).ok()?;
        }
        Some(Self { file, url: url.as_str().to_owned(), key })
    }

    /// The copy, if there is one that is ours.
    pub(super) fn read(&self) -> Option<Copy> {
        let meta = std::fs::symlink_metadata(&self.file).ok()?;
        if !meta.is_file() || (self.key.is_none() && !platform::is_private(&self.file, &meta)) {
            return None;
        }
        let mut text = String::new();
        std::fs::File::open(&self.file).ok()?.take(MAX_CONFIG_BYTES as u64 + 1_000).read_to_string(&mut text).ok()?;
        let mut parts = text.splitn(4, '\n');
        let (head, mac, etag, body) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let copy = Copy { etag: etag.to_owned(), text: body.to_owned() };
        (head == HEAD && self.mac(&copy).verify_slice(&bytes(mac)?).is_ok()).then_some(copy)
    }

    /// How long ago it was kept.
    pub(super) fn age(&self) -> Option<Duration> {
        self.read()?;
        std::fs::metadata(&self.file).ok()?.modified().ok()?.elapsed().ok()
    }

    /// Keeps a copy. One that cannot be written is not kept: the next run fetches anew.
    pub(super) fn write(&self, copy: &Copy) {
        let _ = self.try_write(copy);
    }

    fn try_write(&self, copy: &Copy) -> std::io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        platform::create_private_folder(folder)?;
        // A temporary file is its owner's only, and takes the old one's place in one step.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let mac = hex(&self.mac(copy).finalize().into_bytes());
        write!(file, "{HEAD}\n{mac}\n{}\n{}", copy.etag, copy.text)?;
        file.persist(&self.file)?;
        Ok(())
    }

    /// Over the URL, too: a copy of another document is none of this one.
    fn mac(&self, copy: &Copy) -> Hmac<Sha256> {
        let key = self.key.as_ref().map_or("", Secret::expose);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
        for part in [HEAD, &self.url, &copy.etag, &copy.text] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (hex.len() == 64 && hex.is_ascii()).then_some(())?;
    (0..64).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
}
