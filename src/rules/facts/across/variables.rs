//! Environment variables that added code reads and that nothing in the tree tells anybody about.

use super::Found;
use super::view::View;
use crate::context::{self, is_noise, is_test_path};
use crate::diff::Side;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Variables that are searched for.
const MAX_VARIABLES: usize = 60;

/// How languages read one.
static READ: LazyLock<Regex> = LazyLock::new(|| {
    let quoted = r#"(?:env::var(?:_os)?|os\.getenv|os\.environ\.get|os\.Getenv|os\.LookupEnv|System\.getenv|ENV\.fetch|(?:^|[^\w.>])getenv)\(\s*["']([A-Z][A-Z0-9_]{3,60})["']"#;
    let indexed = r#"(?:os\.environ|process\.env|(?:^|[^\w])ENV)\[\s*["']([A-Z][A-Z0-9_]{3,60})["']\s*\]"#;
    let member = r"process\.env\.([A-Z][A-Z0-9_]{3,60})\b";
    Regex::new(&format!("{quoted}|{indexed}|{member}")).expect("a fixed expression")
});

/// Variables of systems, CI and tools: others document them.
const KNOWN: [&str; 28] = [
    "CI",
    "PATH",
    "HOME",
    "USER",
    "SHELL",
    "TERM",
    "LANG",
    "TMPDIR",
    "TEMP",
    "PAGER",
    "EDITOR",
    "VISUAL",
    "HOSTNAME",
    "NODE_ENV",
    "NO_COLOR",
    "COLORTERM",
    "DISPLAY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "GOPATH",
    "GOROOT",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "OUT_DIR",
    "APPDATA",
    "LOCALAPPDATA",
];
const KNOWN_FAMILIES: [&str; 16] = [
    "GITHUB_",
    "GITLAB_",
    "CI_",
    "CARGO_",
    "RUST",
    "XDG_",
    "npm_",
    "NPM_",
    "SSH_",
    "LC_",
    "KUBERNETES_",
    "AWS_",
    "GOOGLE_",
    "AZURE_",
    "OTEL_",
    "BUILDKITE",
];

pub(super) fn undocumented(view: &View<'_>) -> Vec<Found> {
    let mut read: BTreeMap<String, (usize, u32)> = BTreeMap::new();
    for file in view.files.iter().filter(|f| !is_test_path(f.diff.path()) && !is_noise(f.diff.path()) && !is_side_code(&f.diff.path().display())) {
        for (number, line) in file.added().filter(|(_, l)| l.len() < 2_000 && !context::is_comment(l.trim_start())) {
            for name in READ.captures_iter(&line).filter_map(|c| c.iter().skip(1).flatten().next().map(|m| m.as_str().to_owned())) {
                if !KNOWN.contains(&name.as_str()) && !KNOWN_FAMILIES.iter().any(|f| name.starts_with(f)) && read.len() < MAX_VARIABLES {
                    read.entry(name).or_insert((file.index, number));
                }
            }
        }
    }
    if read.is_empty() {
        return Vec::new();
    }
    let hits = view.search(read.keys().cloned().collect(), true);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for hit in &hits {
        for name in read.keys().filter(|n| context::word_at(&hit.text, n).is_some()) {
            let brought = view.files.iter().any(|f| *f.diff.path() == hit.path && f.added().any(|(n, _)| n == hit.line));
            let code = READ.is_match(&hit.text) && !hit.text.contains("help");
            // A line that does more than read it (a document, a sample, a manifest, a message), or one that was there before.
            if !code || !brought || context::is_comment(hit.text.trim_start()) {
                told.insert(name.as_str());
            }
        }
    }
    let undocumented = read.iter().filter(|(name, _)| !told.contains(name.as_str()));
    let hit = |(name, (file, line)): (&String, &(usize, u32))| Found {
        file: *file,
        side: Side::New,
        lines: (*line, *line),
        message: format!("`{name}` is read here and documented nowhere"),
        places: Vec::new(),
    };
    undocumented.map(hit).collect()
}

/// Scripts, examples, build files: their variables are their readers' own.
fn is_side_code(path: &str) -> bool {
    path.split('/').any(|d| {
        matches!(d, "examples" | "example" | "scripts" | "script" | "benches" | "bench" | "benchmarks" | "tools" | "ci" | ".github" | "hack" | "docs")
    }) || path.rsplit('/').next().is_some_and(|n| n == "build.rs" || n.contains(".config.") || n == "setup.py")
}
