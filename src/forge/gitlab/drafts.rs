//! Draft notes: written one by one, published once, so that people get one mail. They are taken unchecked and lost without
//! a word when they are wrong, so the answers are looked at, and what was published is read back.

use super::answers::{WireDraft, WireVersion};
use super::position::{Rung, position};
use super::threads::{posted, text};
use super::{GitLab, read_call};
use crate::forge::call::Call;
use crate::forge::once::{TRIES, gone, same_text};
use crate::forge::{ForgeError, NewThread, Posted};
use serde_json::json;

/// What every text of ours holds: drafts with it are ours, others are a person's who uses the same account.
const MARK: &str = "<!-- tribune:";
/// The most drafts that are read.
const MAX_DRAFTS: usize = 20_000;

/// A thread on its way: as a draft on a rung, or refused by all.
enum Way {
    Draft { id: u64, author: Option<u64>, rung: Rung },
    Refused(String),
}

impl GitLab {
    /// The unpublished comments of the token's user; `None` where this GitLab has none.
    pub(super) async fn drafts(&self) -> Result<Option<Vec<WireDraft>>, ForgeError> {
        match self.api.list(read_call(self.of_request("draft_notes"), "read unpublished comments"), MAX_DRAFTS).await {
            Ok(drafts) => Ok(Some(drafts)),
            Err(ForgeError::Missing(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub(super) async fn by_drafts(&self, version: &WireVersion, left: Vec<WireDraft>, threads: &[NewThread]) -> Result<Vec<Posted>, ForgeError> {
        let (mut ours, foreign): (Vec<_>, Vec<_>) = left.into_iter().partition(|d| d.note.contains(MARK));
        let mut ways: Vec<Option<Way>> = threads.iter().map(|thread| reuse(version, thread, &mut ours)).collect();
        for old in ours {
            gone(self.api.send(Call::delete(self.of_draft(old.id), "delete an old unpublished comment")).await)?;
        }
        let mut stopped: Option<ForgeError> = None;
        for (way, thread) in ways.iter_mut().zip(threads) {
            if way.is_none() {
                *way = match &stopped {
                    Some(e) => Some(Way::Refused(e.to_string())),
                    None => match self.draft(version, thread).await {
                        Ok(way) => Some(way),
                        Err(e) => Some(Way::Refused(stopped.insert(e).to_string())),
                    },
                };
            }
        }
        let ways: Vec<Way> = ways.into_iter().flatten().collect();
        let ids: Vec<u64> = ways.iter().filter_map(|w| if let Way::Draft { id, .. } = w { Some(*id) } else { None }).collect();
        match stopped {
            Some(e) if ids.is_empty() => return Err(e),
            _ if ids.is_empty() => {}
            _ if foreign.is_empty() => self.publish_all(&ids).await?,
            _ => self.publish_each(&ids).await?,
        }
        self.count(version, threads, ways).await
    }

    fn of_draft(&self, id: u64) -> String {
        self.of_request(&format!("draft_notes/{id}"))
    }

    /// Writes one draft, on the first rung on which the server finds its line.
    async fn draft(&self, version: &WireVersion, thread: &NewThread) -> Result<Way, ForgeError> {
        let mut why = "it has no place in the diff".to_owned();
        for rung in Rung::of(thread) {
            let Some(position) = position(version, thread, *rung) else { continue };
            let body = text(thread, *rung);
            for _ in 0..TRIES {
                let call = Call::post(self.of_request("draft_notes"), "write an unpublished comment", json!({"note": body, "position": position}));
                match self.api.json::<WireDraft>(call).await {
                    // No line code: publishing it would lose it.
                    Ok(draft) if *rung != Rung::File && draft.line_code.is_none() => {
                        gone(self.api.send(Call::delete(self.of_draft(draft.id), "delete an unpublished comment")).await)?;
                        why = "GitLab does not find the line in its diff".to_owned();
                        break;
                    }
                    Ok(draft) => return Ok(Way::Draft { id: draft.id, author: draft.author_id, rung: *rung }),
                    Err(ForgeError::Refused(told)) => {
                        why = told;
                        break;
                    }
                    Err(e @ ForgeError::Unavailable(_)) => {
                        why = e.to_string();
                        // It may have been written all the same.
                        let mut found = self.drafts().await?.unwrap_or_default();
                        found.retain(|d| same_text(&d.note, body));
                        if let Some(Way::Draft { id, author, rung }) = reuse(version, thread, &mut found) {
                            return Ok(Way::Draft { id, author, rung });
                        }
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(Way::Refused(why))
    }

    /// Publishes all drafts of the token's user, which are `ids` alone.
    async fn publish_all(&self, ids: &[u64]) -> Result<(), ForgeError> {
        let call = Call::post(self.of_request("draft_notes/bulk_publish"), "publish the comments", json!({}));
        match self.api.send(call).await {
            Ok(_) => Ok(()),
            // It may have been done, in part or whole. What is left is published one by one.
            Err(ForgeError::Unavailable(_) | ForgeError::Missing(_)) => {
                let left: Vec<u64> = self.drafts().await?.unwrap_or_default().iter().map(|d| d.id).filter(|id| ids.contains(id)).collect();
                self.publish_each(&left).await
            }
            Err(e) => Err(e),
        }
    }

    /// Publishes these drafts and no others.
    async fn publish_each(&self, ids: &[u64]) -> Result<(), ForgeError> {
        for id in ids {
            let path = format!("{}/publish", self.of_draft(*id));
            gone(self.api.send(Call::put(path, "publish a comment", json!({}))).await)?;
        }
        Ok(())
    }

    /// What became of each: looked up among the discussions. One that got lost goes on down its ladder.
    async fn count(&self, version: &WireVersion, threads: &[NewThread], ways: Vec<Way>) -> Result<Vec<Posted>, ForgeError> {
        let published = ways.iter().any(|way| matches!(way, Way::Draft { .. }));
        let discussions = if published { self.discussions().await? } else { Vec::new() };
        let mut firsts: Vec<(u64, &str)> = discussions.iter().filter_map(|d| d.notes.first()).map(|n| (n.author.id, n.body.as_str())).collect();
        let mut all = Vec::new();
        for (thread, way) in threads.iter().zip(ways) {
            let (author, rung) = match way {
                Way::Draft { author, rung, .. } => (author, rung),
                Way::Refused(why) => {
                    all.push(Posted::Refused(why));
                    continue;
                }
            };
            let ours = |(by, body): &(u64, &str)| author.is_none_or(|a| a == *by) && same_text(body, text(thread, rung));
            match firsts.iter().position(ours) {
                Some(at) => {
                    firsts.swap_remove(at);
                    all.push(posted(rung));
                }
                None => {
                    let rest: Vec<Rung> = Rung::of(thread).iter().copied().skip_while(|r| *r != rung).collect();
                    all.push(self.open(version, thread, &rest).await.unwrap_or_else(|e| Posted::Refused(e.to_string())));
                }
            }
        }
        Ok(all)
    }
}

/// A draft that an earlier, broken run left and that is exactly what would be written now; taken out of `left`.
fn reuse(version: &WireVersion, thread: &NewThread, left: &mut Vec<WireDraft>) -> Option<Way> {
    Rung::of(thread).iter().find_map(|rung| {
        let wanted = position(version, thread, *rung)?;
        let at = left.iter().position(|d| {
            let Some(p) = &d.position else { return false };
            let is_file = p.position_type.as_deref() == Some("file");
            let same = |key: &str, value: &Option<String>| wanted[key].as_str() == value.as_deref();
            let number = |key: &str, value: Option<u32>| wanted[key].as_u64() == value.map(u64::from);
            (is_file == (*rung == Rung::File) && (is_file || d.line_code.is_some()))
                && same("head_sha", &p.head_sha)
                && same("new_path", &p.new_path)
                && same("old_path", &p.old_path)
                && number("new_line", p.new_line)
                && number("old_line", p.old_line)
                && same_text(&d.note, text(thread, *rung))
        })?;
        let draft = left.swap_remove(at);
        Some(Way::Draft { id: draft.id, author: draft.author_id, rung: *rung })
    })
}
