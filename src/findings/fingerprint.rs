//! How the same defect is known again in another run: by the rule, the code, the symbol around it and which of the
//! symbol's equal pieces of code it is. Never by path, category or line, which change while the defect stays.
//!
//! A fingerprint has 32 hex digits. The first 24 are of SHA-256 over code, symbol and ordinal; the last 8 of SHA-256 over
//! these and the rule's id. So two findings can be compared with the rule left aside when nothing but fingerprints is left of them.

use super::locate::{Fit, Key, hits};
use super::quote::Reading;
use super::words::one_line;
use crate::text::FileText;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const DEFECT_DIGITS: usize = 24;

/// The symbol around some lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosing {
    /// Its name, qualified so far as it is known (`Client::send`).
    pub name: String,
    /// Its first line, 1-based.
    pub start: u32,
    /// Its last line, inclusive.
    pub end: u32,
}

/// The fingerprint of a finding: `rule_id` if it cites a rule, the masked code it is about (white space does not count), the
/// enclosing symbol's name, and the [`ordinal`] among equal pieces of code in that symbol.
pub fn fingerprint(rule_id: Option<&str>, quote: &str, symbol: Option<&str>, ordinal: usize) -> String {
    let defect = digest(&[&one_line(quote), symbol.unwrap_or_default(), &ordinal.to_string()], DEFECT_DIGITS);
    with_rule(&defect, rule_id)
}

/// The same defect's fingerprint when it cites `rule_id`.
pub fn with_rule(fingerprint: &str, rule_id: Option<&str>) -> String {
    let defect = defect(fingerprint);
    format!("{defect}{}", digest(&[defect, rule_id.unwrap_or_default()], 32 - DEFECT_DIGITS))
}

/// Whether two fingerprints are of the same defect, the rule id left aside.
pub fn same_defect(a: &str, b: &str) -> bool {
    a.len() >= DEFECT_DIGITS && defect(a) == defect(b)
}

/// How many pieces of code equal to `quote` (white space ignored) begin before line `start` in the symbol, or in the file
/// where there is none.
pub fn ordinal(text: &FileText, quote: &str, start: u32, symbol: Option<&Enclosing>) -> usize {
    let from = symbol.map_or(1, |s| s.start);
    let reading = Reading { side: None, lines: quote.lines().map(str::to_owned).collect(), open: false };
    let mut before = 0;
    hits(text, &reading, Key::Squeezed, |h| before += usize::from(h.fit == Fit::Equal && h.start >= from && h.start < start));
    before
}

fn defect(fingerprint: &str) -> &str {
    fingerprint.get(..DEFECT_DIGITS).unwrap_or(fingerprint)
}

fn digest(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths first, so that no two lists of parts run together to the same bytes.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut out = String::with_capacity(digits);
    for byte in &hash.finalize()[..digits / 2] {
        write!(out, "{byte:02x}").expect("writing to a string does not fail");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_from_version_to_version() {
        insta::assert_snapshot!(fingerprint(None, "a = 1", Some("f"), 0), @"3ed8c981771d1ad0ac93f683bafbd8c6");
        insta::assert_snapshot!(fingerprint(Some("SEC-PY-003"), "a = 1", Some("f"), 0), @"3ed8c981771d1ad0ac93f6834cc29d6d");
    }

    #[test]
    fn ignores_white_space_and_nothing_else() {
        let one = fingerprint(None, "a = 1\n  b", Some("f"), 0);
        assert_eq!(one, fingerprint(None, "  a = 1\r\n\tb ", Some("f"), 0));
        for other in
            [fingerprint(None, "a = 2\n  b", Some("f"), 0), fingerprint(None, "a = 1\n  b", None, 0), fingerprint(None, "a = 1\n  b", Some("f"), 1)]
        {
            assert!(!same_defect(&one, &other));
        }
    }

    #[test]
    fn compares_with_the_rule_left_aside() {
        let (told, hit) = (fingerprint(None, "x", None, 0), fingerprint(Some("SEC-PY-003"), "x", None, 0));
        assert_ne!(told, hit);
        assert!(same_defect(&told, &hit));
        assert_eq!(with_rule(&told, Some("SEC-PY-003")), hit);
        assert!(!same_defect("", ""));
    }

    #[test]
    fn counts_equal_code_within_the_symbol() {
        let text = FileText::whole(b"x()\nfn f\n  x()\n  y()\n   x( )\n  x() + 1\n  x()\n");
        let f = Enclosing { name: "f".to_owned(), start: 2, end: 7 };
        assert_eq!([3, 5, 7].map(|l| ordinal(&text, "x()", l, Some(&f))), [0, 1, 2]);
        assert_eq!([1, 3, 5, 7].map(|l| ordinal(&text, "x()", l, None)), [0, 1, 2, 3]);
    }
}
