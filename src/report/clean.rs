//! What makes a stranger's text harmless in a report. A format uses these and never writes such a text
//! as it came. Escaping only: it never shortens, and secrets are masked before.

use super::plain::no_commands;
use crate::path::is_invisible;

/// A body for Markdown: paragraphs and code spans stay, everything else is shown as it was written.
pub(crate) fn markdown(text: &str) -> String {
    visible(text).lines().map(escaped).collect::<Vec<_>>().join("\n")
}

/// A single line for Markdown, wherever it stands.
pub(crate) fn inline(text: &str) -> String {
    escaped(&visible(text).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A Markdown code span, verbatim but for line ends.
pub(crate) fn code_span(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    if text.is_empty() {
        return text;
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Code in a fence longer than any run of backticks inside, ending with a line end.
pub(crate) fn code_fence(code: &str, lang: &str) -> String {
    let code = visible(code);
    let fence = "`".repeat((longest_run(&code) + 1).max(3));
    let end = if code.is_empty() || code.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{lang}\n{code}{end}{fence}\n")
}

/// Text for a terminal or log: no control characters but `\n` and `\t`, no invisible ones, and no commands (see [`no_commands`]).
pub(crate) fn terminal(text: &str) -> String {
    no_commands(&visible(text))
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c))).collect()
}

/// One line in which nothing but code spans has a meaning.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut parts = line.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        if code && parts.peek().is_some() {
            put_code(&mut out, part);
        } else {
            if code {
                out.push_str("\\`");
            }
            put_text(&mut out, part);
        }
        code = !code;
    }
    if out.starts_with(['#', '-', '+', '=']) { format!("\\{out}") } else { out }
}

fn put_code(out: &mut String, code: &str) {
    // Two code spans side by side would be one.
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&code_span(code));
}

/// Forges look for mentions and links in the rendered text, where escapes have gone, but never in code: so a word that could
/// be one is shown as code.
fn put_text(out: &mut String, text: &str) {
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if acts(word) {
            put_code(out, word);
        } else {
            let mut before = ' ';
            for c in word.chars() {
                let inner = c == '_' && before.is_alphanumeric();
                if !inner && matches!(c, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&') {
                    out.push('\\');
                }
                out.push(c);
                before = c;
            }
        }
        out.push_str(&piece[word.len()..]);
    }
}

fn acts(word: &str) -> bool {
    let reference = |(a, b): (char, char)| matches!(a, '@' | '#' | '!' | '$' | '%' | '~' | '&') && (b.is_alphanumeric() || b == '#');
    word.contains("://") || word.contains("www.") || word.starts_with('/') || word.chars().zip(word.chars().skip(1)).any(reference)
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_hold_no_commands_and_no_control_characters() {
        assert_eq!(terminal("a\x1b[31mb\u{9b}c\r\n\u{202e}d\te"), "a[31mbc\nd\te");
        assert_eq!(terminal("::error::x\n \t::set-env::y\na::b"), ": :error::x\n \t: :set-env::y\na::b");
        assert_eq!(terminal("x ##[error]y ##vso[task]z # #[derive]"), "x # #[error]y # #vso[task]z # #[derive]");
    }

    #[test]
    fn markdown_cannot_act() {
        assert_eq!(inline("/merge\n<b> ![x](y) `a|b`"), "`/merge` \\<b\\> !\\[x\\](y) `a|b`");
        assert_eq!(inline("ask @team, see #12"), "ask `@team,` see `#12`");
        assert_eq!(markdown("/approve\nsee https://evil"), "`/approve`\nsee `https://evil`");
        assert_eq!(inline("`a`@b ` c &lt;"), "`a` `@b` \\` c `&lt;`");
        assert_eq!(code_span("a`b``"), "``` a`b`` ```");
        assert_eq!(code_fence("```\nx", "rust"), "````rust\n```\nx\n````\n");
    }
}
