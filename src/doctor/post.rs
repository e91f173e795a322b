//! What would be posted, and what would be remembered of it.

use super::{Line, Visit};
use crate::config::{self, Resolved, Rollout, SummaryWhen};
use crate::error::Exit;
use crate::forge::{Found, MergeRequest, Provenance, User};

/// What a review of this merge request would write, or why nothing.
pub(super) fn posting(resolved: &Resolved, rollout: &Rollout, found: Option<&Found>, request: Option<&MergeRequest>, refused: bool) -> Line {
    let Some(found) = found else { return Line::idle("posting", "nothing: there is no merge request here") };
    let nothing = |why: &str| Line::warning("posting", format!("nothing: {why}"));
    if rollout.mode.is_none() || rollout.is_off() || !rollout.may_post() {
        return nothing(&match rollout.mode {
            Some(mode) => format!("the rollout is `{}` here", mode.name()),
            None => "nobody knows the rollout as long as the organisation's configuration cannot be had".to_owned(),
        });
    }
    if refused || !found.token.may_write() {
        return nothing("the token does not let it, see above");
    }
    if request.is_some_and(|r| !r.open) {
        return nothing("the merge request is merged or closed");
    }
    let post = resolved.config.post;
    let must_resolve = request.is_some_and(|r| r.threads_must_resolve);
    let threads = match must_resolve {
        true => "threads for findings at or above `fail_on` only, since every thread has to be resolved before a merge",
        false => "threads for critical and important findings and sure one-click fixes",
    };
    let summary = if resolved.config.summary == SummaryWhen::Always { "a summary" } else { "a summary once there is something to say" };
    let mut told = format!("{threads} (at most {} open); {summary}; the verdict's label", post.inline_max);
    let switched = [(post.approve, "approves"), (post.unapprove, "takes its approval back"), (post.request_changes, "asks for changes")];
    for (_, what) in switched.iter().filter(|(on, _)| *on) {
        told.push_str(&format!("; {what}"));
    }
    if request.is_some_and(|r| r.provenance == Provenance::Fork) && (post.approve || post.request_changes) {
        told.push_str(" (never for a fork's)");
    }
    if !found.shown_by_job {
        told.push_str("; the outcome at the commit");
    }
    match found.own_pipeline {
        true => Line::ok("posting", told),
        false => Line::ok("posting", format!("with --post only, since this is not the merge request's own pipeline: {told}")),
    }
}

/// Whether earlier rounds will be known again and believed.
pub(super) fn memory(visit: &Visit<'_>, me: Option<&User>, posts: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.push(match config::state_key(visit.env) {
        Some(_) => Line::ok("memory", "signed with TRIBUNE_STATE_KEY"),
        None => {
            let told = "TRIBUNE_STATE_KEY is not set: nothing is settled, no later round is cheaper, no cost is added up";
            let fix = "Set it to a long random text (`openssl rand -hex 32`), masked, the same for all jobs of the project.";
            if posts { Line::warning("memory", told).fix(fix) } else { Line::idle("memory", "TRIBUNE_STATE_KEY is not set; merge requests want it") }
        }
    });
    let Some(text) = (visit.env)("TRIBUNE_BOT_ID").filter(|t| !t.trim().is_empty()) else { return lines };
    let ids: Result<Vec<u64>, _> = text.split(',').map(|id| id.trim().parse::<u64>()).collect();
    lines.push(match (ids, me) {
        (Err(_), _) => Line::problem(
            "author",
            "TRIBUNE_BOT_ID has to be numbers, separated by commas",
            "Give the user ids that the forge shows for the bot.",
            Exit::Usage,
        ),
        (Ok(ids), Some(me)) if !ids.contains(&me.id) => Line::problem(
            "author",
            format!("TRIBUNE_BOT_ID does not name the token's own user {} ({}): its comments would not be known again", me.name, me.id),
            format!("Add {} to TRIBUNE_BOT_ID, and keep the former ids.", me.id),
            Exit::Usage,
        ),
        (Ok(ids), _) => {
            let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
            Line::ok("author", format!("TRIBUNE_BOT_ID: {}", ids.join(", ")))
        }
    });
    lines
}
