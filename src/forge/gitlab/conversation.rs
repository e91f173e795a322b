//! Discussions as neutral comments and threads.

use super::answers::{WireDiscussion, WireNote, WirePosition, WireUser};
use super::{GitLab, read_call};
use crate::diff::Side;
use crate::forge::{Conversation, ForgeError, Place, Thread};

/// The most discussions of a merge request that are read.
const MAX_DISCUSSIONS: usize = 20_000;

impl GitLab {
    pub(super) async fn read_conversation(&self) -> Result<Conversation, ForgeError> {
        let head = self.known().head.clone();
        let mut conversation = Conversation::default();
        for discussion in self.discussions().await? {
            if discussion.individual_note {
                conversation.comments.extend(discussion.notes.into_iter().map(WireNote::comment));
            } else if let Some(thread) = thread(discussion, head.as_deref()) {
                conversation.threads.push(thread);
            }
        }
        Ok(conversation)
    }

    pub(super) async fn discussions(&self) -> Result<Vec<WireDiscussion>, ForgeError> {
        self.api.list(read_call(self.of_request("discussions"), "read the comments"), MAX_DISCUSSIONS).await
    }
}

/// A discussion as a thread; `None` where it has no note.
fn thread(discussion: WireDiscussion, head: Option<&str>) -> Option<Thread> {
    let human = |note: &&WireNote| !note.system;
    // What the server adds inside ("changed this line") has no state of its own.
    let first = discussion.notes.iter().find(human).or(discussion.notes.first())?;
    let place = first.position.as_ref().map(|p| place(p, head));
    let (resolvable, resolved) = (first.resolvable, discussion.notes.iter().filter(|n| n.resolvable).all(|n| n.resolved) && first.resolvable);
    let mut resolver = None;
    let mut comments = Vec::new();
    for mut note in discussion.notes {
        resolver = note.resolved_by.take().or(resolver);
        comments.push(note.comment());
    }
    Some(Thread { id: discussion.id, comments, place, resolvable, resolved, resolved_by: resolver.filter(|_| resolved).map(WireUser::user) })
}

fn place(position: &WirePosition, head: Option<&str>) -> Place {
    // A position that the server could not move along stays on the commit it was written for.
    let outdated = head.is_some() && position.head_sha.as_deref() != head;
    let (path, line) = match (position.new_line, position.old_line) {
        (Some(new), _) => (&position.new_path, Some((new, Side::New))),
        (None, Some(old)) => (&position.old_path, Some((old, Side::Old))),
        (None, None) => (&position.new_path, None),
    };
    Place { path: path.clone().unwrap_or_default(), line: line.filter(|_| !outdated) }
}
