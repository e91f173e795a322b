//! Text that was made to hurt: each is refused by a bound that is told, or simply works.

use super::*;
use proptest::prelude::*;

/// Tries every node of most kinds, with a search through all that is inside and around it.
const GREEDY: &str = r#"---
id: GREEDY-001
title: Look everywhere
level: should
status: trial
severity: nit
category: quality
languages: [python, javascript, typescript, rust, go, java, c, ruby, shell, yaml, sql, tsx]
detect:
  rule:
    any: [{ kind: identifier }, { kind: word }, { kind: flow_sequence }]
    inside: { stopBy: end, regex: never-there }
---
Look.
"#;

fn greedy() -> RuleSet {
    let mut set = RuleSet::default();
    // Kinds differ by language, so each gets the ones it has.
    for (i, (lang, kinds)) in [
        ("python", "list, identifier"),
        ("javascript", "array, identifier"),
        ("typescript", "array, identifier"),
        ("rust", "array_expression, identifier"),
        ("go", "parenthesized_expression, identifier"),
        ("java", "parenthesized_expression, identifier"),
        ("c", "parenthesized_expression, identifier"),
        ("ruby", "array, identifier"),
        ("shell", "subshell, word"),
        ("yaml", "flow_sequence, plain_scalar"),
        ("sql", "parenthesized_expression, identifier"),
    ]
    .iter()
    .enumerate()
    {
        let any: Vec<String> = kinds.split(", ").map(|k| format!("{{ kind: {k} }}")).collect();
        let start = GREEDY.find("languages").expect("there");
        let end = GREEDY.find("detect").expect("there");
        let text = format!("{}languages: [{lang}]\n{}", &GREEDY[..start], &GREEDY[end..])
            .replace("GREEDY-001", &format!("GREEDY-{i}"))
            .replace("{ kind: identifier }, { kind: word }, { kind: flow_sequence }", &any.join(", "));
        let problems = set.add_source(lang, Origin::Organisation, owned(&[("a.md", &text)]));
        assert_eq!(problems, []);
    }
    set
}

const EXTENSIONS: [&str; 12] = ["py", "js", "ts", "rs", "go", "java", "c", "rb", "sh", "yaml", "sql", "tsx"];

/// On a thread with the small stack that a pool's threads have.
fn on_a_small_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|s| std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(s, f).expect("a thread").join().expect("no overflow"))
}

#[test]
fn four_hundred_levels_work() {
    for (path, open, close) in [("a.py", "[", "]"), ("a.js", "[", "]"), ("a.rs", "(", ")"), ("a.go", "(", ")"), ("a.yaml", "[", "]")] {
        let deep = |inner: &str| format!("{}{inner}{}", open.repeat(400), close.repeat(400));
        let set = set(Origin::BuiltIn, &[("a.md", SHELL)]);
        let text = if path == "a.py" { format!("x = {}\n", deep("subprocess.run(a, shell=True)")) } else { deep("a") };
        let hits = on_a_small_stack(|| scan(&set, path, &text, &TouchedLines::all()));
        let expected = if path == "a.py" { "SEC-PY-003 1-1" } else { "" };
        assert!(hits.starts_with(expected) && !hits.contains("bound"), "{path}: {hits}");
    }
}

#[test]
fn a_hundred_thousand_levels_are_refused() {
    let set = greedy();
    for extension in EXTENSIONS {
        for unit in ["[", "("] {
            let line = unit.repeat(50_000);
            let text = format!("x = {line}\n{line}");
            let hits = on_a_small_stack(|| scan(&set, &format!("a.{extension}"), &text, &TouchedLines::all()));
            // Some grammars give up nesting that is never closed, and have a flat error instead.
            assert!(hits.is_empty() || hits.starts_with("bound: patterns were not tried"), "{extension} {unit}: {hits:.300}");
        }
    }
}

#[test]
fn a_rule_that_calls_itself_keeps_its_stack() {
    let rule = SHELL
        .replace("  rule: {", "  utils: { nested: { any: [{ kind: none }, { kind: list, has: { matches: nested } }] } }\n  rule: { kind: list, has: { matches: nested } }\n  x: {")
        .replace("  x: { pattern: \"subprocess.$F($$$A, shell=True)\" }\n", "")
        .replace("  message: subprocess.$F runs a shell\n  fix: subprocess.$F($$$A)\n", "");
    let set = set(Origin::Organisation, &[("a.md", &rule)]);
    let text = format!("x = {}None{}\n", "[".repeat(400), "]".repeat(400));
    let hits = on_a_small_stack(|| scan(&set, "a.py", &text, &TouchedLines::all()));
    assert!(hits.starts_with("SEC-PY-003 1-1\n"), "{hits}");
}

