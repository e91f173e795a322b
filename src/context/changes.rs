//! The change at the level of symbols: what was added, removed, renamed, changed, and whether its signature was.

use super::grammar::Class;
use super::symbols::{Symbol, enclosing};
use crate::diff::{Hunk, LineKind};
use std::collections::{BTreeMap, BTreeSet};

/// What happened to a symbol. In the order in which it matters to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is gone.
    Removed,
    /// It has another name now, and else the same signature.
    Renamed,
    /// Its signature changed.
    Signature,
    /// Only what is inside changed.
    Body,
    /// It is new.
    Added,
}

/// One symbol that the change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolChange {
    /// What happened.
    pub kind: ChangeKind,
    /// As it was; `None` for an added one.
    pub old: Option<Symbol>,
    /// As it is; `None` for a removed one.
    pub new: Option<Symbol>,
}

impl SymbolChange {
    /// The symbol as it is, or as it was when it is gone.
    pub fn symbol(&self) -> &Symbol {
        self.new.as_ref().or(self.old.as_ref()).expect("a change has at least one side")
    }
}

/// Compares both sides' symbols by qualified name (the n-th of a name with the n-th of it) and tells which of them
/// the hunks touch, in the order of [`ChangeKind`], then of their lines. What holds others counts as changed only where
/// it is touched outside of them; members of an added or removed type are not listed one by one.
pub fn symbol_changes(old: &[Symbol], new: &[Symbol], hunks: &[Hunk]) -> Vec<SymbolChange> {
    let lines = || hunks.iter().flat_map(|h| &h.lines);
    let touched_old = touched(old, lines().filter(|l| l.kind == LineKind::Removed).filter_map(|l| l.old));
    let touched_new = touched(new, lines().filter(|l| l.kind == LineKind::Added).filter_map(|l| l.new));
    let (old_keys, new_keys) = (keyed(old), keyed(new));
    let gone: BTreeSet<usize> = old_keys.iter().filter(|(k, _)| !new_keys.contains_key(*k)).map(|(_, o)| *o).collect();
    let fresh: BTreeSet<usize> = new_keys.iter().filter(|(k, _)| !old_keys.contains_key(*k)).map(|(_, n)| *n).collect();
    let listed = |all: &[Symbol], set: &BTreeSet<usize>, i: usize| {
        set.contains(&i) && !(all[i].class == Class::Member && all[i].parent.is_some_and(|p| set.contains(&p)))
    };
    let removed: Vec<usize> = touched_old.iter().copied().filter(|i| listed(old, &gone, *i)).collect();
    let added: Vec<usize> = touched_new.iter().copied().filter(|i| listed(new, &fresh, *i)).collect();
    let renamed = renames(old, &removed, new, &added);

    let change = |kind, o: Option<usize>, n: Option<usize>| SymbolChange { kind, old: o.map(|o| old[o].clone()), new: n.map(|n| new[n].clone()) };
    let mut out = Vec::new();
    let moved_on: BTreeSet<usize> = renamed.values().copied().collect();
    out.extend(removed.iter().filter(|o| !moved_on.contains(o)).map(|o| change(ChangeKind::Removed, Some(*o), None)));
    out.extend(added.iter().map(|n| match renamed.get(n) {
        Some(o) => change(ChangeKind::Renamed, Some(*o), Some(*n)),
        None => change(ChangeKind::Added, None, Some(*n)),
    }));
    for (key, &n) in &new_keys {
        let Some(&o) = old_keys.get(key) else { continue };
        if touched_new.contains(&n) || touched_old.contains(&o) {
            let kind = if old[o].signature == new[n].signature { ChangeKind::Body } else { ChangeKind::Signature };
            out.push(change(kind, Some(o), Some(n)));
        }
    }
    out.sort_by_key(|c| (c.kind, c.symbol().line));
    out
}

/// Added symbols that are removed ones under another name (new index -> old index): the same in all but the name, and
/// the only ones on both sides that are.
fn renames(old: &[Symbol], removed: &[usize], new: &[Symbol], added: &[usize]) -> BTreeMap<usize, usize> {
    type Shape<'a> = (&'static str, &'a str, String);
    fn shape(s: &Symbol) -> Shape<'_> {
        (s.label, s.name.strip_suffix(s.own.as_str()).unwrap_or_default(), s.signature.replacen(&s.own, "", 1))
    }
    let mut shapes: BTreeMap<Shape<'_>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    let renamable = |s: &Symbol| matches!(s.class, Class::Code | Class::Type | Class::Value | Class::Member);
    for &o in removed.iter().filter(|o| renamable(&old[**o])) {
        shapes.entry(shape(&old[o])).or_default().0.push(o);
    }
    for &n in added.iter().filter(|n| renamable(&new[**n])) {
        shapes.entry(shape(&new[n])).or_default().1.push(n);
    }
    shapes.into_values().filter_map(|(o, n)| Some((*n.first()?, *o.first()?)).filter(|_| o.len() == 1 && n.len() == 1)).collect()
}

/// The innermost symbols that the lines stand in, members included.
fn touched(symbols: &[Symbol], lines: impl Iterator<Item = u32>) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    for line in lines {
        let last = symbols.partition_point(|s| s.start <= line).checked_sub(1);
        let member = last.filter(|i| symbols[*i].end >= line && symbols[*i].class == Class::Member);
        out.extend(member.or_else(|| enclosing(symbols, line)));
    }
    out
}

/// For each old symbol the new one of the same name (the n-th of a name for the n-th of it).
pub(super) fn counterparts(old: &[Symbol], new: &[Symbol]) -> Vec<Option<usize>> {
    let (old_keys, new_keys) = (keyed(old), keyed(new));
    let mut out = vec![None; old.len()];
    for (key, o) in old_keys {
        out[o] = new_keys.get(&key).copied();
    }
    out
}

fn keyed(symbols: &[Symbol]) -> BTreeMap<(&str, usize), usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = BTreeMap::new();
    for (i, symbol) in symbols.iter().enumerate() {
        let nth = seen.entry(&symbol.name).or_default();
        out.insert((symbol.name.as_str(), *nth), i);
        *nth += 1;
    }
    out
}
