//! Finds lines in a file, in linear time whatever file and quote are. It knows nothing of changes and sides.

use super::quote::Reading;
use crate::path::is_invisible;
use crate::text::FileText;
use std::borrow::Cow;
use std::collections::HashMap;

/// A quote that is only a part of its lines has to have so many characters that are not white space.
pub(super) const SOLID: usize = 8;

/// How lines are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// As they are shown to models: without invisible characters, control characters escaped.
    Shown,
    /// The same, all white space ignored and blank lines skipped.
    Squeezed,
}

/// How much of the lines a quote covers; the better, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The lines as they are.
    Equal,
    /// All but white space at the quote's ends.
    Trimmed,
    /// A part of the first or last line.
    Part,
}

/// A place where a quote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) fit: Fit,
}

/// Tells `each` every place of `text` where the quote stands, in order.
pub(super) fn hits(text: &FileText, quote: &Reading, key: Key, mut each: impl FnMut(Hit)) {
    let lines: Vec<Cow<'_, str>> = quote.lines.iter().map(|l| key.of(l)).filter(|l| key == Key::Shown || !l.is_empty()).collect();
    let numbers: Vec<u32> = match key {
        Key::Shown => (1..=text.line_count()).collect(),
        Key::Squeezed => text.lines().filter(|(_, l)| !l.trim().is_empty()).map(|(n, _)| n).collect(),
    };
    let line = |i: usize| key.of(text.line(numbers[i]).expect("numbers are of this text"));
    let solid = lines.iter().flat_map(|l| l.chars()).filter(|c| !c.is_whitespace()).take(SOLID).count() == SOLID;
    let parts = Parts { solid, open: quote.open, words: key == Key::Shown };
    match lines.as_slice() {
        [] => {}
        [only] => {
            for (i, number) in numbers.iter().enumerate() {
                if let Some(fit) = parts.single(&line(i), only) {
                    each(Hit { start: *number, end: *number, fit });
                }
            }
        }
        [first, middle @ .., last] => {
            // In a patch's sparse text, and where blank lines are skipped, neighbours can be far apart.
            let widest = u32::try_from(2 * quote.lines.len() + 10).unwrap_or(u32::MAX);
            for at in runs(numbers.len(), line, middle) {
                let (Some(from), to) = (at.checked_sub(1), at + middle.len()) else { continue };
                let Some((start, end)) = numbers.get(from).copied().zip(numbers.get(to).copied()) else { continue };
                if end - start < widest
                    && let Some(a) = parts.first(&line(from), first)
                    && let Some(b) = parts.last(&line(to), last)
                {
                    each(Hit { start, end, fit: a.max(b) });
                }
            }
        }
    }
}

/// What lets a quote be a part of its first or last line.
#[derive(Clone, Copy)]
struct Parts {
    /// It is long enough.
    solid: bool,
    /// Its last line goes on in the file.
    open: bool,
    /// It must not cut through a word. (Without white space nobody can tell.)
    words: bool,
}

impl Parts {
    fn single(self, line: &str, quote: &str) -> Option<Fit> {
        if line == quote && !self.open {
            return Some(Fit::Equal);
        }
        let (whole, quote) = (line.trim(), quote.trim());
        if whole == quote && !self.open {
            return Some(Fit::Trimmed);
        }
        let within = |(i, _): (usize, &str)| self.apart(&whole[..i], quote) && self.apart(quote, &whole[i + quote.len()..]);
        // A search costs the quote's length, even where it is longer than the line.
        let inside = self.solid && quote.len() < whole.len() && whole.match_indices(quote).any(within);
        let part = inside || (self.open && whole.starts_with(quote));
        part.then_some(Fit::Part)
    }

    fn first(self, line: &str, quote: &str) -> Option<Fit> {
        if line == quote {
            return Some(Fit::Equal);
        }
        let rest = line.strip_suffix(quote.trim_start())?;
        if rest.trim().is_empty() && !quote.trim().is_empty() {
            return Some(Fit::Trimmed);
        }
        (self.solid && !quote.trim().is_empty() && self.apart(rest, quote.trim_start())).then_some(Fit::Part)
    }

    fn last(self, line: &str, quote: &str) -> Option<Fit> {
        if line == quote && !self.open {
            return Some(Fit::Equal);
        }
        let rest = line.strip_prefix(quote.trim_end())?;
        if quote.trim().is_empty() {
            return None;
        }
        if rest.trim().is_empty() && !self.open {
            return Some(Fit::Trimmed);
        }
        (self.open || (self.solid && self.apart(quote.trim_end(), rest))).then_some(Fit::Part)
    }

    fn apart(self, left: &str, right: &str) -> bool {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !(self.words && word(left.chars().next_back()) && word(right.chars().next()))
    }
}

