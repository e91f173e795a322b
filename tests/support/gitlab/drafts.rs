//! Draft notes of the fake GitLab, with the real one's traps: a wrong position is taken and lost later.

use super::api::{Answer, Caller, error, not_found, page};
use super::notes::body;
use super::shapes;
use super::state::{Draft, State};
use crate::forge::server::{Request, Response};
use serde_json::{Value, json};

pub(super) fn drafts(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let find = |state: &State, id: &str| {
        let at = state.drafts.iter().position(|d| d.id.to_string() == id && d.author == who.user);
        at.ok_or_else(|| error(404, "404 Not found"))
    };
    match (request.method.as_str(), rest) {
        ("GET", []) => Ok(page(request, state.drafts.iter().filter(|d| d.author == who.user).map(shapes::draft).collect())),
        ("GET", [id]) => Ok(Response::json(200, &shapes::draft(&state.drafts[find(state, id)?]))),
        ("POST", []) => create(state, request, who),
        ("POST", ["bulk_publish"]) => {
            let (mine, others) = std::mem::take(&mut state.drafts).into_iter().partition(|d| d.author == who.user);
            state.drafts = others;
            for draft in Vec::<Draft>::into_iter(mine) {
                state.publish(draft);
            }
            if let Some(note) = request.json()["note"].as_str() {
                state.open(who.user, note, None, true);
            }
            if let Some(reviewer) = request.json()["reviewer_state"].as_str() {
                state.reviewer_state = Some(reviewer.to_owned());
            }
            Ok(Response::empty(204))
        }
        ("PUT", [id, "publish"]) => {
            let at = find(state, id)?;
            let draft = state.drafts.remove(at);
            state.publish(draft);
            Ok(Response::empty(204))
        }
        ("PUT", [id]) => {
            let at = find(state, id)?;
            let json = request.json();
            if let Some(note) = json["note"].as_str() {
                state.drafts[at].note = note.to_owned();
            }
            // Without one it is dropped.
            let position = Some(json["position"].clone()).filter(|p| !p.is_null());
            let checked = position.as_ref().map(|p| state.line_code(p));
            let draft = &mut state.drafts[at];
            draft.position = position;
            (draft.line_code, draft.wrong) = told(checked);
            Ok(Response::json(200, &shapes::draft(&state.drafts[at])))
        }
        ("DELETE", [id]) => {
            let at = find(state, id)?;
            state.drafts.remove(at);
            Ok(Response::empty(204))
        }
        _ => Err(not_found()),
    }
}

fn create(state: &mut State, request: &Request, who: Caller) -> Answer {
    let (note, json) = (body(request, "note")?, request.json());
    let reply_to = json["in_reply_to_discussion_id"].as_str().map(str::to_owned);
    if let Some(thread) = &reply_to {
        if state.find_discussion(thread).is_none() {
            return Err(error(400, "400 Bad request - Thread to reply to cannot be found"));
        }
        if state.drafts.iter().any(|d| d.author == who.user && d.reply_to.as_ref() == Some(thread)) {
            return Err(error(400, "{:discussion_id=>[\"has already been taken\"]}"));
        }
    }
    let position = Some(json["position"].clone()).filter(|p| !p.is_null());
    let range = |name: &str| position.as_ref().map_or(&Value::Null, |p| &p["line_range"][name]);
    if ["start", "end"].iter().any(|end| !range(end)["old_line"].is_null() || !range(end)["new_line"].is_null()) {
        return Err(Response::json(400, &json!({"error": "position[line_range] is invalid"})));
    }
    let (line_code, wrong) = told(position.as_ref().map(|p| state.line_code(p)));
    let id = state.id();
    let draft =
        Draft { id, author: who.user, note, position, line_code, reply_to, resolve: json["resolve_discussion"].as_bool().unwrap_or(false), wrong };
    let shown = shapes::draft(&draft);
    state.drafts.push(draft);
    Ok(Response::json(201, &shown))
}

/// What the answer shows of a check, and what it does not.
fn told(checked: Option<Result<Option<String>, String>>) -> (Option<String>, Option<String>) {
    match checked {
        None => (None, None),
        Some(Ok(code)) => (code, None),
        Some(Err(why)) => (None, Some(why)),
    }
}
