//! Runs the `git` program, hardened (TRUST 10): in an environment of our own, with settings that no repository
//! can override, without a terminal, without a network, with bounds on output and time. It never runs in the
//! reviewed repository's own configuration but for the two questions in [`super::origin`].

use crate::platform;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The oldest git whose options are all known.
const MIN_VERSION: (u32, u32) = (2, 32);
/// What a git process may print unless a caller asks for another bound.
const MAX_OUTPUT: u64 = 256 << 20;
/// What is kept of a git process's complaints.
const MAX_STDERR: u64 = 64 << 10;
/// How long a git process may take unless a caller asks for another bound.
const MAX_TIME: Duration = Duration::from_secs(120);
/// How often a folder that grows is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Settings for every call. Those on the command line win over any file.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.safecrlf=false",
    "core.quotePath=true",
    "core.bigFileThreshold=8m",
    "core.compression=0",
    "core.fsync=none",
    "core.protectNTFS=false",
    "core.protectHFS=false",
    "safe.directory=*",
    "protocol.allow=never",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Why a git process gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error("there is no `git` program on the PATH")]
    NotInstalled,
    #[error("git {0} could not run: {1}")]
    Io(String, #[source] io::Error),
    #[error("git {command} failed: {message}")]
    Failed { command: String, code: Option<i32>, message: String },
    #[error("git {0} printed more than {1} bytes")]
    TooMuch(String, u64),
    #[error("git {0} took more than {1} seconds")]
    TooSlow(String, u64),
}

impl GitError {
    /// The exit status, where git ended by itself.
    pub(crate) fn code(&self) -> Option<i32> {
        match self {
            GitError::Failed { code, .. } => *code,
            _ => None,
        }
    }
}

/// What git answered.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// Its warnings, one line each.
    pub(crate) stderr: String,
}

/// One call of git, to be run once.
#[derive(Debug)]
pub(crate) struct Call {
    command: Command,
    name: String,
    stdin: Option<Vec<u8>>,
    max_output: u64,
    max_time: Duration,
    /// A folder, and the bytes that it may grow to.
    growing: Option<(PathBuf, u64)>,
}

impl Call {
    /// `git <args>` in the repository at `git_dir`, without a work tree. `args[0]` is the subcommand.
    pub(crate) fn new<S: AsRef<OsStr>>(git_dir: &Path, args: &[S]) -> Result<Self, GitError> {
        Self::with_settings(git_dir, &[], args)
    }

    /// The same with further settings (`key=value`), which win over [`SETTINGS`].
    pub(crate) fn with_settings<S: AsRef<OsStr>>(git_dir: &Path, settings: &[String], args: &[S]) -> Result<Self, GitError> {
        let mut command = command().ok_or(GitError::NotInstalled)?;
        command.envs([
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            // Wins over any `protocol.<name>.allow` of a repository, which `protocol.allow` alone would not.
            ("GIT_ALLOW_PROTOCOL", ""),
        ]);
        command.env("GIT_DIR", git_dir).current_dir(git_dir).arg("--no-pager");
        for setting in SETTINGS.iter().chain(platform::GIT_SETTINGS) {
            command.args(["-c", setting]);
        }
        for setting in settings {
            command.args(["-c", setting]);
        }
        command.args(args);
        let name = args.first().map(|a| a.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { command, name, stdin: None, max_output: MAX_OUTPUT, max_time: MAX_TIME, growing: None })
    }

    /// Sets a variable of git's.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it on a work tree, from its top.
    pub(crate) fn work_tree(mut self, top: &Path) -> Self {
        self.command.env("GIT_WORK_TREE", top).current_dir(top);
        self
    }

    /// Lets the system's and the user's own configuration be in force.
    pub(crate) fn with_user_config(mut self) -> Self {
        self.command.env_remove("GIT_CONFIG_NOSYSTEM").env_remove("GIT_CONFIG_GLOBAL");
        self
    }

