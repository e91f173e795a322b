//! New threads, as reviews of a few dozen comments. One bad comment makes GitHub refuse a whole review without naming it,
//! so what stands in no hunk is not sent at all, and what is refused is halved until the bad one is alone. That one goes
//! down the ladder: its last line, the file, the summary.

use super::GitHub;
use crate::diff::Side;
use crate::forge::call::Call;
use crate::forge::once::{TRIES, once, same_text};
use crate::forge::{ForgeError, MergeRequest, NewThread, Posted, Span};
use serde_json::{Value, json};

/// Comments of one review.
const CHUNK: usize = 40;

/// A thread on its way.
struct Way<'a> {
    thread: &'a NewThread,
    /// Where it is to stand; `None`: on the file.
    span: Option<Span>,
    end: Option<Posted>,
    why: String,
}

/// How far the writing came.
struct Course {
    /// What no further request would get past: nothing is sent after it.
    stopped: Option<ForgeError>,
    anything: bool,
}

impl GitHub {
    /// Fails where somebody has pushed, or changed the target branch: comments would stand elsewhere.
    pub(super) async fn stands_still(&self, at: &MergeRequest) -> Result<(), ForgeError> {
        let now = self.pull().await?;
        if now.head.sha != at.head_sha {
            return Err(ForgeError::Conflict(format!("its head is {} now, {} was reviewed", now.head.sha, at.head_sha)));
        }
        if now.base.branch != at.target_branch {
            return Err(ForgeError::Conflict("it goes into another branch now".to_owned()));
        }
        Ok(())
    }

    /// Opens threads on the head that was reviewed. Read again just before: comments on an older head would stand elsewhere.
    pub(super) async fn write_threads(&self, at: &MergeRequest, threads: &[NewThread]) -> Result<Vec<Posted>, ForgeError> {
        if threads.is_empty() {
            return Ok(Vec::new());
        }
        self.may_write()?;
        self.stands_still(at).await?;
        let mut ways: Vec<Way<'_>> = threads.iter().map(Way::of).collect();
        let mut course = Course { stopped: None, anything: false };
        self.post_all(at, &mut ways, &mut course).await?;
        // What was refused as a range may stand on its last line.
        let mut again: Vec<&mut Way<'_>> = ways.iter_mut().filter(|w| w.is_refused_range()).collect();
        for way in &mut again {
            (way.span, way.end) = (way.span.as_ref().map(Span::last_line), None);
        }
        if !again.is_empty() {
            self.post_all(at, &mut ways, &mut course).await?;
        }
        for way in ways.iter_mut().filter(|w| matches!(w.end, None | Some(Posted::Refused(_)))) {
            self.post_on_file(at, way, &mut course).await?;
        }
        match course.stopped {
            // Nothing stands, so nothing has to be told but the reason.
            Some(e) if !course.anything => Err(e),
            _ => Ok(ways.into_iter().map(|w| w.end.unwrap_or(Posted::Refused(w.why))).collect()),
        }
    }

