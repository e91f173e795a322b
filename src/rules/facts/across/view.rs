//! What the facts share: the changed files with their symbols on both sides, and searches of the tree after the change.

use crate::change::{Change, SourceKind};
use crate::context::{self, Analysis, ChangeKind, Class, Symbol, SymbolChange, is_noise, is_test_path};
use crate::diff::{FileDiff, FileStatus, LineKind, Side};
use crate::git::{GrepHit, GrepQuery};
use crate::path::RepoPath;
use crate::text::FileText;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// More changed files are not read for facts.
const MAX_FILES: usize = 400;
/// More bytes of them are not.
const MAX_BYTES: usize = 8 << 20;
/// In a larger tree nothing is searched for: it would take seconds.
const MAX_TREE: usize = 100_000;
/// Names that are searched for.
const MAX_NAMES: usize = 150;
/// Hits of a search that are read.
const MAX_HITS: usize = 8_000;
/// Hits in one file.
const MAX_PER_FILE: usize = 100;

/// One changed file.
pub(super) struct File<'a> {
    pub(super) index: usize,
    pub(super) diff: &'a FileDiff,
    pub(super) old: Option<FileText>,
    pub(super) new: Option<FileText>,
    pub(super) old_symbols: &'a [Symbol],
    pub(super) new_symbols: &'a [Symbol],
    pub(super) changes: &'a [SymbolChange],
}

/// A symbol that the change took away, and that nothing declares any more.
pub(super) struct Gone<'v> {
    pub(super) file: &'v File<'v>,
    pub(super) symbol: &'v Symbol,
    /// Its new name, where it was renamed.
    pub(super) renamed: Option<&'v str>,
    /// Lines that hold its name after the change.
    pub(super) hits: Vec<&'v GrepHit>,
}

/// A symbol that left its file, and its new name where it was renamed.
type Candidate<'v> = (&'v File<'v>, &'v Symbol, Option<&'v str>);

/// The change as facts see it.
pub(super) struct View<'a> {
    pub(super) change: &'a Change,
    pub(super) files: Vec<File<'a>>,
    names: OnceCell<Vec<GrepHit>>,
}

impl<'a> View<'a> {
    /// `None` where the tree is not known or too large.
    pub(super) fn new(change: &'a Change, analysis: &'a Analysis, skip: &dyn Fn(usize) -> bool) -> Option<Self> {
        let objects = change.objects.as_ref().filter(|_| change.kind != SourceKind::Patch)?;
        if objects.entries(Side::New).map_or(true, |all| all.len() > MAX_TREE) {
            return None;
        }
        let mut room = MAX_BYTES;
        let wanted = change.files.iter().enumerate().filter(|(i, f)| !skip(*i) && !is_noise(f.path()));
        let files = wanted.take(MAX_FILES).map(|(index, diff)| File::new(change, analysis, index, diff, &mut room)).collect();
        Some(Self { change, files, names: OnceCell::new() })
    }

    /// Lines of the tree after the change that hold one of the needles.
    pub(super) fn search(&self, needles: Vec<String>, word: bool) -> Vec<GrepHit> {
        let query = GrepQuery { needles, word, glob: None, max_per_file: MAX_PER_FILE, max_hits: MAX_HITS };
        self.change.objects.as_ref().and_then(|o| o.grep(Side::New, &query).ok()).unwrap_or_default()
    }

    /// Whether a file stands in the tree after the change.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.change.objects.as_ref().is_some_and(|o| o.entry(Side::New, &RepoPath::from(path)).is_some())
    }

    /// A file after the change, if it is small enough to look into.
    pub(super) fn text(&self, path: &RepoPath) -> Option<String> {
        let bytes = self.change.objects.as_ref()?.file(Side::New, path, 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The symbols that are gone from this tree: removed or renamed, and declared nowhere else.
    pub(super) fn gone(&self) -> Vec<Gone<'_>> {
        let mut candidates: BTreeMap<&str, Option<Candidate<'_>>> = BTreeMap::new();
        for file in self.files.iter().filter(|f| !is_test_path(&f.diff.old_path)) {
            for change in file.changes {
                let Some(symbol) = change.old.as_ref().filter(|s| is_public_name(s)) else { continue };
                let renamed = match change.kind {
                    ChangeKind::Removed => None,
                    ChangeKind::Renamed => change.new.as_ref().map(|n| n.own.as_str()),
                    _ => continue,
                };
                // Two of a name cannot be told apart afterwards.
                candidates.entry(symbol.own.as_str()).and_modify(|c| *c = None).or_insert(Some((file, symbol, renamed)));
            }
        }
        let hits = self.names.get_or_init(|| match candidates.keys().take(MAX_NAMES).map(|n| (*n).to_owned()).collect::<Vec<_>>() {
            names if names.is_empty() => Vec::new(),
            names => self.search(names, true),
        });
        let mut by_name: BTreeMap<&str, Vec<&GrepHit>> = BTreeMap::new();
        for hit in hits {
            let words: BTreeSet<&str> = hit.text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            for (name, _) in words.iter().filter_map(|w| candidates.get_key_value(*w)) {
                by_name.entry(name).or_default().push(hit);
            }
        }
        let mut in_file: BTreeMap<&RepoPath, usize> = BTreeMap::new();
        for hit in hits {
            *in_file.entry(&hit.path).or_default() += 1;
        }
        // Where a search came to its bound, a declaration may stand behind it.
        let full = in_file.iter().filter(|(_, n)| **n >= MAX_PER_FILE).map(|(path, _)| (*path, self.text(path)));
        let full: Vec<(&RepoPath, Option<String>)> = full.collect();
        let searched: BTreeSet<&str> = candidates.keys().copied().take(MAX_NAMES).collect();
        let cut = hits.len() >= MAX_HITS;
        let mut gone = Vec::new();
        for (name, candidate) in candidates {
            let Some((file, symbol, renamed)) = candidate.filter(|_| searched.contains(name)) else { continue };
            let hits = by_name.remove(name).unwrap_or_default();
            let defines = |path: &RepoPath, line: &str| context::declares(path, line, name) || still_defines(path, line, name);
            let behind = |(path, text): &(&RepoPath, Option<String>)| text.as_ref().is_none_or(|text| text.lines().any(|l| defines(path, l)));
            if !cut && !hits.iter().any(|h| defines(&h.path, &h.text)) && !full.iter().any(behind) {
                gone.push(Gone { file, symbol, renamed, hits });
            }
        }
        gone
    }
}

