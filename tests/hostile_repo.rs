//! Repositories that try to run something, to hide something, or to be too much.

#![expect(clippy::unwrap_used, reason = "tests")]

mod git_repo;

use git_repo::{Repo, git_command, git_in, since, summary};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tribune::change::{Change, Policy, PolicyArg, Source, SourceRequest, open};
use tribune::diff::{FileMode, Side};
use tribune::error::{Exit, UserError};
use tribune::git::{GrepQuery, ObjectError};
use tribune::path::RepoPath;

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

/// All files below `dir`: what they hold, and when they were written.
fn state(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, i64, i64, u32)> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                open.push(path.clone());
            }
            let bytes = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            found.insert(path, (bytes, meta.mtime(), meta.mtime_nsec(), meta.mode()));
        }
    }
    found
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

#[test]
fn nothing_that_a_repository_names_is_run() {
    let (repo, base) = busy();
    let canary = repo.outside.path().join("canary");
    let script = repo.outside.path().join("evil");
    fs::write(&script, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", canary.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = script.display().to_string();

    let hooks = repo.dir.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["pre-commit", "post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman", "query-watchman", "sendemail-validate"] {
        fs::copy(&script, hooks.join(hook)).unwrap();
    }
    let home = repo.outside.path().join("home");
    fs::create_dir(&home).unwrap();
    for (key, value) in [
        ("core.fsmonitor", evil.as_str()),
        ("core.fsmonitorHookVersion", "2"),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.pager", &evil),
        ("core.editor", &evil),
        ("core.sshCommand", &evil),
        ("core.gitProxy", &evil),
        ("core.askPass", &evil),
        ("core.alternateRefsCommand", &evil),
        ("core.worktree", home.to_str().unwrap()),
        ("core.untrackedCache", "true"),
        ("core.splitIndex", "true"),
        ("pager.diff", &evil),
        ("pager.ls-files", &evil),
        ("pager.cat-file", &evil),
        ("sequence.editor", &evil),
        ("credential.helper", &evil),
        ("gpg.program", &evil),
        ("log.showSignature", "true"),
        ("diff.external", &evil),
        ("diff.evil.textconv", &evil),
        ("diff.evil.command", &evil),
        ("diff.evil.cachetextconv", "true"),
        ("filter.evil.clean", &evil),
        ("filter.evil.smudge", &evil),
        ("filter.evil.required", "true"),
        ("filter.process.process", &evil),
        ("filter.process.required", "true"),
        ("merge.evil.driver", &evil),
        ("alias.ls-files", &format!("!{evil}")),
        ("alias.config", &format!("!{evil}")),
        ("uploadpack.packObjectsHook", &evil),
        ("remote.origin.url", &format!("ext::{evil}")),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"),
        ("extensions.partialClone", "origin"),
        ("protocol.ext.allow", "always"),
        ("protocol.allow", "always"),
        ("submodule.recurse", "true"),
        ("status.submoduleSummary", "true"),
        ("interactive.diffFilter", &evil),
        ("grep.fallbackToNoIndex", "true"),
        ("trace2.eventTarget", canary.to_str().unwrap()),
    ] {
        repo.git(&["config", key, value]);
    }
    let attributes = "*.txt filter=evil diff=evil merge=evil\n*.bin filter=process diff=evil\n";
    fs::write(repo.dir.join(".gitattributes"), attributes).unwrap();
    fs::create_dir_all(repo.dir.join(".git/info")).unwrap();
    fs::write(repo.dir.join(".git/info/attributes"), attributes).unwrap();
    // Files whose times changed are compared by contents.
    for name in ["a.txt", "b.txt", "c.bin"] {
        fs::File::options().write(true).open(repo.dir.join(name)).unwrap().set_modified(std::time::SystemTime::now() + Duration::from_secs(5)).unwrap();
    }
    let _ = fs::remove_file(&canary);

    for source in all_sources(&base) {
        read_all(&repo.open_with(source, None).unwrap());
    }
    for policy in [PolicyArg::WorkTree, PolicyArg::Rev("main".to_owned())] {
        read_all(&repo.open_with(since(&base), Some(policy)).unwrap());
    }
    // A missing object is not fetched from the promised remote.
    let missing = "1234567890123456789012345678901234567890";
    repo.open(since(missing)).unwrap_err();
    assert!(!canary.exists(), "{}", fs::read_to_string(&canary).unwrap());

    // The work tree is where `.git` lies, not where `core.worktree` points.
    let change = repo.open(Source::WorkTree).unwrap();
    assert!(change.files.iter().any(|f| f.path() == &RepoPath::from("untracked.txt")));
    // The canary does sing when git is asked in the ordinary way.
    let _ = git_command(&repo.dir).args(["-c", &format!("core.worktree={}", repo.dir.display()), "status"]).output().unwrap();
    assert!(canary.exists());
}

#[test]
fn submodules_are_not_entered() {
    let (library, _) = busy();
    let repo = Repo::new();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &library.dir.display().to_string(), "lib"]);
    repo.commit("base");
    let canary = repo.outside.path().join("canary");
    let evil = format!("touch {}; false", canary.display());
    git_in(&repo.dir.join("lib"), &["config", "core.fsmonitor", &evil]);
    fs::write(repo.dir.join("lib/dirty.txt"), "x").unwrap();
    let change = repo.open(Source::WorkTree).unwrap();
    read_all(&change);
    assert_eq!(summary(&change), "", "what is not committed in a submodule is not this repository's");
    git_in(&repo.dir.join("lib"), &["-c", "core.fsmonitor=", "commit", "-qm", "moved", "--allow-empty"]);
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!((summary(&change).as_str(), change.files[0].new_mode), ("M lib +1 -1", Some(FileMode::Submodule)));
    assert_eq!(change.text(&change.files[0], Side::New), None);
    assert!(!canary.exists());

    // The submodule itself is a work tree of its own, whose git directory lies elsewhere.
    let request = SourceRequest { dir: repo.dir.join("lib"), source: Source::WorkTree, policy: None };
    insta::assert_snapshot!(summary(&open(&request).unwrap()), @"A dirty.txt +1 -0");
}

