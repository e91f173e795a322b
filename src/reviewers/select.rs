//! Which reviewers a change gets: by its tier, by signals, by configuration, by hand.

use super::definition::{PromptFiles, Reviewer};
use crate::config::Config;
use crate::error::UserError;
use crate::risk::Tier;
use std::collections::BTreeSet;

/// The reviewers that run, in order of their ids. `only` names them by hand (`rules` may be among them); unknown
/// names are a usage error. A reviewer that the configuration switched off runs only when it is named by hand.
pub fn select<'a>(
    prompts: &'a PromptFiles,
    config: &Config,
    tier: Tier,
    signals: &BTreeSet<String>,
    only: &[String],
) -> Result<Vec<&'a Reviewer>, UserError> {
    for id in only {
        if id != "rules" && !prompts.reviewers.contains_key(id) {
            let known: Vec<&str> = prompts.reviewers.keys().map(String::as_str).collect();
            return Err(UserError::usage(
                format!("there is no reviewer `{id}`"),
                "--only takes the ids of reviewers, separated by commas",
                format!("The reviewers are: {}; `rules` are the rules.", known.join(", ")),
            ));
        }
    }
    let runs = |reviewer: &Reviewer| {
        let profile = &reviewer.profile;
        if !only.is_empty() {
            return only.contains(&profile.id);
        }
        let settings = config.reviewers.get(&profile.id);
        let tiers = settings.and_then(|s| s.tiers.as_ref()).unwrap_or(&profile.tiers);
        settings.and_then(|s| s.enabled).unwrap_or(true) && (tiers.contains(&tier) || profile.signals.iter().any(|s| signals.contains(s)))
    };
    Ok(prompts.reviewers.values().filter(|r| runs(r)).collect())
}