/// Where the run of lines `needle` begins among lines 0 to `count`; everywhere if it is empty. (Knuth, Morris and Pratt,
/// over numbers that stand for equal lines.)
fn runs<'t>(count: usize, line: impl Fn(usize) -> Cow<'t, str>, needle: &[Cow<'_, str>]) -> Vec<usize> {
    if needle.is_empty() {
        return (0..count).collect();
    }
    let mut ids = HashMap::new();
    let needle: Vec<usize> = needle
        .iter()
        .map(|l| {
            let next = ids.len();
            *ids.entry(l.as_ref()).or_insert(next)
        })
        .collect();
    let mut borders = vec![0; needle.len()];
    for i in 1..needle.len() {
        let mut k: usize = borders[i - 1];
        while k > 0 && needle[k] != needle[i] {
            k = borders[k - 1];
        }
        borders[i] = k + usize::from(needle[k] == needle[i]);
    }
    let mut found = Vec::new();
    let mut k = 0;
    for i in 0..count {
        let Some(id) = ids.get(line(i).as_ref()).copied() else {
            k = 0;
            continue;
        };
        while k > 0 && (k == needle.len() || needle[k] != id) {
            k = borders[k - 1];
        }
        k += usize::from(needle[k] == id);
        if k == needle.len() {
            found.push(i + 1 - k);
        }
    }
    found
}

impl Key {
    /// What lines are compared by.
    pub(super) fn of(self, line: &str) -> Cow<'_, str> {
        let shown = shown(line);
        match self {
            Key::Squeezed if shown.contains(char::is_whitespace) => Cow::Owned(shown.split_whitespace().collect()),
            Key::Shown | Key::Squeezed => shown,
        }
    }
}

/// A line as models see it.
pub(super) fn shown(line: &str) -> Cow<'_, str> {
    let escaped = |c: char| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}');
    if line.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~')) || !line.contains(|c| escaped(c) || is_invisible(c)) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars().filter(|c| !is_invisible(*c)) {
        if escaped(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::quote::readings;
    use super::*;

    fn find(text: &str, quote: &str, key: Key) -> Vec<(u32, u32, Fit)> {
        let mut out = Vec::new();
        hits(&FileText::whole(text.as_bytes()), &readings(quote)[0], key, |h| out.push((h.start, h.end, h.fit)));
        out
    }

    #[test]
    fn finds_all_places_overlapping_ones_too() {
        assert_eq!(find("b\na\na\na\n", "a\na", Key::Shown), [(2, 3, Fit::Equal), (3, 4, Fit::Equal)]);
        assert_eq!(find("a\nb\na\nb\na\nb\nc", "a\nb\na\nb\nc", Key::Shown), [(3, 7, Fit::Equal)]);
        assert_eq!(find("a", "a\nb", Key::Shown), []);
    }

    #[test]
    fn knows_whole_lines_from_parts() {
        let text = "    let total = sum(items);\n    let total = sum(items); // all\n";
        assert_eq!(find(text, "let total = sum(items);", Key::Shown), [(1, 1, Fit::Trimmed), (2, 2, Fit::Part)]);
        assert_eq!(find(text, "total", Key::Shown), []);
        assert_eq!(find("x = f(a,\n      b)\n", "f(a,\n      b)", Key::Shown), []);
        assert_eq!(find("x = foo(a,\n        b)\n", "foo(a,\n        b)", Key::Shown), [(1, 2, Fit::Part)]);
        assert_eq!(find("let x = sum(items)\n", "x  =  sum(items)", Key::Squeezed), [(1, 1, Fit::Part)]);
        assert_eq!(find("recompute(items)\n", "compute(items)", Key::Shown), []);
        assert_eq!(find("abcdef\n", "abc…", Key::Shown), [(1, 1, Fit::Part)]);
    }

    #[test]
    fn ignores_white_space_when_told() {
        assert_eq!(find("if x {\n\n\treturn  y\n}\n", "if x{\n  return y\n}", Key::Squeezed), [(1, 4, Fit::Equal)]);
        // Fifty blank lines are no white space any more.
        assert_eq!(find(&format!("a{}b", "\n".repeat(50)), "a\nb", Key::Squeezed), []);
    }

    #[test]
    fn compares_lines_as_they_were_shown() {
        assert_eq!(find("a\u{202e}b\x1b[0m\n", "ab\\u{1b}[0m", Key::Shown), [(1, 1, Fit::Equal)]);
    }

    #[test]
    fn stays_linear_in_the_worst_case() {
        let text = "}\n".repeat(200_000);
        let quote = format!("{}x", "}\n".repeat(99));
        assert_eq!(find(&text, &quote, Key::Shown), []);
    }
}
