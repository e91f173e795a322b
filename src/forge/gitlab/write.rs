//! Everything that is written but new threads. A write of which it is open whether it happened is looked for before it is
//! tried again.

use super::answers::{WireApprovals, WireNote, WireReviewer, WireStatus};
use super::{GitLab, read_call};
use crate::forge::call::{Call, part};
use crate::forge::once::{gone, once, same_text};
use crate::forge::{Check, Comment, Conclusion, ForgeError, Thread};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// The name of our commit status.
const STATUS: &str = "tribune";
/// The most statuses of a commit.
const MAX_STATUSES: usize = 10_000;
/// That of one which nobody trusts.
const UNVERIFIED: &str = "tribune (unverified)";
/// Characters of a status' description.
const MAX_DESCRIPTION: usize = 255;

impl GitLab {
    pub(super) async fn write_comment(&self, body: &str) -> Result<String, ForgeError> {
        self.may_write()?;
        let call = || Call::post(self.of_request("notes"), "write a comment", json!({ "body": body }));
        once(|| async { Ok(self.api.json::<WireNote>(call()).await?.id.to_string()) }, || self.find_comment(body)).await
    }

    /// A plain comment of ours with this text.
    async fn find_comment(&self, body: &str) -> Result<Option<String>, ForgeError> {
        let me = self.read_me().await?;
        let all = self.read_conversation().await?.comments;
        let ours = all.into_iter().rev().find(|c| me.as_ref().is_some_and(|me| me.id == c.author.id) && same_text(&c.body, body));
        Ok(ours.map(|c| c.id))
    }

    pub(super) async fn edit_note(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        let call = Call::put(self.of_request(&format!("notes/{}", part(id))), "edit a comment", json!({ "body": body }));
        self.api.json::<WireNote>(call).await.map(drop)
    }

    pub(super) async fn delete_note(&self, id: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        gone(self.api.send(Call::delete(self.of_request(&format!("notes/{}", part(id))), "delete a comment")).await)
    }

    pub(super) async fn edit_first(&self, thread: &Thread, body: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        let first = thread.comments.iter().find(|c| !c.system).ok_or_else(|| ForgeError::Refused("the thread has no comment".to_owned()))?;
        let path = self.of_request(&format!("discussions/{}/notes/{}", part(&thread.id), part(&first.id)));
        self.api.json::<WireNote>(Call::put(path, "edit a thread's first comment", json!({ "body": body }))).await.map(drop)
    }

    /// Answers as a note at once, not as a draft: a published draft reply would reopen a resolved thread.
    pub(super) async fn write_reply(&self, thread: &Thread, body: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        let path = || self.of_request(&format!("discussions/{}/notes", part(&thread.id)));
        let call = || Call::post(path(), "answer in a thread", json!({ "body": body }));
        once(|| async { self.api.json::<WireNote>(call()).await.map(drop) }, || self.find_reply(thread, body)).await
    }

    async fn find_reply(&self, thread: &Thread, body: &str) -> Result<Option<()>, ForgeError> {
        let me = self.read_me().await?;
        let now = self.read_conversation().await?.threads.into_iter().find(|t| t.id == thread.id);
        // One that stood there before is none of this write.
        let known = |id: &str| thread.comments.iter().any(|c| c.id == id);
        let ours = |c: &Comment| !known(&c.id) && me.as_ref().is_some_and(|me| me.id == c.author.id) && same_text(&c.body, body);
        Ok(now.and_then(|t| t.comments.iter().any(ours).then_some(())))
    }

