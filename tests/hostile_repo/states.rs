//! Repositories in every state: none, empty, shallow, unrelated, bare, linked, in conflict.

use crate::git_repo::{Repo, git_command, git_in, since, summary};
use crate::{busy, range, read_all, told};
use std::fs;
use std::path::Path;
use tribune::change::{Policy, PolicyArg, Source, SourceRequest, open};
use tribune::diff::Side;
use tribune::error::Exit;

#[test]
fn no_repository_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |source| open(&SourceRequest { dir: dir.path().to_owned(), source, policy: None });
    let error = ask(Source::WorkTree).unwrap_err();
    assert_eq!((error.title.as_str(), error.exit), ("not a git repository", Exit::Unreadable));
    assert!(error.fix.contains("--diff FILE"));
    let error = open(&SourceRequest { dir: dir.path().join("none"), source: Source::WorkTree, policy: None }).unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    // A patch needs none.
    let change = ask(Source::Patch(b"--- a/x\n+++ b/x\n@@ -3 +3 @@\n-a\n+b\n".to_vec())).unwrap();
    assert_eq!((summary(&change).as_str(), change.policy.clone(), change.objects.is_none()), ("M x +1 -1", Policy::None, true));
    assert_eq!(change.text(&change.files[0], Side::New).unwrap().line(3), Some("b"));
    // But policy from a repository does.
    let request = SourceRequest { dir: dir.path().to_owned(), source: Source::Patch(Vec::new()), policy: Some(PolicyArg::WorkTree) };
    assert_eq!(open(&request).unwrap_err().exit, Exit::Unreadable);
    // A `.git` that leads nowhere is not passed over.
    fs::write(dir.path().join(".git"), "gitdir: /nowhere\n").unwrap();
    assert_eq!(ask(Source::WorkTree).unwrap_err().title, "the repository cannot be opened");
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let repo = Repo::new();
    repo.write("a.txt", "a\n");
    repo.write("b.txt", "b\n");
    repo.git(&["add", "a.txt"]);
    let change = repo.open(Source::WorkTree).unwrap();
    insta::assert_snapshot!(summary(&change), @r"
    A a.txt +1 -0
    A b.txt +1 -0
    ");
    assert_eq!((change.base_sha.clone(), change.policy.clone()), (None, Policy::None));
    read_all(&change);
    insta::assert_snapshot!(summary(&repo.open(Source::Staged).unwrap()), @"A a.txt +1 -0");
    insta::assert_snapshot!(
        told(&repo.open(range("HEAD", "HEAD")).unwrap_err()),
        @"there are no commits yet | HEAD names a branch without a commit | Commit something first, or review the work tree: `tribune review` without --base. | exit 4"
    );
}

#[test]
fn bad_revisions_are_told() {
    let (repo, _) = busy();
    for (base, title, exit) in [
        ("-p", "--base: `-p` is not a revision", Exit::Usage),
        ("--output=x", "--base: `--output=x` is not a revision", Exit::Usage),
        ("", "--base: `` is not a revision", Exit::Usage),
        ("main\nHEAD", "--base: `main\\nHEAD` is not a revision", Exit::Usage),
        ("nowhere", "--base: no commit `nowhere`", Exit::Usage),
        ("HEAD:a.txt", "--base: no commit `HEAD:a.txt`", Exit::Usage),
        ("main..topic", "--base: no commit `main..topic`", Exit::Usage),
    ] {
        let error = repo.open(since(base)).unwrap_err();
        assert_eq!((error.title.as_str(), error.exit), (title, exit));
    }
    let error = repo.open_with(Source::Staged, Some(PolicyArg::Rev("-x".to_owned()))).unwrap_err();
    assert_eq!(error.title, "--policy: `-x` is not a revision");
    assert!(!repo.path("x").exists());
    for good in ["main", "main~0", "refs/heads/main", "@~1", "topic^{/base}"] {
        assert_eq!(repo.open(since(good)).unwrap().files.len(), 2, "{good}");
    }
}

