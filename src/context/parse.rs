//! From a path and a text to a syntax tree of a language that the context knows the symbols of.

use super::grammar::{Grammar, grammar};
use crate::lang::Lang;
use crate::path::RepoPath;
use ast_grep_core::source::Doc as _;
use ast_grep_core::tree_sitter::StrDoc;

/// Longer texts are not parsed.
pub(super) const MAX_PARSED: usize = 256 << 10;

/// A parsed text.
pub(super) type Tree = StrDoc<Lang>;
/// A node of its tree.
pub(super) type Node<'t> = <Tree as ast_grep_core::source::Doc>::Node<'t>;

/// Parses `text` by the language that `path` names; `None` where the context has no table for it, or where the text is too
/// long, too deep or too wild for its grammar.
pub(super) fn parse(path: &RepoPath, text: &str) -> Option<(&'static Grammar, Tree)> {
    if text.len() > MAX_PARSED {
        return None;
    }
    let lang = Lang::of(path)?;
    Some((grammar(lang)?, lang.tree(text)?))
}

/// The root of a tree.
pub(super) fn root(tree: &Tree) -> Node<'_> {
    tree.root_node()
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
