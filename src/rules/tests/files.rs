//! What a rule file may be, and how its faults are told.

use super::*;
use crate::findings::{Category, Severity};
use crate::rules::{RuleLevel, RuleStatus, check, test};

/// The problem with `SHELL` when `from` is replaced in it.
fn wrong(from: &str, to: &str) -> String {
    let text = SHELL.replace(from, to);
    assert_ne!(text, SHELL, "{from}");
    problem(&text)
}

fn problem(text: &str) -> String {
    let mut set = RuleSet::default();
    let problems = set.add_source("org", Origin::Organisation, owned(&[("a.md", text)]));
    assert_eq!(set.iter().count(), usize::from(problems.is_empty()));
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn reads_all_of_a_rule() {
    let set = set(Origin::Organisation, &[("b/a.md", EVAL), ("README.md", "# no rule"), ("b/EVIDENCE.md", ""), ("x.txt", "")]);
    let rule = set.get("SEC-JS-001").expect("the rule");
    assert_eq!(
        (rule.level, rule.status, rule.severity, rule.category),
        (RuleLevel::Should, RuleStatus::Advisory, Severity::Important, Category::Security)
    );
    assert_eq!((rule.languages.join(" "), rule.paths.join(" ")), ("typescript javascript".to_owned(), "src/**".to_owned()));
    assert_eq!((rule.text.as_str(), rule.origin.as_str(), rule.has_detector), ("Parse it.", "organisation", true));
    assert!(rule.body.starts_with("Parse it.\n## Bad") && rule.body.ends_with("```"));
    assert_eq!(set.iter().count(), 1);
}

#[test]
fn a_rule_about_changes_says_so() {
    let plain = "---\nid: TEST-1\ntitle: Bring a test\nlevel: should\nstatus: advisory\nseverity: nit\ncategory: quality\n---\nBring one.\n";
    let about = plain.replace("category: quality\n", "category: quality\nabout: change\n");
    let fact = plain.replace("category: quality\n", "category: quality\ndetect: { fact: test-gone }\n");
    for (text, changes) in [(plain, false), (&about[..], true), (&fact[..], true), (SHELL, false)] {
        let set = set(Origin::Organisation, &[("a.md", text)]);
        assert_eq!(set.iter().map(|r| r.about_changes).collect::<Vec<_>>(), [changes], "{text}");
    }
    assert_eq!(
        wrong("level: must", "level: must\nabout: change"),
        "a.md:10:0: a rule with `about: change` has a detector (a pattern sees code as it stands, and a fact is about changes anyway: leave `about` or `detect` out)"
    );
    assert!(
        problem(&about.replace("about: change", "about: code")).starts_with("a.md:8:8: "),
        "{}",
        problem(&about.replace("about: change", "about: code"))
    );
}

#[test]
fn windows_line_ends_change_nothing() {
    assert_eq!(problem(&format!("\u{feff}{}", SHELL.replace('\n', "\r\n"))), "");
}

#[test]
fn says_where_and_what_is_wrong() {
    let all = [
        wrong("level: must", "levle: must"),
        wrong("level: must\n", ""),
        wrong("level: must", "level: most"),
        wrong("severity: critical", "severity: hgih"),
        wrong("category: security", "category: codequality"),
        wrong("[python]", "[python, pyhton]"),
        wrong("[python]", "[bash]"),
        wrong("[python]", "[]"),
        wrong("[python]", "python"),
        wrong("id: SEC-PY-003", "id: sec-py-3"),
        wrong("id: SEC-PY-003", "id: SEC"),
        wrong("title: Do not pass untrusted text to a shell", "title: ''"),
        wrong("level: must", "level: must\nurl: javascript:alert(1)"),
        wrong("level: must", "level: must\npaths: ['a/{b']"),
        wrong("  rule: {", "  rule: { patern: x,"),
        wrong("  rule: { pattern: \"subprocess.$F($$$A, shell=True)\" }", "  rule: { kind: no_such_kind }"),
        wrong("  rule: { pattern: \"subprocess.$F($$$A, shell=True)\" }", "  rule: { regex: '(' , kind: call }"),
        wrong("  rule: { pattern: \"subprocess.$F($$$A, shell=True)\" }", "  rule: { regex: x }"),
        wrong("fix: subprocess.$F($$$A)", "fix: subprocess.$G($$$A)"),
        wrong("detect:", "detect:\n  builtin: secrets"),
        wrong("detect:", "detect:\n  fact: removed-in-use"),
        wrong("status: enforced", "status: enforced\nstatus: trial"),
        wrong("status: enforced", "status: [enforced"),
        wrong("Pass a list and leave the shell out.", ""),
        wrong("---\nPass", "Pass"),
        problem("# no front matter"),
        problem(""),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    a.md:4:1: unknown key `levle` (did you mean `level`?)
    a.md:1:1: `level` is missing
    a.md:4:8: unknown value `most` (did you mean `must`?)
    a.md:6:11: unknown value `hgih` (one of nit, suggestion, important, critical)
    a.md:7:11: unknown value `codequality` (did you mean `quality`?)
    a.md:8:21: unknown language `pyhton` (did you mean `python`?)
    a.md:8:13: unknown language `bash` (did you mean `shell`?)
    a.md:9:0: a pattern needs `languages` (name the languages that it is written in, such as `languages: [python]`)
    a.md:8:12: a list is expected here
    a.md:2:5: `sec-py-3` is not a rule id (capitals and digits in parts joined by `-`, such as SEC-PY-003)
    a.md:2:5: `SEC` is not a rule id (capitals and digits in parts joined by `-`, such as SEC-PY-003)
    a.md:3:8: `title` is not a short line (one line of at most 100 characters)
    a.md:5:6: `url` is not an https address (https://…, without blanks, quotes and brackets)
    a.md:5:9: not a glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?) (such as `**/migrations/*.sql`, from the repository's root; a `!` before it leaves paths out)
    a.md:10:11: unknown key `patern` (did you mean `pattern`?)
    a.md:9:0: the detector does not compile for python (`rule` is not configured correctly: Rule contains invalid kind matcher: Invalid Kind: Kind `no_such_kind` is invalid)
    a.md:9:0: the detector does not compile for python (`rule` is not configured correctly: Rule contains invalid regex matcher: Parsing text matcher fails: unclosed group)
    a.md:9:0: the detector does not compile for python (Rule must specify a set of AST kinds to match. Try adding `kind` rule)
    a.md:9:0: the detector does not compile for python (Undefined meta var `G` used in `fix`)
    a.md:9:0: `detect` has both `rule` and `builtin` (keep one of them)
    a.md:9:0: `detect` has both `rule` and `fact` (keep one of them)
    a.md:6:1: `status` is given twice
    a.md:5:9: a single word is expected here
    a.md:14:0: the rule says nothing (write what to do and why between the front matter and `## Bad`)
    a.md:1:0: the front matter is never closed (a rule file begins with front matter between two `---` lines)
    a.md:1:0: no front matter (a rule file begins with front matter between two `---` lines)
    a.md:1:0: no front matter (a rule file begins with front matter between two `---` lines)
    "#);
}

#[test]
fn bounds_what_a_file_can_cost() {
    let padded = format!("{SHELL}\n{}", "x".repeat(256 << 10));
    assert!(problem(&padded).contains("at most 256 KiB"), "{}", problem(&padded));
    let deep = wrong("  rule: {", &format!("  rule: {{ {}", "not: { ".repeat(20_000)));
    assert!(deep.starts_with("a.md:"), "{deep}");
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for i in 1..30 {
        bomb += &format!("a{i}: &a{i} [*a{p}, *a{p}, *a{p}]\n", p = i - 1);
    }
    assert!(wrong("level: must\n", &format!("level: must\n{bomb}")).starts_with("a.md:"));
}

#[test]
fn check_wants_examples_and_living_links() {
    let text = SECRETS.replace(
        "Revoke it.",
        "See [a](../b/x.md), [b](c.md#d), [c](../../out.md), [d](https://example.org), [e](/README.md), [f](http://example.org), [g](javascript:x).",
    );
    let set = set(Origin::Repository, &[("a/s.md", &text), ("b/x.md", SHELL), ("README.md", "")]);
    let problems: Vec<String> = check::run(&set).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @r#"
    a/s.md:0:0: a rule with a detector needs an example under `## Bad` (add `## Bad` with a fenced block)
    a/s.md:0:0: a rule with a detector needs an example under `## Good` (add `## Good` with a fenced block)
    a/s.md:10:0: the link `../../out.md` leads nowhere (relative links lead to files of the same source)
    a/s.md:10:0: the link `c.md` leads nowhere (relative links lead to files of the same source)
    a/s.md:10:0: the link `http://example.org` is not https (web links begin with https://)
    a/s.md:10:0: the link `javascript:x` is not https (web links begin with https://)
    "#);
}

#[test]
fn examples_are_the_rules_tests() {
    let bad = SHELL.replace("subprocess.run([\"ls\", path])", "x = 1\nsubprocess.run(x, shell=True)").replace("id: SEC-PY-003", "id: SEC-PY-004");
    let missed = EVAL
        .replace("## Bad\n```tsx\n", "## Bad\n```\neval(x)\n```\n```go\n")
        .replace("## Good", "```js src/b.js\neval('a')\n```\n```js lib/b.js\neval(x)\n```\n## Good");
    let set = set(Origin::Repository, &[("a.md", SHELL), ("b.md", &bad), ("c.md", &missed)]);
    let results: Vec<String> =
        test::run(&set, |_| true).iter().map(|r| format!("{}:{} {} {:?} {:?}", r.file, r.line, r.rule_id, r.kind, r.outcome)).collect();
    insta::assert_snapshot!(results.join("\n"), @r#"
    c.md:15 SEC-JS-001 Bad NotRun("the fence names no language")
    c.md:18 SEC-JS-001 Bad NotRun("the rule is not about go")
    c.md:21 SEC-JS-001 Bad Passed
    c.md:24 SEC-JS-001 Bad Missed
    c.md:28 SEC-JS-001 Good Passed
    a.md:16 SEC-PY-003 Bad Passed
    a.md:20 SEC-PY-003 Good Passed
    b.md:16 SEC-PY-004 Bad Passed
    b.md:20 SEC-PY-004 Good FalseAlarm([2])
    "#);
    assert_eq!(test::run(&set, |r| r.id == "SEC-PY-003").len(), 2);
}
