//! A merge request around a review: found and read before it, told of the result after it.

use super::inputs;
use crate::change::{RequestSource, Source};
use crate::config::{self, Config, SummaryWhen};
use crate::error::UserError;
use crate::forge::{self, Forge, Found, Located, MergeRequest, Role, Target, told};
use crate::history::{self, Past, Roles, Trust};
use crate::publish::{self, Desk, Settings};
use crate::report::{Posting, Review};
use crate::run::Prepared;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A Maintainer sets it to leave a merge request alone.
const SKIP_LABEL: &str = "tribune: skip";
/// Whoever sets it asks for a review of everything.
const FULL_LABEL: &str = "tribune: full";

/// What a run is about.
pub(super) enum Start {
    /// A change of this repository.
    Local,
    /// Nothing; one line why.
    Skip(String),
    /// A merge request.
    Request(Box<Request>),
}

/// A merge request that was read.
pub(super) struct Request {
    found: Found,
    forge: Arc<dyn Forge>,
    past: Past,
    ours: Vec<u64>,
    /// Comments here claim to be ours, and nobody says who we are.
    nameless: bool,
    /// What the report should say.
    notes: Vec<String>,
}

/// Finds and reads the merge request: `url`, else the one whose pipeline this is. Fails where it cannot be read (exit 4), or where
/// what was asked for is no merge request (exit 2).
pub(super) async fn find(url: Option<&str>) -> Result<Start, UserError> {
    let found = match forge::locate(&inputs::env, url)? {
        Located::Here(found) => *found,
        Located::Skip(why) => return Ok(Start::Skip(why)),
        Located::Nowhere => return Ok(Start::Local),
    };
    let failed = |e: forge::ForgeError| told(&e, "read the merge request");
    let forge: Arc<dyn Forge> = forge::connect(&found).await.map_err(failed)?.into();
    let mr = forge.merge_request().await.map_err(failed)?;
    if let Some(why) = left_alone(forge.as_ref(), &mr).await {
        return Ok(Start::Skip(why));
    }
    if mr.draft && found.draft_waits {
        return Ok(Start::Skip("A draft: it is reviewed when it is marked as ready. With --url it is reviewed now.".to_owned()));
    }
    if found.head.as_ref().is_some_and(|head| *head != mr.head_sha) {
        return Err(failed(forge::ForgeError::Conflict(format!("this pipeline is of an older head; it is {} now", mr.head_sha))));
    }
    let conversation = forge.conversation().await.map_err(failed)?;
    let marked = history::has_markers(&conversation);
    let ours = match bot_ids()? {
        Some(ids) => ids,
        // Who we are matters only where something says that it is ours.
        None if !marked => Vec::new(),
        None => forge.me().await.map_err(failed)?.map(|u| u.id).into_iter().collect(),
    };
    let key = config::state_key(&inputs::env);
    let target = forge.target().clone();
    let trust = Trust { key: key.as_ref().map(|k| k.expose().as_bytes()), ours: &ours, target: &target };
    let memory = history::read(&conversation, &trust);
    // What the memory ignored, the review says by itself.
    let notes = found.notes.clone();
    let nameless = marked && ours.is_empty();
    let full = mr.labels.iter().any(|l| l == FULL_LABEL);
    Ok(Start::Request(Box::new(Request { found, forge, past: Past { target, mr, memory, roles: Roles::new(), full }, ours, nameless, notes })))
}

/// Why there is nothing to review.
async fn left_alone(forge: &dyn Forge, mr: &MergeRequest) -> Option<String> {
    if !mr.open {
        return Some("The merge request is merged or closed: nothing to review.".to_owned());
    }
    if !mr.labels.iter().any(|l| l == SKIP_LABEL) {
        return None;
    }
    let setter = forge.label_setter(SKIP_LABEL).await.ok().flatten()?;
    let role = forge.role(&setter).await.unwrap_or(Role::Reader);
    history::skip_counts(Some(role)).then(|| format!("Skipped: a maintainer set the label `{SKIP_LABEL}`."))
}

/// `TRIBUNE_BOT_ID`: our author ids, separated by commas.
pub(super) fn bot_ids() -> Result<Option<Vec<u64>>, UserError> {
    let Some(text) = inputs::env("TRIBUNE_BOT_ID").filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    let ids: Result<Vec<u64>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    ids.map(Some).map_err(|_| {
        UserError::usage(
            "TRIBUNE_BOT_ID cannot be read",
            "it has to be numbers, separated by commas",
            "Give the user ids that the forge shows for the bot.",
        )
    })
}

