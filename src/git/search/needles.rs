//! Many fixed strings, looked for at once.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::HashSet;

/// Needles of so many bytes together get the faster automaton.
const MAX_DENSE: usize = 4_000;

/// The strings of one query. Whole words of ASCII, which most are, are found by cutting the text into words; the others by an
/// automaton.
pub(super) struct Needles {
    words: HashSet<Vec<u8>>,
    /// By its first byte: the lengths of the words that begin with it, one bit each (longer than 63: the last).
    lengths: [u64; 256],
    others: Option<AhoCorasick>,
    /// Whether the others count as whole words only.
    word: bool,
}

impl Needles {
    /// One that is empty, or has a line end or a NUL, is in no line of a text and left out. `word`: they count only where they stand
    /// as whole words, between bytes that are none of `A-Z a-z 0-9 _`.
    pub(super) fn new(needles: &[String], word: bool) -> Self {
        let usable = needles.iter().filter(|n| !n.is_empty() && !n.contains(['\n', '\0']));
        let (words, others): (Vec<&String>, Vec<&String>) = usable.partition(|n| word && n.bytes().all(is_word));
        let mut lengths = [0; 256];
        for needle in &words {
            lengths[usize::from(needle.as_bytes()[0])] |= length_bit(needle.len());
        }
        // Where words have to be whole, a match that is none must not hide another one; elsewhere any match will do.
        let kind = if word { MatchKind::Standard } else { MatchKind::LeftmostFirst };
        // The faster automaton takes much room. Looking for rare beginnings first would not pay: many a literal begins with blanks.
        let small = others.iter().map(|n| n.len()).sum::<usize>() <= MAX_DENSE;
        let automaton = if small { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let build = || AhoCorasick::builder().match_kind(kind).kind(Some(automaton)).prefilter(false).build(&others);
        let others = (!others.is_empty()).then(|| build().expect("some hundred needles fit"));
        Self { words: words.into_iter().map(|n| n.as_bytes().to_vec()).collect(), lengths, others, word }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.others.is_none()
    }

    /// Their places in a text.
    pub(super) fn places<'t>(&self, text: &'t [u8]) -> Places<'_, 't> {
        Places { needles: self, text, word: Some(0).filter(|_| !self.words.is_empty()), other: self.others.as_ref().map(|_| 0), begun: false }
    }

    fn find_word(&self, text: &[u8], mut at: usize) -> Option<usize> {
        loop {
            at += text.get(at..)?.iter().position(|b| WORD[usize::from(*b)])?;
            let length = text[at..].iter().position(|b| !WORD[usize::from(*b)]).unwrap_or(text.len() - at);
            if self.lengths[usize::from(text[at])] & length_bit(length) != 0 && self.words.contains(&text[at..at + length]) {
                return Some(at);
            }
            at += length;
        }
    }

    fn find_other(&self, others: &AhoCorasick, text: &[u8], at: usize) -> Option<usize> {
        if !self.word {
            return others.find(&text[at..]).map(|found| at + found.start());
        }
        let whole = |start: usize, end: usize| !text[..start].last().is_some_and(|b| is_word(*b)) && !text.get(end).is_some_and(|b| is_word(*b));
        let found = others.find_overlapping_iter(&text[at..]).map(|m| (at + m.start(), at + m.end())).filter(|(start, end)| whole(*start, *end));
        // They come by their ends; on one line any of them will do.
        found.map(|(start, _)| start).next()
    }
}

/// A walk over a text.
pub(super) struct Places<'n, 't> {
    needles: &'n Needles,
    text: &'t [u8],
    /// Where the next one of each kind begins, once `begun`; `None`: there is none left.
    word: Option<usize>,
    other: Option<usize>,
    begun: bool,
}

impl Places<'_, '_> {
    /// Where the first needle at or after `at` begins; `at` never goes back and does not lie inside of a word.
    pub(super) fn next_from(&mut self, at: usize) -> Option<usize> {
        let (needles, begun) = (self.needles, self.begun);
        let stale = |place: usize| !begun || place < at;
        if self.word.is_some_and(stale) {
            self.word = needles.find_word(self.text, at);
        }
        if self.other.is_some_and(stale) {
            self.other = needles.others.as_ref().and_then(|others| needles.find_other(others, self.text, at));
        }
        self.begun = true;
        self.word.into_iter().chain(self.other).min()
    }
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// The bytes that words consist of.
static WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

fn is_word(byte: u8) -> bool {
    WORD[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every place by hand.
    fn plain(needles: &[String], word: bool, text: &str) -> Vec<usize> {
        let edge = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let stands = |line: &str| {
            needles.iter().filter(|n| !n.is_empty()).any(|n| {
                line.char_indices().any(|(at, _)| {
                    line[at..].starts_with(n.as_str())
                        && (!word || (edge(line[..at].chars().next_back()) && edge(line[at + n.len()..].chars().next())))
                })
            })
        };
        text.split('\n').enumerate().filter(|(_, line)| stands(line)).map(|(i, _)| i).collect()
    }

    fn found(needles: &[String], word: bool, text: &str) -> Vec<usize> {
        let searched = Needles::new(needles, word);
        let mut places = searched.places(text.as_bytes());
        let (mut at, mut lines) = (0, Vec::new());
        while let Some(start) = places.next_from(at) {
            lines.push(text[..start].matches('\n').count());
            at = text[start..].find('\n').map_or(text.len(), |i| start + i);
        }
        lines
    }

    #[test]
    fn words_are_whole_and_other_texts_are_not() {
        let all = |needles: &[&str], word| found(&needles.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>(), word, "ab abc\nxab\na.b ab_\nä ab\n");
        assert_eq!(all(&["ab"], true), [0, 3]);
        assert_eq!(all(&["ab"], false), [0, 1, 2, 3]);
        assert_eq!(all(&["a.b", "ä"], true), [2, 3]);
        assert_eq!((all(&["", "b\n", "\0"], false), all(&[], true)), (vec![], vec![]));
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(needles in prop::collection::vec("[ab_.ä]{0,3}", 0..5), word: bool, text in "[ab_. ä\n]{0,60}") {
            prop_assert_eq!(found(&needles, word, &text), plain(&needles, word, &text));
        }
    }
}
