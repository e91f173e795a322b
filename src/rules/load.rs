//! All rule sources of a run: built-in, the organisation's directories, the repository's from the policy commit.

use super::{Origin, RuleProblem, RuleSet};
use crate::config::Config;
use crate::error::UserError;
use crate::git::Objects;
use crate::report::RuleSourceInfo;
use std::path::Path;

/// Where a repository keeps its own rules.
pub const REPOSITORY_RULES: &str = ".tribune/rules/";
/// A rule file larger than this is refused by the format; reading stops here.
const MAX_RULE_BYTES: u64 = 256 * 1024;
/// Files of one source.
const MAX_RULE_FILES: usize = 5_000;

/// The rules in force and what was wrong on the way.
pub struct Loaded {
    /// The rules.
    pub rules: RuleSet,
    /// Where they came from.
    pub sources: Vec<RuleSourceInfo>,
    /// Broken rules of the policy commit and settings that it may not make; they are left out.
    pub problems: Vec<RuleProblem>,
}

/// Loads all sources. A broken directory of the operator's ends the run (exit 2); a broken rule of the repository is
/// left out and told.
pub fn load(config: &Config, objects: Option<&Objects>, policy_sha: Option<&str>) -> Result<Loaded, UserError> {
    let mut rules = RuleSet::built_in();
    let mut sources = vec![RuleSourceInfo { source: "built-in".to_owned(), commit: None }];
    for dir in &config.rule_sources {
        let problems = rules.add_source(&dir.display().to_string(), Origin::Organisation, directory(dir)?);
        if let Some(first) = problems.first() {
            return Err(UserError::usage(
                format!("the rules in {} have {} problems", dir.display(), problems.len()),
                first.to_string(),
                "`tribune rules check DIR` lists all of them.",
            ));
        }
        sources.push(RuleSourceInfo { source: dir.display().to_string(), commit: None });
    }
    let mut problems = Vec::new();
    let files = objects.map(repository).unwrap_or_default();
    if !files.is_empty() {
        problems.extend(rules.add_source("repository", Origin::Repository, files));
        sources.push(RuleSourceInfo { source: REPOSITORY_RULES.to_owned(), commit: policy_sha.map(str::to_owned) });
    }
    Ok(Loaded { rules, sources, problems })
}

/// The rule files below a directory, by path.
pub fn directory(dir: &Path) -> Result<Vec<(String, String)>, UserError> {
    let failed = |path: &Path, why: String| {
        UserError::usage(
            format!("the rules in {} cannot be read", dir.display()),
            format!("{}: {why}", path.display()),
            "Name a folder of rule files (*.md).",
        )
    };
    let mut files = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| failed(&folder, e.to_string()))? {
            let path = entry.map_err(|e| failed(&folder, e.to_string()))?.path();
            let kind = std::fs::symlink_metadata(&path).map_err(|e| failed(&path, e.to_string()))?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() && is_rule(&path.to_string_lossy()) {
                if kind.len() > MAX_RULE_BYTES || files.len() >= MAX_RULE_FILES {
                    return Err(failed(&path, format!("more than {MAX_RULE_BYTES} bytes, or more than {MAX_RULE_FILES} files")));
                }
                let text = std::fs::read_to_string(&path).map_err(|e| failed(&path, e.to_string()))?;
                files.push((path.display().to_string(), text));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn repository(objects: &Objects) -> Vec<(String, String)> {
    let Ok(entries) = objects.policy_entries() else { return Vec::new() };
    let paths =
        entries.iter().filter(|e| e.path.as_bytes().starts_with(REPOSITORY_RULES.as_bytes()) && is_rule(&e.path.display())).take(MAX_RULE_FILES);
    paths
        .filter_map(|e| {
            let bytes = objects.policy_file(&e.path, MAX_RULE_BYTES + 1).ok()?;
            Some((e.path.display().into_owned(), String::from_utf8_lossy(&bytes).into_owned()))
        })
        .collect()
}

/// Whether a file of a rule folder is a rule: Markdown, and none of the pages about the folder itself.
pub fn is_rule(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.ends_with(".md") && !["README.md", "EVIDENCE.md", "CATALOGUE.md"].contains(&name)
}
