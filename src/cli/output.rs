//! Writing: to standard output, to files, and errors to standard error.

use super::args::ColorArg;
use crate::error::UserError;
use crate::findings::sanitize;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Tells a person what did not work, why, and what to do about it.
pub(super) fn error(error: &UserError) {
    let paint = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let (red, bold, off) = if paint { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
    let mut out = format!("{red}error{off}: {bold}{}{off}\n", sanitize::terminal(&error.title));
    for (label, text) in [("", &error.cause), ("fix: ", &error.fix)] {
        for (i, line) in sanitize::terminal(text).lines().enumerate() {
            out.push_str(&format!("  {}{line}\n", if i == 0 { label } else { "" }));
        }
    }
    // Nobody is left to tell when standard error is closed.
    let _ = io::stderr().write_all(out.as_bytes());
}

/// One line on standard error.
pub(super) fn hint(line: &str) {
    let _ = writeln!(io::stderr(), "{}", sanitize::terminal(line));
}

/// Writes to standard output. A reader that went away (a closed pipe) is not an error.
pub(super) fn stdout(text: &[u8]) -> Result<(), UserError> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(UserError::unreadable("standard output cannot be written", e.to_string(), "Look where it leads to, or use --output FILE."))
        }
        _ => Ok(()),
    }
}

/// Writes a whole file; what is there is replaced.
pub(super) fn file(path: &Path, bytes: &[u8]) -> Result<(), UserError> {
    std::fs::write(path, bytes).map_err(|e| {
        UserError::unreadable(
            format!("{} cannot be written", path.display()),
            e.to_string(),
            "Name a file in a folder that exists and may be written.",
        )
    })
}

/// Whether standard output gets colours.
pub(super) fn color(when: ColorArg) -> bool {
    let unset = |name: &str| std::env::var_os(name).is_none_or(|v| v.is_empty());
    match when {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto => io::stdout().is_terminal() && unset("NO_COLOR") && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
    }
}

/// Columns of the terminal; 100 where there is none.
pub(super) fn width() -> usize {
    if io::stdout().is_terminal() { textwrap::termwidth() } else { 100 }
}
