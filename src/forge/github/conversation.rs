//! What was said: plain comments and review threads by REST, which has full ids and every field; what is resolved by
//! GraphQL, matched by node id.

use super::GitHub;
use super::answers::WireComment;
use super::graphql::State;
use crate::diff::Side;
use crate::forge::call::Call;
use crate::forge::{Conversation, ForgeError, Place, Thread};
use std::collections::HashMap;

/// The most comments of each kind that are read.
const MAX_COMMENTS: usize = 20_000;

impl GitHub {
    pub(super) async fn read_conversation(&self) -> Result<Conversation, ForgeError> {
        let plain = async { self.api.list::<WireComment>(Call::get(self.of_issue("comments"), "read the comments"), MAX_COMMENTS).await };
        let (plain, on_code) = futures::join!(plain, self.review_comments());
        let (plain, on_code) = (plain?, on_code?);
        // A pull request without threads has none that are resolved; what was read of it before is too old for a later reading.
        let states = if on_code.is_empty() { self.forget_threads() } else { self.states().await? };
        Ok(Conversation { comments: plain.into_iter().map(|c| c.comment(None)).collect(), threads: threads(on_code, &states) })
    }

    pub(super) async fn review_comments(&self) -> Result<Vec<WireComment>, ForgeError> {
        self.api.list(Call::get(self.of_pull("comments"), "read the review comments"), MAX_COMMENTS).await
    }
}

/// Comments as threads: an answer names the first comment of its thread.
fn threads(comments: Vec<WireComment>, states: &HashMap<String, State>) -> Vec<Thread> {
    let mut order: Vec<u64> = Vec::new();
    let mut of: HashMap<u64, Vec<WireComment>> = HashMap::new();
    for comment in comments {
        let first = comment.in_reply_to_id.unwrap_or(comment.id);
        let thread = of.entry(first).or_insert_with(|| {
            order.push(first);
            Vec::new()
        });
        thread.push(comment);
    }
    order.sort_unstable();
    order.into_iter().filter_map(|first| Some(thread(of.remove(&first)?, states))).collect()
}

fn thread(mut comments: Vec<WireComment>, states: &HashMap<String, State>) -> Thread {
    comments.sort_by_key(|c| c.id);
    let state = comments.iter().find_map(|c| states.get(&c.node_id));
    let place = comments.first().and_then(place);
    let first = comments.first().map(|c| c.id.to_string()).unwrap_or_default();
    let comments = comments.into_iter().map(|c| {
        let edited = state.and_then(|s| s.edited.get(&c.node_id).copied());
        c.comment(edited)
    });
    Thread {
        comments: comments.collect(),
        place,
        id: state.map_or(first, |s| s.id.clone()),
        resolvable: state.is_some(),
        resolved: state.is_some_and(|s| s.resolved),
        resolved_by: state.and_then(|s| s.resolved_by.clone().filter(|_| s.resolved)),
    }
}

fn place(comment: &WireComment) -> Option<Place> {
    let side = if comment.side.as_deref() == Some("LEFT") { Side::Old } else { Side::New };
    let on_file = comment.subject_type.as_deref() == Some("file");
    Some(Place { path: comment.path.clone()?, line: comment.line.filter(|_| !on_file).map(|line| (line, side)) })
}
