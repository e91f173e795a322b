//! What to look for in the rest of the repository: names whose meaning the change altered, names it uses, and literals
//! that it changed.

use super::super::analysis::{Analysis, FileView};
use super::super::bundle::Bundle;
use super::super::changes::ChangeKind;
use super::super::grammar::Class;
use super::super::symbols::Symbol;
use super::super::words::{Use, Words};
use super::common::COMMON;
use std::collections::BTreeMap;

/// More names are not searched for.
const MAX_NAMES: usize = 150;
/// More literals are not searched for.
const MAX_LITERALS: usize = 40;

/// How changed lines use a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Used {
    /// Only added lines do.
    New,
    /// Only removed lines did.
    Vanished,
    /// Both do.
    Kept,
}

/// One name to look for.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// The file (index) that it came from.
    pub(super) file: usize,
    /// What happened to the symbol of that name.
    pub(super) symbol: Option<(ChangeKind, Symbol)>,
    /// When and how changed lines use it.
    pub(super) used: Option<(Used, Use)>,
}

/// One literal to look for.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) file: usize,
    /// Whether it was removed, rather than added.
    pub(super) removed: bool,
}

/// Names and literals by their text.
#[derive(Debug, Default)]
pub(super) struct Needles {
    pub(super) names: BTreeMap<String, Name>,
    pub(super) literals: BTreeMap<String, Literal>,
}

/// Collects the needles of a bundle, the most telling ones if there are too many.
pub(super) fn needles(bundle: &Bundle, analysis: &Analysis) -> Needles {
    let mut files: Vec<usize> = bundle.parts.iter().map(|p| p.file).collect();
    files.dedup();
    // What tests use says little about the change, unless it is all there is.
    let views = || files.iter().map(|f| analysis.file(*f));
    let tests_only = views().all(|v| v.added.values().chain(v.removed.values()).all(|in_test| *in_test));
    let words = |side: fn(&FileView) -> &Words| {
        let mut all: BTreeMap<&str, (usize, Use)> = BTreeMap::new();
        for &file in &files {
            for ((text, kind), _) in side(analysis.file(file)).iter().filter(|(_, in_test)| tests_only || !**in_test) {
                let entry = all.entry(text).or_insert((file, *kind));
                entry.1 = entry.1.min(*kind);
            }
        }
        all
    };
    let (added, removed) = (words(|v| &v.added), words(|v| &v.removed));
    let mut names: BTreeMap<&str, Name> = BTreeMap::new();
    for &file in &files {
        for change in &analysis.file(file).changes {
            let symbol = change.symbol();
            let helps_tests = symbol.name.split("::").any(|part| matches!(part, "tests" | "test"));
            if symbol.is_test || helps_tests || matches!(symbol.class, Class::Container | Class::Section | Class::Test) {
                continue;
            }
            // A rename is looked for under the name that others may still use.
            let own = change.old.as_ref().filter(|_| change.kind == ChangeKind::Renamed).unwrap_or(symbol);
            // A member that is new or changed inside is a matter of its type.
            let minor = own.class == Class::Member && matches!(change.kind, ChangeKind::Added | ChangeKind::Body);
            // A function of the project may well be called `fetch`; a method of that name is anybody's.
            let free = own.class == Class::Code && own.name == own.own && own.own.len() >= 3 && own.own != "main";
            if (free || telling(&own.own)) && !minor {
                let name = Name { file, symbol: Some((change.kind, own.clone())), used: None };
                names.entry(&own.own).or_insert(name);
            }
        }
    }
    for (text, (file, kind)) in added.iter().chain(&removed) {
        let used = match (added.contains_key(text), removed.contains_key(text)) {
            (true, false) => Used::New,
            (false, true) => Used::Vanished,
            _ => Used::Kept,
        };
        if matches!(kind, Use::Call | Use::Method | Use::Capital) && telling(text) {
            let name = names.entry(text).or_insert(Name { file: *file, symbol: None, used: None });
            name.used = name.used.or(Some((used, *kind)));
        }
    }
    let mut ranked: Vec<(u32, &str, Name)> = names.into_iter().map(|(text, name)| (rank(&name), text, name)).collect();
    ranked.sort_by_key(|(rank, text, _)| (*rank, *text));
    ranked.truncate(MAX_NAMES);

    let only = |here: &BTreeMap<&str, (usize, Use)>, there: &BTreeMap<&str, (usize, Use)>, is_removed: bool| {
        here.iter()
            .filter(|(text, (_, kind))| *kind == Use::Literal && !there.contains_key(*text) && !COMMON.contains(text))
            .map(|(text, (file, _))| ((*text).to_owned(), Literal { file: *file, removed: is_removed }))
            .collect::<Vec<_>>()
    };
    let mut literals = only(&removed, &added, true);
    literals.extend(only(&added, &removed, false));
    literals.truncate(MAX_LITERALS);
    Needles { names: ranked.into_iter().map(|(_, text, name)| (text.to_owned(), name)).collect(), literals: literals.into_iter().collect() }
}

fn rank(name: &Name) -> u32 {
    let symbol = match name.symbol {
        Some((ChangeKind::Removed | ChangeKind::Renamed | ChangeKind::Signature, _)) => 0,
        Some((ChangeKind::Body, _)) => 3,
        Some((ChangeKind::Added, _)) => 5,
        None => 9,
    };
    let used = match name.used {
        Some((Used::New, Use::Call | Use::Method)) => 1,
        Some((Used::Vanished, Use::Call | Use::Method)) => 2,
        Some((Used::New, _)) => 4,
        Some((Used::Kept, Use::Call | Use::Method)) => 6,
        Some((Used::Vanished | Used::Kept, _)) => 7,
        None => 9,
    };
    symbol.min(used)
}

/// Whether a name can say something: long enough, and not one that every program has.
fn telling(name: &str) -> bool {
    name.len() >= 3 && name.len() <= 80 && !COMMON.contains(&name)
}
