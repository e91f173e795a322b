//! From a path and a text to a syntax tree: the one place that knows which grammars there are.

use super::grammar::{Grammar, grammar};
use crate::path::RepoPath;
use ast_grep_core::source::Doc as _;
use ast_grep_core::tree_sitter::{LanguageExt, StrDoc};
use ast_grep_language::SupportLang;
use std::ops::ControlFlow;
use tree_sitter::{ParseOptions, ParseState, Parser};

/// Longer texts are not parsed.
const MAX_PARSED: usize = 256 << 10;
/// Texts whose brackets stand open deeper are not parsed: recovering from their end takes memory by the square of it.
const MAX_OPEN: usize = 250;
/// Steps (of about a hundred operations each) that the parser may take: so many, and one more for so many bytes. Real code
/// takes one for 80 bytes at most.
const STEPS: usize = 500;
const BYTES_PER_STEP: usize = 20;
/// Pieces of text that the scanner may read: so many, and so many for each piece there is. Real code reads each about
/// twice; a scanner that looks for an end which never comes reads to the end of the text from each place.
const READS: usize = 64;
const READS_PER_PIECE: usize = 16;
const PIECE: usize = 1_024;

/// A parsed text.
pub(super) type Tree = StrDoc<SupportLang>;
/// A node of its tree.
pub(super) type Node<'t> = <Tree as ast_grep_core::source::Doc>::Node<'t>;

/// Parses `text` by the language that `path` names; `None` where there is no grammar for it, or where the text is too long,
/// too deep or too wild for one. A stranger chose the text, and grammars take time and memory without bound on some; what is
/// counted to stop them are their own steps, not a clock, so that the outcome is the same on every machine.
pub(super) fn parse(path: &RepoPath, text: &str) -> Option<(&'static Grammar, Tree)> {
    if text.len() > MAX_PARSED || !is_shallow(text) {
        return None;
    }
    let lang = language(path).filter(|lang| is_safe(*lang, text))?;
    let grammar = grammar(lang)?;
    let mut parser = Parser::new();
    parser.set_language(&lang.get_ts_language()).ok()?;
    let mut steps = STEPS + text.len() / BYTES_PER_STEP;
    let mut count = |_: &ParseState| {
        steps = steps.saturating_sub(1);
        if steps == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut reads = READS + text.len() / PIECE * READS_PER_PIECE;
    let mut read = |at: usize, _| {
        reads = reads.saturating_sub(1);
        // Nothing more to read ends the parse soon.
        if reads == 0 { &[] } else { text.as_bytes().get(at..(at + PIECE).min(text.len())).unwrap_or_default() }
    };
    let options = ParseOptions::new().progress_callback(&mut count);
    let tree = parser.parse_with_options(&mut read, None, Some(options))?;
    (reads > 0).then(|| (grammar, Tree { src: text.to_owned(), lang, tree }))
}

/// Whether no more than [`MAX_OPEN`] brackets stand open anywhere, strings and comments not told apart.
fn is_shallow(text: &str) -> bool {
    let mut open = 0usize;
    text.bytes().all(|b| {
        match b {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open <= MAX_OPEN
    })
}

/// The root of a tree.
pub(super) fn root(tree: &Tree) -> Node<'_> {
    tree.root_node()
}

fn language(path: &RepoPath) -> Option<SupportLang> {
    Some(match path.extension().as_str() {
        "rs" => SupportLang::Rust,
        "py" | "pyi" => SupportLang::Python,
        "js" | "mjs" | "cjs" | "jsx" => SupportLang::JavaScript,
        "ts" | "mts" | "cts" => SupportLang::TypeScript,
        "tsx" => SupportLang::Tsx,
        "go" => SupportLang::Go,
        "java" => SupportLang::Java,
        "rb" | "rake" | "gemspec" => SupportLang::Ruby,
        "c" | "h" => SupportLang::C,
        "sh" | "bash" | "zsh" | "bats" => SupportLang::Bash,
        _ => match path.file_name().as_ref() {
            "Rakefile" | "Gemfile" => SupportLang::Ruby,
            _ => return None,
        },
    })
}

/// Whether a grammar's scanner can take the text. Scanners keep their state in 1,024 bytes, and some write past that
/// (which aborts the process) when indentation or heredocs nest too deep; these bounds keep them well inside.
fn is_safe(lang: SupportLang, text: &str) -> bool {
    match lang {
        // Two bytes for each level of indentation, one for each open string (at most 255).
        SupportLang::Python => text
            .lines()
            .all(|l| l.bytes().map_while(|b| [(b' ', 1), (b'\t', 8)].iter().find(|(c, _)| *c == b).map(|(_, n)| *n)).sum::<usize>() <= 250),
        // Five bytes for each open string (they nest by interpolation only), four and its word for each open heredoc.
        SupportLang::Ruby => {
            let heredocs: usize = text.match_indices("<<").map(|(at, _)| heredoc(&text[at + 2..])).sum();
            heredocs == 0 || heredocs + 5 * (text.matches("#{").count() + 1) + 2 < 1_000
        }
        _ => true,
    }
}

/// The bytes that what follows `<<` takes if it opens a heredoc, at most.
fn heredoc(after: &str) -> usize {
    let word = after.trim_start_matches(['-', '~']);
    let line = word.lines().next().unwrap_or_default();
    match line.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => 4 + line[1..].find(quote).unwrap_or(line.len()),
        Some(c) if c.is_alphanumeric() || c == '_' => 4 + line.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(line.len()),
        _ => 0,
    }
}

/// First and last line of a node, 1-based. A node that ends before the first character of a line ends on the line before.
pub(super) fn rows(node: &Node<'_>) -> (u32, u32) {
    let (start, end) = (node.start_position(), node.end_position());
    let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
    (number(start.row), number(last))
}

fn number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX - 1).saturating_add(1)
}
