//! What can be said of a set-up before a review: by the job's environment alone, and by what a forge tells of its token.

use super::locate::{Found, Kind, token, variable};
use super::{github, gitlab};
use crate::config::{Env, PostSettings};
use crate::date::Date;
use crate::doctor::{Line, State};
use crate::error::Exit;

/// What a review is to do, so far as rights depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// What is posted besides comments.
    pub post: PostSettings,
    /// Whether this is a run that posts by itself: what keeps it from posting is a problem then, else a warning.
    pub posting: bool,
    /// What day it is: tokens expire.
    pub today: Date,
}

impl Wishes {
    /// A right that posting needs and the token lacks.
    pub(super) fn lacks(&self, name: &str, told: impl Into<String>, fix: impl Into<String>) -> Line {
        let line = Line::problem(name, told, fix, Exit::Unreadable);
        if self.posting { line } else { Line { state: State::Warning, ..line } }
    }
}

/// What the environment says.
#[derive(Debug, Default)]
pub struct Around {
    /// What kind of run this is.
    pub run: Vec<Line>,
    /// What is wrong with the token's variable; empty where there is a token.
    pub token: Vec<Line>,
}

/// Looks at the environment. `found`: the merge request that it names.
pub fn around(env: Env<'_>, found: Option<&Found>) -> Around {
    let kind = match found {
        Some(found) => Some(found.kind),
        None if variable(env, "GITLAB_CI").is_some() => Some(Kind::GitLab),
        None if variable(env, "GITHUB_ACTIONS").is_some() => Some(Kind::GitHub),
        None => None,
    };
    let mut around = match kind {
        Some(Kind::GitLab) => gitlab::doctor::around(env, found),
        Some(Kind::GitHub) => github::doctor::around(env, found),
        None if variable(env, "CI").is_some() => {
            let fix = "Name the merge request by --url, or review commits by --base.";
            Around {
                run: vec![Line::warning("run", "a CI job of neither GitLab nor GitHub: no merge request is found by itself").fix(fix)],
                token: Vec::new(),
            }
        }
        None => Around { run: vec![Line::ok("run", "by hand, no CI job")], token: Vec::new() },
    };
    // What the token's own line says better.
    let said = |note: &&String| !note.contains("_TOKEN");
    around.run.extend(found.iter().flat_map(|f| &f.notes).filter(said).map(|n| Line::warning("run", n.clone())));
    around
}

/// A token's variable that is there and cannot be used: whether it is empty, or else names another one that is not set.
pub(super) fn unusable(env: Env<'_>, name: &str) -> Option<bool> {
    token(env, name).err()?;
    Some(variable(env, name).is_none())
}

/// Whether a moment is at most so many days away.
pub(super) fn soon(until: &str, today: Date, days: u64) -> bool {
    Date::parse(until).is_some_and(|end| end.unix() <= today.unix() + days * 86_400)
}
