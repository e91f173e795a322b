//! What comes before the diff: why the change was made, and what it touches at a glance.

use super::bundle::Bundle;
use super::changes::{ChangeKind, SymbolChange};
use super::grammar::Class;
use super::page::Page;
use super::text::{cut, shorten};
use super::{ContextInput, Mask};
use crate::diff::FileStatus;
use crate::path::RepoPath;

/// So many symbols of a file are named, and of one that was reviewed before.
const MAX_NAMES: usize = 8;
const MAX_OUTLINED: usize = 2;

/// The commits' messages, cut to `bytes` bytes together. HTML comments and link titles stand there as they were written.
pub(super) fn purpose(messages: &[String], mask: Mask<'_>, bytes: usize) -> Page {
    let mut page = Page::default();
    if messages.is_empty() {
        return page;
    }
    page.heading(1, "Purpose, as its author tells it");
    let share = (bytes / messages.len()).max(150);
    for (i, message) in messages.iter().enumerate() {
        if page.len() + 40 >= bytes {
            page.note(&format!("{} more commits", messages.len() - i));
            break;
        }
        if messages.len() > 1 {
            page.item(&format!("commit {}", i + 1));
        }
        let message = mask(cut(message.trim(), 16_000)).into_owned();
        let kept: Vec<&str> = message.lines().filter(|l| !is_trailer(l)).collect();
        let text = kept.join("\n");
        let head = cut(text.trim_end(), share.min(bytes.saturating_sub(page.len())));
        page.prose(head);
        if head.len() < text.trim_end().len() {
            page.note(&format!("{} bytes of the message cut", text.trim_end().len() - head.len()));
        }
    }
    page
}

/// Lines for machines and for courtesy.
fn is_trailer(line: &str) -> bool {
    ["Signed-off-by:", "Co-authored-by:", "Reviewed-by:", "Change-Id:", "Acked-by:"].iter().any(|t| line.starts_with(t))
}

/// The bundle's files with their counts and symbols, and the names of the change's other files.
pub(super) fn overview(input: &ContextInput<'_>, bytes: usize) -> Page {
    let mut page = Page::default();
    let files = || input.bundle.parts.iter().filter_map(|p| input.change.files.get(p.file));
    let (added, removed) = files().fold((0, 0), |(a, r), f| (a + f.added_lines(), r + f.removed_lines()));
    let count = distinct(input.bundle);
    page.heading(1, &format!("What changed: {count} file{}, +{added} -{removed}", if count == 1 { "" } else { "s" }));
    let mut last = None;
    for (i, part) in input.bundle.parts.iter().enumerate() {
        let Some(file) = input.change.files.get(part.file).filter(|_| last != Some(part.file)) else { continue };
        last = Some(part.file);
        if page.len() + 200 >= bytes {
            page.note(&format!("{} more files, see the diff", input.bundle.parts.len() - i));
            break;
        }
        let mut line = format!("{} +{} -{}", file.path(), file.added_lines(), file.removed_lines());
        match file.status {
            FileStatus::Added => line.push_str(" new"),
            FileStatus::Deleted => line.push_str(" deleted"),
            _ => {
                let symbols = symbols(&input.analysis.file(part.file).changes, MAX_NAMES);
                if !symbols.is_empty() && page.len() + symbols.len() + 200 < bytes {
                    line.push_str(": ");
                    line.push_str(&symbols);
                }
            }
        }
        page.item(&line);
    }
    outlined(input, &mut page, bytes);
    others(input.other_files, &mut page, bytes / 4);
    page
}

/// Files that were reviewed before and stand as they stood, by name and symbols.
fn outlined(input: &ContextInput<'_>, page: &mut Page, bytes: usize) {
    for (i, index) in input.outlined.iter().enumerate() {
        let Some(file) = input.change.files.get(*index) else { continue };
        if i == 0 {
            page.item("Reviewed in an earlier round and unchanged since, so outlined only (`show_diff` shows one):");
        }
        if page.len() + 200 >= bytes {
            page.note(&format!("{} more", input.outlined.len() - i));
            break;
        }
        let symbols = symbols(&input.analysis.file(*index).changes, MAX_OUTLINED);
        let colon = if symbols.is_empty() { "" } else { ": " };
        page.item(&format!("{} +{} -{}{colon}{symbols}", file.path(), file.added_lines(), file.removed_lines()));
    }
}

fn distinct(bundle: &Bundle) -> usize {
    let mut files: Vec<usize> = bundle.parts.iter().map(|p| p.file).collect();
    files.dedup();
    files.len()
}

/// `changed Client::send (signature), retry; removed backoff; +3 tests`.
fn symbols(changes: &[SymbolChange], mut room: usize) -> String {
    let mut groups: Vec<String> = Vec::new();
    for (kind, word) in [
        (ChangeKind::Removed, "removed"),
        (ChangeKind::Renamed, "renamed"),
        (ChangeKind::Signature, "signature of"),
        (ChangeKind::Body, "body of"),
        (ChangeKind::Added, "added"),
    ] {
        let of_kind = || changes.iter().filter(move |c| c.kind == kind && !matches!(c.symbol().label, "mod" | "describe"));
        let named: Vec<&SymbolChange> = of_kind().filter(|c| !c.symbol().is_test).collect();
        let tests = of_kind().count() - named.len();
        let mut names: Vec<String> = named.iter().take(room).map(|c| name(c)).collect();
        room -= names.len();
        match named.len() - names.len() {
            0 => {}
            more => names.push(format!("{more} more")),
        }
        if tests > 0 {
            names.push(format!("{tests} test{}", if tests == 1 { "" } else { "s" }));
        }
        if !names.is_empty() {
            groups.push(format!("{word} {}", names.join(", ")));
        }
    }
    groups.join("; ")
}

fn name(change: &SymbolChange) -> String {
    let symbol = change.symbol();
    let label = if matches!(symbol.class, Class::Section | Class::Container) && symbol.label != "impl" { "" } else { symbol.label };
    let space = if label.is_empty() { "" } else { " " };
    match (&change.old, change.kind) {
        (Some(old), ChangeKind::Renamed) => format!("{label}{space}{} -> {}", old.name, shorten(&symbol.own, 60)),
        _ => format!("{label}{space}{}", shorten(&symbol.name, 80)),
    }
}

fn others(paths: &[RepoPath], page: &mut Page, bytes: usize) {
    if paths.is_empty() {
        return;
    }
    let mut line = String::new();
    for (i, path) in paths.iter().enumerate() {
        let path = path.display();
        if line.len() + path.len() > bytes.max(200) {
            line.push_str(&format!(" and {} more", paths.len() - i));
            break;
        }
        line.push_str(if i == 0 { "" } else { ", " });
        line.push_str(&path);
    }
    page.item(&format!("also changed, not shown here: {line}"));
}
