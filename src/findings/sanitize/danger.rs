//! Which words a forge would act on. In doubt a word is one: the price is that it is shown as code.

/// Whether a word (text without white space, as it will be read after escapes) could notify, link or command.
pub(super) fn acts(word: &str) -> bool {
    reference(word) || command(word) || key(word) || bracketed(word) || link(word)
}

/// `@name`, `#1`, `!1`, `$1`, `%v1`, `~label`, `&1` of the forges, and HTML entities, which would hide one.
fn reference(word: &str) -> bool {
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        if matches!(c, '@' | '#' | '!' | '$' | '%' | '~' | '&')
            // A mail address is linked even where it is none (`a@.b`).
            && chars.peek().is_some_and(|n| c == '@' || n.is_alphanumeric() || !n.is_ascii() || matches!(n, '_' | '"') || (c == '&' && *n == '#'))
        {
            return true;
        }
    }
    false
}

/// `/merge`, perhaps behind punctuation.
fn command(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '/');
    word.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// `GH-12`, `PROJ-7`: issues of the forge or of a tracker that it writes to.
fn key(word: &str) -> bool {
    let bytes = word.as_bytes();
    let mut from = None;
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'A'..=b'Z' if from.is_none() && (i == 0 || !bytes[i - 1].is_ascii_alphanumeric()) => from = Some(i),
            b'A'..=b'Z' | b'0'..=b'9' | b'_' => {}
            b'-' if from.is_some_and(|f| i - f >= 2) && bytes.get(i + 1).is_some_and(u8::is_ascii_digit) => return true,
            _ => from = None,
        }
    }
    false
}

/// `[issue:1]`, `*iteration:1`, `[[page]]` of GitLab.
fn bracketed(word: &str) -> bool {
    let page = word.find("[[").is_some_and(|i| !word[i..].trim_start_matches('[').is_empty());
    if page || word.contains("iteration:") {
        return true;
    }
    let mut open = false;
    for b in word.bytes() {
        match b {
            b'[' => open = true,
            b':' if open => return true,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {}
            _ => open = false,
        }
    }
    false
}

/// What is linked without being asked to.
fn link(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    ["://", "www.", "mailto:", "xmpp:"].iter().any(|p| lower.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_forges_act_on() {
        for word in [
            "@alice",
            "(@alice)",
            "a@b.c",
            "a@.b",
            "#12",
            "owner/repo#1",
            "!12",
            "repo!12",
            "$12",
            "%v1.0",
            "%\"v",
            "~bug",
            "~\"two",
            "&12",
            "&#64;x",
            "&commat;x",
            "/merge",
            "(/merge",
            "GH-12",
            "(PROJ-7)",
            "xGH-/GH-1",
            "[issue:1]",
            "[vulnerability:1/2]",
            "*iteration:3",
            "[[Page]]",
            "https://a.b",
            "ftp://a",
            "WWW.a.b",
            "mailto:a",
            "group/project@sha",
            "user#1",
            "#1+",
        ] {
            assert!(acts(word), "{word}");
        }
        for word in ["a", "and/or", "src/a.rs", "50%", "a!=b", "&&", "#", "~", "$", "x-1", "U-1", "[a]", "a:b", "C#", "//", "/", "/*", "e.g."] {
            assert!(!acts(word), "{word}");
        }
    }
}
