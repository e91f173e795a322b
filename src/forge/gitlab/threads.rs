//! New threads: which way they go, and the ladder that each goes down until the server takes it.

use super::GitLab;
use super::answers::{WireDiscussion, WireVersion};
use super::position::{Rung, position};
use crate::forge::call::Call;
use crate::forge::once::{once, same_text};
use crate::forge::{ForgeError, MergeRequest, NewThread, Posted};
use serde_json::json;

impl GitLab {
    /// Fails where there is a newer version than this: positions of an older one are stale.
    pub(super) async fn stands_still(&self, at: &MergeRequest) -> Result<(), ForgeError> {
        let reviewed = version(at);
        match self.versions().await?.into_iter().next() {
            // A merge request whose versions GitLab does not list yet has only the commits that it told.
            None => Ok(()),
            Some(newest) if newest == reviewed => Ok(()),
            Some(newest) if newest.head != reviewed.head => {
                Err(ForgeError::Conflict(format!("its head is {} now, {} was reviewed", newest.head, reviewed.head)))
            }
            Some(_) => Err(ForgeError::Conflict("it has another base now".to_owned())),
        }
    }

    /// Opens threads on the version that was reviewed. Read again just before: positions of an older one are stale.
    pub(super) async fn write_threads(&self, at: &MergeRequest, threads: &[NewThread]) -> Result<Vec<Posted>, ForgeError> {
        if threads.is_empty() {
            return Ok(Vec::new());
        }
        self.may_write()?;
        self.stands_still(at).await?;
        let reviewed = version(at);
        match self.drafts().await? {
            Some(left) => self.by_drafts(&reviewed, left, threads).await,
            None => self.by_discussions(&reviewed, threads).await,
        }
    }

    /// One discussion at once for each, where there are no drafts.
    async fn by_discussions(&self, version: &WireVersion, threads: &[NewThread]) -> Result<Vec<Posted>, ForgeError> {
        let mut posted = Vec::new();
        for thread in threads {
            match self.open(version, thread, Rung::of(thread)).await {
                Ok(done) => posted.push(done),
                Err(e) if posted.iter().all(|p| matches!(p, Posted::Refused(_))) => return Err(e),
                // What stands already is told; what does not goes to the summary.
                Err(e) => posted.push(Posted::Refused(e.to_string())),
            }
        }
        Ok(posted)
    }

    /// Opens one thread on the first of these rungs that the server takes.
    pub(super) async fn open(&self, version: &WireVersion, thread: &NewThread, rungs: &[Rung]) -> Result<Posted, ForgeError> {
        let mut why = "it has no place in the diff".to_owned();
        for rung in rungs {
            let Some(position) = position(version, thread, *rung) else { continue };
            let body = text(thread, *rung);
            let call = || Call::post(self.of_request("discussions"), "open a thread", json!({"body": body, "position": position}));
            match once(|| async { self.api.json::<WireDiscussion>(call()).await.map(drop) }, || self.find_thread(body)).await {
                Ok(()) => return Ok(posted(*rung)),
                Err(ForgeError::Refused(told)) => why = told,
                // Another rung could make a second one of it.
                Err(e @ ForgeError::Unavailable(_)) => return Ok(Posted::Refused(e.to_string())),
                Err(e) => return Err(e),
            }
        }
        Ok(Posted::Refused(why))
    }

    /// A thread of ours with this text.
    async fn find_thread(&self, body: &str) -> Result<Option<()>, ForgeError> {
        let me = self.read_me().await?;
        let first =
            |d: &WireDiscussion| d.notes.first().is_some_and(|n| me.as_ref().is_some_and(|me| me.id == n.author.id) && same_text(&n.body, body));
        Ok(self.discussions().await?.iter().any(first).then_some(()))
    }
}

fn version(at: &MergeRequest) -> WireVersion {
    WireVersion { base: at.base_sha.clone(), start: at.start_sha.clone(), head: at.head_sha.clone() }
}

/// The text of a thread on a rung: a suggestion belongs to its lines.
pub(super) fn text(thread: &NewThread, rung: Rung) -> &str {
    if rung == Rung::File { &thread.plain_body } else { &thread.body }
}

pub(super) fn posted(rung: Rung) -> Posted {
    if rung == Rung::File { Posted::OnFile } else { Posted::OnLines }
}
