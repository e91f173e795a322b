//! Each changed file read once: its symbols on both sides, what happened to them, and the words on its changed lines.
//! Texts are masked before anything is taken from them, and not kept.

use super::changes::{SymbolChange, counterparts, symbol_changes};
use super::parse::MAX_PARSED as MAX_TEXT;
use super::parse::parse;
use super::repository::Repository;
use super::symbols::{Symbol, symbols};
use super::testing::{is_noise, is_test_line, is_test_path};
use super::words::{Words, words};
use super::{Mask, Private};
use crate::change::Change;
use crate::diff::{FileDiff, LineKind, Side};
use crate::lang::Source;
use crate::text::FileText;
use std::borrow::Cow;

/// Of a change's texts, both sides together, so many bytes are parsed; of the rest no symbols are known.
const MAX_PARSED: usize = 16 << 20;

/// What is known of the changed files; made once for all bundles.
#[derive(Debug, Default)]
pub struct Analysis {
    files: Vec<FileView>,
}

/// One changed file. All of it is empty for files that were not asked for, are private, or have no text.
#[derive(Debug, Default)]
pub struct FileView {
    /// Symbols before.
    pub(super) old: Vec<Symbol>,
    /// Symbols after.
    pub(super) new: Vec<Symbol>,
    /// For each symbol before, the same one after.
    pub(super) now: Vec<Option<usize>>,
    /// What happened to them.
    pub(super) changes: Vec<SymbolChange>,
    /// Words on removed lines.
    pub(super) removed: Words,
    /// Words on added lines.
    pub(super) added: Words,
}

const NOTHING: &FileView =
    &FileView { old: Vec::new(), new: Vec::new(), now: Vec::new(), changes: Vec::new(), removed: Words::new(), added: Words::new() };

impl Analysis {
    /// Takes what was read of each file, in the order of `Change::files`.
    pub fn new(files: Vec<FileView>) -> Self {
        Self { files }
    }

    /// Forgets all files but those with the given indices (ascending) into `change.files`, and of these the private ones.
    pub fn retain(&mut self, change: &Change, files: &[usize], private: Private<'_>) {
        let open = |i: usize| files.binary_search(&i).is_ok() && change.files.get(i).is_some_and(|f| !f.hunks.is_empty() && !is_private(f, private));
        for (i, view) in self.files.iter_mut().enumerate() {
            if !open(i) {
                *view = FileView::default();
            }
        }
    }

    /// What is known of the file with this index.
    pub fn file(&self, index: usize) -> &FileView {
        self.files.get(index).unwrap_or(NOTHING)
    }
}

/// Which of the files (by index into `change.files`) may be parsed, as far as [`MAX_PARSED`] goes; the first ones are.
pub fn affordable(change: &Change, repo: &dyn Repository, wanted: &dyn Fn(usize) -> bool) -> Vec<bool> {
    let mut room = MAX_PARSED;
    if change.files.len() * 2 * MAX_TEXT <= room {
        // The bound cannot be reached.
        return vec![true; change.files.len()];
    }
    let bytes = |file| [Side::Old, Side::New].map(|side| repo.text(file, side).map_or(0, |t| t.as_str().len())).iter().sum::<usize>();
    let mut fits = |(i, file)| {
        if room > 0 && wanted(i) {
            let bytes = bytes(file);
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            return fits;
        }
        false
    };
    change.files.iter().enumerate().map(&mut fits).collect()
}

impl FileView {
    /// Reads a changed file. `old` and `new` are its texts, whose trees may be there already; `parse`: whether trees are to be made
    /// at all (see [`affordable`]).
    pub fn read(file: &FileDiff, old: Option<&Source<'_>>, new: Option<&Source<'_>>, mask: Mask<'_>, parse: bool) -> Self {
        let (old, removed) = side(file, Side::Old, old, mask, parse);
        let (new, added) = side(file, Side::New, new, mask, parse);
        let changes = symbol_changes(&old, &new, &file.hunks);
        let now = counterparts(&old, &new);
        Self { old, new, now, changes, removed, added }
    }

    /// Its symbols on one side.
    pub fn symbols(&self, side: Side) -> &[Symbol] {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    /// What happened to its symbols.
    pub fn changes(&self) -> &[SymbolChange] {
        &self.changes
    }
}

fn side(file: &FileDiff, side: Side, source: Option<&Source<'_>>, mask: Mask<'_>, may_parse: bool) -> (Vec<Symbol>, Words) {
    let Some(source) = source else { return Default::default() };
    let path = if side == Side::Old { &file.old_path } else { &file.new_path };
    let masked = masked_text(source.text(), mask).map(|text| Source::new(path, text));
    let source = masked.as_ref().unwrap_or(source);
    let text = source.text().as_str();
    // What a patch shows of a file is no program, only lines.
    let parsed = if may_parse && source.text().is_whole() { parse(source) } else { None };
    let lines: Vec<u32> = file
        .hunks
        .iter()
        .flat_map(|h| &h.lines)
        .filter_map(|l| match (l.kind, side) {
            (LineKind::Removed, Side::Old) => l.old,
            (LineKind::Added, Side::New) => l.new,
            _ => None,
        })
        .collect();
    let symbols = symbols(path, text, parsed);
    let test_path = is_test_path(path) || is_noise(path);
    let tests = |line| test_path || is_test_line(&symbols, line);
    let words = words(text, &lines, parsed.map(|(_, tree)| tree), &tests);
    (symbols, words)
}

/// A changed file's text on one side, secrets masked as a whole: a line of a key block says nothing by itself.
pub(super) fn masked(file: &FileDiff, side: Side, repo: &dyn Repository, mask: Mask<'_>) -> Option<FileText> {
    let text = repo.text(file, side)?;
    Some(masked_text(&text, mask).unwrap_or(text))
}

/// The text with its secrets masked; `None` where it has none.
fn masked_text(text: &FileText, mask: Mask<'_>) -> Option<FileText> {
    match mask(text.as_str()) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(text.with_text(masked)),
    }
}

/// Whether a changed file lies, or lay, where contents must not leave the machine.
pub(super) fn is_private(file: &FileDiff, private: Private<'_>) -> bool {
    private(&file.new_path) || private(&file.old_path)
}
