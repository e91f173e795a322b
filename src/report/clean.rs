//! What makes a stranger's text harmless in a report. A format uses these and never writes such a text
//! as it came. Escaping only: it never shortens, and secrets are masked before.

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

/// Text for a terminal or log: no control characters but `\n` and `\t`, and nothing that a CI runner takes for a command,
/// which is `::` after white space at a line's start, or `##[` and `##name[` anywhere.
pub(crate) fn terminal(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        // Runners trim a line before they look, so only something between the colons helps.
        let rest = line.trim_start();
        out.push_str(&line[..line.len() - rest.len()]);
        let rest = rest.strip_prefix("::").map_or(rest, |rest| {
            out.push_str(": :");
            rest
        });
        for c in rest.chars() {
            if c == '[' {
                let word = out.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len();
                if out[..word].ends_with("##") {
                    out.insert(word - 1, ' ');
                }
            }
            out.push(c);
        }
    }
    out
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c))).collect()
}

/// One line in which nothing but code spans has a meaning. Forges look for mentions and references in the rendered text, where
/// escapes have gone: a zero-width space keeps them from being one.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut parts = line.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        if code && parts.peek().is_some() {
            out.push_str(&code_span(part));
        } else {
            if code {
                out.push_str("\\`");
            }
            escape_text(&mut out, part);
        }
        code = !code;
    }
    match out.strip_prefix(['/', '#', '-', '+', '=']) {
        Some(_) => format!("\\{out}"),
        None => out,
    }
}

fn escape_text(out: &mut String, text: &str) {
    let mut before = ' ';
    for c in text.replace("://", ":\u{200B}//").replace("www.", "www\u{200B}.").chars() {
        if c.is_alphanumeric() && matches!(before, '@' | '#' | '!' | '$' | '%' | '~' | '&') {
            out.push('\u{200B}');
        }
        if matches!(c, '\\' | '*' | '[' | ']' | '<' | '>' | '|' | '~') || (c == '_' && !before.is_alphanumeric()) {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
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
        assert_eq!(inline("/merge\n<b> ![x](y) `a|b`"), "\\/merge \\<b\\> !\\[x\\](y) `a|b`");
        assert_eq!(inline("ask @team, see #12"), "ask @\u{200B}team, see #\u{200B}12");
        assert_eq!(markdown("/approve\nsee https://evil"), "\\/approve\nsee https:\u{200B}//evil");
        assert_eq!(code_span("a`b``"), "``` a`b`` ```");
        assert_eq!(code_fence("```\nx", "rust"), "````rust\n```\nx\n````\n");
    }
}
