//! Waivers that stand in code: comments of the form `tribune:allow RULE-ID reason`. Which of them count, and for what, is
//! decided in [`crate::run`]; nothing here knows what was changed.

use super::format::is_id;
use crate::date::Date;
use crate::findings::Severity;
use crate::lang::Lang;
use crate::path::{RepoPath, is_invisible};
use crate::text::FileText;

/// What a comment has to begin with.
pub const MARK: &str = "tribune:allow";
/// Characters of a reason that are kept.
const MAX_REASON: usize = 200;
/// Waivers of one file that are read.
const MAX_WAIVERS: usize = 1_000;
/// What comments begin with in the languages of the world, as far as one line can show it.
const OPENERS: [&str; 14] = ["//", "///", "//!", "#", "--", "/*", "/**", "*", "<!--", ";", "%", "(*", "{#", "{{!--"];
/// What closes a comment.
const CLOSERS: [&str; 6] = ["*/", "-->", "*)", "#}", "--}}", "}}"];

/// A finding that is not shown, since a waiver covers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The rule.
    pub rule_id: String,
    /// How bad the finding would have been.
    pub severity: Severity,
    /// The finding's title.
    pub title: String,
    /// Its file.
    pub path: RepoPath,
    /// Its first and last line on the new side.
    pub lines: (u32, u32),
    /// Why it is waived, in its author's words.
    pub reason: String,
    /// Where the waiver stands: `comment`, or the file and line of its entry.
    pub by: String,
    /// The last day on which it counts; `None` for a comment.
    pub until: Option<Date>,
}

/// A waiver in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its line, 1-based.
    pub line: u32,
    /// The word after the mark; empty where there is none.
    pub rule_id: String,
    /// What follows, on one line; empty where nothing that says something does.
    pub reason: String,
    /// Nothing else stands on its line, so that it speaks of the next one too.
    pub alone: bool,
}

impl Comment {
    /// Whether it speaks of code on the lines `start` to `end`: it stands on one of them, or alone on the line above.
    pub fn covers(&self, (start, end): (u32, u32)) -> bool {
        (start..=end).contains(&self.line) || (self.alone && self.line.checked_add(1) == Some(start))
    }
}

/// The waivers in the comments of a file, by line. A text that a grammar can read has to agree that it is a comment.
pub fn comments(path: &RepoPath, text: &FileText) -> Vec<Comment> {
    if !text.as_str().contains(MARK) {
        return Vec::new();
    }
    let parsed = Lang::of(path).filter(|_| text.is_whole()).and_then(|lang| lang.parse(text.as_str()));
    let in_comment = |at: usize| {
        let Some(parsed) = &parsed else { return true };
        let mut node = parsed.root().get_inner_node().descendant_for_byte_range(at, at + MARK.len());
        while let Some(inner) = node {
            if inner.kind().contains("comment") {
                return true;
            }
            node = inner.parent();
        }
        false
    };
    let mut out = Vec::new();
    for (at, _) in text.as_str().match_indices(MARK).take(MAX_WAIVERS) {
        let number = text.line_at(at);
        let begin = text.as_str()[..at].rfind('\n').map_or(0, |i| i + 1);
        let line = text.line(number).unwrap_or_default();
        let (before, after) = line.split_at((at - begin).min(line.len()));
        let Some(waiver) = read(before, after.get(MARK.len()..).unwrap_or_default(), number) else { continue };
        if in_comment(at) {
            out.push(waiver);
        }
    }
    out
}

/// A waiver from what stands before and after its mark on the line; `None` where the mark does not begin a comment.
fn read(before: &str, after: &str, line: u32) -> Option<Comment> {
    let opener = before.trim_end();
    let opened = OPENERS.iter().filter(|o| opener.ends_with(*o)).max_by_key(|o| o.len())?;
    if !after.is_empty() && !after.starts_with([' ', '\t']) {
        return None;
    }
    let alone = opener[..opener.len() - opened.len()].trim().is_empty();
    let mut rest = after.trim();
    while let Some(cut) = CLOSERS.iter().find_map(|c| rest.strip_suffix(c)) {
        rest = cut.trim_end();
    }
    let (rule_id, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let clean: String = reason.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(MAX_REASON).collect();
    let clean = clean.trim().trim_start_matches([':', '-', '–', '—', ' ']);
    let reason = if clean.chars().any(char::is_alphanumeric) { clean.to_owned() } else { String::new() };
    Some(Comment { line, rule_id: rule_id.trim_end_matches([':', ',']).to_owned(), reason, alone })
}

/// Whether a word can be a rule's id at all.
pub fn is_rule_id(word: &str) -> bool {
    is_id(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(path: &str, text: &str) -> Vec<String> {
        let told = |c: Comment| format!("{}{} {}: {}", c.line, if c.alone { " alone" } else { "" }, c.rule_id, c.reason);
        comments(&RepoPath::from(path), &FileText::whole(text.as_bytes())).into_iter().map(told).collect()
    }

    #[test]
    fn reads_comments_of_many_languages() {
        let table = [
            ("a.py", "run(x)  # tribune:allow SEC-PY-003 the name is a constant\n", vec!["1 SEC-PY-003: the name is a constant"]),
            ("a.rs", "f();\n    // tribune:allow A1-B: checked above\n    g();\n", vec!["2 alone A1-B: checked above"]),
            ("a.c", "int a; /* tribune:allow A1-B why not */\n", vec!["1 A1-B: why not"]),
            ("a.html", "<!-- tribune:allow A1-B shown to nobody -->\n", vec!["1 alone A1-B: shown to nobody"]),
            ("a.sql", "-- tribune:allow SQL-MIG-001 empty table\nDROP TABLE t;\n", vec!["1 alone SQL-MIG-001: empty table"]),
            ("a.go", "x() //nolint // tribune:allow A1-B why\n", vec!["1 A1-B: why"]),
            ("a.py", "# tribune:allow A1-B\n# tribune:allow A1-B --\n# tribune:allow\n", vec!["1 alone A1-B: ", "2 alone A1-B: ", "3 alone : "]),
        ];
        for (path, text, expected) in table {
            assert_eq!(read_all(path, text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_comment_waives_nothing() {
        for (path, text) in [
            ("a.py", "x = '# tribune:allow A1-B in a string'\n"),
            ("a.py", "'''\n# tribune:allow A1-B in a string of many lines\n'''\n"),
            ("a.md", "Write `tribune:allow RULE-ID reason` in a comment.\n"),
            ("a.py", "# see tribune:allow A1-B in the manual\n"),
            ("a.py", "# tribune:allowed A1-B why\n"),
        ] {
            assert_eq!(read_all(path, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn covers_its_line_and_alone_the_next() {
        let waiver = |alone| Comment { line: 4, rule_id: String::new(), reason: String::new(), alone };
        let spans = [(1, 3), (3, 4), (4, 4), (5, 9), (6, 6)];
        assert_eq!(spans.map(|s| waiver(true).covers(s)), [false, true, true, true, false]);
        assert_eq!(spans.map(|s| waiver(false).covers(s)), [false, true, true, false, false]);
    }
}
