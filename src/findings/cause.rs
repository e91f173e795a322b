//! The changed lines of the whole change, to check what proposals give as the cause of trouble elsewhere.

use super::anchor::AnchorInput;
use super::locate::Key;
use super::place::Changed;
use super::quote::readings;
use crate::diff::Side;
use std::cell::OnceCell;

/// A quoted line that is only a part of a changed one has to have so many characters (white space not counted).
const SOLID: usize = 8;
/// Each line is searched for in the whole change, so only the first of a quote are.
const MAX_LINES: usize = 12;

/// All changed lines, gathered when they are first asked for.
pub(super) struct Causes<'a> {
    input: AnchorInput<'a>,
    /// Each line between two line ends, white space taken out.
    lines: OnceCell<String>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(input: AnchorInput<'a>) -> Self {
        Self { input, lines: OnceCell::new() }
    }

    /// Whether `cause` quotes a line that the change added or removed: a whole one that says something, or a good part of one.
    pub(super) fn has(&self, cause: &str) -> bool {
        let lines = self.lines.get_or_init(|| self.gather());
        readings(cause).iter().flat_map(|r| &r.lines).filter(|l| !l.trim().is_empty()).take(MAX_LINES).any(|line| {
            let line = Key::Squeezed.of(line);
            let (all, words) = (line.chars().count(), line.chars().filter(|c| c.is_alphanumeric()).count());
            (words >= 3 && lines.contains(&format!("\n{line}\n"))) || (all >= SOLID && lines.contains(line.as_ref()))
        })
    }

    fn gather(&self) -> String {
        let mut out = String::from("\n");
        for file in self.input.files {
            for side in [Side::New, Side::Old] {
                let changed = Changed::of(file, side);
                if changed.lines().is_empty() {
                    continue;
                }
                if let Some(text) = (self.input.text)(file, side) {
                    for line in changed.lines().iter().filter_map(|n| text.line(*n)) {
                        out.push_str(&Key::Squeezed.of(line));
                        out.push('\n');
                    }
                }
            }
        }
        out
    }
}
