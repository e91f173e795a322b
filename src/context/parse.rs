//! From a text to a syntax tree of a language that the context knows the symbols of.

use super::grammar::{Grammar, grammar};
use crate::lang::{Parsed, Source};

/// Longer texts are not parsed.
pub(super) const MAX_PARSED: usize = 256 << 10;

/// A node of a tree.
pub(super) type Node<'t> = tree_sitter::Node<'t>;

/// The tree of a text with the table of its language; `None` where the context has none, or where the text is too long, too
/// deep or too wild for its grammar.
pub(super) fn parse<'s>(source: &'s Source<'_>) -> Option<(&'static Grammar, &'s Parsed)> {
    let fits = source.text().as_str().len() <= MAX_PARSED;
    let grammar = grammar(source.lang().filter(|_| fits)?)?;
    Some((grammar, source.parsed()?))
}

/// The root of a tree.
pub(super) fn root(tree: &Parsed) -> Node<'_> {
    tree.root().get_inner_node()
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
