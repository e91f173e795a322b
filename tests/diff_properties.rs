//! What git prints, parsed and printed again, is the same change to git; and nothing that is not sound makes the parser panic.

// Modes of files, and names that are no text: what only Unix has.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

mod git_repo;

use git_repo::{Repo, git_command, git_in, since};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use tribune::change::Source;
use tribune::diff::parse::parse;
use tribune::diff::{FileDiff, print};
use tribune::path::RepoPath;

/// Names that headers could misread.
const NAMES: &[&[u8]] = &[
    b"plain.rs",
    b"src/lib.rs",
    b"src/with blank.rs",
    b"b/x b/x",
    b"quo\"te\\back",
    b"new\nline",
    b"tab\there",
    b"caf\xc3\xa9.txt",
    b"latin-\xe9.txt",
    b"-dash",
    b" lead and trail ",
    b"dev/null",
    b":(glob)*",
    b"@@ -1 +1 @@",
];

#[derive(Debug, Clone, PartialEq)]
enum Node {
    File { lines: Vec<String>, crlf: bool, newline_at_end: bool, executable: bool },
    Link(String),
}

impl Node {
    fn bytes(lines: &[String], crlf: bool, newline_at_end: bool) -> Vec<u8> {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = lines.join(end);
        if newline_at_end && !lines.is_empty() {
            text.push_str(end);
        }
        text.into_bytes()
    }
}

/// Lines that could be taken for a patch's own.
fn a_line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-e]{0,3}",
        1 => prop::sample::select(vec!["--- a/x", "+++ b/x", "@@ -1 +1 @@", "diff --git a/x b/x", "-- ", "\\ No newline", "\t", " ", "\u{feff}x", "-- x", "++ y"]).prop_map(str::to_owned),
    ]
}

fn a_node() -> impl Strategy<Value = Node> {
    prop_oneof![
        6 => (prop::collection::vec(a_line(), 0..30), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(lines, crlf, newline_at_end, executable)| Node::File { lines, crlf, newline_at_end, executable }),
        1 => "[a-z./]{1,8}".prop_map(Node::Link),
    ]
}

/// What becomes of a file.
#[derive(Debug, Clone)]
enum Fate {
    Stay,
    Delete,
    Replace(Node),
    Edit(usize, Vec<String>),
    ToggleMode,
    Move(&'static [u8]),
}

fn a_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::Stay),
        1 => Just(Fate::Delete),
        2 => a_node().prop_map(Fate::Replace),
        4 => (0usize..30, prop::collection::vec(a_line(), 0..3)).prop_map(|(at, lines)| Fate::Edit(at, lines)),
        1 => Just(Fate::ToggleMode),
        2 => prop::sample::select(vec![&b"moved/to"[..], b"moved/with blank", b"moved/\xff\n", b"moved/\"x"]).prop_map(Fate::Move),
    ]
}

type Plan = Vec<(&'static [u8], Option<Node>, Fate)>;

fn a_plan() -> impl Strategy<Value = Plan> {
    prop::sample::subsequence(NAMES, 1..NAMES.len())
        .prop_flat_map(|names| names.into_iter().map(|name| (Just(name), prop::option::weighted(0.8, a_node()), a_fate())).collect::<Vec<_>>())
}

fn put(repo: &Repo, name: &[u8], node: &Node) {
    let path = repo.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    match node {
        Node::Link(target) => symlink(target, path).unwrap(),
        Node::File { lines, crlf, newline_at_end, executable } => {
            fs::write(&path, Node::bytes(lines, *crlf, *newline_at_end)).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(if *executable { 0o755 } else { 0o644 })).unwrap();
        }
    }
}

/// A repository with the plan's state before and after as two commits; the first one's id.
fn carry_out(plan: &Plan) -> (Repo, String) {
    let repo = Repo::new();
    for (name, node, _) in plan {
        if let Some(node) = node {
            put(&repo, name, node);
        }
    }
    let base = repo.commit("base");
    for (name, node, fate) in plan {
        match (node, fate) {
            (_, Fate::Stay) => {}
            (None, Fate::Replace(new)) => put(&repo, name, new),
            (None, _) => put(&repo, name, &Node::Link("new".to_owned())),
            (Some(_), Fate::Delete) => fs::remove_file(repo.path(name)).unwrap(),
            (Some(_), Fate::Replace(new)) => put(&repo, name, new),
            (Some(Node::File { lines, crlf, newline_at_end, executable }), Fate::Edit(at, new)) => {
                let at = *at.min(&lines.len());
                let end = (at + 1).min(lines.len());
                let lines = [&lines[..at], new, &lines[end..]].concat();
                put(&repo, name, &Node::File { lines, crlf: *crlf, newline_at_end: *newline_at_end, executable: *executable });
            }
            (Some(Node::File { lines, crlf, newline_at_end, executable }), Fate::ToggleMode) => {
                put(&repo, name, &Node::File { lines: lines.clone(), crlf: *crlf, newline_at_end: *newline_at_end, executable: !executable });
            }
            (Some(node), Fate::Move(to)) => {
                fs::remove_file(repo.path(name)).unwrap();
                put(&repo, to, node);
            }
            (Some(Node::Link(_)), _) => put(&repo, name, &Node::Link("elsewhere".to_owned())),
        }
    }
    repo.commit("head");
    (repo, base)
}

