//! Runs the detectors on a file: one parse, one walk over the tree, each pattern tried only on nodes of kinds
//! that it can match and that have a touched line. Every bound that is hit is told.

use super::detector::{self, rows, tree_root};
use super::front::Builtin;
use super::set::{Entry, Loaded, RuleSet};
use super::{RuleHit, TouchedLines, tree};
use crate::lang::{Lang, Parsed, Source};
use crate::path::RepoPath;
use crate::secrets;
use crate::text::FileText;
use ast_grep_core::Matcher;
use ast_grep_core::matcher::MatcherExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Larger texts are not parsed, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Texts with a longer line are not parsed, in bytes: nobody wrote them.
const MAX_LINE: usize = 100_000;
/// Texts nested deeper are parsed, but no pattern is tried on them.
const MAX_DEPTH: usize = 500;
/// Code that is nested deeper is matched on a thread of its own, with a stack of [`DEEP_STACK`] bytes.
const SHALLOW: usize = 100;
const DEEP_STACK: usize = 32 << 20;
/// So many hits of one rule in one file are told, the rest is counted.
const MAX_HITS: usize = 50;
/// All patterns together may take this long for one file. A text made for it can make them quadratic.
const MATCH_TIME: Duration = Duration::from_secs(2);

/// What the detectors found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// By first line, last line, rule id; each once.
    pub hits: Vec<RuleHit>,
    /// What was not looked at because of a documented bound, in one line.
    pub bound: Option<String>,
}

/// The patterns of one language.
pub(super) struct Index {
    slots: Vec<Slot>,
    /// By node kind: the slots whose patterns can match it.
    by_kind: Vec<Vec<usize>>,
}

struct Slot {
    id: String,
    loaded: Arc<Loaded>,
}

impl Index {
    pub(super) fn new<'e>(entries: impl Iterator<Item = &'e Entry>, lang: Lang) -> Self {
        let mut index = Self { slots: Vec::new(), by_kind: Vec::new() };
        for entry in entries {
            let Some(Ok(pattern)) = entry.loaded.pattern(lang) else { continue };
            for kind in pattern.matcher.potential_kinds().iter().flatten() {
                if index.by_kind.len() <= kind {
                    index.by_kind.resize_with(kind + 1, Vec::new);
                }
                index.by_kind[kind].push(index.slots.len());
            }
            index.slots.push(Slot { id: entry.rule.id.clone(), loaded: Arc::clone(&entry.loaded) });
        }
        index
    }

    fn of_kind(&self, kind: u16) -> &[usize] {
        self.by_kind.get(usize::from(kind)).map_or(&[], Vec::as_slice)
    }
}

impl RuleSet {
    /// The hits of all detectors that are about `path`, on code of which at least one line was added. Hostile text costs
    /// bounded time and stack; what was not looked at for that reason is told in [`Scan::bound`].
    pub fn scan(&self, path: &RepoPath, source: &Source<'_>, touched: &TouchedLines) -> Scan {
        let mut found = Found::default();
        if touched.is_empty() {
            return found.finish();
        }
        self.find_all_secrets(path, source.text(), touched, &mut found);
        if let Some(lang) = source.lang() {
            let index = self.index(lang);
            let chosen: Vec<bool> = index.slots.iter().map(|s| s.loaded.applies(path, Some(lang))).collect();
            if chosen.contains(&true) {
                find_patterns(index, &chosen, source, touched, &mut found);
            }
        }
        found.finish()
    }

    /// The hits of the secrets detector alone: for texts that nobody reads for anything else.
    pub fn scan_secrets(&self, path: &RepoPath, text: &FileText, touched: &TouchedLines) -> Scan {
        let mut found = Found::default();
        self.find_all_secrets(path, text, touched, &mut found);
        found.finish()
    }

    fn find_all_secrets(&self, path: &RepoPath, text: &FileText, touched: &TouchedLines, found: &mut Found) {
        let lang = Lang::of(path);
        for entry in self.entries.values().filter(|e| is_secrets(e) && e.loaded.applies(path, lang)) {
            find_secrets(&entry.rule.id, text, touched, found);
        }
    }
}

/// The hits of one rule's detector anywhere in `text`, whatever its paths are.
pub(super) fn scan_one(entry: &Entry, lang: Option<Lang>, text: &FileText) -> Scan {
    let mut found = Found::default();
    if is_secrets(entry) {
        find_secrets(&entry.rule.id, text, &TouchedLines::all(), &mut found);
    } else if let Some(lang) = lang {
        let source = Source::in_lang(lang, text.clone());
        find_patterns(&Index::new(std::iter::once(entry), lang), &[true], &source, &TouchedLines::all(), &mut found);
    }
    found.finish()
}

