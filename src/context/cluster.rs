//! Which changed files belong together.

use super::analysis::Analysis;
use super::grammar::Class;
use super::testing::stem;
use crate::change::Change;
use std::collections::BTreeMap;

/// A name that more changed files declare joins nothing.
const MAX_DECLARERS: usize = 3;

/// Groups of files (indices), each in the change's order, ordered by folder and name of their first file: a test with
/// its source, and files with those whose changed symbols they mention on changed lines.
pub(super) fn clusters(change: &Change, files: &[usize], analysis: &Analysis) -> Vec<Vec<usize>> {
    let mut sets = Sets((0..change.files.len()).collect());
    let mut by_stem: BTreeMap<(String, String), usize> = BTreeMap::new();
    for &i in files {
        let path = change.files[i].path();
        let first = *by_stem.entry((stem(path), path.extension())).or_insert(i);
        sets.join(first, i);
    }
    let mut declarers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &i in files {
        for change in &analysis.file(i).changes {
            let symbol = change.symbol();
            if !symbol.is_test && !matches!(symbol.class, Class::Section | Class::Member | Class::Test) && symbol.own.len() > 3 {
                let of = declarers.entry(&symbol.own).or_default();
                if of.last() != Some(&i) {
                    of.push(i);
                }
            }
        }
    }
    for &i in files {
        let view = analysis.file(i);
        for (word, _) in view.added.keys().chain(view.removed.keys()) {
            if let Some(of) = declarers.get(word.as_str()).filter(|of| of.len() <= MAX_DECLARERS) {
                of.iter().for_each(|&d| sets.join(d, i));
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &i in files {
        groups.entry(sets.root(i)).or_default().push(i);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.sort_by_key(|g| g.iter().map(|i| (change.files[*i].path().parent().into_owned(), *i)).min());
    groups
}

/// Union-find; the smallest member stands for a set, so the outcome does not depend on the order of joins.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
