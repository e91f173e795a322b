//! Paths as git has them: bytes, relative to the repository's root, `/` between parts.

use std::borrow::Cow;
use std::fmt;

/// A path inside a repository. Git stores bytes, so this does too; a name can hold newlines, quotes
/// or no UTF-8 at all. Never empty, never absolute.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Wraps bytes as git printed them (unquoted).
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as git has them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The path for people, models and reports: one line, valid UTF-8, no control characters and no
    /// bidirectional or zero-width ones; such bytes appear as `\n`, `\t`, `\u{…}` or U+FFFD.
    pub fn display(&self) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(&self.0);
        if text.chars().any(|c| c.is_control() || is_invisible(c)) {
            let mut out = String::with_capacity(text.len() + 8);
            for c in text.chars() {
                if c.is_control() || is_invisible(c) {
                    out.extend(c.escape_default());
                } else {
                    out.push(c);
                }
            }
            Cow::Owned(out)
        } else {
            text
        }
    }

    /// The last part, lossily decoded.
    pub fn file_name(&self) -> Cow<'_, str> {
        let from = self.0.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
        String::from_utf8_lossy(&self.0[from..])
    }

    /// What stands after the last dot of the file name, in lower case; empty where there is none.
    pub fn extension(&self) -> String {
        let name = self.file_name();
        name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default()
    }

    /// The folder that holds it, without a trailing `/`; `""` at the root.
    pub fn parent(&self) -> Cow<'_, str> {
        let to = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        String::from_utf8_lossy(&self.0[..to])
    }
}

/// Zero-width and bidirectional control characters, which change what a reader sees (CVE-2021-42574).
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206F}' | '\u{FEFF}' | '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{E0000}'..='\u{E007F}')
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.display())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

impl From<&str> for RepoPath {
    fn from(s: &str) -> Self {
        Self(s.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_hostile_names_on_one_line() {
        assert_eq!(RepoPath::from("a\nb\u{202e}c\x1b[31m").display(), "a\\nb\\u{202e}c\\u{1b}[31m");
        assert_eq!(RepoPath::new(b"caf\xe9".to_vec()).display(), "caf\u{fffd}");
    }

    #[test]
    fn splits_names() {
        let p = RepoPath::from("src/a.b/Main.RS");
        assert_eq!((p.file_name().as_ref(), p.extension().as_str(), p.parent().as_ref()), ("Main.RS", "rs", "src/a.b"));
        assert_eq!(RepoPath::from(".gitignore").extension(), "");
        assert_eq!(RepoPath::from("x").parent(), "");
    }
}
