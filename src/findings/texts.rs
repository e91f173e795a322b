//! The masked texts that quotes are looked for in, each read once, and the symbols in them.

use super::fingerprint::Enclosing;
use crate::change::{Change, MAX_TEXT_BYTES};
use crate::context;
use crate::diff::{FileDiff, Side};
use crate::path::RepoPath;
use crate::secrets;
use crate::text::FileText;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

type Known<T> = RefCell<BTreeMap<(RepoPath, Side), T>>;

/// Masked texts of both sides, as models were shown them.
pub struct MaskedTexts<'a> {
    change: &'a Change,
    texts: Known<Option<Arc<FileText>>>,
    symbols: Known<Arc<Vec<context::Symbol>>>,
}

impl<'a> MaskedTexts<'a> {
    /// Texts of a change; nothing is read yet.
    pub fn new(change: &'a Change) -> Self {
        Self { change, texts: Known::default(), symbols: Known::default() }
    }

    /// A changed file's text on one side.
    pub fn changed(&self, file: &FileDiff, side: Side) -> Option<Arc<FileText>> {
        let path = if side == Side::Old { &file.old_path } else { &file.new_path };
        self.once(path, side, || self.change.text(file, side))
    }

    /// The text of a file that the change leaves as it was.
    pub fn elsewhere(&self, path: &RepoPath) -> Option<Arc<FileText>> {
        self.once(path, Side::New, || {
            let bytes = self.change.objects.as_ref()?.file(Side::New, path, MAX_TEXT_BYTES).ok()?;
            (!bytes.contains(&0)).then(|| FileText::whole(&bytes))
        })
    }

    /// The innermost symbol around a line (1-based) of a text that was asked for before.
    pub fn symbol(&self, path: &RepoPath, side: Side, line: u32) -> Option<Enclosing> {
        let key = (path.clone(), side);
        let text = self.texts.borrow().get(&key).cloned().flatten()?;
        let symbols = self.symbols.borrow_mut().entry(key).or_insert_with(|| Arc::new(context::symbols_of(path, &text))).clone();
        let symbol = symbols.get(context::enclosing(&symbols, line)?)?;
        Some(Enclosing { name: symbol.name.clone(), start: symbol.start, end: symbol.end })
    }

    /// A text that was asked for before.
    pub fn known(&self, path: &RepoPath, side: Side) -> Option<Arc<FileText>> {
        self.texts.borrow().get(&(path.clone(), side)).cloned().flatten()
    }

    fn once(&self, path: &RepoPath, side: Side, read: impl FnOnce() -> Option<FileText>) -> Option<Arc<FileText>> {
        let key = (path.clone(), side);
        if let Some(known) = self.texts.borrow().get(&key) {
            return known.clone();
        }
        let text = read().map(|t| {
            let masked = secrets::mask(t.as_str()).into_owned();
            Arc::new(t.with_text(masked))
        });
        self.texts.borrow_mut().insert(key, text.clone());
        text
    }
}
