//! `tribune rules`: list, show, test, check, distill, skill.

use super::args::{RulesArgs, RulesCommand};
use super::{distill, folder, inputs, output};
use crate::config::{self, Layer};
use crate::error::{Exit, UserError};
use crate::findings::sanitize::terminal as clean;
use crate::rules::{Origin, Rule, RuleProblem, RuleSet, check, load, skill, test};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Runs the subcommand.
pub(super) fn run(args: &RulesArgs) -> Result<Exit, UserError> {
    match &args.command {
        RulesCommand::List { json } => list(&in_force(args)?, *json),
        RulesCommand::Show { id } => show(&in_force(args)?, id),
        RulesCommand::Test { dir } => run_examples(&of(args, dir.as_deref())?, dir.as_deref()),
        RulesCommand::Check { dir } => check_all(&of(args, dir.as_deref())?, dir.as_deref()),
        RulesCommand::Distill(distill) => distill::run(args, distill, &in_force(args)?),
        RulesCommand::Skill { out } => skill(&in_force(args)?, out),
    }
}

/// The rules in force here: built-in, the operator's, and the work tree's own (which count in a review once they
/// stand in the target branch).
fn in_force(args: &RulesArgs) -> Result<RuleSet, UserError> {
    let mut layers = inputs::operator_layers(&args.repo, args.config.as_deref())?;
    layers.push(Layer::environment(&inputs::env)?);
    let resolved = config::resolve(layers, &inputs::env)?;
    let loaded = load::organisation(&resolved.config, &inputs::env)?;
    if let Some(missing) = loaded.missing.into_iter().next() {
        let fix = "Try again when its host can be reached.".to_owned();
        return Err(UserError { title: "not all rules can be read".to_owned(), cause: missing, fix, exit: Exit::Inconclusive });
    }
    let mut rules = loaded.rules;
    let own = args.repo.join(load::REPOSITORY_RULES);
    if own.is_dir() {
        let files = load::directory(&own)?.into_iter().map(|(path, text)| (format!("{}{path}", load::REPOSITORY_RULES), text));
        rules.add_source(load::REPOSITORY_RULES, Origin::Repository, files.collect());
    }
    Ok(rules)
}

fn of(args: &RulesArgs, dir: Option<&Path>) -> Result<RuleSet, UserError> {
    let Some(dir) = dir else { return in_force(args) };
    let mut rules = RuleSet::default();
    rules.add_source(&dir.display().to_string(), Origin::Organisation, load::directory(dir)?);
    Ok(rules)
}

fn level(rule: &Rule) -> String {
    let word = |v: serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    word(json!(rule.level))
}

fn list(rules: &RuleSet, as_json: bool) -> Result<Exit, UserError> {
    if as_json {
        let all: Vec<_> = rules
            .iter()
            .map(|r| json!({"id": r.id, "title": r.title, "level": r.level, "status": r.status, "severity": r.severity, "category": r.category, "languages": r.languages, "detector": r.has_detector, "origin": r.origin, "from": rules.source(&r.id), "source": r.source}))
            .collect();
        output::stdout(format!("{}\n", serde_json::to_string_pretty(&all).expect("rules are JSON")).as_bytes())?;
        return Ok(Exit::Pass);
    }
    let mut out = String::new();
    let width = rules.iter().map(|r| r.id.len()).max().unwrap_or(0);
    for r in rules.iter() {
        let how = if r.has_detector { "detector" } else { "reviewer" };
        let from = rules.source(&r.id).filter(|_| r.origin != "built-in").map(|s| format!(" [{}: {}]", r.origin, clean(s))).unwrap_or_default();
        out.push_str(&format!(
            "{:width$}  {:6} {:10} {how:8} {}{from}\n",
            r.id,
            level(r),
            format!("{:?}", r.severity).to_lowercase(),
            clean(&r.title)
        ));
    }
    out.push_str(&format!("\n{} rules; `tribune rules show ID` shows one whole\n", rules.iter().count()));
    output::stdout(out.as_bytes())?;
    Ok(Exit::Pass)
}

