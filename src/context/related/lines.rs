//! Declarations and enclosing names found from the lines alone. The files that related code stands in are many and in any
//! language; parsing them all would cost more than it tells. A wrong guess here costs a few tokens, never a finding.

use crate::path::RepoPath;
use crate::text::FileText;

/// How far up to look for what encloses a line.
const MAX_UP: u32 = 1_000;
/// How far up to look for the comment of a declaration.
const MAX_ABOVE: u32 = 30;
/// How far down to look for the end of a declaration.
const MAX_DOWN: u32 = 400;

/// Words right before a name that declare it.
const DECLARING: &[&str] = &[
    "fn",
    "struct",
    "enum",
    "trait",
    "type",
    "const",
    "static",
    "union",
    "macro_rules!",
    "def",
    "class",
    "interface",
    "function",
    "func",
    "record",
    "object",
    "protocol",
    "message",
    "service",
    "rpc",
    "#define",
    "sub",
    "extension",
    "table",
    "TABLE",
    "FUNCTION",
    "VIEW",
];

/// Whether `line` of a file declares `name` (which stands in it as a word).
pub(crate) fn declares(path: &RepoPath, line: &str, name: &str) -> bool {
    let code = line.trim_start();
    let indent = line.len() - code.len();
    if is_comment(code) && !code.starts_with("#define") {
        return false;
    }
    let extension = path.extension();
    if matches!(extension.as_str(), "md" | "rst" | "txt" | "adoc") {
        return false;
    }
    let Some(at) = word_at(code, name) else { return false };
    let (before, after) = (code[..at].trim_end(), &code[at + name.len()..]);
    let last = before.rsplit(|c: char| c.is_whitespace() || c == '*').next().unwrap_or_default();
    let script = matches!(extension.as_str(), "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "go");
    let exported = indent == 0 || before.starts_with("export") || before.starts_with("public");
    if DECLARING.contains(&last) {
        // Inside a function, `const x` is a local; inside an `impl`, `type X` is one of many of that name.
        let local = (script && last == "const" && !exported) || (extension == "rs" && last == "type" && indent > 0);
        return !local;
    }
    match extension.as_str() {
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => {
            let modifiers = ["", "async", "static", "public", "private", "protected", "get", "set", "readonly", "override", "abstract"];
            (exported && matches!(last, "let" | "var"))
                || (indent > 0
                    && after.starts_with('(')
                    && line.trim_end().ends_with('{')
                    && before.split_whitespace().all(|w| modifiers.contains(&w)))
        }
        "go" => (before.starts_with("func (") && before.ends_with(')')) || (indent == 0 && last == "var"),
        "py" | "pyi" | "rb" | "sh" | "bash" | "mk" | "env" => {
            let after = after.trim_start();
            before.is_empty()
                && ((indent == 0 && (after.starts_with('=') && !after.starts_with("==") || after.starts_with(": ")))
                    || after.starts_with("() {")
                    || after.starts_with("()\t{"))
        }
        "java" | "kt" | "cs" | "c" | "h" | "cc" | "cpp" | "hpp" | "scala" => {
            let typed =
                before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '>' | ']' | '*' | '&')) && !before.contains(['=', '(', '.']);
            let called = ["return", "new", "else", "throw", "await", "case", "goto"].contains(&last);
            let function = after.starts_with('(') && !line.trim_end().ends_with(';');
            let constant = before.contains("final ") || before.contains("static ") || (indent == 0 && before.contains("const "));
            typed && !called && (function || (constant && after.trim_start().starts_with('=')))
        }
        _ => false,
    }
}

/// Whether the declaration at `line` can be called on an object, as far as the language lets it be seen.
pub(super) fn is_method(path: &RepoPath, text: &FileText, line: u32) -> bool {
    match path.extension().as_str() {
        "rs" => (line..line + 4).any(|n| text.line(n).is_some_and(|l| l.contains("self"))),
        "py" | "pyi" => (line..line + 3).any(|n| text.line(n).is_some_and(|l| l.contains("self") || l.contains("cls"))),
        "go" => text.line(line).is_some_and(|l| l.contains("func (")),
        _ => true,
    }
}

