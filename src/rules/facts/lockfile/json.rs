//! Lock files in JSON.

use super::entry::{Entry, Source};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `package-lock.json` and `npm-shrinkwrap.json`, lockfileVersion 2 and 3.
pub(super) fn npm(text: &str) -> Option<Vec<Entry>> {
    #[derive(Deserialize)]
    struct Lock {
        packages: BTreeMap<String, Value>,
    }
    let lock: Lock = serde_json::from_str(text).ok()?;
    let mut entries = Vec::new();
    for (path, package) in &lock.packages {
        // Keys are folders: "" and "packages/web" are the project's own, "node_modules/a/node_modules/@b/c" is @b/c.
        let installed = path.rsplit_once("node_modules/").map(|(_, name)| name);
        let Some(name) = string(package, "name").or(installed) else { continue };
        let place = string(package, "resolved").unwrap_or_default();
        let own = installed.is_none() || package.get("link").and_then(Value::as_bool) == Some(true);
        let source = if own { Source::Local } else { Source::of(place) };
        let mut entry = Entry::new(name, string(package, "version").unwrap_or_default(), source);
        // A package in the archive of another one is vouched for by that one's hash.
        if own || package.get("inBundle").and_then(Value::as_bool) != Some(true) {
            for hash in string(package, "integrity").unwrap_or_default().split_whitespace() {
                entry.hash(hash);
            }
            entries.push(entry);
        }
    }
    Some(entries)
}

/// `Pipfile.lock`.
pub(super) fn pipfile(text: &str) -> Option<Vec<Entry>> {
    let lock: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(text).ok()?;
    let mut entries = Vec::new();
    for (name, package) in lock.iter().filter(|(group, _)| *group != "_meta").flat_map(|(_, packages)| packages) {
        let source = match (string(package, "git"), string(package, "file"), string(package, "path")) {
            (Some(place), _, _) => Source::git(place),
            (_, Some(place), _) if place.contains("://") => Source::url(place),
            (_, Some(_), _) | (_, _, Some(_)) => Source::Local,
            _ => Source::Registry(Vec::new()),
        };
        let version = string(package, "version").or_else(|| string(package, "ref")).unwrap_or_default();
        let mut entry = Entry::new(name, version.trim_start_matches('='), source);
        for hash in package.get("hashes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            entry.hash(hash);
        }
        entries.push(entry);
    }
    Some(entries)
}

/// `composer.lock`. Packages come as archives that name a commit; few have a checksum, so the commit stands for it.
pub(super) fn composer(text: &str) -> Option<Vec<Entry>> {
    #[derive(Deserialize)]
    struct Lock {
        packages: Vec<Value>,
        #[serde(rename = "packages-dev", default)]
        dev: Option<Vec<Value>>,
    }
    let lock: Lock = serde_json::from_str(text).ok()?;
    let mut entries = Vec::new();
    for package in lock.packages.iter().chain(lock.dev.iter().flatten()) {
        let Some(name) = string(package, "name") else { continue };
        let version = string(package, "version").unwrap_or_default();
        let (dist, repository) = (package.get("dist"), package.get("source"));
        let at = |key: &str| [dist, repository].into_iter().flatten().find_map(|p| string(p, key)).filter(|v| !v.is_empty());
        let source = match at("type") {
            Some("path") => Source::Local,
            _ => Source::registry(at("url").unwrap_or_default()),
        };
        let commit = at("reference").unwrap_or_default();
        // A branch moves on without a new version.
        let branch = version.starts_with("dev-") || version.ends_with("-dev");
        let version = if branch { format!("{version}#{}", commit.chars().take(8).collect::<String>()) } else { version.to_owned() };
        let mut entry = Entry::new(name, &version, source);
        entry.hash(commit);
        entries.push(entry);
    }
    Some(entries)
}

fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}
