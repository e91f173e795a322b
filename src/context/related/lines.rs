//! Declarations and enclosing names found from the lines alone. The files that related code stands in are many and in any
//! language; parsing them all would cost more than it tells. A wrong guess here costs a few tokens, never a finding.

use crate::path::RepoPath;
use crate::text::FileText;
use std::ops::RangeInclusive;

/// How far up to look for what encloses a line.
const MAX_UP: u32 = 400;
/// How far down to look for the end of a declaration.
const MAX_DOWN: u32 = 60;

/// Words right before a name that declare it.
const DECLARING: &[&str] = &[
    "fn", "struct", "enum", "trait", "type", "const", "static", "union", "macro_rules!", "def", "class", "interface", "function", "func",
    "record", "object", "protocol", "message", "service", "rpc", "#define", "sub", "extension", "table", "TABLE", "FUNCTION", "VIEW",
];

/// Whether `line` of a file declares `name` (which stands in it as a word).
pub(super) fn declares(path: &RepoPath, line: &str, name: &str) -> bool {
    let code = line.trim_start();
    let indent = line.len() - code.len();
    if is_comment(code) && !code.starts_with("#define") {
        return false;
    }
    let Some(at) = word_at(code, name) else { return false };
    let (before, after) = (code[..at].trim_end(), &code[at + name.len()..]);
    let last = before.rsplit(|c: char| c.is_whitespace() || c == '*').next().unwrap_or_default();
    let extension = path.extension();
    let script = matches!(extension.as_str(), "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "go");
    let exported = indent == 0 || before.starts_with("export") || before.starts_with("public");
    if DECLARING.contains(&last) {
        // Inside a function, `const x` is a local.
        return !(script && last == "const" && !exported);
    }
    match extension.as_str() {
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => {
            let modifiers = ["", "async", "static", "public", "private", "protected", "get", "set", "readonly", "override", "abstract"];
            (exported && matches!(last, "let" | "var")) || (indent > 0 && after.starts_with('(') && line.trim_end().ends_with('{') && before.split_whitespace().all(|w| modifiers.contains(&w)))
        }
        "go" => (before.starts_with("func (") && before.ends_with(')')) || (indent == 0 && last == "var"),
        "py" | "pyi" | "rb" | "sh" | "bash" | "mk" | "env" => {
            let after = after.trim_start();
            before.is_empty() && ((indent == 0 && (after.starts_with('=') && !after.starts_with("==") || after.starts_with(": "))) || after.starts_with("() {") || after.starts_with("()\t{"))
        }
        "java" | "kt" | "cs" | "c" | "h" | "cc" | "cpp" | "hpp" | "scala" => {
            let typed = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '>' | ']' | '*' | '&')) && !before.contains(['=', '(', '.']);
            let called = ["return", "new", "else", "throw", "await", "case", "goto"].contains(&last);
            let function = after.starts_with('(') && !line.trim_end().ends_with(';');
            let constant = before.contains("final ") || before.contains("static ") || (indent == 0 && before.contains("const "));
            typed && !called && (function || (constant && after.trim_start().starts_with('=')))
        }
        _ => false,
    }
}

/// Where `name` stands in `line` as a whole word first.
pub(super) fn word_at(line: &str, name: &str) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !line[..at].ends_with(word) && !line[at + name.len()..].starts_with(word))
}

/// Whether a line (its indent removed) is a comment as most languages write them.
pub(super) fn is_comment(code: &str) -> bool {
    ["//", "#", "*", "/*", "--", ";", "<!--", "\"\"\""].iter().any(|m| code.starts_with(m)) && !code.starts_with("#[") && !code.starts_with("#!")
}

