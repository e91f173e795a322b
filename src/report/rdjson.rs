//! Reviewdog's diagnostic format (rdjson).

use super::{Review, Sources, WriteOptions};
use crate::findings::sanitize::terminal as clean;
use crate::findings::{Anchor, Finding, Severity};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the result. A finding without a file is left out, since the format has no place for it.
pub(super) fn write(review: &Review, sources: &Sources, _: &WriteOptions, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics: Vec<Value> = review.findings.iter().filter(|f| f.anchor != Anchor::None).map(|f| diagnostic(f, sources)).collect();
    let result = json!({"source": {"name": "tribune"}, "diagnostics": diagnostics});
    serde_json::to_writer_pretty(&mut *out, &result)?;
    out.write_all(b"\n")
}

fn diagnostic(f: &Finding, sources: &Sources) -> Value {
    let severity = match f.severity {
        Severity::Critical | Severity::Important => "ERROR",
        Severity::Suggestion => "WARNING",
        Severity::Nit => "INFO",
    };
    let mut location = json!({"path": f.path.display()});
    let mut d = json!({"message": format!("{}\n{}", clean(&f.title), clean(&f.body)), "severity": severity});
    // Lines of the old side are not in the file that a reader has.
    if let Some(l) = f.anchor.lines().filter(|_| f.side == crate::diff::Side::New) {
        location["range"] = json!({"start": {"line": l.start}, "end": {"line": l.end}});
        if let (Some(text), Some(source)) = (&f.suggestion, sources.get(&f.path, f.side)) {
            // Columns are 1-based and in bytes; the end is exclusive.
            let end = source.line(l.end).map_or(1, |line| line.len() + 1);
            d["suggestions"] = json!([{"range": {"start": {"line": l.start, "column": 1}, "end": {"line": l.end, "column": end}}, "text": text}]);
        }
    }
    d["location"] = location;
    if let Some(rule) = &f.rule {
        d["code"] = match &rule.url {
            Some(url) => json!({"value": rule.id, "url": url}),
            None => json!({"value": rule.id}),
        };
    }
    d
}
