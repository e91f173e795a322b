//! Reads a conversation back: which comments are ours, and what they say of earlier rounds.

use super::humans::{Said, said};
use super::marker::{Found, Kind, Marker, Trust, find};
use super::pack::hex;
use super::state::{Record, State};
use crate::forge::{Comment, Conversation, Thread, User};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// A thread of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The thread as it stands.
    pub thread: Thread,
    /// The finding that it is about.
    pub record: Record,
    /// Its marker has a MAC that fits.
    pub trusted: bool,
    /// How many replies of humans stand in it.
    pub replies: u32,
}

/// What earlier rounds left in a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// What the newest round left: of a trusted one if there is any.
    pub state: Option<State>,
    /// Whether `state` is to be believed: its MAC fits our key, and one of us wrote it. What is not may prevent a repeat, nothing else.
    pub trusted: bool,
    /// Ids of the summary's comments: the main one, then its continuations.
    pub summary: Vec<String>,
    /// What stands in them.
    pub summary_bodies: Vec<String>,
    /// The comment that shows an unverified report: its id and what stands in it.
    pub unverified: Option<(String, String)>,
    /// Our threads, oldest first.
    pub threads: Vec<Known>,
    /// A digest of what humans said and resolved.
    pub events: String,
    /// What humans did, oldest first.
    pub(super) said: Vec<Said>,
    /// Markers that were ignored, and why: one line each.
    pub notes: Vec<String>,
}

/// How many markers were ignored, by reason.
#[derive(Default)]
pub(super) struct Ignored {
    foreign: usize,
    forged: usize,
    unknown: usize,
    pub(super) copied: usize,
    broken: usize,
}

/// A marker that counts, where one of us wrote it.
pub(super) fn ours(comment: &Comment, trust: &Trust<'_>, ignored: &mut Ignored) -> Option<Marker> {
    let found = find(&comment.body, trust);
    if found == Found::None || comment.system {
        return None;
    }
    if !trust.ours.contains(&comment.author.id) {
        ignored.foreign += 1;
        return None;
    }
    match found {
        Found::None => None,
        Found::Unknown => {
            ignored.unknown += 1;
            None
        }
        Found::Forged => {
            ignored.forged += 1;
            None
        }
        Found::Marker(marker) => Some(marker),
    }
}

/// Whether anything in a conversation claims to be ours.
pub fn has_markers(conversation: &Conversation) -> bool {
    let of_threads = conversation.threads.iter().flat_map(|t| &t.comments);
    conversation.comments.iter().chain(of_threads).any(|c| c.body.contains(super::marker::OPENING))
}

/// Finds our comments in a conversation. Forged, foreign and copied markers are left alone and noted; so are those of other versions.
pub fn read(conversation: &Conversation, trust: &Trust<'_>) -> Memory {
    let mut ignored = Ignored::default();
    let mut memory = Memory::default();
    let mut mains: Vec<(&Comment, bool, State)> = Vec::new();
    let mut more: Vec<(u32, &Comment, bool)> = Vec::new();
    for comment in &conversation.comments {
        let Some(marker) = ours(comment, trust, &mut ignored) else { continue };
        match marker.kind {
            Kind::Summary(1) => match State::unpack(&marker.payload, &marker.head) {
                Some(state) => mains.push((comment, marker.signed, state)),
                None => ignored.broken += 1,
            },
            Kind::Summary(n) => more.push((n, comment, marker.signed)),
            Kind::Unverified if memory.unverified.is_none() => memory.unverified = Some((comment.id.clone(), comment.body.clone())),
            Kind::Unverified | Kind::Thread => ignored.copied += 1,
        }
    }
    let mut seen = BTreeSet::new();
    for thread in &conversation.threads {
        let Some(first) = thread.comments.first() else { continue };
        for later in &thread.comments[1..] {
            ignored.copied += usize::from(ours(later, trust, &mut ignored).is_some());
        }
        let Some(marker) = ours(first, trust, &mut ignored) else { continue };
        if marker.kind != Kind::Thread {
            ignored.copied += 1;
            continue;
        }
        match Record::unpack(&marker.payload, &marker.head) {
            // Answers in a copy of a thread of ours are none to us.
            Some(_) if !seen.insert((marker.head.clone(), marker.payload.clone())) => ignored.copied += 1,
            Some(record) => {
                let replies = thread.comments.iter().skip(1).filter(|c| !c.system && human(&c.author, trust.ours)).count();
                memory.threads.push(Known {
                    thread: thread.clone(),
                    record,
                    trusted: marker.signed,
                    replies: u32::try_from(replies).unwrap_or(u32::MAX),
                });
            }
            None => ignored.broken += 1,
        }
    }
    // Of several the trusted and then the newest round's counts, since a copy of an older one must not take us back.
    let best = mains.iter().enumerate().max_by_key(|(i, (_, signed, state))| (*signed, state.round, std::cmp::Reverse(*i))).map(|(i, _)| i);
    if let Some(best) = best {
        ignored.copied += mains.len() - 1;
        let (comment, signed, state) = mains.swap_remove(best);
        memory.summary.push(comment.id.clone());
        memory.summary_bodies.push(comment.body.clone());
        more.sort_by_key(|(n, ..)| *n);
        for (n, comment, s) in more {
            if s == signed && usize::try_from(n).is_ok_and(|n| n == memory.summary.len() + 1) {
                memory.summary.push(comment.id.clone());
                memory.summary_bodies.push(comment.body.clone());
            } else {
                ignored.copied += 1;
            }
        }
        (memory.state, memory.trusted) = (Some(state), signed);
    } else {
        ignored.copied += more.len();
    }
    memory.notes = ignored.notes();
    memory.said = said(conversation, &memory.threads, trust.ours);
    memory.events = events(conversation, trust.ours);
    memory
}

/// Bots and we are no humans.
pub(super) fn human(user: &User, ours: &[u64]) -> bool {
    !user.bot && !ours.contains(&user.id)
}

/// What humans said and which threads they resolved.
fn events(conversation: &Conversation, ours: &[u64]) -> String {
    let human = |u: &User| human(u, ours);
    let mut hash = Sha256::new();
    let mut take = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    let threads = conversation.threads.iter();
    for comment in conversation.comments.iter().chain(threads.flat_map(|t| &t.comments)).filter(|c| !c.system && human(&c.author)) {
        [&comment.id, &comment.author.id.to_string(), &comment.body].into_iter().for_each(|p| take(p));
    }
    for thread in &conversation.threads {
        if let Some(by) = thread.resolved_by.as_ref().filter(|u| thread.resolved && human(u)) {
            ["resolved", &thread.id, &by.id.to_string()].into_iter().for_each(&mut take);
        }
    }
    hex(&hash.finalize(), 32)
}

impl Ignored {
    pub(super) fn notes(&self) -> Vec<String> {
        [
            (self.foreign, "by others with a marker of ours: ignored"),
            (self.forged, "of our user with a marker that our state key did not make for this merge request: ignored"),
            (self.copied, "of our user with a marker that belongs elsewhere: ignored"),
            (self.broken, "of our user with a marker that cannot be read: ignored"),
            (self.unknown, "of our user with a marker of another version: left alone"),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} comment{} {what}.", if n == 1 { "" } else { "s" }))
        .collect()
    }
}

#[cfg(test)]
mod tests;
