//! From search hits to facts worth their tokens.

use super::super::Material;
use super::super::bundle::Bundle;
use super::super::changes::ChangeKind;
use super::super::grammar::Class;
use super::super::page::Page;
use super::super::render::Shown;
use super::super::testing::{is_noise, is_test_path, stem};
use super::super::text::{cut, shorten};
use super::super::words::Use;
use super::lines::{Enclosing, Excerpt, declaration, declares, enclosing, is_method};
use super::needles::{Literal, Name, Used};
use super::subject::{Subject, distance, is_list, nearness, same_family};
use crate::diff::FileStatus;
use crate::git::GrepHit;
use crate::path::RepoPath;
use crate::text::FileText;
use std::collections::{BTreeMap, BTreeSet};

/// More files are not opened for excerpts and enclosing names.
const MAX_OPENED: usize = 80;
/// A name declared in more places is no certain reference.
const MAX_DECLARATIONS: usize = 3;
/// A literal in more places says nothing.
const MAX_EQUALS: usize = 12;
/// Lines around an excerpt that are masked with it, so that a key block is known by its borders.
const MASK_MARGIN: u32 = 60;
/// A use is shown with so many bytes of its statement.
const USE_BYTES: usize = 160;
/// Uses of a type from which on it is common.
const COMMON_TYPE: usize = 20;
/// Uses of a type that changed inside, above which none is shown.
const MAX_TYPE_USES: usize = 6;
/// Longer lines are no code that somebody reads.
const MAX_LINE: usize = 400;

/// What a fact is about; in the order of printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uses,
    Declarations,
    Literals,
    Tests,
}

impl Kind {
    pub(super) const ALL: [Kind; 4] = [Kind::Uses, Kind::Declarations, Kind::Literals, Kind::Tests];

    pub(super) fn title(self) -> &'static str {
        match self {
            Kind::Uses => "Other uses of what changed",
            Kind::Declarations => "Declarations of what changed lines use",
            Kind::Literals => "The same text elsewhere",
            Kind::Tests => "Tests of what changed",
        }
    }
}

/// Something worth showing.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) kind: Kind,
    pub(super) score: i32,
    pub(super) page: Page,
}

pub(super) struct Finder<'a> {
    material: &'a Material<'a>,
    shown: &'a Shown,
    opened: BTreeMap<RepoPath, Option<FileText>>,
    tested: BTreeSet<RepoPath>,
}

/// The hits of one name.
#[derive(Default)]
pub(super) struct Hits<'h> {
    total: usize,
    declared: Vec<&'h GrepHit>,
    declared_in_diff: bool,
    used: Vec<&'h GrepHit>,
}

/// By file: the test functions, and the names that they mention.
type Tests<'n> = BTreeMap<RepoPath, (BTreeSet<String>, BTreeSet<&'n str>)>;

impl<'a> Finder<'a> {
    pub(super) fn new(material: &'a Material<'a>, shown: &'a Shown) -> Self {
        Self { material, shown, opened: BTreeMap::new(), tested: BTreeSet::new() }
    }

    /// The hits of each name, rare names first: they may use up the files that can be opened.
    pub(super) fn by_name<'n, 'h>(&self, names: &'n BTreeMap<String, Name>, hits: &'h [GrepHit]) -> Vec<(&'n str, Hits<'h>)> {
        let mut by_name: BTreeMap<&str, Hits<'_>> = BTreeMap::new();
        for hits in hits.chunk_by(|a, b| a.path == b.path) {
            if hits.first().is_none_or(|h| !self.is_open(&h.path)) {
                continue;
            }
            for hit in hits.iter().filter(|h| h.text.len() <= MAX_LINE) {
                let words = hit.text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| w.len() >= 2);
                let mut here: Vec<&str> = words.filter_map(|w| names.get_key_value(w)).map(|(name, _)| name.as_str()).collect();
                here.sort_unstable();
                here.dedup();
                for name in here {
                    let of = by_name.entry(name).or_default();
                    of.total += 1;
                    let (declares, shown) = (declares(&hit.path, &hit.text, name), self.shown.has(&hit.path, hit.line));
                    of.declared_in_diff |= declares && shown;
                    match (declares, shown) {
                        (true, false) => of.declared.push(hit),
                        (false, false) => of.used.push(hit),
                        _ => {}
                    }
                }
            }
        }
        let mut order: Vec<(&str, Hits<'_>)> = by_name.into_iter().collect();
        order.sort_by_key(|(name, hits)| (hits.total, *name));
        order
    }

