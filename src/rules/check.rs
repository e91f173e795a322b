//! What `rules check` looks at: that every rule file of every source can be read and its detector compiled, that
//! detectors have examples, that links lead somewhere or to https. Whether detectors do what the examples say is [`super::test`]'s.

use super::markdown::ExampleKind;
use super::problem::{Problem, shown};
use super::set::Entry;
use super::{RuleProblem, RuleSet};

/// All problems of all sources, by file and line. Empty: all is well.
pub fn run(set: &RuleSet) -> Vec<RuleProblem> {
    let mut problems = set.problems().to_vec();
    for entry in set.entries.values() {
        let path = &entry.loaded.path;
        problems.extend(entry.loaded.broken().into_iter().chain(examples(entry)).chain(links(set, entry)).map(|p| p.of_file(path)));
    }
    problems.sort();
    problems.dedup();
    problems
}

fn examples(entry: &Entry) -> Vec<Problem> {
    let file = &entry.loaded.file;
    if file.detect.is_none() {
        return Vec::new();
    }
    let has = |kind| file.examples.iter().any(|e| e.kind == kind && !e.variant);
    let missing = |heading: &str| {
        let title = format!("a rule with a detector needs an example under `{heading}`");
        Problem::line(0, title, format!("add `{heading}` with a fenced block"))
    };
    let mut problems = Vec::new();
    if !has(ExampleKind::Bad) {
        problems.push(missing("## Bad"));
    }
    if !has(ExampleKind::Good) {
        problems.push(missing("## Good"));
    }
    problems
}

fn links(set: &RuleSet, entry: &Entry) -> Vec<Problem> {
    let Some(files) = set.files.get(&entry.loaded.source) else { return Vec::new() };
    let folder = entry.loaded.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let dead = |(line, target): &(usize, String)| {
        if target.contains(':') || target.starts_with("//") {
            let title = format!("the link `{}` is not https", shown(target));
            return (!target.starts_with("https://")).then(|| Problem::line(*line, title, "web links begin with https://"));
        }
        let found = resolve(folder, target).is_some_and(|path| files.contains(&path));
        (!found)
            .then(|| Problem::line(*line, format!("the link `{}` leads nowhere", shown(target)), "relative links lead to files of the same source"))
    };
    entry.loaded.file.links.iter().filter_map(dead).collect()
}

/// A relative link's target from the source's root; `None` where it leads out of it.
pub(super) fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').filter(|p| !p.is_empty()).collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
