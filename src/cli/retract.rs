//! `tribune retract`: takes back what was posted on a merge request.

use super::args::RetractArgs;
use super::{inputs, output, request, review};
use crate::config;
use crate::error::{Exit, UserError};
use crate::findings::sanitize::terminal as clean;
use crate::forge::{self, Located, told};
use crate::history::{self, Trust};
use crate::retract::{self, Plan, Since};
use std::time::{SystemTime, UNIX_EPOCH};

/// Lists what there is to retract; with `--yes`, retracts it. Exit 4 where not all of it could be done.
pub(super) fn run(args: &RetractArgs) -> Result<Exit, UserError> {
    let since = args.since.as_deref().map(since).transpose()?;
    review::runtime()?.block_on(retract(args, since))
}

async fn retract(args: &RetractArgs, since: Option<Since>) -> Result<Exit, UserError> {
    let Located::Here(found) = forge::locate(&inputs::env, Some(&args.url))? else {
        return Err(UserError::usage("nothing can be retracted here", "--url names no merge request", "Give the URL of its page."));
    };
    let failed = |e: forge::ForgeError| told(&e, "read the merge request");
    let forge = forge::connect(&found).await.map_err(failed)?;
    let request = forge.merge_request().await.map_err(failed)?;
    let conversation = forge.conversation().await.map_err(failed)?;
    let ours = match request::bot_ids()? {
        Some(ids) => ids,
        None => forge.me().await.map_err(failed)?.map(|u| u.id).into_iter().collect(),
    };
    let key = config::state_key(&inputs::env);
    let trust = Trust { key: key.as_ref().map(|k| k.expose().as_bytes()), ours: &ours, target: forge.target() };
    if ours.is_empty() && history::has_markers(&conversation) {
        return Err(request::nameless());
    }
    let plan = retract::plan(forge.as_ref(), &request, &conversation, &trust, since).await.map_err(failed)?;
    output::stdout(listed(&plan, &request.web_url, args.yes).as_bytes())?;
    if !args.yes || plan.steps.is_empty() {
        return Ok(Exit::Pass);
    }
    let done = retract::carry_out(forge.as_ref(), &plan)
        .await
        .map_err(|e| told(&e, "retract it all; what is done stays done, so run it again to finish"))?;
    let lines: String = done.notes.iter().map(|n| format!("{}\n", clean(n))).collect();
    output::stdout(format!("{lines}Done: {} of {}.\n", done.steps, plan.steps.len()).as_bytes())?;
    if done.failed.is_empty() {
        return Ok(Exit::Pass);
    }
    Err(UserError::unreadable(
        "not all of it could be retracted",
        done.failed.join("\n"),
        "Give the token that the comments were written with, or one of a Maintainer, and run it again: what is done stays done.",
    ))
}

/// The plan for people.
fn listed(plan: &Plan, url: &str, yes: bool) -> String {
    let mut out = String::new();
    for note in &plan.notes {
        out.push_str(&format!("{}\n", clean(note)));
    }
    if plan.steps.is_empty() {
        out.push_str(&format!("Nothing to retract on {}.\n", clean(url)));
        return out;
    }
    out.push_str(&format!("{} on {}:\n", if yes { "Retracting" } else { "To be retracted" }, clean(url)));
    for step in &plan.steps {
        out.push_str(&format!("  {:12}  {}\n", step.verb(), clean(&step.what())));
    }
    if !yes {
        out.push_str("Nothing was written. Run it again with --yes to do it.\n");
    }
    out
}

fn since(text: &str) -> Result<Since, UserError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Since::parse(text, i64::try_from(now).unwrap_or(i64::MAX)).ok_or_else(|| {
        UserError::usage(
            "--since cannot be read",
            "it is neither a day, nor a moment, nor how long ago",
            "Write it like 2026-11-20, 2026-11-20T14:30:00Z, 90m, 12h, 3d or 2w (days and moments in UTC).",
        )
    })
}
