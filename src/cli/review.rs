//! `tribune review`.

use super::args::ReviewArgs;
use super::request::{self, Request, Start};
use super::{inputs, output, signals};
use crate::config;
use crate::error::{Exit, UserError};
use crate::forge;
use crate::history::Stored;
use crate::pipeline;
use crate::report::json::Report;
use crate::report::{self, Outcome};
use crate::run::Prepared;
use crate::telemetry::heartbeat::Heartbeat;
use crate::telemetry::otlp::Otlp;
use crate::telemetry::{EventSink, Events, jsonl, lines, terminal};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// Reviews, writes the reports, and returns the exit code.
pub(super) fn run(args: &ReviewArgs) -> Result<Exit, UserError> {
    let stop = signals::stop_flag();
    let heartbeat = Heartbeat::start();
    let otlp = telemetry();
    let events = sinks(args, &heartbeat, otlp.as_ref())?;
    let runtime = runtime()?;
    let mut request = match start(args, &runtime)? {
        Start::Local => None,
        Start::Skip(why) => return skipped(args, &why),
        Start::Request(request) => Some(request),
    };
    let prepare = |request: Option<&Request>| {
        let mut inputs = inputs::inputs(&args.source, &args.scope, false)?;
        inputs.scope.record = args.record.clone();
        if let Some((source, past)) = request.map(|r| r.source(runtime.handle())) {
            inputs.place = forge::place(&past.target, &past.mr);
            (inputs.source.source, inputs.past) = (source, Some(past));
        }
        match inputs::switched_off(&inputs)? {
            Some(text) => Ok(Err(text)),
            None => pipeline::prepare(inputs, &inputs::env, &events, &stop).map(Ok),
        }
    };
    let may_stand = request.as_ref().is_some_and(|r| r.seems_unchanged());
    if let Some(request) = request.as_mut().filter(|_| !may_stand) {
        runtime.block_on(request.ask_roles())?;
    }
    let mut prepared = prepare(request.as_deref());
    if let (Some(request), Ok(Ok(before))) = (request.as_mut().filter(|_| may_stand), &prepared) {
        if let Some(stored) = request.unchanged(before) {
            return unchanged(args, request, before, &stored);
        }
        runtime.block_on(request.ask_roles())?;
        prepared = prepare(Some(request));
    }
    let prepared = match prepared {
        // Git, in the same terminal, got the signal too.
        Err(_) if stop.load(Ordering::Relaxed) => return Err(interrupted()),
        Err(error) => return Err(error),
        Ok(Err(switched_off)) => return skipped(args, &switched_off),
        Ok(Ok(prepared)) => prepared,
    };
    let cancel = CancellationToken::new();
    let reviewing = async {
        let watch = tokio::spawn(watch(stop.clone(), cancel.clone(), heartbeat, events.clone()));
        let done = pipeline::review(&prepared, &events, cancel).await;
        watch.abort();
        done
    };
    let (mut review, sources) = runtime.block_on(reviewing)?;
    let mut exit = exit_of(review.outcome);
    if let Some(request) = &request {
        review.notes.extend_from_slice(request.notes());
        if request.posts(&prepared, args.post, args.no_post)
            && let Err(error) = runtime.block_on(request.publish(prepared.setup.config(), prepared.setup.state_key.as_deref(), &mut review))
        {
            output::error(&error);
            exit = exit.worse(error.exit);
        }
    }
    if args.record.is_some() && !review.models_looked && review.reviewers.iter().all(|r| r.requests == 0) {
        review.notes.push("Nothing was recorded: no model was asked.".to_owned());
    }
    if let Err(error) = output::reports(&args.output, &review, &sources) {
        output::error(&error);
        exit = exit.worse(error.exit);
    }
    if let Some(otlp) = otlp {
        runtime.block_on(otlp.export(&review)).iter().for_each(|why| output::hint(why));
    }
    // A name that is still being looked up keeps nobody waiting.
    runtime.shutdown_background();
    Ok(exit)
}

/// Where the environment asks for telemetry, which a run that plays a recording has none of: its models are none.
fn telemetry() -> Option<Otlp> {
    if replayed() {
        return None;
    }
    let (otlp, trouble) = Otlp::from_env(&inputs::env);
    trouble.iter().for_each(|why| output::hint(why));
    otlp
}

/// Whether a recording answers for the models.
fn replayed() -> bool {
    inputs::env("TRIBUNE_GATEWAY_URL").is_some_and(|url| url.trim().starts_with(config::REPLAY))
}

