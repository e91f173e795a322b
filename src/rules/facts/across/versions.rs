//! Dependencies that a manifest takes up to another major version.

use super::super::lockfile::VersionChange;
use super::Found;
use super::view::View;
use crate::diff::Side;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// `name = "1.2"`, `"name": "^1.2"`, `name==1.2`, `name 1.2`, `gem 'name', '~> 1.2'`, `name = { version = "1.2" … }`.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let version = r"[\^~=<>! ]*v?(\d+(?:\.\d+)*)[\w.+-]*";
    let pattern = [
        format!(r#"^\s*"?([@A-Za-z][\w@/.-]*)"?\s*[=:]\s*["']{version}["'],?\s*(?:#.*)?$"#),
        format!(r#"^\s*([A-Za-z][\w-]*)\s*=\s*\{{.*\bversion\s*=\s*["']{version}["']"#),
        format!(r#"^\s*["']?([A-Za-z][\w.-]*)(?:\[[\w,-]*\])?\s*(?:==|~=|>=){version}[^;]*["']?,?\s*(?:;.*|\\|#.*)?$"#),
        format!(r#"^\s*gem\s+["']([\w-]+)["'],\s*["']{version}["']"#),
        format!(r"^\s*(?:require\s+)?([a-z][\w./~-]*\.[a-z]+/[\w./~-]+)\s+{version}\s*$"),
    ];
    Regex::new(&pattern.join("|")).expect("a fixed expression")
});

/// Keys of manifests that hold versions and are no dependencies.
const KEYS: [&str; 12] = [
    "version",
    "edition",
    "rust-version",
    "resolver",
    "node",
    "npm",
    "go",
    "python",
    "requires-python",
    "engines",
    "packageManager",
    "lockfileVersion",
];

pub(super) fn majors(view: &View<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for file in view.files.iter().filter(|f| is_manifest(&f.diff.path().file_name())) {
        let before: BTreeMap<String, String> = file.removed().filter_map(|(_, line)| dependency(&line)).collect();
        let mut raised: Vec<(u32, String)> = Vec::new();
        for (number, line) in file.added() {
            let Some((name, new)) = dependency(&line) else { continue };
            let Some(old) = before.get(&name) else { continue };
            let change = VersionChange { name, old: old.clone(), new };
            if let Some((from, to)) = change.major().filter(|(from, to)| order(from) < order(to)) {
                raised.push((number, format!("`{}` {from} to {to}", change.name)));
            }
        }
        // One finding for a manifest: whoever raises ten at once does not want to read this ten times.
        if let Some((line, _)) = raised.first() {
            let named: Vec<&str> = raised.iter().map(|(_, what)| what.as_str()).take(2).collect();
            let more = if raised.len() > 2 { format!(" and {} more", raised.len() - 2) } else { String::new() };
            found.push(Found {
                file: file.index,
                side: Side::New,
                lines: (*line, *line),
                message: format!("New major version: {}{more}", named.join(", ")),
                places: Vec::new(),
            });
        }
    }
    found
}

fn order(version: &str) -> Vec<u64> {
    version.split('.').map_while(|n| n.parse().ok()).collect()
}

fn is_manifest(name: &str) -> bool {
    matches!(name, "Cargo.toml" | "package.json" | "pyproject.toml" | "go.mod" | "Gemfile" | "composer.json" | "Pipfile")
        || (name.starts_with("requirements") && name.ends_with(".txt"))
}

/// A dependency's name and the first number of its version.
fn dependency(line: &str) -> Option<(String, String)> {
    if line.len() > 500 {
        return None;
    }
    let captures = LINE.captures(line)?;
    let mut groups = captures.iter().skip(1).flatten();
    let (name, version) = (groups.next()?.as_str(), groups.next()?.as_str());
    (!KEYS.contains(&name)).then(|| (name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dependencies_of_many_manifests() {
        let read = |line: &str| dependency(line).map(|(name, version)| format!("{name} {version}")).unwrap_or_default();
        for (line, expected) in [
            ("serde = \"1.0.200\"", "serde 1.0.200"),
            ("tokio = { version = \"1\", features = [\"rt\"] }", "tokio 1"),
            ("    \"@types/node\": \"^20.1.0\",", "@types/node 20.1.0"),
            ("requests[socks]==2.31.0", "requests 2.31.0"),
            ("    \"httpx>=0.24,<1\",", "httpx 0.24"),
            ("gem 'rails', '~> 7.1'", "rails 7.1"),
            ("\tgithub.com/spf13/cobra v1.8.0", "github.com/spf13/cobra 1.8.0"),
            ("version = \"0.2.0\"", ""),
            ("\"scripts\": {", ""),
            ("# serde = 1", ""),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
