//! Odd, large and many files, and the store that reads them.

use crate::busy;
use crate::git_repo::{Repo, since, summary};
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};
use tribune::change::{Policy, PolicyArg, Source};
use tribune::diff::Side;
use tribune::git::{GrepQuery, ObjectError};
use tribune::path::RepoPath;

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
