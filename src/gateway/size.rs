//! How many tokens a request can be at most, whatever tokenizer its model has. It is a bound to reserve money by, not an
//! estimate to show: ordinary code has about half as many.
//!
//! Bytes / 4 is no bound: measured on o200k, cl100k, Gemma's, Claude 2's and Llama's tokenizers, lock files have twice as
//! many tokens, base64 and Chinese three times, and rare scripts one for each byte. So what tokenizers know (words, one
//! mark of punctuation after the other) is counted by its pieces, and what they do not know by its bytes.

/// Tokens that no text of ours accounts for: what providers tell a model about tools and roles.
const HIDDEN: u64 = 1_000;
/// Letters and digits in one run of so many are no word: base64, digests, minified names.
const LONG_RUN: usize = 24;
/// From fewer words nothing is learnt: what is hidden would count for too much.
const ENOUGH_WORDS: u64 = 4_000;
/// Tokens for each letter of a word, in tenths: gibberish of short words has 5.7 of ten letters at the most.
const TENTHS_PER_LETTER: u64 = 6;

/// A body's size in pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Of words, punctuation and white space: how many tokens it really makes depends on the tokenizer, and can be learnt.
    words: u64,
    /// Bytes of everything else, each of which can be a token of its own.
    dense: u64,
}

impl Size {
    /// Measures a body: JSON, whose own marks are counted as if they were text.
    pub(crate) fn of(body: &[u8]) -> Self {
        let mut size = Self::default();
        let mut rest = body;
        while let Some(first) = rest.first() {
            let same = |test: fn(&u8) -> bool| rest.iter().position(|b| !test(b)).unwrap_or(rest.len());
            let length = match first {
                b if b.is_ascii_alphanumeric() => same(u8::is_ascii_alphanumeric),
                b' ' => same(|b| *b == b' '),
                _ => 1,
            };
            let (run, after) = rest.split_at(length);
            match first {
                b if !b.is_ascii() => size.dense += 1,
                b if b.is_ascii_alphanumeric() && length >= LONG_RUN => size.dense += length as u64,
                b if b.is_ascii_alphanumeric() => size.add_words(run),
                // One blank belongs to the word after it.
                b' ' if length == 1 && after.first().is_some_and(u8::is_ascii_alphabetic) => {}
                b' ' => size.words += 1 + length as u64 / 16,
                _ => size.words += 1,
            }
            rest = after;
        }
        size
    }

    /// Letters and digits without a break: each digit counts, and each hump of `camelCase` is a word.
    fn add_words(&mut self, run: &[u8]) {
        let mut letters = 0;
        for (i, byte) in run.iter().enumerate() {
            let hump = byte.is_ascii_uppercase() && i > 0 && run[i - 1].is_ascii_lowercase();
            if byte.is_ascii_digit() || hump {
                self.words += (letters * TENTHS_PER_LETTER).div_ceil(10);
                letters = 0;
            }
            if byte.is_ascii_digit() {
                self.dense += 1;
            } else {
                letters += 1;
            }
        }
        self.words += (letters * TENTHS_PER_LETTER).div_ceil(10);
    }

    /// The most tokens it can be, where `factor` of its words are tokens.
    pub(crate) fn at_most(self, factor: f64) -> u64 {
        let words = (self.words as f64 * factor).ceil() as u64;
        words.saturating_add(self.dense).saturating_add(HIDDEN)
    }

    /// The factor that a counted request shows, all its tokens reckoned to its words. `None` where it shows none.
    pub(crate) fn factor(self, input_tokens: u64) -> Option<f64> {
        let tells = self.words >= ENOUGH_WORDS || (self.words > 0 && input_tokens > self.at_most(1.0));
        tells.then(|| input_tokens as f64 / self.words as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> (u64, u64) {
        let size = Size::of(text.as_bytes());
        (size.words, size.dense)
    }

    #[test]
    fn counts_words_by_pieces_and_the_rest_by_bytes() {
        for (text, words, dense) in [
            ("", 0, 0),
            ("a", 1, 0),
            ("return value", 4 + 3, 0),
            ("readFileSync", 3 + 3 + 3, 0),
            ("let x1 = 10;", 2 + 1 + 1 + 1 + 1 + 1, 3),
            ("        x", 1 + 1, 0),
            ("1 2 3", 2, 3),
            ("a\n\n\tb", 5, 0),
            ("{\"a\":[]}", 8, 0),
            ("价格", 0, 6),
            ("é", 0, 2),
            ("3f786850e387550fdab836ed7e6dc881de23001b", 0, 40),
            ("IntegrationTestsOfEverything", 0, 28),
        ] {
            assert_eq!(size(text), (words, dense), "{text:?}");
        }
    }

    /// Token counts of real tokenizers (o200k, cl100k, Gemma, Claude 2, Llama 2), the largest of the five each.
    #[test]
    fn is_a_bound_for_real_tokenizers() {
        for (text, most) in [
            ("fn main() {\n    println!(\"{}\", total);\n}\n", 15),
            ("本页提供模型和功能的详细定价信息。", 26),
            ("aGVsbG8gd29ybGQsIHRoaXMgaXMgYmFzZTY0IG9mIGEgc2VudGVuY2U=", 46),
            ("3f786850e387550fdab836ed7e6dc881de23001b", 36),
            ("for(var e=0;e<t.length;e++){n+=t[e]}return n", 23),
        ] {
            assert!(Size::of(text.as_bytes()).at_most(1.0) - HIDDEN >= most, "{text}: {:?}", size(text));
        }
    }

    #[test]
    fn a_factor_is_learnt_of_words_only() {
        let line = "let total = values.iter().sum();\n";
        assert_eq!(Size::of(line.as_bytes()).factor(8), None, "too few words to tell");
        assert!(Size::of(line.as_bytes()).factor(5_000).is_some_and(|f| f > 100.0), "denser than can be");
        let code = Size::of(line.repeat(1_000).as_bytes());
        let factor = code.factor(code.words * 2 / 5).expect("it has words");
        assert!((factor - 0.4).abs() < 0.01, "{factor}");
        assert_eq!(code.at_most(0.5), code.words / 2 + HIDDEN);
        assert_eq!(Size::of("价格".as_bytes()).at_most(0.1), 6 + HIDDEN);
        assert_eq!(Size::of("价格".as_bytes()).factor(6), None);
    }
}
