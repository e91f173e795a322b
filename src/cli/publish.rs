//! `tribune publish`: posts what another job has found, with the forge's token and without a gateway's key, and gates.
//!
//! The report is a stranger's file. Its merge request, head and base have to be those that this job itself finds; settlements,
//! break glass and rounds are read here; outcome and verdict are made anew from findings, ledger and this job's own threshold.

use super::args::PublishArgs;
use super::request::{self, Request, Start};
use super::review::{exit_of, runtime, stands};
use super::{inputs, output};
use crate::config::{self, Config, Rollout};
use crate::error::{Exit, UserError};
use crate::forge;
use crate::history::{self, Stored, Vouched};
use crate::judge::verdict;
use crate::report::json::{self, Report, Skipped};
use crate::report::{Outcome, Review, Sources};
use crate::risk;
use std::io::Read as _;
use std::path::Path;
use tokio::runtime::Runtime;

/// Posts, writes the reports, and returns the exit code.
pub(super) fn run(args: &PublishArgs) -> Result<Exit, UserError> {
    let report = load(&args.file)?;
    let resolved = inputs::publishing(args)?;
    // A job that knows its target branch by itself needs neither token nor forge to be told that there is nothing to do.
    let here = forge::here(&inputs::env);
    if args.url.is_none() && here.target_branch.is_some() && switched_off(&resolved.rollout(&here)) {
        return Ok(Exit::Pass);
    }
    let runtime = runtime()?;
    let request = match runtime.block_on(request::find(args.url.as_deref()))? {
        Start::Local => return Err(nowhere()),
        Start::Skip(why) => {
            output::hint(&why);
            return Ok(Exit::Pass);
        }
        Start::Request(request) => *request,
    };
    let rollout = resolved.rollout(&forge::place(request.target(), &request.past().mr));
    if switched_off(&rollout) {
        return Ok(Exit::Pass);
    }
    let key = config::state_key(&inputs::env);
    let job = Job { args, config: &resolved.config, rollout, key: key.as_ref().map(|k| k.expose().as_bytes()), runtime };
    if args.unverified || request.is_unverified() { job.show(&request, report) } else { job.publish(request, report) }
}

/// Whether there is nothing to do, which is then said.
fn switched_off(rollout: &Rollout) -> bool {
    if rollout.is_off() {
        output::hint(rollout.text.as_deref().unwrap_or("tribune is switched off here (rollout)."));
    }
    rollout.is_off()
}

struct Job<'a> {
    args: &'a PublishArgs,
    config: &'a Config,
    rollout: Rollout,
    key: Option<&'a [u8]>,
    runtime: Runtime,
}

