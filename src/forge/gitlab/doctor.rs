//! A GitLab, its token and its project as they stand before a review: what is missing, and how to give it. Only reads.

use super::answers::WireUser;
use super::{GitLab, read_call};
use crate::config::Env;
use crate::doctor::{Line, advice};
use crate::error::Exit;
use crate::forge::examine::{Around, Wishes, soon, unusable};
use crate::forge::locate::{Found, Token, variable};
use crate::forge::{ForgeError, User};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The oldest version that is supported.
const OLDEST: (u64, u64) = (16, 0);
/// From here on changes are asked for by the API.
const REQUESTS_CHANGES: (u64, u64) = (19, 2);
/// Days before its end in which a token is pointed out.
const SOON: u64 = 14;
const NEW_TOKEN: &str = "Make a project access token with the scope `api` and the role Developer, and give it to the job as GITLAB_TOKEN (masked).";

#[derive(Debug, Deserialize)]
struct Metadata {
    version: String,
    enterprise: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct TokenInfo {
    #[serde(default)]
    scopes: Vec<String>,
    expires_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    #[serde(default)]
    source: String,
}

#[derive(Debug, Deserialize)]
struct Approvals {
    #[serde(default)]
    user_can_approve: bool,
    #[serde(default)]
    user_has_approved: bool,
}

#[derive(Debug, Deserialize)]
struct ApprovalState {
    #[serde(default)]
    rules: Vec<ApprovalRule>,
}

#[derive(Debug, Deserialize)]
struct ApprovalRule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rule_type: String,
    #[serde(default)]
    approvals_required: u64,
    #[serde(default)]
    eligible_approvers: Vec<WireUser>,
}

/// What a job's variables say.
pub(in crate::forge) fn around(env: Env<'_>, found: Option<&Found>) -> Around {
    let source = variable(env, "CI_PIPELINE_SOURCE").unwrap_or_else(|| "unknown".to_owned());
    let run = match (variable(env, "GITLAB_CI").is_some(), found) {
        (false, _) => Line::ok("run", "by hand, no CI job"),
        (true, None) => Line::warning("run", format!("GitLab CI, a pipeline (source `{source}`) that belongs to no merge request"))
            .fix("Run the job in merge-request pipelines, or in branch pipelines where CI_OPEN_MERGE_REQUESTS is set; or name one by --url."),
        (true, Some(found)) if !found.own_pipeline => {
            Line::ok("run", format!("GitLab CI, a pipeline (source `{source}`) that is not the merge request's own"))
        }
        (true, Some(_)) => match variable(env, "CI_MERGE_REQUEST_IID") {
            Some(_) => {
                let kind = variable(env, "CI_MERGE_REQUEST_EVENT_TYPE").map(|k| format!(" ({})", k.replace('_', " "))).unwrap_or_default();
                Line::ok("run", format!("GitLab CI, the merge request's own pipeline{kind}"))
            }
            None => Line::ok("run", "GitLab CI, a branch pipeline with an open merge request"),
        },
    };
    let mut around = Around { run: vec![run], token: Vec::new() };
    let (here, target) = (variable(env, "CI_PROJECT_PATH"), variable(env, "CI_MERGE_REQUEST_PROJECT_PATH"));
    if let Some((here, target)) = here.zip(target).filter(|(h, t)| h != t) {
        around.run.push(
            Line::warning(
                "fork",
                format!("this pipeline runs in {here} without the variables of {target}: the rules run alone, and nothing is posted"),
            )
            .fix("The report as Code Quality needs no token; or let a member run the pipeline in the parent project."),
        );
    }
    let none = "there is no GITLAB_TOKEN";
    match (unusable(env, "GITLAB_TOKEN"), found.map(|f| (&f.token, f.own_pipeline))) {
        (Some(true), _) => {
            let why = match variable(env, "CI_COMMIT_REF_PROTECTED").as_deref() {
                Some("false") => "this pipeline's branch is not protected, and a protected variable is given to protected ones alone",
                _ => "a protected variable is not given to jobs of unprotected branches, nor any to a fork's",
            };
            let fix = "Take the protection off the variable GITLAB_TOKEN and keep it masked, or protect the branch.";
            around.token.push(Line::problem("token", format!("GITLAB_TOKEN is there, but empty: {why}"), fix, Exit::Unreadable));
        }
        (Some(false), _) => {
            let told = "GITLAB_TOKEN holds the name of another variable, which is not set here";
            around.token.push(Line::problem(
                "token",
                told,
                "Set that variable for this job (protected ones are for protected branches), or GITLAB_TOKEN itself.",
                Exit::Unreadable,
            ));
        }
        (None, Some((Token::Access(_), _)) | None) => {}
        (None, Some((Token::Job(_), _))) => {
            let told = "only CI_JOB_TOKEN is there, which cannot write comments";
            around.token.push(Line::problem("token", told, NEW_TOKEN, Exit::Unreadable));
        }
        (None, Some((Token::None, true))) => around.token.push(Line::problem("token", none, NEW_TOKEN, Exit::Unreadable)),
        (None, Some((Token::None, false))) => {
            around.token.push(Line::warning("token", format!("{none}: only what is public can be read, and nothing can be posted")).fix(NEW_TOKEN));
        }
    }
    around
}

