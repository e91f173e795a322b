//! The fake GitHub's REST API: who may ask, which endpoint is meant, what it answers.

use super::state::{FORK, NUMBER, PROJECT, Review, State};
use super::{checks, graphql, shapes};
use crate::forge::server::{Request, Response, decode, git_backend};
use crate::forge::{BOT, DEV, Fault};
use crate::git_repo::git_in;
use base64::Engine as _;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

fn not_for_integrations() -> Response {
    error(403, "Resource not accessible by integration")
}

/// One request from its arrival to its answer, faults included.
pub(super) fn serve(shared: &Mutex<State>, request: Request) -> Response {
    let mut state = lock(shared);
    if let Some(inside) = request.path.strip_prefix(&format!("/{PROJECT}.git")) {
        return git(&state, &request, inside);
    }
    let Some(path) = request.path.strip_prefix("/api/").map(str::to_owned) else { return Response::bytes(404, "text/html", "<html>404</html>") };
    state.requests += 1;
    let count = state.requests;
    if state.dead {
        return Response::lost();
    }
    for armed in state.faults.clone() {
        match armed.fault {
            Fault::Status { request, status, retry_after } if armed.requests + request == count => {
                let response = error(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.");
                return retry_after.map_or(response.clone(), |s| response.with("retry-after", s));
            }
            Fault::MoveHeadAt(request) if armed.requests + request == count => push_empty(&mut state),
            Fault::Closed { path: closed, status } if path.contains(closed) => return error(status, "Not available"),
            _ => {}
        }
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
    if writes && response.status < 300 {
        state.writes += 1;
        let count = state.writes;
        for armed in &state.faults {
            match armed.fault {
                Fault::KillAfterWrite(write) if armed.writes + write == count => {
                    state.dead = true;
                    return Response::lost();
                }
                Fault::LoseAnswer(write) if armed.writes + write == count => return Response::lost(),
                _ => {}
            }
        }
    }
    response
}

fn is_write(request: &Request) -> bool {
    let query = request.json()["query"].as_str().unwrap_or_default().to_owned();
    match request.path.ends_with("/graphql") {
        true => query.trim_start().starts_with("mutation"),
        false => !matches!(request.method.as_str(), "GET" | "HEAD"),
    }
}

pub(super) fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody pushes a commit without changes.
fn push_empty(state: &mut State) {
    let head = state.head.clone();
    let made = git_in(&state.origin, &["commit-tree", "-p", &head, "-m", "moved", &format!("{head}^{{tree}}")]);
    let made = String::from_utf8_lossy(&made).trim().to_owned();
    git_in(&state.origin, &["update-ref", "refs/heads/topic", &made]);
    state.take_push();
}

fn git(state: &State, request: &Request, inside: &str) -> Response {
    let pair =
        request.header("authorization").and_then(|h| h.strip_prefix("Basic ")).and_then(|b| base64::engine::general_purpose::STANDARD.decode(b).ok());
    let pair = pair.and_then(|p| String::from_utf8(p).ok()).unwrap_or_default();
    if pair.split_once(':').is_none_or(|(_, token)| caller_of(state, token).is_none()) {
        return Response::bytes(401, "text/plain", "Invalid username or token.").with("www-authenticate", "Basic realm=\"GitHub\"");
    }
    if state.faults.iter().any(|a| matches!(a.fault, Fault::NoGit)) {
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

fn in_pull(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let json = request.json();
    match (request.method.as_str(), rest) {
        ("GET", []) if request.header("accept").is_some_and(|a| a.contains("diff")) => {
            let diff = git_in(&state.origin, &["diff", "-M", "--no-color", "--full-index", "--binary", &state.base, &state.head]);
            match diff.iter().filter(|b| **b == b'\n').count() > state.max_diff_lines {
                true => Err(error(406, "Sorry, the diff exceeded the maximum number of lines (20000)")),
                false => Ok(Response::bytes(200, "application/vnd.github.diff; charset=utf-8", diff)),
            }
        }
        ("GET", []) => Ok(Response::json(200, &shapes::pull(state))),
        ("GET", ["files"]) => Ok(page(request, shapes::files(state))),
        ("GET", ["comments"]) => {
            let all = state.comments.iter().filter(|c| c.path.is_some() && state.is_seen(c, who.user)).map(|c| shapes::comment(state, c)).collect();
            Ok(page(request, all))
        }
        ("POST", ["comments"]) => {
            no_pending(state, who)?;
            let head = json["commit_id"].as_str().unwrap_or_default().to_owned();
            let comment = state.comment_of(who.user, &json, &head, 0).map_err(|why| invalid(&why))?;
            state.watch(who.user, &comment.body);
            state.comments.push(comment.clone());
            Ok(Response::json(201, &shapes::comment(state, &comment)))
        }
        ("POST", ["comments", id, "replies"]) => {
            let first: u64 = id.parse().map_err(|_| not_found())?;
            let known = state.comments.iter().any(|c| c.id == first && c.path.is_some() && c.reply_to.is_none());
            let body = json["body"].as_str().filter(|b| !b.trim().is_empty()).ok_or_else(|| invalid("body is missing"))?;
            let id = if known { state.say(who.user, body, Some(first)) } else { return Err(not_found()) };
            one_json(state, id, 201)
        }
        ("GET", ["reviews"]) => {
            let all = state.reviews.iter().filter(|r| r.state != "PENDING" || r.author == who.user).map(|r| shapes::review(state, r)).collect();
            Ok(page(request, all))
        }
        ("POST", ["reviews"]) => review(state, who, &json),
        ("GET", ["reviews", id, "comments"]) => {
            let all = state.comments.iter().filter(|c| c.review.to_string() == *id).map(|c| shapes::comment(state, c)).collect();
            Ok(page(request, all))
        }
        ("DELETE", ["reviews", id]) => {
            let at = state.reviews.iter().position(|r| r.id.to_string() == *id).ok_or_else(not_found)?;
            if state.reviews[at].state != "PENDING" {
                return Err(invalid("Can not delete a non-pending pull request review"));
            }
            let gone = state.reviews.remove(at);
            state.comments.retain(|c| c.review != gone.id);
            Ok(Response::json(200, &shapes::review(state, &gone)))
        }
        ("PUT", ["reviews", id, "dismissals"]) => {
            let at = state.reviews.iter().position(|r| r.id.to_string() == *id).ok_or_else(not_found)?;
            if !matches!(state.reviews[at].state, "APPROVED" | "CHANGES_REQUESTED") {
                return Err(invalid("Can not dismiss this review"));
            }
            state.reviews[at].state = "DISMISSED";
            Ok(Response::json(200, &shapes::review(state, &state.reviews[at])))
        }
        _ => Err(not_found()),
    }
}

fn no_pending(state: &State, who: Caller) -> Result<(), Response> {
    match state.reviews.iter().any(|r| r.state == "PENDING" && r.author == who.user) {
        true => Err(invalid("User can only have one pending review per pull request")),
        false => Ok(()),
    }
}

fn review(state: &mut State, who: Caller, json: &Value) -> Answer {
    no_pending(state, who)?;
    let head = json["commit_id"].as_str().unwrap_or(&state.head).to_owned();
    let text = json["body"].as_str().unwrap_or_default().to_owned();
    let author_of_pull = state.user(who.user).name == crate::forge::AUTHOR;
    let kind = match json["event"].as_str() {
        Some("COMMENT") if text.is_empty() => return Err(invalid("body is required for this event")),
        Some("COMMENT") => "COMMENTED",
        Some("APPROVE") if who.kind == Kind::Actions => return Err(invalid("GitHub Actions is not permitted to approve pull requests.")),
        Some("APPROVE") if author_of_pull => return Err(invalid("Can not approve your own pull request")),
        Some("APPROVE") => "APPROVED",
        Some("REQUEST_CHANGES") if text.is_empty() => return Err(invalid("body is required for this event")),
        Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
        None => "PENDING",
        Some(_) => return Err(invalid("Variable $event of type PullRequestReviewEvent was provided invalid value")),
    };
    let id = state.id();
    let mut comments = Vec::new();
    for comment in json["comments"].as_array().into_iter().flatten() {
        if comment.get("subject_type").is_some() {
            return Err(invalid("subject_type is not a permitted key"));
        }
        // One bad comment, and the error does not name it.
        comments.push(state.comment_of(who.user, comment, &head, id).map_err(|why| invalid(&why))?);
    }
    state.watch(who.user, &text);
    for comment in comments {
        state.watch(who.user, &comment.body);
        state.comments.push(comment);
    }
    let review = Review { id, author: who.user, state: kind, head, body: text };
    state.reviews.push(review.clone());
    Ok(Response::json(200, &shapes::review(state, &review)))
}

fn in_issue(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let json = request.json();
    match (request.method.as_str(), rest) {
        ("GET", ["comments"]) => {
            let all = state.comments.iter().filter(|c| c.path.is_none()).map(|c| shapes::comment(state, c)).collect();
            Ok(page(request, all))
        }
        ("POST", ["comments"]) => {
            let body = json["body"].as_str().filter(|b| !b.trim().is_empty()).ok_or_else(|| invalid("body is missing"))?;
            if body.chars().count() > 65_536 {
                return Err(invalid("body is too long (maximum is 65536 characters)"));
            }
            let id = state.say(who.user, body, None);
            one_json(state, id, 201)
        }
        ("GET", ["labels"]) => Ok(page(request, shapes::labels(state))),
        ("GET", ["events"]) => Ok(page(request, state.events.clone())),
        ("POST", ["labels"]) => {
            // The list alone is taken as well.
            let labels: Vec<String> =
                json["labels"].as_array().or(json.as_array()).into_iter().flatten().filter_map(|l| l.as_str().map(str::to_owned)).collect();
            labels.iter().for_each(|l| label(state, who.user, l, true));
            Ok(Response::json(200, &Value::Array(shapes::labels(state))))
        }
        ("DELETE", ["labels", name]) if state.labels.iter().any(|l| l == name) => {
            label(state, who.user, name, false);
            Ok(Response::json(200, &Value::Array(shapes::labels(state))))
        }
        ("DELETE", ["labels", _]) => Err(error(404, "Label does not exist")),
        _ => Err(not_found()),
    }
}

pub(super) fn label(state: &mut State, by: u64, label: &str, set: bool) {
    if set == state.labels.iter().any(|l| l == label) {
        return;
    }
    state.labels.retain(|l| l != label);
    if set {
        state.labels.push(label.to_owned());
    }
    let (id, at) = (state.id(), state.now());
    let url = format!("{}/api/v3/repos/{PROJECT}/issues/events/{id}", state.root);
    let event = json!({"id": id, "node_id": format!("LE_{id}"), "url": url, "commit_id": null, "commit_url": null, "event": if set { "labeled" } else { "unlabeled" }, "actor": state.user_json(by), "label": {"name": label}, "created_at": at});
    state.events.push(event);
}

/// One comment: read, edited, deleted.
fn one(state: &mut State, request: &Request, who: Caller, id: u64, on_code: bool) -> Answer {
    let at = state.comments.iter().position(|c| c.id == id && c.path.is_some() == on_code).ok_or_else(not_found)?;
    let own = state.comments[at].author == who.user;
    match request.method.as_str() {
        "GET" => one_json(state, id, 200),
        _ if !own && state.user(who.user).name == BOT => {
            state.violations.push(format!("the bot touches a comment of {}", state.user(state.comments[at].author).name));
            Err(not_for_integrations())
        }
        "PATCH" => {
            let body = request.json()["body"].as_str().filter(|b| !b.trim().is_empty()).ok_or_else(|| invalid("body is missing"))?.to_owned();
            state.watch(who.user, &body);
            let now = state.now();
            (state.comments[at].body, state.comments[at].updated) = (body, now);
            one_json(state, id, 200)
        }
        "DELETE" => {
            state.comments.remove(at);
            Ok(Response::empty(204))
        }
        _ => Err(not_found()),
    }
}

fn one_json(state: &State, id: u64, status: u16) -> Answer {
    let comment = state.comments.iter().find(|c| c.id == id).ok_or_else(not_found)?;
    Ok(Response::json(status, &shapes::comment(state, comment)))
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
