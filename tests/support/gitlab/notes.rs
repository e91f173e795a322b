//! Notes and discussions of the fake GitLab.

use super::api::{Answer, Caller, error, not_found, page};
use super::shapes;
use super::state::State;
use crate::forge::server::{Request, Response};
use crate::forge::{AUTHOR, BOT};
use serde_json::{Value, json};

/// The body that a request brings, within the real one's bounds.
pub(super) fn body(request: &Request, key: &str) -> Result<String, Response> {
    let json = request.json();
    let Some(body) = json[key].as_str() else { return Err(Response::json(400, &json!({"error": format!("{key} is missing")}))) };
    if body.trim().is_empty() {
        return Err(error(400, "400 Bad request - Note {:note=>[\"can't be blank\"]}"));
    }
    if body.chars().count() > 1_000_000 {
        return Err(error(400, "400 Bad request - Note {:note=>[\"is too long (maximum is 1000000 characters)\"]}"));
    }
    Ok(body.to_owned())
}

pub(super) fn discussions(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let find = |state: &State, id: &str| state.find_discussion(id).ok_or_else(|| error(404, "404 Discussion Not Found"));
    match (request.method.as_str(), rest) {
        ("GET", []) => Ok(page(request, state.discussions.iter().map(|d| shapes::discussion(state, d)).collect())),
        ("GET", [id]) => Ok(Response::json(200, &shapes::discussion(state, &state.discussions[find(state, id)?]))),
        ("POST", []) => {
            let body = body(request, "body")?;
            let position = Some(request.json()["position"].clone()).filter(|p| !p.is_null());
            if let Some(position) = &position
                && let Err(why) = state.line_code(position)
            {
                // The real one says no more than this; the test's reader sees why.
                let told = "400 Bad request - Note {:line_code=>[\"can't be blank\", \"must be a valid line code\"]}";
                return Err(Response::json(400, &json!({"message": told, "why": why})));
            }
            let at = state.open(who.user, &body, position, false);
            Ok(Response::json(201, &shapes::discussion(state, &state.discussions[at])))
        }
        ("PUT", [id]) => {
            let at = find(state, id)?;
            let Some(resolved) = request.json()["resolved"].as_bool() else {
                return Err(Response::json(400, &json!({"error": "resolved is missing"})));
            };
            if state.discussions[at].individual {
                return Err(error(404, "404 Not found"));
            }
            if who.level < 30 && state.user(who.user).name != AUTHOR {
                return Err(error(403, "403 Forbidden"));
            }
            let now = state.now();
            state.discussions[at].resolved_by = resolved.then_some((who.user, now));
            Ok(Response::json(200, &shapes::discussion(state, &state.discussions[at])))
        }
        ("POST", [id, "notes"]) => {
            let (at, body) = (find(state, id)?, body(request, "body")?);
            let id = state.answer(who.user, at, &body);
            Ok(Response::json(201, &note_json(state, id)?))
        }
        (_, [id, "notes", note]) => {
            let at = find(state, id)?;
            let id: u64 = note.parse().map_err(|_| not_found())?;
            if state.find_note(id).is_none_or(|(d, _)| d != at) {
                return Err(error(404, "404 Note Not Found"));
            }
            one(state, request, who, id)
        }
        _ => Err(not_found()),
    }
}

pub(super) fn notes(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let mut all: Vec<Value> = state.discussions.iter().flat_map(|d| d.notes.iter().map(|n| shapes::note(state, d, n))).collect();
            all.sort_by_key(|n| n["id"].as_u64());
            // Newest first, unless asked otherwise.
            if request.parameter("sort") != Some("asc") {
                all.reverse();
            }
            Ok(page(request, all))
        }
        ("POST", []) => {
            let body = body(request, "body")?;
            let at = state.open(who.user, &body, None, true);
            Ok(Response::json(201, &shapes::note(state, &state.discussions[at], &state.discussions[at].notes[0])))
        }
        (_, [id]) => one(state, request, who, id.parse().map_err(|_| not_found())?),
        _ => Err(not_found()),
    }
}

/// One note: read, edited, deleted.
fn one(state: &mut State, request: &Request, who: Caller, id: u64) -> Answer {
    let (d, n) = state.find_note(id).ok_or_else(|| error(404, "404 Note Not Found"))?;
    let own = state.discussions[d].notes[n].author == who.user;
    match request.method.as_str() {
        "GET" => Ok(Response::json(200, &note_json(state, id)?)),
        _ if !own && state.user(who.user).name == BOT => {
            let whose = state.user(state.discussions[d].notes[n].author).name.clone();
            state.violations.push(format!("the bot touches a note of {whose}"));
            Err(error(403, "403 Forbidden"))
        }
        "PUT" => {
            let body = body(request, "body")?;
            state.watch(who.user, &body);
            let now = state.now();
            let note = &mut state.discussions[d].notes[n];
            (note.body, note.updated) = (body, now);
            Ok(Response::json(200, &note_json(state, id)?))
        }
        "DELETE" => {
            state.discussions[d].notes.remove(n);
            if state.discussions[d].notes.iter().all(|n| n.system) {
                state.discussions.remove(d);
            }
            Ok(Response::empty(204))
        }
        _ => Err(not_found()),
    }
}

fn note_json(state: &State, id: u64) -> Result<Value, Response> {
    let (d, n) = state.find_note(id).ok_or_else(not_found)?;
    Ok(shapes::note(state, &state.discussions[d], &state.discussions[d].notes[n]))
}
