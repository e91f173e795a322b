//! What a posted text would do on a forge's page that nobody wanted. Parsed by another program than ours.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use regex::Regex;
use std::sync::LazyLock;

static MENTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|[^\w`/.])@[\w.]").expect("a regex"));
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|[^\w&/])[#!]\d").expect("a regex"));
/// HTML that our own layout may use, and our own markers.
static OURS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*(?:</?(?:details|summary|sub|sup|br|b|kbd)(?: open)?\s*/?>|<!-- tribune:v\d.*?-->)\s*$").expect("a regex"));
/// Quick actions of GitLab, those that do harm first.
const ACTIONS: [&str; 24] = [
    "merge",
    "approve",
    "unapprove",
    "close",
    "reopen",
    "label",
    "unlabel",
    "relabel",
    "assign",
    "unassign",
    "assign_reviewer",
    "milestone",
    "target_branch",
    "title",
    "draft",
    "ready",
    "rebase",
    "ship",
    "lock",
    "unlock",
    "subscribe",
    "todo",
    "award",
    "submit_review",
];

/// Everything in `body` that would act, by what it would do.
pub(crate) fn of(body: &str) -> Vec<String> {
    let mut found = quick_actions(body);
    let mut in_code = false;
    for event in TextMergeStream::new(Parser::new_ext(body, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code && MENTION.is_match(&text) => found.push(format!("mention in {:?}", &*text)),
            Event::Text(text) if !in_code && REFERENCE.is_match(&text) => found.push(format!("reference in {:?}", &*text)),
            Event::Start(Tag::Image { dest_url, .. }) => found.push(format!("image {:?}", &*dest_url)),
            Event::Html(html) | Event::InlineHtml(html) => {
                let foreign = html.lines().filter(|l| !l.trim().is_empty() && !only_ours(l));
                found.extend(foreign.map(|l| format!("HTML {l:?}")));
            }
            _ => {}
        }
    }
    found
}

/// Whether a line of HTML consists of tags of ours, with text between them.
fn only_ours(line: &str) -> bool {
    let mut rest = line;
    while let Some(at) = rest.find('<') {
        let Some(end) = rest[at..].find('>') else { return false };
        let end = if rest[at..].starts_with("<!--") { rest[at..].find("-->").map(|e| e + 2) } else { Some(end) };
        let Some(end) = end else { return false };
        if !OURS.is_match(&rest[at..=at + end]) {
            return false;
        }
        rest = &rest[at + end + 1..];
    }
    true
}

/// Lines that GitLab takes for quick actions: after carriage returns are gone, outside of fences.
fn quick_actions(body: &str) -> Vec<String> {
    let text = body.replace('\r', "");
    let mut fence: Option<String> = None;
    let mut found = Vec::new();
    for line in text.split('\n') {
        let run: String = line.chars().take_while(|c| *c == '`' || *c == '~').collect();
        match &fence {
            Some(open) if run.len() >= open.len() && run.starts_with(&open[..1]) && line.trim_end().len() == run.len() => fence = None,
            Some(_) => {}
            None if run.len() >= 3 && run.chars().all(|c| run.starts_with(c)) => fence = Some(run),
            None => {
                let word: String =
                    line.strip_prefix('/').unwrap_or_default().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if ACTIONS.contains(&word.to_ascii_lowercase().as_str()) {
                    found.push(format!("quick action /{word}"));
                }
            }
        }
    }
    found
}

#[test]
fn finds_what_acts_and_nothing_else() {
    for (body, harm) in [
        ("fine\n\n/merge", "quick action /merge"),
        ("fine\r/merge", ""),
        ("fine\n\r/merge", "quick action /merge"),
        ("```\n/merge\n@dev\n```", ""),
        ("`@dev` and `#12`", ""),
        ("cc @dev", "mention in \"cc @dev\""),
        ("a@b.example", ""),
        ("see #12", "reference in \"see #12\""),
        ("![x](https://evil.example/a)", "image \"https://evil.example/a\""),
        ("<details>\n<summary>older</summary>\n\ntext\n\n</details>\n<!-- tribune:v1 abc -->", ""),
        ("<script>x</script>", "HTML \"<script>x</script>\""),
        ("a <b onclick=x>b</b>", "HTML \"<b onclick=x>\""),
    ] {
        assert_eq!(of(body).join(", "), harm, "{body:?}");
    }
}
