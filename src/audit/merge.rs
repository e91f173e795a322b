//! Puts the reports of shards together to the report that one run would have given.

use super::report::{Audit, Coverage, LeftOut, Provenance, Reviewers, RuleResult, SCHEMA};
use super::verdict::finish;
use crate::error::UserError;
use crate::findings::Severity;
use std::collections::BTreeMap;

/// Merges shards, in any order. Fails (exit 2) where they are not the shards of one audit; missing ones make the result incomplete.
pub fn merge(mut shards: Vec<Audit>) -> Result<Audit, UserError> {
    let fix = "Merge the JSON reports of one audit: the same tree, rules, options and version, each shard once.";
    let wrong = |why: String| UserError::usage("these reports do not belong together", why, fix);
    if let Some(other) = shards.iter().find(|s| s.schema != SCHEMA) {
        return Err(wrong(format!("one is `{}`, not `{SCHEMA}`", crate::path::RepoPath::from(other.schema.as_str()).display())));
    }
    shards.sort_by_key(|s| s.shard.map_or(0, |s| s.index));
    let Some((first, rest)) = shards.split_first() else { return Err(wrong("there are none".to_owned())) };
    let Some(of) = first.shard.map(|s| s.of) else { return Err(wrong("one of them is a whole audit, not a shard".to_owned())) };
    for (before, shard) in shards.iter().zip(rest) {
        let same = [
            ("the tree", shard.tree == first.tree),
            ("what made them", made_alike(&shard.provenance, &first.provenance)),
            ("`--fail-on`", shard.fail_on == first.fail_on),
            ("the number of shards", shard.shard.map(|s| s.of) == Some(of)),
            ("whether reviewers were asked", shard.reviewers.not_asked == first.reviewers.not_asked),
            ("the rules", shard.rules.iter().map(|r| &r.id).eq(first.rules.iter().map(|r| &r.id))),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            return Err(wrong(format!("{what} differs")));
        }
        if shard.shard == before.shard {
            return Err(wrong(format!("shard {} of {of} is there twice", before.shard.map_or(0, |s| s.index))));
        }
    }
    let numbers: Vec<u32> = shards.iter().filter_map(|s| s.shard).map(|s| s.index).collect();
    if numbers.iter().any(|n| !(1..=of).contains(n)) {
        return Err(wrong(format!("a shard is not one of {of}")));
    }
    // What a shard concludes from its own part is concluded anew.
    let own = ["Reviewers did not judge all that they should have.", "Files could not be read."];
    let mut out = Audit { shard: None, rules: Vec::new(), coverage: Coverage::default(), reviewers: Reviewers::default(), ..first.clone() };
    out.incomplete = shards.iter().flat_map(|s| &s.incomplete).filter(|line| !own.contains(&line.as_str())).cloned().collect();
    out.notes = shards.iter().flat_map(|s| &s.notes).cloned().collect();
    for (i, source) in out.provenance.rules.iter_mut().enumerate() {
        source.cached = shards.iter().any(|s| s.provenance.rules.get(i).is_some_and(|r| r.cached));
    }
    if numbers.len() < of as usize {
        let missing: Vec<String> = (1..=of).filter(|n| !numbers.contains(n)).map(|n| n.to_string()).collect();
        out.incomplete.push(format!("Shards are missing: {} of {of}.", missing.join(", ")));
    }
    out.reviewers = reviewers(&shards);
    out.coverage = coverage(&shards);
    let mut rules: BTreeMap<String, RuleResult> = BTreeMap::new();
    for rule in shards.into_iter().flat_map(|s| s.rules) {
        match rules.get_mut(&rule.id) {
            Some(sum) => add(sum, rule),
            None => drop(rules.insert(rule.id.clone(), rule)),
        }
    }
    out.rules = rules.into_values().collect();
    finish(&mut out);
    Ok(out)
}

/// Whether two shards were made by the same: one machine may have had a source in its cache that another fetched.
fn made_alike(one: &Provenance, other: &Provenance) -> bool {
    let fetched = |made: &Provenance| {
        let mut made = made.clone();
        made.rules.iter_mut().for_each(|source| source.cached = false);
        made
    };
    fetched(one) == fetched(other)
}

/// The same audit, judged by another threshold.
pub fn with_threshold(mut audit: Audit, fail_on: Option<Severity>) -> Audit {
    audit.fail_on = fail_on;
    finish(&mut audit);
    audit
}

fn add(sum: &mut RuleResult, other: RuleResult) {
    sum.files += other.files;
    sum.files_broken += other.files_broken;
    sum.places += other.places;
    sum.waived += other.waived;
    sum.severity = sum.severity.max(other.severity);
    sum.evidence.extend(other.evidence);
    sum.parts.extend(other.parts);
    sum.remediation = better(sum.remediation.take(), other.remediation);
}

/// Of two texts the same one whoever comes first: the longer, then the first by bytes.
pub(super) fn better(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if (b.len(), &a) > (a.len(), &b) { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn coverage(shards: &[Audit]) -> Coverage {
    let mut left_out: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in shards.iter().flat_map(|s| &s.coverage.left_out) {
        *left_out.entry(&entry.reason).or_default() += entry.files;
    }
    let all = || shards.iter().map(|s| &s.coverage);
    Coverage {
        looked: all().map(|c| c.looked).sum(),
        lines: all().map(|c| c.lines).sum(),
        left_out: left_out.into_iter().map(|(reason, files)| LeftOut { reason: reason.to_owned(), files }).collect(),
        partial: all().flat_map(|c| c.partial.iter().cloned()).collect(),
        failed: all().flat_map(|c| c.failed.iter().cloned()).collect(),
    }
}

fn reviewers(shards: &[Audit]) -> Reviewers {
    let all = || shards.iter().map(|s| &s.reviewers);
    // In whole billionths, so that the order of adding does not matter.
    let billionths = |r: &Reviewers| r.cost_usd.map(|usd| (usd * 1e9).round());
    // A shard that asked nothing has no cost to know.
    let costs: Vec<Option<f64>> = all().filter(|r| r.requests > 0).map(billionths).collect();
    Reviewers {
        not_asked: all().find_map(|r| r.not_asked.clone()),
        models: all().flat_map(|r| r.models.iter().cloned()).collect(),
        requests: all().map(|r| r.requests).sum(),
        input_tokens: all().map(|r| r.input_tokens).sum(),
        cached_tokens: all().map(|r| r.cached_tokens).sum(),
        output_tokens: all().map(|r| r.output_tokens).sum(),
        cost_usd: if costs.is_empty() { None } else { costs.into_iter().sum::<Option<f64>>().map(|sum| sum / 1e9) },
    }
}
