//! One side of a file as text, with its lines.

use memchr::memchr_iter;
use std::sync::Arc;

/// A file's text on one side of the change. Lines are split at `\n`, as git does. What is not UTF-8
/// became U+FFFD. Of a bare patch, lines that the patch does not show are empty and [`FileText::is_whole`] is false.
/// Cheap to clone: clones share one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    text: String,
    starts: Vec<usize>,
    whole: bool,
}

impl FileText {
    /// Decodes a whole file.
    pub fn whole(bytes: &[u8]) -> Self {
        Self::build(String::from_utf8_lossy(bytes).into_owned(), true)
    }

    /// A file known only in part: the given lines (1-based number, text without line end), blanks between.
    pub fn sparse<'a>(lines: impl IntoIterator<Item = (u32, &'a [u8])>) -> Self {
        let mut text = String::new();
        let mut next = 1;
        for (number, line) in lines {
            while next < number {
                text.push('\n');
                next += 1;
            }
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
            next = number.saturating_add(1);
        }
        Self::build(text, false)
    }

    fn build(text: String, whole: bool) -> Self {
        let mut starts = Vec::new();
        if !text.is_empty() {
            starts.push(0);
            let last = text.len();
            starts.extend(memchr_iter(b'\n', text.as_bytes()).map(|i| i + 1).filter(|i| *i < last));
        }
        Self(Arc::new(Parts { text, starts, whole }))
    }

    /// The same file with another text of the same lines (a masked one).
    pub fn with_text(&self, text: String) -> Self {
        Self::build(text, self.0.whole)
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether every line of the file is here.
    pub fn is_whole(&self) -> bool {
        self.0.whole
    }

    /// How many lines it has. A last line without `\n` counts; an empty file has none.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.0.starts.len()).unwrap_or(u32::MAX)
    }

    /// Line `number` (1-based) without its line end (`\n` or `\r\n`); `None` past the end.
    pub fn line(&self, number: u32) -> Option<&str> {
        let i = usize::try_from(number).ok()?.checked_sub(1)?;
        let Parts { text, starts, .. } = &*self.0;
        let from = *starts.get(i)?;
        let to = starts.get(i + 1).copied().unwrap_or(text.len());
        let line = &text[from..to];
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// All lines with their 1-based numbers.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..=self.line_count()).filter_map(|n| self.line(n).map(|l| (n, l)))
    }

    /// Where line `number` (1-based) begins, in bytes of [`FileText::as_str`]; its end for lines past the last one.
    pub fn offset(&self, number: u32) -> usize {
        let line = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        self.0.starts.get(line).copied().unwrap_or(self.0.text.len())
    }

    /// The 1-based line in which byte `offset` of [`FileText::as_str`] lies.
    pub fn line_at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.starts.partition_point(|s| *s <= offset).max(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_as_git_does() {
        for (text, n) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2), ("a\r\nb\r\n", 2)] {
            assert_eq!(FileText::whole(text.as_bytes()).line_count(), n, "{text:?}");
        }
    }

    #[test]
    fn finds_lines_and_offsets() {
        let t = FileText::whole(b"a\r\n\nccc");
        assert_eq!((t.line(1), t.line(2), t.line(3), t.line(4), t.line(0)), (Some("a"), Some(""), Some("ccc"), None, None));
        assert_eq!((t.line_at(0), t.line_at(3), t.line_at(4), t.line_at(99)), (1, 2, 3, 3));
    }

    #[test]
    fn keeps_the_numbers_of_a_patch() {
        let t = FileText::sparse([(3, &b"x"[..]), (5, &b"y"[..])]);
        assert_eq!((t.line(3), t.line(4), t.line(5), t.is_whole()), (Some("x"), Some(""), Some("y"), false));
    }
}
