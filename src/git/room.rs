//! The clean room: a bare repository of ours in a temporary folder. Its objects are the real ones, by an
//! `alternates` entry; nothing else of the real repository is in force in it. It goes away when dropped.

use super::origin::{Origin, Settings};
use super::program::{Call, GitError};
use crate::diff::quote::quote_into;
use crate::platform;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File, FileTimes};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A larger `info/exclude` is not read.
const MAX_EXCLUDE_BYTES: u64 = 1 << 20;

/// A bare repository that sees another's objects.
#[derive(Debug)]
pub(crate) struct Room {
    _folder: TempDir,
    /// Where that lies, without links: paths are compared with it.
    at: PathBuf,
    git_dir: PathBuf,
    empty_tree: &'static str,
}

impl Room {
    /// Writes a clean room for the repository at `origin`.
    pub(crate) fn build(origin: &Origin, settings: &Settings) -> io::Result<Self> {
        let room = Self::bare(settings)?;
        let git_dir = &room.git_dir;
        let mut alternates = Vec::new();
        for objects in [origin.common_dir.join("objects"), git_dir.join("fresh")] {
            let path = platform::to_git(&objects).ok_or_else(|| io::Error::other(format!("{}: its name is no Unicode", objects.display())))?;
            if path.contains(&b'\n') {
                quote_into(&mut alternates, b"", &path)
            } else {
                alternates.extend_from_slice(&path)
            }
            alternates.push(b'\n');
        }
        fs::write(git_dir.join("objects/info/alternates"), alternates)?;
        for name in ["shallow", "info/exclude"] {
            let from = origin.common_dir.join(name);
            if fs::metadata(&from).is_ok_and(|m| m.is_file()) {
                let mut bytes = Vec::new();
                File::open(&from)?.take(MAX_EXCLUDE_BYTES).read_to_end(&mut bytes)?;
                fs::write(git_dir.join(name), bytes)?;
            }
        }
        Ok(room)
    }

    /// A clean room that sees no other repository: everything in it is fetched. `sha256`: how long its ids are.
    pub(crate) fn empty(sha256: bool) -> io::Result<Self> {
        let settings =
            Settings { passed: if sha256 { vec![("extensions.objectformat", "sha256".to_owned())] } else { Vec::new() }, ..Settings::default() };
        Self::bare(&settings)
    }

    fn bare(settings: &Settings) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tribune-").tempdir()?;
        // The name keeps git from taking our files for untracked ones, should the folder lie in the reviewed work tree.
        let at = platform::canonicalize(folder.path())?;
        let git_dir = at.join(".git");
        for name in ["refs", "info", "objects/info", "objects/pack", "fresh/info", "fresh/pack"] {
            fs::create_dir_all(git_dir.join(name))?;
        }
        fs::write(git_dir.join("HEAD"), "ref: refs/heads/none\n")?;
        fs::write(git_dir.join("config"), config(settings))?;
        Ok(Self { _folder: folder, at, git_dir, empty_tree: empty_tree(settings) })
    }

    /// Where it lies.
    pub(crate) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// `git <args>` in the clean room, without a work tree: no attributes of any tree apply.
    pub(crate) fn call<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Call, GitError> {
        Call::new(&self.git_dir, args)
    }

    /// The tree without entries; git knows it without having it.
    pub(crate) fn empty_tree(&self) -> &'static str {
        self.empty_tree
    }

    /// An object folder that sees no other one. What is written there touches no file of the real repository;
    /// otherwise git would set the time of an object or pack that has the same contents already.
    pub(crate) fn fresh_objects(&self) -> PathBuf {
        self.git_dir.join("fresh")
    }

    /// Whether `path` lies in the clean room's own folder.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.at)
    }

    /// Copies the real index under `name`: its path, and whether it is a sparse one, which stands for trees that git has
    /// to read. A missing index is an empty one.
    pub(crate) fn copy_index(&self, origin: &Origin, name: &str) -> io::Result<(PathBuf, bool)> {
        let target = self.git_dir.join(name);
        let mut source = match File::open(origin.git_dir.join("index")) {
            Ok(source) => source,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((target, false)),
            Err(e) => return Err(e),
        };
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes)?;
        fs::write(&target, &bytes)?;
        // Git holds a file for possibly changed when it is not older than the index.
        let modified = source.metadata()?.modified()?;
        File::options().write(true).open(&target)?.set_times(FileTimes::new().set_modified(modified))?;
        // A split index refers to files beside it.
        for entry in fs::read_dir(&origin.git_dir)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b"sharedindex.") {
                fs::copy(entry.path(), self.git_dir.join(entry.file_name()))?;
            }
        }
        Ok((target, bytes.windows(4).any(|w| w == b"sdir")))
    }
}

fn empty_tree(settings: &Settings) -> &'static str {
    if settings.sha256() { "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321" } else { "4b825dc642cb6eb9a060e54bf8d69288fbee4904" }
}

fn config(settings: &Settings) -> String {
    let mut text = String::from("[core]\n\trepositoryformatversion = 1\n\tbare = true\n");
    for (key, value) in &settings.passed {
        if let Some((section, name)) = key.split_once('.') {
            // Keys are ours and values plain words, so nothing here needs quoting.
            write!(text, "[{section}]\n\t{name} = {value}\n").expect("a String takes everything");
        }
    }
    text
}