impl GitLab {
    pub(super) async fn examination(&self, wishes: &Wishes) -> Vec<Line> {
        let version = match self.metadata().await {
            Ok(version) => version,
            Err(ForgeError::Unavailable(why)) => {
                return vec![Line::problem("GitLab", format!("{} does not answer: {why}", self.target.host), advice(&why), Exit::Unreadable)];
            }
            Err(_) => None,
        };
        let mut lines = vec![self.edition(version.as_ref())];
        let of_request = self.target.number > 0;
        if of_request && let Some(line) = self.depth().await {
            lines.push(line);
        }
        if !matches!(self.token, Token::Access(_)) {
            return lines;
        }
        let me = match self.read_me().await {
            Ok(Some(me)) => me,
            Ok(None) => return lines,
            Err(e) => {
                lines.push(wishes.lacks("token", e.to_string(), NEW_TOKEN));
                return lines;
            }
        };
        let (token, role) = futures::join!(self.scopes(&me, wishes), self.role_of(&me, wishes));
        lines.extend([token, role]);
        if of_request {
            lines.push(self.pipelines().await);
        }
        if wishes.post.approve && of_request {
            lines.push(self.approval(&me).await);
        }
        let number = version.as_ref().and_then(|v| number(&v.version));
        if wishes.post.request_changes && number.is_some_and(|n| n < REQUESTS_CHANGES) {
            let told = "`post.request_changes` is on, and this GitLab takes it by its API from 19.2 on only";
            lines.push(Line::warning("changes", told).fix("Switch it off until then."));
        }
        lines
    }

    async fn metadata(&self) -> Result<Option<Metadata>, ForgeError> {
        match self.api.json::<Metadata>(read_call("metadata".to_owned(), "read the version")).await {
            Ok(metadata) => Ok(Some(metadata)),
            Err(ForgeError::Missing(_)) => self.api.json(read_call("version".to_owned(), "read the version")).await.map(Some),
            Err(e) => Err(e),
        }
    }

    fn edition(&self, version: Option<&Metadata>) -> Line {
        let host = &self.target.host;
        let Some(metadata) = version else { return Line::idle("GitLab", format!("{host}; it tells its version to no such token")) };
        let enterprise = metadata.enterprise.unwrap_or(metadata.version.ends_with("-ee"));
        let edition = if enterprise { "Enterprise" } else { "Community" };
        let shown = metadata.version.split('-').next().unwrap_or(&metadata.version);
        let told = format!("{shown} {edition} Edition at {host}");
        match number(&metadata.version) {
            Some(number) if number < OLDEST => {
                Line::warning("GitLab", format!("{told}, older than 16.0, which is the oldest that is supported")).fix("Update GitLab.")
            }
            _ => Line::ok("GitLab", told),
        }
    }

    /// Of which kind the token is, and whether it has the scope to write.
    async fn scopes(&self, me: &User, wishes: &Wishes) -> Line {
        let kind = kind(&me.name);
        let info: TokenInfo = match self.api.json(read_call("personal_access_tokens/self".to_owned(), "read the token's scopes")).await {
            Ok(info) => info,
            Err(e) => return Line::idle("token", format!("{kind}; what it may do is not told ({e})")),
        };
        let scopes: Vec<String> = info.scopes.iter().map(|s| format!("`{s}`")).collect();
        let told = format!("{kind} with the scope{} {}", if scopes.len() == 1 { "" } else { "s" }, scopes.join(", "));
        if !info.scopes.iter().any(|s| s == "api") {
            return wishes.lacks("token", format!("{told}: it lacks `api`, so it reads and writes no comment"), NEW_TOKEN);
        }
        if let Some(end) = info.expires_at.as_deref().filter(|end| soon(end, wishes.today, SOON)) {
            return Line::warning("token", format!("{told}; it expires on {end}"))
                .fix("Rotate it in time, and add the new bot's id to TRIBUNE_BOT_ID beside the old one.");
        }
        if me.name.starts_with("group_") {
            return Line::warning("token", format!("{told}: it opens every project of the group to whoever can read this job's variables"))
                .fix(NEW_TOKEN);
        }
        Line::ok("token", told)
    }

    async fn role_of(&self, me: &User, wishes: &Wishes) -> Line {
        #[derive(Deserialize)]
        struct Member {
            access_level: u64,
        }
        let fix = format!("Give {} the role Developer in {}.", me.name, self.target.project);
        let call = read_call(format!("{}/members/all/{}", self.project, me.id), "read the token's role");
        let level = match self.api.json::<Member>(call).await {
            Ok(member) => member.access_level,
            Err(ForgeError::Missing(_)) => {
                return wishes.lacks("role", format!("{} is no member of {}, and needs Developer", me.name, self.target.project), fix);
            }
            Err(e) => return Line::idle("role", format!("not told: {e}")),
        };
        let name = match level {
            50.. => "Owner",
            40.. => "Maintainer",
            30.. => "Developer",
            20.. => "Reporter",
            15.. => "Planner",
            10.. => "Guest",
            _ => "minimal access",
        };
        match level {
            40.. => Line::ok("role", format!("{name} as {} (Developer is enough)", me.name)),
            30.. => Line::ok("role", format!("{name} as {}", me.name)),
            _ => wishes.lacks("role", format!("{name} as {}: Developer is needed to resolve threads and set labels", me.name), fix),
        }
    }

