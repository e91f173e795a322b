//! Check runs of the fake GitHub.

use super::api::{Answer, Caller, Kind, error, invalid, not_found};
use super::shapes;
use super::state::State;
use crate::forge::server::{Request, Response};
use serde_json::{Value, json};

pub(super) fn checks(state: &mut State, request: &Request, who: Caller, rest: &[&str]) -> Answer {
    let json = request.json();
    let annotations = |json: &Value| json["output"]["annotations"].as_array().map_or(0, Vec::len);
    if matches!(who.kind, Kind::Person) && request.method != "GET" {
        return Err(error(403, "You must authenticate via a GitHub App."));
    }
    if annotations(&json) > 50 {
        return Err(invalid("output.annotations has more than 50 items"));
    }
    match (request.method.as_str(), rest) {
        ("GET", ["commits", sha, "check-runs"]) => {
            let name = request.parameter("check_name");
            let mut all: Vec<&Value> = state.checks.iter().rev().filter(|c| c["head_sha"] == **sha && name.is_none_or(|n| c["name"] == *n)).collect();
            // Only the newest of a name, unless all are asked for.
            if request.parameter("filter") != Some("all") {
                let mut seen = Vec::new();
                all.retain(|c| !seen.contains(&&c["name"]) && (seen.push(&c["name"]), true).1);
            }
            Ok(Response::json(200, &json!({"total_count": all.len(), "check_runs": all})))
        }
        ("GET", ["check-runs", id]) => {
            let run = state.checks.iter().find(|c| c["id"].as_u64() == id.parse().ok()).ok_or_else(not_found)?;
            Ok(Response::json(200, run))
        }
        ("POST", ["check-runs"]) => {
            for key in ["name", "head_sha"] {
                json[key].as_str().ok_or_else(|| invalid(&format!("{key} is missing")))?;
            }
            if json["status"] == "completed" && !json["conclusion"].is_string() {
                return Err(invalid("conclusion is missing"));
            }
            let (id, at, count) = (state.id(), state.now(), annotations(&json));
            let run = shapes::check_run(state, id, &at, &json, count);
            state.checks.push(run.clone());
            Ok(Response::json(201, &run))
        }
        ("PATCH", ["check-runs", id]) => {
            let run = state.checks.iter_mut().find(|c| c["id"].as_u64() == id.parse().ok()).ok_or_else(not_found)?;
            // Annotations are added to those that are there; all else is replaced.
            let count = run["output"]["annotations_count"].as_u64().unwrap_or(0) + annotations(&json) as u64;
            for key in ["status", "conclusion"] {
                if !json[key].is_null() {
                    run[key] = json[key].clone();
                }
            }
            for key in ["title", "summary"] {
                if !json["output"][key].is_null() {
                    run["output"][key] = json["output"][key].clone();
                }
            }
            run["output"]["annotations_count"] = json!(count);
            Ok(Response::json(200, run))
        }
        _ => Err(not_found()),
    }
}
