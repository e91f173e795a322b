//! The fake GitLab's REST API: who may ask, which endpoint is meant, what it answers.

use super::shapes;
use super::state::{IID, PROJECT, PROJECT_ID, State};
use super::{drafts, notes};
use crate::forge::ground::{Early, lock};
use crate::forge::server::{Request, Response, decode, git_backend};
use crate::forge::{BOT, Fault};
use crate::git_repo::git_in;
use serde_json::{Value, json};
use std::sync::Mutex;

/// Who asks, and with which scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user: u64,
    pub(super) level: u64,
    /// `api`; else only `read_api`.
    pub(super) writes: bool,
}

pub(super) type Answer = Result<Response, Response>;

pub(super) fn error(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}

pub(super) fn not_found() -> Response {
    error(404, "404 Not found")
}

/// One request from its arrival to its answer, faults included.
pub(super) fn serve(shared: &Mutex<State>, request: Request) -> Response {
    let mut state = lock(shared);
    let path = request.path.strip_prefix("/gitlab").unwrap_or("/nowhere").to_owned();
    if let Some(inside) = path.strip_prefix(&format!("/{PROJECT}.git")) {
        return git(&state, &request, inside);
    }
    let Some(api) = path.strip_prefix("/api/v4/") else { return Response::bytes(404, "text/html", "<html>404</html>") };
    let (moved, early) = state.arrived(api);
    if moved {
        state.take_push();
    }
    match early {
        Some(Early::Lost) => return Response::lost(),
        Some(Early::Refused(status, retry_after)) => {
            let response = error(status, &format!("{status} by the test"));
            return retry_after.map_or(response.clone(), |s| response.with("retry-after", s));
        }
        Some(Early::Closed(status)) => return error(status, "Not available"),
        None => {}
    }
    let response = route(&mut state, &request, api).unwrap_or_else(|refused| refused);
    let wrote = !matches!(request.method.as_str(), "GET" | "HEAD") && response.status < 300;
    if wrote { state.written(response) } else { response }
}

fn git(state: &State, request: &Request, inside: &str) -> Response {
    let known = request.header("authorization").and_then(|h| h.strip_prefix("Basic ")).and_then(base64).is_some_and(|pair| {
        pair.split_once(':').is_some_and(|(user, token)| user == "gitlab-ci-token" && token == super::JOB_TOKEN || caller_of(state, token).is_some())
    });
    if !known {
        return Response::bytes(401, "text/plain", "HTTP Basic: Access denied").with("www-authenticate", "Basic realm=\"GitLab\"");
    }
    if state.serves_no_git() {
        return Response::bytes(503, "text/plain", "no git by the test");
    }
    git_backend(&state.origin, inside, request)
}

fn base64(text: &str) -> Option<String> {
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for c in text.trim_end_matches('=').bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|b| *b == c)?;
        (bits, count) = (bits << 6 | value as u32, count + 6);
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    String::from_utf8(out).ok()
}

fn caller_of(state: &State, token: &str) -> Option<Caller> {
    let (name, writes) = match token {
        super::WRITE_TOKEN => (BOT, true),
        super::READ_TOKEN => (BOT, false),
        other => (other.strip_prefix("glpat-of-")?, true),
    };
    let user = state.users.iter().find(|u| u.name == name)?;
    Some(Caller { user: user.id, level: user.level.unwrap_or(0), writes })
}

fn caller(state: &State, request: &Request) -> Result<Option<Caller>, Response> {
    let bearer = request.header("authorization").and_then(|h| h.strip_prefix("Bearer "));
    let Some(token) = request.header("private-token").or(bearer) else {
        // The job's own token opens none of these endpoints.
        return Ok(None);
    };
    caller_of(state, token).map(Some).ok_or_else(|| error(401, "401 Unauthorized"))
}

