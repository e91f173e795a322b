//! A page of terminal text: lines made of styled parts, each cleaned before it is styled, so that the only control
//! sequences in the output are ours.

use crate::findings::Severity;
use crate::report::clean;
use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthChar;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const HEADING: Style = Style::new().bold().underline();
pub(super) const PATH: Style = AnsiColor::Cyan.on_default();
pub(super) const OLD: Style = AnsiColor::Red.on_default();
pub(super) const NEW: Style = AnsiColor::Green.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// The colour of a severity; its word is always there too.
pub(super) fn of(severity: Severity) -> Style {
    match severity {
        Severity::Critical => BAD,
        Severity::Important => WARN,
        Severity::Suggestion => AnsiColor::Cyan.on_default().bold(),
        Severity::Nit => DIM,
    }
}

/// Text for a terminal, growing line by line.
pub(super) struct Page {
    out: String,
    color: bool,
    /// Columns of prose.
    pub(super) width: usize,
}

impl Page {
    pub(super) fn new(color: bool, width: usize) -> Self {
        Self { out: String::new(), color, width }
    }

    /// One line. Line ends inside a part become blanks.
    pub(super) fn line(&mut self, parts: &[(&str, Style)]) {
        for (text, style) in parts {
            let text = clean::terminal(text).replace(['\n', '\t'], " ");
            if self.color && *style != PLAIN && !text.trim().is_empty() {
                self.out.push_str(&format!("{style}{text}{style:#}"));
            } else {
                self.out.push_str(&text);
            }
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// An empty line, unless there is one already.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A paragraph, wrapped, its first line after `first`, the others after `rest`. The first `lead` bytes have a style of their own.
    pub(super) fn paragraph(&mut self, first: &str, rest: &str, lead: (&str, Style), text: &str, style: Style) {
        let whole = format!("{}{text}", lead.0);
        // Line breaking by Unicode's rules also breaks paths and addresses at each `/`, so only where there may be no blanks.
        let wide = whole.chars().any(|c| c.width() == Some(2));
        let separator = if wide { WordSeparator::UnicodeBreakProperties } else { WordSeparator::AsciiSpace };
        let options = Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_separator(separator)
            .wrap_algorithm(WrapAlgorithm::FirstFit)
            .word_splitter(WordSplitter::NoHyphenation);
        for (i, line) in textwrap::wrap(&whole, options).iter().enumerate() {
            let split = first.len() + lead.0.trim_end().len();
            match line.get(..split).filter(|_| i == 0 && !lead.0.is_empty()) {
                Some(head) => self.line(&[(head, lead.1), (&line[split..], style)]),
                None => self.line(&[(line, style)]),
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}
