//! The part of the fake's GraphQL that is needed: it knows queries by the fields they name, and refuses as the real one does,
//! with 200 and `errors`. Logins of bots have no `[bot]` here.

use super::api::{Answer, Kind, caller, error};
use super::shapes;
use super::state::State;
use crate::forge::server::{Request, Response};
use serde_json::{Value, json};

fn refused(kind: &str, message: &str) -> Answer {
    Ok(Response::json(200, &json!({"data": null, "errors": [{"type": kind, "path": ["x"], "message": message}]})))
}

pub(super) fn answer(state: &mut State, request: &Request) -> Answer {
    let who = caller(state, request).map_err(|_| error(401, "This endpoint requires you to be authenticated."))?;
    let json = request.json();
    let (query, variables) = (json["query"].as_str().unwrap_or_default().to_owned(), json["variables"].clone());
    let names = |field: &str| query.contains(field);
    let id = variables["id"].as_str().unwrap_or_default();
    let forbidden = matches!(who.kind, Kind::Actions | Kind::Read | Kind::FineGrained);
    if names("resolveReviewThread") {
        if forbidden {
            return refused("FORBIDDEN", "Resource not accessible by integration");
        }
        let Some(first) = state.thread(id) else { return refused("NOT_FOUND", "Could not resolve to a node with the global id") };
        state.resolved.insert(first, who.user);
        return data(&json!({"resolveReviewThread": {"thread": {"isResolved": true}}}));
    }
    if names("minimizeComment") {
        if who.kind == Kind::Read {
            return refused("FORBIDDEN", "Resource not accessible by integration");
        }
        let comment = state.comments.iter_mut().find(|c| shapes::node_id(c) == id);
        let Some(comment) = comment else { return refused("NOT_FOUND", "Could not resolve to a node with the global id") };
        comment.folded = true;
        return data(&json!({"minimizeComment": {"minimizedComment": {"isMinimized": true}}}));
    }
    let mut told = json!({});
    if names("reviewThreads") {
        told["repository"]["pullRequest"]["reviewThreads"] = threads(state, &variables, who.user);
    }
    if names("requiresConversationResolution") {
        told["repository"]["pullRequest"]["baseRef"]["refUpdateRule"]["requiresConversationResolution"] = json!(state.must_resolve);
    }
    if names("viewer") {
        told["viewer"] = json!({"login": state.user_json(who.user)["login"], "databaseId": who.user});
    }
    if told != json!({}) {
        return data(&told);
    }
    refused("undefinedField", "Field doesn't exist")
}

fn data(data: &Value) -> Answer {
    Ok(Response::json(200, &json!({ "data": data })))
}

fn threads(state: &State, variables: &Value, by: u64) -> Value {
    let firsts: Vec<_> = state.comments.iter().filter(|c| c.path.is_some() && c.reply_to.is_none() && state.is_seen(c, by)).collect();
    let from: usize = variables["after"].as_str().and_then(|a| a.parse().ok()).unwrap_or(0);
    let nodes: Vec<Value> = firsts
        .iter()
        .skip(from)
        .take(100)
        .map(|first| {
            let comments = state.comments.iter().filter(|c| c.id == first.id || c.reply_to == Some(first.id)).take(100);
            let comments: Vec<Value> =
                comments.map(|c| json!({"id": shapes::node_id(c), "lastEditedAt": (c.updated != c.created).then_some(&c.updated)})).collect();
            let resolver = state.resolved.get(&first.id);
            let by = resolver.map(|id| json!({"login": state.user(*id).name, "databaseId": id}));
            json!({"id": format!("PRRT_{}", first.id), "isResolved": resolver.is_some(), "resolvedBy": by, "comments": {"nodes": comments}})
        })
        .collect();
    let end = from + nodes.len();
    json!({"pageInfo": {"hasNextPage": end < firsts.len(), "endCursor": end.to_string()}, "nodes": nodes})
}