#[test]
fn the_base_is_where_the_default_branch_was_left() {
    let (repo, base) = busy();
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!((change.base_sha.as_deref(), change.messages.as_slice()), (Some(base.as_str()), &["topic".to_owned()][..]));
    assert_eq!(change.policy, Policy::Commit { sha: base.clone(), by_hand: false });
    assert_eq!(change.label, format!("work tree against main ({})", &base[..7]));
    insta::assert_snapshot!(summary(&change), @r"
    M a.txt +1 -1
    M b.txt +1 -1
    M c.bin +1 -0
    A untracked.txt +1 -0
    ");
    // The remote's default branch comes first.
    repo.git(&["update-ref", "refs/remotes/origin/trunk", "topic"]);
    repo.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    let change = repo.open(Source::WorkTree).unwrap();
    let topic = repo.ask(&["rev-parse", "topic"]);
    assert_eq!(change.label, format!("work tree against origin/trunk ({})", &topic[..7]));
    assert_eq!(change.messages, Vec::<String>::new());
    // A detached HEAD is as good.
    repo.git(&["checkout", "-q", "--detach"]);
    assert_eq!(repo.open(Source::WorkTree).unwrap().files, change.files);
    // None at all: what is not committed.
    repo.git(&["update-ref", "-d", "refs/remotes/origin/trunk"]);
    repo.git(&["branch", "-m", "main", "other"]);
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!((change.base_sha.as_deref(), change.notes.len()), (Some(topic.as_str()), 1));
    assert!(change.notes[0].starts_with("No default branch found"), "{:?}", change.notes);
}

#[test]
fn histories_that_do_not_meet_are_told() {
    let (repo, _) = busy();
    repo.git(&["checkout", "-qf", "--orphan", "island"]);
    repo.commit("island");
    insta::with_settings!({filters => vec![("[0-9a-f]{7}", "[sha]")]}, {
        insta::assert_snapshot!(told(&repo.open(since("main")).unwrap_err()), @"the histories are unrelated | main ([sha]) and HEAD ([sha]) have no common ancestor | Give a --base that --head was branched from, or review a patch with --diff FILE. | exit 4");
    });
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!(change.notes, ["No common ancestor with main (their histories are unrelated): only what is not committed yet was looked at."]);
}

#[test]
fn a_shallow_clone_without_the_base_is_told() {
    let (repo, base) = busy();
    repo.git(&["checkout", "-qf", "main"]);
    repo.commit("main moves on");
    repo.git(&["checkout", "-qf", "topic"]);
    let clone = repo.outside.path().join("clone");
    let url = format!("file://{}", repo.dir.display());
    git_in(repo.outside.path(), &["clone", "-q", "--depth=1", "--no-single-branch", &url, clone.to_str().unwrap()]);
    let ask = |source| open(&SourceRequest { dir: clone.clone(), source, policy: None });
    insta::with_settings!({filters => vec![("[0-9a-f]{7}", "[sha]")]}, {
        insta::assert_snapshot!(told(&ask(since("origin/main")).unwrap_err()), @"the merge base is missing | this clone is shallow: the common ancestor of origin/main ([sha]) and HEAD ([sha]) is not in it | Fetch more history: `git fetch --deepen=100 origin`, or all of it: `git fetch --unshallow origin`. | exit 4");
    });
    let error = ask(since(&base)).unwrap_err();
    assert_eq!((error.cause.as_str(), error.exit), ("this clone is shallow and does not have it", Exit::Unreadable));
    git_in(&clone, &["update-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    let change = ask(Source::WorkTree).unwrap();
    assert!(change.notes[0].contains("shallow") && change.notes[0].contains("--unshallow"), "{:?}", change.notes);
    git_in(&clone, &["-c", "protocol.file.allow=always", "fetch", "-q", "--unshallow"]);
    assert_eq!(ask(since("origin/main")).unwrap().base_sha, Some(base));
}

#[test]
fn odd_kinds_of_repositories_work() {
    // SHA-256, a linked work tree, a bare one, a separate git directory, shared objects, a split index.
    let repo = Repo::with(&["--object-format=sha256"]);
    repo.write("a", "1\n");
    let base = repo.commit("base");
    repo.write("a", "2\n");
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!((base.len(), summary(&change).as_str()), (64, "M a +1 -1"));
    read_all(&change);
    assert_eq!(Repo::with(&["--object-format=sha256"]).open(Source::WorkTree).unwrap().files, []);

    let (repo, base) = busy();
    let linked = repo.outside.path().join("linked");
    repo.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap(), "topic"]);
    fs::write(linked.join("b.txt"), "linked\n").unwrap();
    fs::create_dir(linked.join("deep")).unwrap();
    let in_dir = |dir: &Path, source| open(&SourceRequest { dir: dir.to_owned(), source, policy: None });
    let change = in_dir(&linked.join("deep"), Source::WorkTree).unwrap();
    insta::assert_snapshot!(summary(&change), @r"
    M a.txt +1 -1
    M b.txt +1 -1
    M c.bin +1 -0
    ");

    let bare = repo.outside.path().join("bare.git");
    git_in(repo.outside.path(), &["clone", "-q", "--bare", repo.dir.to_str().unwrap(), bare.to_str().unwrap()]);
    assert_eq!(in_dir(&bare, range(&base, "topic")).unwrap().files.len(), 2);
    for source in [Source::WorkTree, Source::Staged] {
        assert_eq!(in_dir(&bare, source).unwrap_err().title, "there is no work tree to review");
    }
    assert_eq!(in_dir(&repo.dir.join(".git"), Source::WorkTree).unwrap_err().title, "there is no work tree to review");

    let (shared, apart) = (repo.outside.path().join("shared \"n\" #1"), repo.outside.path().join("apart\nline.git"));
    git_in(
        repo.outside.path(),
        &["clone", "-q", "--shared", "--separate-git-dir", apart.to_str().unwrap(), repo.dir.to_str().unwrap(), shared.to_str().unwrap()],
    );
    // Relative to the shared objects, as people move such clones about.
    fs::write(apart.join("objects/info/alternates"), "../../repo/.git/objects\n").unwrap();
    fs::write(shared.join("a.txt"), "shared\n").unwrap();
    git_in(&shared, &["update-index", "--split-index"]);
    fs::write(shared.join("b.txt"), "shared\n").unwrap();
    git_in(&shared, &["add", "b.txt"]);
    let change = in_dir(&shared, Source::WorkTree).unwrap();
    insta::assert_snapshot!(summary(&change), @r"
    M a.txt +1 -20
    M b.txt +1 -1
    ");
    read_all(&change);
}

#[test]
fn conflicts_are_shown_with_their_markers() {
    let (repo, _) = busy();
    repo.git(&["checkout", "-qf", "main"]);
    repo.write("a.txt", "a\n".repeat(19) + "c\n");
    repo.git(&["rm", "-q", "c.bin"]);
    repo.commit("main");
    let merge = git_command(&repo.dir).args(["merge", "topic"]).output().unwrap();
    assert!(!merge.status.success());
    let change = repo.open(Source::WorkTree).unwrap();
    let text = change.text(&change.files[0], Side::New).unwrap();
    assert!(text.as_str().contains("<<<<<<< HEAD"), "{}", text.as_str());
    insta::assert_snapshot!(summary(&change), @r"
    M a.txt +4 -0
    A c.bin +11 -0
    ");
    insta::assert_snapshot!(told(&repo.open(Source::Staged).unwrap_err()), @"the index has conflicts | files with unresolved conflicts: 2; the first is a.txt | Resolve them and `git add` the files, or review the work tree with its conflict markers: `tribune review`. | exit 4");
}

#[test]
fn messages_are_bounded() {
    let repo = Repo::new();
    let base = repo.commit("base");
    for i in 0..60 {
        repo.commit(&format!("number {i}\n\nbody\n"));
    }
    repo.commit(&"é".repeat(10_000));
    let change = repo.open(since(&base)).unwrap();
    assert_eq!((change.messages.len(), change.messages[0].as_str()), (50, "number 11\n\nbody"));
    assert_eq!(change.messages[49].len(), 4_096);
}

#[test]
fn a_partial_clone_is_told_and_fetches_nothing() {
    let (repo, base) = busy();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = repo.outside.path().join("clone");
    let url = format!("file://{}", repo.dir.display());
    git_in(repo.outside.path(), &["clone", "-q", "--filter=blob:none", "--no-checkout", &url, clone.to_str().unwrap()]);
    let error = open(&SourceRequest { dir: clone, source: range(&base, "HEAD"), policy: None }).unwrap_err();
    assert_eq!((error.title.as_str(), error.exit), ("objects of the change are missing", Exit::Unreadable));
}

#[test]
fn a_patch_shows_what_it_shows() {
    let patch = "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\ndiff --git a/old b/old\nindex 1..2 100644\n--- a/old\n+++ b/old\n@@ -2,2 +2,2 @@\n x\n-y\n+z\n@@ -2000000 +2000000 @@\n-a\n+b\ndiff --git a/some b/some\nindex 1..2 100644\n--- a/some\n+++ b/some\n@@ -2,2 +2,2 @@\n x\n-y\n+z\ndiff --git a/cut b/cut\nnew file mode 100644\n--- /dev/null\n+++ b/cut\n@@ -0,0 +1,9 @@\n+a\n";
    let change = open(&SourceRequest { dir: "/".into(), source: Source::Patch(patch.into()), policy: None }).unwrap();
    let text = |i: usize, side| change.text(&change.files[i], side).map(|t| (t.as_str().to_owned(), t.is_whole()));
    assert_eq!((text(0, Side::New), text(0, Side::Old)), (Some(("a\nb".to_owned(), true)), None));
    assert_eq!(text(1, Side::New), None, "line 2,000,000 would take as many blank ones");
    assert_eq!((text(2, Side::New), text(2, Side::Old)), (Some(("\nx\nz\n".to_owned(), false)), Some(("\nx\ny\n".to_owned(), false))));
    assert_eq!(text(3, Side::New), Some(("a\n".to_owned(), false)), "a file that is cut off is not whole");
    assert_eq!(change.unreadable, [("cut".into(), "it breaks off inside a hunk".to_owned())]);
    assert_eq!(open(&SourceRequest { dir: "/".into(), source: Source::Patch(b"?".to_vec()), policy: None }).unwrap_err().exit, Exit::Unreadable);
}
