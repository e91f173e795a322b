//! The audit for people: what fails first, a table by category, the worst rules first, everything that is long folded.

use super::report::{Audit, CheckedBy, Evidence, Part, RuleResult, Shows, Verdict};
use super::verdict::fails;
use crate::findings::sanitize::{code_fence, code_span, inline, markdown as prose, no_commands};
use crate::findings::{Category, Severity};
use crate::report::{Outcome, count};
use crate::rules::{RuleLevel, RuleStatus};
use std::cmp::Reverse;
use std::fmt::Write as _;

/// The order and the words of the verdicts.
const VERDICTS: [(Verdict, &str); 5] = [
    (Verdict::NonCompliant, "NON-COMPLIANT"),
    (Verdict::Partial, "PARTIAL"),
    (Verdict::NotAssessed, "NOT ASSESSED"),
    (Verdict::Compliant, "COMPLIANT"),
    (Verdict::NotApplicable, "NOT APPLICABLE"),
];
/// Places of a rule that are quoted; of further ones the count.
const QUOTED: usize = 10;
/// Bytes of the whole. What comes after is in the JSON report.
const MAX_BYTES: usize = 900_000;

/// The report as Markdown.
pub fn markdown(audit: &Audit) -> String {
    let mut out = head(audit);
    let mut rules: Vec<&RuleResult> = audit.rules.iter().collect();
    rules.sort_by_key(|r| {
        (r.verdict, !fails(r, audit.fail_on), r.status == RuleStatus::Trial, r.level != RuleLevel::Must, Reverse(r.severity), &r.id)
    });
    for (verdict, word) in VERDICTS {
        let of: Vec<&&RuleResult> = rules.iter().filter(|r| r.verdict == verdict).collect();
        if of.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {word} ({})\n\n", of.len());
        if matches!(verdict, Verdict::Compliant | Verdict::NotApplicable) {
            let _ = write!(out, "<details><summary>{} rules</summary>\n\n", of.len());
            of.iter().for_each(|r| out.push_str(&line(r)));
            out.push_str("\n</details>\n");
            continue;
        }
        for rule in of {
            let text = entry(audit, rule);
            if out.len() + text.len() > MAX_BYTES {
                let _ = write!(out, "\nThe rest is in the JSON report (`--format json`).\n");
                return no_commands(&out);
            }
            out.push_str(&text);
        }
    }
    out.push_str(&coverage(audit));
    no_commands(&out)
}

fn head(audit: &Audit) -> String {
    let failing = audit.rules.iter().filter(|r| fails(r, audit.fail_on)).count();
    let outcome = match (audit.outcome, failing) {
        (Outcome::Fail, 1) => "1 binding rule is broken".to_owned(),
        (Outcome::Fail, n) => format!("{n} binding rules are broken"),
        (Outcome::Inconclusive, _) => "inconclusive".to_owned(),
        (Outcome::Pass, _) => "no binding rule is broken badly enough to fail".to_owned(),
    };
    let gate = audit.fail_on.map_or("nothing fails this audit".to_owned(), |s| format!("fails from {} on", name(s)));
    let place = if audit.tree.path.is_empty() { String::new() } else { format!(" {} of", code_span(&audit.tree.path)) };
    let shard = audit.shard.map(|s| format!(", shard {} of {}", s.index, s.of)).unwrap_or_default();
    let mut out = format!("# Audit:{place} {}{shard}\n\n**{outcome}** ({gate}). ", inline(&audit.tree.label));
    let _ = write!(out, "{} rules, {} files with {} lines.\n\n", audit.rules.len(), audit.coverage.looked, audit.coverage.lines);
    audit.incomplete.iter().for_each(|line| out.push_str(&format!("- Incomplete: {}\n", inline(line))));
    if let Some(why) = &audit.reviewers.not_asked {
        let n = audit.rules.iter().filter(|r| r.verdict == Verdict::NotAssessed).count();
        let _ = writeln!(out, "- {n} rules without a detector are not assessed. {}", inline(why));
    }
    let changes = audit.rules.iter().filter(|r| r.checked_by == CheckedBy::Change).count();
    if changes > 0 {
        let _ = writeln!(out, "- {} left out: what they are about is a change, and reviews check them.", count(changes, "rule"));
    }
    audit.notes.iter().for_each(|line| out.push_str(&format!("- {}\n", inline(line))));
    out.push_str("\n| | non-compliant | partial | not assessed | compliant | not applicable |\n|---|--:|--:|--:|--:|--:|\n");
    let row = |label: &str, of: &dyn Fn(&&RuleResult) -> bool| {
        let cells: Vec<String> = VERDICTS
            .iter()
            .map(|(v, _)| match audit.rules.iter().filter(|r| of(r) && r.verdict == *v).count() {
                0 => String::new(),
                n => n.to_string(),
            })
            .collect();
        format!("| {label} | {} |\n", cells.join(" | "))
    };
    for category in Category::ALL {
        if audit.rules.iter().any(|r| r.category == category) {
            out.push_str(&row(category.label(), &|r| r.category == category));
        }
    }
    out.push_str(&row("**all**", &|_| true));
    out
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Important => "important",
        Severity::Suggestion => "suggestion",
        Severity::Nit => "optional nit",
    }
}