/// The lines worth showing of the declaration at `line`: up to four lines of comment before it, then all of it when it has
/// at most `max` lines, else its head (up to where its body begins). Never more than `max` lines of it.
pub(super) fn declaration(text: &FileText, line: u32, max: u32) -> RangeInclusive<u32> {
    let mut first = line;
    while first > 1 && line - first < 4 {
        let above = text.line(first - 1).unwrap_or_default().trim_start();
        if !(is_comment(above) || above.starts_with("#[") || above.starts_with('@')) {
            break;
        }
        first -= 1;
    }
    let end = block_end(text, line);
    let last = if end - line < max { end } else { head_end(text, line).min(line + max - 1) };
    first..=last
}

/// The last line of the declaration that begins at `line`, by indentation; at most `MAX_DOWN` lines on.
fn block_end(text: &FileText, line: u32) -> u32 {
    let own = text.line(line).unwrap_or_default();
    if own.trim_end().ends_with([';', '}']) {
        return line;
    }
    let indent = indent(own);
    let bound = line.saturating_add(MAX_DOWN).min(text.line_count());
    let mut last = line;
    for n in line + 1..=bound {
        let next = text.line(n).unwrap_or_default();
        let code = next.trim_start();
        if code.is_empty() {
            continue;
        }
        if indent_less_or_equal(next, indent) {
            let closes = code.starts_with(['}', ')', ']']) || code == "end" || code.starts_with("where");
            if closes {
                last = n;
                // `) -> Result<()> {` closes the parameters and opens the body.
                if code.trim_end().ends_with(['{', ':', '(']) || code.starts_with("where") {
                    continue;
                }
            }
            return last;
        }
        last = n;
    }
    last
}

/// The line on which the body of a declaration opens, or its statement ends.
fn head_end(text: &FileText, line: u32) -> u32 {
    let bound = line.saturating_add(16).min(text.line_count());
    (line..=bound).find(|n| text.line(*n).is_some_and(|l| l.trim_end().ends_with(['{', ';', ':']))).unwrap_or(line)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn indent_less_or_equal(line: &str, than: usize) -> bool {
    indent(line) <= than
}

/// What encloses a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Enclosing {
    /// The function's, or else the type's, name.
    pub(super) name: String,
    /// Whether it is a function, not a type.
    pub(super) is_function: bool,
    /// Whether it looks like a test.
    pub(super) is_test: bool,
}

/// The nearest line above with less indentation that begins a function (or, failing that, a type), by name.
pub(super) fn enclosing(path: &RepoPath, text: &FileText, line: u32) -> Option<Enclosing> {
    let extension = path.extension();
    let plain_methods = !matches!(extension.as_str(), "rs" | "go" | "py" | "rb" | "sh");
    let mut indent = indent(text.line(line)?) + 1;
    let mut outer = None;
    for n in (line.saturating_sub(MAX_UP).max(1)..=line).rev() {
        let above = text.line(n)?;
        let code = above.trim_start();
        let own = above.len() - code.len();
        if code.is_empty() || own >= indent || is_comment(code) || code.starts_with(['}', ')', ']']) {
            continue;
        }
        if n < line {
            indent = own;
        }
        if let Some(name) = function_name(code, plain_methods) {
            let marked = (n.saturating_sub(6).max(1)..n)
                .rev()
                .filter_map(|m| text.line(m))
                .map(str::trim_start)
                .take_while(|l| l.starts_with("#[") || l.starts_with('@') || is_comment(l))
                .any(|l| !is_comment(l) && l.to_ascii_lowercase().contains("test"));
            let is_test = marked || name.starts_with("test") || name.starts_with("Test") || name.starts_with('"');
            return Some(Enclosing { name, is_function: true, is_test });
        }
        if outer.is_none() {
            outer = type_name(code).map(|name| Enclosing { name, is_function: false, is_test: false });
        }
        if own == 0 && n < line {
            break;
        }
    }
    outer
}

