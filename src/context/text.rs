//! Small helpers for pieces of text.

/// `text` cut to at most `bytes` bytes, at a character's border.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The start of a text with all runs of white space folded to one space, none at its ends. Reads at most 4,000 bytes.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::new();
    for word in cut(text, 4_000).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Like [`cut`], with `…` where something is missing.
pub(super) fn shorten(text: &str, bytes: usize) -> String {
    if text.len() <= bytes { text.to_owned() } else { format!("{}…", cut(text, bytes).trim_end()) }
}
