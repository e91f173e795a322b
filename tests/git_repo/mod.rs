//! Real repositories for tests, made with the real `git` in an environment of its own.

#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::allow_attributes, dead_code, reason = "each test file uses its own part")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tribune::change::{Change, PolicyArg, Source, SourceRequest, open};
use tribune::diff::{FileDiff, FileStatus};
use tribune::error::UserError;

/// A repository in a temporary folder, `repo` below it, so that tests can look beside it too.
pub(crate) struct Repo {
    pub(crate) outside: TempDir,
    pub(crate) dir: PathBuf,
}

impl Repo {
    /// An empty repository on branch `main`.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// An empty repository with further options to `git init`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let outside = TempDir::new().unwrap();
        let repo = Self { dir: outside.path().join("repo"), outside };
        fs::create_dir(&repo.dir).unwrap();
        repo.git(&[&["init", "-q", "-b", "main"], options].concat());
        repo
    }

    /// Runs git and returns what it prints. It has to succeed.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<u8> {
        git_in(&self.dir, args)
    }

    /// The same as text, trimmed.
    pub(crate) fn ask(&self, args: &[&str]) -> String {
        String::from_utf8(self.git(args)).unwrap().trim().to_owned()
    }

    pub(crate) fn path(&self, name: impl AsRef<[u8]>) -> PathBuf {
        self.dir.join(on_disk(name.as_ref()))
    }

    pub(crate) fn write(&self, name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// Commits everything and returns the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.ask(&["rev-parse", "HEAD"])
    }

    pub(crate) fn open(&self, source: Source) -> Result<Change, UserError> {
        self.open_with(source, None)
    }

    pub(crate) fn open_with(&self, source: Source, policy: Option<PolicyArg>) -> Result<Change, UserError> {
        open(&SourceRequest { dir: self.dir.clone(), source, policy })
    }
}

/// A name of git as this machine has it.
fn on_disk(name: &[u8]) -> &OsStr {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStrExt::from_bytes(name);
    #[cfg(windows)]
    return OsStr::new(std::str::from_utf8(name).unwrap());
}

/// Makes a symbolic link, which on Windows takes an administrator or developer mode.
pub(crate) fn link(to: &Path, at: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, at).unwrap();
    #[cfg(windows)]
    if to.is_dir() { std::os::windows::fs::symlink_dir(to, at).unwrap() } else { std::os::windows::fs::symlink_file(to, at).unwrap() }
}

/// Takes this machine's environment away from a program, but for what programs need to run at all.
fn scrub(command: &mut Command) -> &mut Command {
    command.env_clear();
    command.envs(["PATH", "SystemRoot", "TEMP", "TMP"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
}

/// A range from `base` to `HEAD`.
pub(crate) fn since(base: &str) -> Source {
    Source::Range { base: base.to_owned(), head: None }
}

/// Runs git in `dir`, without this machine's configuration, and returns what it prints. It has to succeed.
pub(crate) fn git_in<S: AsRef<OsStr>>(dir: &Path, args: &[S]) -> Vec<u8> {
    let output = git_command(dir).args(args).output().unwrap();
    let shown: Vec<_> = args.iter().map(|a| a.as_ref().to_string_lossy()).collect();
    assert!(output.status.success(), "git {shown:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// `git` in `dir`, in a clean environment.
pub(crate) fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    scrub(&mut command).envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("HOME", "/nonexistent")]);
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "tests").env(format!("GIT_{who}_EMAIL"), "tests@example.org");
    }
    command.current_dir(dir).stdin(Stdio::null());
    command
}

/// One line a file: `M src/a.rs +1 -2`, with the old path where it moved.
pub(crate) fn summary(change: &Change) -> String {
    change.files.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(file: &FileDiff) -> String {
    let letter = match file.status {
        FileStatus::Added => "A",
        FileStatus::Modified => "M",
        FileStatus::Deleted => "D",
        FileStatus::Renamed => "R",
        FileStatus::Copied => "C",
        FileStatus::TypeChanged => "T",
    };
    let from = if file.old_path == file.new_path { String::new() } else { format!("{} -> ", file.old_path) };
    let binary = if file.binary { " binary" } else { "" };
    format!("{letter} {from}{} +{} -{}{binary}", file.path(), file.added_lines(), file.removed_lines())
}