fn function_name(code: &str, plain_methods: bool) -> Option<String> {
    for word in ["fn ", "def ", "function ", "func "] {
        let starts = code.starts_with(word) || code.contains(&format!(" {word}"));
        if starts && (code.contains('(') || word == "def ") {
            let rest = &code[code.find(word)? + word.len()..];
            // A Go method's receiver stands before its name.
            let rest = if word == "func " && rest.starts_with('(') { rest.split_once(')')?.1.trim_start() } else { rest };
            return identifier(rest);
        }
    }
    for call in ["it(", "test(", "describe(", "it.each", "test.each"] {
        if let Some(rest) = code.strip_prefix(call) {
            let title = rest.split(['"', '\'', '`']).nth(1)?;
            return Some(format!("\"{}\"", super::super::text::cut(title, 60)));
        }
    }
    if !plain_methods {
        return None;
    }
    // Methods of Java and its kin: `public Foo bar(Baz x) {`, and of JavaScript classes: `async bar(x) {`.
    let head = code.split('(').next()?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let keyword = ["if", "for", "while", "switch", "catch", "return", "else", "match", "loop", "do", "try", "new", "await", "throw", "}"];
    let opens = code.trim_end().ends_with('{') && code.contains('(');
    if opens && !words.is_empty() && words.len() <= 6 && !words.iter().any(|w| keyword.contains(w)) && !head.contains(['=', '.', '"']) {
        return identifier(words.last()?).filter(|n| n.len() == words.last().map_or(0, |w| w.len()));
    }
    None
}

fn type_name(code: &str) -> Option<String> {
    for word in ["impl", "struct", "enum", "trait", "class", "interface", "mod", "module"] {
        let mut words = code.split(|c: char| c.is_whitespace());
        if words.by_ref().take(4).any(|w| w == word || (word == "impl" && w.starts_with("impl<"))) {
            let head = code.trim_end().trim_end_matches('{').trim_end();
            return Some(super::super::text::shorten(head.strip_prefix("pub ").unwrap_or(head), 60));
        }
    }
    None
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '?' | '!' | '$')).take(80).collect();
    (!name.is_empty()).then_some(name)
}

/// Whether a path is that of a test file, by the customs of most languages.
pub(super) fn is_test_path(path: &RepoPath) -> bool {
    let text = path.display().to_ascii_lowercase();
    let name = path.file_name();
    let extension = path.extension();
    let stem = name.split('.').next().unwrap_or_default();
    let prefixed = matches!(extension.as_str(), "py" | "rb" | "c" | "cc" | "cpp" | "sh" | "bats" | "lua") && stem.starts_with("test_");
    let camel = matches!(extension.as_str(), "java" | "kt" | "scala" | "groovy" | "cs" | "swift" | "php");
    text.split('/').rev().skip(1).any(|d| matches!(d, "test" | "tests" | "spec" | "specs" | "__tests__" | "testing" | "e2e"))
        || prefixed
        || ["_test", "_tests", "_spec"].iter().any(|s| stem.ends_with(s))
        || (camel && ["Test", "Tests", "Spec", "IT"].iter().any(|s| stem.ends_with(s)))
        || name.contains(".spec.")
        || name.contains(".test.")
        || matches!(stem, "test" | "tests" | "conftest")
}

/// Whether hits in a file say nothing about code: change logs, lock files, snapshots, vendored and minified trees.
pub(super) fn is_noise(path: &RepoPath) -> bool {
    let text = path.display().to_ascii_lowercase();
    let name = path.file_name().to_ascii_lowercase();
    ["changelog", "changes.", "history.", "news.", "release-notes"].iter().any(|p| name.starts_with(p))
        || [".lock", ".snap", ".min.js", ".min.css", ".map", ".svg", ".sum", "-lock.json", "-lock.yaml", ".pb.go", ".ipynb"].iter().any(|s| name.ends_with(s))
        || text.split('/').any(|d| matches!(d, "vendor" | "node_modules" | "third_party" | "dist" | "snapshots" | "__snapshots__" | "testdata" | "fixtures"))
}
