//! What is wrong with a configuration, and how a person is told: file, line, column, the line itself
//! with a caret, and the way out. The text is a stranger's, so what is shown of it is cut and cleaned.

use super::yaml::Place;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::fmt::Write as _;

/// How much of an offending line is shown, in characters.
const SHOWN: usize = 100;

/// One thing wrong with a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// 1-based; 0 where the problem is the whole file, or a value that stands in no file.
    pub line: u32,
    /// 1-based, in characters; 0 with `line` 0.
    pub column: u32,
    /// The key it is about, such as `overrides[0].paths`; empty for the whole file.
    pub key: String,
    /// One line: what is wrong.
    pub title: String,
    /// What to do about it; perhaps empty.
    pub help: String,
    excerpt: Option<Excerpt>,
}

/// The part of the line that is shown, and what is marked in it (characters).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    text: String,
    from: usize,
    to: usize,
}

/// How much of the offending line may be seen: what stands beside a key can be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Line,
    Mark,
    Nothing,
}

impl ConfigProblem {
    pub(crate) fn new(key: impl Into<String>, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { line: 0, column: 0, key: key.into(), title: title.into(), help: help.into(), excerpt: None }
    }

    /// It on one line: place, what is wrong, what to do.
    pub fn brief(&self) -> String {
        let place = if self.line > 0 { format!("line {}: ", self.line) } else { String::new() };
        let key = if self.key.is_empty() { String::new() } else { format!("`{}`: ", self.key) };
        let help = if self.help.is_empty() { String::new() } else { format!(". {}", self.help) };
        format!("{place}{key}{}{help}", self.title)
    }

    /// Places it in `lines`, the lines of the file.
    pub(crate) fn at(mut self, place: Place, lines: &[&str], show: Show) -> Self {
        let Some(line) = place.line.checked_sub(1).and_then(|i| lines.get(i as usize)) else { return self };
        (self.line, self.column) = (place.line, place.column.max(1));
        let start = self.column as usize - 1;
        let skip = start.saturating_sub(SHOWN / 2);
        let text: String = line.chars().skip(skip).take(SHOWN).map(clean).collect();
        let count = text.chars().count();
        let from = (start - skip).min(count);
        let to = (from + (place.width as usize).max(1)).min(count).max(from);
        self.excerpt = match show {
            Show::Line => Some(Excerpt { text, from, to }),
            Show::Mark => {
                let marked = |(i, c)| if (from..to).contains(&i) { c } else { ' ' };
                Some(Excerpt { text: text.chars().take(to).enumerate().map(marked).collect(), from, to })
            }
            Show::Nothing => None,
        };
        self
    }

    /// On one line, for notes and logs: `.tribune.yaml:3:1: unknown key `tires` (did you mean `tiers`?)`.
    pub fn one_line(&self, file: &str) -> String {
        let mut out = file.to_owned();
        if self.line > 0 {
            let _ = write!(out, ":{}:{}", self.line, self.column);
        }
        let _ = write!(out, ": {}", self.title);
        if !self.help.is_empty() {
            let _ = write!(out, " ({})", self.help);
        }
        out
    }

    /// As several lines for a terminal, with the offending line and a caret. No colour; ends without a line end.
    pub fn render(&self, file: &str) -> String {
        let mut group = annotate_snippets::Group::with_title(Level::ERROR.primary_title(&self.title));
        match &self.excerpt {
            Some(excerpt) => {
                let byte = |n: usize| excerpt.text.char_indices().nth(n).map_or(excerpt.text.len(), |(i, _)| i);
                let mark = AnnotationKind::Primary.span(byte(excerpt.from)..byte(excerpt.to));
                group = group.element(Snippet::source(&excerpt.text).path(file).line_start(self.line as usize).annotation(mark));
            }
            None => {
                let mut origin = annotate_snippets::Origin::path(file);
                if self.line > 0 {
                    origin = origin.line(self.line as usize).char_column(self.column as usize);
                }
                group = group.element(origin);
            }
        }
        if !self.help.is_empty() {
            group = group.element(Level::HELP.message(&self.help));
        }
        Renderer::plain().render(&[group])
    }
}

/// One visible character for each, so that columns stay.
fn clean(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || crate::path::is_invisible(c) => '\u{fffd}',
        c => c,
    }
}

/// A stranger's text in a message: quoted, escaped, at most 40 characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut out: String =
        text.chars().take(40).flat_map(|c| if crate::path::is_invisible(c) { '\u{fffd}'.escape_debug() } else { c.escape_debug() }).collect();
    if text.chars().nth(40).is_some() {
        out.push('…');
    }
    format!("`{out}`")
}

/// The nearest of `names` to `wrong`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > 64 {
        return None;
    }
    let folded = wrong.to_lowercase().replace('-', "_");
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&folded, &name.to_lowercase().replace('-', "_")), name))
        .filter(|(distance, name)| *distance <= (name.len().max(folded.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["tiers", "noise", "fail_on", "min_confidence"];
        let found: Vec<_> = ["tires", "fail-on", "failon", "confidence", "x", "min_confidance", "Noise"].iter().map(|w| nearest(w, names)).collect();
        assert_eq!(found, [Some("tiers"), Some("fail_on"), Some("fail_on"), Some("min_confidence"), None, Some("min_confidence"), Some("noise")]);
    }

    #[test]
    fn shows_the_place_of_a_hostile_line() {
        let line = format!("{}: \u{1b}[31m\u{202e}x{}", "k".repeat(300), "y".repeat(90_000));
        let problem = ConfigProblem::new("k", "unknown key", "take it out").at(Place { line: 1, column: 303, width: 9 }, &[&line], Show::Line);
        let shown = problem.render(".tribune.yaml");
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}') && shown.len() < 800, "{shown}");
        assert!(quoted(&line).len() < 60);
    }
}