/// `SEC-PY-003` linked to its text.
fn id(rule: &RuleResult) -> String {
    let safe = |url: &&String| url.starts_with("https://") && url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"`'()[]".contains(&b));
    match rule.url.as_ref().filter(safe) {
        Some(url) => format!("[{}]({url})", inline(&rule.id)),
        None => inline(&rule.id),
    }
}

fn line(rule: &RuleResult) -> String {
    let reason = rule.reason.as_ref().map(|r| format!(" ({})", inline(r))).unwrap_or_default();
    let files = if rule.files == 1 { "1 file".to_owned() } else { format!("{} files", rule.files) };
    let files = if rule.verdict == Verdict::Compliant { format!(" · {files}") } else { String::new() };
    format!("- {}: {}{files}{reason}\n", id(rule), inline(&rule.title))
}

fn entry(audit: &Audit, rule: &RuleResult) -> String {
    let level = if rule.level == RuleLevel::Must { "must" } else { "should" };
    let status = match rule.status {
        RuleStatus::Enforced => "",
        RuleStatus::Advisory => ", advisory",
        RuleStatus::Trial => ", on trial",
    };
    let fails = if fails(rule, audit.fail_on) { " **fails**" } else { "" };
    let mut out = format!("### {} {}\n\n{level}, {}{status}{fails}", id(rule), inline(&rule.title), name(rule.severity));
    if rule.places + rule.waived > 0 {
        let _ = write!(out, " · {} places in {} of {} files", rule.places, rule.files_broken, rule.files);
        if rule.waived > 0 {
            let _ = write!(out, ", {} waived", rule.waived);
        }
    } else {
        let _ = write!(out, " · {} files", rule.files);
    }
    for (label, value) in [("source", &rule.source), ("owner", &rule.owner)] {
        if let Some(value) = value {
            let _ = write!(out, " · {label}: {}", inline(value));
        }
    }
    out.push('\n');
    if let Some(reason) = &rule.reason {
        let _ = write!(out, "\n{}\n", inline(reason));
    }
    if let Some(remedy) = &rule.remediation {
        let _ = write!(out, "\n{}\n", prose(remedy));
    }
    out.push_str(&evidence(rule));
    out.push_str(&opinions(rule));
    out.push('\n');
    out
}

