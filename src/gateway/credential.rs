//! Where keys come from, and how a new one is got when a gateway refuses the old one. No key is ever shown: not in
//! `Debug`, not in an error.

use crate::http::Secret;
use crate::platform;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// The longest token, in bytes.
const MAX_BYTES: u64 = 64 << 10;
/// How long a command may take to give a token.
const COMMAND_TIME: Duration = Duration::from_secs(30);

/// Where a token can be read again, since such tokens live for minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file that someone renews.
    File(PathBuf),
    /// An operator's program and its arguments, run without a shell; its standard output is the token.
    Command(Vec<String>),
}

impl TokenSource {
    /// Reads the token, which takes as long as the command takes, at most 30 s. Fails with a reason that holds nothing
    /// of what was read: the file or program is missing, fails, or gives nothing that a header could carry.
    pub fn read(&self) -> Result<Secret, String> {
        let bytes = match self {
            Self::File(file) => read_file(file).map_err(|why| format!("{}: {why}", file.display()))?,
            Self::Command(words) => {
                let name = words.first().map(String::as_str).unwrap_or_default();
                run(words, COMMAND_TIME).map_err(|why| format!("`{name}` {why}"))?
            }
        };
        let token = Secret::new(String::from_utf8(bytes).map_err(|_| self.refuse("is not text"))?);
        match token.expose() {
            "" => Err(self.refuse("is empty")),
            text if !text.bytes().all(|b| b.is_ascii_graphic()) => {
                Err(self.refuse("has blanks, line ends or characters that no HTTP header may hold"))
            }
            _ => Ok(token),
        }
    }

    fn refuse(&self, why: &str) -> String {
        match self {
            Self::File(file) => format!("{}: what it holds {why}", file.display()),
            Self::Command(words) => format!("what `{}` printed {why}", words.first().map(String::as_str).unwrap_or_default()),
        }
    }
}

fn read_file(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(file).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX_BYTES { Err(format!("it has more than {MAX_BYTES} bytes")) } else { Ok(bytes) }
}

/// Runs a program without a shell, away from the reviewed tree; what it complains is not kept, since it may hold the token.
fn run(words: &[String], time: Duration) -> Result<Vec<u8>, String> {
    let (name, arguments) = words.split_first().ok_or("is no command")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(platform::find_program(name, &path).ok_or("is not on the PATH")?);
    command.args(arguments).current_dir(platform::neutral_folder()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("does not start: {e}"))?;
    let Some(output) = child.stdout.take() else { return Err("has no output".to_owned()) };
    let (tell, told) = mpsc::channel();
    // On a thread of its own, which nobody waits for: what the program started can keep the pipe open for ever.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        let _ = tell.send(read.map(|_| bytes));
    });
    let until = Instant::now() + time;
    let status = wait(&mut child, until);
    let (Some(status), Ok(read)) = (status, told.recv_timeout(until.saturating_duration_since(Instant::now()))) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("took more than {} s", time.as_secs()));
    };
    let bytes = read.map_err(|e| format!("cannot be read: {e}"))?;
    match (status.success(), bytes.len() as u64 > MAX_BYTES) {
        (_, true) => Err(format!("printed more than {MAX_BYTES} bytes")),
        (false, _) => Err(format!("failed: {status}")),
        (true, false) => Ok(bytes),
    }
}

