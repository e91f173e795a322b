//! Workflow commands of GitHub Actions: annotations on lines, without any token.

use super::{Review, Sources, WriteOptions};
use super::wording::{counts, ledger_line, verdict_words};
use crate::findings::Severity;
use crate::findings::sanitize::terminal as clean;
use std::io::{self, Write};

/// Writes a line per finding and one plain line for the verdict.
pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn Write) -> io::Result<()> {
    for f in &review.findings {
        let command = match f.severity {
            Severity::Critical | Severity::Important => "error",
            Severity::Suggestion => "warning",
            Severity::Nit => "notice",
        };
        let mut properties = format!("file={}", property(&f.path.display()));
        if let Some(l) = f.anchor.lines().filter(|_| f.side == crate::diff::Side::New) {
            properties.push_str(&format!(",line={},endLine={}", l.start, l.end));
        }
        let rule = f.rule.as_ref().map(|r| format!(" ({})", r.id)).unwrap_or_default();
        properties.push_str(&format!(",title={}", property(&format!("{}{rule}", f.severity.label()))));
        writeln!(out, "::{command} {properties}::{}", data(&format!("{}\n{}", clean(&f.title), clean(&f.body))))?;
    }
    writeln!(out, "tribune: {}: {} ({})", verdict_words(review), counts(review), ledger_line(review))
}

/// As the runner's own toolkit escapes a message.
fn data(text: &str) -> String {
    text.trim().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As the runner's own toolkit escapes a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
