//! Documents, as far as finding passages in them needs: lines, headings, stretches of text that fit a request.

use crate::context::clean;
use crate::error::UserError;
use crate::findings::words::{cut, cut_bytes, one_line};
use crate::secrets;
use crate::text::FileText;
use std::ops::RangeInclusive;

/// More documents are refused.
pub const MAX_DOCUMENTS: usize = 50;
/// A larger one is refused, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Bytes of a stretch: about 4,000 tokens.
const STRETCH: usize = 16_000;
/// Characters of a heading.
const MAX_HEADING: usize = 100;
/// A passage has at least so many characters that are not white space, and at most.
const PASSAGE: RangeInclusive<usize> = 20..=2_000;

/// A document, cleaned and with its secrets masked: the only form in which it is shown, quoted and searched.
#[derive(Debug, Clone)]
pub struct Document {
    /// What people call it: its file's name.
    pub name: String,
    text: FileText,
    /// Line and words of each heading.
    headings: Vec<(u32, String)>,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// First and last line.
    pub(super) lines: (u32, u32),
    /// The text between the first and the last character that was quoted, as the document has it.
    pub(super) text: String,
}

impl Document {
    /// Reads a document. Refuses (exit 2) what is no text or too large.
    pub fn new(name: &str, bytes: &[u8]) -> Result<Self, UserError> {
        let refuse = |why: String, fix: &str| Err(UserError::usage(format!("{} cannot be distilled", one_line(name)), why, fix));
        if bytes.len() > MAX_BYTES {
            return refuse(format!("it has {} bytes, more than {MAX_BYTES}", bytes.len()), "Split it, or give the chapters that hold decisions.");
        }
        if bytes.contains(&0) {
            return refuse("it is no text".to_owned(), "Give Markdown or plain text.");
        }
        let text = String::from_utf8_lossy(bytes);
        let text = FileText::whole(secrets::mask(&clean(&text).0).as_bytes());
        let headings = headings(&text);
        Ok(Self { name: cut(&one_line(&clean(name).0), MAX_HEADING), text, headings })
    }

    /// First and last line of each stretch, in order; together they are the whole document.
    pub(super) fn stretches(&self) -> Vec<(u32, u32)> {
        let mut out = Vec::new();
        let (mut from, mut size) = (1, 0);
        // Where to end: before the last heading of the second half, else behind its last blank line.
        let mut best = (None::<u32>, None::<u32>);
        for (number, line) in self.text.lines() {
            let begins = self.headings.binary_search_by_key(&number, |(n, _)| *n).is_ok();
            let blank = line.trim().is_empty();
            if size + line.len() > STRETCH && number > from {
                let cut = best.0.or(best.1).filter(|b| *b > from).unwrap_or(number);
                out.push((from, cut - 1));
                (from, best) = (cut, (None, None));
                size = (cut..number).filter_map(|n| self.text.line(n)).map(|l| l.len() + 1).sum();
            }
            if size > STRETCH / 2 && begins {
                best.0 = Some(number);
            } else if size > STRETCH / 2 && blank {
                best.1 = Some(number + 1);
            }
            size += line.len() + 1;
        }
        if from <= self.text.line_count() {
            out.push((from, self.text.line_count()));
        }
        out
    }

    /// A stretch as models see it, each line with its mark.
    pub(super) fn shown(&self, (from, to): (u32, u32)) -> String {
        let mut out = format!("# {}: {}\n", self.name, self.heading(from));
        for line in (from..=to).filter_map(|n| self.text.line(n)) {
            let shown = cut_bytes(line, STRETCH);
            let more = if shown.len() < line.len() { format!("[… {} bytes cut]", line.len() - shown.len()) } else { String::new() };
            out.push_str(&format!("| {shown}{more}\n"));
        }
        out
    }

    /// The heading that a line stands under; empty before the first.
    pub(super) fn heading(&self, line: u32) -> &str {
        let at = self.headings.partition_point(|(n, _)| *n <= line);
        at.checked_sub(1).and_then(|i| self.headings.get(i)).map_or("", |(_, words)| words)
    }

    /// Where a passage stands in the lines `from` to `to`, white space and line marks left aside. `None` for one that does not stand there, or is too
    /// short or long to prove anything.
    pub(super) fn find(&self, passage: &str, (from, to): (u32, u32)) -> Option<Place> {
        let wanted: String =
            passage.lines().map(|l| l.strip_prefix("| ").unwrap_or(l)).flat_map(|l| l.chars().filter(|c| !c.is_whitespace())).collect();
        if !PASSAGE.contains(&wanted.chars().count()) {
            return None;
        }
        let mut squeezed = String::new();
        let mut places: Vec<(u32, usize, usize)> = Vec::new();
        for (number, line) in (from..=to).filter_map(|n| Some((n, self.text.line(n)?))) {
            for (at, c) in line.char_indices().filter(|(_, c)| !c.is_whitespace()) {
                squeezed.push(c);
                // One entry for each byte, so that a byte's offset finds its character.
                places.extend(std::iter::repeat_n((number, at, at + c.len_utf8()), c.len_utf8()));
            }
        }
        let start = squeezed.find(&wanted)?;
        let (first, last) = (places.get(start)?, places.get(start + wanted.len() - 1)?);
        let line = |n: u32| self.text.line(n).unwrap_or_default();
        let text = if first.0 == last.0 {
            line(first.0)[first.1..last.2].to_owned()
        } else {
            let middle: String = (first.0 + 1..last.0).map(|n| format!("{}\n", line(n))).collect();
            format!("{}\n{middle}{}", &line(first.0)[first.1..], &line(last.0)[..last.2])
        };
        Some(Place { lines: (first.0, last.0), text })
    }
}

