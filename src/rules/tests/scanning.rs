//! Which hits a file has.

use super::*;
use crate::diff::{FileDiff, FileStatus, Hunk, Line, LineKind};
use crate::lang::{Lang, Source};
use crate::rules::RuleHit;

fn all() -> RuleSet {
    set(Origin::BuiltIn, &[("a.md", SHELL), ("b.md", EVAL), ("c.md", SECRETS), ("d.md", TEXT_ONLY)])
}

#[test]
fn only_touched_code_is_hit() {
    let text =
        "import subprocess\n\ndef f(cmd):\n    subprocess.run(\n        cmd,\n        shell=True\n    )\n    subprocess.call(cmd, shell=True)\n";
    let lines = |touched: &[u32]| scan(&all(), "a.py", text, &TouchedLines::from_lines(touched.iter().copied()));
    assert_eq!(lines(&[1, 2, 3]), "");
    assert_eq!(lines(&[]), "");
    // One added line inside a call that stood there before makes it this change's.
    assert_eq!(lines(&[6]), "SEC-PY-003 4-7: subprocess.run runs a shell -> \"    subprocess.run(cmd)\"\n");
    assert_eq!(lines(&[8]), "SEC-PY-003 8-8: subprocess.call runs a shell -> \"    subprocess.call(cmd)\"\n");
}

#[test]
fn added_lines_come_from_the_diff() {
    let line = |kind, new| Line { kind, text: b"x".to_vec(), old: None, new, no_newline: false };
    let lines = vec![line(LineKind::Context, Some(1)), line(LineKind::Removed, None), line(LineKind::Added, Some(2))];
    let hunk = Hunk { old_start: 1, old_lines: 2, new_start: 1, new_lines: 2, section: Vec::new(), lines };
    let path = RepoPath::from("a");
    let file = FileDiff {
        status: FileStatus::Modified,
        old_path: path.clone(),
        new_path: path,
        old_mode: None,
        new_mode: None,
        old_id: None,
        new_id: None,
        binary: false,
        hunks: vec![hunk],
    };
    assert_eq!(TouchedLines::of(&file), TouchedLines::from_lines([2]));
}

