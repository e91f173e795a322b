//! What is wrong with a rule file or a setting, told so that its author can repair it.

use serde_saphyr::{Error, Location};
use std::fmt;

/// Something wrong with a rule. The rule is skipped, the others stay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleProblem {
    /// The rule file's path in its source, or what else holds the fault (`settings`).
    pub file: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: u32,
    /// 1-based, in characters; 0 where the whole line is meant.
    pub column: u32,
    /// One line: what is wrong.
    pub title: String,
    /// What to do about it; may be empty.
    pub help: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.title)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, " ({})", self.help) }
    }
}

/// A problem whose file is still to be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    at: (u32, u32),
    title: String,
    help: String,
}

impl Problem {
    /// At a line (1-based; 0: the whole file).
    pub(super) fn line(line: usize, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at: (number(line as u64), 0), title: title.into(), help: help.into() }
    }

    /// At a place of the YAML.
    pub(super) fn at(place: Location, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at: (number(place.line()), number(place.column())), title: title.into(), help: help.into() }
    }

    /// What the YAML reader refused.
    pub(super) fn yaml(error: &Error) -> Self {
        let error = error.without_snippet();
        let (title, help) = match error {
            Error::SerdeUnknownField { field, expected, .. } => (format!("unknown key `{}`", shown(field)), nearest(field, expected)),
            Error::SerdeUnknownVariant { variant, expected, .. } => (format!("unknown value `{}`", shown(variant)), nearest(variant, expected)),
            // The reader's place for what is not there is somewhere behind it.
            Error::SerdeMissingField { field, .. } => return Self { at: (1, 1), title: format!("`{field}` is missing"), help: String::new() },
            Error::DuplicateMappingKey { key: Some(key), .. } => (format!("`{}` is given twice", shown(key)), String::new()),
            other => (plain(&other.to_string()), String::new()),
        };
        Self::at(error.location().unwrap_or(Location::UNKNOWN), title, help)
    }

    pub(super) fn of_file(self, file: &str) -> RuleProblem {
        RuleProblem { file: file.to_owned(), line: self.at.0, column: self.at.1, title: self.title, help: self.help }
    }
}

/// A help line that names the candidate next to `word`, or all of them where none is near.
pub(super) fn nearest(word: &str, candidates: &[&str]) -> String {
    let score = |c: &&&str| strsim::jaro_winkler(&word.to_lowercase(), &c.to_lowercase());
    let best = candidates.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
    match best {
        Some(best) if score(&best) >= 0.8 => format!("did you mean `{best}`?"),
        Some(_) if candidates.len() <= 20 => format!("one of {}", candidates.join(", ")),
        _ => String::new(),
    }
}

/// A stranger's word for a message: short and on one line.
pub(super) fn shown(word: &str) -> String {
    let clean: String = word.chars().filter(|c| !c.is_control() && !crate::path::is_invisible(*c)).take(60).collect();
    if clean.len() < word.len() { clean + "…" } else { clean }
}

/// The first line of the library's words, without "at line …", which the place says already, and without its jargon.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or("not valid YAML");
    let cut = [" at line ", " at :"].iter().filter_map(|mark| line.rfind(mark)).min().unwrap_or(line.len());
    match line[..cut].trim_end_matches([',', ':', ' ']) {
        "expected sequence start" => "a list is expected here".to_owned(),
        "expected mapping start" => "keys with values are expected here".to_owned(),
        "externally tagged enum expected scalar or mapping" => "a single word is expected here".to_owned(),
        other => other.to_owned(),
    }
}

fn number(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
