//! What a model may have meant by a quote. It reads the quote only; where it stands is found elsewhere.

use super::words::cut_bytes;
use crate::diff::Side;

/// Longer quotes are cut.
pub(super) const MAX_BYTES: usize = 20_000;
/// ... to so many lines.
const MAX_LINES: usize = 100;

/// One way to read a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The side that it can stand on; `None`: either.
    pub(super) side: Option<Side>,
    /// Its lines; at least one is not blank.
    pub(super) lines: Vec<String>,
    /// The last line goes on in the file.
    pub(super) open: bool,
}

/// The readings of a quote, best first: as it is; without blank lines around it; without the marks that lines have where
/// they are shown. Empty for a quote that says nothing.
pub(super) fn readings(quote: &str) -> Vec<Reading> {
    let (mut lines, mut open) = lines(quote);
    strip_fence(&mut lines);
    open |= strip_ellipsis(&mut lines);
    let mut out = Vec::new();
    let mut add = |side, lines: Vec<&str>| {
        if lines.iter().any(|l| !l.trim().is_empty()) {
            let reading = Reading { side, lines: lines.into_iter().map(str::to_owned).collect(), open };
            if !out.contains(&reading) {
                out.push(reading);
            }
        }
    };
    add(None, lines.clone());
    add(None, trimmed(&lines).to_vec());
    if let Some(marked) = marked(trimmed(&lines)) {
        let without = |mark: char| marked.iter().filter(|(m, _)| *m != mark).map(|(_, l)| *l).collect::<Vec<_>>();
        if marked.iter().any(|(m, _)| matches!(m, '+' | '-')) {
            add(Some(Side::New), without('-'));
            add(Some(Side::Old), without('+'));
        } else {
            add(None, without('+'));
        }
    }
    out
}

fn lines(quote: &str) -> (Vec<&str>, bool) {
    let mut lines: Vec<&str> = quote.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).collect();
    if quote.ends_with('\n') {
        lines.pop();
    }
    if quote.len() <= MAX_BYTES {
        return (lines, false);
    }
    lines.truncate(MAX_LINES);
    let mut room = MAX_BYTES;
    for i in 0..lines.len() {
        if lines[i].len() > room {
            lines[i] = cut_bytes(lines[i], room);
            lines.truncate(i + 1);
            return (lines, true);
        }
        room -= lines[i].len();
    }
    (lines, false)
}

fn trimmed<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let full = |l: &&str| !l.trim().is_empty();
    let start = lines.iter().position(full).unwrap_or(lines.len());
    let end = lines.iter().rposition(full).map_or(start, |i| i + 1);
    &lines[start..end]
}

/// A Markdown fence around the whole quote is the model's, not the file's.
fn strip_fence(lines: &mut Vec<&str>) {
    let inner = trimmed(lines);
    if let [first, .., last] = inner
        && (first.starts_with("```") || first.starts_with("~~~"))
        && !first[3..].contains('`')
        && *last == first.trim_end_matches(|c| c != '`' && c != '~')
    {
        *lines = inner[1..inner.len() - 1].to_vec();
    }
}

/// Removes what stands for "and so on" at the end, and says whether the last line is cut within.
fn strip_ellipsis(lines: &mut Vec<&str>) -> bool {
    while lines.last().is_some_and(|l| matches!(l.trim(), "…" | "..." | "[…]" | "[...]")) {
        lines.pop();
    }
    let Some(last) = lines.last_mut() else { return false };
    let end = last.trim_end();
    // Overlong lines are shown with this mark in place of the rest.
    let rest = if end.ends_with(" bytes cut]") { end.rfind("[… ").map(|i| &end[..i]) } else { end.strip_suffix('…') };
    match rest {
        Some(rest) => {
            *last = rest.trim_end();
            true
        }
        None => false,
    }
}

/// The lines with their marks taken off, if every line that is not blank has one: `+`, `-` or space of a diff, `|` of an excerpt.
fn marked<'a>(lines: &[&'a str]) -> Option<Vec<(char, &'a str)>> {
    let excerpt = lines.iter().all(|l| l.starts_with('|'));
    let mut out = Vec::new();
    for line in lines {
        if excerpt {
            out.push(('|', line.strip_prefix("| ").unwrap_or(&line[1..])));
        } else if line.is_empty() {
            out.push((' ', *line));
        } else if let Some(mark @ ('+' | '-' | ' ')) = line.chars().next() {
            out.push((mark, &line[1..]));
        } else if !line.starts_with("@@ ") && !line.starts_with("\\ No newline") {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(quote: &str) -> String {
        let one = |r: Reading| format!("{:?}{} {:?}", r.side, if r.open { " open" } else { "" }, r.lines);
        readings(quote).into_iter().map(one).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn reads_what_models_write() {
        assert_eq!(told(" \n\n"), "");
        assert_eq!(told("a\r\nb\n"), r#"None ["a", "b"]"#);
        assert_eq!(told("```rust\na\n```\n"), r#"None ["a"]"#);
        assert_eq!(told("a\n  b(…"), r#"None open ["a", "  b("]"#);
        assert_eq!(told("a\n  ...\n"), r#"None ["a"]"#);
        assert_eq!(told("abc[… 300 bytes cut]"), r#"None open ["abc"]"#);
        assert_eq!(told("\na\n"), "None [\"\", \"a\"]\nNone [\"a\"]");
        assert_eq!(told("| a\n|\n|   b"), "None [\"| a\", \"|\", \"|   b\"]\nNone [\"a\", \"\", \"  b\"]");
    }

    #[test]
    fn takes_diff_marks_off_only_when_all_lines_have_one() {
        assert_eq!(told("+a\nb"), r#"None ["+a", "b"]"#);
        assert_eq!(
            told("@@ -1 +1 @@\n a\n-b\n+c"),
            "None [\"@@ -1 +1 @@\", \" a\", \"-b\", \"+c\"]\nSome(New) [\"a\", \"c\"]\nSome(Old) [\"a\", \"b\"]"
        );
        assert_eq!(told("-a"), "None [\"-a\"]\nSome(Old) [\"a\"]");
        assert_eq!(told(" a\n  b"), "None [\" a\", \"  b\"]\nNone [\"a\", \" b\"]");
    }

    #[test]
    fn bounds_what_it_reads() {
        let many = readings(&"line of some length\n".repeat(5_000));
        assert_eq!((many[0].lines.len(), many[0].open), (100, false));
        let long = readings(&"é".repeat(50_000));
        assert_eq!((long[0].lines[0].len(), long[0].open), (MAX_BYTES, true));
    }
}
