//! Facts from the rest of the repository.

use super::fake::Fake;

/// The part of the text that shows related code.
fn related(fake: &Fake) -> String {
    let text = fake.shared().text;
    let from = text.find("# Related code").unwrap_or(text.len());
    text[from..].lines().skip(1).take_while(|l| !l.starts_with("</change") && !l.starts_with("# ")).map(|l| format!("{l}\n")).collect()
}

#[test]
fn finds_what_a_reader_would_look_up() {
    let old = "from config import RETRY_LIMIT\n\n\ndef fetch(url):\n    for _ in range(RETRY_LIMIT):\n        with_backoff(url)\n    timeout = read('api.timeout_ms')\n    return get(url, timeout)\n";
    let new = "from config import MAX_WAIT\n\n\ndef fetch(url, wait):\n    check_wait(wait, MAX_WAIT)\n    timeout = read('api.deadline_ms')\n    return get(url, timeout)\n";
    let fake = Fake::default()
        .change("app/client.py", old, new)
        .file("app/config.py", "RETRY_LIMIT = 5\n\n# Seconds, not milliseconds.\nMAX_WAIT = 30\n")
        .file("app/net.py", "def with_backoff(url):\n    \"\"\"Waits when the server says 429.\"\"\"\n    pause()\n    return open(url)\n\n\ndef check_wait(wait, limit):\n    if wait > limit:\n        raise ValueError(wait)\n")
        .file("app/cli.py", "from client import fetch\n\n\ndef main():\n    print(fetch('https://example.com'))\n")
        .file("deploy/values.sh", "export CONF='api.timeout_ms=300'\n")
        .file("README.md", "Set `api.timeout_ms` to wait longer.\n")
        .file("tests/test_client.py", "def test_fetch(monkeypatch):\n    monkeypatch.setattr(net, with_backoff, None)\n    assert fetch('x')\n\n\ndef test_other():\n    assert fetch('y')\n")
        .file("private/notes.py", "fetch('secret')\nRETRY_LIMIT = 1\n")
        .file("vendor/copy.py", "fetch('vendored')\n");
    let fake = Fake { private: vec!["private/"], ..fake };
    insta::assert_snapshot!(related(&fake), @r#"
    ## Other uses of what changed
    * fetch (signature changed) is used in 1 place not shown above
    | app/cli.py:5 in main: print(fetch('https://example.com'))
    * with_backoff (no longer called here) is used in 1 place not shown above
    | tests/test_client.py:2 in test_fetch: monkeypatch.setattr(net, with_backoff, None)
    ## Declarations of what changed lines use
    * app/net.py:7 check_wait (used by added lines)
    | def check_wait(wait, limit):
    |     if wait > limit:
    |         raise ValueError(wait)
    * app/net.py:1 with_backoff (used by removed lines)
    | def with_backoff(url):
    |     """Waits when the server says 429."""
    |     pause()
    |     return open(url)
    * app/config.py:4 MAX_WAIT (used by added lines)
    | # Seconds, not milliseconds.
    | MAX_WAIT = 30
    * app/config.py:1 RETRY_LIMIT (used by removed lines)
    | RETRY_LIMIT = 5
    ## The same text elsewhere
    * "api.timeout_ms" (no longer in this change's files) also stands in 2 places
    | README.md:1: Set `api.timeout_ms` to wait longer.
    | deploy/values.sh:1: export CONF='api.timeout_ms=300'
    ## Tests of what changed
    * tests/test_client.py: test_fetch, test_other (mention fetch)
    "#);
}

#[test]
fn shows_members_of_long_types_and_heads_of_long_functions() {
    let variants: String = (0..40).map(|n| format!("    /// Doc {n}.\n    Variant{n} {{\n        code: u8,\n    }},\n")).collect();
    let body: String = (0..50).map(|n| format!("    step({n});\n")).collect();
    let fake = Fake { budget: Some(600), ..Fake::default() }
        .change("src/a.rs", "fn a() {\n    1\n}\n", "fn a() {\n    classify(Outcome::parse(2))\n}\n")
        .file("src/b.rs", &format!("/// How it ended.\n#[derive(Debug)]\n#[serde(untagged)]\npub enum Outcome {{\n{variants}}}\n\n/// Sorts outcomes.\n///\n/// Panics on none.\npub fn classify(\n    outcome: Outcome,\n) -> u8 {{\n{body}}}\n"));
    insta::assert_snapshot!(related(&fake), @r"
    ## Declarations of what changed lines use
    * src/b.rs:170 classify (used by added lines)
    | /// Sorts outcomes.
    | /// Panics on none.
    | pub fn classify(
    |     outcome: Outcome,
    | ) -> u8 {
    | … 50 more lines
    * src/b.rs:4 Outcome (used by added lines)
    | /// How it ended.
    | #[serde(untagged)]
    | pub enum Outcome {
    |     Variant0 { … }
    |     Variant1 { … }
    |     Variant2 { … }
    |     Variant3 { … }
    |     Variant4 { … }
    |     Variant5 { … }
    |     Variant6 { … }
    |     Variant7 { … }
    |     Variant8 { … }
    |     Variant9 { … }
    |     Variant10 { … }
    |     Variant11 { … }
    |     Variant12 { … }
    |     Variant13 { … }
    |     Variant14 { … }
    |     Variant15 { … }
    |     Variant16 { … }
    |     Variant17 { … }
    |     Variant18 { … }
    |     Variant19 { … }
    |     Variant20 { … }
    |     Variant21 { … }
    |     Variant22 { … }
    |     Variant23 { … }
    |     Variant24 { … }
    |     Variant25 { … }
    |     Variant26 { … }
    |     Variant27 { … }
    | … 12 more lines
    ");
}

#[test]
fn leaves_out_what_says_nothing() {
    // A name with many declarations, one that everything uses, and another type's method of a removed name.
    let many: String = (0..6).map(|n| format!("impl A{n} {{\n    fn convert(&self) {{}}\n}}\n")).collect();
    let fake = Fake::default()
        .change("src/a.rs", "impl Old {\n    fn finish_up(&self) {\n        1\n    }\n}\nfn a() {}\n", "fn a() {\n    x.convert();\n}\n")
        .file("src/b.rs", &many)
        .file("src/c.rs", "fn c(w: Writer) {\n    w.finish_up();\n}\n")
        .file("CHANGELOG.md", "`Old::finish_up` came.\n");
    insta::assert_snapshot!(related(&fake), @"");
}

#[test]
fn masks_excerpts() {
    let fake = Fake::default()
        .change("a.py", "x = 1\n", "x = connect(1)\n")
        .file("b.py", "def connect(n, password='hunter2'):\n    return n\n\nconnect(2, 'hunter2')\n");
    let text = related(&fake);
    assert!(text.contains("‹masked:hunt…›") && !text.contains("hunter2"), "{text}");
}