/// Headings of Markdown outside of fences, and the numbered ones of plain text (`4.2. Time-outs`).
fn headings(text: &FileText) -> Vec<(u32, String)> {
    let mut out = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines() {
        let trimmed = line.trim_start();
        fenced ^= trimmed.starts_with("```") || trimmed.starts_with("~~~");
        if fenced {
            continue;
        }
        let words = match trimmed.split_once(' ') {
            Some((marks, words)) if (1..=6).contains(&marks.len()) && marks.bytes().all(|b| b == b'#') => words,
            Some((digits, words))
                if numbered(digits) && !line.starts_with(' ') && words.trim().len() < 80 && !words.trim_end().ends_with(['.', ';', ',', ':']) =>
            {
                trimmed
            }
            _ => continue,
        };
        out.push((number, cut(&one_line(words.trim_end_matches(['#', ' '])), MAX_HEADING)));
    }
    out
}

/// `4.`, `4.2` or `4.2.1.`
fn numbered(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|part| part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()))
        && word.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new("rfc.md", text.as_bytes()).expect("a document")
    }

    #[test]
    fn finds_passages_across_lines_and_nothing_else() {
        let d = document("# RFC 7\n\nIntro.\n\n## Time-outs\n\nEvery outbound call *must* have a\n  time-out of at most 10 s.\nOthers wait.\n");
        let all = (1, 9);
        let place = d.find("| Every outbound call *must* have a time-out\nof at most 10 s.", all).expect("stands there");
        assert_eq!((place.lines, place.text.as_str()), ((7, 8), "Every outbound call *must* have a\n  time-out of at most 10 s."));
        assert_eq!((d.heading(7), d.heading(2)), ("Time-outs", "RFC 7"));
        for other in [
            "Every outbound call must have a time-out of at most 10 s.",
            "time-out",
            "",
            "Every outbound call *must* have a time-out of at most 60 s.",
        ] {
            assert_eq!(d.find(other, all), None, "{other}");
        }
        assert_eq!(d.find("Every outbound call *must* have a time-out", (1, 6)), None, "another stretch");
        assert!(document("Ünïcode wörds stånd here too, wröng or not.").find("wörds stånd here too, wröng", (1, 1)).is_some());
    }

    #[test]
    fn headings_of_markdown_and_of_plain_text() {
        let d = document(
            "Title\n1. Introduction\n\ntext\n4.2.  Calls\n   1. item of a list\n```\n# no heading\n```\n### Deep ###\n2.5 seconds is what it takes.\n",
        );
        let told: Vec<String> = d.headings.iter().map(|(n, h)| format!("{n} {h}")).collect();
        assert_eq!(told, ["2 1. Introduction", "5 4.2. Calls", "10 Deep"]);
    }

    #[test]
    fn stretches_are_the_whole_document() {
        let section = |i: usize| format!("## Part {i}\n\n{}\n\n", "Some words of a sentence that goes on. ".repeat(60));
        let text: String = (0..40).map(section).collect();
        for text in [text.as_str(), &"x\n".repeat(30_000), &"y".repeat(40_000), "", "one line"] {
            let d = document(text);
            let mut next = 1;
            for (from, to) in d.stretches() {
                assert!(from == next && to >= from);
                next = to + 1;
                assert!(d.shown((from, to)).len() < 3 * STRETCH, "{}", d.shown((from, to)).len());
            }
            assert_eq!(next, d.text.line_count() + 1);
        }
        let d = document(&text);
        assert!(d.stretches().iter().all(|(from, _)| d.text.line(*from).is_some_and(|l| l.starts_with("## Part"))));
    }

    #[test]
    fn refuses_what_is_no_document() {
        assert!(Document::new("a", &vec![b'a'; MAX_BYTES + 1]).expect_err("large").cause.contains("1048577 bytes"));
        assert!(Document::new("a", b"\0").is_err());
        let hidden = document("a\u{202e}b password = \"Zx83kQ9mTb27LrWvYc\" and more words here");
        assert!(!hidden.shown((1, 1)).contains("Zx83kQ9mTb27LrWvYc") && hidden.shown((1, 1)).contains("| ab "));
    }
}
