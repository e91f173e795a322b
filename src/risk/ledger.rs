//! The coverage ledger: what became of every changed file. "No findings" is never said of a file that
//! nobody saw. It only keeps account; it decides nothing about a review.

use super::{Coverage, CoverageStatus};
use crate::diff::FileDiff;
use crate::path::RepoPath;
use std::collections::{BTreeMap, BTreeSet};

/// Who the deterministic rules are in the ledger.
const RULES: &str = "rules";

#[derive(Debug, Default)]
struct Entry {
    filtered: Option<String>,
    unreadable: Option<String>,
    bounds: BTreeSet<String>,
    looked: BTreeSet<String>,
    before: Option<String>,
    missed: BTreeMap<String, String>,
}

/// Keeps account of every changed file. Telling the same twice is harmless; a file that the diff does not have
/// is added, since nothing that was told may be lost.
#[derive(Debug, Default)]
pub struct Ledger {
    order: Vec<RepoPath>,
    entries: BTreeMap<RepoPath, Entry>,
}

impl Ledger {
    /// A ledger of a change's files, in the diff's order. Until somebody looks, each counts as failed.
    pub fn new(files: &[FileDiff]) -> Self {
        let mut ledger = Self::default();
        for file in files {
            ledger.entry(file.path());
        }
        ledger
    }

    fn entry(&mut self, path: &RepoPath) -> &mut Entry {
        if !self.entries.contains_key(path) {
            self.order.push(path.clone());
        }
        self.entries.entry(path.clone()).or_default()
    }

    /// It is noise, for this reason.
    pub fn filtered(&mut self, path: &RepoPath, reason: impl Into<String>) {
        self.entry(path).filtered = Some(reason.into());
    }

    /// `who` (a reviewer's id, or `rules`) looked at it, or at the part of it that was its own.
    pub fn looked(&mut self, path: &RepoPath, who: &str) {
        self.entry(path).looked.insert(who.to_owned());
    }

    /// `who` was to look at it, or at a part of it, and failed. The first reason is kept.
    pub fn missed(&mut self, path: &RepoPath, who: &str, reason: impl Into<String>) {
        self.entry(path).missed.entry(who.to_owned()).or_insert_with(|| reason.into());
    }

    /// Some of it exceeds a documented bound, so that nobody could look at that part.
    pub fn bounded(&mut self, path: &RepoPath, reason: impl Into<String>) {
        self.entry(path).bounds.insert(reason.into());
    }

    /// An earlier round reviewed it as it stands; says which.
    pub fn reviewed_before(&mut self, path: &RepoPath, remark: impl Into<String>) {
        self.entry(path).before = Some(remark.into());
    }

    /// It could not be read.
    pub fn unreadable(&mut self, path: &RepoPath, reason: impl Into<String>) {
        self.entry(path).unreadable = Some(reason.into());
    }

    /// Every file exactly once, in the diff's order; files that the diff did not have stand last.
    pub fn finish(mut self) -> Vec<Coverage> {
        let entries = &mut self.entries;
        self.order.into_iter().map(|path| entries.remove(&path).unwrap_or_default().coverage(path)).collect()
    }
}

impl Entry {
    fn coverage(self, path: RepoPath) -> Coverage {
        let (status, reason) = self.status();
        let bounded = status == CoverageStatus::Partial && self.missed.is_empty();
        Coverage { path, status, reason, reviewers: self.looked.into_iter().collect(), bounded }
    }

    fn status(&self) -> (CoverageStatus, Option<String>) {
        if let Some(reason) = &self.unreadable {
            return (CoverageStatus::Failed, Some(reason.clone()));
        }
        if let Some(reason) = &self.filtered {
            return (CoverageStatus::Filtered, Some(reason.clone()));
        }
        let reasons = || {
            let mut missed: Vec<(String, &String)> = Vec::new();
            for (who, why) in &self.missed {
                match missed.iter_mut().find(|(_, known)| *known == why) {
                    Some((all, _)) => all.push_str(&format!(", {who}")),
                    None => missed.push((who.clone(), why)),
                }
            }
            let missed = missed.into_iter().map(|(who, why)| format!("{who}: {why}"));
            Some(missed.chain(self.bounds.iter().cloned()).collect::<Vec<_>>().join("; "))
        };
        if !self.missed.is_empty() {
            // Once a model was to look, rules alone do not count.
            let model_looked = self.looked.iter().any(|who| who != RULES);
            let only_rules_missed = self.missed.keys().all(|who| who == RULES);
            let some = model_looked || (only_rules_missed && !self.looked.is_empty());
            return (if some { CoverageStatus::Partial } else { CoverageStatus::Failed }, reasons());
        }
        match (self.looked.is_empty() && self.before.is_none(), self.bounds.is_empty()) {
            (false, true) => (CoverageStatus::Reviewed, self.before.clone()),
            (_, false) => (CoverageStatus::Partial, reasons()),
            (true, true) => (CoverageStatus::Failed, Some("nobody looked at it".to_owned())),
        }
    }
}

