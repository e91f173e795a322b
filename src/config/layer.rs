//! One layer of configuration: the repository's file, an operator's file, the environment, the flags.
//! A layer holds only what passed its checks; what did not is told as problems, and the caller decides
//! what they mean.

use super::check::{Author, Checker};
use super::keys::{Key, Kind};
use super::problem::{ConfigProblem, Show};
use super::settings::{Origin, Setting, Settings};
use super::source::RuleSource;
use super::table::KEYS;
use super::yaml::{self, Node, Place, Value};
use crate::platform;
use serde_json::Value as Json;
use std::path::Path;

/// Checked settings from one place.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(crate) rank: Rank,
    pub(crate) settings: Settings,
    /// It could not be read which paths are private: then all are (see [`super::Config::is_private`]).
    pub(crate) all_private: bool,
    /// It is the organisation's, and could not be had: see [`super::remote`].
    pub(crate) missing: bool,
    /// What the report should say of it.
    pub(crate) notes: Vec<String>,
}

/// Which layers a layer lies over. Within a rank, the order in which they are given counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    BuiltIn,
    Remote,
    Repository,
    Operator,
}

impl Layer {
    pub(crate) fn new(rank: Rank, settings: Settings) -> Self {
        Self { rank, settings, all_private: false, missing: false, notes: Vec::new() }
    }

    /// The defaults.
    pub(crate) fn built_in() -> Self {
        let mut settings = Settings::new();
        defaults(KEYS, &mut Vec::new(), &mut settings);
        Self::new(Rank::BuiltIn, settings)
    }

    /// `.tribune.yaml` of the policy commit. What is wrong is left out and told. Where it is unknown which
    /// paths are private, since that key (or one that may have been meant for it) or the whole file is broken, all are.
    pub fn repository(text: &str) -> (Self, Vec<ConfigProblem>) {
        let (settings, problems) = read(Author::Repository, text, &Origin::Repository);
        let all_private = problems.iter().any(|p| p.key.is_empty() || p.key.to_lowercase().contains("priv"));
        (Self { all_private, ..Self::new(Rank::Repository, settings) }, problems)
    }

    /// The organisation's remote configuration. It has an operator's rights, but names no endpoint and nothing that
    /// depends on where this runs.
    pub(crate) fn remote(text: &str) -> (Self, Vec<ConfigProblem>) {
        let (settings, mut problems) = read(Author::Remote, text, &Origin::Remote);
        if let Some(Setting::Many(sources)) = settings.get(["rule_sources".to_owned()].as_slice()) {
            // A relative one would be looked for in the tree that is reviewed.
            let relative =
                |value: &Json| matches!(value.as_str().map(RuleSource::parse), Some(Ok(RuleSource::Directory(folder))) if folder.is_relative());
            if sources.iter().any(|(value, _)| relative(value)) {
                problems.push(ConfigProblem::new("rule_sources", "a directory has to be an absolute path here", "Begin it with `/`."));
            }
        }
        (Self::new(Rank::Remote, settings), problems)
    }

    /// A repository's file that is not known: whatever it may have held back, everything is private.
    pub(crate) fn unknown() -> Self {
        Self { all_private: true, ..Self::new(Rank::Repository, Settings::new()) }
    }

    /// An operator's file; `file` is where it stands. Relative paths in it start from its folder.
    pub fn operator(text: &str, file: &Path) -> (Self, Vec<ConfigProblem>) {
        let (mut settings, problems) = read(Author::Operator, text, &|line| Origin::File(file.to_owned(), line));
        let folder = file.parent().unwrap_or(Path::new(""));
        for (path, setting) in &mut settings {
            match (path.first().map(String::as_str), setting) {
                (Some("rule_sources"), Setting::Many(items)) => {
                    let folders = items.iter_mut().filter(|(v, _)| matches!(v.as_str().map(RuleSource::parse), Some(Ok(RuleSource::Directory(_)))));
                    folders.for_each(|(value, _)| start_from(folder, value));
                }
                (Some("endpoints"), Setting::One(record, _)) => {
                    for name in ["token_file", "client_cert"] {
                        if let Some(value) = record.get_mut(name) {
                            start_from(folder, value);
                        }
                    }
                    // A bare name is looked up on the PATH.
                    if let Some(program) = record.pointer_mut("/token_command/0").filter(|p| p.as_str().is_some_and(|p| !platform::is_bare(p))) {
                        start_from(folder, program);
                    }
                }
                _ => {}
            }
        }
        (Self::new(Rank::Operator, settings), problems)
    }

    /// A layer of single values that come from no file.
    pub(crate) fn values(values: Vec<(&[&str], Json, Origin)>) -> Self {
        let one =
            |(path, value, origin): (&[&str], Json, Origin)| (path.iter().map(|name| (*name).to_owned()).collect(), Setting::One(value, origin));
        Self::new(Rank::Operator, values.into_iter().map(one).collect())
    }
}

/// Checks `.tribune.yaml` as data: everything that is wrong with it, in the order of its lines. For
/// `tribune config validate`, and for a change that touches it.
pub fn validate(text: &str) -> Vec<ConfigProblem> {
    let mut problems = read(Author::Repository, text, &Origin::Repository).1;
    problems.sort_by_key(|p| if p.line == 0 { (u32::MAX, 0) } else { (p.line, p.column) });
    problems
}

fn read(author: Author, text: &str, origin: &dyn Fn(u32) -> Origin) -> (Settings, Vec<ConfigProblem>) {
    match yaml::parse(text) {
        Ok(node) => Checker::new(author, text, origin).document(&node),
        Err(error) => {
            let lines: Vec<&str> = if text.len() > yaml::MAX_CONFIG_BYTES { Vec::new() } else { text.lines().collect() };
            // An operator's line can hold the value of a header.
            let show = if author == Author::Operator { Show::Nothing } else { Show::Line };
            let title = if lines.is_empty() { error.why } else { format!("this is not YAML that can be read: {}", error.why) };
            (Settings::new(), vec![ConfigProblem::new("", title, "Nothing of this file is in force.").at(error.at, &lines, show)])
        }
    }
}

/// A relative path in a file is meant from where the file stands.
fn start_from(folder: &Path, value: &mut Json) {
    if let Some(text) = value.as_str() {
        *value = Json::from(folder.join(text).to_string_lossy().into_owned());
    }
}

fn defaults(keys: &'static [Key], path: &mut Vec<String>, settings: &mut Settings) {
    for key in keys {
        path.push(key.name.to_owned());
        match (&key.kind, key.default) {
            (Kind::Table(keys), _) => defaults(keys, path, settings),
            (kind, Some(text)) => {
                let value: Json = serde_json::from_str(text).expect("defaults are JSON; a test reads them all");
                let setting = match (kind, value) {
                    (Kind::List { adds: true, .. }, Json::Array(items)) => {
                        Setting::Many(items.into_iter().map(|item| (item, Origin::BuiltIn)).collect())
                    }
                    (_, value) => Setting::One(value, Origin::BuiltIn),
                };
                settings.insert(path.clone(), setting);
            }
            (_, None) => {}
        }
        path.pop();
    }
}

/// Checks one value that stands in no file against the key that it is for.
pub(crate) fn check_value(path: &[&str], value: Value) -> Result<(), ConfigProblem> {
    let at = Place::default();
    let nest = |node: Node, name: &&str| Node { value: Value::Map(vec![(yaml::Name { text: (*name).to_owned(), at }, node)]), at };
    let node = path.iter().rev().fold(Node { value, at }, nest);
    let (_, problems) = Checker::new(Author::Operator, "", &|_| Origin::BuiltIn).document(&node);
    problems.into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