fn wait(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    let mut pause = Duration::from_millis(1);
    while Instant::now() < until {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    None
}

/// The key of one endpoint, which can be renewed.
#[derive(Debug)]
pub(super) struct Key {
    /// All that it was so far; the last is in force. Former ones are kept to be masked.
    tokens: Mutex<Vec<Secret>>,
    source: Option<TokenSource>,
    renewing: tokio::sync::Mutex<()>,
}

impl Key {
    pub(super) fn new(token: Secret, source: Option<TokenSource>) -> Self {
        Self { tokens: Mutex::new(vec![token]), source, renewing: tokio::sync::Mutex::default() }
    }

    /// The token in force, and which one it is.
    pub(super) fn current(&self) -> (Secret, usize) {
        let tokens = self.tokens();
        (tokens.last().cloned().unwrap_or_else(|| Secret::new("")), tokens.len())
    }

    /// All tokens so far.
    pub(super) fn all(&self) -> Vec<Secret> {
        self.tokens().clone()
    }

    /// After the token `seen` was refused: whether there is another one now. Callers that were refused at the same
    /// time share one renewal. Fails with the reason why no token could be got.
    pub(super) async fn renew(&self, seen: usize) -> Result<bool, String> {
        let Some(source) = self.source.clone() else { return Ok(false) };
        let _turn = self.renewing.lock().await;
        if self.current().1 != seen {
            return Ok(true);
        }
        let token = tokio::task::spawn_blocking(move || source.read()).await.map_err(|_| "it failed inside the program".to_owned())??;
        let mut tokens = self.tokens();
        let is_new = tokens.last() != Some(&token);
        if is_new {
            tokens.push(token);
        }
        Ok(is_new)
    }

    fn tokens(&self) -> MutexGuard<'_, Vec<Secret>> {
        // A list that only grows is whole at every step.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> TokenSource {
        TokenSource::Command(words.iter().map(|w| (*w).to_owned()).collect())
    }

    #[test]
    #[cfg_attr(windows, ignore = "runs programs of Unix")]
    fn commands_run_without_a_shell_and_within_bounds() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = |words: &[&str]| match command(words).read() {
            Ok(token) => format!("token {}", token.expose()),
            Err(why) => why,
        };
        insta::assert_snapshot!(told(&["printf", "t$HOME;id\n"]), @"token t$HOME;id");
        insta::assert_snapshot!(told(&["printf", "a b"]), @"what `printf` printed has blanks, line ends or characters that no HTTP header may hold");
        insta::assert_snapshot!(told(&["true"]), @"what `true` printed is empty");
        insta::assert_snapshot!(told(&["sh", "-c", "echo secret; echo secret >&2; exit 3"]), @"`sh` failed: exit status: 3");
        insta::assert_snapshot!(told(&["no-such-program-here"]), @"`no-such-program-here` is not on the PATH");
        insta::assert_snapshot!(told(&["head", "-c", "100000", "/dev/zero"]), @"`head` printed more than 65536 bytes");
        insta::assert_snapshot!(told(&["pwd"]), @"token /");
        let missing = folder.path().join("none").display().to_string();
        insta::assert_snapshot!(told(&[&missing]).replace(&missing, "PATH"), @"`PATH` does not start: No such file or directory (os error 2)");
    }

    #[test]
    #[cfg_attr(windows, ignore = "runs programs of Unix")]
    fn a_command_that_takes_too_long_is_ended() {
        let words = ["sh", "-c", "sleep 60 & sleep 60"].map(str::to_owned);
        assert_eq!(run(&words, Duration::from_millis(100)), Err("took more than 0 s".to_owned()));
    }

    #[tokio::test]
    #[cfg_attr(windows, ignore = "compares the system's own words")]
    async fn a_refused_token_is_renewed_once_for_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        std::fs::write(&file, "one\n").expect("written");
        let source = TokenSource::File(file.clone());
        let key = Key::new(source.read().expect("a token"), Some(source));
        let (first, seen) = key.current();
        assert_eq!((first.expose(), key.renew(seen).await), ("one", Ok(false)));
        std::fs::write(&file, "two\n").expect("written");
        assert_eq!((key.renew(seen).await, key.renew(seen).await), (Ok(true), Ok(true)));
        assert_eq!((key.current().0.expose(), key.all().len()), ("two", 2));
        std::fs::remove_file(&file).expect("removed");
        let why = key.renew(2).await.expect_err("nothing to read");
        assert!(why.ends_with("No such file or directory (os error 2)") && !format!("{key:?}").contains("two"), "{why}");
        assert_eq!(Key::new(Secret::new("fixed"), None).renew(1).await, Ok(false));
    }
}
