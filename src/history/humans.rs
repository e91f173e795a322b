//! What humans decided: which findings they settled, what they argued, whether they opened the gate. Whose word counts is for
//! their role to say, which the forge confirms (TRUST 9); code decides, never a model.

use super::read::{Known, Memory, human};
use super::round::Override;
use super::state::Record;
use super::words::{breaks_glass, settles};
use crate::findings::Severity;
use crate::findings::words::cut_bytes;
use crate::forge::{Comment, Conversation, MergeRequest, Role, Thread, User};
use std::collections::BTreeMap;

/// Arguments that are kept of a thread, the newest ones, and the bytes of each.
const MAX_ARGUMENTS: usize = 4;
const MAX_ARGUMENT: usize = 1_500;
/// People whose roles are asked for: each is a request to the forge.
const MAX_ASKED: usize = 20;
/// Notes about words that did not count.
const MAX_NOTES: usize = 10;

/// Roles by the forge's user id; who is missing may only read.
pub type Roles = BTreeMap<u64, Role>;

/// Something that a human did, before anybody asked whether he may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Words that settle the finding of the thread (its index in [`Memory::threads`]).
    Settles { thread: usize, by: User, word: &'static str },
    /// The thread was resolved.
    Resolved { thread: usize, by: User },
    /// Other words in the thread.
    Argued { thread: usize, by: User, text: String },
    /// A line that asks to open the gate, for the head that begins so.
    Glass { by: User, head: String, reason: String, edited: bool },
}

impl Said {
    fn by(&self) -> &User {
        match self {
            Said::Settles { by, .. } | Said::Resolved { by, .. } | Said::Argued { by, .. } | Said::Glass { by, .. } => by,
        }
    }
}

/// A finding that a human settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Who: a login.
    pub by: String,
    /// The gate does not listen to him: it counts on.
    pub gates: bool,
    /// How, in words: `won't fix`, `resolved the thread`.
    pub how: String,
}

/// What a human with a role said to a finding in words that do not settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Who: a login.
    pub by: String,
    /// He is the author of the change: the gate does not listen to him.
    pub author: bool,
    /// What he said, bounded. A stranger's text.
    pub text: String,
}

/// What humans decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Humans {
    /// By thread id.
    pub settled: BTreeMap<String, Settled>,
    /// By thread id, oldest first.
    pub arguments: BTreeMap<String, Vec<Argument>>,
    /// The gate was opened for this head.
    pub glass: Option<Override>,
    /// Words that did not count, and why: one line each.
    pub notes: Vec<String>,
}

/// What humans said in a conversation, oldest first. Bots, the forge itself and we are none; an edited comment says nothing.
pub(super) fn said(conversation: &Conversation, threads: &[Known], ours: &[u64]) -> Vec<Said> {
    let human = |u: &User| human(u, ours);
    let spoken = |c: &Comment| !c.system && human(&c.author);
    let mut out = Vec::new();
    for (index, known) in threads.iter().enumerate() {
        let thread = &known.thread;
        let mut arguments = Vec::new();
        for comment in thread.comments.iter().skip(1).filter(|c| spoken(c)) {
            let by = comment.author.clone();
            match settles(&comment.body) {
                Some(word) if !comment.edited => out.push(Said::Settles { thread: index, by, word }),
                _ if breaks_glass(&comment.body).is_some() => {}
                _ => arguments.push(Said::Argued { thread: index, by, text: cut_bytes(comment.body.trim(), MAX_ARGUMENT).to_owned() }),
            }
        }
        let late = arguments.len().saturating_sub(MAX_ARGUMENTS);
        out.extend(arguments.into_iter().skip(late));
        if let Some(by) = thread.resolved_by.as_ref().filter(|u| thread.resolved && human(u)) {
            out.push(Said::Resolved { thread: index, by: by.clone() });
        }
    }
    let all = conversation.comments.iter().chain(conversation.threads.iter().flat_map(|t: &Thread| &t.comments));
    for comment in all.filter(|c| spoken(c)) {
        if let Some(glass) = breaks_glass(&comment.body) {
            out.push(Said::Glass { by: comment.author.clone(), head: glass.head, reason: glass.reason, edited: comment.edited });
        }
    }
    out
}

