//! Strangers' texts within bounds, and files of a diff as git would write them, where a forge's answer has them in parts.

use crate::diff::quote::quote_into;

/// What is kept of one text of a stranger.
const MAX_TEXT: usize = 1 << 20;

/// A text within its bound, cut between characters.
pub(super) fn bounded(mut text: String) -> String {
    text.truncate(cut(&text, MAX_TEXT).len());
    text
}

/// What happened to a file, and its hunks.
pub(super) struct Section<'a> {
    pub(super) old_path: &'a str,
    pub(super) new_path: &'a str,
    pub(super) kind: Kind,
    /// Modes before and after, six octal digits; others count as an ordinary file's.
    pub(super) modes: (&'a str, &'a str),
    /// From the first `@@` on; empty where the contents did not change.
    pub(super) hunks: &'a str,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Deleted,
    Renamed,
    Modified,
}

impl Section<'_> {
    /// Writes it as git would.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mode = |mode: &str| if mode.len() == 6 && mode.bytes().all(|b| b.is_ascii_digit()) { mode.to_owned() } else { "100644".to_owned() };
        let (a, b) = (mode(self.modes.0), mode(self.modes.1));
        let mut line = |text: &str, paths: &[(&str, &str, &str)]| {
            out.extend_from_slice(text.as_bytes());
            for (before, prefix, path) in paths {
                out.extend_from_slice(before.as_bytes());
                quote_into(out, prefix.as_bytes(), path.as_bytes());
            }
            out.push(b'\n');
        };
        line("diff --git", &[(" ", "a/", self.old_path), (" ", "b/", self.new_path)]);
        match self.kind {
            Kind::Added => line(&format!("new file mode {b}"), &[]),
            Kind::Deleted => line(&format!("deleted file mode {a}"), &[]),
            _ if a != b => {
                line(&format!("old mode {a}"), &[]);
                line(&format!("new mode {b}"), &[]);
            }
            _ => {}
        }
        if self.kind == Kind::Renamed {
            line("rename from", &[(" ", "", self.old_path)]);
            line("rename to", &[(" ", "", self.new_path)]);
        }
        if self.hunks.is_empty() {
            return;
        }
        if self.hunks.starts_with("@@") {
            let side = |sign: &str, gone: bool, prefix: &'static str, path| match gone {
                true => (format!("{sign} /dev/null"), None),
                false => (sign.to_owned(), Some((" ", prefix, path))),
            };
            for (text, path) in
                [side("---", self.kind == Kind::Added, "a/", self.old_path), side("+++", self.kind == Kind::Deleted, "b/", self.new_path)]
            {
                line(&text, path.as_slice());
            }
        }
        out.extend_from_slice(self.hunks.as_bytes());
        if !self.hunks.ends_with('\n') {
            out.push(b'\n');
        }
    }
}

/// The beginning of a text, at most `bytes`, cut between characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}