    /// Whether this head has pipelines of two kinds, one of which hides the other's result.
    async fn pipelines(&self) -> Line {
        let Some(head) = self.known().head.clone() else { return Line::idle("pipelines", "the head is not known") };
        let call = read_call(format!("{}/pipelines", self.project), "read the pipelines").query("sha", head);
        let all: Vec<Pipeline> = match self.api.list(call, 1_000).await {
            Ok(all) => all,
            Err(e) => return Line::idle("pipelines", format!("not told: {e}")),
        };
        let sources: BTreeSet<&str> = all.iter().map(|p| p.source.as_str()).collect();
        match (sources.contains("merge_request_event"), sources.contains("push")) {
            (true, true) => Line::warning("pipelines", "this head has a merge-request pipeline and a branch pipeline: the newer one hides the other's result")
                .fix("Let all jobs run in one kind: `workflow: rules` that ends branch pipelines where CI_OPEN_MERGE_REQUESTS is set, or tribune's job in the kind that the others have."),
            (true, false) => Line::ok("pipelines", "merge-request pipelines"),
            (false, true) => Line::ok("pipelines", "branch pipelines"),
            (false, false) => Line::idle("pipelines", "none for this head"),
        }
    }

    /// Whether our approval is possible, and whether a rule counts it.
    async fn approval(&self, me: &User) -> Line {
        let approvals: Approvals = match self.api.json(read_call(self.of_request("approvals"), "read the approvals")).await {
            Ok(approvals) => approvals,
            Err(e) => return Line::idle("approval", format!("not told: {e}")),
        };
        if !approvals.user_can_approve && !approvals.user_has_approved {
            return Line::warning(
                "approval",
                format!("{} may not approve this merge request (its author, who committed to it, or a role below Developer)", me.name),
            )
            .fix("Give the bot a user of its own with the role Developer, or switch `post.approve` off.");
        }
        let state: ApprovalState = match self.api.json(read_call(self.of_request("approval_state"), "read the approval rules")).await {
            Ok(state) => state,
            Err(ForgeError::Missing(_) | ForgeError::Forbidden(_)) => {
                return Line::ok("approval", "possible; this edition has no rules that would count it");
            }
            Err(e) => return Line::idle("approval", format!("possible; its rules are not told: {e}")),
        };
        let required: Vec<&ApprovalRule> = state.rules.iter().filter(|r| r.approvals_required > 0).collect();
        let counts = |r: &&&ApprovalRule| r.rule_type == "any_approver" || r.eligible_approvers.iter().any(|u| u.id == me.id);
        match (required.is_empty(), required.iter().find(counts)) {
            (true, _) => Line::ok("approval", "possible; no rule requires any"),
            (false, Some(rule)) => Line::ok("approval", format!("it counts for the rule `{}`", rule.name)),
            (false, None) => Line::warning(
                "approval",
                format!("possible, but {} is in none of the rules that require approvals, so it counts for nothing", me.name),
            )
            .fix("Add the bot to a rule, if a machine's approval is to count at all."),
        }
    }

    /// How deep a clone holds all of it.
    async fn depth(&self) -> Option<Line> {
        let call = read_call(self.of_request("commits"), "count the commits").query("per_page", 1);
        let answer = self.api.send(call).await.ok()?;
        let commits: u64 = answer.headers.get("x-total")?.to_str().ok()?.parse().ok()?;
        Some(Line::ok(
            "depth",
            format!(
                "`GIT_DEPTH: {}` holds its {commits} commit{} and the base; what is missing is fetched",
                commits + 1,
                if commits == 1 { "" } else { "s" }
            ),
        ))
    }
}

/// Major and minor of `18.4.1-ee`.
fn number(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split(['.', '-']).map(|p| p.parse::<u64>().ok());
    Some((parts.next()??, parts.next()??))
}

/// What the name of a token's user says of the token.
fn kind(name: &str) -> String {
    match name {
        n if n.starts_with("project_") && n.contains("_bot") => "a project access token".to_owned(),
        n if n.starts_with("group_") && n.contains("_bot") => "a group access token".to_owned(),
        n if n.starts_with("service_account_") => "a service account's token".to_owned(),
        n => format!("a token of {n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_tokens_are_told_by_their_names() {
        let numbers = ["18.4.1-ee", "16.0.0", "19.2-pre", "x", "17"].map(number);
        assert_eq!(numbers, [Some((18, 4)), Some((16, 0)), Some((19, 2)), None, None]);
        let kinds = ["project_42_bot_ab12", "group_7_bot", "service_account_9", "ada"].map(kind);
        assert_eq!(kinds, ["a project access token", "a group access token", "a service account's token", "a token of ada"]);
    }
}
