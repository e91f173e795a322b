//! SARIF 2.1.0 (OASIS), for code scanning views.

use super::{Review, Sources, WriteOptions};
use crate::findings::sanitize::terminal as clean;
use crate::findings::{Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes the log.
pub(super) fn write(review: &Review, _: &Sources, _: &WriteOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for f in &review.findings {
        rules.entry(rule_id(f)).or_insert_with(|| rule(f));
    }
    let order: Vec<&String> = rules.keys().collect();
    let results: Vec<Value> = review.findings.iter().map(|f| result(f, order.binary_search(&&rule_id(f)).unwrap_or(0))).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tribune",
                "version": review.provenance.tribune,
                "rules": rules.values().collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "tribune/"},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn rule_id(f: &Finding) -> String {
    f.rule.as_ref().map_or_else(|| format!("tribune/{}", f.reviewer), |r| r.id.clone())
}

fn rule(f: &Finding) -> Value {
    let text = match &f.rule {
        Some(_) if f.source == crate::findings::FindingSource::Rule => clean(&f.title),
        Some(r) => format!("Rule {}", r.id),
        None => format!("Finding of the {} reviewer (a model)", f.reviewer),
    };
    let mut rule = json!({"id": rule_id(f), "shortDescription": {"text": text}});
    if let Some(url) = f.rule.as_ref().and_then(|r| r.url.as_ref()) {
        rule["helpUri"] = json!(url);
    }
    rule
}

fn result(f: &Finding, index: usize) -> Value {
    let level = match f.severity {
        Severity::Critical | Severity::Important => "error",
        Severity::Suggestion => "warning",
        Severity::Nit => "note",
    };
    let mut physical = json!({"artifactLocation": {"uri": uri(f.path.as_bytes()), "uriBaseId": "%SRCROOT%"}});
    if let Some(l) = f.anchor.lines() {
        physical["region"] = json!({"startLine": l.start, "endLine": l.end});
    }
    let trigger = f.trigger.as_ref().map(|t| format!("\n\nWhen: {}", clean(t))).unwrap_or_default();
    json!({
        "ruleId": rule_id(f),
        "ruleIndex": index,
        "level": level,
        "message": {"text": format!("{}\n\n{}{trigger}", clean(&f.title), clean(&f.body))},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"tribune/v1": f.fingerprint},
        "properties": {"severity": f.severity, "category": f.category, "source": f.source},
    })
}

/// A relative URI reference (RFC 3986): all but unreserved characters and `/` percent-encoded, byte by byte.
pub(super) fn uri(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &b in path {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}