fn is_secrets(entry: &Entry) -> bool {
    entry.loaded.file.detect.as_ref().is_some_and(|d| d.builtin == Some(Builtin::Secrets))
}

fn find_secrets(id: &str, text: &FileText, touched: &TouchedLines, found: &mut Found) {
    for hit in secrets::scan(text, touched) {
        let message = Some(format!("{}: {}", hit.kind, hit.shown));
        found.add(id, (hit.line, hit.line), || (message, None));
    }
}

fn find_patterns(index: &Index, chosen: &[bool], source: &Source<'_>, touched: &TouchedLines, found: &mut Found) {
    let parsed = match parse(source) {
        Ok(parsed) => parsed,
        Err(bound) => return found.bounds.push(bound),
    };
    let wanted = |kind| index.of_kind(kind).iter().any(|i| chosen[*i]);
    let Some(candidates) = tree::candidates(tree_root(parsed), touched, wanted, MAX_DEPTH) else {
        return found.bounds.push(format!("patterns were not tried: code is nested deeper than {MAX_DEPTH}"));
    };
    let deep = candidates.depth > SHALLOW;
    let run = || try_patterns(index, chosen, parsed, candidates.nodes, source.text(), touched, found);
    if deep {
        // A pattern that refers to itself recurses as deep as the code is nested.
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK);
        std::thread::scope(|scope| {
            let started = thread.spawn_scoped(scope, run);
            started.expect("the system has threads").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
    } else {
        run();
    }
}

fn try_patterns(
    index: &Index,
    chosen: &[bool],
    parsed: &Parsed,
    nodes: Vec<tree_sitter::Node<'_>>,
    text: &FileText,
    touched: &TouchedLines,
    found: &mut Found,
) {
    let lang = *parsed.lang();
    let end = Instant::now() + MATCH_TIME;
    for node in nodes {
        let line = rows(&node).0;
        let node = parsed.adopt(node);
        for slot in index.of_kind(node.kind_id()).iter().filter(|i| chosen[**i]).map(|i| &index.slots[*i]) {
            if Instant::now() > end {
                return found.bounds.push(format!("patterns were not tried after line {line}: they took {} s", MATCH_TIME.as_secs()));
            }
            let Some(Ok(pattern)) = slot.loaded.pattern(lang) else { continue };
            let Some(hit) = pattern.matcher.match_node(node.clone()) else { continue };
            let lines = rows(&hit.get_inner_node());
            if touched.any_in(lines.0, lines.1) {
                found.add(&slot.id, lines, || (detector::message(pattern, &hit), detector::suggestion(pattern, &hit, text, lines)));
            }
        }
    }
}

fn parse<'s>(source: &'s Source<'_>) -> Result<&'s Parsed, String> {
    let bytes = source.text().as_str().len();
    if bytes > MAX_BYTES {
        return Err(format!("patterns were not tried: {bytes} bytes, more than {MAX_BYTES}"));
    }
    if let Some((number, line)) = source.text().lines().find(|(_, line)| line.len() > MAX_LINE) {
        return Err(format!("patterns were not tried: line {number} has {} bytes, more than {MAX_LINE}", line.len()));
    }
    source.parsed().ok_or_else(|| "patterns were not tried: the text is nested too deep, or no code that the grammar can follow".to_owned())
}

/// Hits as they come in.
#[derive(Default)]
struct Found {
    hits: Vec<RuleHit>,
    seen: BTreeSet<(String, u32, u32)>,
    counts: BTreeMap<String, usize>,
    bounds: Vec<String>,
}

impl Found {
    /// Adds a hit unless it is there; `details` are its message and suggestion.
    fn add(&mut self, id: &str, (start, end): (u32, u32), details: impl FnOnce() -> (Option<String>, Option<String>)) {
        let count = self.counts.entry(id.to_owned()).or_default();
        if *count >= MAX_HITS {
            *count += 1;
        } else if self.seen.insert((id.to_owned(), start, end)) {
            *count += 1;
            let (message, suggestion) = details();
            self.hits.push(RuleHit { rule_id: id.to_owned(), start, end, message, suggestion });
        }
    }

    fn finish(mut self) -> Scan {
        self.hits.sort_by(|a, b| (a.start, a.end, &a.rule_id).cmp(&(b.start, b.end, &b.rule_id)));
        let more = self.counts.iter().filter(|(_, n)| **n > MAX_HITS);
        self.bounds.extend(more.map(|(id, n)| format!("{} more hits of {id}", n - MAX_HITS)));
        Scan { hits: self.hits, bound: (!self.bounds.is_empty()).then(|| self.bounds.join("; ")) }
    }
}
