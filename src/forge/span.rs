//! Lines of a diff as forges address them: not by a number on one side alone, but by where the line stands in git's own
//! diff. It never guesses: a line that the diff's file does not have on that side gives no span.

use crate::diff::{FileDiff, LineKind, Side};

/// Lines of one side of a file of the diff, as [`Span::of`] finds them in git's own hunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First and last line on `side`, 1-based.
    pub lines: (u32, u32),
    /// Which side.
    pub side: Side,
    /// The same two lines with their numbers on both sides.
    pub ends: (End, End),
    /// Whether all of them stand in one hunk: some forges show comments only there.
    pub in_hunk: bool,
}

/// One line of the diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Its number on the old side; of an added line: that of the old line which follows it (0 in a new file).
    pub old: u32,
    /// Its number on the new side; of a removed line: that of the new line which follows it (0 in a deleted file).
    pub new: u32,
    /// What happened to it.
    pub kind: LineKind,
}

impl Span {
    /// The lines `first..=last` on a side of a file; `None` where they are out of order, or stand on a side that the file
    /// does not have. Whether the file has so many lines is for the caller to know: a diff does not say.
    pub fn of(file: &FileDiff, side: Side, first: u32, last: u32) -> Option<Self> {
        if first == 0 || first > last || file.binary {
            return None;
        }
        let (start, end) = (End::of(file, side, first)?, End::of(file, side, last)?);
        let holds = |from: u32, lines: u32| first >= from && u64::from(last) < u64::from(from) + u64::from(lines);
        let in_hunk = file.hunks.iter().any(|h| match side {
            Side::Old => holds(h.old_start, h.old_lines),
            Side::New => holds(h.new_start, h.new_lines),
        });
        Some(Self { lines: (first, last), side, ends: (start, end), in_hunk })
    }

    /// The last line alone, where the forge takes no range.
    pub fn last_line(&self) -> Self {
        Self { lines: (self.lines.1, self.lines.1), ends: (self.ends.1, self.ends.1), ..self.clone() }
    }
}

impl End {
    fn of(file: &FileDiff, side: Side, line: u32) -> Option<Self> {
        // Old and new line numbers run in parallel between hunks, `shift` apart.
        let mut shift: i64 = 0;
        for hunk in &file.hunks {
            let (start, count) = match side {
                Side::Old => (hunk.old_start, hunk.old_lines),
                Side::New => (hunk.new_start, hunk.new_lines),
            };
            // An empty side is named by the line before it.
            let start = if count == 0 { start + 1 } else { start };
            if line < start {
                break;
            }
            if line - start < count {
                return Self::in_hunk(hunk, side, line);
            }
            shift += i64::from(hunk.new_lines) - i64::from(hunk.old_lines);
        }
        let other = match side {
            Side::Old => i64::from(line) + shift,
            Side::New => i64::from(line) - shift,
        };
        let other = u32::try_from(other).ok().filter(|n| *n > 0)?;
        let (old, new) = if side == Side::Old { (line, other) } else { (other, line) };
        // Between hunks lines stand on both sides, which a new or deleted file has not.
        let both = file.old_mode.is_some() || file.new_mode.is_some();
        let one_sided = both && (file.old_mode.is_none() || file.new_mode.is_none());
        (!one_sided).then_some(Self { old, new, kind: LineKind::Context })
    }

    fn in_hunk(hunk: &crate::diff::Hunk, side: Side, line: u32) -> Option<Self> {
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        // Counters name the next line of their side, and an empty side is named by the line before it.
        if hunk.old_lines == 0 && old > 0 {
            old += 1;
        }
        if hunk.new_lines == 0 && new > 0 {
            new += 1;
        }
        for l in &hunk.lines {
            let here = Self { old, new, kind: l.kind };
            let is_it = match side {
                Side::Old => l.old == Some(line),
                Side::New => l.new == Some(line),
            };
            if is_it {
                return Some(here);
            }
            old += u32::from(l.kind != LineKind::Added);
            new += u32::from(l.kind != LineKind::Removed);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::parse::parse;

    fn shown(patch: &str, side: Side, lines: (u32, u32)) -> String {
        let parsed = parse(patch.as_bytes()).expect("a patch");
        let file = parsed.files.first().expect("a file");
        let end = |e: End| format!("{}/{} {:?}", e.old, e.new, e.kind);
        Span::of(file, side, lines.0, lines.1).map_or("none".into(), |s| format!("{} - {} in hunk: {}", end(s.ends.0), end(s.ends.1), s.in_hunk))
    }

    #[test]
    fn lines_are_found_with_their_numbers_on_both_sides() {
        let patch = "\
diff --git a/a b/a
index 1111111..2222222 100644
--- a/a
+++ b/a
@@ -3,3 +3,4 @@
 three
-four
+FOUR
+more
 five
@@ -20,1 +21,0 @@
-twenty
";
        let new = |lines| shown(patch, Side::New, lines);
        let old = |lines| shown(patch, Side::Old, lines);
        assert_eq!(new((1, 2)), "1/1 Context - 2/2 Context in hunk: false");
        assert_eq!(new((3, 5)), "3/3 Context - 5/5 Added in hunk: true");
        assert_eq!(new((4, 4)), "5/4 Added - 5/4 Added in hunk: true");
        assert_eq!(new((6, 6)), "5/6 Context - 5/6 Context in hunk: true");
        assert_eq!(new((6, 7)), "5/6 Context - 6/7 Context in hunk: false");
        assert_eq!(new((22, 22)), "22/22 Context - 22/22 Context in hunk: false");
        assert_eq!(old((4, 4)), "4/4 Removed - 4/4 Removed in hunk: true");
        assert_eq!(old((20, 20)), "20/22 Removed - 20/22 Removed in hunk: true");
        assert_eq!(old((10, 10)), "10/11 Context - 10/11 Context in hunk: false");
        assert_eq!((new((0, 1)), new((3, 2))), ("none".into(), "none".into()));
    }

    #[test]
    fn new_and_deleted_files_have_one_side() {
        let added = "diff --git a/a b/a\nnew file mode 100644\nindex 0000000..2222222\n--- /dev/null\n+++ b/a\n@@ -0,0 +1,2 @@\n+one\n+two\n";
        assert_eq!(shown(added, Side::New, (1, 2)), "0/1 Added - 0/2 Added in hunk: true");
        assert_eq!(shown(added, Side::New, (3, 3)), "none");
        assert_eq!(shown(added, Side::Old, (1, 1)), "none");
        let gone = "diff --git a/a b/a\ndeleted file mode 100644\nindex 2222222..0000000\n--- a/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n";
        assert_eq!(shown(gone, Side::Old, (2, 2)), "2/0 Removed - 2/0 Removed in hunk: true");
        assert_eq!(shown(gone, Side::New, (1, 1)), "none");
    }
}
