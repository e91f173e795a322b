//! The work tree as it stands, written into an index and objects of the clean room, as `git add --all` would.
//! Git's built-in conversions (line ends) run; filter programs do not exist there. The real repository is not written.

use super::GitError;
use super::origin::{Origin, Settings};
use super::room::Room;
use crate::path::RepoPath;
use crate::platform;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Larger untracked files are left out.
pub const MAX_UNTRACKED_BYTES: u64 = 1 << 20;
/// Larger tracked files that changed are left out.
pub const MAX_TRACKED_BYTES: u64 = 256 << 20;
/// With more untracked files than this a review of the work tree is refused.
pub const MAX_UNTRACKED_FILES: usize = 20_000;
/// How much of a changed file is searched for Windows line ends.
const MAX_LINE_END_SEARCH: u64 = 8 << 20;

/// A work tree, written.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The index that lists it.
    pub(crate) index: PathBuf,
    /// Files that could not be read, with the reason. The index has their former state.
    pub(crate) unreadable: Vec<(RepoPath, String)>,
    /// Files over the bounds, with their size. The index has their former state.
    pub(crate) oversized: Vec<(RepoPath, u64)>,
    /// What the report should say.
    pub(crate) notes: Vec<String>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("the index could not be copied: {0}")]
    Io(#[from] io::Error),
    #[error("there are {0} untracked files, more than the bound of {MAX_UNTRACKED_FILES}")]
    TooManyUntracked(usize),
}

/// Takes a snapshot of the work tree at `top`, under the index name `name`.
pub(crate) fn take(room: &Room, origin: &Origin, settings: &Settings, top: &Path, name: &str) -> Result<Snapshot, SnapshotError> {
    let (index, sparse) = room.copy_index(origin, name)?;
    let mut snapshot = Snapshot { index, unreadable: Vec::new(), oversized: Vec::new(), notes: Vec::new() };
    let changed = changed_paths(room, settings, top, &mut snapshot)?;

    let (mut update, mut remove) = (Vec::new(), Vec::new());
    let mut needs_real_objects = sparse;
    for (path, tracked) in changed {
        let below = match platform::disk_path(path.as_bytes()) {
            Ok(below) => below,
            Err(why) => {
                snapshot.unreadable.push((path, format!("its name {why}")));
                continue;
            }
        };
        match below_link(top, &below) {
            true if tracked => {
                add_path(&mut remove, &path);
                continue;
            }
            // A junction of Windows, which git takes for a folder: it may lead anywhere.
            true => {
                snapshot.unreadable.push((path, "it stands behind a link".to_owned()));
                continue;
            }
            false => {}
        }
        match look_at(&top.join(below), tracked) {
            Ok(Found::File { windows_lines }) => {
                // Whether git converts such line ends depends on what the index had.
                needs_real_objects |= windows_lines;
                add_path(&mut update, &path);
            }
            Ok(Found::Other) => add_path(&mut update, &path),
            Ok(Found::Oversized(size)) => snapshot.oversized.push((path, size)),
            Ok(Found::Unfit(kind)) => snapshot.unreadable.push((path, format!("it is {kind}"))),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                if tracked {
                    add_path(&mut update, &path);
                }
            }
            Err(e) => snapshot.unreadable.push((path, format!("it cannot be read: {e}"))),
        }
    }
    if !remove.is_empty() {
        update_index(room, top, &mut snapshot, &["--force-remove"], remove, needs_real_objects)?;
    }
    if !update.is_empty() {
        update_index(room, top, &mut snapshot, &["--add", "--remove", "--replace"], update, needs_real_objects)?;
    }
    Ok(snapshot)
}

