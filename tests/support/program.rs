//! The binary as tests run it, with nothing of this machine's environment. Each test program takes it in with
//! `#[path = "support/program.rs"] mod program;`.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// What one run ended with.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the binary runs");
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON report on standard output.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }

    /// Standard output, then standard error.
    pub(crate) fn told(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The binary, ready to run in a folder.
pub(crate) fn tribune(dir: &Path, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
    command.env_clear();
    // What programs need to run at all; the last three are those of Windows.
    command.envs(["PATH", "SystemRoot", "TEMP", "TMP"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    // The cache is below the home, on Windows too.
    command.env("HOME", home).env("LOCALAPPDATA", home.join(".cache"));
    command.current_dir(dir).stdin(Stdio::null());
    command
}
