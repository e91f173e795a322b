//! Where this runs, and which merge request a review would be about.

use super::{Line, Visit};
use crate::config::Place;
use crate::error::Exit;
use crate::forge::{self, Forge, ForgeError, Found, Located, MergeRequest, Provenance, User, Wishes, told};
use crate::git::origin::Origin;
use reqwest::Url;

/// What was found.
#[derive(Default)]
pub(super) struct Seen {
    /// About the run.
    pub(super) run: Vec<Line>,
    /// About the forge.
    pub(super) forge: Vec<Line>,
    pub(super) found: Option<Found>,
    pub(super) request: Option<MergeRequest>,
    /// Where the merge request is.
    pub(super) place: Option<Place>,
    pub(super) me: Option<User>,
    /// Where the forge is.
    pub(super) url: Option<Url>,
    client: Option<Box<dyn Forge>>,
}

impl Seen {
    pub(super) fn own_pipeline(&self) -> bool {
        self.found.as_ref().is_some_and(|f| f.own_pipeline)
    }

    /// What the forge says of its token and itself.
    pub(super) async fn examine(&self, wishes: &Wishes) -> Vec<Line> {
        match &self.client {
            Some(client) => client.examine(wishes).await,
            None => Vec::new(),
        }
    }
}

/// Finds the merge request and reads it.
pub(super) async fn look(visit: &Visit<'_>) -> Seen {
    let mut seen = Seen::default();
    let located = forge::locate(visit.env, visit.url.as_deref());
    let found = match located {
        Ok(Located::Here(found)) => Some(*found),
        Ok(Located::Skip(why)) => {
            seen.run.push(Line::idle("run", why));
            return seen;
        }
        Ok(Located::Nowhere) => None,
        Err(error) => {
            if !check_project(visit, &mut seen).await {
                seen.forge.push(Line::of_error("merge request", &error));
            }
            return seen;
        }
    };
    let around = forge::around(visit.env, found.as_ref());
    seen.run = around.run;
    seen.forge = around.token;
    let Some(found) = found else {
        if !check_project(visit, &mut seen).await && seen.forge.is_empty() {
            seen.forge.push(
                Line::idle("merge request", "none is named: a review looks at the clone alone").fix("Name one by --url to check token and rights."),
            );
        }
        return seen;
    };
    seen.url = Some(found.web.clone());
    match read(&found, &mut seen).await {
        Ok(()) => {}
        Err(error) => seen.forge.push(failed(&error)),
    }
    seen.found = Some(found);
    seen
}

/// Without a merge request the token can be checked all the same, where its project is known. Whether it is.
async fn check_project(visit: &Visit<'_>, seen: &mut Seen) -> bool {
    let remote = || Origin::discover(&visit.dir).ok().and_then(|origin| origin.remote());
    let found = match forge::project(visit.env, visit.url.as_deref(), remote().as_deref()) {
        Ok(Some(found)) => found,
        Ok(None) => return false,
        Err(error) => {
            seen.forge.push(Line::of_error("project", &error));
            return true;
        }
    };
    let around = forge::around(visit.env, Some(&found));
    if seen.run.is_empty() {
        seen.run = around.run;
    }
    if seen.forge.is_empty() {
        seen.forge = around.token;
    }
    seen.url = Some(found.web.clone());
    match forge::connect(&found).await {
        Ok(client) => {
            seen.me = client.me().await.ok().flatten();
            let told = format!("none is named: the token is checked for {}", client.target().project);
            seen.forge.push(Line::idle("merge request", told));
            seen.client = Some(client);
        }
        Err(error) => seen.forge.push(failed(&error)),
    }
    true
}

async fn read(found: &Found, seen: &mut Seen) -> Result<(), ForgeError> {
    let client = forge::connect(found).await?;
    let request = client.merge_request().await;
    seen.me = client.me().await.ok().flatten();
    match request {
        Ok(request) => {
            seen.forge.push(merge_request(client.as_ref(), &request, found));
            seen.place = Some(forge::place(client.target(), &request));
            seen.request = Some(request);
        }
        // What does not answer, or not to this token, answers nothing else either.
        Err(e @ (ForgeError::Unavailable(_) | ForgeError::Unexpected(_) | ForgeError::RateLimited(_) | ForgeError::Unauthorised(_))) => {
            return Err(e);
        }
        Err(e) => seen.forge.push(failed(&e)),
    }
    seen.client = Some(client);
    Ok(())
}

fn failed(error: &ForgeError) -> Line {
    let user = told(error, "read the merge request");
    let fix = match error {
        ForgeError::Unavailable(why) => super::advice(why).to_owned(),
        // `told` names this very command.
        _ => user.fix.split(';').next().unwrap_or_default().trim_end_matches('.').to_owned() + ".",
    };
    Line::problem("merge request", user.cause, fix, Exit::Unreadable)
}

fn merge_request(client: &dyn Forge, request: &MergeRequest, found: &Found) -> Line {
    let target = client.target();
    let mut told = format!("{} of {} into `{}`", target.number, target.project, request.target_branch);
    for (holds, what) in [
        (request.provenance == Provenance::Fork, "from a fork"),
        (request.draft, "a draft"),
        (!request.open, "merged or closed"),
        (!request.target_protected, "the target is not protected, so policy comes from the default branch"),
    ] {
        if holds {
            told.push_str(&format!(", {what}"));
        }
    }
    if found.head.as_ref().is_some_and(|head| *head != request.head_sha) {
        return Line::warning("merge request", format!("{told}; this run is of an older head, which a review refuses"))
            .fix("Nothing to do: the new head has a run of its own.");
    }
    Line::ok("merge request", told)
}
