//! From a path and a text to a syntax tree: the one place that knows which grammars there are.

use super::grammar::{Grammar, grammar};
use crate::path::RepoPath;
use ast_grep_core::source::Doc as _;
use ast_grep_core::tree_sitter::StrDoc;
use ast_grep_language::SupportLang;

/// Longer texts are not parsed: a grammar's error recovery on hostile input is linear, but slow.
const MAX_PARSED: usize = 1 << 20;

/// A parsed text.
pub(super) type Tree = StrDoc<SupportLang>;
/// A node of its tree.
pub(super) type Node<'t> = <Tree as ast_grep_core::source::Doc>::Node<'t>;

/// Parses `text` by the language that `path` names; `None` where there is no grammar for it or the text is too long.
pub(super) fn parse(path: &RepoPath, text: &str) -> Option<(&'static Grammar, Tree)> {
    if text.len() > MAX_PARSED {
        return None;
    }
    let lang = language(path).filter(|lang| is_safe(*lang, text))?;
    Some((grammar(lang)?, Tree::try_new(text, lang).ok()?))
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
        SupportLang::Python => text.lines().all(|l| l.bytes().map_while(|b| [(b' ', 1), (b'\t', 8)].iter().find(|(c, _)| *c == b).map(|(_, n)| *n)).sum::<usize>() <= 250),
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