    pub(super) async fn write_resolved(&self, thread: &Thread) -> Result<bool, ForgeError> {
        if !thread.resolvable {
            return Ok(false);
        }
        self.may_write()?;
        let path = self.of_request(&format!("discussions/{}", part(&thread.id)));
        match self.api.json::<super::answers::WireDiscussion>(Call::put(path, "resolve a thread", json!({"resolved": true}))).await {
            Ok(now) => Ok(now.notes.iter().filter(|n| n.resolvable).all(|n| n.resolved)),
            Err(ForgeError::Forbidden(_) | ForgeError::Missing(_) | ForgeError::Refused(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Deletes a thread whose comments are all of one author, ours; else resolves it, which folds it.
    pub(super) async fn delete_thread(&self, thread: &Thread) -> Result<(), ForgeError> {
        self.may_write()?;
        let mut said = thread.comments.iter().filter(|c| !c.system);
        let first = said.next().map(|c| c.author.id);
        if said.any(|c| Some(c.author.id) != first) {
            return match self.write_resolved(thread).await? {
                true => Ok(()),
                false => Err(ForgeError::Forbidden("others have answered in the thread, and it could not be resolved".to_owned())),
            };
        }
        for comment in thread.comments.iter().filter(|c| !c.system).rev() {
            let path = self.of_request(&format!("discussions/{}/notes/{}", part(&thread.id), part(&comment.id)));
            gone(self.api.send(Call::delete(path, "delete a thread")).await)?;
        }
        Ok(())
    }

    pub(super) async fn write_labels(&self, add: &[String], remove: &[String]) -> Result<(), ForgeError> {
        self.may_write()?;
        let mut body = json!({});
        for (key, labels) in [("add_labels", add), ("remove_labels", remove)] {
            // A comma would make two of one.
            let labels: Vec<String> = labels.iter().map(|l| l.replace(',', " ")).collect();
            if !labels.is_empty() {
                body[key] = Value::from(labels.join(","));
            }
        }
        if body.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(());
        }
        self.api.json::<IgnoredAny>(Call::put(self.request.clone(), "set labels", body)).await.map(drop)
    }

    pub(super) async fn write_approval(&self, head: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        let call = Call::post(self.of_request("approve"), "approve", json!({ "sha": head }));
        match self.api.send(call).await {
            Ok(_) => Ok(()),
            Err(ForgeError::Conflict(why)) => Err(ForgeError::Conflict(format!("the head is no longer {head}: {why}"))),
            // A second approval is answered like a missing right, and a lost answer may have been one.
            Err(e @ (ForgeError::Unauthorised(_) | ForgeError::Unavailable(_))) => match self.approvals().await? {
                approvals if approvals.user_has_approved => Ok(()),
                _ if matches!(e, ForgeError::Unavailable(_)) => Err(e),
                _ => Err(ForgeError::Forbidden(format!(
                    "the token's user may not approve (it needs the role Developer, and may be the author or have committed to it): {e}"
                ))),
            },
            Err(e) => Err(e),
        }
    }

    pub(super) async fn approvals(&self) -> Result<WireApprovals, ForgeError> {
        self.api.json(read_call(self.of_request("approvals"), "read the approvals")).await
    }

    pub(super) async fn take_approval_back(&self) -> Result<(), ForgeError> {
        self.may_write()?;
        let call = Call::post(self.of_request("unapprove"), "take the approval back", json!({})).safe_twice(true);
        gone(self.api.send(call).await)
    }

    /// Requests changes by publishing with a reviewer's state, which old versions ignore without a word: so it is read back.
    pub(super) async fn write_request_for_changes(&self, head: &str, body: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        let newest = self.versions().await?.into_iter().next().map(|v| v.head);
        if newest.as_deref() != Some(head) {
            return Err(ForgeError::Conflict(format!("the head is no longer {head}")));
        }
        let none_left = self.drafts().await?.is_none_or(|drafts| drafts.is_empty());
        if !none_left {
            return Err(ForgeError::Refused("the token's user has unpublished comments, which this would publish".to_owned()));
        }
        let publish = json!({"reviewer_state": "requested_changes"});
        self.api.send(Call::post(self.of_request("draft_notes/bulk_publish"), "request changes", publish)).await?;
        let me = self.read_me().await?;
        let reviewers: Vec<WireReviewer> = self.api.list(read_call(self.of_request("reviewers"), "read the reviewers"), 1_000).await?;
        let done = reviewers.iter().any(|r| me.as_ref().is_some_and(|me| me.id == r.user.id) && r.state == "requested_changes");
        if !done {
            return Err(ForgeError::Refused(
                "this GitLab does not take it by its API (19.2 and newer do, for reviewers of the merge request)".to_owned(),
            ));
        }
        if body.trim().is_empty() { Ok(()) } else { self.write_comment(body).await.map(drop) }
    }

    /// How the status that our user set ended: a job of the same name is listed among statuses, too.
    pub(super) async fn read_status(&self, head: &str) -> Result<Option<Conclusion>, ForgeError> {
        let Some(me) = self.read_me().await? else { return Ok(None) };
        let path = format!("{}/repository/commits/{}/statuses", self.project, part(head));
        let all: Vec<WireStatus> = match self.api.list(read_call(path, "read the commit's statuses").query("name", STATUS), MAX_STATUSES).await {
            Err(ForgeError::Forbidden(_) | ForgeError::Missing(_)) => return Ok(None),
            all => all?,
        };
        let ours = all.into_iter().filter(|s| s.name == STATUS && s.author.as_ref().is_some_and(|a| a.id == me.id)).max_by_key(|s| s.id);
        Ok(ours.and_then(|s| match s.status.as_str() {
            "success" => Some(Conclusion::Success),
            "failed" => Some(Conclusion::Failure),
            "skipped" | "canceled" => Some(Conclusion::Neutral),
            _ => None,
        }))
    }

    pub(super) async fn write_status(&self, check: &Check) -> Result<bool, ForgeError> {
        if self.may_write().is_err() {
            return Ok(false);
        }
        let state = match check.conclusion {
            Conclusion::Success => "success",
            Conclusion::Failure => "failed",
            Conclusion::Neutral => "skipped",
        };
        let description: String = check.title.chars().take(MAX_DESCRIPTION).collect();
        let body = json!({"state": state, "name": if check.unverified { UNVERIFIED } else { STATUS }, "description": description});
        let path = format!("{}/statuses/{}", self.project, part(&check.head));
        match self.api.send(Call::post(path, "set the commit's status", body).safe_twice(true)).await {
            Ok(_) => Ok(true),
            // The same state again is refused as a transition.
            Err(ForgeError::Refused(why)) if why.contains("Cannot transition status") => Ok(true),
            Err(ForgeError::Forbidden(_) | ForgeError::Missing(_) | ForgeError::Refused(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }
}
