//! A stranger's prose made short: one line, so many characters, cut where a reader expects it.

use crate::path::is_invisible;
use std::borrow::Cow;

/// `text` without control characters (but `\n` and `\t`) and without zero-width and bidirectional ones; line ends are `\n`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let line_end = |c: char| matches!(c, '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let odd = |c: char| line_end(c) || (c.is_control() && c != '\n' && c != '\t') || is_invisible(c);
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
        } else if line_end(c) {
            out.push('\n');
        } else if !odd(c) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// All runs of white space folded to one space, none at the ends.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// At most `max` characters; what is longer is cut after a word (or within one that is very long) and ends with `…`.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else {
        return text.to_owned();
    };
    let room = text.char_indices().nth(max.saturating_sub(1)).map_or(end, |(i, _)| i);
    let word = text[..end].rfind(char::is_whitespace).filter(|i| *i >= room / 2).unwrap_or(room);
    format!("{}…", text[..word].trim_end().trim_end_matches([',', ';', ':', '.']))
}

/// At most `max` bytes, ending at a character's border.
pub(crate) fn cut_bytes(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The first sentence, on one line: up to a full stop that a space follows, or up to an empty line.
pub(crate) fn first_sentence(text: &str) -> String {
    let paragraph = one_line(text.trim().split("\n\n").next().unwrap_or_default());
    let end = paragraph.find(". ").or_else(|| paragraph.find('。')).unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_after_a_word() {
        assert_eq!(cut("one two three", 13), "one two three");
        assert_eq!(cut("one two three", 12), "one two…");
        assert_eq!(cut("one, two", 5), "one…");
        assert_eq!(cut("onetwothreefour", 6), "onetw…");
        assert_eq!(cut("日本語のテキスト", 4), "日本語…");
        for max in 1..12 {
            assert!(cut("aé — ünï cödé", max).chars().count() <= max, "{max}");
        }
    }

    #[test]
    fn finds_the_first_sentence() {
        assert_eq!(first_sentence("  The a.b call\nfails. Then more."), "The a.b call fails");
        assert_eq!(first_sentence("No end\n\nsecond"), "No end");
    }

    #[test]
    fn shows_only_what_can_be_seen() {
        assert_eq!(visible("a\r\nb\rc\u{2028}d\u{202e}\u{200b}\x1b[0m\te\0"), "a\nb\nc\nd[0m\te");
    }
}