impl<'a> File<'a> {
    fn new(change: &Change, analysis: &'a Analysis, index: usize, diff: &'a FileDiff, room: &mut usize) -> Self {
        let mut side = |side: Side| {
            let text = change.text(diff, side).filter(|t| t.is_whole() && t.as_str().len() <= *room);
            *room -= text.as_ref().map_or(0, |t| t.as_str().len());
            text
        };
        let (old, new) = (side(Side::Old), side(Side::New));
        let read = analysis.file(index);
        let (old_symbols, new_symbols) = (read.symbols(Side::Old), read.symbols(Side::New));
        Self { index, diff, old, new, old_symbols, new_symbols, changes: read.changes() }
    }

    /// The added lines with their numbers.
    pub(super) fn added(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        self.lines(LineKind::Added).filter_map(|l| Some((l.new?, String::from_utf8_lossy(&l.text).into_owned())))
    }

    /// The removed lines with their numbers.
    pub(super) fn removed(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        self.lines(LineKind::Removed).filter_map(|l| Some((l.old?, String::from_utf8_lossy(&l.text).into_owned())))
    }

    fn lines(&self, kind: LineKind) -> impl Iterator<Item = &crate::diff::Line> {
        self.diff.hunks.iter().flat_map(|h| &h.lines).filter(move |l| l.kind == kind)
    }

    /// Whether the file itself is gone from where it was.
    pub(super) fn left(&self) -> bool {
        matches!(self.diff.status, FileStatus::Deleted | FileStatus::Renamed)
    }
}

/// Whether a symbol can be known by its own name: declared at the top of its file, and not called what everything is called.
fn is_public_name(symbol: &Symbol) -> bool {
    let free = symbol.name == symbol.own || symbol.parent.is_none();
    let form = match symbol.class {
        Class::Code => free && (symbol.own.contains('_') || humps(&symbol.own) >= 2 || symbol.own.len() >= 8),
        Class::Type => free,
        Class::Value => free && symbol.own.len() >= 6 && symbol.own.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'),
        _ => false,
    };
    form && !symbol.is_test && (4..=80).contains(&symbol.own.len()) && !symbol.own.starts_with('_') && !context::COMMON.contains(&symbol.own.as_str())
}

/// How many words a name in camel case has.
pub(super) fn humps(name: &str) -> usize {
    let mut last = '_';
    let mut humps = 0;
    for c in name.chars() {
        humps += usize::from((c.is_uppercase() && !last.is_uppercase()) || (last == '_' && c.is_lowercase()));
        last = c;
    }
    humps
}

/// Lines that give the name a meaning again: imports, re-exports, assignments, aliases, macros that make it.
fn still_defines(path: &RepoPath, line: &str, name: &str) -> bool {
    let code = line.trim_start();
    if context::is_comment(code) {
        return false;
    }
    let Some(at) = context::word_at(code, name) else { return false };
    let (before, after) = (code[..at].trim_end(), code[at + name.len()..].trim_start());
    let assigned = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
    let exported = before.starts_with("pub use") || (before.starts_with("export") && code.contains(" from "));
    // A function expression with a name; a type in a group (Go); a definition whose type stands on the line before (C).
    let defined = before.ends_with("function")
        || after.starts_with("struct")
        || after.starts_with("interface")
        || (matches!(path.extension().as_str(), "c" | "h" | "cc" | "cpp" | "cxx" | "hpp")
            && at == 0
            && code.len() == line.len()
            && after.starts_with('(')
            && !code.trim_end().ends_with(';'));
    assigned || exported || defined || before.ends_with(" as") || after.starts_with(":=") || before.ends_with('@') || before.ends_with("#define")
}

#[cfg(test)]
mod tests {
    use super::still_defines;
    use crate::path::RepoPath;

    #[test]
    fn tells_definitions_from_uses() {
        let defines = [
            "remove_realm(krb5_context context, int debug)",
            "list.forEach(function remove_realm(section) {",
            "export { remove_realm } from './a'",
            "import x as remove_realm",
            "\tremove_realm struct{}",
        ];
        let uses = ["remove_realm(context, 1);", "    remove_realm(context)", "x = remove_realm(context)", "// remove_realm(context)"];
        assert_eq!(defines.map(|l| still_defines(&RepoPath::from("a.c"), l, "remove_realm")), [true; 5]);
        // A call at the margin is one where functions are not defined like that.
        assert!(!still_defines(&RepoPath::from("a.py"), "remove_realm('x')", "remove_realm"));
        assert_eq!(uses.map(|l| still_defines(&RepoPath::from("a.c"), l, "remove_realm")), [false; 4]);
    }
}
