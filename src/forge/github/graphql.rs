//! What only GraphQL has: who the token is, which threads are resolved, resolving and folding. All of it is optional: a
//! token or an old server without it costs these facts and nothing else.

use super::GitHub;
use crate::forge::call::Call;
use crate::forge::{ForgeError, User};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The most threads that are read.
const MAX_THREADS: usize = 20_000;

/// Whose token it is, whether the target branch wants every thread resolved, and the first page of threads: in one request.
const GROUND: &str = "query($owner:String!,$name:String!,$number:Int!,$after:String){viewer{login databaseId} \
repository(owner:$owner,name:$name){pullRequest(number:$number){baseRef{refUpdateRule{requiresConversationResolution}} \
reviewThreads(first:100,after:$after){pageInfo{hasNextPage endCursor} nodes{id isResolved \
resolvedBy{login databaseId} comments(first:100){nodes{id lastEditedAt}}}}}}}";
const THREADS: &str = "query($owner:String!,$name:String!,$number:Int!,$after:String){repository(owner:$owner,name:$name){\
pullRequest(number:$number){reviewThreads(first:100,after:$after){pageInfo{hasNextPage endCursor} nodes{id isResolved \
resolvedBy{login databaseId} comments(first:100){nodes{id lastEditedAt}}}}}}}";
const RESOLVE: &str = "mutation($id:ID!){resolveReviewThread(input:{threadId:$id}){thread{isResolved}}}";
const FOLD: &str = "mutation($id:ID!){minimizeComment(input:{subjectId:$id,classifier:RESOLVED}){minimizedComment{isMinimized}}}";

/// What is known of the token and the target branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ground {
    pub(super) me: Option<User>,
    pub(super) threads_must_resolve: bool,
}

/// A thread's state, which REST does not tell.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) id: String,
    pub(super) resolved: bool,
    pub(super) resolved_by: Option<User>,
    /// The node ids of its comments that were changed after they were written, of those that are listed.
    pub(super) edited: HashMap<String, bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(rename = "pageInfo")]
    page_info: PageInfo,
    nodes: Vec<Option<Node>>,
}

#[derive(Debug, Deserialize)]
struct PageInfo {
    #[serde(rename = "hasNextPage")]
    has_next_page: bool,
    #[serde(rename = "endCursor")]
    end_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    #[serde(rename = "isResolved")]
    is_resolved: bool,
    #[serde(rename = "resolvedBy")]
    resolved_by: Option<Actor>,
    comments: Comments,
}

#[derive(Debug, Deserialize)]
struct Actor {
    login: String,
    #[serde(rename = "databaseId")]
    database_id: Option<u64>,
}

impl Actor {
    fn user(self) -> Option<User> {
        let bot = self.login.ends_with("[bot]");
        self.database_id.map(|id| User { id, name: self.login, bot })
    }
}

#[derive(Debug, Deserialize)]
struct Comments {
    nodes: Vec<Option<CommentNode>>,
}

#[derive(Debug, Deserialize)]
struct CommentNode {
    id: String,
    #[serde(rename = "lastEditedAt")]
    last_edited_at: Option<String>,
}

impl GitHub {
    /// Read once. What GraphQL does not tell is asked by REST, where that can.
    pub(super) async fn ground(&self) -> Result<Ground, ForgeError> {
        if let Some(ground) = self.known().ground.clone() {
            return Ok(ground);
        }
        if !self.token.may_write() {
            return Ok(Ground::default());
        }
        // A part of it may be refused, and the rest is told all the same.
        let (mut data, unread) = match self.graphql(GROUND, self.variables(), "read the token's user").await {
            Ok((data, _)) => (data, None),
            Err(e) => (Value::Null, Some(e)),
        };
        let mut me = serde_json::from_value::<Actor>(data["viewer"].clone()).ok().and_then(Actor::user);
        if me.is_none() {
            me = match self.api.json::<super::answers::WireUser>(Call::get("user", "read the token's user")).await {
                Ok(user) => Some(user.user()),
                // REST tells no app who it is, and so does GraphQL where it is closed. Where that only failed, it is no answer.
                Err(ForgeError::Forbidden(_) | ForgeError::Missing(_)) => match unread {
                    Some(e @ (ForgeError::Unavailable(_) | ForgeError::RateLimited(_))) => return Err(e),
                    _ => None,
                },
                Err(e) => return Err(e),
            };
        }
        let rule = &data["repository"]["pullRequest"]["baseRef"]["refUpdateRule"];
        let ground = Ground { me, threads_must_resolve: rule["requiresConversationResolution"] == json!(true) };
        let threads = serde_json::from_value(data["repository"]["pullRequest"]["reviewThreads"].take()).ok();
        let mut known = self.known();
        (known.ground, known.threads) = (Some(ground.clone()), threads);
        Ok(ground)
    }

