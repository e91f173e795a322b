//! Everything of ours that stands in a conversation, whatever a round would make of it: what a retraction is about.

use super::marker::{Kind, Trust};
use super::read::{Ignored, ours};
use super::state::Record;
use crate::forge::{Comment, Conversation, Thread};

/// What is ours.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Own<'a> {
    /// Threads that we opened, oldest first, with the finding that each is about, where it can still be read.
    pub threads: Vec<(&'a Thread, Option<Record>)>,
    /// Plain comments: parts of a summary.
    pub comments: Vec<&'a Comment>,
    /// What looks like ours and is left alone, one line each.
    pub notes: Vec<String>,
}

/// Finds it: by author and marker, and where there is a state key by its MAC alone, since others may write as the same user.
pub fn own<'a>(conversation: &'a Conversation, trust: &Trust<'_>) -> Own<'a> {
    let mut own = Own::default();
    let mut ignored = Ignored::default();
    let mut unsigned = 0;
    let mut marked = |comment: &Comment, thread: bool| {
        let marker = ours(comment, trust, &mut ignored)?;
        if (marker.kind == Kind::Thread) != thread {
            ignored.copied += 1;
            return None;
        }
        let counts = marker.signed || trust.key.is_none();
        unsigned += usize::from(!counts);
        counts.then_some(marker)
    };
    for comment in &conversation.comments {
        own.comments.extend(marked(comment, false).map(|_| comment));
    }
    for thread in &conversation.threads {
        let marker = thread.comments.first().and_then(|first| marked(first, true));
        own.threads.extend(marker.map(|m| (thread, Record::unpack(&m.payload, &m.head))));
    }
    own.notes = ignored.notes();
    if unsigned > 0 {
        own.notes.push(format!(
            "{unsigned} comment{} of our user with a marker that no state key has signed: left alone. Without TRIBUNE_STATE_KEY they count.",
            if unsigned == 1 { "" } else { "s" }
        ));
    }
    own
}
