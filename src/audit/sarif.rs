//! The audit as SARIF 2.1.0: one result for each place that breaks a rule; waived ones are suppressed results.

use super::report::{Audit, RuleResult, Shows};
use crate::path::RepoPath;
use crate::report::sarif::{level, log, message_text};
use crate::report::sarif_uri;
use crate::rules::RuleStatus;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The log, pretty-printed.
pub fn sarif(audit: &Audit) -> String {
    let rules: Vec<&RuleResult> = audit.rules.iter().filter(|r| told(r).next().is_some()).collect();
    let results: Vec<Value> = rules.iter().enumerate().flat_map(|(i, r)| told(r).map(move |e| result(i, r, e))).collect();
    let log = log("tribune-audit/", &audit.provenance.tribune, rules.iter().map(|r| rule(r)).collect(), results);
    format!("{}\n", serde_json::to_string_pretty(&log).expect("a log is JSON"))
}

/// The places of a rule that are results: not those of a rule on trial.
fn told(rule: &RuleResult) -> impl Iterator<Item = &super::report::Evidence> {
    let shown = rule.status != RuleStatus::Trial;
    rule.evidence.iter().filter(move |e| shown && e.shows != Shows::Kept)
}

fn rule(rule: &RuleResult) -> Value {
    let mut out = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": [rule.category.label()] },
    });
    if let Some(url) = &rule.url {
        out["helpUri"] = json!(url);
    }
    out
}

fn result(index: usize, rule: &RuleResult, evidence: &super::report::Evidence) -> Value {
    let mut text = rule.title.clone();
    for more in [&evidence.note, &rule.remediation].into_iter().flatten() {
        text.push_str(&format!("\n\n{more}"));
    }
    let mut hash = Sha256::new();
    for part in [&rule.id, &evidence.path, &evidence.quote] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let print: String = hash.finalize()[..16].iter().map(|b| format!("{b:02x}")).collect();
    let mut out = json!({
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": level(rule.severity),
        "message": { "text": message_text(&text) },
        "partialFingerprints": { "tribune/v1": print },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": sarif_uri(&RepoPath::from(evidence.path.as_str())), "uriBaseId": "SRCROOT" },
            "region": { "startLine": evidence.start_line, "endLine": evidence.end_line },
        }}],
    });
    if evidence.shows == Shows::Waived {
        out["suppressions"] = json!([{ "kind": "external", "status": "accepted" }]);
    }
    out
}
