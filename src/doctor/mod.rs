//! What stands between this machine and a review that is posted: each check a line, each problem with its cause and its fix.
//!
//! It looks where a review would look and asks what a review would ask, but writes no comment, and calls a model only where it
//! is told to; all that it leaves behind is the kept copy of the organisation's configuration. It never shows a token, and
//! knows no forge by name.

mod gateway;
mod here;
mod line;
mod net;
mod organisation;
mod post;
mod repository;
mod screen;

pub use line::{Line, State};
pub(crate) use net::advice;
pub use screen::{json, text};

use crate::config::{self, Env, Layer, Place, Resolved};
use crate::date::Date;
use crate::error::{Exit, UserError};
use crate::forge::Wishes;
use crate::rules::load;
use here::Seen;
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// What to look at.
pub struct Visit<'a> {
    /// The process's environment.
    pub env: Env<'a>,
    /// Whether this is a CI job.
    pub ci: bool,
    /// The folder that a review would run in.
    pub dir: PathBuf,
    /// The merge request, by hand.
    pub url: Option<String>,
    /// The operator's files, so far as they can be read.
    pub operator: Result<Vec<Layer>, UserError>,
    /// Call each model once.
    pub probe: bool,
    /// Where this is, for the rollout.
    pub place: Place,
    /// What day it is.
    pub today: Date,
}

/// Checks about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What they are about.
    pub title: &'static str,
    /// The checks.
    pub lines: Vec<Line>,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The sections, in their order.
    pub sections: Vec<Section>,
}

impl Diagnosis {
    /// All checks.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.sections.iter().flat_map(|s| &s.lines)
    }

    /// What the process exits with: 0 where nothing would stop a review; 2 for configuration, 4 where the forge cannot be
    /// read or written, 3 where the gateway or the organisation's configuration cannot be had; of several the worst.
    pub fn exit(&self) -> Exit {
        self.lines().filter(|l| l.state == State::Problem).fold(Exit::Pass, |exit, line| exit.worse(line.exit))
    }
}

/// Looks at everything. `runtime` must not be the one that this is called from.
pub fn diagnose(visit: &Visit<'_>, runtime: &Runtime) -> Diagnosis {
    let (mut configuration, mut gateway) = (Vec::new(), Vec::new());
    let mut layers = layers(visit, &mut configuration);
    let organisation = organisation::look(visit, &mut layers, &mut configuration);
    let mut seen = runtime.block_on(here::look(visit));
    let repository = repository::look(&visit.dir, seen.request.as_ref());
    let resolved = resolve(visit, layers, repository.layer, &mut configuration);
    // As in a run, what the merge request says goes before the job's variables.
    let place = seen.place.as_ref().unwrap_or(&visit.place);
    let mut hosts: Vec<reqwest::Url> = organisation.into_iter().chain(seen.url.clone()).collect();
    let mut posting = Vec::new();
    let mut forge = std::mem::take(&mut seen.forge);
    if let Some(resolved) = &resolved {
        configuration.push(organisation::rollout(resolved, place));
        configuration.extend(rules(resolved, repository.policy.as_ref(), visit.env));
        if let Some(mut targets) = gateway::look(resolved, visit.env, visit.today, &mut gateway) {
            hosts.extend(targets.urls());
            gateway.extend(runtime.block_on(gateway::reach(&mut targets)));
            if visit.probe {
                gateway.extend(runtime.block_on(gateway::probe(&resolved.config, targets)));
            }
        }
        let wishes = Wishes { post: resolved.config.post, posting: seen.own_pipeline(), today: visit.today };
        forge.extend(runtime.block_on(seen.examine(&wishes)));
        let refused = forge.iter().any(|l| l.exit == Exit::Unreadable);
        let rollout = resolved.rollout(place);
        posting.push(post::posting(resolved, &rollout, seen.found.as_ref(), seen.request.as_ref(), refused));
    } else {
        gateway.push(Line::idle("gateway", "not looked at: the configuration cannot be read"));
    }
    let Seen { me, found, run, .. } = seen;
    posting.extend(post::memory(visit, me.as_ref(), found.is_some()));
    let network = vec![net::proxy(visit.env, &hosts), net::certificates(visit.env)];
    Diagnosis {
        sections: vec![
            Section { title: "Here", lines: [run, repository.lines].concat() },
            Section { title: "Configuration", lines: configuration },
            Section { title: "Gateway", lines: gateway },
            Section { title: "Forge", lines: forge },
            Section { title: "Network", lines: network },
            Section { title: "Posting", lines: posting },
        ],
    }
}

/// The layers that a run starts from; what cannot be read is a problem, and left out.
fn layers(visit: &Visit<'_>, lines: &mut Vec<Line>) -> Vec<Layer> {
    let mut layers = Vec::new();
    match &visit.operator {
        Ok(operator) => layers.extend(operator.iter().cloned()),
        Err(error) => lines.push(Line::of_error("operator", error)),
    }
    match Layer::environment(visit.env) {
        Ok(layer) => layers.push(layer),
        Err(error) => lines.push(Line::of_error("environment", &error)),
    }
    layers
}

/// The configuration in force, and what it says of itself.
fn resolve(visit: &Visit<'_>, layers: Vec<Layer>, repository: Option<Layer>, lines: &mut Vec<Line>) -> Option<Resolved> {
    let mut all: Vec<Layer> = repository.into_iter().collect();
    all.extend(layers);
    match config::resolve(all, visit.env) {
        Ok(resolved) => {
            // That the organisation's configuration could not be had is told by its own line.
            let own = |n: &&String| !n.starts_with("The organisation's configuration at ");
            lines.extend(resolved.notes.iter().filter(own).map(|n| Line::warning("note", n.clone())));
            Some(resolved)
        }
        Err(error) => {
            lines.push(Line::of_error("configuration", &error));
            None
        }
    }
}

/// How many rules are in force, and what is wrong with the others.
fn rules(resolved: &Resolved, policy: Option<&(crate::git::Objects, String)>, env: Env<'_>) -> Vec<Line> {
    let loaded = match load::load(&resolved.config, policy.map(|(o, _)| o), policy.map(|(_, sha)| sha.as_str()), env) {
        Ok(loaded) => loaded,
        Err(error) => return vec![Line::of_error("rules", &error)],
    };
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(loaded.problems.iter().take(5).map(|p| {
        Line::problem(
            "rules",
            format!("left out: {p}"),
            "Mend it on the branch that policy comes from; `tribune rules check` tells more.",
            Exit::Usage,
        )
    }));
    lines.extend(
        loaded.missing.iter().map(|m| Line::problem("rules", m.clone(), "Check the source's URL, proxy and certificates.", Exit::Inconclusive)),
    );
    let sources = loaded.sources.len();
    let from = if sources == 1 { "built in".to_owned() } else { format!("from {sources} sources") };
    lines.push(Line::ok("rules", format!("{} in force, {from}", loaded.rules.iter().count())));
    lines
}
