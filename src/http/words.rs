//! What servers say, fit for an error: strangers' text on one clean line, within a bound.

/// One line of a stranger's text: control and formatting characters become blanks, runs of blanks one.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(512));
    for c in text.chars() {
        if c.is_control() || c.is_whitespace() || is_invisible(c) {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Cuts after `max` characters and says so.
pub(crate) fn shorten(mut text: String, max: usize) -> String {
    if let Some((cut, _)) = text.char_indices().nth(max) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// Zero-width and bidirectional controls: they can make a line read as something else.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_becomes_one_clean_line() {
        for (given, line) in
            [("  a\r\n\tb\u{1b}[31mc\u{202e}d\0 ", "a b [31mc d"), ("::error::x\n::add-mask::y", "::error::x ::add-mask::y"), ("\u{200b}\n", "")]
        {
            assert_eq!(one_line(given), line);
        }
        assert_eq!(shorten("äöü".into(), 2), "äö…");
        assert_eq!(shorten("äöü".into(), 3), "äöü");
    }
}
