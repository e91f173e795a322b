//! A text that is parsed at most once, whoever asks for its tree.

use super::{Lang, Parsed};
use crate::path::RepoPath;
use crate::text::FileText;
use std::sync::OnceLock;

/// A file's text on one side, with its language and, once somebody asked, its syntax tree.
pub struct Source {
    text: FileText,
    lang: Option<Lang>,
    parsed: OnceLock<Option<Parsed>>,
}

impl Source {
    /// The text of the file at `path`, whose language the path names.
    pub fn new(path: &RepoPath, text: FileText) -> Self {
        Self { text, lang: Lang::of(path), parsed: OnceLock::new() }
    }

    /// A text in a language that is known otherwise.
    pub fn in_lang(lang: Lang, text: FileText) -> Self {
        Self { text, lang: Some(lang), parsed: OnceLock::new() }
    }

    /// The text.
    pub fn text(&self) -> &FileText {
        &self.text
    }

    /// Its language, where it has a grammar.
    pub fn lang(&self) -> Option<Lang> {
        self.lang
    }

    /// Its tree, see [`Lang::parse`]; `None` without a grammar too.
    pub fn parsed(&self) -> Option<&Parsed> {
        self.parsed.get_or_init(|| self.lang?.parse(self.text.as_str())).as_ref()
    }
}
