//! The command line: reads arguments and files, runs the engine, writes reports, sets the exit code.
//! The only module that writes to the terminal.

pub mod args;
mod audit;
mod config;
mod distill;
mod doctor;
mod folder;
mod inputs;
mod output;
mod plan;
mod publish;
mod request;
mod retract;
mod review;
mod rules;
mod signals;

use crate::error::{Exit, UserError};
use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;
use std::thread;

/// The stack that a command runs on, in bytes: what the first thread has on Linux and macOS. On Windows that has 1 MiB.
const STACK: usize = 8 << 20;

/// Runs the program: parses the process's arguments, does what they ask, and returns the exit code (DESIGN 6).
pub fn main() -> ExitCode {
    match thread::Builder::new().stack_size(STACK).spawn(command).map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        // Only a machine without memory refuses a thread, and then this one has to do.
        Err(_) => command(),
    }
}

fn command() -> ExitCode {
    // Clap prints help and its own errors, and exits with 0 or 2 as the contract says.
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Review(args) => review::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Retract(args) => retract::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Config(args) => config::run(&args),
    };
    let exit = done.unwrap_or_else(|error: UserError| {
        output::error(&error);
        error.exit
    });
    ExitCode::from(Exit::code(exit))
}