/// Nobody says which comments are ours.
pub(super) fn nameless() -> UserError {
    UserError::unreadable(
        "it cannot be told which comments are ours",
        "the forge does not say whose token this is, and TRIBUNE_BOT_ID is not set",
        "Give the token that the comments were written with (GITLAB_TOKEN or GITHUB_TOKEN), or set TRIBUNE_BOT_ID to its user's id.",
    )
}

impl Request {
    /// Asks what those may do who have said something that counts. Fails where the forge does not tell (exit 4).
    pub(super) async fn ask_roles(&mut self) -> Result<(), UserError> {
        for user in self.past.memory.asked(&self.past.mr) {
            let role = self.forge.role(&user).await.map_err(|e| told(&e, "tell a user's role"))?;
            self.past.roles.insert(user.id, role);
        }
        Ok(())
    }

    /// Whether the round before stands unless policy or configuration have changed: then nobody's role needs to be asked.
    pub(super) fn seems_unchanged(&self) -> bool {
        let state = self.past.memory.state.as_ref();
        state.is_some_and(|s| self.past.unchanged(s.policy_sha.as_deref(), &s.config_digest).is_some())
    }

    /// The change, and what earlier rounds left, for the pipeline. Not to be used from within the runtime that `handle` is of.
    pub(super) fn source(&self, handle: &Handle) -> (Source, Past) {
        let (forge, handle) = (self.forge.clone(), handle.clone());
        let diff = move || handle.block_on(forge.diff());
        let source = RequestSource::new(self.past.target.clone(), self.past.mr.clone(), self.forge.git_access(), diff);
        (source.into(), self.past.clone())
    }

    /// The stored outcome of the round before, where nothing has changed since.
    pub(super) fn unchanged(&self, prepared: &Prepared) -> Option<history::Stored> {
        self.past.unchanged(prepared.setup.policy_sha.as_deref(), &prepared.setup.resolved.digest())
    }

    /// Whether the result is to be posted: by default in the merge request's own pipeline, if the token can write and the
    /// organisation's rollout lets it.
    pub(super) fn posts(&self, prepared: &Prepared, post: bool, no_post: bool) -> bool {
        // What a recording says of some change is no word on this one.
        let live = prepared.setup.config().replay().is_none();
        let wanted = live && !no_post && (post || (self.found.own_pipeline && self.found.token.may_write()));
        wanted && prepared.setup.rollout.may_post()
    }

    /// Whether what we posted before can be told from what others did: else it would be posted twice.
    fn knows_itself(&self) -> Result<(), UserError> {
        if self.nameless { Err(nameless()) } else { Ok(()) }
    }

    /// Posts the review. What could not be done is added to its notes; fails (exit 4) where the result could not be delivered.
    pub(super) async fn publish(&self, config: &Config, key: Option<&[u8]>, review: &mut Review) -> Result<(), UserError> {
        self.knows_itself()?;
        let desk = self.desk(config, key, review);
        match publish::publish(&desk, review).await {
            Ok(done) => {
                review.notes.extend(done.notes);
                Ok(())
            }
            Err(e) => {
                review.notes.push(format!("Nothing of this, or not all of it, could be posted: {e}"));
                Err(told(&e, "take the review"))
            }
        }
    }

    /// Shows a report that nobody trusts.
    pub(super) async fn show_unverified(&self, config: &Config, key: Option<&[u8]>, review: &mut Review) -> Result<(), UserError> {
        self.knows_itself()?;
        let done = publish::unverified(&self.desk(config, key, review), review).await.map_err(|e| told(&e, "take the report"))?;
        review.notes.extend(done.notes);
        Ok(())
    }

    fn desk<'a>(&'a self, config: &Config, key: Option<&'a [u8]>, review: &Review) -> Desk<'a> {
        let posting = review.posting.unwrap_or(Posting { inline_max: config.post.inline_max, always: config.summary == SummaryWhen::Always });
        let settings = Settings {
            inline_max: posting.inline_max,
            always: posting.always,
            approve: config.post.approve,
            unapprove: config.post.unapprove,
            request_changes: config.post.request_changes,
            grave_only: self.past.mr.draft,
            status: !self.found.shown_by_job,
        };
        let trust = Trust { key, ours: &self.ours, target: &self.past.target };
        Desk { forge: self.forge.as_ref(), request: &self.past.mr, memory: &self.past.memory, trust, settings }
    }

    /// Which merge request it is.
    pub(super) fn target(&self) -> &Target {
        &self.past.target
    }

    /// Its head.
    pub(super) fn head(&self) -> &str {
        &self.past.mr.head_sha
    }

    /// What earlier rounds and the forge tell.
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Whether a report for it comes from a job that nobody here controls.
    pub(super) fn is_unverified(&self) -> bool {
        self.found.unverified
    }

    /// What the report should say of how it was read.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }
}