#[test]
fn the_repository_is_not_written() {
    let (repo, base) = busy();
    // A file that has gone back to a state which git has as an object already.
    repo.write("a.txt", "a\n".repeat(20));
    let before = state(&repo.dir);
    for source in all_sources(&base) {
        read_all(&repo.open(source).unwrap());
    }
    assert!(before == state(&repo.dir));
}

#[test]
fn settings_do_not_change_the_diff() {
    let (repo, base) = busy();
    repo.git(&["mv", "c.bin", "d.bin"]);
    repo.commit("move");
    let plain: Vec<_> = all_sources(&base).into_iter().map(|s| repo.open(s).unwrap().files).collect();
    assert!(plain.iter().any(|files| files.iter().any(|f| f.old_path != f.new_path)), "a rename is in it");
    let order = repo.outside.path().join("order");
    fs::write(&order, "z*\nb*\n*\n").unwrap();
    for (key, value) in [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.srcPrefix", "x/"),
        ("diff.renames", "false"),
        ("diff.renameLimit", "1"),
        ("diff.algorithm", "histogram"),
        ("diff.context", "0"),
        ("diff.interHunkContext", "9"),
        ("diff.colorMoved", "zebra"),
        ("color.ui", "always"),
        ("color.diff", "always"),
        ("diff.submodule", "log"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.orderFile", order.to_str().unwrap()),
        ("diff.wordRegex", "."),
        ("diff.suppressBlankEmpty", "true"),
        ("diff.indentHeuristic", "false"),
        ("diff.relative", "true"),
        ("diff.wsErrorHighlight", "all"),
        ("diff.dirstat", "lines"),
        ("core.quotePath", "false"),
        ("core.abbrev", "5"),
        ("core.bigFileThreshold", "1"),
        ("core.attributesFile", order.to_str().unwrap()),
        ("core.excludesFile", order.to_str().unwrap()),
        ("diff.b.binary", "true"),
    ] {
        repo.git(&["config", key, value]);
    }
    // Nor do attributes that would hide contents, wherever they stand.
    fs::create_dir_all(repo.dir.join(".git/info")).unwrap();
    fs::write(repo.dir.join(".git/info/attributes"), "* -diff\n").unwrap();
    let again: Vec<_> = all_sources(&base).into_iter().map(|s| repo.open(s).unwrap().files).collect();
    assert_eq!(plain, again);

    repo.write(".gitattributes", "* -diff -text binary\n");
    repo.commit("hide");
    repo.write("b.txt", "one more\n");
    for source in all_sources(&base) {
        let change = repo.open(source).unwrap();
        assert!(change.files.iter().all(|f| !f.binary), "{}", summary(&change));
    }
}

#[test]
fn replaced_objects_do_not_count() {
    let (repo, base) = busy();
    let before = repo.open(since(&base)).unwrap().files;
    repo.git(&["replace", "HEAD:a.txt", "main:a.txt"].map(|name| if name == "replace" { name.to_owned() } else { repo.ask(&["rev-parse", name]) }));
    assert_eq!(repo.open(since(&base)).unwrap().files, before);
}

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
    git_in(repo.outside.path(), &["clone", "-q", "--shared", "--separate-git-dir", apart.to_str().unwrap(), repo.dir.to_str().unwrap(), shared.to_str().unwrap()]);
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
fn links_out_of_the_repository_are_not_followed() {
    let repo = Repo::new();
    let secret = repo.outside.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key.txt"), "outside\n").unwrap();
    repo.write("dir/key.txt", "inside\n");
    repo.write("dir/other.txt", "inside\n");
    repo.write(".gitignore", "/ignored\n");
    repo.write("ignored/key.txt", "inside\n");
    repo.git(&["add", "-f", "ignored/key.txt"]);
    repo.commit("base");
    for name in ["dir", "ignored"] {
        fs::remove_dir_all(repo.path(name)).unwrap();
        symlink(&secret, repo.path(name)).unwrap();
    }
    symlink(secret.join("key.txt"), repo.path("link")).unwrap();
    symlink(&secret, repo.path("linked-folder")).unwrap();
    let change = repo.open(Source::WorkTree).unwrap();
    insta::assert_snapshot!(summary(&change), @r"
    A dir +1 -0
    D dir/key.txt +0 -1
    D dir/other.txt +0 -1
    D ignored/key.txt +0 -1
    A link +1 -0
    A linked-folder +1 -0
    ");
    let objects = change.objects.as_ref().unwrap();
    for name in ["link", "linked-folder", "dir"] {
        assert!(matches!(objects.file(Side::New, &name.into(), 100), Err(ObjectError::NotAFile)), "{name}");
    }
    assert!(matches!(objects.file(Side::New, &"linked-folder/key.txt".into(), 100), Err(ObjectError::Missing)));
    let query = GrepQuery { needles: vec!["outside".to_owned()], max_per_file: 9, max_hits: 9, ..GrepQuery::default() };
    assert_eq!(objects.grep(Side::New, &query).unwrap(), []);
}

#[test]
fn odd_files_of_the_work_tree_are_accounted_for() {
    let repo = Repo::new();
    repo.write("tracked", "x\n");
    repo.write("becomes-folder", "x\n");
    repo.commit("base");
    fs::remove_file(repo.path("tracked")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(repo.path("tracked")).status().unwrap().success());
    fs::remove_file(repo.path("becomes-folder")).unwrap();
    repo.write("becomes-folder/inside", "x\n");
    repo.write("large", vec![b'x'; (1 << 20) + 1]);
    repo.write("not-large", vec![b'x'; 1 << 20]);
    repo.write("nul", b"a\0b");
    repo.write(".GIT/name", "x");
    repo.write("git~1", "x");
    Repo::new().git(&["init", "-q", repo.path("nested").to_str().unwrap()]);
    repo.write("nested/file", "x");
    for name in ["new\nline", "quo\"te", "\x1b[31mred", "<b>&`*_", "-dash", ":!magic", " "] {
        repo.write(name, "odd\n");
    }
    repo.write(b"latin-\xe9", "odd\n");
    let change = repo.open(Source::WorkTree).unwrap();
    insta::assert_snapshot!(summary(&change), @r#"
    A \u{1b}[31mred +1 -0
    A   +1 -0
    A -dash +1 -0
    A :!magic +1 -0
    A <b>&`*_ +1 -0
    R becomes-folder -> becomes-folder/inside +0 -0
    A git~1 +1 -0
    A latin-� +1 -0
    A new\nline +1 -0
    A not-large +1 -0
    A nul +0 -0 binary
    A quo"te +1 -0
    "#);
    insta::assert_snapshot!(
        change.unreadable.iter().map(|(path, why)| format!("{path}: {why}")).collect::<Vec<_>>().join("\n"),
        @r"
    .GIT/name: git does not take a file of this name
    tracked: it is a named pipe, not a file
    "
    );
    assert_eq!(change.oversized, [("large".into(), (1 << 20) + 1)]);
    assert_eq!(change.notes, ["Not looked at: nested/, an untracked repository inside this one"]);
    let odd = change.files.iter().find(|f| f.path() == &RepoPath::from("new\nline")).unwrap();
    assert_eq!(change.text(odd, Side::New).unwrap().as_str(), "odd\n");
    let objects = change.objects.as_ref().unwrap();
    let query = GrepQuery { needles: vec!["odd".to_owned()], max_per_file: 9, max_hits: 99, ..GrepQuery::default() };
    assert_eq!(objects.grep(Side::New, &query).unwrap().len(), 8);
    assert_eq!(objects.file(Side::New, &RepoPath::new(b"latin-\xe9".to_vec()), 9).unwrap(), b"odd\n");
}

#[test]
fn a_file_of_the_same_size_and_time_is_still_looked_at() {
    let repo = Repo::new();
    repo.write("a", "1\n");
    repo.commit("base");
    let index = repo.dir.join(".git/index");
    // Written in the same moment as the index, as a quick script does.
    let moment = fs::metadata(&index).unwrap().modified().unwrap();
    repo.write("a", "2\n");
    fs::File::options().write(true).open(repo.path("a")).unwrap().set_modified(moment).unwrap();
    assert_eq!(summary(&repo.open(Source::WorkTree).unwrap()), "M a +1 -1");
}

#[test]
fn line_ends_are_converted_as_git_would() {
    let repo = Repo::new();
    repo.write("unix", "a\nb\n");
    repo.write("windows", "a\r\nb\r\n");
    repo.commit("base");
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write("unix", "a\r\nc\r\n");
    repo.write("windows", "a\r\nc\r\n");
    let change = repo.open(Source::WorkTree).unwrap();
    insta::assert_snapshot!(summary(&change), @r"
    M unix +1 -1
    M windows +1 -1
    ");
    assert_eq!(change.files[0].hunks[0].lines[2].text, b"c");
    assert_eq!(change.files[1].hunks[0].lines[2].text, b"c\r");
}

#[test]
fn large_files_and_long_lines_stay_within_bounds() {
    let repo = Repo::new();
    repo.write("line", "x");
    repo.write("huge", "x");
    repo.commit("base");
    repo.write("line", vec![b'y'; 5 << 20]);
    let mut huge = b"needle\n".to_vec();
    huge.resize(60 << 20, b'\n');
    repo.write("huge", &huge);
    let started = Instant::now();
    let change = repo.open(Source::WorkTree).unwrap();
    assert!(started.elapsed() < Duration::from_secs(30));
    insta::assert_snapshot!(summary(&change), @r"
    M huge +0 -0 binary
    M line +1 -1
    ");
    for file in &change.files {
        assert_eq!(change.text(file, Side::New), None);
        assert_eq!(change.text(file, Side::Old).unwrap().as_str(), "x");
    }
    assert_eq!(change.size(&change.files[0], Side::New), Some(60 << 20));
    let objects = change.objects.as_ref().unwrap();
    assert!(matches!(objects.file(Side::New, &"huge".into(), 1 << 20), Err(ObjectError::TooLarge { size: 62_914_560, bound: 1_048_576 })));
    // The store still answers after a refusal, and the line of a hit is cut.
    assert_eq!(objects.file(Side::Old, &"huge".into(), 10).unwrap(), b"x");
    let query = GrepQuery { needles: vec!["yyy".to_owned()], max_per_file: 9, max_hits: 9, ..GrepQuery::default() };
    let hits = objects.grep(Side::New, &query).unwrap();
    assert_eq!((hits.len(), hits[0].text.len()), (1, 500));
}

#[test]
fn thousands_of_files_take_a_modest_time() {
    let repo = Repo::new();
    for i in 0..5_000 {
        repo.write(format!("d{}/f{i}.txt", i % 50), format!("{i}\n"));
    }
    let base = repo.commit("base");
    for i in 0..5_000 {
        repo.write(format!("d{}/f{i}.txt", i % 50), format!("{i}\nmore\n"));
    }
    let started = Instant::now();
    let change = repo.open(Source::WorkTree).unwrap();
    assert_eq!((change.files.len(), change.base_sha.as_deref()), (5_000, Some(base.as_str())));
    assert!(change.files.iter().all(|f| change.text(f, Side::New).is_some()));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn searching_is_exact_bounded_and_ordered() {
    let repo = Repo::new();
    repo.write("src/a.rs", "fn needle() {}\nneedles\n a.c \nabc\n");
    repo.write("src/b:1.rs", "needle needle\r\nneedle\nneedle\n");
    repo.write("c.md", "needle\n");
    repo.write("bin", b"needle\0\n");
    let base = repo.commit("base");
    repo.write("c.md", "gone\n");
    let change = repo.open(Source::WorkTree).unwrap();
    let objects = change.objects.as_ref().unwrap();
    let ask = |side, query: &GrepQuery| {
        let hits = objects.grep(side, query).unwrap();
        hits.iter().map(|h| format!("{}:{}: {}", h.path, h.line, h.text)).collect::<Vec<_>>().join("\n")
    };
    let query = GrepQuery { needles: vec!["needle".to_owned()], max_per_file: 2, max_hits: 10, ..GrepQuery::default() };
    let all = "c.md:1: needle\nsrc/a.rs:1: fn needle() {}\nsrc/a.rs:2: needles\nsrc/b:1.rs:1: needle needle\nsrc/b:1.rs:2: needle";
    assert_eq!(ask(Side::Old, &query), all);
    assert_eq!(ask(Side::New, &query), all.split_once('\n').unwrap().1);
    let word = GrepQuery { word: true, glob: Some("src/*.rs".to_owned()), max_hits: 2, ..query.clone() };
    assert_eq!(ask(Side::Old, &word), "src/a.rs:1: fn needle() {}\nsrc/b:1.rs:1: needle needle");
    let several = GrepQuery { needles: ["a.c", "gone", "", "x\ny", "nul\0"].map(str::to_owned).to_vec(), ..query.clone() };
    assert_eq!(ask(Side::New, &several), "c.md:1: gone\nsrc/a.rs:3:  a.c ");
    for glob in ["../*", "x".repeat(2_000).as_str()] {
        let outside = GrepQuery { glob: Some(glob.to_owned()), ..query.clone() };
        assert!(matches!(objects.grep(Side::Old, &outside), Err(ObjectError::Git(_))));
    }
    let nowhere = GrepQuery { needles: vec!["absent".to_owned()], ..query };
    assert_eq!(ask(Side::New, &nowhere), "");
    assert!(matches!(objects.blob(&base, 1 << 20), Err(ObjectError::NotAFile)));
    assert!(matches!(objects.blob("x\nHEAD", 1 << 20), Err(ObjectError::Missing)));
    assert!(matches!(objects.blob(&"1".repeat(40), 1 << 20), Err(ObjectError::Missing)));
}

#[test]
fn policy_comes_from_the_base_or_by_hand() {
    let (repo, base) = busy();
    let policy = |source, policy| {
        let change = repo.open_with(source, policy).unwrap();
        let text = change.objects.as_ref().unwrap().policy_file(&"b.txt".into(), 100).unwrap();
        (change.policy.clone(), String::from_utf8(text).unwrap())
    };
    let head = repo.ask(&["rev-parse", "HEAD"]);
    let commit = |sha: &str, by_hand| Policy::Commit { sha: sha.to_owned(), by_hand };
    assert_eq!(policy(Source::WorkTree, None), (commit(&base, false), "a b\n".to_owned()));
    assert_eq!(policy(Source::Staged, None), (commit(&head, false), "a b\n".to_owned()));
    assert_eq!(policy(Source::Staged, Some(PolicyArg::WorkTree)), (Policy::WorkTree, "a b c d\n".to_owned()));
    assert_eq!(policy(since(&base), Some(PolicyArg::WorkTree)), (Policy::WorkTree, "a b c d\n".to_owned()));
    assert_eq!(policy(Source::WorkTree, Some(PolicyArg::Rev("topic".to_owned()))), (commit(&head, true), "a b\n".to_owned()));
    let patch = Source::Patch(repo.git(&["diff"]));
    let change = repo.open_with(patch.clone(), Some(PolicyArg::WorkTree)).unwrap();
    let objects = change.objects.as_ref().unwrap();
    assert_eq!((objects.entries(Side::New).unwrap().len(), objects.policy_entries().unwrap().len()), (0, 4));
    let change = repo.open(patch).unwrap();
    assert_eq!((change.policy, change.objects.is_none()), (Policy::None, true));
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
