//! Windows: paths are Unicode, some names cannot stand on disk, and access is by lists that a folder hands down.

use super::names;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::windows::{ctrl_break, ctrl_c};

/// The exit code of a process that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// Settings of git for every call that have to do with the system. `/dev/null` would be a folder here that any user of the
/// machine can make, so hooks are looked for where no name can stand. Trees are deeper than 260 characters.
pub(crate) const GIT_SETTINGS: &[&str] = &["core.hooksPath=?", "core.longPaths=true"];

/// Variables that git needs to find its own files, the user's configuration and a temporary folder.
pub(crate) const GIT_ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
];

/// Where a path of git lies below the top of a work tree, or why it can stand nowhere, in words that go after "its name".
pub(crate) fn disk_path(path: &[u8]) -> Result<PathBuf, &'static str> {
    names::on_disk(path).map(PathBuf::from)
}

/// Text of git (a path, an argument) as the system has it: git for Windows writes UTF-8.
pub(crate) fn from_git(text: &[u8]) -> Option<OsString> {
    std::str::from_utf8(text).ok().map(OsString::from)
}

/// A path of this machine as git reads it. `None`: it is no Unicode, which git for Windows has no name for.
pub(crate) fn to_git(path: &Path) -> Option<Vec<u8>> {
    path.to_str().map(|text| text.replace('\\', "/").into_bytes())
}

/// The path without links and `..`, and without the `\\?\` in front, which git does not take.
pub(crate) fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    let full = fs::canonicalize(path)?;
    Ok(full.to_str().and_then(names::plain).map_or(full.clone(), PathBuf::from))
}

/// What a file is that is no file, folder or link: there is none of that kind in a folder here.
pub(crate) fn special_kind(_kind: FileType) -> Option<&'static str> {
    None
}

/// Makes a folder, and those above it. Who may look into it is what the folder above hands down: below a user's profile
/// that is the user, the system and administrators.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Whether nobody but the user (and administrators) can have written a file: it lies below the user's profile, whose list
/// of access says so. The list itself is not read.
pub(crate) fn is_private(file: &Path, _meta: &Metadata) -> bool {
    let Ok(file) = fs::canonicalize(file) else { return false };
    let below = |name: &str| std::env::var_os(name).and_then(|folder| fs::canonicalize(folder).ok()).is_some_and(|folder| file.starts_with(folder));
    ["LOCALAPPDATA", "APPDATA", "USERPROFILE"].into_iter().any(below)
}

/// A folder that no change's author writes in, to start programs in.
pub(crate) fn neutral_folder() -> PathBuf {
    let root = std::env::var_os("SystemRoot").map(PathBuf::from).filter(|root| root.is_absolute());
    root.unwrap_or_else(|| PathBuf::from(r"C:\Windows"))
}

/// What a program of this name can be called in a folder of the PATH.
pub(super) fn program_names(name: &str) -> Vec<String> {
    names::program_names(name)
}

/// The `git` on a PATH: never a script, to which not all arguments can be handed. The one that git for Windows puts there
/// only starts another one, and ending it would leave that running, so the other one is taken where it lies beside.
pub(crate) fn find_git(path: &OsStr) -> Option<PathBuf> {
    let found = super::find_program("git.exe", path)?;
    let root = found.parent().and_then(Path::parent);
    let real = |kind| root.map(|root| root.join(kind).join("bin").join("git.exe")).filter(|git| git.is_file());
    Some(["mingw64", "ucrt64", "clangarm64", "mingw32"].into_iter().find_map(real).unwrap_or(found))
}

/// Sets the flag at Ctrl-C and Ctrl-Break; where it is set, a further one ends the process at once. What cannot be listened
/// to keeps the system's own behaviour.
pub(crate) fn on_stop(stop: &Arc<AtomicBool>) {
    let (Ok(mut interrupt), Ok(mut halt), stop) = (ctrl_c(), ctrl_break(), stop.clone()) else { return };
    let listen = async move {
        loop {
            tokio::select! { _ = interrupt.recv() => {}, _ = halt.recv() => {} }
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
        }
    };
    // Only a machine without memory refuses a thread.
    let _ = std::thread::Builder::new().spawn(|| futures::executor::block_on(listen));
}

/// Makes a link, for tests.
#[cfg(test)]
pub(crate) fn link(to: &Path, at: &Path) -> io::Result<()> {
    if to.is_dir() { std::os::windows::fs::symlink_dir(to, at) } else { std::os::windows::fs::symlink_file(to, at) }
}
