//! All rule sources of a run: built-in, the organisation's folders and repositories, the repository's own from the policy commit.

use super::remote::{self, Fetched};
use super::{Origin, RuleProblem, RuleSet};
use crate::config::{Config, Env, RuleSource};
use crate::error::UserError;
use crate::git::Objects;
use crate::git::fetch::FetchError;
use crate::platform;
use crate::report::RuleSourceInfo;
use std::path::Path;

/// Where a repository keeps its own rules.
pub const REPOSITORY_RULES: &str = ".tribune/rules/";
/// Where a repository of rules keeps them; without such a folder all of it counts.
const SOURCE_RULES: &str = "rules/";
/// A rule file larger than this is refused by the format; reading stops here.
const MAX_RULE_BYTES: u64 = 256 * 1024;
/// Rule files of one source.
const MAX_RULE_FILES: usize = 5_000;
/// All files of a folder, which links may lead to.
const MAX_FILES: usize = 50_000;

/// The rules in force and what was wrong on the way.
pub struct Loaded {
    /// The rules.
    pub rules: RuleSet,
    /// Where they came from.
    pub sources: Vec<RuleSourceInfo>,
    /// Broken rules of the policy commit and settings that it may not make; they are left out.
    pub problems: Vec<RuleProblem>,
    /// Sources that could not be had, one line each: their rules did not run.
    pub missing: Vec<String>,
}

/// Loads all sources. A broken source of the operator's ends the run (exit 2); one whose host cannot be reached and that
/// is not in the cache is left out and told, and so is a broken rule of the repository.
pub fn load(config: &Config, objects: Option<&Objects>, policy_sha: Option<&str>, env: Env<'_>) -> Result<Loaded, UserError> {
    let mut loaded = organisation(config, env)?;
    let files = objects.map(|o| from_objects(o, REPOSITORY_RULES)).unwrap_or_default();
    if !files.is_empty() {
        loaded.problems.extend(loaded.rules.add_source(REPOSITORY_RULES, Origin::Repository, files));
        loaded.sources.push(RuleSourceInfo { source: REPOSITORY_RULES.to_owned(), commit: policy_sha.map(str::to_owned), cached: false });
    }
    Ok(loaded)
}

/// Loads what comes with tribune and from the operator; fails as [`load`] does.
pub fn organisation(config: &Config, env: Env<'_>) -> Result<Loaded, UserError> {
    let mut rules = RuleSet::built_in();
    let mut sources = vec![RuleSourceInfo { source: "built-in".to_owned(), commit: None, cached: false }];
    let mut missing = Vec::new();
    for source in &config.rule_sources {
        let (info, files) = match source {
            RuleSource::Directory(dir) => (RuleSourceInfo { source: dir.display().to_string(), commit: None, cached: false }, directory(dir)?),
            RuleSource::Git { url, commit } => match remote::open(url, commit, env) {
                Ok(Fetched { objects, cached, .. }) => {
                    let own = from_objects(&objects, SOURCE_RULES);
                    let files = if own.is_empty() { from_objects(&objects, "") } else { own };
                    (RuleSourceInfo { source: url.clone(), commit: Some(commit.clone()), cached }, files)
                }
                Err(e @ FetchError::NoCommit(_)) => {
                    let fix = "Name the full id of a commit that a branch or tag of it holds.";
                    return Err(UserError::usage(format!("the rules in {url} cannot be read"), e.to_string(), fix));
                }
                Err(FetchError::Unreachable(why)) => {
                    missing.push(format!("{url} at {commit} could not be fetched and is not in the cache, so its rules did not run: {why}"));
                    continue;
                }
            },
        };
        let problems = rules.add_source(&info.source, Origin::Organisation, files);
        if let Some(first) = problems.first() {
            return Err(UserError::usage(
                format!("the rules in {} have {} problems", info.source, problems.len()),
                first.to_string(),
                "`tribune rules check DIR` lists all of them.",
            ));
        }
        sources.push(info);
    }
    Ok(Loaded { rules, sources, problems: Vec::new(), missing })
}

/// The rule files below a directory, by their path in it; other files with no text, for links to lead to.
pub fn directory(dir: &Path) -> Result<Vec<(String, String)>, UserError> {
    let failed = |path: &Path, why: String| {
        UserError::usage(
            format!("the rules in {} cannot be read", dir.display()),
            format!("{}: {why}", path.display()),
            "Name a folder of rule files (*.md).",
        )
    };
    let mut files = Vec::new();
    let mut rules = 0;
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| failed(&folder, e.to_string()))? {
            let path = entry.map_err(|e| failed(&folder, e.to_string()))?.path();
            let kind = std::fs::symlink_metadata(&path).map_err(|e| failed(&path, e.to_string()))?;
            let name = platform::with_slashes(path.strip_prefix(dir).unwrap_or(&path));
            if kind.is_dir() {
                if path.file_name().is_none_or(|n| n != ".git") {
                    open.push(path);
                }
            } else if kind.is_file() && is_rule(&name) {
                rules += 1;
                if kind.len() > MAX_RULE_BYTES || rules > MAX_RULE_FILES {
                    return Err(failed(&path, format!("more than {MAX_RULE_BYTES} bytes, or more than {MAX_RULE_FILES} files")));
                }
                let text = std::fs::read_to_string(&path).map_err(|e| failed(&path, e.to_string()))?;
                files.push((name, text));
            } else if kind.is_file() {
                if files.len() >= MAX_FILES {
                    return Err(failed(&path, format!("more than {MAX_FILES} files")));
                }
                files.push((name, String::new()));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The files below a folder of the policy tree, as [`directory`] has them, by their whole paths.
fn from_objects(objects: &Objects, below: &str) -> Vec<(String, String)> {
    let Ok(entries) = objects.policy_entries() else { return Vec::new() };
    let mut rules = 0;
    let mut files = Vec::new();
    for entry in entries.iter().filter(|e| e.path.as_bytes().starts_with(below.as_bytes())).take(MAX_FILES) {
        let name = entry.path.display().into_owned();
        if !is_rule(&name) {
            files.push((name, String::new()));
        } else if rules < MAX_RULE_FILES {
            rules += 1;
            // One that is too large is cut past the format's bound, which tells it.
            let text = match objects.policy_file(&entry.path, 4 * MAX_RULE_BYTES) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(crate::git::ObjectError::TooLarge { .. }) => " ".repeat(MAX_RULE_BYTES as usize + 1),
                Err(_) => continue,
            };
            files.push((name, text));
        }
    }
    files
}

/// Whether a file of a rule folder is a rule: Markdown, and none of the pages about the folder itself.
pub fn is_rule(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.ends_with(".md") && !["README.md", "EVIDENCE.md", "CATALOGUE.md"].contains(&name)
}
