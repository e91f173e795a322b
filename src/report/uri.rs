//! Paths and addresses as machines' formats want them.

use crate::path::RepoPath;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A path as a relative URI reference: every byte but letters, digits, `-._~` and `/` percent-encoded, so that any name round-trips
/// and none can be read as a scheme or a query.
pub(crate) fn relative(path: &RepoPath) -> String {
    encode(path.as_bytes(), |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/'))
}

/// An address of the organisation's own (a rule's `url`) for a link: http or https only, and nothing in it that could end the
/// link in Markdown, HTML or a log.
pub(super) fn link(url: &str) -> Option<String> {
    let url = url.trim();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || url.len() > 2_000 {
        return None;
    }
    Some(encode(url.as_bytes(), |b| b.is_ascii_alphanumeric() || b"-._~/:?#@!$&*+,;=%".contains(&b)))
}

fn encode(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for b in bytes {
        if keep(*b) {
            out.push(char::from(*b));
        } else {
            out.extend(['%', char::from(HEX[usize::from(b >> 4)]), char::from(HEX[usize::from(b & 15)])]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_relative_uri() {
        assert_eq!(relative(&RepoPath::from("src/a b#1.rs")), "src/a%20b%231.rs");
        assert_eq!(relative(&RepoPath::new(b"c:\\x\n\xe9".to_vec())), "c%3A%5Cx%0A%E9");
    }

    #[test]
    fn links_lead_to_the_web_only_and_cannot_break_out() {
        assert_eq!(link("https://x.org/a_(b)?q=1#c").as_deref(), Some("https://x.org/a_%28b%29?q=1#c"));
        assert_eq!(link("https://x.org/\n[y](z)<b>").as_deref(), Some("https://x.org/%0A%5By%5D%28z%29%3Cb%3E"));
        for bad in ["javascript:alert(1)", "https://", "/relative", "ftp://x.org"] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }
}
