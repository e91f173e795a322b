//! The facts in one short line.

use super::{LockChange, LockFacts};

/// How many packages are named for each kind of fact.
const NAMED: usize = 3;
/// Packages named at this length at most.
const NAME_CHARS: usize = 40;
/// The whole line.
const LINE_CHARS: usize = 600;

pub(super) fn line(facts: &LockFacts) -> String {
    let mut parts: Vec<String> = Vec::new();
    match facts.change {
        LockChange::Added => parts.push(format!("new lock file with {}", count(facts.added.len(), "package"))),
        LockChange::Removed => parts.push(format!("lock file removed with {}", count(facts.removed.len(), "package"))),
        LockChange::Changed => {
            if !facts.changed.is_empty() {
                parts.push(format!("{} changed", count(facts.changed.len(), "package")));
            }
            if !facts.added.is_empty() {
                parts.push(format!("{} added", count(facts.added.len(), "package")));
            }
            if !facts.removed.is_empty() {
                parts.push(format!("{} removed", count(facts.removed.len(), "package")));
            }
        }
    }
    let majors: Vec<String> =
        facts.majors().filter_map(|c| c.major().map(|(old, new)| format!("{} {} -> {}", short(&c.name), short(&old), short(&new)))).collect();
    if !majors.is_empty() {
        parts.push(format!("{}: {}", count(majors.len(), "major"), named(&majors)));
    }
    if !facts.host_changes.is_empty() {
        let mut moved: Vec<String> = facts.host_changes.iter().map(|h| short(&h.name)).collect();
        moved.dedup();
        parts.push(format!("source host of {} changed", named(&moved)));
    }
    if !facts.new_sources.is_empty() {
        let new: Vec<String> = facts
            .new_sources
            .iter()
            .map(|s| {
                format!("{} from {}", short(&s.name), if s.from.is_empty() { s.kind.to_owned() } else { format!("{} {}", s.kind, short(&s.from)) })
            })
            .collect();
        parts.push(format!("{}: {}", count(new.len(), "new source"), named(&new)));
    }
    if !facts.lost_integrity.is_empty() {
        let s = if facts.lost_integrity.len() == 1 { "hash" } else { "hashes" };
        parts.push(format!("{} integrity {s} lost", facts.lost_integrity.len()));
    }
    if !facts.rehashed.is_empty() {
        let names: Vec<String> = facts.rehashed.iter().map(|n| short(n)).collect();
        parts.push(format!("hash of {} changed at the same version", named(&names)));
    }
    if parts.is_empty() {
        return "no package changed".to_owned();
    }
    cut(&parts.join(", "), LINE_CHARS)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn named(all: &[String]) -> String {
    let mut out = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > NAMED {
        out.push_str(&format!(" and {} more", all.len() - NAMED));
    }
    out
}

fn short(text: &str) -> String {
    cut(text, NAME_CHARS)
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
}
