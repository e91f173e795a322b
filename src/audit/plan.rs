//! What models are asked: the files packed into parts, the rules without a detector in batches, each pair of them a unit of
//! work. The plan depends on the tree and the rules alone, so that shards and a second run find the same units.

use super::files::{Files, Held};
use super::scan::may_judge;
use crate::git::TreeEntry;
use crate::lang::Lang;
use crate::path::RepoPath;
use crate::rules::{Rule, RuleLevel, RuleSet};
use crate::run::Setup;
use crate::text::FileText;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of the files of one part: about 20,000 tokens.
const PART_BYTES: u64 = 80_000;
/// A larger file is for nobody to read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Rules of one batch, and bytes of their texts.
const BATCH_RULES: usize = 20;
const BATCH_BYTES: usize = 16_000;
/// Bytes of one rule's text.
const MAX_RULE_TEXT: usize = 1_200;

/// All units, in their order.
pub(super) struct Plan<'a> {
    pub(super) parts: Vec<Vec<Piece<'a>>>,
    pub(super) units: Vec<Unit>,
    /// Files that no model may be shown, or that are too large for one, with the reason.
    pub(super) withheld: Vec<(String, String)>,
}

/// A file, or a stretch of a large one.
#[derive(Debug, Clone)]
pub(super) struct Piece<'a> {
    pub(super) entry: &'a TreeEntry,
    /// Which stretch, from 0, and of how many.
    pub(super) stretch: (u64, u64),
}

/// Rules to judge in a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// The part's index.
    pub(super) part: usize,
    /// The rules' ids.
    pub(super) rules: Vec<String>,
}

/// Plans the work on all files.
pub(super) fn plan<'a>(setup: &Setup, rules: &RuleSet, files: &Files<'a>) -> Plan<'a> {
    let mut plan = Plan { parts: Vec::new(), units: Vec::new(), withheld: Vec::new() };
    let (mut room, mut last) = (0, None::<&TreeEntry>);
    for entry in files.all.iter().copied() {
        if judged(setup, rules, &entry.path).next().is_none() {
            continue;
        }
        let withheld = |why: &str| (entry.path.display().into_owned(), why.to_owned());
        if setup.config().is_private(&entry.path) {
            plan.withheld.push(withheld("private path: no model sees it"));
            continue;
        }
        let size = files.size(entry).unwrap_or(0);
        if size > MAX_FILE_BYTES {
            plan.withheld.push(withheld("larger than 1 MiB: no model sees it"));
            continue;
        }
        // Noise is known from the text; so is what is no text at all.
        let Held::Text(text) = files.read(entry) else { continue };
        if size == 0 || files.noise(entry, &text).is_some() {
            continue;
        }
        let of = size.div_ceil(PART_BYTES).max(1);
        // Files of one top folder stand together, so that a change elsewhere leaves their part as it is.
        let elsewhere = last.is_some_and(|l| top(&l.path) != top(&entry.path));
        for stretch in 0..of {
            let bytes = (size - stretch * PART_BYTES).min(PART_BYTES);
            if plan.parts.is_empty() || bytes > room || elsewhere && stretch == 0 {
                plan.parts.push(Vec::new());
                room = PART_BYTES;
            }
            room = room.saturating_sub(bytes);
            plan.parts.last_mut().expect("one was just there").push(Piece { entry, stretch: (stretch, of) });
        }
        last = Some(entry);
    }
    for (part, pieces) in plan.parts.iter().enumerate() {
        let paths: BTreeSet<&RepoPath> = pieces.iter().map(|p| &p.entry.path).collect();
        let all: BTreeMap<&str, &Rule> = paths.into_iter().flat_map(|p| judged(setup, rules, p)).map(|r| (r.id.as_str(), r)).collect();
        plan.units.extend(batches(all.into_values().collect()).into_iter().map(|rules| Unit { part, rules }));
    }
    plan
}

/// Whether models judge a rule: no code can, and a tree can follow or break it.
pub(super) fn for_auditors(rule: &Rule) -> bool {
    !rule.has_detector && !rule.about_changes
}

/// The rules that models judge in a file.
pub(super) fn judged<'r>(setup: &'r Setup, rules: &'r RuleSet, path: &RepoPath) -> impl Iterator<Item = &'r Rule> {
    let lang = Lang::of(path);
    let path = path.clone();
    rules.applicable(&path, lang).into_iter().filter(move |r| for_auditors(r) && may_judge(r, lang) && setup.in_force(r, &path).is_some())
}

fn top(path: &RepoPath) -> &[u8] {
    let bytes = path.as_bytes();
    &bytes[..bytes.iter().position(|b| *b == b'/').unwrap_or(0)]
}

/// Binding rules first; a batch ends at its bound.
fn batches(mut rules: Vec<&Rule>) -> Vec<Vec<String>> {
    rules.sort_by(|a, b| (a.level != RuleLevel::Must, &a.id).cmp(&(b.level != RuleLevel::Must, &b.id)));
    let mut out: Vec<(Vec<String>, usize)> = Vec::new();
    for rule in rules {
        let bytes = text(rule).len();
        match out.last_mut() {
            Some((batch, size)) if batch.len() < BATCH_RULES && *size + bytes <= BATCH_BYTES => {
                batch.push(rule.id.clone());
                *size += bytes;
            }
            _ => out.push((vec![rule.id.clone()], bytes)),
        }
    }
    out.into_iter().map(|(batch, _)| batch).collect()
}

/// A rule as an auditor reads it.
pub(super) fn text(rule: &Rule) -> String {
    let level = if rule.level == RuleLevel::Must { "must" } else { "should" };
    let body = crate::findings::words::cut_bytes(rule.text.trim(), MAX_RULE_TEXT);
    let more = if body.len() < rule.text.trim().len() { " …" } else { "" };
    format!("### {} ({level}): {}\n{body}{more}\n", rule.id, rule.title)
}

/// The stretch of a text that a piece is about: its first line's number and its lines. Stretches meet at line ends.
pub(super) fn stretch(text: &FileText, (number, of): (u64, u64)) -> (u32, Vec<&str>) {
    let at = |n: u64| -> u32 {
        if n >= of {
            return text.line_count() + 1;
        }
        let byte = usize::try_from(n * PART_BYTES).unwrap_or(usize::MAX).min(text.as_str().len());
        if byte == 0 { 1 } else { text.line_at(byte - 1) + 1 }
    };
    let (from, to) = (at(number), at(number + 1));
    (from, (from..to).filter_map(|n| text.line(n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_meet_and_leave_nothing_out() {
        let text: String = (1..=20_000).map(|n| format!("line {n}\n")).collect();
        let size = text.len() as u64;
        let of = size.div_ceil(PART_BYTES);
        let text = FileText::whole(text.as_bytes());
        assert!(of >= 3);
        let mut next = 1;
        for number in 0..of {
            let (from, lines) = stretch(&text, (number, of));
            assert_eq!((from, lines.first().copied()), (next, Some(format!("line {next}").as_str())));
            assert!(lines.iter().map(|l| l.len() as u64 + 1).sum::<u64>() <= PART_BYTES + 20);
            next += u32::try_from(lines.len()).expect("few lines");
        }
        assert_eq!(next, 20_001);
        assert_eq!(stretch(&FileText::whole(b"a\nb"), (0, 1)), (1, vec!["a", "b"]));
    }
}
