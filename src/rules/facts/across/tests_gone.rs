//! A test that is deleted or switched off in the same change that alters what it tested: then nothing says any more whether
//! the change is right.

use super::Found;
use super::view::{File, View};
use crate::context::{self, ChangeKind, Class, Symbol, is_test_path};
use crate::diff::Side;
use std::collections::BTreeSet;

/// Lines before a test's name that can switch it off.
const OFF: [&str; 14] = [
    "#[ignore",
    "@pytest.mark.skip",
    "@unittest.skip",
    "@skip",
    "it.skip(",
    "test.skip(",
    "describe.skip(",
    "xit(",
    "xdescribe(",
    "xtest(",
    "t.Skip(",
    "t.SkipNow(",
    "@Disabled",
    "@Ignore",
];

pub(super) fn tests_gone(view: &View<'_>) -> Vec<Found> {
    // What the change alters inside, by name: its tests are what says whether that is right.
    let altered: BTreeSet<&str> = view
        .files
        .iter()
        .filter(|f| !is_test_path(f.diff.path()))
        .flat_map(|f| f.changes)
        .filter(|c| matches!(c.kind, ChangeKind::Body | ChangeKind::Signature))
        .filter_map(|c| c.new.as_ref())
        .filter(|s| !s.is_test && matches!(s.class, Class::Code | Class::Type) && s.own.len() >= 4 && !context::COMMON.contains(&s.own.as_str()))
        .map(|s| s.own.as_str())
        .collect();
    if altered.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for file in &view.files {
        deleted(view, file, &altered, &mut found);
        disabled(file, &altered, &mut found);
    }
    found
}

fn deleted(view: &View<'_>, file: &File<'_>, altered: &BTreeSet<&str>, found: &mut Vec<Found>) {
    let Some(old) = &file.old else { return };
    let removed: Vec<&Symbol> =
        file.changes.iter().filter(|c| c.kind == ChangeKind::Removed).filter_map(|c| c.old.as_ref()).filter(|s| s.is_test).collect();
    // Where as many come as go, tests are written anew.
    let added = view
        .files
        .iter()
        .flat_map(|f| f.changes)
        .filter(|c| matches!(c.kind, ChangeKind::Added) && c.new.as_ref().is_some_and(|s| s.is_test))
        .count();
    if removed.is_empty() || added >= removed.len() {
        return;
    }
    let lives_on = |name: &str| view.files.iter().flat_map(|f| f.new_symbols).any(|s| s.is_test && s.own == name);
    for test in removed.into_iter().filter(|t| !lives_on(&t.own)) {
        let body: String = (test.line..=test.end).filter_map(|n| old.line(n)).collect::<Vec<_>>().join("\n");
        if let Some(subject) = altered.iter().find(|name| calls(&body, name)) {
            found.push(Found {
                file: file.index,
                side: Side::Old,
                lines: (test.line, test.line),
                message: format!("Test `{}` is deleted while `{subject}`, which it tests, changes", test.own.trim_matches('"')),
                places: Vec::new(),
            });
        }
    }
}

fn disabled(file: &File<'_>, altered: &BTreeSet<&str>, found: &mut Vec<Found>) {
    let Some(new) = &file.new else { return };
    for (number, line) in file.added() {
        let code = line.trim_start();
        let Some(how) = OFF.iter().find(|o| code.starts_with(*o) || (o.starts_with("t.") && code.contains(*o))) else { continue };
        let Some(test) = file.new_symbols.iter().filter(|s| s.start <= number && number <= s.end && s.is_test).max_by_key(|s| s.start) else {
            continue;
        };
        // One that is new has never tested anything.
        if !file.old_symbols.iter().any(|s| s.own == test.own) {
            continue;
        }
        let body: String = (test.line..=test.end).filter_map(|n| new.line(n)).collect::<Vec<_>>().join("\n");
        if let Some(subject) = altered.iter().find(|name| calls(&body, name)) {
            found.push(Found {
                file: file.index,
                side: Side::New,
                lines: (number, number),
                message: format!("`{}` switches `{}` off while `{subject}` changes", how.trim_end_matches('('), test.own.trim_matches('"')),
                places: Vec::new(),
            });
        }
    }
}

fn calls(body: &str, name: &str) -> bool {
    body.lines().any(|l| context::word_at(l, name).is_some_and(|at| l[at + name.len()..].starts_with(['(', ':', '{', '.', '<', '!'])))
}
