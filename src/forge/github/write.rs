//! Everything that is written but new threads. A write of which it is open whether it happened is looked for before it is
//! tried again.

use super::GitHub;
use super::answers::WireComment;
use crate::forge::call::{Call, part};
use crate::forge::once::{gone, once, same_text};
use crate::forge::{Comment, ForgeError, Thread};
use reqwest::Method;
use serde_json::{Value, json};

impl GitHub {
    /// A write, when the limits allow it.
    pub(super) async fn write(&self, call: Call<'_>) -> Result<Value, ForgeError> {
        self.may_write()?;
        self.forget_threads();
        self.pacer.pass().await?;
        let answer = self.api.send(call).await?;
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    pub(super) async fn write_comment(&self, body: &str) -> Result<String, ForgeError> {
        let write = || async {
            let told = self.write(Call::post(self.of_issue("comments"), "write a comment", json!({ "body": body }))).await?;
            told["id"].as_u64().map(|id| id.to_string()).ok_or_else(|| ForgeError::Unexpected("a comment without an id".to_owned()))
        };
        once(write, || self.find_comment(body)).await
    }

    /// A plain comment of ours with this text.
    async fn find_comment(&self, body: &str) -> Result<Option<String>, ForgeError> {
        let all = self.read_conversation().await?.comments;
        for comment in all.into_iter().rev().filter(|c| same_text(&c.body, body)) {
            if self.is_ours(&comment).await? {
                return Ok(Some(comment.id));
            }
        }
        Ok(None)
    }

    /// Whether the token's user wrote it; where the forge does not tell who that is, whether a bot did.
    pub(super) async fn is_ours(&self, comment: &Comment) -> Result<bool, ForgeError> {
        Ok(self.ground().await?.me.map_or(comment.author.bot, |me| me.id == comment.author.id))
    }

    pub(super) async fn edit_plain(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        self.edit(format!("{}/issues/comments/{}", self.project, part(id)), body).await
    }

    pub(super) async fn delete_plain(&self, id: &str) -> Result<(), ForgeError> {
        let path = format!("{}/issues/comments/{}", self.project, part(id));
        gone(self.write(Call::delete(path, "delete a comment")).await)
    }

    pub(super) async fn edit_first(&self, thread: &Thread, body: &str) -> Result<(), ForgeError> {
        self.edit(self.of_comment(&first(thread)?.id), body).await
    }

    async fn edit(&self, path: String, body: &str) -> Result<(), ForgeError> {
        let call = Call::new(Method::PATCH, path, "edit a comment").body(json!({ "body": body })).safe_twice(true);
        self.write(call).await.map(drop)
    }

    pub(super) fn of_comment(&self, id: &str) -> String {
        format!("{}/pulls/comments/{}", self.project, part(id))
    }

    pub(super) async fn write_reply(&self, thread: &Thread, body: &str) -> Result<(), ForgeError> {
        let path = self.of_pull(&format!("comments/{}/replies", part(&first(thread)?.id)));
        let call = || Call::post(path.clone(), "answer in a thread", json!({ "body": body }));
        once(|| async { self.write(call()).await.map(drop) }, || self.find_reply(thread, body)).await
    }

    async fn find_reply(&self, thread: &Thread, body: &str) -> Result<Option<()>, ForgeError> {
        let first = &first(thread)?.id;
        // One that stood there before is none of this write.
        let known = |id: &str| thread.comments.iter().any(|c| c.id == id);
        for reply in self.review_comments().await?.into_iter().filter(|c| c.in_reply_to_id.is_some_and(|id| id.to_string() == *first)) {
            let reply = reply.comment(None);
            if !known(&reply.id) && same_text(&reply.body, body) && self.is_ours(&reply).await? {
                return Ok(Some(()));
            }
        }
        Ok(None)
    }

    /// Resolves a thread; where the token may not, folds its first comment, which is less than resolved and told as `false`.
    pub(super) async fn write_resolved(&self, thread: &Thread) -> Result<bool, ForgeError> {
        if thread.resolvable && self.resolve_by_graphql(&thread.id).await? {
            return Ok(true);
        }
        self.fold_first(thread).await?;
        Ok(false)
    }

    async fn fold_first(&self, thread: &Thread) -> Result<bool, ForgeError> {
        let first: WireComment = match self.api.json(Call::get(self.of_comment(&first(thread)?.id), "read a comment")).await {
            Err(ForgeError::Missing(_)) => return Ok(false),
            other => other?,
        };
        self.fold(&first.node_id).await
    }

    /// Deletes a thread whose comments are all of one author, ours; else folds or resolves it.
    pub(super) async fn delete_thread(&self, thread: &Thread) -> Result<(), ForgeError> {
        let author = first(thread)?.author.id;
        if thread.comments.iter().any(|c| c.author.id != author) {
            let folded = self.fold_first(thread).await? || (thread.resolvable && self.resolve_by_graphql(&thread.id).await?);
            let refused = || ForgeError::Forbidden("others have answered in the thread, and it could not be folded".to_owned());
            return if folded { Ok(()) } else { Err(refused()) };
        }
        for comment in thread.comments.iter().rev() {
            gone(self.write(Call::delete(self.of_comment(&comment.id), "delete a thread")).await)?;
        }
        Ok(())
    }

    pub(super) async fn write_labels(&self, add: &[String], remove: &[String]) -> Result<(), ForgeError> {
        if !add.is_empty() {
            let call = Call::post(self.of_issue("labels"), "set labels", json!({ "labels": add })).safe_twice(true);
            self.write(call).await?;
        }
        for label in remove {
            gone(self.write(Call::delete(self.of_issue(&format!("labels/{}", part(label))), "remove a label")).await)?;
        }
        Ok(())
    }
}

fn first(thread: &Thread) -> Result<&Comment, ForgeError> {
    thread.comments.first().ok_or_else(|| ForgeError::Refused("the thread has no comment".to_owned()))
}
