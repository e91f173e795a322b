//! One walk over a syntax tree: which nodes are worth trying patterns on. It does not recurse, so depth costs no stack.

use super::TouchedLines;
use super::detector::rows;
use tree_sitter::Node;

/// What the walk found.
pub(super) struct Candidates<'t> {
    /// Nodes of wanted kinds that have a touched line, in the text's order.
    pub(super) nodes: Vec<Node<'t>>,
    /// How deep the deepest node of the tree lies.
    pub(super) depth: usize,
}

/// Walks the tree; `None` if any node lies deeper than `max_depth`. Depth is bounded for the patterns' sake: asking a node
/// for its ancestors or descendants costs as much.
pub(super) fn candidates<'t>(root: Node<'t>, touched: &TouchedLines, wanted: impl Fn(u16) -> bool, max_depth: usize) -> Option<Candidates<'t>> {
    let mut out = Candidates { nodes: Vec::new(), depth: 0 };
    let mut cursor = root.walk();
    let mut depth = 0;
    loop {
        let node = cursor.node();
        if wanted(node.kind_id()) {
            let (start, end) = rows(&node);
            if touched.any_in(start, end) {
                out.nodes.push(node);
            }
        }
        if cursor.goto_first_child() {
            depth += 1;
            out.depth = out.depth.max(depth);
            if depth > max_depth {
                return None;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(out);
            }
            depth -= 1;
        }
    }
}
