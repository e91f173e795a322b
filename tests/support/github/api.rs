//! The fake GitHub's REST API: who may ask, which endpoint is meant, what it answers.

use super::pulls::{in_issue, in_pull, one};
use super::state::{FORK, NUMBER, PROJECT, State};
use super::{checks, graphql, shapes};
use crate::forge::ground::{Early, lock};
use crate::forge::server::{Request, Response, decode, git_backend};
use crate::forge::{BOT, DEV};
use crate::git_repo::git_in;
use base64::Engine as _;
use serde_json::{Value, json};
use std::sync::Mutex;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of an app with `contents`, `pull-requests` and `checks: write`.
    App,
    /// The workflow's own, with `pull-requests` and `checks: write`.
    Actions,
    /// The workflow's own in a run of a fork: reads only.
    Read,
    /// A person's classic one, with the scopes of [`State::scopes`].
    Person,
    /// A person's fine-grained one, which only reads.
    FineGrained,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user: u64,
    pub(super) kind: Kind,
}

pub(super) type Answer = Result<Response, Response>;

pub(super) fn error(status: u16, message: &str) -> Response {
    Response::json(status, &json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}))
}

pub(super) fn not_found() -> Response {
    error(404, "Not Found")
}

pub(super) fn invalid(why: &str) -> Response {
    Response::json(
        422,
        &json!({"message": "Unprocessable Entity", "errors": [why], "documentation_url": "https://docs.github.com/rest", "status": "422"}),
    )
}

pub(super) fn not_for_integrations() -> Response {
    error(403, "Resource not accessible by integration")
}

/// One request from its arrival to its answer, faults included.
pub(super) fn serve(shared: &Mutex<State>, request: Request) -> Response {
    let mut state = lock(shared);
    if let Some(inside) = request.path.strip_prefix(&format!("/{PROJECT}.git")) {
        return git(&state, &request, inside);
    }
    let Some(path) = request.path.strip_prefix("/api/").map(str::to_owned) else { return Response::bytes(404, "text/html", "<html>404</html>") };
    let (moved, early) = state.arrived(&path);
    if moved {
        state.take_push();
    }
    match early {
        Some(Early::Lost) => return Response::lost(),
        Some(Early::Refused(status, retry_after)) => {
            let response = error(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.");
            return retry_after.map_or(response.clone(), |s| response.with("retry-after", s));
        }
        Some(Early::Closed(status)) => return error(status, "Not available"),
        None => {}
    }
    let writes = is_write(&request);
    // Refused requests count as well: the limit is on what is asked.
    if writes && !state.may_create() {
        state.violations.push("more than 80 writes within a minute".into());
        return error(403, "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.")
            .with("retry-after", 1);
    }
    let response = match path.as_str() {
        "graphql" => graphql::answer(&mut state, &request),
        other => other.strip_prefix("v3/").map_or_else(|| Err(not_found()), |path| route(&mut state, &request, path)),
    };
    let response = response.unwrap_or_else(|refused| refused);
    if writes && response.status < 300 { state.written(response) } else { response }
}

fn is_write(request: &Request) -> bool {
    let query = request.json()["query"].as_str().unwrap_or_default().to_owned();
    match request.path.ends_with("/graphql") {
        true => query.trim_start().starts_with("mutation"),
        false => !matches!(request.method.as_str(), "GET" | "HEAD"),
    }
}

fn git(state: &State, request: &Request, inside: &str) -> Response {
    let pair =
        request.header("authorization").and_then(|h| h.strip_prefix("Basic ")).and_then(|b| base64::engine::general_purpose::STANDARD.decode(b).ok());
    let pair = pair.and_then(|p| String::from_utf8(p).ok()).unwrap_or_default();
    if pair.split_once(':').is_none_or(|(_, token)| caller_of(state, token).is_none()) {
        return Response::bytes(401, "text/plain", "Invalid username or token.").with("www-authenticate", "Basic realm=\"GitHub\"");
    }
    if state.serves_no_git() {
        return Response::bytes(503, "text/plain", "no git by the test");
    }
    git_backend(&state.origin, inside, request)
}

pub(super) fn caller_of(state: &State, token: &str) -> Option<Caller> {
    let (name, kind) = match token {
        super::APP_TOKEN => (BOT, Kind::App),
        super::ACTIONS_TOKEN => (BOT, Kind::Actions),
        super::READ_TOKEN => (BOT, Kind::Read),
        super::FINE_TOKEN => (DEV, Kind::FineGrained),
        other => (other.strip_prefix("ghp_of-")?, Kind::Person),
    };
    state.users.iter().find(|u| u.name == name).map(|u| Caller { user: u.id, kind })
}

pub(super) fn caller(state: &State, request: &Request) -> Result<Caller, Response> {
    let header = request.header("authorization").unwrap_or_default();
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("token "));
    let Some(token) = token else { return Err(not_found()) };
    caller_of(state, token).ok_or_else(|| error(401, "Bad credentials"))
}

