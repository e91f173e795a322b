//! The names and literals on the changed lines of a file: what the change talks about. Taken from the syntax tree
//! where there is one, so that comments, keywords and prose stay out.

use super::parse::{Node, root, rows};
use crate::lang::Parsed;
use std::collections::BTreeMap;

/// More different words of one side of a file are not kept.
const MAX_WORDS: usize = 2_000;
/// Literals are kept from this many bytes on (shorter ones say nothing) up to this many.
const LITERAL: std::ops::RangeInclusive<usize> = 4..=80;
const MAX_NODES: usize = 1_000_000;

/// How a word is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Something is called by it.
    Call,
    /// A method of some object is called by it.
    Method,
    /// A type, variant or constant, by its spelling.
    Capital,
    /// Any other name.
    Name,
    /// The text of a string or number.
    Literal,
}

/// Words, and whether they stand in tests only.
pub(super) type Words = BTreeMap<(String, Use), bool>;

/// The words on the given lines (1-based, sorted) of a text; `tests` tells which lines belong to tests.
pub(super) fn words(text: &str, lines: &[u32], tree: Option<&Parsed>, tests: &dyn Fn(u32) -> bool) -> Words {
    let mut out = Found { words: Words::new(), in_test: false };
    match tree {
        Some(tree) => from_tree(text, lines, tree, tests, &mut out),
        None => from_lines(text, lines, tests, &mut out),
    }
    out.words
}

struct Found {
    words: Words,
    /// Whether the line being read belongs to a test.
    in_test: bool,
}

impl Found {
    fn add(&mut self, word: &str, kind: Use) {
        let in_test = self.in_test;
        self.words.entry((word.to_owned(), kind)).and_modify(|t| *t &= in_test).or_insert(in_test);
    }
}

fn from_tree(text: &str, lines: &[u32], tree: &Parsed, tests: &dyn Fn(u32) -> bool, out: &mut Found) {
    let mut cursor = root(tree).walk();
    let mut line = 0;
    for _ in 0..MAX_NODES {
        let node = cursor.node();
        let (start, end) = rows(&node);
        let next = lines.partition_point(|l| *l < start);
        let on_changed_line = lines.get(next).is_some_and(|l| *l <= end);
        if on_changed_line && start != line {
            line = start;
            out.in_test = tests(line);
        }
        if !(on_changed_line && take(text, &node, out) && cursor.goto_first_child()) {
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
        if out.words.len() >= MAX_WORDS {
            return;
        }
    }
}

/// Keeps the word that a node is; tells whether to look inside.
fn take(text: &str, node: &Node<'_>, out: &mut Found) -> bool {
    let kind = node.kind();
    if kind.contains("comment") {
        return false;
    }
    let slice = text.get(node.start_byte()..node.end_byte()).unwrap_or_default();
    if node.is_named() && (kind.contains("string") || kind.ends_with("scalar")) && !kind.ends_with("_start") && !kind.ends_with("_end") {
        literal(slice.trim_matches(['"', '\'', '`']).trim_start_matches(['r', 'f', 'b', '#', '"']), out);
        return node.child_count() > 0;
    }
    if node.child_count() > 0 {
        return true;
    }
    if kind.ends_with("identifier") || matches!(kind, "constant" | "word" | "variable_name") {
        let before = text.get(..node.start_byte()).unwrap_or_default();
        // `Kind::Variant`: the type's name tells, its variant's would be found anywhere.
        let before = before.get(before.len().saturating_sub(100)..).unwrap_or_default();
        let owner = before
            .strip_suffix("::")
            .or_else(|| before.strip_suffix('.'))
            .map(|b| b.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default());
        let capital = |s: &str| s.starts_with(|c: char| c.is_ascii_uppercase());
        if !(capital(slice) && owner.is_some_and(capital)) {
            name(slice, owner.filter(|_| before.ends_with('.')), text.get(node.end_byte()..).unwrap_or_default(), out);
        }
    } else if node.is_named() && ["integer", "float", "number", "int_literal"].iter().any(|k| kind.contains(k)) {
        literal(slice, out);
    }
    false
}

fn name(slice: &str, owner: Option<&str>, after: &str, out: &mut Found) {
    if slice.len() < 3 || slice.len() > 80 {
        return;
    }
    let after = after.strip_prefix("::<").map_or(after, |generic| generic.split_once('>').map_or("", |(_, rest)| rest));
    let kind = match () {
        () if owner.is_some_and(|o| o != "self" && o != "this") && after.starts_with('(') => Use::Method,
        () if after.starts_with('(') || after.starts_with("!(") || after.starts_with("![") || after.starts_with("! {") => Use::Call,
        () if slice.starts_with(|c: char| c.is_ascii_uppercase()) => Use::Capital,
        () => Use::Name,
    };
    out.add(slice, kind);
}

fn literal(slice: &str, out: &mut Found) {
    let worth = |c: char| c.is_alphanumeric();
    if LITERAL.contains(&slice.len()) && !slice.contains('\n') && slice.chars().filter(|c| worth(*c)).count() >= 3 && !slice.contains('‹') {
        out.add(slice, Use::Literal);
    }
}

/// Without a grammar: what stands in quotes or back-ticks, values of settings, and tokens that are spelled like code.
fn from_lines(text: &str, lines: &[u32], tests: &dyn Fn(u32) -> bool, out: &mut Found) {
    let mut wanted = lines.iter().peekable();
    for (line, number) in text.lines().zip(1u32..) {
        if wanted.peek() != Some(&&number) {
            continue;
        }
        wanted.next();
        out.in_test = tests(number);
        let code = line.trim_start();
        // A comment, or a heading, whose words are prose.
        if line.len() > 2_000 || out.words.len() >= MAX_WORDS || code.starts_with("# ") || code.starts_with("//") {
            continue;
        }
        for quote in ['"', '`', '\''] {
            line.split(quote).skip(1).step_by(2).for_each(|inside| literal(inside, out));
        }
        if let Some((_, value)) =
            code.split_once(": ").or_else(|| code.split_once(" = ")).filter(|(key, _)| !key.trim_start_matches("- ").contains(' '))
        {
            literal(value.trim(), out);
        }
        for token in line.split(|c: char| !(c.is_alphanumeric() || "_-./:$".contains(c))) {
            let token = token.trim_matches(['.', ':', '-', '/', '$']);
            let mut inner = token.chars();
            inner.next();
            let inner = inner.as_str();
            let code = inner.contains(['_', '-', '.', '/']) || (inner.contains(char::is_uppercase) && inner.contains(char::is_lowercase));
            if token.len() >= 6 && code {
                if token.chars().all(|c| c.is_alphanumeric() || c == '_') {
                    name(token, None, if line.contains(&format!("{token}(")) { "(" } else { "" }, out);
                } else {
                    literal(token, out);
                }
            }
        }
    }
}
