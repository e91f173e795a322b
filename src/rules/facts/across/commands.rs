//! Commands that the change takes away while documents, scripts or CI files still tell people to use them: long options of a
//! program, scripts of package.json, targets of a Makefile. Told only where no code is left that knows the name.

use super::Found;
use super::docs::{is_document, is_past};
use super::view::{File, View};
use crate::context::{self, is_noise, is_test_path};
use crate::diff::Side;
use crate::git::GrepHit;
use crate::path::RepoPath;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Names that are searched for.
const MAX_NAMES: usize = 60;

/// An option in quotes, as code declares it: of two words at least, since `--force` is everybody's.
static OPTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"["'](--[a-z0-9]+(?:-[a-z0-9]+)+)["'=]"#).expect("a test compiles it"));
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"^\s*"([a-z0-9][a-z0-9:_-]{2,60})":\s*""#).expect("a test compiles it"));
static TARGET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^([a-z0-9][a-z0-9_-]{2,60}):(?:[^=]|$)").expect("a test compiles it"));

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Option,
    Script,
    Target,
}

impl Kind {
    /// How a document or script uses it.
    fn uses(self, name: &str) -> Vec<String> {
        match self {
            Kind::Option => vec![name.to_owned()],
            Kind::Script => ["npm run", "pnpm run", "yarn run", "pnpm", "yarn"].iter().map(|c| format!("{c} {name}")).collect(),
            Kind::Target => vec![format!("make {name}")],
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Option => "option",
            Kind::Script => "script",
            Kind::Target => "target",
        }
    }
}

pub(super) fn gone(view: &View<'_>) -> Vec<Found> {
    let mut names: BTreeMap<String, (Kind, usize, u32)> = BTreeMap::new();
    for file in view.files.iter().filter(|f| !is_test_path(&f.diff.old_path)) {
        let added: Vec<String> = file.added().map(|(_, l)| l).collect();
        for (line, text) in file.removed().filter(|(_, t)| t.len() < 500) {
            for (kind, name) in named(file, &text) {
                let stays = added.iter().any(|l| l.contains(&name));
                if !stays && names.len() < MAX_NAMES {
                    names.entry(name).or_insert((kind, file.index, line));
                }
            }
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    let hits = view.search(names.keys().cloned().collect(), false);
    let mut found = Vec::new();
    for (name, (kind, file, line)) in names {
        let with: Vec<&GrepHit> = hits.iter().filter(|h| h.text.contains(&name)).collect();
        let uses = kind.uses(&name);
        let tells = |h: &GrepHit| uses.iter().any(|u| stands(&h.text, u));
        // Where code or configuration still has the name, it may only have moved. So too where a search came to its bound.
        let lives = |h: &GrepHit| {
            !is_prose(&h.path) && (kind == Kind::Option || !tells(h)) && stands(&h.text, &name) && !context::is_comment(h.text.trim_start())
        };
        if with.len() >= 100 || with.iter().any(|h| lives(h)) {
            continue;
        }
        let stale = with.iter().filter(|h| tells(h) && !is_past(&h.path, &h.text) && !is_noise(&h.path) && !is_test_path(&h.path));
        let places: Vec<String> = stale.map(|h| format!("{}:{}", h.path, h.line)).collect();
        if !places.is_empty() {
            let message = format!("The {} `{name}` is gone, but documents or scripts still use it", kind.word());
            found.push(Found { file, side: Side::Old, lines: (line, line), message, places });
        }
    }
    found
}

fn named(file: &File<'_>, line: &str) -> Vec<(Kind, String)> {
    let path = &file.diff.old_path;
    let all = |regex: &Regex, kind| regex.captures_iter(line).filter_map(|c| c.get(1)).map(|m| (kind, m.as_str().to_owned())).collect();
    match path.file_name().as_ref() {
        // Only what stands below `scripts` looks like `"name": "text"` and is run by name; a dependency's name is never run.
        "package.json" => all(&SCRIPT, Kind::Script),
        "Makefile" | "makefile" | "GNUmakefile" => all(&TARGET, Kind::Target),
        _ if is_prose(path) || crate::lang::Lang::of(path).is_none() => Vec::new(),
        _ => all(&OPTION, Kind::Option),
    }
}

/// Documents, and what only calls programs: CI files and scripts.
fn is_prose(path: &RepoPath) -> bool {
    is_document(path) || matches!(path.extension().as_str(), "yml" | "yaml" | "sh" | "bash")
}

/// Whether `word` stands in a line by itself.
fn stands(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "-_:".contains(c);
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let after = after.trim_end_matches(':');
        !before.ends_with(part) && !after.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_by_themselves() {
        assert!(stands("Use `--dry-run` first.", "--dry-run") && stands("--dry-run", "--dry-run") && stands("run: make lint", "make lint"));
        assert!(!stands("--dry-run-all", "--dry-run") && !stands("x--dry-run", "--dry-run") && !stands("make lint-all", "make lint"));
        let option = |l: &str| OPTION.captures(l).and_then(|c| c.get(1)).map(|m| m.as_str().to_owned());
        assert_eq!(option("parser.add_argument(\"--dry-run\", help=\"\")").as_deref(), Some("--dry-run"));
        assert_eq!((option("\"--force\""), option("// --dry-run")), (None, None));
        assert!(SCRIPT.is_match("    \"build:docs\": \"x\",") && TARGET.is_match("lint-all: build") && !TARGET.is_match("NAME := x"));
    }
}
