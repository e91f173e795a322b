//! Writing: to standard output, to files, and errors to standard error.

use super::args::{ColorArg, OutputArgs};
use crate::error::UserError;
use crate::findings::sanitize;
use crate::report::json::Report;
use crate::report::{self, Format, Review, Sources, WriteOptions};
use crate::telemetry::{EventSink, Events, lines};
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

/// What happens, line by line on standard error; nothing of it where `quiet`.
pub(super) fn progress(quiet: bool) -> Events {
    let line = || Box::new(lines::Lines::new(Box::new(io::stderr()))) as Box<dyn EventSink>;
    Events::new((!quiet).then(line).into_iter().collect())
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

/// Writes the main report and all others. One that cannot be written keeps none of the others.
pub(super) fn reports(args: &OutputArgs, review: &Review, sources: &Sources) -> Result<(), UserError> {
    let main = render(args.format, args, review, sources, args.output.is_none());
    let mut failed = match &args.output {
        Some(path) => file(path, &main),
        None => stdout(&main),
    }
    .err();
    for (format, path) in &args.report {
        failed = failed.or(file(path, &render(*format, args, review, sources, false)).err());
    }
    failed.map_or(Ok(()), Err)
}

fn render(format: Format, args: &OutputArgs, review: &Review, sources: &Sources, to_terminal: bool) -> Vec<u8> {
    let color = if to_terminal { color(args.color) } else { matches!(args.color, ColorArg::Always) };
    let opts = WriteOptions { color, width: width(), verbose: args.verbose };
    let mut bytes = Vec::new();
    report::write(format, review, sources, &opts, &mut bytes).expect("memory can be written to");
    bytes
}

/// Writes a report of a run in which nobody looked to wherever a JSON report goes: the job that publishes waits for one.
pub(super) fn skipped(args: &OutputArgs, report: &Report) -> Result<(), UserError> {
    let mut bytes = serde_json::to_vec_pretty(report).expect("plain data becomes JSON");
    bytes.push(b'\n');
    let main = args.output.iter().filter(|_| args.format == Format::Json);
    let all = main.chain(args.report.iter().filter(|(format, _)| *format == Format::Json).map(|(_, path)| path));
    all.map(|path| file(path, &bytes)).fold(Ok(()), Result::and)
}
