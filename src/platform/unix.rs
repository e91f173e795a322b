//! Linux and macOS: paths are bytes, as git's are.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, FileType, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Settings of git for every call that have to do with the system. There are no hooks where no folder can be.
pub(crate) const GIT_SETTINGS: &[&str] = &["core.hooksPath=/dev/null"];

/// Variables that git needs to find its own files, the user's configuration and a temporary folder.
pub(crate) const GIT_ENVIRONMENT: &[&str] = &["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// Where a path of git lies below the top of a work tree. Every path of git can stand here.
pub(crate) fn disk_path(path: &[u8]) -> Result<PathBuf, &'static str> {
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}

/// Text of git (a path, an argument) as the system has it.
pub(crate) fn from_git(text: &[u8]) -> Option<OsString> {
    Some(OsStr::from_bytes(text).to_owned())
}

/// A path of this machine as git reads it.
pub(crate) fn to_git(path: &Path) -> Option<Vec<u8>> {
    Some(path.as_os_str().as_bytes().to_vec())
}

/// The path without links and `..`.
pub(crate) fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// What a file is that is no file, folder or link, in words that go after "it is".
pub(crate) fn special_kind(kind: FileType) -> Option<&'static str> {
    if kind.is_fifo() {
        Some("a named pipe, not a file")
    } else if kind.is_socket() {
        Some("a socket, not a file")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("a device, not a file")
    } else {
        None
    }
}

/// Makes a folder, and those above it, for their owner only. One that is there stays as it is.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Whether nobody but the owner of a file can have written it.
pub(crate) fn is_private(_file: &Path, meta: &Metadata) -> bool {
    meta.permissions().mode() & 0o077 == 0
}

/// A folder that no change's author writes in, to start programs in.
pub(crate) fn neutral_folder() -> PathBuf {
    PathBuf::from("/")
}

/// What a program of this name can be called in a folder of the PATH.
pub(super) fn program_names(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// The `git` on a PATH.
pub(crate) fn find_git(path: &OsStr) -> Option<PathBuf> {
    super::find_program("git", path)
}

/// Sets the flag at Ctrl-C and SIGTERM; where it is set, a further one ends the process at once. What cannot be listened to
/// keeps the system's own behaviour.
pub(crate) fn on_stop(stop: &Arc<AtomicBool>) {
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the shut-down looks at the flag first.
        let _ = flag::register_conditional_shutdown(signal, 128 + signal, stop.clone());
        let _ = flag::register(signal, stop.clone());
    }
}

/// Makes a link, for tests.
#[cfg(test)]
pub(crate) fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}
