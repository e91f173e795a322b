//! A GitHub and its token as they stand before a review: what is missing, and how to give it. What a token may write is asked
//! with requests that cannot be fulfilled (their body is missing), because GitHub tells it in no other way.

use super::answers::WirePull;
use super::{GitHub, env};
use crate::config::Env;
use crate::doctor::{Line, advice};
use crate::error::Exit;
use crate::forge::ForgeError;
use crate::forge::call::Call;
use crate::forge::examine::{Around, Wishes, unusable};
use crate::forge::locate::{Found, Token, variable};
use crate::http::Origin;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

const PERMISSIONS: &str =
    "Give the workflow `permissions: {contents: read, pull-requests: write, checks: write}` and pass `${{ github.token }}` as GITHUB_TOKEN.";
const BY_HAND: &str = "Set GITHUB_TOKEN to a fine-grained token for this repository with `Pull requests: write`.";

const FORK: &str = "A fork's run never may: the two-stage set-up of ci-templates/github publishes its report from a run of this repository.";

const NO_CHECKS: &str = "it may write none (only apps and workflows with `checks: write` may): the job's own result is shown";

#[derive(Debug, Deserialize)]
struct Meta {
    installed_version: Option<String>,
}

/// What kind of token it is, by how it begins; the beginning is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Installation,
    FineGrained,
    Classic,
    OfApp,
    Unknown,
}

impl Kind {
    fn of(token: &str) -> Self {
        let begins = |prefix| token.starts_with(prefix);
        match () {
            () if begins("ghs_") => Self::Installation,
            () if begins("github_pat_") => Self::FineGrained,
            () if begins("ghp_") => Self::Classic,
            () if begins("ghu_") || begins("gho_") => Self::OfApp,
            () => Self::Unknown,
        }
    }
}

/// What a job's variables say.
pub(in crate::forge) fn around(env: Env<'_>, found: Option<&Found>) -> Around {
    let event = variable(env, "GITHUB_EVENT_NAME").unwrap_or_else(|| "unknown".to_owned());
    let in_ci = variable(env, "GITHUB_ACTIONS").is_some();
    let run = match (in_ci, found) {
        (false, _) => Line::ok("run", "by hand, no CI job"),
        (true, None) => Line::warning("run", format!("GitHub Actions, the event `{event}`, which is about no pull request"))
            .fix("Run it on `pull_request`, or name one by --url."),
        (true, Some(found)) if found.own_pipeline => Line::ok("run", format!("GitHub Actions, the pull request's own run (`{event}`)")),
        (true, Some(_)) => Line::ok("run", format!("GitHub Actions, the event `{event}`")),
    };
    let mut around = Around { run: vec![run], token: Vec::new() };
    let fix = if in_ci { PERMISSIONS } else { BY_HAND };
    match (unusable(env, "GITHUB_TOKEN"), found.map(|f| (&f.token, f.own_pipeline))) {
        (Some(_), _) => {
            let told = "GITHUB_TOKEN is there, but empty: a secret that is not set here, or a run of a fork, which is given none";
            around.token.push(Line::problem("token", told, fix, Exit::Unreadable));
        }
        (None, Some((Token::None, true))) => around.token.push(Line::problem("token", "there is no GITHUB_TOKEN", fix, Exit::Unreadable)),
        (None, Some((Token::None, false))) => {
            let told = "there is no GITHUB_TOKEN: only what is public can be read, and nothing can be posted";
            around.token.push(Line::warning("token", told).fix(fix));
        }
        (None, _) => {}
    }
    around
}

impl GitHub {
    pub(super) async fn examination(&self, wishes: &Wishes) -> Vec<Line> {
        let mut lines = match self.server().await {
            Ok(line) => vec![line],
            Err(why) => return vec![Line::problem("GitHub", format!("{} does not answer: {why}", self.target.host), advice(&why), Exit::Unreadable)],
        };
        let of_request = self.target.number > 0;
        let pull = if of_request { self.pull().await.ok() } else { None };
        let fork = pull.as_ref().is_some_and(WirePull::is_fork);
        lines.extend(pull.and_then(|p| p.commits).map(depth));
        let Token::Access(token) = &self.token else { return lines };
        let kind = Kind::of(token.expose());
        let me = self.ground().await.ok().and_then(|g| g.me);
        let name = me.as_ref().map(|u| u.name.trim_end_matches("[bot]").to_owned());
        let of_actions = kind == Kind::Installation && name.as_deref() == Some("github-actions");
        let what = match kind {
            Kind::Installation if of_actions => "the workflow's own token".to_owned(),
            Kind::Installation => "an app's installation token".to_owned(),
            Kind::FineGrained => "a fine-grained personal token".to_owned(),
            Kind::Classic => "a classic personal token".to_owned(),
            Kind::OfApp => "a user's token of an app".to_owned(),
            Kind::Unknown => "a token of unknown kind".to_owned(),
        };
        let by = name.filter(|_| !of_actions).map(|n| format!(" of {n}")).unwrap_or_default();
        let scopes = self.scopes(kind, &format!("{what}{by}"), wishes).await;
        let enough = scopes.exit == Exit::Pass;
        lines.push(scopes);
        let fix = match kind {
            Kind::Installation if fork => FORK,
            Kind::Installation => PERMISSIONS,
            _ => BY_HAND,
        };
        if !of_request {
            lines.push(self.repository(wishes).await);
        }
        // Whoever may read a repository may comment in it, so a classic token's scopes tell it all.
        if kind == Kind::Classic {
            lines.extend(enough.then(|| Line::ok("comments", "it may write comments and reviews")));
            lines.push(Line::idle("checks", NO_CHECKS));
            return lines;
        }
        // Without a pull request, opening one is what takes the same right.
        let asked = if of_request { format!("{}/comments", self.issue) } else { format!("{}/pulls", self.project) };
        lines.push(match self.may(asked, "write comments").await {
            Ok(()) => Line::ok("comments", "it may write comments and reviews"),
            Err(why) => wishes.lacks("comments", why, fix),
        });
        lines.push(match self.may(format!("{}/check-runs", self.project), "write checks").await {
            Ok(()) => Line::ok("checks", "it may write the check"),
            Err(_) => Line::idle("checks", NO_CHECKS),
        });
        if wishes.post.approve && of_actions {
            let told = "`post.approve` is on, and the workflow's token may approve only where the organisation lets it";
            lines.push(
                Line::warning("approval", told)
                    .fix("Settings > Actions > General: allow GitHub Actions to approve pull requests; or take an app's token."),
            );
        }
        lines
    }

