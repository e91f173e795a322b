//! A change in memory, for tests: two trees, a diff between them, and a search.

use crate::change::{Change, Policy, SourceKind};
use crate::context::{Analysis, Bundle, ContextInput, FileView, Private, Repository, Shared, affordable, bundles, shared};
use crate::diff::{FileDiff, FileMode, FileStatus, Hunk, Line, LineKind, Side};
use crate::git::{GrepHit, GrepQuery};
use crate::lang::Source;
use crate::path::RepoPath;
use crate::text::FileText;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Both trees and the policy tree, by path.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) old: BTreeMap<RepoPath, String>,
    pub(super) new: BTreeMap<RepoPath, String>,
    pub(super) policy: BTreeMap<RepoPath, String>,
    pub(super) messages: Vec<String>,
    pub(super) private: Vec<&'static str>,
    pub(super) budget: Option<u64>,
}

impl Fake {
    /// A file that the change leaves alone.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.old.insert(path.into(), text.to_owned());
        self.new.insert(path.into(), text.to_owned());
        self
    }

    /// A file before and after; empty text is no file.
    pub(super) fn change(mut self, path: &str, old: &str, new: &str) -> Self {
        for (tree, text) in [(&mut self.old, old), (&mut self.new, new)] {
            if !text.is_empty() {
                tree.insert(path.into(), text.to_owned());
            }
        }
        self
    }

    pub(super) fn policy(mut self, path: &str, text: &str) -> Self {
        self.policy.insert(path.into(), text.to_owned());
        self
    }

    pub(super) fn message(mut self, message: &str) -> Self {
        self.messages.push(message.to_owned());
        self
    }

    pub(super) fn to_change(&self) -> Change {
        let paths: BTreeSet<&RepoPath> = self.old.keys().chain(self.new.keys()).collect();
        let files = paths.into_iter().filter_map(|p| {
            let (old, new) = (self.old.get(p), self.new.get(p));
            (old != new).then(|| file_diff(p, old.map_or("", |s| s), new.map_or("", |s| s)))
        });
        Change {
            kind: SourceKind::Range,
            base_sha: None,
            head_sha: None,
            files: files.collect(),
            label: String::new(),
            messages: self.messages.clone(),
            policy: Policy::None,
            objects: None,
            unreadable: Vec::new(),
            oversized: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The shared text of the only bundle.
    pub(super) fn shared(&self) -> Shared {
        let change = self.to_change();
        let all: Vec<usize> = (0..change.files.len()).collect();
        let private = |p: &RepoPath| self.private.iter().any(|x| p.display().starts_with(x));
        let analysis = read(&change, self, &all, &private);
        let bundles = bundles(&change, &all, &analysis, 1_000_000);
        let bundle = bundles.first().cloned().unwrap_or_default();
        self.shared_of(&change, &analysis, &bundle)
    }

    pub(super) fn shared_of(&self, change: &Change, analysis: &Analysis, bundle: &Bundle) -> Shared {
        let private = |p: &RepoPath| self.private.iter().any(|x| p.display().starts_with(x));
        shared(&ContextInput {
            change,
            repo: self,
            analysis,
            bundle,
            other_files: &[],
            outlined: &[],
            rule_hits: &[],
            facts: &[],
            rules_index: "",
            private: &private,
            mask: &mask,
            key: None,
            budget_tokens: self.budget.unwrap_or(4_000),
        })
    }
}

/// Stands for the real one: a known secret is replaced in place.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    if text.contains("hunter2") { Cow::Owned(text.replace("hunter2", "‹masked:hunt…›")) } else { Cow::Borrowed(text) }
}

impl Fake {
    fn grep_one(&self, query: &GrepQuery) -> Vec<GrepHit> {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let stands = |line: &str, needle: &str| {
            line.match_indices(needle).any(|(at, _)| !query.word || (!line[..at].ends_with(word) && !line[at + needle.len()..].starts_with(word)))
        };
        let mut out = Vec::new();
        for (path, text) in &self.new {
            for (line, number) in text.lines().zip(1..) {
                if query.needles.iter().any(|n| stands(line, n)) {
                    out.push(GrepHit { path: path.clone(), line: number, text: line.to_owned() });
                }
            }
        }
        out.truncate(query.max_hits);
        out
    }
}

