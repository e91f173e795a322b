//! The symbols of a file: what is declared where, under which qualified name. Trees are walked with a cursor,
//! never by recursion, since a stranger chooses how deep they nest.

use super::grammar::{Class, Decl, Grammar, leads};
use super::parse::{Node, parse, root, rows};
use super::sections::sections;
use super::text::{cut, fold};
use crate::lang::{Parsed, Source};
use crate::path::RepoPath;
use crate::text::FileText;

/// More symbols of a file are not listed.
const MAX_SYMBOLS: usize = 20_000;
/// More nodes of a tree are not visited.
const MAX_NODES: usize = 1_000_000;
/// Containers nested deeper than this give no names any more.
const MAX_DEPTH: usize = 8;
/// Longer names and signatures are cut, in bytes.
const MAX_NAME: usize = 80;
const MAX_SIGNATURE: usize = 300;

/// Something declared in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// What people call it: `fn`, `class`, `const`, `key` …
    pub label: &'static str,
    /// What it is good for.
    pub class: Class,
    /// Its name with its containers': `Client::send`, `<Client as Drop>::drop`, `jobs.build`.
    pub name: String,
    /// Its own name alone.
    pub own: String,
    /// First line, its comments and attributes included.
    pub start: u32,
    /// The line where the declaration itself begins.
    pub line: u32,
    /// Last line.
    pub end: u32,
    /// The declaration without its body, on one line of at most 300 bytes.
    pub signature: String,
    /// Whether it is a test, by attribute, name or form.
    pub is_test: bool,
    /// The index of what holds it, among the file's symbols.
    pub parent: Option<usize>,
}

impl Symbol {
    /// How many lines it spans.
    pub fn lines(&self) -> u32 {
        self.end.saturating_sub(self.start) + 1
    }
}

/// All symbols of a file in the order of their first lines, a container before what it holds. Empty for languages
/// without a grammar (but see [`sections`]).
pub(super) fn symbols(path: &RepoPath, text: &str, parsed: Option<(&'static Grammar, &Parsed)>) -> Vec<Symbol> {
    match parsed {
        Some((grammar, tree)) => Walk { grammar, text, out: Vec::new() }.run(tree),
        None => sections(path, text),
    }
}

/// All symbols of any file; see [`symbols`].
pub fn symbols_of(path: &RepoPath, text: &FileText) -> Vec<Symbol> {
    symbols(path, text.as_str(), parse(&Source::new(path, text.clone())))
}

/// The index of the innermost symbol that spans `line`, members left aside.
pub fn enclosing(symbols: &[Symbol], line: u32) -> Option<usize> {
    let mut at = symbols.partition_point(|s| s.start <= line).checked_sub(1);
    while let Some(i) = at {
        if symbols[i].end >= line && symbols[i].class != Class::Member {
            return Some(i);
        }
        // Symbols nest, so whatever else spans the line also spans this one's start.
        at = symbols[i].parent;
    }
    None
}

struct Walk<'a> {
    grammar: &'static Grammar,
    text: &'a str,
    out: Vec<Symbol>,
}

/// What is known of the siblings at one depth.
#[derive(Default)]
struct Siblings {
    /// Lines of the comments and attributes right before the next node.
    lead: Option<(u32, u32)>,
    /// Whether that lead marks a test.
    lead_tests: bool,
    /// Last line of the sibling before.
    last: u32,
    /// First line of the node around them, where that belongs to a declaration among them.
    wrapper: Option<u32>,
    /// The symbol that the node around them is.
    owner: Option<usize>,
}

