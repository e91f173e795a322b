//! What is a test, and of what: by the customs of naming, since nothing is ever run.

use super::symbols::{Symbol, enclosing};
use crate::path::RepoPath;

/// Whether a path is that of a test file, by the customs of most languages.
pub(crate) fn is_test_path(path: &RepoPath) -> bool {
    let text = path.display().to_ascii_lowercase();
    let name = path.file_name();
    let extension = path.extension();
    let stem = name.split('.').next().unwrap_or_default();
    let prefixed = matches!(extension.as_str(), "py" | "rb" | "c" | "cc" | "cpp" | "sh" | "bats" | "lua") && stem.starts_with("test_");
    let camel = matches!(extension.as_str(), "java" | "kt" | "scala" | "groovy" | "cs" | "swift" | "php");
    text.split('/').rev().skip(1).any(|d| matches!(d, "test" | "tests" | "spec" | "specs" | "__tests__" | "testing" | "e2e"))
        || prefixed
        || ["_test", "_tests", "_spec"].iter().any(|s| stem.ends_with(s))
        || (camel && ["Test", "Tests", "Spec", "IT"].iter().any(|s| stem.ends_with(s)))
        || name.contains(".spec.")
        || name.contains(".test.")
        || matches!(stem, "test" | "tests" | "conftest")
}

/// A file's name without what marks it as a test of another: `client`, of `client.rs`, `test_client.py`, `ClientTest.java`, `client.spec.ts`.
pub(crate) fn stem(path: &RepoPath) -> String {
    let name = path.file_name();
    let name = name.split('.').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let cut = lower.strip_prefix("test_").unwrap_or(&lower);
    let cut = ["_test", "_tests", "_spec", "test", "tests", "spec"].iter().find_map(|s| cut.strip_suffix(s)).unwrap_or(cut);
    // `mod.rs`, `index.ts` and a bare `tests.rs` are named by their folder.
    if matches!(cut, "" | "mod" | "index" | "lib" | "main" | "__init__") { format!("{}/{lower}", path.parent()) } else { cut.to_owned() }
}

/// Whether hits in a file say nothing about code: change logs, lock files, snapshots, vendored and minified trees.
pub(crate) fn is_noise(path: &RepoPath) -> bool {
    let text = path.display().to_ascii_lowercase();
    let name = path.file_name().to_ascii_lowercase();
    ["changelog", "changes.", "history.", "news.", "release-notes"].iter().any(|p| name.starts_with(p))
        || [".lock", ".snap", ".min.js", ".min.css", ".map", ".svg", ".sum", "-lock.json", "-lock.yaml", ".pb.go", ".ipynb"]
            .iter()
            .any(|s| name.ends_with(s))
        || text
            .split('/')
            .any(|d| matches!(d, "vendor" | "node_modules" | "third_party" | "dist" | "snapshots" | "__snapshots__" | "testdata" | "fixtures"))
}

/// Whether a line stands in a test or in a module of tests.
pub(super) fn is_test_line(symbols: &[Symbol], line: u32) -> bool {
    let mut at = enclosing(symbols, line).and_then(|i| symbols.get(i));
    while let Some(symbol) = at {
        if symbol.is_test || (symbol.label == "mod" && matches!(symbol.own.as_str(), "tests" | "test")) {
            return true;
        }
        at = symbol.parent.and_then(|p| symbols.get(p));
    }
    false
}
