//! From what was prepared to what reviewers are asked.

use super::Prepared;
use crate::config;
use crate::context::MARKS;
use crate::path::RepoPath;
use crate::reviewers::definition::Reviewer;
use crate::reviewers::prompt::Variables;
use crate::reviewers::run::{Desk, Task};
use crate::reviewers::tools::{self, Toolbox};
use crate::telemetry::Events;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

impl Prepared {
    /// What templates can refer to.
    pub(super) fn variables(&self) -> Variables<'_> {
        let language = self.setup.config().language.as_str();
        Variables { language: (!language.is_empty() && language != "English").then_some(language), marks: MARKS }
    }

    /// The desk that reviewers work at; `None` where there is no gateway, or nothing for a model to look at.
    pub fn desk(&self, events: &Events, cancel: CancellationToken) -> Result<Option<Desk>, crate::error::UserError> {
        if self.bundles.is_empty() || self.reviewers.is_empty() {
            return Ok(None);
        }
        let Some(client) = self.setup.client(self.setup.caps(self.spent_before()), events)? else { return Ok(None) };
        let limits = self.setup.config().limits;
        let private = self.setup.config().clone();
        Ok(Some(Desk {
            gateway: Arc::new(client.gateway),
            toolbox: Arc::new(Toolbox {
                change: self.change.clone(),
                rules: self.setup.rules.clone(),
                private: Arc::new(move |path: &RepoPath| private.is_private(path)),
                key: self.setup.state_key.clone(),
            }),
            deadline: Instant::now() + limits.run.saturating_sub(self.started.elapsed()),
            cancel,
            events: events.clone(),
        }))
    }

    /// What each reviewer is asked about each bundle: reviewers of one bundle together.
    pub fn tasks(&self) -> Vec<Task> {
        let Some(gateway) = &self.setup.gateway else { return Vec::new() };
        let variables = self.variables();
        let system: Arc<str> = self.setup.prompts.system(&variables).into();
        let offered = Arc::new(tools::specs());
        let mut tasks = Vec::new();
        for (i, (bundle, shared)) in self.bundles.iter().zip(&self.shared).enumerate() {
            let text: Arc<str> = shared.text.as_str().into();
            let languages = self.languages(bundle);
            for reviewer in &self.reviewers {
                tasks.push(Task {
                    reviewer: reviewer.profile.id.clone(),
                    chain: gateway.chain(&reviewer.profile.id, reviewer.profile.model_tier),
                    bundle: (i + 1, self.bundles.len()),
                    tools: offered.clone(),
                    system: system.clone(),
                    shared: text.clone(),
                    own: self.setup.prompts.own(reviewer, &variables, &languages, (i + 1, self.bundles.len()))
                        + &self.earlier.as_ref().map(|e| e.part(self, &reviewer.profile.id, i + 1, bundle)).unwrap_or_default(),
                    time: self.time(reviewer),
                });
            }
        }
        tasks
    }

    /// A reviewer's own time where its file says more than the limit for all, unless the operator set that limit.
    fn time(&self, reviewer: &Reviewer) -> Duration {
        let all = self.setup.config().limits.reviewer;
        let by_default = matches!(self.setup.resolved.origins.get("limits.reviewer_seconds"), None | Some(config::Origin::BuiltIn));
        match reviewer.profile.seconds {
            Some(own) if by_default => Duration::from_secs(own),
            _ => all,
        }
    }
}
