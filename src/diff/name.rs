//! Which file a patch section is about: `diff --git a/x b/x`, `--- a/x`, `+++ b/x`.

use super::lines::trim_cr;
use super::quote::unquote;
use crate::path::RepoPath;

/// The two names of a header, prefixes off; `None` stands for `/dev/null`.
pub(crate) type Names = (Option<RepoPath>, Option<RepoPath>);

/// A path that can stand in a tree: not empty, not absolute, no empty, `.` or `..` part, no NUL.
pub(crate) fn checked(bytes: Vec<u8>) -> Option<RepoPath> {
    let sound = !bytes.contains(&0) && bytes.split(|b| *b == b'/').all(|part| !matches!(part, b"" | b"." | b".."));
    sound.then(|| RepoPath::new(bytes))
}

/// The name in a line such as `rename from x`, which has no prefix.
pub(crate) fn plain(text: &[u8]) -> Option<RepoPath> {
    let text = trim_cr(text);
    checked(unquote(text).map_or_else(|| text.to_vec(), |(name, _)| name))
}

/// The one name in what follows `diff --git `, where both halves name the same file. A rename's header
/// is ambiguous by nature; its `rename` lines tell.
pub(crate) fn from_git_header(rest: &[u8]) -> Option<RepoPath> {
    let rest = trim_cr(rest);
    let (old, new) = if let Some((old, tail)) = unquote(rest) {
        let new = tail.strip_prefix(b" ")?;
        (old, unquote(new).map_or_else(|| new.to_vec(), |(name, _)| name))
    } else if let Some(new) = quoted_tail(rest) {
        new
    } else {
        // Neither is quoted: prefixes are of equal length, so the blank between is in the middle.
        let middle = rest.len() / 2;
        (rest.len() % 2 == 1 && rest[middle] == b' ').then(|| (rest[..middle].to_vec(), rest[middle + 1..].to_vec()))?
    };
    if old == new {
        return checked(old);
    }
    let (old, new) = (without_first_part(&old)?, without_first_part(&new)?);
    if old == new { checked(new.to_vec()) } else { None }
}

/// `a/x "b/\303"`: only the second is quoted.
fn quoted_tail(rest: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let at = rest.windows(2).position(|w| w == b" \"")?;
    let (new, _) = unquote(&rest[at + 1..])?;
    Some((rest[..at].to_vec(), new))
}

/// The names of `--- old` and `+++ new` (what follows the marks), with the usual prefixes taken off.
pub(crate) fn from_marks(old: &[u8], new: &[u8]) -> Option<Names> {
    let (old, new) = (mark(old), mark(new));
    let strip = match (old.as_deref(), new.as_deref()) {
        (Some(o), Some(n)) if o == n => false,
        (Some(o), Some(n)) => (has_usual_prefix(o) && has_usual_prefix(n)) || without_first_part(o).is_some_and(|o| Some(o) == without_first_part(n)),
        (None, None) => return None,
        (Some(one), None) | (None, Some(one)) => has_usual_prefix(one),
    };
    let name = |name: Option<Vec<u8>>| match name {
        None => Some(None),
        Some(n) => checked(if strip { without_first_part(&n)?.to_vec() } else { n }).map(Some),
    };
    Some((name(old)?, name(new)?))
}

/// One name as it stands after `--- `: up to a tab (what follows is a time), unquoted.
fn mark(text: &[u8]) -> Option<Vec<u8>> {
    let text = trim_cr(text);
    let name = match unquote(text) {
        Some((name, _)) => name,
        None => text.split(|b| *b == b'\t').next().unwrap_or_default().to_vec(),
    };
    (name != b"/dev/null").then_some(name)
}

/// Git's own prefixes: `a/`, `b/` and the mnemonic ones.
fn has_usual_prefix(name: &[u8]) -> bool {
    matches!(name, [b'a' | b'b' | b'c' | b'i' | b'o' | b'w' | b'1' | b'2', b'/', ..])
}

fn without_first_part(name: &[u8]) -> Option<&[u8]> {
    let slash = name.iter().position(|b| *b == b'/')?;
    Some(&name[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_name_in_a_git_header() {
        for (header, name) in [
            ("a/x.rs b/x.rs", Some("x.rs")),
            ("a/x b/x b/x b/x", Some("x b/x")),
            ("i/src/x w/src/x", Some("src/x")),
            ("src/x src/x", Some("src/x")),
            ("x x", Some("x")),
            (r#""a/t\tb" "b/t\tb""#, Some("t\tb")),
            ("a/old b/new", None),
            ("a/../x b/../x", None),
            ("a//etc/passwd b//etc/passwd", None),
            ("", None),
            (" ", None),
        ] {
            assert_eq!(from_git_header(header.as_bytes()), name.map(RepoPath::from), "{header}");
        }
    }

    #[test]
    fn finds_the_names_after_the_marks() {
        let names = |o: &str, n: &str| from_marks(o.as_bytes(), n.as_bytes()).map(|(o, n)| (o.map(|p| p.to_string()), n.map(|p| p.to_string())));
        let both = |o: &str, n: &str| Some((Some(o.to_owned()), Some(n.to_owned())));
        assert_eq!(names("a/x y\t", "b/x y\t"), both("x y", "x y"));
        assert_eq!(names("orig/d/x.c\t2024-01-01 00:00:00 +0000", "new/d/x.c\t2024-01-01"), both("d/x.c", "d/x.c"));
        assert_eq!(names("x.c.orig", "x.c"), both("x.c.orig", "x.c"));
        assert_eq!(names("x.c", "x.c"), both("x.c", "x.c"));
        assert_eq!(names("/dev/null", "b/x"), Some((None, Some("x".to_owned()))));
        assert_eq!(names("/dev/null", "src/x"), Some((None, Some("src/x".to_owned()))));
        assert_eq!(names("/dev/null", "/dev/null"), None);
        assert_eq!(names("/etc/passwd", "/etc/passwd"), None);
        assert_eq!(names("a/../../x", "b/../../x"), None);
    }
}
