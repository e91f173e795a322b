//! Reviews as a verdict: approving, asking for changes, taking back; and what a broken run left unpublished.

use super::GitHub;
use super::answers::{WireComment, WireReview};
use crate::forge::ForgeError;
use crate::forge::call::Call;
use crate::forge::once::gone;
use serde_json::json;

/// What every text of ours holds: an unpublished review of such comments only is ours.
const MARK: &str = "<!-- tribune:";
/// The most reviews that are read, and comments of one of them.
const MAX_REVIEWS: usize = 20_000;

impl GitHub {
    async fn reviews(&self) -> Result<Vec<WireReview>, ForgeError> {
        self.api.list(Call::get(self.of_pull("reviews"), "read the reviews"), MAX_REVIEWS).await
    }

    /// The last review of ours that is a verdict and still counts.
    async fn our_verdict(&self) -> Result<Option<WireReview>, ForgeError> {
        let me = self.ground().await?.me;
        let ours = |r: &WireReview| match (&me, &r.user) {
            (Some(me), Some(user)) => me.id == user.id,
            (None, Some(user)) => user.kind == "Bot",
            _ => false,
        };
        let mut verdicts =
            self.reviews().await?.into_iter().filter(ours).filter(|r| matches!(r.state.as_str(), "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED"));
        Ok(verdicts.next_back().filter(|r| r.state != "DISMISSED"))
    }

    pub(super) async fn write_approval(&self, head: &str) -> Result<(), ForgeError> {
        self.verdict(head, "APPROVE", "APPROVED", "").await.map_err(|e| match e {
            ForgeError::Refused(why) => ForgeError::Forbidden(format!(
                "{why}: a token of Actions may approve only where the organisation allows it (Settings, Actions, \"Allow GitHub Actions to create and approve pull requests\"), and nobody may approve their own pull request"
            )),
            other => other,
        })
    }

    pub(super) async fn write_request_for_changes(&self, head: &str, body: &str) -> Result<(), ForgeError> {
        let body = if body.trim().is_empty() { "See the comments." } else { body };
        self.verdict(head, "REQUEST_CHANGES", "CHANGES_REQUESTED", body).await
    }

    async fn verdict(&self, head: &str, event: &str, state: &str, body: &str) -> Result<(), ForgeError> {
        self.may_write()?;
        let now = self.pull().await?.head.sha;
        if now != head {
            return Err(ForgeError::Conflict(format!("its head is {now} now, {head} was reviewed")));
        }
        let stands = |v: Option<WireReview>| v.is_some_and(|r| r.state == state && r.commit_id.as_deref() == Some(head));
        if stands(self.our_verdict().await?) {
            return Ok(());
        }
        let review = json!({"commit_id": head, "event": event, "body": body});
        match self.write(Call::post(self.of_pull("reviews"), "write a verdict", review)).await {
            Ok(_) => Ok(()),
            Err(e @ ForgeError::Unavailable(_)) => {
                if stands(self.our_verdict().await?) {
                    Ok(())
                } else {
                    Err(e)
                }
            }
            Err(e) => Err(e),
        }
    }

    /// Takes our approval or our request for changes back, whichever is the last.
    pub(super) async fn take_verdict_back(&self) -> Result<(), ForgeError> {
        self.may_write()?;
        let Some(verdict) = self.our_verdict().await? else { return Ok(()) };
        let path = self.of_pull(&format!("reviews/{}/dismissals", verdict.id));
        let body = json!({"message": "It holds no longer.", "event": "DISMISS"});
        match self.write(Call::put(path, "take a verdict back", body)).await {
            // It was dismissed meanwhile.
            Err(ForgeError::Refused(_)) if self.our_verdict().await?.is_none() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes an unpublished review that a broken run left behind. `false`: there is one of a person's.
    pub(super) async fn drop_leftover(&self) -> Result<bool, ForgeError> {
        for review in self.reviews().await?.into_iter().filter(|r| r.state == "PENDING") {
            let path = self.of_pull(&format!("reviews/{}", review.id));
            let comments: Vec<WireComment> = self.api.list(Call::get(format!("{path}/comments"), "read an unpublished review"), MAX_REVIEWS).await?;
            if comments.is_empty() || !comments.iter().all(|c| c.body.as_deref().is_some_and(|b| b.contains(MARK))) {
                return Ok(false);
            }
            gone(self.write(Call::delete(path, "delete an old unpublished review")).await)?;
        }
        Ok(true)
    }
}
