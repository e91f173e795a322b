//! Fetches one commit of a repository elsewhere into a bare repository of ours, hardened (TRUST 10): one protocol, no
//! redirects, no prompts, no hooks, bounds on time and bytes. Of the user's configuration only how to reach a host counts
//! (`core.sshCommand`, `credential.helper`); it is never asked of a repository.

use super::objects::{Objects, Tree};
use super::origin::{Origin, Settings};
use super::program::{Call, GitError};
use super::room::Room;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What is fetched may take so much room on the disk.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// And so much time.
const MAX_TIME: Duration = Duration::from_secs(60);
/// Checking it takes less.
const CHECK_TIME: Duration = Duration::from_secs(30);

/// How the environment may tell the way to a host.
const PASSED_ON: &[&str] = &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSH_AUTH_SOCK", "USER", "LOGNAME"];

/// Why a commit could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The host was reached and does not have it.
    #[error("there is no commit {0} in it")]
    NoCommit(String),
    /// Anything else, most often the network.
    #[error("{0}")]
    Unreachable(String),
}

impl From<GitError> for FetchError {
    fn from(error: GitError) -> Self {
        FetchError::Unreachable(error.to_string())
    }
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        FetchError::Unreachable(error.to_string())
    }
}

/// Fetches `commit` from `url`, over `protocol` alone, into a new bare repository at `git_dir`, an empty folder.
pub(crate) fn fetch(url: &str, protocol: &str, commit: &str, git_dir: &Path) -> Result<(), FetchError> {
    for name in ["refs", "objects/info", "objects/pack"] {
        fs::create_dir_all(git_dir.join(name))?;
    }
    fs::write(git_dir.join("HEAD"), "ref: refs/heads/none\n")?;
    let format = if commit.len() == 64 { "1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n" } else { "0\n\tbare = true\n" };
    fs::write(git_dir.join("config"), format!("[core]\n\trepositoryformatversion = {format}"))?;
    let user = User::read(git_dir)?;
    // The one commit alone is all that is needed, but not every server hands out what no branch points at.
    let alone = user.call(git_dir, protocol, &["--depth=1", "--", url, commit])?.run();
    let Err(error) = alone else { return has(git_dir, commit) };
    let all = ["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    match user.call(git_dir, protocol, &all)?.run() {
        Ok(_) => has(git_dir, commit),
        // The first one says more where both fail: a host that cannot be reached.
        Err(_) => Err(error.into()),
    }
}

fn has(git_dir: &Path, commit: &str) -> Result<(), FetchError> {
    let name = format!("{commit}^{{commit}}");
    match Call::new(git_dir, &["cat-file", "-e", &name])?.bounds(1 << 10, super::ASK_TIME).run() {
        Ok(_) => Ok(()),
        Err(e) if e.code().is_some() => Err(FetchError::NoCommit(commit.to_owned())),
        Err(e) => Err(e.into()),
    }
}

/// The files of a commit that was fetched into `git_dir`, as the policy tree of what is returned. All objects are checked
/// against their ids first: a cache may have been written by others.
pub(crate) fn open(git_dir: &Path, commit: &str) -> Result<Objects, String> {
    let origin = Origin::discover(git_dir).map_err(|e| e.to_string())?;
    let settings = Settings {
        passed: if commit.len() == 64 { vec![("extensions.objectformat", "sha256".to_owned())] } else { Vec::new() },
        ..Settings::default()
    };
    let room = Room::build(&origin, &settings).map_err(|e| e.to_string())?;
    let check = Call::new(git_dir, &["fsck", "--no-dangling", "--no-progress", "--no-reflogs", commit]).map_err(|e| e.to_string())?;
    check.bounds(1 << 20, CHECK_TIME).run().map_err(|e| e.to_string())?;
    Ok(Objects::new(room, None, None, Some(Tree::Treeish(commit.to_owned()))))
}

/// What the user's and the system's configuration say about reaching hosts.
pub(super) struct User {
    ssh: String,
    /// `credential.helper=…` and `credential.<url>.helper=…`, in their order.
    helpers: Vec<String>,
}

impl User {
    pub(super) fn read(git_dir: &Path) -> Result<Self, GitError> {
        let mut user = Self { ssh: "ssh -o BatchMode=yes".to_owned(), helpers: Vec::new() };
        let args = ["config", "-z", "--show-scope", "--get-regexp", r"^(core\.sshcommand|credential\.(.*\.)?helper)$"];
        let output = match Call::new(git_dir, &args)?.with_user_config().bounds(1 << 20, super::ASK_TIME).run() {
            Ok(answer) => answer.value,
            Err(e) if e.code() == Some(1) => return Ok(user),
            Err(e) => return Err(e),
        };
        let mut fields = output.split(|b| *b == 0);
        while let (Some(scope), Some(entry)) = (fields.next(), fields.next()) {
            let entry = String::from_utf8_lossy(entry);
            let (key, value) = entry.split_once('\n').unwrap_or((&entry, ""));
            match key {
                _ if !matches!(scope, b"global" | b"system") => {}
                "core.sshcommand" => user.ssh = value.to_owned(),
                _ => user.helpers.push(format!("{key}={value}")),
            }
        }
        Ok(user)
    }

    /// A fetch over one protocol; [`MAX_TIME`] and [`MAX_BYTES`] unless the caller asks for more.
    pub(super) fn call(&self, git_dir: &Path, protocol: &str, args: &[&str]) -> Result<Call, GitError> {
        let mut settings = vec!["http.followRedirects=false".to_owned(), "fetch.writeCommitGraph=false".to_owned()];
        settings.extend(self.helpers.iter().cloned());
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"];
        let mut call = Call::with_settings(git_dir, &settings, &[&fetch[..], args].concat())?;
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                call = call.env(name, value);
            }
        }
        if let Some(file) = std::env::var_os("SSL_CERT_FILE") {
            call = call.env("GIT_SSL_CAINFO", file);
        }
        Ok(call.env("GIT_ALLOW_PROTOCOL", protocol).env("GIT_SSH_COMMAND", &self.ssh).bounds(1 << 20, MAX_TIME).growing(git_dir, MAX_BYTES))
    }
}