    /// Which GitHub it is. Fails where it does not answer.
    async fn server(&self) -> Result<Line, String> {
        let (base, web) = (self.api.base(), &self.web);
        let api = format!("{}{}", Origin::of(base).map(|o| o.host()).unwrap_or_default(), base.path().trim_end_matches('/'));
        let public = env::api(web).path() == "/";
        match self.api.json::<Meta>(Call::get("meta", "read the version")).await {
            Ok(Meta { installed_version: Some(version) }) => Ok(Line::ok("GitHub", format!("Enterprise Server {version}, its API at {api}"))),
            Ok(_) if public => Ok(Line::ok("GitHub", format!("{}, its API at {api}", self.target.host))),
            Ok(_) => Ok(Line::warning("GitHub", format!("{}, its API at {api}, which does not tell its version", self.target.host))
                .fix("Check GITHUB_API_URL, or the host of --url.")),
            Err(ForgeError::Unavailable(why)) => Err(why),
            Err(_) => Ok(Line::idle("GitHub", format!("{}, its API at {api}; it tells its version to no such token", self.target.host))),
        }
    }

    /// What the token's user may do in the repository.
    async fn repository(&self, wishes: &Wishes) -> Line {
        #[derive(Deserialize)]
        struct Repository {
            #[serde(default)]
            permissions: BTreeMap<String, bool>,
        }
        let all = match self.api.json::<Repository>(Call::get(self.project.clone(), "read the repository")).await {
            Ok(repository) => repository.permissions,
            Err(e) => return wishes.lacks("repository", format!("{}: {}", self.target.project, reason(&e)), BY_HAND),
        };
        let best = ["admin", "maintain", "push", "triage", "pull"].into_iter().find(|name| all.get(*name) == Some(&true));
        match best {
            Some(best) => Line::ok("repository", format!("`{best}` in {}", self.target.project)),
            None => Line::idle("repository", format!("{} can be read; what its user may do there is not told", self.target.project)),
        }
    }

    /// A classic token's scopes; others have permissions, which show when they are used.
    async fn scopes(&self, kind: Kind, what: &str, wishes: &Wishes) -> Line {
        if !matches!(kind, Kind::Classic | Kind::Unknown) {
            return Line::ok("token", what);
        }
        let answer = match self.api.send(Call::get("user", "read the token's scopes")).await {
            Ok(answer) => answer,
            Err(e) => return wishes.lacks("token", format!("{what}: {}", reason(&e)), BY_HAND),
        };
        let Some(scopes) = answer.headers.get("x-oauth-scopes").and_then(|v| v.to_str().ok()) else { return Line::ok("token", what) };
        let all: Vec<&str> = scopes.split(',').map(str::trim).filter(|s| !s.is_empty()).collect();
        let told = if all.is_empty() { format!("{what} without any scope") } else { format!("{what} with the scopes `{}`", all.join("`, `")) };
        if all.contains(&"repo") {
            return Line::warning("token", format!("{told}: it opens every repository of its user")).fix(BY_HAND);
        }
        if all.contains(&"public_repo") {
            return Line::ok("token", format!("{told}, enough for a public repository"));
        }
        wishes.lacks("token", format!("{told}: it lacks `repo` (`public_repo` for a public repository)"), BY_HAND)
    }

    /// Whether a write is allowed, asked without the body that it needs. Fails with what is missing.
    async fn may(&self, path: String, what: &str) -> Result<(), String> {
        match self.api.send(Call::post(path, what, json!({})).safe_twice(true)).await {
            // Let through, and found to be empty.
            Ok(_) | Err(ForgeError::Refused(_)) => Ok(()),
            Err(e) => Err(reason(&e)),
        }
    }
}

/// What a refusal lacks, without the words of the refusal around it.
fn reason(error: &ForgeError) -> String {
    let told = error.to_string();
    told.rsplit_once("): ").map_or(told.clone(), |(_, why)| why.to_owned())
}

/// How deep a clone holds all of a pull request.
fn depth(commits: u64) -> Line {
    // The merge commit that a workflow checks out, the pull request's own, and the base.
    let depth = commits + 2;
    let s = if commits == 1 { "" } else { "s" };
    Line::ok("depth", format!("`fetch-depth: {depth}` holds its {commits} commit{s} and the base; what is missing is fetched"))
}
