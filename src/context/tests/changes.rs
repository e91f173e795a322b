//! What happened to symbols.

use super::fake::{Fake, file_diff, read};
use crate::context::{symbol_changes, symbols_of};
use crate::path::RepoPath;
use crate::text::FileText;

fn list(path: &str, old: &str, new: &str) -> String {
    let path = RepoPath::from(path);
    let side = |text: &str| symbols_of(&path, &FileText::whole(text.as_bytes()));
    let changes = symbol_changes(&side(old), &side(new), &file_diff(&path, old, new).hunks);
    changes.iter().map(|c| format!("{:?} {} {}\n", c.kind, c.symbol().label, c.symbol().name)).collect()
}

#[test]
fn tells_what_happened() {
    let old = "struct A {\n    x: u8,\n    y: u8,\n}\nimpl A {\n    fn same(&self) {}\n    fn gone(&self) { 1 }\n    fn sig(&self) {}\n    fn body(&self) {\n        1\n    }\n    fn before(&self, n: u8) -> Vec<u8> {}\n}\n";
    let new = "struct A {\n    x: u16,\n}\nimpl A {\n    fn same(&self) {}\n    fn sig(&self, a: u8) {}\n    fn body(&self) {\n        2\n    }\n    fn after(&self, n: u8) -> Vec<u8> {}\n}\nfn fresh() {}\nenum New { One, Two }\n";
    insta::assert_snapshot!(list("a.rs", old, new), @r"
    Removed field A::y
    Removed fn A::gone
    Renamed fn A::after
    Signature field A::x
    Signature fn A::sig
    Body fn A::body
    Added fn fresh
    ");
}

#[test]
fn pairs_the_nth_of_a_name_with_the_nth() {
    let old = "#[cfg(unix)]\nfn f() {\n    1\n}\n#[cfg(windows)]\nfn f() {\n    2\n}\n";
    let new = "#[cfg(unix)]\nfn f() {\n    1\n}\n#[cfg(windows)]\nfn f() {\n    3\n}\n";
    insta::assert_snapshot!(list("a.rs", old, new), @"Body fn f");
}

#[test]
fn does_not_guess_renames() {
    let old = "fn a() -> u8 {}\nfn b() -> u8 {}\n";
    let new = "fn c() -> u8 {}\nfn d() -> u8 {}\n";
    insta::assert_snapshot!(list("a.rs", old, new), @r"
    Removed fn a
    Removed fn b
    Added fn c
    Added fn d
    ");
}

#[test]
fn private_files_are_not_read() {
    let fake = Fake::default().change("secret/a.rs", "fn a() { 1 }\n", "fn a() { 2 }\n");
    let change = fake.to_change();
    let changes = |private: bool| read(&change, &fake, &[0], &|_: &RepoPath| private).file(0).changes.len();
    assert_eq!((changes(false), changes(true)), (1, 0));
}
