//! Strangers' text made plain, and made short: for machines' formats, and before a format of ours escapes it.
//! Nothing here knows Markdown, terminals or forges.

use super::clean;
use std::io;
use unicode_width::UnicodeWidthChar;

/// `text` as it is, without control characters but `\n` and `\t`. For formats whose reader gets the text itself.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

/// One line without control characters, white space folded.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in plain(text).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// One line for a terminal or log.
pub(crate) fn log_line(text: &str) -> String {
    clean::terminal(&one_line(text))
}

/// At most `max` characters; what is longer is cut after a word and ends with `…`.
pub(super) fn cut_chars(text: &str, max: usize) -> String {
    if text.char_indices().nth(max).is_none() {
        return text.to_owned();
    }
    let room = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(i, _)| i);
    let word = text[..room].rfind(char::is_whitespace).filter(|i| *i >= room / 2).unwrap_or(room);
    format!("{}…", text[..word].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '.')))
}

/// At most `max` words, whole sentences where at least one fits, else cut after a word with `…`. Two characters of a script
/// without spaces (all that are two columns wide) count as a word.
pub(super) fn cut_words(text: &str, max: usize) -> String {
    let text = text.trim();
    let mut halves = 0;
    let mut in_word = false;
    let mut sentence = None;
    let mut word = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let wide = c.width() == Some(2);
        if c.is_whitespace() {
            in_word = false;
        } else if wide {
            halves += 1;
            in_word = false;
        } else if !in_word {
            // A full stop after a wide character starts no word of its own.
            halves += if c.is_alphanumeric() || !c.is_ascii_punctuation() { 2 } else { 0 };
            in_word = c.is_alphanumeric() || !c.is_ascii_punctuation();
        }
        if halves > 2 * max {
            return match sentence {
                Some(end) => text[..end].to_owned(),
                None => format!("{}…", text[..word].trim_end_matches([' ', ',', ';', ':', '.'])),
            };
        }
        let next = chars.peek().map(|(_, c)| *c);
        let end = i + c.len_utf8();
        if next.is_none_or(char::is_whitespace) || wide {
            word = end;
        }
        if matches!(c, '。' | '！' | '？') || (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace)) {
            sentence = Some(end);
        }
    }
    text.to_owned()
}

/// How many words [`cut_words`] counts.
#[cfg(test)]
pub(super) fn words(text: &str) -> usize {
    (0..).find(|n| cut_words(text, *n) == text.trim()).unwrap_or_default()
}

/// Writes a JSON document, indented. `##[` inside of it is no command to a CI runner that copies it into a log.
pub(super) fn write_json(value: &impl serde::Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    writeln!(out, "{}", text.replace("##", "#\\u0023"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_machines_need_verbatim() {
        assert_eq!(plain("::a\tb\r\n\x1b[1mc\u{85}"), "::a\tb\n[1mc");
        assert_eq!(one_line("  a\n\n b\tc\r"), "a b c");
        assert_eq!(log_line("\n::error::x"), ": :error::x");
    }

    #[test]
    fn cuts_characters_after_a_word() {
        assert_eq!(cut_chars("short", 5), "short");
        assert_eq!(cut_chars("one two, three", 10), "one two…");
        assert_eq!(cut_chars("abcdefghij", 5), "abcd…");
        assert_eq!(cut_chars("日本語の題名", 4), "日本語…");
    }

    #[test]
    fn cuts_words_at_a_sentence() {
        assert_eq!(cut_words("One two. Three four. Five", 4), "One two. Three four.");
        assert_eq!(cut_words("One two. Three four. Five", 3), "One two.");
        assert_eq!(cut_words("One two, three four.", 2), "One two…");
        assert_eq!(cut_words("Version 1.2.3 is old. It", 4), "Version 1.2.3 is old.");
        assert_eq!(cut_words("空の入力で落ちる。次の文です。", 5), "空の入力で落ちる。");
        assert_eq!(cut_words("空の入力で落ちる", 2), "空の入力…");
        assert_eq!((words("a b - c"), words("")), (3, 0));
    }

    #[test]
    fn json_holds_no_log_command() {
        let mut out = Vec::new();
        write_json(&"##[error]x", &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(text, "\"#\\u0023[error]x\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).expect("it is still JSON"), "##[error]x");
    }
}
