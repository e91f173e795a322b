//! What the context needs of a repository: the seam between this module and git's objects.

use crate::change::Change;
use crate::diff::{FileDiff, Side};
use crate::git::{GrepHit, GrepQuery};
use crate::path::RepoPath;
use crate::text::FileText;

/// Files beyond this many bytes are not opened for an excerpt.
const MAX_EXCERPT_SOURCE: u64 = 1 << 20;

/// Both trees of a change. What cannot be read is absent: the context is worth having without it.
pub trait Repository: Sync {
    /// A changed file's text on one side.
    fn text(&self, file: &FileDiff, side: Side) -> Option<FileText>;
    /// Any regular file's text after the change.
    fn file(&self, path: &RepoPath) -> Option<FileText>;
    /// All paths after the change, sorted.
    fn paths(&self) -> Vec<&RepoPath>;
    /// Searches the tree after the change; of each query the hits, sorted by path and line.
    fn grep(&self, queries: &[GrepQuery]) -> Vec<Vec<GrepHit>>;
    /// A file's text in the policy tree.
    fn policy_file(&self, path: &RepoPath) -> Option<FileText>;
}

impl Repository for Change {
    fn text(&self, file: &FileDiff, side: Side) -> Option<FileText> {
        Change::text(self, file, side)
    }

    fn file(&self, path: &RepoPath) -> Option<FileText> {
        let bytes = self.objects.as_ref()?.file(Side::New, path, MAX_EXCERPT_SOURCE).ok()?;
        Some(FileText::whole(&bytes))
    }

    fn paths(&self) -> Vec<&RepoPath> {
        let entries = self.objects.as_ref().and_then(|o| o.entries(Side::New).ok());
        entries.unwrap_or_default().iter().map(|e| &e.path).collect()
    }

    fn grep(&self, queries: &[GrepQuery]) -> Vec<Vec<GrepHit>> {
        self.objects.as_ref().and_then(|o| o.grep_all(Side::New, queries).ok()).unwrap_or_default()
    }

    fn policy_file(&self, path: &RepoPath) -> Option<FileText> {
        let bytes = self.objects.as_ref()?.policy_file(path, MAX_EXCERPT_SOURCE).ok()?;
        Some(FileText::whole(&bytes))
    }
}