fn route(state: &mut State, request: &Request, path: &str) -> Answer {
    let who = caller(state, request)?;
    let parts: Vec<String> = path.trim_end_matches('/').split('/').map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let is_read = request.method == "GET";
    let Some(who) = who else {
        return Err(if is_read && parts[0] == "projects" { error(404, "404 Project Not Found") } else { error(401, "401 Unauthorized") });
    };
    if !is_read && !who.writes {
        return Err(Response::json(
            403,
            &json!({"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token.", "scope": "api"}),
        ));
    }
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["version"]) => Ok(Response::json(200, &json!({"version": state.version, "revision": "a1b2c3d"}))),
        ("GET", ["metadata"]) => {
            let enterprise = state.version.ends_with("-ee");
            Ok(Response::json(200, &json!({"version": state.version, "revision": "a1b2c3d", "enterprise": enterprise, "kas": {"enabled": false}})))
        }
        ("GET", ["user"]) => {
            let mut json = state.user_json(who.user);
            json["bot"] = json!(state.user(who.user).name == BOT);
            Ok(Response::json(200, &json))
        }
        ("GET", ["users", id]) => {
            let user = state.users.iter().find(|u| u.id.to_string() == *id).ok_or_else(|| error(404, "404 User Not Found"))?;
            let mut json = state.user_json(user.id);
            json["bot"] = json!(user.name == BOT || user.name.ends_with("[bot]"));
            Ok(Response::json(200, &json))
        }
        ("GET", ["personal_access_tokens", "self"]) => {
            let scopes = if who.writes { json!(["api"]) } else { json!(["read_api"]) };
            Ok(Response::json(
                200,
                &json!({"id": 9, "name": "tribune", "revoked": false, "active": true, "user_id": who.user, "scopes": scopes, "expires_at": "2027-01-01"}),
            ))
        }
        (_, ["projects", project, rest @ ..]) if *project == PROJECT || project.parse() == Ok(PROJECT_ID) => in_project(state, request, who, rest),
        (_, ["projects", ..]) => Err(error(404, "404 Project Not Found")),
        _ => Err(not_found()),
    }
}

