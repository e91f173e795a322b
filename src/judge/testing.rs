//! Findings for tests.

use crate::diff::Side;
use crate::findings::fingerprint::fingerprint;
use crate::findings::{Anchor, Category, Finding, FindingSource, FindingStatus, Lines, RuleRef, Severity};
use crate::path::RepoPath;
use crate::rules::RuleStatus;

/// A model's finding at `a.rs:start-end` whose quote is `code`.
pub(crate) fn told(reviewer: &str, severity: Severity, title: &str, code: &str, start: u32, end: u32) -> Finding {
    Finding {
        fingerprint: fingerprint(None, code, None, 0),
        severity,
        category: Category::Quality,
        reviewer: reviewer.to_owned(),
        also: Vec::new(),
        source: FindingSource::Model,
        title: title.to_owned(),
        body: format!("{title}, at length."),
        trigger: None,
        cause: None,
        rule: None,
        path: RepoPath::from("a.rs"),
        old_path: None,
        side: Side::New,
        anchor: Anchor::Exact(Lines { start, end, old_line: None }),
        quote: code.to_owned(),
        suggestion: None,
        confidence: None,
        status: FindingStatus::New,
    }
}

/// A rule's hit.
pub(crate) fn hit(id: &str, status: RuleStatus, severity: Severity, code: &str, start: u32, end: u32) -> Finding {
    let mut f = told("rules", severity, &format!("Rule {id}"), code, start, end);
    f.source = FindingSource::Rule;
    cite(f, id, status)
}

/// The same finding, citing a rule.
pub(crate) fn cite(mut f: Finding, id: &str, status: RuleStatus) -> Finding {
    f.fingerprint = fingerprint(Some(id), &f.quote, None, 0);
    f.rule = Some(RuleRef { id: id.to_owned(), status, source: None, url: None, owner: None });
    f
}

/// Findings on one line each.
pub(crate) fn show(findings: &[Finding]) -> String {
    let mut out = Vec::new();
    for f in findings {
        let lines = f.anchor.lines().map(|l| format!(":{}-{}", l.start, l.end)).unwrap_or_default();
        let rule = f.rule.as_ref().map(|r| format!(" [{}]", r.id)).unwrap_or_default();
        let also = if f.also.is_empty() { String::new() } else { format!(" +{}", f.also.join("+")) };
        out.push(format!("{:?} {:?} {}{lines} {}{rule} ({}{also})", f.severity, f.category, f.path, f.title, f.reviewer));
    }
    out.join("\n")
}
