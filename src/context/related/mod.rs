//! What a good reviewer would look up first: declarations of what changed lines use, other uses of what they changed,
//! the same literals elsewhere, the tests. It only quotes the tree after the change, masked, and never a private path.
//!
//! Each fact has a score and a price; the best ones are taken until the budget is spent, so a rare name outbids a common one.

mod common;
mod facts;
mod lines;
mod needles;
mod subject;

pub(crate) use common::COMMON;
pub(crate) use lines::{declares, is_comment, word_at};
pub(crate) use subject::same_family;

use super::Material;
use super::bundle::Bundle;
use super::page::Page;
use super::render::Shown;
use crate::git::GrepQuery;
use facts::{Fact, Finder, Kind};
use needles::needles;

/// Bounds of the search.
const MAX_PER_FILE: usize = 200;
const MAX_HITS: usize = 20_000;
/// A fact below this is noise, even where there is room for it.
const MIN_SCORE: i32 = 12;
/// Lines of a declaration where there is room for all, and where there is not.
const LONG: u32 = 24;
const SHORT: u32 = 8;
/// In a tree of more files, only the changed files' common folder is searched.
const HUGE_TREE: usize = 50_000;

/// The related code that fits into `bytes` bytes; empty where there is nothing worth telling.
pub(super) fn related(material: &Material<'_>, bundle: &Bundle, shown: &Shown, bytes: usize) -> Page {
    let mut page = Page::default();
    if bytes < 300 {
        return page;
    }
    let needles = needles(bundle, material.analysis);
    let paths = material.repo.paths();
    let glob = if paths.len() > HUGE_TREE { common_folder(material, bundle) } else { None };
    let query = |needles: Vec<String>, word: bool| GrepQuery { needles, word, glob: glob.clone(), max_per_file: MAX_PER_FILE, max_hits: MAX_HITS };
    let queries = [query(needles.names.keys().cloned().collect(), true), query(needles.literals.keys().cloned().collect(), false)];
    let mut hits = material.repo.grep(&queries).into_iter();
    let (names, literals) = (hits.next().unwrap_or_default(), hits.next().unwrap_or_default());
    let mut finder = Finder::new(material, shown);
    let room = bytes.saturating_sub(250);
    let names = finder.by_name(&needles.names, &names);
    let mut facts = finder.of_names(&needles.names, &names, LONG);
    facts.extend(finder.of_literals(&needles.literals, &literals));
    facts.extend(finder.namesakes(bundle, &paths));
    if facts.iter().filter(|f| f.score >= MIN_SCORE).map(|f| f.page.len()).sum::<usize>() > room {
        // Many declarations in short tell more than a few at length.
        facts.retain(|f| matches!(f.kind, Kind::Literals));
        facts.extend(finder.of_names(&needles.names, &names, SHORT));
        facts.extend(finder.namesakes(bundle, &paths));
    }
    for (kind, chosen) in choose(facts, room) {
        if page.is_empty() {
            page.heading(1, "Related code, as it stands after the change (not part of the diff)");
        }
        page.heading(2, kind.title());
        chosen.iter().for_each(|fact| page.append(&fact.page));
    }
    page
}

/// The best facts that fit, by kind.
fn choose(mut facts: Vec<Fact>, mut bytes: usize) -> Vec<(Kind, Vec<Fact>)> {
    facts.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.page.as_str().cmp(b.page.as_str())));
    let mut chosen: Vec<(Kind, Vec<Fact>)> = Kind::ALL.iter().map(|k| (*k, Vec::new())).collect();
    for fact in facts {
        if fact.score >= MIN_SCORE && fact.page.len() <= bytes {
            bytes -= fact.page.len();
            if let Some((_, list)) = chosen.iter_mut().find(|(k, _)| *k == fact.kind) {
                list.push(fact);
            }
        }
    }
    chosen.retain(|(_, list)| !list.is_empty());
    chosen
}

/// A pathspec for the folder that all of the bundle's files lie in.
fn common_folder(material: &Material<'_>, bundle: &Bundle) -> Option<String> {
    let folders = bundle.parts.iter().filter_map(|p| material.change.files.get(p.file)).map(|f| f.path().parent().into_owned());
    let common = folders.reduce(|a, b| {
        let same = a.split('/').zip(b.split('/')).take_while(|(x, y)| x == y).map(|(x, _)| x);
        same.collect::<Vec<_>>().join("/")
    })?;
    // A glob's own characters in a stranger's folder name would search elsewhere.
    (!common.is_empty() && !common.contains(['*', '?', '[', '\\'])).then(|| format!("{common}/**"))
}
