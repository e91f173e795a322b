//! Finds secrets in text and masks them: the shapes of known tokens ([`shapes`]), random values that a name
//! gives away ([`assigned`]), private keys ([`pem`]). One pass finds the keywords of all of them, so clean text costs next
//! to nothing. It prefers to miss a weak password over shouting at a test value, and never shows more than a secret's first characters.
//!
//! Mask whole files before cutting lines out of them: a private key is known by its first line.

mod assigned;
mod pem;
mod random;
mod shapes;

#[cfg(test)]
mod tests;

use crate::rules::TouchedLines;
use crate::text::FileText;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use shapes::SHAPES;
use std::borrow::Cow;
use std::sync::LazyLock;

/// A secret on a touched line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHit {
    /// Its line, 1-based. Of a private key the first touched one.
    pub line: u32,
    /// What it is, such as `GitHub personal access token`.
    pub kind: &'static str,
    /// At most its first four characters, and `…`.
    pub shown: String,
}

/// Compiles the tables, for which the first text would have to wait otherwise.
pub fn compile() {
    LazyLock::force(&KEYWORDS);
}

/// Puts `‹masked:abcd…›` in place of every secret, `abcd` being its first characters. What stands around it and the
/// number of lines stay as they are; masking again changes nothing; time is linear in the text.
pub fn mask(text: &str) -> Cow<'_, str> {
    let spans = find(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        out.push_str(&text[done..span.from]);
        out.push_str("‹masked:");
        out.push_str(span.first(text));
        out.push_str("…›");
        done = span.to;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// The secrets on touched lines, in order. Less than [`mask`] masks: not JSON web tokens and not simple passwords in URLs.
pub fn scan(text: &FileText, touched: &TouchedLines) -> Vec<SecretHit> {
    let mut hits = Vec::new();
    let mut told = None;
    for span in find(text.as_str()) {
        let line = text.line_at(span.from);
        if span.quiet || told == Some(span.whole) || !touched.any_in(line, line) {
            continue;
        }
        told = Some(span.whole);
        hits.push(SecretHit { line, kind: span.kind, shown: format!("{}…", span.first(text.as_str())) });
    }
    hits
}

/// A secret's place. It never holds a line end, and its bytes are ASCII.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
    kind: &'static str,
    /// Masked, but not told.
    quiet: bool,
    /// Of overlapping ones the first in this order says what it is.
    rank: u8,
    /// Where the whole secret begins of which this is one line.
    whole: usize,
}

impl Span {
    fn first<'t>(&self, text: &'t str) -> &'t str {
        let shown = ((self.to - self.from) / 4).min(4);
        &text[self.from..self.from + shown]
    }
}

/// What a keyword announces.
#[derive(Debug, Clone, Copy)]
enum Keyword {
    Shape(usize),
    Name,
    Url,
    Header(&'static str),
    Pem,
}

struct Keywords {
    automaton: AhoCorasick,
    meanings: Vec<Keyword>,
}

static KEYWORDS: LazyLock<Keywords> = LazyLock::new(|| {
    let mut words: Vec<String> = SHAPES.iter().map(|s| s.prefix.to_owned()).collect();
    let mut meanings: Vec<Keyword> = (0..SHAPES.len()).map(Keyword::Shape).collect();
    for name in assigned::spellings() {
        words.push(name);
        meanings.push(Keyword::Name);
    }
    for (word, meaning) in [
        ("://", Keyword::Url),
        ("Bearer ", Keyword::Header("bearer token")),
        ("bearer ", Keyword::Header("bearer token")),
        ("Basic ", Keyword::Header("basic authentication")),
        ("-----BEGIN ", Keyword::Pem),
    ] {
        words.push(word.to_owned());
        meanings.push(meaning);
    }
    let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&words).expect("a few hundred short words");
    Keywords { automaton, meanings }
});

/// How files begin that hold made-up values by nature: descriptions of an API, recorded conversations of tests.
const MADE_OF_SAMPLES: [&str; 5] = ["openapi:", "swagger:", "\"openapi\":", "\"swagger\":", "http_interactions:"];

/// Whether a text holds samples by nature. Values that only their name gives away are masked there, but not told; tokens of a
/// known shape are told everywhere.
fn holds_samples(text: &str) -> bool {
    text.lines().take(5).any(|line| MADE_OF_SAMPLES.iter().any(|mark| line.trim_start().trim_start_matches('{').trim_start().starts_with(mark)))
}

/// All secrets of a text, by place, none overlapping.
fn find(text: &str) -> Vec<Span> {
    let samples = holds_samples(text);
    let mut spans: Vec<Span> = Vec::new();
    let mut add = |from: usize, to: usize, kind, quiet, rank, whole| spans.push(Span { from, to, kind, quiet, rank, whole });
    // A token can be made of prefixes: one that lies in another is not looked at again.
    let mut covered = 0;
    for found in KEYWORDS.automaton.find_overlapping_iter(text) {
        match KEYWORDS.meanings[found.pattern().as_usize()] {
            Keyword::Shape(_) if found.start() < covered => {}
            Keyword::Shape(i) => {
                if let Some((from, to)) = shapes::token(text, found.start(), &SHAPES[i]) {
                    covered = to;
                    add(from, to, SHAPES[i].kind, SHAPES[i].quiet, 0, from);
                }
            }
            Keyword::Name => {
                if let Some((from, to)) = assigned::assigned(text, found.start(), found.end()) {
                    add(from, to, "secret assigned to a name", samples, 2, from);
                }
            }
            Keyword::Url => {
                if let Some((from, to, sure)) = assigned::url_password(text, found.end()) {
                    add(from, to, "password in a URL", !sure, 1, from);
                }
            }
            Keyword::Header(kind) => {
                if let Some((from, to)) = assigned::header_value(text, found.end()) {
                    add(from, to, kind, false, 1, from);
                }
            }
            Keyword::Pem => {
                for (from, to) in pem::body_lines(text, found.end()) {
                    add(from, to, "private key", false, 0, found.start());
                }
            }
        }
    }
    merge(spans)
}

fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|s| (s.from, s.rank, s.to));
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.from < last.to => {
                let to = last.to.max(span.to);
                if span.rank < last.rank {
                    *last = Span { from: last.from, ..span };
                }
                last.to = to;
            }
            _ => out.push(span),
        }
    }
    out
}
