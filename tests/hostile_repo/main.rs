//! Repositories that try to run something, to hide something, or to be too much.

// Named pipes, names that are no text, modes of files: what only Unix has.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../git_repo/mod.rs"]
mod git_repo;

mod files;
mod run;
mod states;

use git_repo::{Repo, since};
use tribune::change::{Change, Source};
use tribune::diff::Side;
use tribune::error::UserError;
use tribune::git::GrepQuery;

fn range(base: &str, head: &str) -> Source {
    Source::Range { base: base.to_owned(), head: Some(head.to_owned()) }
}

/// Everything that a review reads of a change.
fn read_all(change: &Change) {
    let objects = change.objects.as_ref().unwrap();
    for side in [Side::Old, Side::New] {
        for file in &change.files {
            let _ = (change.text(file, side), change.size(file, side));
        }
        objects.entries(side).unwrap();
        objects.grep(side, &GrepQuery { needles: vec!["a".to_owned()], max_per_file: 3, max_hits: 10, ..GrepQuery::default() }).unwrap();
    }
    for entry in objects.policy_entries().unwrap() {
        let _ = objects.policy_file(&entry.path, 1 << 20);
    }
}

fn told(error: &UserError) -> String {
    format!("{} | {} | {} | exit {}", error.title, error.cause, error.fix, error.exit.code())
}

/// A repository with two commits, something staged, something changed and something untracked.
fn busy() -> (Repo, String) {
    let repo = Repo::new();
    repo.write("a.txt", "a\n".repeat(20));
    repo.write("b.txt", "a b\n");
    repo.write("c.bin", "contents\n".repeat(10));
    let base = repo.commit("base");
    repo.git(&["checkout", "-qb", "topic"]);
    repo.write("a.txt", "a\n".repeat(19) + "b\n");
    repo.write("c.bin", "contents\n".repeat(10) + "more\n");
    repo.commit("topic");
    repo.write("b.txt", "a b c\n");
    repo.git(&["add", "b.txt"]);
    repo.write("b.txt", "a b c d\n");
    repo.write("untracked.txt", "a\n");
    (repo, base)
}

fn all_sources(base: &str) -> [Source; 4] {
    [Source::WorkTree, Source::Staged, since(base), range(base, "topic")]
}
