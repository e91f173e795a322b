//! Configuration and rules that the change itself brings are read as data: what is wrong with them is a finding on
//! its line, so that it is mended before it counts (DESIGN 6). They are never in force in this run.

use crate::change::Change;
use crate::config;
use crate::diff::{FileDiff, FileStatus, Side};
use crate::findings::fingerprint::fingerprint;
use crate::findings::texts::MaskedTexts;
use crate::findings::{Anchor, Category, Finding, FindingSource, FindingStatus, Lines, Severity};
use crate::rules::{Origin, RuleSet, check, load};

/// Findings of one file at most.
const MAX_PROBLEMS: usize = 20;

/// One thing wrong with a file that the change brings.
struct Problem {
    line: u32,
    title: String,
    help: String,
}

/// What is wrong with the change's own `.tribune.yaml` and rules.
pub(super) fn validate(change: &Change) -> Vec<Finding> {
    let texts = MaskedTexts::new(change);
    let mut findings = Vec::new();
    for file in change.files.iter().filter(|f| f.status != FileStatus::Deleted) {
        let Some(path) = file.path().as_str() else { continue };
        let problems: Vec<Problem> = if path == config::REPOSITORY_FILE {
            let Some(text) = change.text(file, Side::New).filter(crate::text::FileText::is_whole) else { continue };
            config::validate(text.as_str()).into_iter().map(|p| Problem { line: p.line, title: p.title, help: p.help }).collect()
        } else if path.starts_with(load::REPOSITORY_RULES) && load::is_rule(path) {
            let Some(text) = change.text(file, Side::New).filter(crate::text::FileText::is_whole) else { continue };
            rule_problems(path, text.as_str())
        } else {
            continue;
        };
        findings.extend(problems.into_iter().take(MAX_PROBLEMS).map(|p| finding(&texts, file, p)));
    }
    findings
}

/// The problems of one rule file among the built-in rules.
fn rule_problems(path: &str, text: &str) -> Vec<Problem> {
    let mut rules = RuleSet::built_in();
    let mut problems = rules.add_source("repository", Origin::Repository, vec![(path.to_owned(), text.to_owned())]);
    problems.extend(check::run(&rules).into_iter().filter(|p| p.file == path));
    problems.dedup();
    problems.into_iter().map(|p| Problem { line: p.line, title: p.title, help: p.help }).collect()
}

fn finding(texts: &MaskedTexts<'_>, file: &FileDiff, problem: Problem) -> Finding {
    let text = texts.changed(file, Side::New);
    let line = problem.line.clamp(1, text.as_ref().map_or(1, |t| t.line_count().max(1)));
    let quote = text.as_ref().and_then(|t| t.line(line)).unwrap_or_default().to_owned();
    let name = file.path().file_name().into_owned();
    let title = format!("{name}: {}", problem.title);
    Finding {
        // Two problems can stand on one line: what is wrong tells them apart.
        fingerprint: fingerprint(Some(&title), &quote, None, 0),
        severity: Severity::Important,
        category: Category::Quality,
        reviewer: "rules".to_owned(),
        also: Vec::new(),
        source: FindingSource::Rule,
        title,
        body: format!("This part will not be in force once it is merged, and every later run will say that it is inconclusive. {}", problem.help)
            .trim()
            .to_owned(),
        trigger: None,
        cause: None,
        rule: None,
        path: file.path().clone(),
        old_path: (file.old_path != file.new_path).then(|| file.old_path.clone()),
        side: Side::New,
        anchor: Anchor::Exact(Lines { start: line, end: line, old_line: None }),
        quote,
        suggestion: None,
        confidence: None,
        status: FindingStatus::New,
    }
}