/// The tree that `git apply` makes of `patch` on `base`.
fn apply(repo: &Repo, base: &str, patch: &[u8]) -> String {
    git_in(&repo.dir, &["read-tree", base]);
    if !patch.is_empty() {
        let mut child = git_command(&repo.dir)
            .args(["apply", "--cached", "--whitespace=nowarn", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(patch).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(patch));
    }
    repo.ask(&["write-tree"])
}

fn names_of_git(repo: &Repo, base: &str, options: &[&str]) -> BTreeSet<RepoPath> {
    let args = [&["diff", "--name-only", "-z"], options, &[base, "HEAD"]].concat();
    repo.git(&args).split(|b| *b == 0).filter(|n| !n.is_empty()).map(RepoPath::new).collect()
}

fn names(files: &[FileDiff]) -> BTreeSet<RepoPath> {
    files.iter().map(|f| f.path().clone()).collect()
}

/// Line numbers are those of their hunks and rise without gaps.
fn check_numbers(files: &[FileDiff]) {
    for hunk in files.iter().flat_map(|f| &f.hunks) {
        let old: Vec<u32> = hunk.lines.iter().filter_map(|l| l.old).collect();
        let new: Vec<u32> = hunk.lines.iter().filter_map(|l| l.new).collect();
        for (numbers, start, count) in [(old, hunk.old_start, hunk.old_lines), (new, hunk.new_start, hunk.new_lines)] {
            let wanted: Vec<u32> = if count == 0 { Vec::new() } else { (start..start + count).collect() };
            assert_eq!(numbers, wanted);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_diff_is_the_same_change_to_git(plan in a_plan()) {
        let (repo, base) = carry_out(&plan);
        let head_tree = repo.ask(&["rev-parse", "HEAD^{tree}"]);

        let change = repo.open(since(&base)).unwrap();
        prop_assert!(change.unreadable.is_empty() && change.notes.is_empty(), "{:?} {:?}", change.unreadable, change.notes);
        check_numbers(&change.files);
        prop_assert_eq!(names(&change.files), names_of_git(&repo, &base, &["-M", "-l400"]));
        prop_assert_eq!(apply(&repo, &base, &print::patch(&change.files)), head_tree.clone());

        // The same as a patch that somebody made, without git's raw list, and with other prefixes.
        for options in [&[][..], &["--no-prefix"], &["--src-prefix=i/", "--dst-prefix=w/"], &["-U0"], &["--no-renames"]] {
            let args = [&["diff", "--no-color"], options, &[&base, "HEAD"]].concat();
            let parsed = parse(&repo.git(&args)).unwrap();
            prop_assert!(parsed.problems.is_empty(), "{:?} {:?}", options, parsed.problems);
            check_numbers(&parsed.files);
            let known = names_of_git(&repo, &base, if options == ["--no-renames"] { &["--no-renames"] } else { &["-M"] });
            prop_assert_eq!(names(&parsed.files), known, "{:?}", options);
            if options != ["-U0"] {
                prop_assert_eq!(apply(&repo, &base, &print::patch(&parsed.files)), head_tree.clone(), "{:?}", options);
            }
        }
        // Printing loses nothing that parsing knows.
        prop_assert_eq!(parse(&print::patch(&change.files)).unwrap().files, change.files);
    }

    #[test]
    fn broken_patches_are_reported_and_never_panic(plan in a_plan(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6)) {
        let (repo, base) = carry_out(&plan);
        let sound = repo.git(&["diff", "--raw", "-p", "--full-index", "-M", &base, "HEAD"]);
        let mut bytes = sound.clone();
        for (at, value, how) in cuts {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = value,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, value),
                _ => bytes.truncate(at),
            }
        }
        if let Ok(parsed) = parse(&bytes) {
            check_numbers(&parsed.files);
            prop_assert_eq!(names(&parsed.files).len(), parsed.files.len(), "each path once");
        }
        // Cut off anywhere, each file of the list is still there, and what lacks hunks is reported.
        let list_end = sound.windows(2).position(|w| w == b"\n\n").map_or(0, |at| at + 2);
        let cut = list_end + (sound.len() - list_end) / 2;
        if list_end > 0 {
            let (whole, part) = (parse(&sound).unwrap(), parse(&sound[..cut]).unwrap());
            prop_assert_eq!(names(&whole.files), names(&part.files));
            let reported: BTreeSet<_> = part.problems.iter().filter_map(|(path, _)| path.clone()).collect();
            for (a, b) in whole.files.iter().zip(&part.files) {
                prop_assert!(a == b || reported.contains(a.path()) || only_its_end_is_cut(a, b), "{:?}\n{:?}", a, b);
            }
        }
    }
}

/// A cut just before `\ No newline at end of file`, or inside of its last line, leaves a patch that nobody can tell from a sound one.
fn only_its_end_is_cut(whole: &FileDiff, part: &FileDiff) -> bool {
    let count = |f: &FileDiff| (f.hunks.len(), f.hunks.last().map(|h| h.lines.len()));
    count(whole) == count(part) || whole.hunks.len() > part.hunks.len() && part.hunks == whole.hunks[..part.hunks.len()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn arbitrary_pieces_of_patches_never_panic(pieces in prop::collection::vec(a_piece(), 0..40)) {
        let text = pieces.concat();
        if let Ok(parsed) = parse(text.as_bytes()) {
            check_numbers(&parsed.files);
            // What comes out can always be printed and read again.
            let again = parse(&print::patch(&parsed.files)).unwrap_or_default();
            prop_assert_eq!(names(&again.files), names(&parsed.files));
        }
    }
}

fn a_piece() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "diff --git a/x b/x\n",
        "diff --git a/y b/z\n",
        "diff --git \"a/\\303\" \"b/\\303\"\n",
        "diff --cc x\n",
        "--- a/x\n",
        "+++ b/x\n",
        "--- /dev/null\n",
        "+++ /dev/null\n",
        "@@ -1 +1 @@\n",
        "@@ -1,2 +1,3 @@ f\n",
        "@@ -0,0 +1 @@\n",
        "@@ -4294967295,4294967295 +1 @@\n",
        "@@ -4294967294 +1 @@\n",
        "@@ -9 +0,0 @@\n",
        "@@@ -1 -1 +1 @@@\n",
        "+a\n",
        "-a\n",
        " a\n",
        "\n",
        "\r\n",
        "\\ No newline at end of file\n",
        "new file mode 100644\n",
        "deleted file mode 120000\n",
        "old mode 100644\n",
        "new mode 100755\n",
        "rename from y\n",
        "rename to z\n",
        "copy from y\n",
        "copy to ../z\n",
        "index 1..2 100644\n",
        "index ..\n",
        "Binary files a/x and b/x differ\n",
        "GIT binary patch\n",
        ":100644 100644 1 2 M\tx\n",
        ":100644 100644 1 2 R100\tx\ty\n",
        ":000000 120000 0 1 A\t\"\\t\"\n",
        "* Unmerged path x\n",
        "Only in a: x\n",
        "-- \n2.0\n",
        "+",
        "-",
        "@@ -1 +1",
    ])
    .prop_map(str::to_owned)
}