impl Walk<'_> {
    fn run(mut self, tree: &Parsed) -> Vec<Symbol> {
        let mut cursor = root(tree).walk();
        let mut depth = vec![Siblings::default()];
        let mut owners: Vec<usize> = Vec::new();
        for _ in 0..MAX_NODES {
            let node = cursor.node();
            let siblings = depth.last_mut().expect("one entry for each level entered");
            let (start, end) = rows(&node);
            let mut below = Siblings::default();
            let mut descend = false;
            if leads(node.kind()) {
                // A comment behind code on the same line is about that code.
                if start > siblings.last {
                    let marks_test = node.kind() != "comment" && self.slice(&node).to_ascii_lowercase().contains("test");
                    match &mut siblings.lead {
                        Some((_, last)) if start <= *last + 1 => *last = end,
                        lead => {
                            *lead = Some((start, end));
                            siblings.lead_tests = false;
                        }
                    }
                    siblings.lead_tests |= marks_test && !node.kind().contains("comment");
                }
            } else if node.is_named() {
                let lead = siblings.lead.take().filter(|(_, last)| start <= last + 1);
                let tested = lead.is_some() && siblings.lead_tests;
                let first = lead.map_or(start, |(from, _)| from);
                let first = siblings.wrapper.filter(|w| *w < first).unwrap_or(first);
                siblings.last = end;
                // Only the first declaration in a group begins where the group does.
                siblings.wrapper = None;
                let symbol = self.symbol(&node, owners.last().copied(), tested);
                descend = match &symbol {
                    Some(s) => matches!(s.class, Class::Container | Class::Type) && owners.len() < MAX_DEPTH,
                    None => true,
                };
                if let Some(mut symbol) = symbol {
                    (symbol.start, symbol.line, symbol.end) = (first, start, end);
                    below.owner = Some(self.out.len());
                    self.out.push(symbol);
                    if self.out.len() >= MAX_SYMBOLS {
                        break;
                    }
                } else if self.grammar.wrappers.contains(&node.kind()) {
                    below.wrapper = Some(first);
                }
            }
            if descend && cursor.goto_first_child() {
                owners.extend(below.owner);
                depth.push(below);
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return self.out;
                }
                if depth.pop().is_some_and(|d| d.owner.is_some()) {
                    owners.pop();
                }
            }
        }
        self.out
    }

    fn symbol(&self, node: &Node<'_>, parent: Option<usize>, tested: bool) -> Option<Symbol> {
        if self.grammar.test_call == Some(node.kind()) {
            return self.test_call(node, parent);
        }
        let decl = self.grammar.decls.iter().find(|d| d.node == node.kind())?;
        let own = self.name(node, decl)?;
        let value = node.child_by_field_name("value");
        let function = value.filter(|v| matches!(v.kind(), "arrow_function" | "function_expression" | "function"));
        let (label, class) = match decl {
            _ if function.is_some() => ("function", Class::Code),
            // `struct foo x;` only mentions the type.
            Decl { node: "struct_specifier" | "enum_specifier" | "union_specifier", .. } => {
                node.child_by_field_name("body")?;
                (decl.label, decl.class)
            }
            _ => (decl.label, decl.class),
        };
        let body = function.unwrap_or(*node).child_by_field_name("body");
        let header = match body {
            Some(body) => &self.text[node.start_byte()..body.start_byte().max(node.start_byte())],
            None => self.slice(node).lines().next().unwrap_or_default(),
        };
        let folded = fold(header).replace("( ", "(").replace(", )", ")").replace(" )", ")");
        let signature = cut(&folded, MAX_SIGNATURE).trim_end_matches(['{', ' ']).to_owned();
        let is_test = class == Class::Code
            && (tested
                || own.starts_with("test_")
                || ["Test", "Benchmark", "Fuzz"].iter().any(|p| decl.label == "func" && own.starts_with(p))
                || signature.starts_with("@Test")
                || signature.starts_with("@ParameterizedTest"));
        let own_for_name = match (decl.node, node.child_by_field_name("trait")) {
            ("impl_item", Some(of)) => format!("<{own} as {}>", plain(self.slice(&of))),
            ("method_declaration", _) if self.grammar.separator == "." && decl.label == "func" => match self.receiver(node) {
                Some(of) => format!("{of}.{own}"),
                None => own.clone(),
            },
            _ => own.clone(),
        };
        Some(Symbol { label, class, name: self.qualify(parent, &own_for_name), own, start: 0, line: 0, end: 0, signature, is_test, parent })
    }

    /// `describe("…", …)`, `it("…", …)` and their kin.
    fn test_call(&self, node: &Node<'_>, parent: Option<usize>) -> Option<Symbol> {
        let callee = node.child_by_field_name("function").or_else(|| node.child_by_field_name("method"))?;
        let callee = self.slice(&callee);
        let (label, class) = match callee.split(['.', '(', ' ']).next()? {
            "describe" | "context" | "suite" => ("describe", Class::Container),
            "it" | "test" | "specify" => ("test", Class::Test),
            _ => return None,
        };
        let title = node.child_by_field_name("arguments")?.named_child(0)?;
        let own = plain_title(self.slice(&title));
        Some(Symbol {
            label,
            class,
            name: self.qualify(parent, &own),
            signature: format!("{label} {own}"),
            own,
            start: 0,
            line: 0,
            end: 0,
            is_test: class == Class::Test,
            parent,
        })
    }

    fn qualify(&self, parent: Option<usize>, own: &str) -> String {
        match parent.and_then(|p| self.out.get(p)) {
            Some(p) => format!("{}{}{own}", p.name, self.grammar.separator),
            None => own.to_owned(),
        }
    }

    fn name(&self, node: &Node<'_>, decl: &Decl) -> Option<String> {
        let mut at = node.child_by_field_name(decl.name)?;
        // `int *(*f)(void)` and `private int x = 1` hold the name some declarators down.
        for _ in 0..16 {
            match at.child_by_field_name("declarator").or_else(|| at.child_by_field_name("name")) {
                Some(next) => at = next,
                None => break,
            }
        }
        let name = plain(self.slice(&at));
        let usable = match decl.class {
            Class::Value => !name.contains([',', '[', '{', '.', '(', ' ']),
            _ => true,
        };
        (usable && !name.is_empty()).then_some(name)
    }

    fn receiver(&self, node: &Node<'_>) -> Option<String> {
        let receiver = self.slice(&node.child_by_field_name("receiver")?);
        let of = receiver.trim_matches(['(', ')']).split('[').next()?.split([' ', '*']).next_back()?;
        Some(cut(of, MAX_NAME).to_owned())
    }

    fn slice(&self, node: &Node<'_>) -> &str {
        self.text.get(node.start_byte()..node.end_byte()).unwrap_or_default()
    }
}

/// A name without type parameters, quotes and references, on one line.
fn plain(name: &str) -> String {
    let name = name.lines().next().unwrap_or_default();
    let name = name.split('<').next().unwrap_or_default();
    cut(name.trim_matches(['"', '\'', '&', '*', ' ', ':']), MAX_NAME).to_owned()
}

fn plain_title(title: &str) -> String {
    format!("\"{}\"", cut(&fold(title.trim_matches(['"', '\'', '`'])), MAX_NAME))
}
