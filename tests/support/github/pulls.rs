//! The fake GitHub's pull request: its comments, reviews, labels.

use super::api::{Answer, Caller, Kind, error, invalid, not_for_integrations, not_found, page};
use super::shapes;
use super::state::{PROJECT, Review, State};
use crate::forge::BOT;
use crate::forge::server::{Request, Response};
use crate::git_repo::git_in;
use serde_json::{Value, json};

pub(super) fn in_pull(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
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

pub(super) fn in_issue(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
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
pub(super) fn one(state: &mut State, request: &Request, who: Caller, id: u64, on_code: bool) -> Answer {
    let at = state.comments.iter().position(|c| c.id == id && c.path.is_some() == on_code).ok_or_else(not_found)?;
    let own = state.comments[at].author == who.user;
    match request.method.as_str() {
        "GET" => one_json(state, id, 200),
        _ if !own && state.user(who.user).name == BOT => {
            let whose = state.user(state.comments[at].author).name.clone();
            state.violations.push(format!("the bot touches a comment of {whose}"));
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