    /// What git reads.
    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// Bounds on what it prints and how long it takes.
    pub(crate) fn bounds(mut self, bytes: u64, time: Duration) -> Self {
        (self.max_output, self.max_time) = (bytes, time);
        self
    }

    /// A bound on what it writes: it is ended soon after `folder` has more than `bytes`.
    pub(crate) fn growing(mut self, folder: &Path, bytes: u64) -> Self {
        self.growing = Some((folder.to_owned(), bytes));
        self
    }

    /// Starts it with both pipes open, for a conversation.
    pub(crate) fn start(mut self) -> Result<Child, GitError> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.command.spawn().map_err(|e| GitError::Io(self.name, e))
    }

    /// Runs it to its end. Output past the bound is an error.
    pub(crate) fn run(self) -> Result<Answer<Vec<u8>>, GitError> {
        let (name, bound) = (self.name.clone(), self.max_output);
        let answer = self.run_reading(move |stdout| {
            let mut bytes = Vec::new();
            stdout.take(bound.saturating_add(1)).read_to_end(&mut bytes)?;
            let whole = bytes.len() as u64 <= bound;
            Ok((bytes, whole))
        })?;
        if answer.value.len() as u64 > bound { Err(GitError::TooMuch(name, bound)) } else { Ok(answer) }
    }

    /// Runs it and hands its output to `read`, which returns a value and whether it read all that it wants
    /// git to finish for; if not, git is killed and its exit status does not count.
    pub(crate) fn run_reading<T>(mut self, read: impl FnOnce(&mut ChildStdout) -> io::Result<(T, bool)>) -> Result<Answer<T>, GitError> {
        let io_error = |e| GitError::Io(self.name.clone(), e);
        self.command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(io_error)?;
        let (input, mut stdout, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Mutex::new(child);
        let kill = || drop(lock(&child).kill());
        let (done, finished) = mpsc::channel::<()>();

        let (outcome, stderr, expired) = thread::scope(|scope| {
            if let (Some(mut pipe), Some(bytes)) = (input, self.stdin.take()) {
                // A git that stops reading says why by its exit status.
                scope.spawn(move || drop(pipe.write_all(&bytes)));
            }
            let stderr = scope.spawn(move || complaints.map(first_bytes).unwrap_or_default());
            let (kill, max_time, growing) = (&kill, self.max_time, &self.growing);
            let watchdog = scope.spawn(move || {
                let expired = watch(&finished, max_time, growing.as_ref());
                if expired.is_some() {
                    kill();
                }
                expired
            });
            let got = match stdout.as_mut() {
                Some(stdout) => read(stdout),
                None => Err(io::Error::other("no output pipe")),
            };
            drop(stdout);
            let whole = matches!(got, Ok((_, true)));
            if !whole {
                kill();
            }
            let status = wait(&child);
            drop(done);
            let outcome = got.and_then(|(value, whole)| status.map(|status| (value, status.success() || !whole, status)));
            (outcome, stderr.join().unwrap_or_default(), watchdog.join().unwrap_or_default())
        });
        match expired {
            Some(Expired::Time) => return Err(GitError::TooSlow(self.name, self.max_time.as_secs())),
            Some(Expired::Room(bytes)) => return Err(GitError::TooMuch(self.name, bytes)),
            None => {}
        }
        let (value, success, status) = outcome.map_err(io_error)?;
        if success {
            Ok(Answer { value, stderr })
        } else {
            Err(GitError::Failed { command: self.name, code: status.code(), message: one_line(&stderr) })
        }
    }
}

/// What a process was ended for.
enum Expired {
    Time,
    Room(u64),
}

/// Waits until the process has ended (`None`) or a bound is passed.
fn watch(finished: &mpsc::Receiver<()>, max_time: Duration, growing: Option<&(PathBuf, u64)>) -> Option<Expired> {
    let Some((folder, bytes)) = growing else {
        return (finished.recv_timeout(max_time) == Err(RecvTimeoutError::Timeout)).then_some(Expired::Time);
    };
    let end = Instant::now() + max_time;
    while finished.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        if size(folder) > *bytes {
            return Some(Expired::Room(*bytes));
        }
        if Instant::now() > end {
            return Some(Expired::Time);
        }
    }
    // It may have written the last of it after the last look.
    (size(folder) > *bytes).then_some(Expired::Room(*bytes))
}

