//! A merge request as a change: from whatever clone there is, or none, or from the API alone.

use super::*;
use forge::Fault;
use git_repo::{git_in, summary};
use std::path::Path;
use std::sync::Arc;
use tribune::change::{Change, Policy, PolicyArg, RequestSource, Source, SourceKind, SourceRequest, open};
use tribune::error::UserError;
use tribune::path::RepoPath;

const SUMMARY: &str = "\
M edited.py +2 -2
A fresh.py +4 -0
D gone.py +0 -5
R old name.py -> new name.py +1 -1";

async fn source(fake: &FakeGitLab) -> Source {
    let client: Arc<dyn Forge> = Arc::from(client(fake, Rights::Read).await);
    let (target, request, access) = (client.target().clone(), request(client.as_ref()).await, client.git_access());
    let runtime = tokio::runtime::Handle::current();
    RequestSource::new(target, request, access, move || runtime.block_on(client.diff())).into()
}

async fn read(fake: &FakeGitLab, dir: &Path, policy: Option<PolicyArg>) -> Result<Change, UserError> {
    let asked = SourceRequest { dir: dir.to_owned(), source: source(fake).await, policy };
    tokio::task::spawn_blocking(move || open(&asked)).await.expect("no panic")
}

/// All files below a folder with their contents.
fn contents(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path());
    let mut all: Vec<_> =
        entries.flat_map(|p| if p.is_dir() { contents(&p) } else { vec![(p.clone(), std::fs::read(&p).unwrap_or_default())] }).collect();
    all.sort();
    all
}

fn clone(fake: &FakeGitLab, options: &[&str]) -> std::path::PathBuf {
    let outside = fake.repo().outside.path();
    let url = format!("file://{}", outside.join("origin.git").display());
    git_in(outside, &[&["clone", "-q"], options, &[&url, "clone"]].concat());
    outside.join("clone")
}

#[tokio::test]
async fn is_the_same_from_every_clone() {
    let tip = |fake: &FakeGitLab| String::from_utf8(git_in(&fake.repo().outside.path().join("origin.git"), &["rev-parse", "main"])).expect("an id");
    for options in [
        &["-b", "topic"][..],
        &["-b", "topic", "--depth=1"],
        &["-b", "main", "--depth=1"],
        &["-b", "main", "--single-branch"],
        &["-b", "topic", "--filter=blob:none"],
        &["-b", "topic", "--filter=blob:none", "--no-checkout"],
        &["-b", "main", "--single-branch", "--filter=blob:none", "--no-checkout"],
    ] {
        let mut fake = sample();
        fake.push_target(&[(".tribune.yaml", "fail_on: nit\n"), ("deep/AGENTS.md", "agents\n")]);
        let dir = clone(&fake, options);
        let before = contents(&dir);
        let change = read(&fake, &dir, None).await.unwrap_or_else(|e| panic!("{options:?}: {e}"));
        assert_eq!((change.kind, summary(&change).as_str()), (SourceKind::Range, SUMMARY), "{options:?}: {:?}", change.notes);
        assert_eq!(change.policy, Policy::Commit { sha: tip(&fake).trim().to_owned(), by_hand: false });
        let objects = change.objects.as_ref().expect("objects");
        let policy = |path: &str| objects.policy_file(&RepoPath::from(path), 1_000).map_err(|e| e.to_string());
        assert_eq!(policy(".tribune.yaml"), Ok(b"fail_on: nit\n".to_vec()), "{options:?} {:?}", change.notes);
        assert_eq!(policy("deep/AGENTS.md"), Ok(b"agents\n".to_vec()), "{options:?}");
        let text = change.text(&change.files[0], Side::New).expect("text").line(10).map(str::to_owned);
        assert_eq!(text.as_deref(), Some("ten"));
        assert_eq!(change.messages, ["Change files\n\nWhy.\n\n<!-- hidden -->", "change"], "{options:?}");
        // Nothing of the clone was touched.
        assert!(before == contents(&dir), "{options:?}");
    }
}

#[tokio::test]
async fn needs_no_clone_at_all() {
    let fake = sample();
    let nowhere = tempfile::tempdir().expect("a folder");
    let change = read(&fake, nowhere.path(), None).await.expect("a change");
    assert_eq!(summary(&change), SUMMARY);
    let head = fake.repo().ask(&["rev-parse", "--short=7", "HEAD"]);
    assert_eq!(change.label, format!("merge request 7 of group/sub/project ({head}) against main"));
}

#[tokio::test]
async fn takes_policy_from_where_the_author_cannot_write() {
    let mut fake = sample();
    // Stacked on a branch that anybody may write.
    fake.retarget("unprotected", false);
    fake.push_target(&[(".tribune.yaml", "fail_on: never\n")]);
    let main = fake.repo().ask(&["rev-parse", "main"]);
    let change = read(&fake, &fake.repo().dir, None).await.expect("a change");
    assert_eq!(change.policy, Policy::Commit { sha: main, by_hand: false });
    // By hand everything can be named.
    let head = fake.repo().ask(&["rev-parse", "HEAD"]);
    let change = read(&fake, &fake.repo().dir, Some(PolicyArg::Rev("HEAD".into()))).await.expect("a change");
    assert_eq!(change.policy, Policy::Commit { sha: head, by_hand: true });
    fake.retarget("release", true);
    fake.push_target(&[(".tribune.yaml", "fail_on: nit\n")]);
    let change = read(&fake, &fake.repo().dir, None).await.expect("a change");
    let policy = change.objects.expect("objects").policy_file(&RepoPath::from(".tribune.yaml"), 100).expect("a file");
    assert_eq!(policy, b"fail_on: nit\n");
}

#[tokio::test]
async fn comes_from_the_api_where_git_cannot_have_it() {
    let mut fake = sample();
    fake.fault(Fault::NoGit);
    let dir = clone(&fake, &["-b", "main", "--single-branch"]);
    let change = read(&fake, &dir, None).await.expect("a change");
    assert_eq!(summary(&change), SUMMARY);
    // The clone has the policy's commit.
    assert!(matches!(change.policy, Policy::Commit { by_hand: false, .. }));
    let nowhere = tempfile::tempdir().expect("a folder");
    let change = read(&fake, nowhere.path(), None).await.expect("a change");
    assert_eq!((summary(&change).as_str(), change.policy), (SUMMARY, Policy::Unreadable));
    assert!(!change.notes.join("\n").contains(&fake.token()), "{:?}", change.notes);
    // What the API leaves out ends as failed.
    fake.heal();
    fake.repo().write("big.txt", "0123456789abcdef\n".repeat(20_000));
    fake.repo().commit("big");
    fake.push();
    fake.fault(Fault::NoGit);
    fake.fault(Fault::OldVersion);
    let change = read(&fake, nowhere.path(), None).await.expect("a change");
    let unreadable: Vec<_> = change.unreadable.iter().map(|(p, why)| format!("{p}: {why}")).collect();
    assert_eq!(unreadable, ["big.txt: GitLab gives no diff of it: it is too large"]);
}
