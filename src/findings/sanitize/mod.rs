//! The one way out for text that strangers or models wrote (TRUST 7): to a forge, a file or a terminal. It changes how text
//! is shown, never what it says, and nothing it lets through can act: no quick action, mention, reference, link, image, raw HTML,
//! terminal or CI log command. All functions are linear, and doing them twice changes nothing.
//!
//! What could act is shown as a code span: forges look for mentions and links in the rendered text, where a backslash
//! has already gone, but never in code.

mod blocks;
mod danger;
mod inline;

use super::words::visible;
use crate::secrets;
use std::borrow::Cow;

/// A longer run of backticks would need a fence that some renderers (cmark: 255) no longer take for one.
const MAX_FENCE: usize = 60;

/// What is done first, everywhere: what cannot be seen goes, and secrets are masked. In this order, so that an invisible
/// character cannot break a secret in two.
fn clean(text: &str) -> Cow<'_, str> {
    match visible(text) {
        Cow::Borrowed(text) => secrets::mask(text),
        Cow::Owned(text) => Cow::Owned(secrets::mask(&text).into_owned()),
    }
}

/// A body for Markdown. Plain text, bold, code, lists and paragraphs stay; headings become bold; everything else is shown as it
/// was written. Ends without a line end. Code stays as it is, except that `/word` at the start of a line gets a space before it
/// (older GitLab runs quick actions in some code blocks).
pub fn markdown(text: &str) -> String {
    blocks::markdown(&clean(text))
}

/// A title or other single line for Markdown, wherever it stands in a line. Code spans stay.
pub fn inline(text: &str) -> String {
    inline::line(&super::words::one_line(&clean(text)))
}

/// `text` as a Markdown code span, verbatim but for line ends. The right way to show a path.
pub fn code_span(text: &str) -> String {
    inline::code_span(&clean(text).replace('\n', " "))
}

/// Code in a Markdown fence longer than any inside it, ending with a line end. `lang` is the info string, ours
/// (`rust`, `suggestion:-0+2`); what cannot be one is left out. See [`markdown`] for the one thing that is changed, outside of suggestions.
pub fn code_fence(code: &str, lang: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_' | '#' | '.' | ':');
    let lang: String = lang.chars().filter(|c| allowed(*c)).take(40).collect();
    blocks::fence(&clean(code), &lang)
}

/// Text for a terminal or log, several lines if it has them. No control characters but `\n` and `\t`, and nothing that a CI
/// runner takes for a command: `::name::` after white space, or `##[name]` anywhere.
pub fn terminal(text: &str) -> String {
    no_commands(&clean(text))
}

/// `text` in which no CI runner finds a command.
pub(crate) fn no_commands(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        // The runner trims a line before it looks, so only something between the colons helps.
        let rest = line.trim_start();
        out.push_str(&line[..line.len() - rest.len()]);
        let rest = match rest.strip_prefix("::") {
            Some(rest) => {
                out.push_str(": :");
                rest
            }
            None => rest,
        };
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

/// `code` in which no run of backticks is longer than `max`, and no marker of ours begins.
fn tame(code: &str, max: usize) -> String {
    let mut out = String::with_capacity(code.len());
    let mut run = 0;
    for c in code.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        out.push(if run > max { '\'' } else { c });
    }
    let mut from = 0;
    while let Some(at) = out[from..].find("<!--").map(|i| from + i) {
        from = at + 4;
        let word = out[from..].trim_start();
        if word.as_bytes().get(..7).is_some_and(|w| w.eq_ignore_ascii_case(b"tribune")) {
            out.insert(at + 2, ' ');
        }
    }
    out
}

fn longest_run(code: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in code.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests;