/// The bytes of all files below a folder; links are not followed.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|e| Some((e.path(), e.metadata().ok()?))).map(|(path, m)| if m.is_dir() { size(&path) } else { m.len() }).sum()
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits without holding the lock, so that the watchdog can still kill a process that closed its output and goes on.
fn wait(child: &Mutex<Child>) -> io::Result<ExitStatus> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = lock(child).try_wait()? {
            return Ok(status);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The start of what `pipe` says; the rest is read and thrown away, so that the writer does not block.
fn first_bytes(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // A broken pipe here only shortens a message.
    drop(pipe.by_ref().take(MAX_STDERR).read_to_end(&mut bytes));
    drop(io::copy(&mut pipe, &mut io::sink()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Git's complaints as one short line without control characters, for an error's cause.
fn one_line(stderr: &str) -> String {
    let clean: String = stderr.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    if clean.is_empty() { "it gave no reason".to_owned() } else { clean }
}

/// The `git` on the PATH.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(|| platform::find_git(&std::env::var_os("PATH").unwrap_or_default())).as_deref()
}

/// Git in an environment of its own: what it may see of ours holds neither tokens nor any `GIT_*` variable.
fn command() -> Option<Command> {
    let mut command = Command::new(program()?);
    command.env_clear();
    command.envs(platform::GIT_ENVIRONMENT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    Some(command)
}

/// The version of git, if it is older than what is needed: asked only after something failed, since it costs a process.
pub(crate) fn too_old() -> Option<String> {
    version().filter(|(_, old)| *old).map(|(text, _)| text)
}

/// What git says of its version, and whether that is older than what is needed. `None` where there is no git.
pub(crate) fn version() -> Option<(String, bool)> {
    let output = command()?.arg("version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let old = older_than_needed(&text);
    Some((text, old))
}

fn older_than_needed(version: &str) -> bool {
    let mut numbers = version.trim_start_matches("git version ").split('.').map_while(|n| n.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) < MIN_VERSION,
        _ => false,
    }
}

/// What the user is told of the minimum.
pub(crate) fn needed_version() -> String {
    format!("{}.{}", MIN_VERSION.0, MIN_VERSION.1)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn compares_versions() {
        for (text, old) in [
            ("git version 2.20.1", true),
            ("git version 2.32.0", false),
            ("git version 2.47.3 (Apple Git-1)", false),
            ("git version 3.0", false),
            ("?", false),
        ] {
            assert_eq!(older_than_needed(text), old, "{text}");
        }
    }

    #[test]
    #[cfg_attr(windows, ignore = "runs programs of Unix")]
    fn bounds_output_and_time() {
        let dir = tempfile::tempdir().unwrap();
        let long = Call::new(dir.path(), &["help", "-a"]).unwrap().bounds(10, MAX_TIME).run();
        assert!(matches!(long, Err(GitError::TooMuch(_, 10))), "{long:?}");
        let pipe = dir.path().join("never-written");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let started = Instant::now();
        let args = ["config".as_ref(), "--file".as_ref(), pipe.as_os_str(), "--list".as_ref()];
        let slow = Call::new(dir.path(), &args).unwrap().bounds(10, Duration::from_millis(200)).run();
        assert!(matches!(slow, Err(GitError::TooSlow(..))), "{slow:?}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn tells_what_git_said_on_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let failed = Call::new(dir.path(), &["cat-file", "-p", "HEAD"]).unwrap().run().unwrap_err();
        assert_eq!(failed.code(), Some(128));
        let text = failed.to_string();
        assert!(text.contains("not a git repository") && !text.contains('\n'), "{text}");
    }
}
