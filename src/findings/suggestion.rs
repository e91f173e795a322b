//! Whether a proposed replacement can be offered with one click. In doubt it cannot: the words of the finding remain.

use super::quote::readings;
use super::words::visible;
use crate::path::is_invisible;
use std::borrow::Cow;

/// A suggestion is a small fix, not a rewrite.
const MAX_LINES: usize = 60;
const MAX_BYTES: usize = 8_000;

/// The replacement for the lines `code` (as they stand, all of them quoted), ready to apply, or `None`. `quote` is what the
/// model copied: where it left out the indentation, the replacement lacks it too and gets it back.
pub(super) fn ready(raw: &str, quote: &str, code: &str, mask: &dyn for<'t> Fn(&'t str) -> Cow<'t, str>) -> Option<String> {
    let new = unfenced(raw);
    if new.trim().is_empty() || new.len() > MAX_BYTES || new.lines().count() > MAX_LINES {
        return None;
    }
    let new = indented(&new, quote, code)?;
    let hidden = new.contains(|c: char| is_invisible(c) || (c.is_control() && c != '\n' && c != '\t')) || visible(&new) != new;
    let secret = mask(&new) != new || new.contains("‹masked:");
    let marker = new.to_ascii_lowercase().contains("<!-- tribune");
    let diff = looks_like_diff(&new) && !looks_like_diff(code);
    let same = new.trim_end() == code.trim_end();
    (!hidden && !secret && !marker && !diff && !same && !has_command(&new)).then_some(new)
}

fn unfenced(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n");
    let inner = raw.trim_matches('\n');
    if let Some((first, rest)) = inner.split_once('\n')
        && first.starts_with("```")
        && !first[3..].contains('`')
        && let Some((body, last)) = rest.rsplit_once('\n').or(Some(("", rest)))
        && last.trim_end() == first.trim_end_matches(|c| c != '`')
    {
        return body.to_owned();
    }
    inner.to_owned()
}

/// The replacement with the indentation that the quote lacks: of all its lines, or of the first alone.
fn indented(new: &str, quote: &str, code: &str) -> Option<String> {
    let code: Vec<&str> = code.lines().collect();
    let reading = readings(quote)
        .into_iter()
        .find(|r| r.lines.len() == code.len() && r.lines.iter().zip(&code).all(|(q, c)| q.trim() == c.trim()) && !r.open)?;
    let mut missing = Vec::new();
    for (quoted, line) in reading.lines.iter().zip(&code).filter(|(_, l)| !l.trim().is_empty()) {
        let (had, has) = (indent(quoted), indent(line));
        missing.push(has.strip_suffix(had)?);
    }
    let (first, rest) = missing.split_first()?;
    if rest.iter().all(|m| m == first) {
        let line = |l: &str| if l.trim().is_empty() { l.to_owned() } else { format!("{first}{l}") };
        Some(new.split('\n').map(line).collect::<Vec<_>>().join("\n"))
    } else if rest.iter().all(|m| m.is_empty()) && indent(new) == indent(&reading.lines[0]) {
        Some(format!("{first}{new}"))
    } else {
        None
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn looks_like_diff(text: &str) -> bool {
    let mut lines = text.lines().filter(|l| !l.is_empty()).peekable();
    let header = |l: &str| ["@@ ", "+++ ", "--- ", "diff --git "].iter().any(|h| l.starts_with(h));
    text.lines().any(header) || (text.lines().any(|l| l.starts_with(['+', '-'])) && lines.all(|l| l.starts_with(['+', '-', ' '])))
}

/// Older GitLab runs `/merge` on a line of its own within some code blocks, too.
fn has_command(text: &str) -> bool {
    text.lines().any(|l| {
        let name = l.strip_prefix('/').map(|l| l.split(' ').next().unwrap_or_default());
        name.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(raw: &str, quote: &str, code: &str) -> Option<String> {
        ready(raw, quote, code, &|t| if t.contains("hunter2") { Cow::Owned(t.replace("hunter2", "***")) } else { Cow::Borrowed(t) })
    }

    #[test]
    fn gives_back_the_indentation() {
        let code = "    if a:\n        b()";
        let new = Some("    if c:\n\n        b()".to_owned());
        assert_eq!(get("    if c:\n\n        b()\n", "    if a:\n        b()\n", code), new);
        assert_eq!(get("if c:\n\n    b()", "if a:\n    b()", code), new);
        assert_eq!(get("if c:\n\n        b()", "if a:\n        b()", code), new);
        assert_eq!(get("```python\nif c:\n\n    b()\n```", "if a:\n    b()", code), new);
        // Neither all lines nor the first alone: nobody knows what the replacement's lines need.
        assert_eq!(get("if c:\n b()", "if a:\n b()", code), None);
    }

    #[test]
    fn is_offered_only_when_sure() {
        let offered = |raw: &str| get(raw, "a = 1", "a = 1");
        assert_eq!(offered("a = 2").as_deref(), Some("a = 2"));
        assert_eq!(offered("a = -1\n- b").as_deref(), Some("a = -1\n- b"));
        for raw in [
            "",
            " \n",
            "a = 1",
            "a = 1\n",
            "-a = 1\n+a = 2",
            "@@ -1 +1 @@\n+a = 2",
            "a = \u{202e}2",
            "a = 2\x1b[0m",
            "a = 'hunter2'",
            "a = 2 # <!-- Tribune:x -->",
            "a = 2\n/merge",
            "a = ‹masked:ghp_…›",
        ] {
            assert_eq!(offered(raw), None, "{raw:?}");
        }
        assert_eq!(offered(&"a = 2\n".repeat(61)), None);
        assert_eq!(offered(&"a".repeat(9_000)), None);
    }

    #[test]
    fn a_list_is_no_diff() {
        assert_eq!(get("- a\n- b", "- a", "- a").as_deref(), Some("- a\n- b"));
    }
}