    /// Sends everything that has lines and no end yet, chunk by chunk.
    async fn post_all(&self, at: &MergeRequest, ways: &mut [Way<'_>], course: &mut Course) -> Result<(), ForgeError> {
        let open: Vec<usize> = (0..ways.len()).filter(|i| ways[*i].end.is_none() && ways[*i].span.is_some()).collect();
        for chunk in open.chunks(CHUNK) {
            self.post(at, ways, chunk, course).await?;
        }
        Ok(())
    }

    /// Sends one review; where it is refused, its halves, until each bad comment is alone.
    async fn post(&self, at: &MergeRequest, ways: &mut [Way<'_>], chunk: &[usize], course: &mut Course) -> Result<(), ForgeError> {
        // Parts still to be sent, the first one last; `Some`: known to hold a bad comment, and why.
        let mut parts: Vec<(Vec<usize>, Option<String>)> = vec![(chunk.to_vec(), None)];
        while let Some((part, known)) = parts.pop() {
            if let Some(e) = &course.stopped {
                part.iter().for_each(|i| ways[*i].why = e.to_string());
                continue;
            }
            let refused = match known {
                Some(why) => Some(why),
                None => self.post_part(at, ways, &part, course).await?,
            };
            // Of a chunk that was refused, somebody may have pushed: then none of its halves is taken either.
            if refused.is_some() && part.len() == chunk.len() && self.has_moved(at, course).await? {
                part.iter().for_each(|i| ways[*i].why = course.stopped.as_ref().map(ToString::to_string).unwrap_or_default());
                continue;
            }
            match refused {
                None => {}
                Some(why) if part.len() == 1 => ways[part[0]].end = Some(Posted::Refused(why)),
                Some(why) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    let (first, second) = (first.to_vec(), second.to_vec());
                    match self.post_part(at, ways, &first, course).await? {
                        // The first half stands, so it is the second that holds the bad one: no need to ask.
                        None if course.stopped.is_none() => parts.push((second, Some(why))),
                        None => parts.push((second, None)),
                        Some(told) => {
                            parts.push((second, None));
                            parts.push((first, Some(told)));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the head is another one now: then nothing more is sent.
    async fn has_moved(&self, at: &MergeRequest, course: &mut Course) -> Result<bool, ForgeError> {
        match self.stands_still(at).await {
            Err(e @ ForgeError::Conflict(_)) => course.stopped = Some(e),
            other => return other.map(|()| false),
        }
        Ok(true)
    }

    /// Sends one review. `Some`: it was refused for one of its comments, and why.
    async fn post_part(&self, at: &MergeRequest, ways: &mut [Way<'_>], part: &[usize], course: &mut Course) -> Result<Option<String>, ForgeError> {
        let comments: Vec<Value> = part.iter().filter_map(|i| ways[*i].comment()).collect();
        let head: String = at.head_sha.chars().take(12).collect();
        let review = json!({"commit_id": at.head_sha, "event": "COMMENT", "body": format!("Comments on {head}."), "comments": comments});
        let mut why = String::new();
        for attempt in 0..=TRIES {
            if attempt > 0 && self.stand(ways, part).await? {
                break;
            }
            if attempt == TRIES {
                course.stopped = Some(ForgeError::Unavailable(why.clone()));
                part.iter().for_each(|i| ways[*i].why = why.clone());
                return Ok(None);
            }
            let call = Call::post(self.of_pull("reviews"), "write a review", review.clone());
            match self.write(call).await {
                Ok(_) => break,
                // Open whether it stands: looked for before it is sent again.
                Err(ForgeError::Unavailable(told)) => why = told,
                Err(ForgeError::Refused(told)) if told.contains("pending review") => {
                    if !self.drop_leftover().await? {
                        course.stopped = Some(ForgeError::Refused("the token's user has an unpublished review of their own".to_owned()));
                        return Ok(None);
                    }
                }
                Err(ForgeError::Refused(told)) => return Ok(Some(told)),
                Err(e) => {
                    part.iter().for_each(|i| ways[*i].why = e.to_string());
                    course.stopped = Some(e);
                    return Ok(None);
                }
            }
        }
        course.anything = true;
        part.iter().for_each(|i| ways[*i].end = Some(Posted::OnLines));
        Ok(None)
    }

    /// Whether the comments of this part stand, as ours: a review stands whole or not at all.
    async fn stand(&self, ways: &[Way<'_>], part: &[usize]) -> Result<bool, ForgeError> {
        let Some(way) = part.first().map(|i| &ways[*i]) else { return Ok(true) };
        self.stands(way).await
    }

    async fn stands(&self, way: &Way<'_>) -> Result<bool, ForgeError> {
        for comment in self.review_comments().await?.into_iter().filter(|c| c.path.as_deref() == Some(&way.thread.new_path)) {
            let comment = comment.comment(None);
            if same_text(&comment.body, way.body()) && self.is_ours(&comment).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A comment on the file, which a review cannot hold.
    async fn post_on_file(&self, at: &MergeRequest, way: &mut Way<'_>, course: &mut Course) -> Result<(), ForgeError> {
        let before = match way.end.take() {
            Some(Posted::Refused(why)) => why,
            _ => String::new(),
        };
        if course.stopped.is_some() {
            way.end = Some(Posted::Refused(if way.why.is_empty() { before } else { way.why.clone() }));
            return Ok(());
        }
        way.span = None;
        let body = json!({"commit_id": at.head_sha, "path": way.thread.new_path, "subject_type": "file", "body": way.thread.plain_body});
        let call = || Call::post(self.of_pull("comments"), "comment on a file", body.clone());
        let find = || async { Ok(self.stands(way).await?.then_some(())) };
        way.end = Some(match once(|| async { self.write(call()).await.map(drop) }, find).await {
            Ok(()) => {
                course.anything = true;
                Posted::OnFile
            }
            Err(ForgeError::Refused(why)) => Posted::Refused(if before.is_empty() { why } else { before }),
            Err(ForgeError::Unavailable(why)) => Posted::Refused(why),
            Err(e) => {
                course.stopped = Some(e.clone());
                Posted::Refused(e.to_string())
            }
        });
        Ok(())
    }
}

impl<'a> Way<'a> {
    fn of(thread: &'a NewThread) -> Self {
        // GitHub shows comments only where its page shows the lines.
        let span = thread.span.clone().filter(|s| s.in_hunk);
        Self { thread, span, end: None, why: "its lines do not stand in the diff".to_owned() }
    }

    fn is_refused_range(&self) -> bool {
        matches!(self.end, Some(Posted::Refused(_))) && self.span.as_ref().is_some_and(|s| s.lines.0 < s.lines.1)
    }

    /// A suggestion belongs to exactly the lines that it replaces.
    fn body(&self) -> &'a str {
        if self.span.is_some() && self.span.as_ref().map(|s| s.lines) == self.thread.span.as_ref().map(|s| s.lines) {
            &self.thread.body
        } else {
            &self.thread.plain_body
        }
    }

    fn comment(&self) -> Option<Value> {
        let span = self.span.as_ref()?;
        let side = if span.side == Side::Old { "LEFT" } else { "RIGHT" };
        let mut comment = json!({"path": self.thread.new_path, "body": self.body(), "line": span.lines.1, "side": side});
        if span.lines.0 < span.lines.1 {
            comment["start_line"] = json!(span.lines.0);
            comment["start_side"] = json!(side);
        }
        Some(comment)
    }
}