    /// Declarations (with at most `lines` lines of each, comments left aside), uses and tests of names.
    pub(super) fn of_names(&mut self, names: &BTreeMap<String, Name>, hits: &[(&str, Hits<'_>)], lines: u32) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut tests = Tests::new();
        for (text, hits) in hits {
            let name = &names[*text];
            facts.extend(self.declaration(text, name, hits, lines));
            facts.extend(self.uses(text, name, hits, &mut tests));
        }
        for (path, (functions, mentioned)) in tests {
            facts.push(self.test(&path, &functions, &mentioned));
        }
        facts
    }

    /// Other places of literals that the change removed or brought.
    pub(super) fn of_literals(&mut self, literals: &BTreeMap<String, Literal>, hits: &[GrepHit]) -> Vec<Fact> {
        let mut by_text: BTreeMap<&str, Vec<&GrepHit>> = BTreeMap::new();
        for hit in hits.iter().filter(|h| self.usable(h) && !self.shown.has(&h.path, h.line)) {
            for (text, _) in literals.iter().filter(|(t, _)| hit.text.contains(t.as_str())) {
                by_text.entry(text).or_default().push(hit);
            }
        }
        let mut facts = Vec::new();
        let all: Vec<&str> = by_text.keys().copied().collect();
        for (text, mut hits) in by_text {
            // A part of another literal is found where that is found.
            if hits.len() > MAX_EQUALS || all.iter().any(|other| other.len() > text.len() && other.contains(text)) {
                continue;
            }
            let literal = &literals[text];
            if !literal.removed && text.contains(' ') {
                continue;
            }
            let why = if literal.removed { "no longer in this change's files" } else { "new in this change" };
            self.sort_near(literal.file, &mut hits);
            let mut page = Page::default();
            page.item(&format!("\"{text}\" ({why}) also stands in {}", places(hits.len())));
            hits.iter().take(3).for_each(|hit| self.use_line(&mut page, hit, None));
            let score = if literal.removed { 72 } else { 42 } - 3 * rarity(hits.len());
            facts.push(Fact { kind: Kind::Literals, score: score - price(&page), page });
        }
        facts
    }

    /// Test files that bear a changed file's name, where they were not found by the names they mention.
    pub(super) fn namesakes(&self, bundle: &Bundle, paths: &[&RepoPath]) -> Vec<Fact> {
        let mut stems: BTreeMap<String, &RepoPath> = BTreeMap::new();
        let changed = || bundle.parts.iter().filter_map(|p| self.material.change.files.get(p.file));
        // Whose test is part of the change needs no hint at it.
        let tested: BTreeSet<String> = changed().filter(|f| is_test_path(f.path())).map(|f| stem(f.path())).collect();
        let sources = changed().filter(|f| f.status != FileStatus::Deleted && !is_test_path(f.path()));
        for file in sources.filter(|f| !tested.contains(&stem(f.path()))) {
            stems.entry(stem(file.path())).or_insert(file.path());
        }
        let mut facts = Vec::new();
        for path in paths.iter().filter(|p| is_test_path(p) && !is_noise(p) && !(self.material.private)(p)) {
            let Some(of) = stems.get(&stem(path)).filter(|of| of.extension() == path.extension()) else { continue };
            if self.tested.contains(*path) || changed().any(|f| f.path() == *path) || facts.len() == 5 {
                continue;
            }
            let mut page = Page::default();
            page.item(&format!("{path}: named after {of}"));
            facts.push(Fact { kind: Kind::Tests, score: 30, page });
        }
        facts
    }

    fn declaration(&mut self, text: &str, name: &Name, hits: &Hits<'_>, lines: u32) -> Option<Fact> {
        let (used, kind) = name.used?;
        if hits.declared_in_diff || hits.declared.is_empty() || hits.declared.len() > MAX_DECLARATIONS {
            return None;
        }
        let mut declared = hits.declared.clone();
        self.sort_near(name.file, &mut declared);
        let from = self.from(name.file)?;
        let fits = |finder: &mut Self, h: &GrepHit| {
            let callable = kind != Use::Method || finder.open(&h.path).is_some_and(|t| is_method(&h.path, t, h.line));
            callable && same_family(from, &h.path)
        };
        let hit = declared.iter().find(|h| fits(self, h))?;
        let lines = declaration(&hit.path, self.open(&hit.path)?, hit.line, lines);
        let why = match used {
            Used::New => "used by added lines",
            Used::Vanished => "used by removed lines",
            Used::Kept => "used by changed lines",
        };
        let more = match declared.len() - 1 {
            0 => String::new(),
            1 => format!("; one other declaration of {text}"),
            n => format!("; {n} other declarations of {text}"),
        };
        let mut page = Page::default();
        page.item(&format!("{}:{} {text} ({why}{more})", hit.path, hit.line));
        self.excerpt(&mut page, &hit.path, &lines);
        let base = match (used, kind) {
            (Used::New, Use::Call | Use::Method) => 82,
            (Used::Vanished, Use::Call | Use::Method) => 74,
            (Used::New, _) => 72,
            (Used::Kept, Use::Call | Use::Method) => 46,
            (Used::Vanished, _) => 44,
            (Used::Kept, _) => 30,
        };
        let score = base - 2 * rarity(hits.total) + nearness(from, &hit.path) - price(&page);
        Some(Fact { kind: Kind::Declarations, score, page })
    }

    /// Where else a changed symbol is used; what tests mention it is collected in `tests`.
    fn uses<'n>(&mut self, text: &'n str, name: &Name, hits: &Hits<'_>, tests: &mut Tests<'n>) -> Option<Fact> {
        let from = self.material.change.files.get(name.file)?.path();
        let subject = Subject::new(text, name, from, hits.declared.len() + usize::from(hits.declared_in_diff))?;
        let called = subject.class == Class::Code;
        let mut plain = Vec::new();
        for hit in hits.used.iter().filter(|h| subject.is_meant(h)) {
            let around = self.open(&hit.path).and_then(|t| enclosing(&hit.path, t, hit.line));
            let function = around.as_ref().filter(|a| a.is_function);
            if function.is_none() && is_list(hit.text.trim()) && !subject.gone {
                continue;
            }
            let in_test = is_test_path(&hit.path) || function.is_some_and(|a| a.is_test);
            let mocks = ["mock", "patch", "stub", "spy", "when("].iter().any(|m| hit.text.to_ascii_lowercase().contains(m));
            if in_test {
                self.tested.insert(hit.path.clone());
            }
            if in_test && !mocks {
                // That a test names a common type says little of it.
                if subject.change.is_some() && (called || hits.total <= COMMON_TYPE) {
                    let entry = tests.entry(hit.path.clone()).or_default();
                    entry.0.extend(function.map(|a| a.name.clone()));
                    entry.1.insert(text);
                }
            } else if in_test || subject.change.is_some() {
                plain.push((*hit, around));
            }
        }
        let (base, why) = match subject.change {
            Some(ChangeKind::Removed) => (100, "removed"),
            Some(ChangeKind::Renamed) => (96, "renamed"),
            Some(ChangeKind::Signature) => (if called { 88 } else { 66 }, "signature changed"),
            Some(ChangeKind::Body) => (if called { 68 } else { 44 }, "body changed"),
            Some(ChangeKind::Added) => return None,
            None => (76, "no longer called here"),
        };
        // Where a common type is used tells nothing that its declaration does not.
        let common = !called && subject.change == Some(ChangeKind::Body) && plain.len() > MAX_TYPE_USES;
        if plain.is_empty() || common {
            return None;
        }
        plain.sort_by_key(|(h, _)| (distance(from, &h.path), h.path.clone(), h.line));
        let mut page = Page::default();
        page.item(&format!("{} ({why}) is used in {} not shown above", subject.qualified, places(plain.len())));
        let limit = if called && plain.len() <= 30 { 5 } else { 3 };
        for (hit, around) in plain.iter().take(limit) {
            self.use_line(&mut page, hit, around.as_ref());
        }
        let score = base - if called { 2 } else { 4 } * rarity(plain.len()) - price(&page);
        Some(Fact { kind: Kind::Uses, score, page })
    }

    fn test(&self, path: &RepoPath, functions: &BTreeSet<String>, mentioned: &BTreeSet<&str>) -> Fact {
        let list = |all: Vec<&str>, max: usize| {
            let more = all.len().saturating_sub(max);
            let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
            all.into_iter().take(max).collect::<Vec<_>>().join(", ") + &tail
        };
        let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
        let mut page = Page::default();
        let of = if functions.is_empty() { String::new() } else { format!(" {}", list(functions, 8)) };
        page.item(&format!("{path}:{of} (mention {})", list(mentioned.iter().copied().collect(), 5)));
        Fact { kind: Kind::Tests, score: 60 - price(&page), page }
    }

    fn use_line(&mut self, page: &mut Page, hit: &GrepHit, around: Option<&Enclosing>) {
        let around = around.map(|a| format!(" in {}", a.name)).unwrap_or_default();
        // A call's arguments often stand on the lines after it.
        let mut statement = hit.text.trim().to_owned();
        if let Some(text) = self.open(&hit.path) {
            for n in hit.line + 1..=hit.line + 6 {
                let open = statement.matches('(').count() > statement.matches(')').count();
                if !(open || statement.ends_with('=')) || statement.len() > USE_BYTES {
                    break;
                }
                let next = text.line(n).unwrap_or_default().trim();
                statement.push_str(if statement.ends_with('(') || next.starts_with(')') { "" } else { " " });
                statement.push_str(cut(next, USE_BYTES));
            }
        }
        let masked = (self.material.mask)(&statement).replace('\n', " ");
        page.excerpt(&format!("{}:{}{around}: {}", hit.path, hit.line, shorten(&masked, USE_BYTES)));
    }

    /// The given lines (ascending), with a mark where more than comments is left out at the end.
    fn excerpt(&mut self, page: &mut Page, path: &RepoPath, lines: &Excerpt) {
        let mask = self.material.mask;
        let (Some(text), Some(first), Some(last)) = (self.open(path), lines.lines.first(), lines.lines.last()) else { return };
        let from = first.saturating_sub(MASK_MARGIN).max(1);
        let to = last.saturating_add(MASK_MARGIN).min(text.line_count());
        let window: Vec<&str> = (from..=to).map(|n| text.line(n).unwrap_or_default()).collect();
        let masked = mask(&window.join("\n")).into_owned();
        let indent = |l: &str| l.len() - l.trim_start().len();
        let chosen: Vec<&str> = masked.split('\n').zip(from..).filter(|(_, n)| lines.lines.contains(n)).map(|(l, _)| l).collect();
        let outer = chosen.iter().map(|l| indent(l)).min().unwrap_or(0);
        for (i, line) in chosen.iter().enumerate() {
            // What opens a block of which nothing is shown is folded.
            let nested = |next: Option<&&str>| next.map_or(indent(line) == outer, |next| indent(next) > indent(line));
            let folded = line.ends_with('{') && !nested(chosen.get(i + 1));
            page.excerpt(&format!("{}{}", shorten(line, 200), if folded { " … }" } else { "" }));
        }
        if lines.more > 0 {
            page.excerpt(&format!("… {} more line{}", lines.more, if lines.more == 1 { "" } else { "s" }));
        }
    }

    fn open(&mut self, path: &RepoPath) -> Option<&FileText> {
        if !self.opened.contains_key(path) {
            if self.opened.len() >= MAX_OPENED {
                return None;
            }
            self.opened.insert(path.clone(), self.material.repo.file(path));
        }
        self.opened.get(path)?.as_ref()
    }

    fn usable(&self, hit: &GrepHit) -> bool {
        hit.text.len() <= MAX_LINE && self.is_open(&hit.path)
    }

    /// Whether a file may be shown, and says something.
    fn is_open(&self, path: &RepoPath) -> bool {
        !is_noise(path) && !(self.material.private)(path)
    }

    fn from(&self, file: usize) -> Option<&'a RepoPath> {
        self.material.change.files.get(file).map(|f| f.path())
    }

    fn sort_near(&self, file: usize, hits: &mut [&GrepHit]) {
        let far = |h: &GrepHit| self.from(file).map_or(0, |from| distance(from, &h.path));
        hits.sort_by_key(|h| (far(h), is_test_path(&h.path), h.path.clone(), h.line));
    }
}

fn places(n: usize) -> String {
    if n == 1 { "1 place".to_owned() } else { format!("{n} places") }
}

/// 0 for a single use, one more for each doubling.
fn rarity(uses: usize) -> i32 {
    i32::try_from(uses.max(1).ilog2()).unwrap_or(i32::MAX)
}

/// What a fact's length takes from its score.
fn price(page: &Page) -> i32 {
    i32::try_from(page.len() / 100).unwrap_or(i32::MAX)
}