fn route(state: &mut State, request: &Request, path: &str) -> Answer {
    let who = caller(state, request)?;
    let parts: Vec<String> = path.trim_end_matches('/').split('/').map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if is_write(request) && matches!(who.kind, Kind::Read | Kind::FineGrained) {
        let needs = match parts.as_slice() {
            ["repos", _, _, "issues", ..] => "issues=write; pull_requests=write",
            ["repos", _, _, "check-runs", ..] => "checks=write",
            _ => "pull_requests=write",
        };
        let refused = if who.kind == Kind::Read { not_for_integrations() } else { error(403, "Resource not accessible by personal access token") };
        return Err(refused.with("x-accepted-github-permissions", needs));
    }
    if is_write(request) && who.kind == Kind::Person && !state.scopes.contains("repo") {
        return Err(not_found().with("x-oauth-scopes", state.scopes).with("x-accepted-oauth-scopes", "repo"));
    }
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["user"]) if who.kind == Kind::Person => Ok(Response::json(200, &state.user_json(who.user)).with("x-oauth-scopes", state.scopes)),
        ("GET", ["user"]) if who.kind == Kind::FineGrained => Ok(Response::json(200, &state.user_json(who.user))),
        ("GET", ["user"]) => Err(not_for_integrations()),
        ("GET", ["meta"]) => Ok(Response::json(200, &json!({"installed_version": "3.20.1", "verifiable_password_authentication": true}))),
        (_, ["repos", owner, name, rest @ ..]) if format!("{owner}/{name}") == PROJECT => in_project(state, request, who, rest),
        _ => Err(not_found()),
    }
}

fn in_project(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let mut json = shapes::repository(state, PROJECT, 42);
            let writes = who.kind != Kind::Read;
            json["permissions"] = json!({"admin": false, "maintain": false, "push": writes, "triage": writes, "pull": true});
            Ok(Response::json(200, &json))
        }
        ("GET", ["branches", name]) => {
            let refs = String::from_utf8_lossy(&git_in(&state.origin, &["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]))
                .into_owned();
            let id = refs.lines().find_map(|l| l.split_once(' ').filter(|(n, _)| n == name)).map(|(_, id)| id.to_owned());
            let id = id.ok_or_else(|| error(404, "Branch not found"))?;
            let protected = if *name == state.target { state.protected } else { *name == "main" };
            Ok(Response::json(200, &json!({"name": name, "protected": protected, "commit": {"sha": id}})))
        }
        ("GET", ["compare", range]) => {
            let (base, head) = range.split_once("...").ok_or_else(not_found)?;
            let ask = |arguments: &[&str]| String::from_utf8_lossy(&git_in(&state.origin, arguments)).trim().to_owned();
            let merge_base = ask(&["merge-base", base, head]);
            let counts = ask(&["rev-list", "--left-right", "--count", &format!("{base}...{head}")]);
            let (behind, ahead) =
                counts.split_once('\t').and_then(|(b, a)| Some((b.parse::<u64>().ok()?, a.parse::<u64>().ok()?))).expect("two numbers");
            let status = match (ahead, behind) {
                (0, 0) => "identical",
                (_, 0) => "ahead",
                (0, _) => "behind",
                _ => "diverged",
            };
            Ok(Response::json(
                200,
                &json!({"status": status, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead, "merge_base_commit": {"sha": merge_base},
                    "base_commit": {"sha": base}, "commits": []}),
            ))
        }
        ("GET", ["collaborators", login, "permission"]) => {
            let user = state.users.iter().find(|u| u.name == login.trim_end_matches("[bot]")).ok_or_else(not_found)?;
            let permission = match user.role {
                "maintain" => "write",
                "triage" => "read",
                other => other,
            };
            Ok(Response::json(200, &json!({"permission": permission, "role_name": user.role, "user": state.user_json(user.id)})))
        }
        ("GET", ["pulls"]) => {
            let head = format!("{}:topic", if state.fork { FORK } else { PROJECT }.split_once('/').expect("owner").0);
            let fits = request.parameter("head").is_none_or(|h| h == head);
            Ok(page(request, if fits { vec![shapes::pull(state)] } else { Vec::new() }))
        }
        ("POST", ["pulls"]) if request.json().get("base").is_none() => Err(error(422, "Invalid request.\n\n\"base\", \"head\" weren't supplied.")),
        (_, ["pulls", "comments", id]) | (_, ["issues", "comments", id]) => {
            let on_code = rest[0] == "pulls";
            one(state, request, who, id.parse().map_err(|_| not_found())?, on_code)
        }
        ("GET", ["issues", "events", id]) => {
            let event = state.events.iter().find(|e| e["id"].as_u64() == id.parse().ok()).ok_or_else(not_found)?;
            Ok(Response::json(200, event))
        }
        (_, ["pulls", number, rest @ ..]) if number.parse() == Ok(NUMBER) => in_pull(state, request, who, rest),
        (_, ["issues", number, rest @ ..]) if number.parse() == Ok(NUMBER) => in_issue(state, request, who, rest),
        (_, ["check-runs", ..]) | (_, ["commits", _, "check-runs"]) => checks::checks(state, request, who, rest),
        _ => Err(not_found()),
    }
}

pub(super) fn page(request: &Request, all: Vec<Value>) -> Response {
    let number = |name: &str, default: usize| request.parameter(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let (per, page) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    let pages = all.len().div_ceil(per).max(1);
    let entries: Vec<Value> = all.iter().skip((page - 1) * per).take(per).cloned().collect();
    let host = request.header("host").unwrap_or_default();
    let rest: String = request.raw_query.split('&').filter(|p| !p.is_empty() && !p.starts_with("page=")).map(|p| format!("&{p}")).collect();
    let link = |page: usize, rel: &str| format!("<http://{host}{}?page={page}{rest}>; rel=\"{rel}\"", request.path);
    let response = Response::json(200, &Value::Array(entries)).with("x-ratelimit-remaining", 4999);
    if page < pages { response.with("link", format!("{}, {}", link(page + 1, "next"), link(pages, "last"))) } else { response }
}