/// Where `name` stands in `line` as a whole word first.
pub(crate) fn word_at(line: &str, name: &str) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).map(|(at, _)| at).find(|&at| !line[..at].ends_with(word) && !line[at + name.len()..].starts_with(word))
}

/// Whether a line (its indent removed) is a comment as most languages write them.
pub(crate) fn is_comment(code: &str) -> bool {
    ["//", "#", "*", "/*", "--", ";", "<!--", "\"\"\""].iter().any(|m| code.starts_with(m)) && !code.starts_with("#[") && !code.starts_with("#!")
}

/// The lines of a declaration that are worth showing, ascending, and how many lines of its body are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) lines: Vec<u32>,
    pub(super) more: u32,
}

/// What is worth showing of the declaration at `line`: the first two lines of the comment before it, its head, and its body
/// where that has at most `max` lines; of a longer function only the head, of a longer type the first lines of its members.
pub(super) fn declaration(path: &RepoPath, text: &FileText, line: u32, max: u32) -> Excerpt {
    let at = |n: u32| text.line(n).unwrap_or_default();
    let above = (line.saturating_sub(MAX_ABOVE).max(1)..line).rev().take_while(|n| {
        let code = at(*n).trim_start();
        is_comment(code) || code.starts_with("#[") || code.starts_with('@')
    });
    let mut above: Vec<u32> = above.filter(|n| is_telling(at(*n).trim_start())).collect();
    above.reverse();
    let (comments, attributes): (Vec<u32>, Vec<u32>) = above.into_iter().partition(|n| is_comment(at(*n).trim_start()));
    let mut lines: Vec<u32> = comments.into_iter().take(2).chain(attributes).collect();
    let end = block_end(text, line);
    // A cut that saves a few lines is not worth its mark.
    if end - line < max + 4 {
        lines.extend((line..=end).filter(|n| !at(*n).trim().is_empty()));
        return Excerpt { lines, more: 0 };
    }
    let head = head_end(text, line).min(line + max - 1);
    lines.extend(line..=head);
    // Python's comment stands below the head.
    let documented = ["\"\"\"", "'''", "r\"\"\""].iter().any(|q| at(head + 1).trim_start().starts_with(q));
    if documented {
        lines.push(head + 1);
    }
    let mut rest: Vec<u32> = (head + 1 + u32::from(documented)..end).filter(|n| is_telling(at(*n).trim_start())).collect();
    if ["struct ", "enum ", "interface ", "trait ", "record ", "union ", "class "].iter().any(|w| at(line).contains(w)) {
        let python = matches!(path.extension().as_str(), "py" | "pyi");
        let member = |l: &str| {
            !python
                || ["def ", "async def ", "class "].iter().any(|w| l.starts_with(w))
                || l.split_once([':', '=']).is_some_and(|(name, _)| !name.trim().contains(' '))
        };
        let code =
            |n: &u32| member(at(*n).trim_start()) && !is_comment(at(*n).trim_start()) && !at(*n).trim_start().starts_with(['#', '}', ')', '@']);
        let members = rest.iter().filter(|n| code(n)).map(|n| indent(at(*n))).min().unwrap_or(0);
        rest.retain(|n| code(n) && indent(at(*n)) == members);
        let more = rest.split_off(rest.len().min(max as usize + 4));
        lines.append(&mut rest);
        rest = more;
    }
    // Where the end was not looked for any further, there is more.
    let open = u32::from(end == line + MAX_DOWN);
    Excerpt { lines, more: u32::try_from(rest.len()).unwrap_or(u32::MAX).max(open) }
}

/// Not blank, not an empty comment line, nor an attribute that only derives.
fn is_telling(code: &str) -> bool {
    let empty = !code.chars().any(|c| c.is_alphanumeric() || matches!(c, '}' | ')'));
    !empty
        && !["#[derive", "#[non_exhaustive", "#[cfg_attr(test", "#[must_use", "#[inline", "#[allow", "#[expect"].iter().any(|a| code.starts_with(a))
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