/// The merge request, unless the arguments name a local change.
fn start(args: &ReviewArgs, runtime: &tokio::runtime::Runtime) -> Result<Start, UserError> {
    let local = args.source.base.is_some() || args.source.staged || args.source.diff.is_some();
    let start = if local { Start::Local } else { runtime.block_on(request::find(args.source.url.as_deref()))? };
    if args.post && replayed() {
        return Err(UserError::usage(
            "what a recording says is not posted",
            "--post is given, and TRIBUNE_GATEWAY_URL names a recording",
            "Leave out one of them: --report markdown=FILE writes what would be posted.",
        ));
    }
    if args.post && matches!(start, Start::Local) {
        return Err(UserError::usage(
            "nothing can be posted from here",
            "--post needs a merge request, and this is a local change",
            "Give the merge request by --url; or leave --post out: --report markdown=FILE writes what would be posted.",
        ));
    }
    Ok(start)
}

fn interrupted() -> UserError {
    UserError {
        title: "interrupted".into(),
        cause: "the run was ended before the change was read".into(),
        fix: "Run it again.".into(),
        exit: Exit::Inconclusive,
    }
}

/// The runtime that reviewers run on. Without a gateway nothing is ever spawned but the watch.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, UserError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| UserError::unreadable("the program cannot start its threads", e.to_string(), "Look at the limits of the machine or container."))
}

/// Runs `work` to its end, and leaves what it no longer waits for, as a name that is still being looked up.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, UserError> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

/// Turns a signal into a cancellation, and keeps the heartbeat.
async fn watch(stop: Arc<AtomicBool>, cancel: CancellationToken, heartbeat: Heartbeat, events: Events) {
    loop {
        tokio::time::sleep(signals::POLL).await;
        if stop.load(Ordering::Relaxed) {
            cancel.cancel();
        }
        if let Some(beat) = heartbeat.tick() {
            events.emit(beat);
        }
    }
}

fn sinks(args: &ReviewArgs, heartbeat: &Heartbeat, otlp: Option<&Otlp>) -> Result<Events, UserError> {
    let mut sinks: Vec<Box<dyn EventSink>> = vec![Box::new(heartbeat.clone())];
    sinks.extend(otlp.map(|otlp| Box::new(otlp.clone()) as Box<dyn EventSink>));
    if !args.no_progress && !args.output.quiet {
        if io::stderr().is_terminal() && !inputs::in_ci() {
            sinks.push(Box::new(terminal::Progress::new()));
        } else {
            sinks.push(Box::new(lines::Lines::new(Box::new(io::stderr()))));
        }
    }
    if let Some(file) = &args.events {
        let out = std::fs::File::create(file).map_err(|e| {
            UserError::unreadable(
                format!("{} cannot be written", file.display()),
                e.to_string(),
                "Name a file in a folder that exists and may be written.",
            )
        })?;
        sinks.push(Box::new(jsonl::JsonLines::new(Box::new(out))));
    }
    Ok(Events::new(sinks))
}

/// Nobody looks: says why, also to the job that would publish.
fn skipped(args: &ReviewArgs, why: &str) -> Result<Exit, UserError> {
    output::hint(why);
    output::skipped(&args.output, &Report::skipped(why))?;
    Ok(Exit::Pass)
}

/// The round before stands: the same exit code, and the job that would publish sees for itself.
fn unchanged(args: &ReviewArgs, request: &Request, prepared: &Prepared, stored: &Stored) -> Result<Exit, UserError> {
    output::hint(&stands(&format!("Nothing has changed since round {}", stored.round), stored.outcome));
    let setup = &prepared.setup;
    let report = Report::unchanged(stored, request.target(), request.head(), setup.policy_sha.as_deref(), &setup.resolved.digest());
    output::skipped(&args.output, &report)?;
    Ok(exit_of(stored.outcome))
}

/// Why nobody looks again, and what holds: a job that fails says that it does.
pub(super) fn stands(why: &str, outcome: Outcome) -> String {
    let (word, code) = (report::word(&outcome), exit_of(outcome).code());
    format!("{why}: its result stands ({word}, exit {code}), as its summary comment has it.")
}

/// What an outcome exits with.
pub(super) fn exit_of(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Pass => Exit::Pass,
        Outcome::Fail => Exit::Findings,
        Outcome::Inconclusive => Exit::Inconclusive,
    }
}
