//! Which lines of a file's new side a change added.

use crate::diff::{FileDiff, LineKind};

/// Lines that the change added, as ascending, disjoint ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TouchedLines(Vec<(u32, u32)>);

impl TouchedLines {
    /// The added lines of a changed file.
    pub fn of(file: &FileDiff) -> Self {
        let added = file.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == LineKind::Added);
        Self::from_lines(added.filter_map(|l| l.new))
    }

    /// Every line there can be.
    pub fn all() -> Self {
        Self(vec![(1, u32::MAX)])
    }

    /// Single lines, 1-based, in any order.
    pub fn from_lines(lines: impl IntoIterator<Item = u32>) -> Self {
        let mut lines: Vec<u32> = lines.into_iter().collect();
        lines.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for line in lines {
            match ranges.last_mut() {
                Some((_, end)) if line <= end.saturating_add(1) => *end = line,
                _ => ranges.push((line, line)),
            }
        }
        Self(ranges)
    }

    /// Whether any line from `first` to `last` (inclusive) was added.
    pub fn any_in(&self, first: u32, last: u32) -> bool {
        let at = self.0.partition_point(|(_, end)| *end < first);
        self.0.get(at).is_some_and(|(start, _)| *start <= last)
    }

    /// Whether no line was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_for_spans() {
        let touched = TouchedLines::from_lines([7, 3, 4, 4]);
        assert_eq!(touched.0, [(3, 4), (7, 7)]);
        let spans = [(1, 2), (1, 3), (4, 4), (5, 6), (5, 7), (8, 99)];
        assert_eq!(spans.map(|(a, b)| touched.any_in(a, b)), [false, true, true, false, true, false]);
        assert!(TouchedLines::all().any_in(u32::MAX, u32::MAX) && !TouchedLines::default().any_in(1, u32::MAX));
    }
}