/// Whether something that should have been looked at was not (exit 3): a file failed, or is partial for
/// another reason than a documented bound on the file itself.
pub fn inconclusive(coverage: &[Coverage]) -> bool {
    coverage.iter().any(|c| match c.status {
        CoverageStatus::Failed => true,
        CoverageStatus::Partial => !c.bounded,
        CoverageStatus::Reviewed | CoverageStatus::Filtered => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::changed;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_what_became_of_a_file() {
        let path = RepoPath::from("a");
        let told = |tell: &dyn Fn(&mut Ledger)| {
            let mut ledger = Ledger::new(&[changed("a", 1)]);
            tell(&mut ledger);
            let coverage = ledger.finish();
            let c = &coverage[0];
            format!(
                "{:?}{} [{}] {} -> {}",
                c.status,
                if c.bounded { " (bounded)" } else { "" },
                c.reviewers.join(","),
                c.reason.as_deref().unwrap_or("-"),
                inconclusive(&coverage)
            )
        };
        let table = [
            told(&|_| {}),
            told(&|l| l.looked(&path, "rules")),
            told(&|l| (l.looked(&path, "security"), l.looked(&path, "rules"), l.looked(&path, "quality")).0),
            told(&|l| (l.looked(&path, "rules"), l.missed(&path, "quality", "timed out")).0),
            told(&|l| (l.looked(&path, "security"), l.missed(&path, "quality", "timed out")).0),
            told(&|l| (l.looked(&path, "quality"), l.missed(&path, "quality", "its second part: budget")).0),
            told(&|l| (l.missed(&path, "quality", "down"), l.missed(&path, "security", "down")).0),
            told(&|l| (l.looked(&path, "quality"), l.bounded(&path, "line 3 is too long")).0),
            told(&|l| l.bounded(&path, "larger than 4 MiB")),
            told(&|l| (l.looked(&path, "docs"), l.missed(&path, "quality", "down"), l.bounded(&path, "line 3 is too long")).0),
            told(&|l| (l.filtered(&path, "lock file"), l.looked(&path, "rules")).0),
            told(&|l| (l.filtered(&path, "lock file"), l.unreadable(&path, "git: missing object")).0),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        Failed [] nobody looked at it -> true
        Reviewed [rules] - -> false
        Reviewed [quality,rules,security] - -> false
        Failed [rules] quality: timed out -> true
        Partial [security] quality: timed out -> true
        Partial [quality] quality: its second part: budget -> true
        Failed [] quality, security: down -> true
        Partial (bounded) [quality] line 3 is too long -> false
        Partial (bounded) [] larger than 4 MiB -> false
        Partial [docs] quality: down; line 3 is too long -> true
        Filtered [rules] lock file -> false
        Failed [] git: missing object -> true
        ");
    }

    proptest! {
        #[test]
        fn every_file_stands_there_once_and_in_order(names in prop::collection::vec("[a-f]{1,2}", 0..30), steps in prop::collection::vec((0_u8..5, "[a-f]{1,2}", "[rq]"), 0..60)) {
            let files: Vec<FileDiff> = names.iter().map(|name| changed(name, 1)).collect();
            let mut ledger = Ledger::new(&files);
            for (step, name, who) in &steps {
                let path = RepoPath::from(name.as_str());
                match step {
                    0 => ledger.filtered(&path, "noise"),
                    1 => ledger.looked(&path, who),
                    2 => ledger.missed(&path, who, "failed"),
                    3 => ledger.bounded(&path, "long"),
                    _ => ledger.unreadable(&path, "gone"),
                }
            }
            let mut expected: Vec<&str> = Vec::new();
            for name in names.iter().chain(steps.iter().map(|(_, name, _)| name)) {
                if !expected.contains(&name.as_str()) {
                    expected.push(name);
                }
            }
            let coverage = ledger.finish();
            let found: Vec<_> = coverage.iter().map(|c| c.path.display().into_owned()).collect();
            prop_assert_eq!(found, expected);
            for c in &coverage {
                prop_assert_eq!(c.reason.is_none(), c.status == CoverageStatus::Reviewed);
                prop_assert!(c.status != CoverageStatus::Reviewed || !c.reviewers.is_empty(), "nobody saw {:?}", c.path);
                prop_assert!(!c.bounded || c.status == CoverageStatus::Partial);
            }
        }
    }
}