#[test]
fn a_change_of_type_is_one_file_and_applies() {
    let repo = Repo::new();
    repo.write("to-link", "a\nb\n");
    symlink("target", repo.path("to-file")).unwrap();
    repo.write("empty-to-link", "");
    repo.write("to-submodule", "a\n");
    let base = repo.commit("base");
    for name in ["to-link", "to-file", "empty-to-link"] {
        fs::remove_file(repo.path(name)).unwrap();
    }
    symlink("target", repo.path("to-link")).unwrap();
    symlink("target", repo.path("empty-to-link")).unwrap();
    repo.write("to-file", "a\nb\n");
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--cacheinfo", &format!("160000,{base},to-submodule")]);
    repo.git(&["commit", "-qm", "head"]);
    let change = repo.open(since(&base)).unwrap();
    insta::assert_snapshot!(git_repo::summary(&change), @r"
    T empty-to-link +1 -0
    T to-file +2 -1
    T to-link +1 -2
    T to-submodule +1 -1
    ");
    assert!(change.unreadable.is_empty(), "{:?}", change.unreadable);
    assert_eq!(apply(&repo, &base, &print::patch(&change.files)), repo.ask(&["rev-parse", "HEAD^{tree}"]));
    let bare = parse(&repo.git(&["diff", &base, "HEAD"])).unwrap();
    assert_eq!((names(&bare.files), bare.problems.len()), (names(&change.files), 0));
}

#[test]
fn staged_and_work_tree_see_what_git_sees() {
    let repo = Repo::new();
    repo.write("a", "1\n");
    repo.write("b", "1\n");
    repo.commit("base");
    repo.write("a", "2\n");
    repo.git(&["add", "a"]);
    repo.write("a", "3\n");
    repo.write("c", "new\n");
    fs::remove_file(repo.path("b")).unwrap();
    let staged = repo.open(Source::Staged).unwrap();
    insta::assert_snapshot!(git_repo::summary(&staged), @"M a +1 -1");
    assert_eq!(staged.files[0].hunks[0].lines[1].text, b"2");
    let all = repo.open(Source::WorkTree).unwrap();
    insta::assert_snapshot!(git_repo::summary(&all), @r"
    M a +1 -1
    D b +0 -1
    A c +1 -0
    ");
    assert_eq!(all.files[0].hunks[0].lines[1].text, b"3");
}