/// The given files (ascending indices), read.
pub(super) fn read(change: &Change, fake: &Fake, files: &[usize], private: Private<'_>) -> Analysis {
    let parse = affordable(change, fake, &|_| true);
    let view = |(file, parse): (&FileDiff, bool)| {
        let old = fake.text(file, Side::Old).map(|text| Source::new(&file.old_path, text));
        let new = fake.text(file, Side::New).map(|text| Source::new(&file.new_path, text));
        FileView::read(file, old.as_ref(), new.as_ref(), &mask, parse)
    };
    let mut analysis = Analysis::new(change.files.iter().zip(parse).map(view).collect());
    analysis.retain(change, files, private);
    analysis
}

impl Repository for Fake {
    fn text(&self, file: &FileDiff, side: Side) -> Option<FileText> {
        let (tree, path) = if side == Side::Old { (&self.old, &file.old_path) } else { (&self.new, &file.new_path) };
        tree.get(path).map(|t| FileText::whole(t.as_bytes()))
    }

    fn file(&self, path: &RepoPath) -> Option<FileText> {
        self.new.get(path).map(|t| FileText::whole(t.as_bytes()))
    }

    fn paths(&self) -> Vec<&RepoPath> {
        self.new.keys().collect()
    }

    fn grep(&self, queries: &[GrepQuery]) -> Vec<Vec<GrepHit>> {
        queries.iter().map(|query| self.grep_one(query)).collect()
    }

    fn policy_file(&self, path: &RepoPath) -> Option<FileText> {
        self.policy.get(path).map(|t| FileText::whole(t.as_bytes()))
    }
}

/// A diff as git makes it: longest common subsequence, three lines of context.
pub(super) fn file_diff(path: &RepoPath, old: &str, new: &str) -> FileDiff {
    let status = match (old.is_empty(), new.is_empty()) {
        (true, _) => FileStatus::Added,
        (_, true) => FileStatus::Deleted,
        _ => FileStatus::Modified,
    };
    let mode = Some(FileMode::Regular);
    FileDiff {
        status,
        old_path: path.clone(),
        new_path: path.clone(),
        old_mode: mode.filter(|_| !old.is_empty()),
        new_mode: mode.filter(|_| !new.is_empty()),
        old_id: None,
        new_id: None,
        binary: false,
        hunks: hunks(old, new),
    }
}

fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let mut common = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        let kind = match () {
            () if i < a.len() && j < b.len() && a[i] == b[j] => LineKind::Context,
            () if i < a.len() && (j == b.len() || common[i + 1][j] >= common[i][j + 1]) => LineKind::Removed,
            () => LineKind::Added,
        };
        let text = if kind == LineKind::Added { b[j] } else { a[i] };
        let (is_old, is_new) = (kind != LineKind::Added, kind != LineKind::Removed);
        lines.push(Line {
            kind,
            text: text.strip_suffix('\n').unwrap_or(text).as_bytes().to_vec(),
            old: is_old.then_some(i as u32 + 1),
            new: is_new.then_some(j as u32 + 1),
            no_newline: !text.ends_with('\n'),
        });
        (i, j) = (i + usize::from(is_old), j + usize::from(is_new));
    }
    let near: Vec<bool> =
        (0..lines.len()).map(|n| lines[n.saturating_sub(3)..(n + 4).min(lines.len())].iter().any(|l| l.kind != LineKind::Context)).collect();
    let mut out = Vec::new();
    let (mut old_at, mut new_at, mut n) = (0, 0, 0);
    while n < lines.len() {
        if !near[n] {
            (old_at, new_at, n) = (old_at + 1, new_at + 1, n + 1);
            continue;
        }
        let to = (n..lines.len()).find(|m| !near[*m]).unwrap_or(lines.len());
        let part = lines[n..to].to_vec();
        let count = |f: fn(&Line) -> bool| part.iter().filter(|l| f(l)).count() as u32;
        let (olds, news) = (count(|l| l.old.is_some()), count(|l| l.new.is_some()));
        let start = |at: u32, count: u32| if count == 0 { at } else { at + 1 };
        out.push(Hunk {
            old_start: start(old_at, olds),
            old_lines: olds,
            new_start: start(new_at, news),
            new_lines: news,
            section: Vec::new(),
            lines: part,
        });
        (old_at, new_at, n) = (old_at + olds, new_at + news, to);
    }
    out
}