fn in_project(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let method = request.method.as_str();
    match (method, rest) {
        ("GET", []) => Ok(Response::json(200, &shapes::project(state))),
        ("GET", ["repository", "branches", name]) => {
            let refs = String::from_utf8_lossy(&git_in(&state.origin, &["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]))
                .into_owned();
            let id = refs.lines().find_map(|l| l.split_once(' ').filter(|(n, _)| n == name)).map(|(_, id)| id.to_owned());
            let id = id.ok_or_else(|| error(404, "404 Branch Not Found"))?;
            let protected = if *name == state.target { state.protected } else { *name == "main" };
            Ok(Response::json(
                200,
                &json!({"name": name, "default": *name == "main", "protected": protected, "merged": false, "developers_can_push": false,
                "commit": {"id": id, "short_id": &id[..8]}}),
            ))
        }
        ("GET", ["members", "all", id]) => {
            let user = state.users.iter().find(|u| u.id.to_string() == *id && u.level.is_some()).ok_or_else(|| error(404, "404 Not found"))?;
            let mut json = state.user_json(user.id);
            json["access_level"] = json!(user.level);
            json["membership_state"] = json!("active");
            Ok(Response::json(200, &json))
        }
        ("GET", ["pipelines"]) => {
            let all = state.pipelines.iter().zip(1..);
            let all = all.map(|(source, id)| json!({"id": id, "iid": id, "sha": state.head().head, "source": source, "status": "running"}));
            let fits = request.parameter("sha").is_none_or(|sha| sha == state.head().head);
            Ok(page(request, if fits { all.collect() } else { Vec::new() }))
        }
        ("POST", ["statuses", sha]) => status(state, request, who, sha),
        ("GET", ["repository", "commits", sha, "statuses"]) => {
            Ok(page(request, state.statuses.iter().filter(|s| s["sha"] == **sha).cloned().collect()))
        }
        ("GET", ["merge_requests"]) => Ok(page(request, vec![shapes::request(state)])),
        (_, ["merge_requests", iid, rest @ ..]) if iid.parse() == Ok(IID) => in_request(state, request, who, rest),
        (_, ["merge_requests", ..]) => Err(not_found()),
        _ => Err(Response::json(404, &json!({"error": "404 Not Found"}))),
    }
}

fn in_request(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let old = state.faults.iter().any(|a| matches!(a.fault, Fault::OldVersion));
    match (request.method.as_str(), rest) {
        ("GET", []) => Ok(Response::json(200, &shapes::request(state))),
        ("PUT", []) => edit(state, request, who),
        ("GET", ["versions"]) => Ok(page(request, state.versions.iter().rev().map(shapes::version).collect())),
        ("GET", ["diffs"]) => Ok(page(request, shapes::diffs(state))),
        ("GET", ["raw_diffs"]) if !old => {
            let head = state.head();
            let patch = git_in(&state.origin, &["diff", "-M", "--full-index", "--no-color", &head.base, &head.head]);
            Ok(Response::bytes(200, "text/plain", patch))
        }
        ("GET", ["resource_label_events"]) => Ok(page(request, state.label_events.clone())),
        ("GET", ["approvals"]) => Ok(Response::json(200, &shapes::approvals(state, who.user, who.level))),
        ("GET", ["approval_state"]) => {
            let approvers: Vec<Value> = state.users.iter().filter(|u| state.approvers.contains(&u.name)).map(|u| state.user_json(u.id)).collect();
            let any = json!({"id": 1, "name": "All Members", "rule_type": "any_approver", "approvals_required": 0, "eligible_approvers": []});
            let rule = json!({"id": 2, "name": "Owners", "rule_type": "regular", "approvals_required": 1, "eligible_approvers": approvers});
            let rules = if state.approvers.is_empty() { vec![any] } else { vec![any, rule] };
            Ok(Response::json(200, &json!({"approval_rules_overwritten": false, "rules": rules})))
        }
        ("GET", ["commits"]) => {
            let head = state.head();
            let range = format!("{}..{}", head.base, head.head);
            let all = String::from_utf8_lossy(&git_in(&state.origin, &["rev-list", &range])).into_owned();
            Ok(page(request, all.lines().map(|id| json!({"id": id, "short_id": &id[..8]})).collect()))
        }
        ("POST", ["approve"]) => {
            let sha = request.json()["sha"].as_str().map(str::to_owned);
            if who.level < 30 || state.approvals.iter().any(|(id, _)| *id == who.user) {
                return Err(error(401, "401 Unauthorized"));
            }
            let head = state.head().head.clone();
            if sha.is_some_and(|sha| sha != head) {
                return Err(error(409, "SHA does not match HEAD of source branch: "));
            }
            state.approvals.push((who.user, head));
            Ok(Response::json(201, &shapes::approvals(state, who.user, who.level)))
        }
        ("POST", ["unapprove"]) => {
            let before = state.approvals.len();
            state.approvals.retain(|(id, _)| *id != who.user);
            match state.approvals.len() == before {
                true => Err(not_found()),
                false => Ok(Response::json(201, &shapes::approvals(state, who.user, who.level))),
            }
        }
        ("GET", ["reviewers"]) => {
            let reviewer = state.reviewer_state.clone().map(|s| json!({"user": state.user_json(who.user), "state": s}));
            Ok(page(request, reviewer.into_iter().collect()))
        }
        (_, ["discussions", rest @ ..]) => notes::discussions(state, request, who, rest),
        (_, ["notes", rest @ ..]) => notes::notes(state, request, who, rest),
        (_, ["draft_notes", rest @ ..]) if !old => drafts::drafts(state, request, who, rest),
        _ => Err(Response::json(404, &json!({"error": "404 Not Found"}))),
    }
}

fn edit(state: &mut State, request: &Request, who: Caller) -> Answer {
    if who.level < 20 {
        return Err(error(403, "403 Forbidden"));
    }
    let body = request.json();
    let names = |key: &str| -> Vec<String> {
        let text = match &body[key] {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        text.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect()
    };
    if ["add_labels", "remove_labels", "labels", "title", "description"].iter().all(|key| body[*key].is_null()) {
        return Err(Response::json(
            400,
            &json!({"error": "add_labels, remove_labels, title, … are missing, at least one parameter must be provided"}),
        ));
    }
    let ground = &mut state.ground;
    for (key, field) in [("title", &mut ground.title), ("description", &mut ground.description)] {
        if let Some(text) = body[key].as_str() {
            text.clone_into(field);
        }
    }
    if !body["labels"].is_null() {
        let wanted = names("labels");
        for label in state.labels.clone().into_iter().filter(|l| !wanted.contains(l)) {
            set_label(state, who.user, &label, false);
        }
        wanted.iter().for_each(|label| set_label(state, who.user, label, true));
    }
    for label in names("add_labels") {
        set_label(state, who.user, &label, true);
    }
    for label in names("remove_labels") {
        set_label(state, who.user, &label, false);
    }
    Ok(Response::json(200, &shapes::request(state)))
}

pub(super) fn set_label(state: &mut State, user: u64, label: &str, add: bool) {
    let had = state.labels.iter().any(|l| l == label);
    if had == add {
        return;
    }
    state.labels.retain(|l| l != label);
    if add {
        state.labels.push(label.to_owned());
        state.labels.sort();
    }
    let (id, at) = (state.id(), state.now());
    let event = json!({"id": id, "user": state.user_json(user), "created_at": at, "resource_type": "MergeRequest", "resource_id": super::state::REQUEST_ID,
        "label": {"id": 1, "name": label, "color": "#000"}, "action": if add { "add" } else { "remove" }});
    state.label_events.push(event);
}

fn status(state: &mut State, request: &Request, who: Caller, sha: &str) -> Answer {
    if who.level < 30 {
        return Err(error(403, "403 Forbidden"));
    }
    let body = request.json();
    let new = body["state"].as_str().unwrap_or_default().to_owned();
    if !["pending", "running", "success", "failed", "canceled", "skipped"].contains(&new.as_str()) {
        return Err(Response::json(400, &json!({"error": "state does not have a valid value"})));
    }
    if !state.versions.iter().any(|v| v.head == sha) {
        return Err(error(404, "404 Commit Not Found"));
    }
    let name = body["name"].as_str().unwrap_or("default").to_owned();
    if body["description"].as_str().unwrap_or_default().chars().count() > 255 {
        return Err(error(400, "{\"description\"=>[\"is too long (maximum is 255 characters)\"]}"));
    }
    if state.statuses.iter().any(|s| s["sha"] == sha && s["name"] == name && s["status"] == new) {
        return Err(error(400, "Cannot transition status via :success from :success (Reason(s): Status cannot transition via \"success\")"));
    }
    state.statuses.retain(|s| !(s["sha"] == sha && s["name"] == name));
    let id = state.id();
    let made = json!({"id": id, "sha": sha, "ref": "topic", "status": new, "name": name, "author": state.user_json(who.user), "target_url": body["target_url"], "description": body["description"]});
    state.statuses.push(made.clone());
    Ok(Response::json(201, &made))
}

/// One page of a list with the headers that lead on.
pub(super) fn page(request: &Request, all: Vec<Value>) -> Response {
    let number = |name: &str, default: usize| request.parameter(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let (per, page) = (number("per_page", 20).clamp(1, 100), number("page", 1).max(1));
    let pages = all.len().div_ceil(per).max(1);
    let entries: Vec<Value> = all.iter().skip((page - 1) * per).take(per).cloned().collect();
    let host = request.header("host").unwrap_or_default();
    let kept = |p: &&str| !p.is_empty() && !p.starts_with("page=") && !p.starts_with("per_page=");
    let rest: String = request.raw_query.split('&').filter(kept).map(|p| format!("&{p}")).collect();
    let link = |page: usize, rel: &str| format!("<http://{host}{}?page={page}&per_page={per}{rest}>; rel=\"{rel}\"", request.path);
    let mut links = vec![link(1, "first"), link(pages, "last")];
    if page < pages {
        links.insert(0, link(page + 1, "next"));
    }
    let next = if page < pages { (page + 1).to_string() } else { String::new() };
    Response::json(200, &Value::Array(entries))
        .with("link", links.join(", "))
        .with("x-total", all.len())
        .with("x-total-pages", pages)
        .with("x-page", page)
        .with("x-per-page", per)
        .with("x-next-page", next)
}
