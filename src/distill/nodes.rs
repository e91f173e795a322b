//! The syntax tree of an example in words, so that who writes a pattern over it need not know the grammar's names by heart.

use super::draft::Example;
use crate::lang::Lang;
use std::fmt::Write as _;

/// Nodes of one example, and how deep they are followed.
const MAX_NODES: usize = 60;
const MAX_DEPTH: usize = 16;
/// Characters of a node's text.
const MAX_TEXT: usize = 30;

/// The named nodes of an example, one a line: indented by depth, with the field that holds them and, where a node holds no
/// other, its text. At most 60, `…` at the end where there are more. Empty for a language without a grammar, or code that it refuses.
pub(super) fn nodes(example: &Example) -> String {
    let Some(parsed) = Lang::of_fence(&example.language).and_then(|lang| lang.parse(&example.code)) else { return String::new() };
    let root = parsed.root();
    let mut cursor = root.get_inner_node().walk();
    let (mut out, mut told, mut depth) = (String::new(), 0, 0);
    // A cursor, since a model chooses how deep its example nests.
    'walk: loop {
        let node = cursor.node();
        if node.is_named() && depth <= MAX_DEPTH {
            if told == MAX_NODES {
                out.push_str("…\n");
                break;
            }
            told += 1;
            let field = cursor.field_name().map(|f| format!("{f}: ")).unwrap_or_default();
            let _ = write!(out, "{}{field}{}", "  ".repeat(depth), node.kind());
            if node.named_child_count() == 0 {
                let text = example.code.get(node.byte_range()).unwrap_or_default();
                let _ = write!(out, " `{}`", crate::findings::words::cut(&crate::findings::words::one_line(text), MAX_TEXT));
            }
            out.push('\n');
        }
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                break 'walk;
            }
            depth -= 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(language: &str, code: &str) -> String {
        nodes(&Example { language: language.to_owned(), code: code.to_owned() })
    }

    #[test]
    fn names_kinds_and_fields() {
        insta::assert_snapshot!(of("python", "os.system(cmd)\n"), @r"
        module
          expression_statement
            call
              function: attribute
                object: identifier `os`
                attribute: identifier `system`
              arguments: argument_list
                identifier `cmd`
        ");
        // The same words are another node where a type is meant.
        assert!(of("rust", "fn f(x: &dyn std::fmt::Display) {}\n").contains("scoped_type_identifier"));
    }

    #[test]
    fn is_bounded() {
        let wide = of("python", &"f(x)\n".repeat(500));
        assert!(wide.lines().count() == MAX_NODES + 1 && wide.ends_with("…\n"), "{wide}");
        let deep = of("python", &format!("{}1{}\n", "[".repeat(200), "]".repeat(200)));
        assert!(deep.lines().count() <= MAX_NODES + 1 && deep.lines().all(|l| l.len() < 200), "{deep}");
        assert_eq!((of("", "x"), of("nothing", "x")), (String::new(), String::new()));
    }
}
