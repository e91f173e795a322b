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
    let lang = language(path)?;
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
        "yaml" | "yml" => SupportLang::Yaml,
        _ => match path.file_name().as_ref() {
            "Rakefile" | "Gemfile" => SupportLang::Ruby,
            _ => return None,
        },
    })
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
