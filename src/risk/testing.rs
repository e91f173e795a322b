//! Small changes and configurations for the tests of this module.

use crate::config::{Config, Layer, resolve};
use crate::diff::{FileDiff, FileMode, FileStatus, Hunk, Line, LineKind};
use crate::path::RepoPath;

/// A modified file with so many added lines.
pub(super) fn changed(path: &str, lines: usize) -> FileDiff {
    with_lines(path, &vec!["+x"; lines])
}

/// A modified file with these lines, each led by `+`, `-` or a blank.
pub(super) fn with_lines(path: &str, lines: &[&str]) -> FileDiff {
    let kind = |line: &str| match line.as_bytes().first() {
        Some(b'+') => LineKind::Added,
        Some(b'-') => LineKind::Removed,
        _ => LineKind::Context,
    };
    let line = |text: &&str| Line { kind: kind(text), text: text.as_bytes()[1..].to_vec(), old: Some(1), new: Some(1), no_newline: false };
    let hunk = Hunk { old_start: 1, old_lines: 1, new_start: 1, new_lines: 1, section: Vec::new(), lines: lines.iter().map(line).collect() };
    FileDiff {
        status: FileStatus::Modified,
        old_path: RepoPath::from(path),
        new_path: RepoPath::from(path),
        old_mode: Some(FileMode::Regular),
        new_mode: Some(FileMode::Regular),
        old_id: Some("1".repeat(40)),
        new_id: Some("2".repeat(40)),
        binary: false,
        hunks: if lines.is_empty() { Vec::new() } else { vec![hunk] },
    }
}

/// The defaults with a repository's file over them.
pub(super) fn config(yaml: &str) -> Config {
    let (layer, problems) = Layer::repository(yaml);
    assert_eq!(problems, []);
    resolve(vec![layer], &|_| None).expect("valid").config
}
