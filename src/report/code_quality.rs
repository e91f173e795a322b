//! GitLab's Code Quality report: a flat list. It needs no token, so it is the best output for forks.

use super::{Review, Sources, WriteOptions};
use crate::findings::sanitize::terminal as clean;
use crate::findings::{Anchor, Severity};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the list. A finding without lines stands on line 1 of its file; one without a file is left out, since the
/// format has no place for it (the other formats have it).
pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut seen = std::collections::BTreeMap::new();
    let list: Vec<Value> = review
        .findings
        .iter()
        .filter(|f| f.anchor != Anchor::None)
        .map(|f| {
            // Equal fingerprints would hide one another.
            let nth: &mut usize = seen.entry(f.fingerprint.clone()).or_default();
            *nth += 1;
            let fingerprint = if *nth == 1 { f.fingerprint.clone() } else { format!("{}-{nth}", f.fingerprint) };
            let severity = match f.severity {
                Severity::Critical => "critical",
                Severity::Important => "major",
                Severity::Suggestion => "minor",
                Severity::Nit => "info",
            };
            json!({
                "description": format!("{}: {}", f.severity.label(), clean(&f.title).replace('\n', " ")),
                "check_name": f.rule.as_ref().map_or_else(|| format!("tribune-{}", f.reviewer), |r| r.id.clone()),
                "fingerprint": fingerprint,
                "severity": severity,
                "location": {"path": f.path.display(), "lines": {"begin": f.anchor.lines().map_or(1, |l| l.start)}},
            })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &list)?;
    out.write_all(b"\n")
}