fn evidence(rule: &RuleResult) -> String {
    if rule.evidence.is_empty() {
        return String::new();
    }
    let mut out = "\n<details><summary>Evidence</summary>\n\n".to_owned();
    for e in rule.evidence.iter().take(QUOTED) {
        out.push_str(&place(e));
    }
    let all = usize::try_from(rule.places + rule.waived).unwrap_or(usize::MAX).max(rule.evidence.len());
    if all > QUOTED {
        let _ = write!(out, "and {} more\n\n", all - QUOTED);
    }
    out.push_str("</details>\n");
    out
}

fn place(e: &Evidence) -> String {
    let lines = if e.start_line == e.end_line { format!(":{}", e.start_line) } else { format!(":{}-{}", e.start_line, e.end_line) };
    let what = match e.shows {
        Shows::Breach => "",
        Shows::Waived => " waived",
        Shows::Kept => " kept",
    };
    let note = e.note.as_ref().map(|n| format!(": {}", inline(n))).unwrap_or_default();
    format!("{}{what}{note}\n\n{}\n", code_span(&format!("{}{lines}", e.path)), code_fence(&e.quote, ""))
}

/// Where the auditors differ, cannot tell or did not judge: who said what. Elsewhere the verdict says it.
fn opinions(rule: &RuleResult) -> String {
    let open = |p: &&Part| p.verdict == Verdict::NotAssessed;
    let told: Vec<&Part> = rule.parts.iter().filter(|p| p.disagreed || p.failed.is_some() || open(p)).collect();
    if rule.checked_by != CheckedBy::Reviewers || told.is_empty() {
        return String::new();
    }
    let counts = [
        ("differ on", told.iter().filter(|p| p.disagreed).count()),
        ("cannot tell in", told.iter().filter(|p| p.failed.is_none() && open(p)).count()),
        ("did not judge", told.iter().filter(|p| p.failed.is_some()).count()),
    ];
    let counts: Vec<String> = counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what} {n}")).collect();
    let mut out = format!("\n<details><summary>The auditors {} of {} parts</summary>\n\n", counts.join(", "), rule.parts.len());
    for part in told {
        let _ = write!(out, "Part {} ({} files): {}", part.part, part.files, word(part.verdict));
        if let Some(why) = &part.failed {
            let _ = write!(out, ", {}", inline(why));
        }
        out.push('\n');
        for o in &part.opinions {
            let _ = writeln!(out, "- {}: {}. {}", inline(&o.reviewer), word(o.verdict), inline(&o.why));
        }
        out.push('\n');
    }
    out.push_str("</details>\n");
    out
}

fn word(verdict: Verdict) -> &'static str {
    VERDICTS.iter().find(|(v, _)| *v == verdict).map_or("", |(_, word)| word)
}

fn coverage(audit: &Audit) -> String {
    let c = &audit.coverage;
    let mut out = "\n## What was looked at\n\n".to_owned();
    let _ = writeln!(out, "- {} files with {} lines", c.looked, c.lines);
    for left in &c.left_out {
        let _ = writeln!(out, "- {} files left out: {}", left.files, inline(&left.reason));
    }
    if audit.reviewers.requests > 0 {
        let r = &audit.reviewers;
        let cost = r.cost_usd.map(|usd| format!(", ${usd:.2}")).unwrap_or_default();
        let models: Vec<String> = r.models.iter().map(|m| inline(m)).collect();
        let _ = writeln!(
            out,
            "- Models ({}): {} requests, {} input tokens ({} from cache), {} output tokens{cost}",
            models.join(", "),
            r.requests,
            r.input_tokens,
            r.cached_tokens,
            r.output_tokens
        );
    }
    for (label, list) in [("not looked at wholly", &c.partial), ("could not be read", &c.failed)] {
        if !list.is_empty() {
            let _ = write!(out, "\n<details><summary>{} files {label}</summary>\n\n", list.len());
            list.iter().for_each(|u| out.push_str(&format!("- {}: {}\n", code_span(&u.path), inline(&u.reason))));
            out.push_str("\n</details>\n");
        }
    }
    out
}