impl Job<'_> {
    /// A report of a job that belongs to this one.
    fn publish(&self, mut request: Request, report: Report) -> Result<Exit, UserError> {
        if let Some(skipped) = &report.skipped {
            return self.nobody_looked(&request, &report, skipped);
        }
        let mut review = compared(&request, report)?;
        self.runtime.block_on(request.ask_roles())?;
        let past = request.past();
        let humans = past.humans(self.config.overriding);
        let missed = review.outcome == Outcome::Inconclusive || review.next.as_ref().is_some_and(|s| !s.complete);
        match history::vouch(past, &humans, &mut review).map_err(|why| refused(&why))? {
            Vouched::Holds => {}
            Vouched::Outdated(newer) => {
                return Ok(self.stands(&format!("Round {} of this head was published since", newer.round), &newer));
            }
        }
        review.notes.extend(self.rollout.note());
        review.verdict = verdict::verdict(&review.findings);
        if self.rollout.may_gate() {
            review.fail_on = self.config.fail_on;
        } else {
            review.fail_on = None;
            review.path_fail_on.clear();
        }
        // Nobody knows the organisation's word: nothing is posted, and that is no pass.
        let inconclusive = missed || risk::inconclusive(&review.coverage) || self.rollout.mode.is_none();
        review.conclude(inconclusive);
        if let Some(state) = &mut review.next {
            state.complete = !inconclusive;
        }
        let mut exit = exit_of(review.outcome);
        if self.rollout.may_post()
            && let Err(error) = self.runtime.block_on(request.publish(self.config, self.key, &mut review))
        {
            output::error(&error);
            exit = exit.worse(error.exit);
        }
        self.write(&review, exit)
    }

    /// A report that nobody trusts: nothing follows from it, and it passes or fails nothing.
    fn show(&self, request: &Request, report: Report) -> Result<Exit, UserError> {
        if report.skipped.is_some() {
            output::hint("The report says that nobody looked.");
            return Ok(Exit::Pass);
        }
        let mut review = compared(request, report)?;
        output::hint("The report is shown as unverified: a job that nobody here controls has written it.");
        if self.rollout.may_post() {
            self.runtime.block_on(request.show_unverified(self.config, self.key, &mut review))?;
        }
        Ok(Exit::Pass)
    }

    /// The job before this one has not looked. That is so only as far as it can be seen here.
    fn nobody_looked(&self, request: &Request, report: &Report, skipped: &Skipped) -> Result<Exit, UserError> {
        let past = request.past();
        let (policy, digest) = (report.provenance.policy_sha.as_deref(), &report.provenance.config_digest);
        if let Some(stored) = skipped.unchanged_since.and_then(|_| past.unchanged(policy, digest)) {
            return Ok(self.stands(&format!("Nothing has changed since round {}", stored.round), &stored));
        }
        output::hint(&format!("Nobody looked: {}", skipped.why));
        // Skipped as a draft, which this still is.
        Ok(if skipped.unchanged_since.is_none() && past.mr.draft { Exit::Pass } else { Exit::Inconclusive })
    }

    /// A round before this one stands, and is put to this job's own threshold: nothing of it is written again.
    fn stands(&self, why: &str, stored: &Stored) -> Exit {
        let outcome = stored.at(self.config.fail_on, self.rollout.may_gate());
        if outcome == stored.outcome {
            output::hint(&stands(why, outcome));
        } else {
            let now = if outcome == Outcome::Fail { "fails" } else { "no longer fails" };
            output::hint(&format!(
                "{why}: its findings stand, and the gate {now} at this job's threshold. The summary is of the threshold that it was written with; the next round writes it anew."
            ));
        }
        exit_of(outcome)
    }

    fn write(&self, review: &Review, exit: Exit) -> Result<Exit, UserError> {
        match output::reports(&self.args.output, review, &Sources::default()) {
            Ok(()) => Ok(exit),
            Err(error) => {
                output::error(&error);
                Ok(exit.worse(error.exit))
            }
        }
    }
}

/// The review, if it is about this merge request as it stands.
fn compared(request: &Request, report: Report) -> Result<Review, UserError> {
    let target = request.target();
    let told = report.target.as_ref().ok_or_else(|| refused("it is of a local change, not of a merge request"))?;
    for (what, is, ours) in [
        ("kind of forge", told.forge.as_str(), target.forge),
        ("host", &told.host, &target.host),
        ("project", &told.project, &target.project),
        ("merge request", &told.number.to_string(), &target.number.to_string()),
        ("head", report.change.head_sha.as_deref().unwrap_or("none"), request.head()),
    ] {
        if !is.eq_ignore_ascii_case(ours) {
            return Err(refused(&format!("it names another {what}: {}, and this is {ours}", short(is))));
        }
    }
    report.review(Some(target.clone())).map_err(|e| refused(&e.to_string()))
}

/// Reads the file, whatever it is, within bounds.
fn load(path: &Path) -> Result<Report, UserError> {
    let read = || -> std::io::Result<Vec<u8>> {
        let file = std::fs::File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::new();
        file.take(json::MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|e| {
        UserError::unreadable(
            format!("the report {} cannot be read", path.display()),
            e.to_string(),
            "Name what `tribune review --report json=FILE` has written; in two jobs, pass it on as an artifact.",
        )
    })?;
    json::read(&bytes).map_err(|e| refused(&e.to_string()))
}

fn refused(cause: &str) -> UserError {
    UserError::unreadable(
        "the report is refused",
        cause,
        "Publish the report of a review of this very merge request, by the same version of tribune.",
    )
}

fn nowhere() -> UserError {
    UserError::usage(
        "there is no merge request here",
        "this is no merge request's pipeline, and the report's own word does not count",
        "Name the merge request by --url.",
    )
}

/// A stranger's word in an error.
fn short(text: &str) -> String {
    let line: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    format!("\u{201c}{line}\u{201d}")
}