fn show(rules: &RuleSet, id: &str) -> Result<Exit, UserError> {
    let Some(rule) = rules.get(id) else {
        let near = rules.iter().map(|r| (strsim::damerau_levenshtein(&r.id, id), &r.id)).min().filter(|(d, _)| *d <= 3);
        let fix = near.map_or("`tribune rules list` lists all.".to_owned(), |(_, near)| format!("Did you mean {near}?"));
        return Err(UserError::usage(format!("there is no rule {id}"), "no source in force has it", fix));
    };
    let mut out = format!("{} {}\n\n", rule.id, clean(&rule.title));
    let facts = [
        ("level", Some(level(rule))),
        ("status", Some(format!("{:?}", rule.status).to_lowercase())),
        ("severity", Some(format!("{:?}", rule.severity).to_lowercase())),
        ("category", Some(rule.category.label().to_owned())),
        ("languages", Some(if rule.languages.is_empty() { "all".to_owned() } else { rule.languages.join(", ") })),
        ("paths", (!rule.paths.is_empty()).then(|| rule.paths.join(", "))),
        ("checked by", Some(rule.checked_by().to_owned())),
        ("source", rule.source.clone()),
        ("url", rule.url.clone()),
        ("owner", rule.owner.clone()),
        ("from", rules.source(id).map(|s| if s == rule.origin { s.to_owned() } else { format!("{} ({s})", rule.origin) })),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            out.push_str(&format!("{name:>10}  {}\n", clean(&value)));
        }
    }
    out.push_str(&format!("\n{}\n", clean(rule.body.trim())));
    output::stdout(out.as_bytes())?;
    Ok(Exit::Pass)
}

fn skill(rules: &RuleSet, out: &Path) -> Result<Exit, UserError> {
    let pages = skill::pages(rules);
    folder::write(out, &pages)?;
    let told = pages.iter().filter(|(path, _)| path.starts_with("rules/")).count();
    output::stdout(format!("{}: {} pages about {told} rules; begin with SKILL.md\n", clean(&out.display().to_string()), pages.len()).as_bytes())?;
    Ok(Exit::Pass)
}

fn run_examples(rules: &RuleSet, dir: Option<&Path>) -> Result<Exit, UserError> {
    tell(&check::run(rules), dir);
    let results = test::run(rules, |_| true);
    let failed: Vec<_> = results.iter().filter(|r| r.outcome != test::Outcome::Passed).collect();
    let mut out = String::new();
    for result in &failed {
        out.push_str(&format!("{}\n", clean(&told(result, dir))));
    }
    out.push_str(&format!("{} examples: {} passed, {} failed\n", results.len(), results.len() - failed.len(), failed.len()));
    output::stdout(out.as_bytes())?;
    Ok(if failed.is_empty() { Exit::Pass } else { Exit::Findings })
}

fn told(result: &test::ExampleResult, dir: Option<&Path>) -> String {
    let kind = match result.kind {
        test::ExampleKind::Bad => "Bad",
        test::ExampleKind::Good => "Good",
    };
    let what = match &result.outcome {
        test::Outcome::Passed => "passed".to_owned(),
        test::Outcome::Missed => "the detector does not hit it".to_owned(),
        test::Outcome::FalseAlarm(lines) => {
            format!("the detector hits it (line {} of the example)", lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
        }
        test::Outcome::NotRun(why) => format!("it could not be run: {why}"),
    };
    format!("{}:{}: {} {kind}: {what}", place(dir, &result.file), result.line, result.rule_id)
}

fn check_all(rules: &RuleSet, dir: Option<&Path>) -> Result<Exit, UserError> {
    let problems = check::run(rules);
    tell(&problems, dir);
    output::stdout(format!("{} rules, {} problems\n", rules.iter().count(), problems.len()).as_bytes())?;
    Ok(if problems.is_empty() { Exit::Pass } else { Exit::Findings })
}

fn tell(problems: &[RuleProblem], dir: Option<&Path>) {
    for problem in problems {
        output::hint(&RuleProblem { file: place(dir, &problem.file), ..problem.clone() }.to_string());
    }
}

/// A file of a source as the shell would open it.
fn place(dir: Option<&Path>, file: &str) -> String {
    dir.map_or_else(|| file.to_owned(), |dir| dir.join(Path::new(file).components().collect::<PathBuf>()).display().to_string())
}