#[test]
fn size_and_line_length_are_bounded_for_patterns_only() {
    let set = set(Origin::BuiltIn, &[("a.md", SHELL), ("c.md", SECRETS)]);
    let secret = "password = \"q7Rk2vXw9ZtLm4Np8sYd\"\n";
    let long = format!("subprocess.run(a, shell=True)\n{secret}x = '{}'\n", "x".repeat(100_001));
    let large = format!("subprocess.run(a, shell=True)\n{secret}{}", "x = 1\n".repeat(200_000));
    let told = "SEC-SECRET-001 2-2: secret assigned to a name: q7Rk…\nbound: patterns were not tried: ";
    assert_eq!(scan(&set, "a.py", &long, &TouchedLines::all()), format!("{told}line 3 has 100007 bytes, more than 100000"));
    assert_eq!(scan(&set, "a.py", &large, &TouchedLines::all()), format!("{told}1200064 bytes, more than 1048576"));
}

#[test]
fn the_hits_of_a_rule_are_counted_past_fifty() {
    let set = set(Origin::BuiltIn, &[("a.md", SHELL)]);
    let hits = scan(&set, "a.py", &"subprocess.run(a, shell=True)\n".repeat(60), &TouchedLines::all());
    assert_eq!(hits.matches("SEC-PY-003 ").count(), 50);
    assert!(hits.ends_with("bound: 10 more hits of SEC-PY-003"), "{hits}");
}

/// Each is refused with its file and line, in bounded time, and leaves the other rules alone.
#[test]
fn hostile_rules_are_refused_with_file_and_line() {
    let rule = |detect: &str| {
        let pattern = "  rule: { pattern: \"subprocess.$F($$$A, shell=True)\" }\n  message: subprocess.$F runs a shell\n  fix: subprocess.$F($$$A)\n";
        SHELL.replace(pattern, detect)
    };
    let table = [
        ("a regex that grows", rule("  rule: { kind: call, regex: '(((a{1,900}){1,900}){1,900}){1,900}' }\n")),
        ("a regex that looks back", rule("  rule: { kind: call, regex: '(a+)+\\1$' }\n")),
        ("a pattern of 1 MB", rule(&format!("  rule: {{ pattern: \"{}\" }}\n", "x".repeat(1 << 20)))),
        ("a utility that is itself", rule("  utils: { a: { matches: a } }\n  rule: { matches: a }\n")),
        (
            "utilities in a circle",
            rule("  utils: { a: { matches: b }, b: { any: [{ matches: c }] }, c: { all: [{ matches: a }] } }\n  rule: { kind: call, matches: a }\n"),
        ),
        ("a utility that is not there", rule("  rule: { kind: call, matches: none }\n")),
        ("a negation for ever", rule("  utils: { a: { not: { matches: a } } }\n  rule: { kind: call, matches: a }\n")),
        ("a path out of the tree", SHELL.replace("level: must", "level: must\npaths: ['../**/*.py']")),
        ("a path of the machine", SHELL.replace("level: must", "level: must\npaths: ['/etc/*']")),
        ("an address that runs", SHELL.replace("level: must", "level: must\nurl: \"javascript:alert(1)\"")),
        ("a fact that nobody knows", rule("  fact: everything\n")),
    ];
    let mut told = Vec::new();
    for (what, text) in table {
        let mut set = set(Origin::Organisation, &[("good.md", EVAL)]);
        let problems = set.add_source("more", Origin::Repository, owned(&[("hostile.md", &text)]));
        let lines: Vec<String> = problems.iter().map(|p| format!("{}:{}: {:.90}", p.file, p.line, p.title)).collect();
        told.push(format!("{what}: {}", lines.join(" | ")));
        assert!(problems.iter().all(|p| !p.help.is_empty()), "{what}: {problems:?}");
        assert_eq!(set.iter().count(), 1, "{what}");
    }
    insta::assert_snapshot!(told.join("\n"), @"
    a regex that grows: hostile.md:9: the detector does not compile for python
    a regex that looks back: hostile.md:9: the detector does not compile for python
    a pattern of 1 MB: hostile.md:1: the file has 1048904 bytes
    a utility that is itself: hostile.md:9: the detector does not compile for python
    utilities in a circle: hostile.md:9: the detector does not compile for python
    a utility that is not there: hostile.md:9: the detector does not compile for python
    a negation for ever: hostile.md:9: the detector does not compile for python
    a path out of the tree: hostile.md:5: `../**/*.py` leads out of the repository
    a path of the machine: hostile.md:5: `/etc/*` leads out of the repository
    an address that runs: hostile.md:5: `url` is not an https address
    a fact that nobody knows: hostile.md:10: unknown value `everything`
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn garbage_is_scanned_without_harm(text in "[\\[\\](){}a-c:\n'\"#$<>=.; -]{0,300}", i in 0usize..12) {
        scan(&greedy(), &format!("a.{}", EXTENSIONS[i]), &text, &TouchedLines::all());
    }

    #[test]
    fn any_text_is_a_rule_or_a_problem(before in "[ -~\n]{0,80}", cut in 0usize..400, with in "[ -~\n]{0,40}") {
        let at = cut.min(SHELL.len());
        for text in [format!("{}{with}{}", &SHELL[..at], &SHELL[at..]), format!("---\n{before}---\n{with}"), SHELL[at..].to_owned()] {
            let mut set = RuleSet::default();
            let problems = set.add_source("s", Origin::Repository, owned(&[("a.md", &text)]));
            prop_assert_eq!(problems.len() + set.iter().count(), 1);
        }
    }
}