#[test]
fn languages_and_paths_choose_the_rules() {
    let text = "const a = eval(b); const c = eval(\"1\");\n";
    for (path, hit) in
        [("src/a.ts", true), ("src/x/a.tsx", true), ("src/a.mjs", true), ("lib/a.ts", false), ("src/a.py", false), ("src/a.txt", false)]
    {
        assert_eq!(scan(&all(), path, text, &TouchedLines::all()), if hit { "SEC-JS-001 1-1\n" } else { "" }, "{path}");
    }
    let set = all();
    let ids = |path: &str| {
        let path = RepoPath::from(path);
        set.applicable(&path, Lang::of(&path)).iter().map(|r| r.id.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("src/a.js"), "ERR-ANY-001 SEC-JS-001 SEC-SECRET-001");
    assert_eq!(ids("a.py"), "ERR-ANY-001 SEC-PY-003 SEC-SECRET-001");
    assert_eq!(ids("README"), "ERR-ANY-001 SEC-SECRET-001");
}

#[test]
fn a_glob_with_a_mark_leaves_paths_out() {
    let applies = |paths: &str, path: &str| {
        let rule = SHELL.replace("languages: [python]\n", &format!("languages: [python]\npaths: {paths}\n"));
        let path = RepoPath::from(path);
        !set(Origin::BuiltIn, &[("a.md", &rule)]).applicable(&path, Lang::of(&path)).is_empty()
    };
    let only_left_out = "[\"!**/tests/**\"]";
    assert!(applies(only_left_out, "src/a.py") && !applies(only_left_out, "tests/a.py") && !applies(only_left_out, "x/tests/y/a.py"));
    let both = "[\"src/**\", \"!src/gen/**\"]";
    assert!(applies(both, "src/a.py") && !applies(both, "src/gen/a.py") && !applies(both, "lib/a.py"));
}

#[test]
fn secrets_are_hit_in_any_file_and_never_shown() {
    let token = format!("{}{}", "ghp_", "q7Rk2vXw9ZtLm4Np8sYd5Tb1Hc6Jf3Ga0KeU");
    let text = format!("a\nb {token}\n");
    assert_eq!(scan(&all(), "notes", &text, &TouchedLines::all()), "SEC-SECRET-001 2-2: GitHub personal access token: ghp_…\n");
    assert_eq!(scan(&all(), "notes", &text, &TouchedLines::from_lines([1])), "");
    // Nor by a detector's message about the code around it.
    let rule = SHELL.replace("message: subprocess.$F runs", "message: subprocess.$F with $$$A runs");
    let loud = set(Origin::BuiltIn, &[("a.md", &rule)]);
    let hits = scan(&loud, "a.py", &format!("subprocess.run('curl {token}',\n  shell=True)"), &TouchedLines::all());
    assert!(hits.starts_with("SEC-PY-003 1-2: subprocess.run with 'curl ‹masked:ghp_…›' runs a shell"), "{hits}");
}

#[test]
fn suggestions_replace_whole_lines() {
    let set = all();
    let one = |text: &str| scan(&set, "a.py", text, &TouchedLines::all());
    assert_eq!(
        one("x = 1; subprocess.run(a, shell=True)  # why\r\n"),
        "SEC-PY-003 1-1: subprocess.run runs a shell -> \"x = 1; subprocess.run(a)  # why\"\n"
    );
    // Of a patch the lines between are not known.
    let patch = FileText::sparse([(4, &b"subprocess.run(a, shell=True)"[..])]);
    let hits = set.scan(&RepoPath::from("a.py"), &Source::new(&"a.py".into(), patch), &TouchedLines::from_lines([4])).hits;
    assert_eq!(
        hits,
        [RuleHit { rule_id: "SEC-PY-003".to_owned(), start: 4, end: 4, message: Some("subprocess.run runs a shell".to_owned()), suggestion: None }]
    );
}

#[test]
fn hits_are_sorted_and_each_is_told_once() {
    let set = set(
        Origin::BuiltIn,
        &[
            (
                "a.md",
                &SHELL
                    .replace("subprocess.$F", "$X.$F")
                    .replace("message: $X.$F runs a shell", "message: a shell")
                    .replace("  fix: $X.$F($$$A)\n", ""),
            ),
            ("c.md", SECRETS),
        ],
    );
    let text = format!("b.c(1, shell=True); b.d(2, shell=True)\npassword = \"{}\"\na.b(shell=True)\n", "q7Rk2vXw9ZtLm4Np8sYd");
    insta::assert_snapshot!(scan(&set, "a.py", &text, &TouchedLines::all()), @r#"
    SEC-PY-003 1-1: a shell
    SEC-SECRET-001 2-2: secret assigned to a name: q7Rk…
    SEC-PY-003 3-3: a shell
    "#);
}

#[test]
fn sql_is_a_language_like_the_others() {
    let rule = SHELL
        .replace("[python]", "[sql]\npaths: ['**/migrations/*.sql']")
        .replace("subprocess.$F($$$A, shell=True)", "DROP TABLE $T")
        .replace("subprocess.$F runs a shell", "$T is gone")
        .replace("  fix: subprocess.$F($$$A)\n", "");
    let set = set(Origin::BuiltIn, &[("a.md", &rule)]);
    let text = "CREATE TABLE a (b int);\nDROP TABLE users;\n";
    assert_eq!(scan(&set, "db/migrations/1.sql", text, &TouchedLines::all()), "SEC-PY-003 2-2: users is gone\n");
    assert_eq!(scan(&set, "db/1.sql", text, &TouchedLines::all()), "");
}

#[test]
fn a_set_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let set = all();
    shared(&set);
    let copy = set.clone();
    let source = Source::new(&"a.py".into(), FileText::whole(b"subprocess.run(a, shell=True)"));
    let counts: Vec<usize> = std::thread::scope(|s| {
        let run = || copy.scan(&RepoPath::from("a.py"), &source, &TouchedLines::all()).hits.len();
        let threads: Vec<_> = (0..4).map(|_| s.spawn(run)).collect();
        threads.into_iter().map(|t| t.join().expect("no panic")).collect()
    });
    assert_eq!(counts, [1; 4]);
}
