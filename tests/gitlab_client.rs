//! The GitLab client against a fake GitLab.

#[path = "support/forge.rs"]
mod forge;
mod git_repo;

use forge::gitlab::FakeGitLab;
use forge::{FakeForge, Rights, Start};

#[test]
fn begins() {
    let fake = FakeGitLab::start(&Start {
        base: &|r| r.write("a.py", "one\ntwo\nthree\n"),
        change: &|r| r.write("a.py", "one\nTWO\nthree\n"),
        ..Start::default()
    });
    assert!(fake.env(Rights::Write).iter().any(|(n, _)| n == "GITLAB_TOKEN"));
    assert!(fake.threads().is_empty());
}