/// Paths that differ from the index, in git's order, each once, with whether git tracks them.
fn changed_paths(room: &Room, settings: &Settings, top: &Path, snapshot: &mut Snapshot) -> Result<Vec<(RepoPath, bool)>, SnapshotError> {
    let mut args = Vec::new();
    if let Some(file) = &settings.excludes_file {
        match platform::from_git(&[b"core.excludesFile=", file.as_slice()].concat()) {
            Some(setting) => args.extend([OsStr::new("-c").to_owned(), setting]),
            None => snapshot.notes.push("Not heeded: the file that core.excludesFile names, whose name is not UTF-8".to_owned()),
        }
    }
    // `--modified` compares by itself; `diff-files` would run `git status` inside of submodules.
    args.extend(["ls-files", "-z", "-t", "--modified", "--unmerged", "--others", "--exclude-standard"].map(Into::into));
    let answer = room.call(&args)?.work_tree(top).env("GIT_INDEX_FILE", &snapshot.index).run()?;
    for line in answer.stderr.lines().filter(|l| l.starts_with("warning: could not open directory")) {
        snapshot.notes.push(format!("Not looked at: {}", RepoPath::from(&line["warning: ".len()..])));
    }

    let mut changed = BTreeMap::new();
    let mut untracked = 0;
    for entry in answer.value.split(|b| *b == 0) {
        // `? path` or `C 100644 <id> <stage>\tpath`.
        let Some((tag, rest)) = entry.split_first() else { continue };
        let tracked = *tag != b'?';
        let from = if tracked { rest.iter().position(|b| *b == b'\t') } else { Some(0) };
        let Some(bytes) = from.and_then(|at| rest.get(at + 1..)).filter(|b| !b.is_empty()) else { continue };
        if bytes.ends_with(b"/") {
            let ours = platform::disk_path(&bytes[..bytes.len() - 1]).is_ok_and(|below| room.holds(&top.join(below).join(".git")));
            if !ours {
                snapshot.notes.push(format!("Not looked at: {}, an untracked repository inside this one", RepoPath::new(bytes)));
            }
            continue;
        }
        untracked += usize::from(!tracked);
        *changed.entry(RepoPath::new(bytes)).or_insert(tracked) |= tracked;
    }
    if untracked > MAX_UNTRACKED_FILES {
        return Err(SnapshotError::TooManyUntracked(untracked));
    }
    Ok(changed.into_iter().collect())
}

fn update_index(room: &Room, top: &Path, snapshot: &mut Snapshot, options: &[&str], paths: Vec<u8>, real_objects: bool) -> Result<(), SnapshotError> {
    let args: Vec<&str> = ["update-index", "-z"].iter().chain(options).chain(&["--stdin"]).copied().collect();
    let mut call = room.call(&args)?.work_tree(top).env("GIT_INDEX_FILE", &snapshot.index).stdin(paths);
    if !real_objects {
        call = call.env("GIT_OBJECT_DIRECTORY", room.fresh_objects());
    }
    let answer = call.run()?;
    for path in answer.stderr.lines().filter_map(|l| l.strip_prefix("Ignoring path ")) {
        snapshot.unreadable.push((RepoPath::from(path), "git does not take a file of this name".to_owned()));
    }
    Ok(())
}

fn add_path(list: &mut Vec<u8>, path: &RepoPath) {
    list.extend_from_slice(path.as_bytes());
    list.push(0);
}

/// Whether a folder on the way to `path` is a link; then git holds what is tracked below for deleted.
fn below_link(top: &Path, path: &Path) -> bool {
    path.parent().into_iter().flat_map(Path::ancestors).filter(|p| !p.as_os_str().is_empty()).any(|p| top.join(p).is_symlink())
}

enum Found {
    File {
        windows_lines: bool,
    },
    /// A symlink, or a folder: a submodule, or in the place of a file.
    Other,
    Oversized(u64),
    Unfit(&'static str),
}

/// What stands at `file`. Never follows a symlink, never opens what could block.
fn look_at(file: &Path, tracked: bool) -> io::Result<Found> {
    let meta = fs::symlink_metadata(file)?;
    let kind = meta.file_type();
    Ok(if kind.is_file() {
        let bound = if tracked { MAX_TRACKED_BYTES } else { MAX_UNTRACKED_BYTES };
        if meta.len() > bound {
            return Ok(Found::Oversized(meta.len()));
        }
        let file = File::open(file)?;
        Found::File { windows_lines: tracked && has_windows_lines(file)? }
    } else {
        platform::special_kind(kind).map_or(Found::Other, Found::Unfit)
    })
}

fn has_windows_lines(file: File) -> io::Result<bool> {
    let mut file = file.take(MAX_LINE_END_SEARCH);
    let mut buffer = vec![0; 64 << 10];
    let mut after_cr = false;
    loop {
        let count = file.read(&mut buffer)?;
        let bytes = &buffer[..count];
        if (after_cr && bytes.first() == Some(&b'\n')) || bytes.windows(2).any(|w| w == b"\r\n") {
            return Ok(true);
        }
        match bytes.last() {
            Some(last) => after_cr = *last == b'\r',
            None => return Ok(false),
        }
    }
}
