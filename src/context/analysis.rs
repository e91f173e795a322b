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
use crate::text::FileText;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Of a change's texts, both sides together, so many bytes are parsed; of the rest no symbols are known.
const MAX_PARSED: usize = 16 << 20;

/// What is known of the changed files; made once for all bundles.
#[derive(Debug, Default)]
pub struct Analysis {
    files: Vec<FileView>,
}

/// One changed file. All of it is empty for files that were not asked for, are private, or have no text.
#[derive(Debug, Default)]
pub(super) struct FileView {
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

impl Analysis {
    /// Reads the files with the given indices into `change.files`.
    pub fn new(change: &Change, repo: &dyn Repository, files: &[usize], mask: Mask<'_>, private: Private<'_>) -> Self {
        let mut views: Vec<FileView> = Vec::new();
        views.resize_with(change.files.len(), FileView::default);
        let open = |i: &usize| change.files.get(*i).is_some_and(|f| !f.hunks.is_empty() && !is_private(f, private));
        let todo: Vec<usize> = files.iter().copied().filter(open).collect();
        let mut room = MAX_PARSED;
        if todo.len() * 2 * MAX_TEXT <= room {
            // The bound cannot be reached, so the order does not matter: parsing is most of the time before the first request.
            for (i, view) in in_parallel(&todo, |i| FileView::new(&change.files[i], repo, mask, &mut room.clone())) {
                views[i] = view;
            }
        } else {
            for i in todo {
                views[i] = FileView::new(&change.files[i], repo, mask, &mut room);
            }
        }
        Self { files: views }
    }

    pub(super) fn file(&self, index: usize) -> &FileView {
        const NOTHING: &FileView =
            &FileView { old: Vec::new(), new: Vec::new(), now: Vec::new(), changes: Vec::new(), removed: Words::new(), added: Words::new() };
        self.files.get(index).unwrap_or(NOTHING)
    }
}

/// What `work` makes of each index, on all cores, in no order.
fn in_parallel<T: Send>(todo: &[usize], work: impl Fn(usize) -> T + Sync) -> Vec<(usize, T)> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        while let Some(&i) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((i, work(i)));
        }
        done
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8).min(todo.len());
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    })
}

impl FileView {
    fn new(file: &FileDiff, repo: &dyn Repository, mask: Mask<'_>, room: &mut usize) -> Self {
        let (old, removed) = side(file, Side::Old, repo, mask, room);
        let (new, added) = side(file, Side::New, repo, mask, room);
        let changes = symbol_changes(&old, &new, &file.hunks);
        let now = counterparts(&old, &new);
        Self { old, new, now, changes, removed, added }
    }
}

fn side(file: &FileDiff, side: Side, repo: &dyn Repository, mask: Mask<'_>, room: &mut usize) -> (Vec<Symbol>, Words) {
    let Some(text) = masked(file, side, repo, mask) else { return Default::default() };
    let path = if side == Side::Old { &file.old_path } else { &file.new_path };
    // What a patch shows of a file is no program, only lines.
    let fits = text.is_whole() && text.as_str().len() <= *room;
    let parsed = if fits { parse(path, text.as_str()) } else { None };
    *room = room.saturating_sub(text.as_str().len());
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
    let symbols = symbols(path, text.as_str(), parsed.as_ref());
    let test_path = is_test_path(path) || is_noise(path);
    let tests = |line| test_path || is_test_line(&symbols, line);
    let words = words(text.as_str(), &lines, parsed.as_ref().map(|(_, tree)| tree), &tests);
    (symbols, words)
}

/// A changed file's text on one side, secrets masked as a whole: a line of a key block says nothing by itself.
pub(super) fn masked(file: &FileDiff, side: Side, repo: &dyn Repository, mask: Mask<'_>) -> Option<FileText> {
    let text = repo.text(file, side)?;
    let masked = mask(text.as_str());
    Some(if text.is_whole() { FileText::whole(masked.as_bytes()) } else { FileText::sparse((1..).zip(masked.lines().map(str::as_bytes))) })
}

/// Whether a changed file lies, or lay, where contents must not leave the machine.
pub(super) fn is_private(file: &FileDiff, private: Private<'_>) -> bool {
    private(&file.new_path) || private(&file.old_path)
}
