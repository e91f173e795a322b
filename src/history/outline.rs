//! Which files a later round shows as outline only: a complete earlier round reviewed them as they stand, and the push touched
//! neither them nor what they use.

use crate::context::{Class, Symbol, symbols_of};
use crate::diff::{FileDiff, LineKind, Side};
use crate::text::FileText;
use std::collections::{BTreeMap, BTreeSet};

/// Shorter names say nothing.
const MIN_NAME: usize = 4;
/// A name that more pushed files declare says nothing either.
const MAX_DECLARERS: usize = 3;

/// Names of the symbols that a push touched. `text` reads a file of the diff on one side.
pub(crate) fn touched_names(files: &[FileDiff], text: &dyn Fn(&FileDiff, Side) -> Option<FileText>) -> BTreeSet<String> {
    let mut declared: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let mut here = BTreeSet::new();
        for side in [Side::Old, Side::New] {
            let path = if side == Side::Old { &file.old_path } else { &file.new_path };
            if let Some(text) = text(file, side) {
                here.extend(names(&symbols_of(path, &text), file, side));
            }
        }
        for name in here {
            *declared.entry(name).or_default() += 1;
        }
    }
    declared.into_iter().filter(|(_, n)| *n <= MAX_DECLARERS).map(|(name, _)| name).collect()
}

fn names(symbols: &[Symbol], file: &FileDiff, side: Side) -> BTreeSet<String> {
    let tells = |s: &&Symbol| !s.is_test && s.own.len() >= MIN_NAME && !matches!(s.class, Class::Section | Class::Test);
    let changed = file.hunks.iter().flat_map(|h| &h.lines).filter_map(|l| match (l.kind, side) {
        (LineKind::Removed, Side::Old) => l.old,
        (LineKind::Added, Side::New) => l.new,
        _ => None,
    });
    let around = |line: u32| symbols.iter().filter(move |s| s.start <= line && line <= s.end);
    // The innermost one: a change within a method is no change of all that its type does.
    changed.filter_map(|line| around(line).filter(tells).min_by_key(|s| s.lines())).map(|s| s.own.clone()).collect()
}

/// Whether a line holds one of the names as a word.
pub(super) fn mentions(line: &str, names: &BTreeSet<String>) -> bool {
    !names.is_empty() && line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| names.contains(word))
}

/// Whether a text mentions one of the names.
pub(crate) fn uses(text: &FileText, names: &BTreeSet<String>) -> bool {
    text.as_str().lines().any(|l| mentions(l, names))
}
