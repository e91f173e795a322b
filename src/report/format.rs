//! Which formats there are, and the one call that writes any of them. A new format is a file with a
//! `write` of its own, its `mod` line, and a line in the list below.

use super::{Review, Sources};
use std::fmt;
use std::io;
use std::str::FromStr;

/// How a format may look. Formats for machines use none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// ANSI colours. The caller decides: a terminal, no `NO_COLOR`, `--color`.
    pub color: bool,
    /// The terminal's columns. Prose is wrapped at 100 even where there are more; under 40 counts as 40.
    pub width: usize,
    /// Everything in full: what was dropped, every filtered file, every reviewer, every tier reason.
    pub verbose: bool,
}

impl Default for WriteOptions {
    /// Plain text of 80 columns.
    fn default() -> Self {
        Self { color: false, width: 80, verbose: false }
    }
}

type Writer = fn(&Review, &Sources, &WriteOptions, &mut dyn io::Write) -> io::Result<()>;

macro_rules! formats {
    ($($(#[$doc:meta])+ $variant:ident = $module:ident,)+) => {
        /// A format that a review is told in. Its name is the variant's in kebab-case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
        pub enum Format {
            $($(#[$doc])+ $variant,)+
        }

        impl Format {
            fn writer(self) -> Writer {
                match self {
                    $(Format::$variant => super::$module::write,)+
                }
            }
        }
    };
}

formats! {
    /// For a person at a terminal
    Terminal = terminal,
    /// The summary comment of a merge request
    Markdown = markdown,
    /// tribune.report/v1, with everything
    Json = json,
    /// SARIF 2.1.0
    Sarif = sarif,
    /// GitLab Code Quality
    CodeQuality = code_quality,
    /// The reviewdog diagnostic format
    Rdjson = rdjson,
    /// GitHub Actions annotations
    Github = github,
}

/// A format's name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {name:?}; the formats are {}", names())]
pub struct UnknownFormat {
    name: String,
}

fn names() -> String {
    Format::all().map(|f| f.to_string()).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// Every format, in the order of the help text.
    pub fn all() -> impl Iterator<Item = Format> {
        <Format as clap::ValueEnum>::value_variants().iter().copied()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = clap::ValueEnum::to_possible_value(self).expect("no format is hidden from the command line");
        f.write_str(value.get_name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        clap::ValueEnum::from_str(name, false).map_err(|_| UnknownFormat { name: name.to_owned() })
    }
}

/// Writes `review` to `out` as `format`. `sources` gives the code that findings stand in; where it has none, the quote is shown.
/// Fails only when `out` does.
pub fn write(format: Format, review: &Review, sources: &Sources, opts: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    format.writer()(review, sources, opts, out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_contract_is_known() {
        assert_eq!(names(), "terminal, markdown, json, sarif, code-quality, rdjson, github");
        for format in Format::all() {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_right_ones() {
        let error = "html".parse::<Format>().expect_err("there is no such format");
        assert_eq!(error.to_string(), "unknown format \"html\"; the formats are terminal, markdown, json, sarif, code-quality, rdjson, github");
    }
}
