//! The blocks of a body: paragraphs, flat lists and fenced code, each written so that no renderer can see it otherwise.

use super::inline::{Token, is_rule, line_start, says_something, tokens_of, write};
use super::{MAX_FENCE, longest_run, tame};

/// Info strings that only colour code. Others draw diagrams, apply changes or do what a later version thinks of.
const LANGUAGES: [&str; 44] = [
    "bash",
    "c",
    "conf",
    "console",
    "cpp",
    "cs",
    "csharp",
    "css",
    "diff",
    "dockerfile",
    "go",
    "hcl",
    "html",
    "ini",
    "java",
    "javascript",
    "js",
    "json",
    "jsx",
    "kotlin",
    "lua",
    "make",
    "markdown",
    "md",
    "php",
    "proto",
    "py",
    "python",
    "rb",
    "rs",
    "ruby",
    "rust",
    "scala",
    "scss",
    "sh",
    "shell",
    "sql",
    "swift",
    "text",
    "toml",
    "ts",
    "tsx",
    "typescript",
    "yaml",
];

/// What a line continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing: the start, or an empty line.
    Gap,
    /// A paragraph or list item.
    Text,
}

/// Sanitises a body; `text` has no control or invisible characters.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut last = Last::Gap;
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if let Some((mark, length, info)) = fence_start(trimmed) {
            let indent = line.len() - line.trim_start_matches(' ').len();
            let code: Vec<&str> = lines.by_ref().take_while(|l| !closes(l, mark, length)).map(|l| unindented(l, indent)).collect();
            let lang = LANGUAGES.iter().find(|l| info.eq_ignore_ascii_case(l)).copied().unwrap_or_default();
            gap(&mut out);
            out.push_str(&fence(&code.join("\n"), lang));
            gap(&mut out);
            last = Last::Gap;
            continue;
        }
        let (marker, text) = match list_item(trimmed) {
            Some((marker, rest)) if !is_rule(trimmed) => (marker, inline(rest)),
            _ => (String::new(), inline(trimmed)),
        };
        if text.is_empty() {
            last = Last::Gap;
            continue;
        }
        if last == Last::Gap {
            gap(&mut out);
        }
        out.push_str(&marker);
        out.push_str(&text);
        out.push('\n');
        last = Last::Text;
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

/// Ends what was written with an empty line, if anything was.
fn gap(out: &mut String) {
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
}

/// A code block, with its line end. A fence of backticks at the start of a line is one in every renderer.
pub(super) fn fence(code: &str, lang: &str) -> String {
    let code = tame(code, MAX_FENCE);
    let ticks = "`".repeat((longest_run(&code) + 1).max(3));
    let mut out = format!("{ticks}{lang}\n");
    for line in code.trim_end_matches('\n').lines() {
        if !lang.starts_with("suggestion") && line.strip_prefix('/').is_some_and(|l| l.starts_with(|c: char| c.is_ascii_alphabetic())) {
            out.push(' ');
        }
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&ticks);
    out.push('\n');
    out
}

fn inline(text: &str) -> String {
    if is_rule(text) {
        return String::new();
    }
    let level = text.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&level) && text[level..].starts_with([' ', '\t']) {
        let title = text[level..].trim().trim_end_matches('#').trim_end();
        let mut tokens = tokens_of(title);
        if says_something(&tokens) && !tokens.contains(&Token::Strong) {
            tokens.insert(0, Token::Strong);
            tokens.push(Token::Strong);
        }
        return line_start(write(&tokens));
    }
    line_start(write(&tokens_of(text)))
}

/// The opening of a code block: its character, length and info string.
fn fence_start(line: &str) -> Option<(char, usize, &str)> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = line.trim_start_matches(mark);
    let length = line.len() - info.len();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then(|| (mark, length, info.trim()))
}

fn closes(line: &str, mark: char, length: usize) -> bool {
    let line = line.trim();
    line.len() >= length && line.chars().all(|c| c == mark)
}

fn unindented(line: &str, indent: usize) -> &str {
    let spaces = line.bytes().take(indent).take_while(|b| *b == b' ').count();
    &line[spaces..]
}

/// A list item's marker as it is written, and its text.
fn list_item(line: &str) -> Option<(String, &str)> {
    if let Some(rest) = line.strip_prefix(['-', '*', '+']) {
        return rest.starts_with([' ', '\t']).then(|| ("- ".to_owned(), rest.trim_start()));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(['.', ')']).filter(|r| r.starts_with([' ', '\t']))?;
    (1..=9).contains(&digits).then(|| (format!("{}. ", &line[..digits]), rest.trim_start()))
}
