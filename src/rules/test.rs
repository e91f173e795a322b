//! What `rules test` runs: every detector on its rule's own examples. It must hit every Bad and no Good.

use super::markdown::Example;
pub use super::markdown::ExampleKind;
use super::problem::shown;
use super::scan::scan_one;
use super::set::Entry;
use super::{Rule, RuleSet};
use crate::lang::Lang;
use crate::path::RepoPath;
use crate::text::FileText;

/// What came of one example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleResult {
    /// The rule's id.
    pub rule_id: String,
    /// The rule's file in its source.
    pub file: String,
    /// The line of the example's fence in it, 1-based.
    pub line: u32,
    /// What was expected.
    pub kind: ExampleKind,
    /// What happened.
    pub outcome: Outcome,
}

/// What the detector did with an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What was expected.
    Passed,
    /// It did not hit a Bad.
    Missed,
    /// It hit a Good, on these lines of the example.
    FalseAlarm(Vec<u32>),
    /// The example could not be run, for this reason.
    NotRun(String),
}

/// Runs the examples of all rules with a detector that `filter` lets through, by rule id and line.
pub fn run(set: &RuleSet, filter: impl Fn(&Rule) -> bool) -> Vec<ExampleResult> {
    // A fact is about a whole tree, which no example can be; tests of our own make such trees.
    let tested = set.entries.values().filter(|e| e.loaded.file.detect.as_ref().is_some_and(|d| d.fact.is_none()) && filter(&e.rule));
    tested.flat_map(|entry| entry.loaded.file.examples.iter().map(|example| run_one(entry, example))).collect()
}

fn run_one(entry: &Entry, example: &Example) -> ExampleResult {
    let outcome = match hits(entry, example) {
        Err(reason) => Outcome::NotRun(reason),
        Ok(lines) => match example.kind {
            ExampleKind::Bad if lines.is_empty() => Outcome::Missed,
            ExampleKind::Good if !lines.is_empty() => Outcome::FalseAlarm(lines),
            _ => Outcome::Passed,
        },
    };
    ExampleResult {
        rule_id: entry.rule.id.clone(),
        file: entry.loaded.path.clone(),
        line: u32::try_from(example.line).unwrap_or(u32::MAX),
        kind: example.kind,
        outcome,
    }
}

/// The lines that the detector hits. A path in the fence counts as in a change; without one the rule's paths are left aside.
fn hits(entry: &Entry, example: &Example) -> Result<Vec<u32>, String> {
    let path = example.path.as_deref().map(RepoPath::from);
    let lang = path.as_ref().and_then(Lang::of).or_else(|| Lang::of_fence(&example.tag));
    let langs = &entry.loaded.file.langs;
    if !langs.is_empty() {
        let lang = lang.ok_or_else(|| match example.tag.as_str() {
            "" => "the fence names no language".to_owned(),
            tag => format!("`{}` is no language that can be parsed", shown(tag)),
        })?;
        if !langs.contains(&lang) {
            return Err(format!("the rule is not about {}", lang.name()));
        }
        if let Some(Err(error)) = entry.loaded.pattern(lang) {
            return Err(error.to_owned());
        }
    }
    if path.is_some_and(|p| !entry.loaded.applies(&p, lang)) {
        return Ok(Vec::new());
    }
    let scan = scan_one(entry, lang, &FileText::whole(example.code.as_bytes()));
    match scan.bound {
        Some(bound) => Err(bound),
        None => Ok(scan.hits.iter().map(|h| h.start).collect()),
    }
}