    /// The states of all threads by the node id of their first comment; empty where GraphQL does not tell.
    pub(super) async fn states(&self) -> Result<HashMap<String, State>, ForgeError> {
        let mut states = HashMap::new();
        let mut variables = self.variables();
        // What came with the pull request is good for one reading, unless something was written since.
        let mut first = self.known().threads.take();
        for _ in 0..MAX_THREADS / 100 {
            let page = match first.take() {
                Some(page) => page,
                None => match self.graphql(THREADS, variables.clone(), "read which threads are resolved").await {
                    Ok((mut data, None)) => serde_json::from_value(data["repository"]["pullRequest"]["reviewThreads"].take())
                        .map_err(|e| ForgeError::Unexpected(format!("{e} (to read which threads are resolved)")))?,
                    Ok((_, Some(_)))
                    | Err(ForgeError::Forbidden(_) | ForgeError::Missing(_) | ForgeError::Refused(_) | ForgeError::Unauthorised(_)) => {
                        return Ok(HashMap::new());
                    }
                    Err(e) => return Err(e),
                },
            };
            let Page { page_info, nodes } = page;
            for node in nodes.into_iter().flatten() {
                let comments: Vec<CommentNode> = node.comments.nodes.into_iter().flatten().collect();
                let Some(first) = comments.first().map(|c| c.id.clone()) else { continue };
                let edited = comments.into_iter().map(|c| (c.id, c.last_edited_at.is_some())).collect();
                let resolved_by = node.resolved_by.and_then(Actor::user);
                states.insert(first, State { id: node.id, resolved: node.is_resolved, resolved_by, edited });
            }
            match page_info {
                PageInfo { has_next_page: true, end_cursor: Some(cursor) } => variables["after"] = json!(cursor),
                _ => return Ok(states),
            }
        }
        Err(ForgeError::Unexpected(format!("more than {MAX_THREADS} threads")))
    }

    /// No states, and none that were read before either: after a write they are old.
    pub(super) fn forget_threads(&self) -> HashMap<String, State> {
        self.known().threads = None;
        HashMap::new()
    }

    /// Whether it is resolved now; `false` where the token may not.
    pub(super) async fn resolve_by_graphql(&self, id: &str) -> Result<bool, ForgeError> {
        let told = self.mutate(RESOLVE, id, "resolve a thread").await?;
        Ok(told["resolveReviewThread"]["thread"]["isResolved"] == json!(true))
    }

    /// Folds a comment; `false` where the token may not.
    pub(super) async fn fold(&self, node_id: &str) -> Result<bool, ForgeError> {
        let told = self.mutate(FOLD, node_id, "fold a comment").await?;
        Ok(told["minimizeComment"]["minimizedComment"]["isMinimized"] == json!(true))
    }

    /// A mutation of one object; null where it is refused.
    async fn mutate(&self, query: &str, id: &str, what: &str) -> Result<Value, ForgeError> {
        self.may_write()?;
        self.forget_threads();
        self.pacer.pass().await?;
        match self.graphql(query, json!({ "id": id }), what).await {
            Ok((data, None)) => Ok(data),
            Ok((_, Some(_))) | Err(ForgeError::Forbidden(_) | ForgeError::Missing(_) | ForgeError::Refused(_)) => Ok(Value::Null),
            Err(e) => Err(e),
        }
    }

    fn variables(&self) -> Value {
        let (owner, name) = self.target.project.split_once('/').unwrap_or_default();
        json!({"owner": owner, "name": name, "number": self.target.number})
    }

    /// Data, and the first error where there is one. None of the queries above does harm when it comes twice.
    async fn graphql(&self, query: &str, variables: Value, what: &str) -> Result<(Value, Option<String>), ForgeError> {
        let body = json!({"query": query, "variables": variables});
        let mut answer: Value = self.api.json(Call::post(self.graphql_path.clone(), what, body).safe_twice(true)).await?;
        let error = &answer["errors"][0];
        if error["type"] == json!("RATE_LIMITED") {
            return Err(ForgeError::RateLimited(std::time::Duration::from_secs(3600)));
        }
        let error = error.is_object().then(|| self.api.quote(error["message"].as_str().unwrap_or("no reason")));
        Ok((answer["data"].take(), error))
    }
}
