//! Private keys in PEM: the lines between `-----BEGIN … PRIVATE KEY-----` and its end, one by one, so
//! that the text keeps its lines.

use super::random::{entropy, is_made_up};
use super::shapes::Body;

/// A key's armour takes less than this; what follows later is not looked at.
const MAX_KEY: usize = 64 << 10;

/// The encoded lines of the private key whose `-----BEGIN ` ends at byte `at`. Empty where it is no private key, or
/// only the words (in code that reads keys, or with a placeholder for its contents).
pub(super) fn body_lines(text: &str, at: usize) -> Vec<(usize, usize)> {
    let header = text.as_bytes()[at..].iter().take(64).take_while(|b| b.is_ascii_uppercase() || **b == b' ').count();
    let label = &text[at..at + header];
    let mut pos = at + header;
    if !(label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK")) || !text[pos..].starts_with("-----") {
        return Vec::new();
    }
    pos += 5;
    let mut end = text.len().min(pos + MAX_KEY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut lines = Vec::new();
    for line in text[pos..end].split_inclusive('\n') {
        let stop = line.find("-----");
        let content = &line[..stop.unwrap_or(line.len())];
        match encoded(content) {
            Some((from, to)) => {
                // The first line tells whether this is a key at all.
                let first = &content[from..to];
                if lines.is_empty() && (to - from < 32 || is_made_up(first) || entropy(first) < 3.5) {
                    return lines;
                }
                lines.push((pos + from, pos + to));
            }
            None if content.trim().trim_matches(['"', '\'', '`', '+', '|', '\\', 'n', ',']).trim().is_empty() || is_header(content) => {}
            None => return lines,
        }
        if stop.is_some() {
            return lines;
        }
        pos += line.len();
    }
    lines
}

/// Where a line's encoded bytes stand, indentation, quotes, a diff's `+` and written-out line ends left aside.
fn encoded(line: &str) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let mut from = bytes.iter().position(u8::is_ascii_alphanumeric)?;
    let mut to = bytes.iter().rposition(|b| Body::Base64.has(*b))? + 1;
    while to - from >= 2 && bytes[from..to].ends_with(b"n") && bytes[..to].ends_with(b"\\n") {
        to -= 2;
    }
    while from < to && from > 0 && bytes[from - 1] == b'\\' {
        from += 1;
        from += bytes[from..to].iter().position(u8::is_ascii_alphanumeric)?;
    }
    let inner = bytes.get(from..to).filter(|b| !b.is_empty())?;
    inner.iter().all(|b| Body::Base64.has(*b) || *b == b'\\').then_some((from, to))
}

fn is_header(line: &str) -> bool {
    ["Proc-Type:", "DEK-Info:", "Version:", "Comment:"].iter().any(|h| line.contains(h))
}