impl Memory {
    /// The people whose roles [`Memory::humans`] needs to know, each once, those who speak of settling or the gate first. Nobody
    /// where there is nothing to decide.
    pub fn asked(&self, mr: &MergeRequest) -> Vec<User> {
        let counts = |s: &Said| match s {
            Said::Settles { thread, .. } | Said::Resolved { thread, .. } | Said::Argued { thread, .. } => self.believed(*thread),
            Said::Glass { head, edited, .. } => !edited && mr.head_sha.starts_with(head.as_str()),
        };
        let mut said: Vec<&Said> = self.said.iter().filter(|s| counts(s)).collect();
        said.sort_by_key(|s| matches!(s, Said::Argued { .. }));
        let mut out: Vec<User> = Vec::new();
        for one in said {
            if !out.iter().any(|u| u.id == one.by().id) {
                out.push(one.by().clone());
            }
        }
        out.truncate(MAX_ASKED);
        out
    }

    /// Whether a thread says what it is about with a MAC that fits. Else a decision in it could be about anything.
    fn believed(&self, thread: usize) -> bool {
        self.threads.get(thread).is_some_and(|t| t.trusted)
    }

    /// What humans decided, given their roles. `overriding` is the least role that opens the gate and settles critical findings.
    pub fn humans(&self, mr: &MergeRequest, roles: &Roles, overriding: Role) -> Humans {
        let role = |user: &User| roles.get(&user.id).copied().unwrap_or(Role::Reader);
        let mut out = Humans::default();
        let mut unsigned = false;
        for said in &self.said {
            match said {
                Said::Settles { thread, .. } | Said::Resolved { thread, .. } | Said::Argued { thread, .. } if !self.believed(*thread) => {
                    unsigned |= !matches!(said, Said::Argued { .. });
                }
                Said::Settles { thread, by, word } => self.settle(*thread, by, word, role(by), mr, overriding, &mut out),
                Said::Resolved { thread, by } => self.settle(*thread, by, "resolved the thread", role(by), mr, overriding, &mut out),
                Said::Argued { thread, by, text } => {
                    if role(by) >= Role::Developer
                        && let Some(known) = self.threads.get(*thread)
                    {
                        let argument = Argument { by: by.name.clone(), author: by.id == mr.author.id, text: text.clone() };
                        out.arguments.entry(known.thread.id.clone()).or_default().push(argument);
                    }
                }
                Said::Glass { by, head, reason, edited } => {
                    let why = if *edited {
                        Some("it was edited".to_owned())
                    } else if !mr.head_sha.starts_with(head.as_str()) {
                        Some("it is about another head".to_owned())
                    } else if role(by) < overriding {
                        Some(format!("the role is {}", role_name(role(by))))
                    } else {
                        None
                    };
                    match why {
                        None if out.glass.is_none() => {
                            let (by, role) = (by.name.clone(), role(by));
                            out.glass = Some(Override { by, role, reason: reason.clone(), head: mr.head_sha.clone() });
                        }
                        None => {}
                        Some(why) => out.notes.push(format!("The break glass by {} does not count: {why}.", by.name)),
                    }
                }
            }
        }
        if unsigned {
            out.notes.push("Replies that settle a finding do not count: without TRIBUNE_STATE_KEY nobody can say what a thread is about.".to_owned());
        }
        out.notes.truncate(MAX_NOTES);
        out
    }

    #[expect(clippy::too_many_arguments, reason = "one decision")]
    fn settle(&self, thread: usize, by: &User, how: &str, role: Role, mr: &MergeRequest, overriding: Role, out: &mut Humans) {
        let Some(known) = self.threads.get(thread) else { return };
        if role < Role::Developer {
            let record: &Record = &known.record;
            out.notes.push(format!("{} cannot settle \u{201c}{}\u{201d}: the role is {}.", by.name, record.title, role_name(role)));
            return;
        }
        // It may have been told as something worse since its thread was opened.
        let told = self.state.iter().flat_map(|s| &s.findings).filter(|r| r.fingerprint == known.record.fingerprint).map(|r| r.severity);
        let critical = told.chain([known.record.severity]).max() == Some(Severity::Critical);
        let needed = if critical { overriding } else { Role::Developer };
        let settled = Settled { by: by.name.clone(), gates: by.id == mr.author.id || role < needed, how: how.to_owned() };
        let entry = out.settled.entry(known.thread.id.clone()).or_insert_with(|| settled.clone());
        if entry.gates && !settled.gates {
            *entry = settled;
        }
    }
}

/// A role in words.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Developer => "developer",
        Role::Maintainer => "maintainer",
    }
}

#[cfg(test)]
mod tests;
