//! A whole tree instead of a change: of a commit, or of the work tree. For what looks at all files, changed or not.

use super::repository::Repository;
use super::{Change, PolicyArg, SourceKind, empty, short};
use crate::error::UserError;
use crate::git::{Objects, Tree};
use crate::platform;
use std::path::Path;
use std::sync::Arc;

/// Which tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeAt {
    /// The tree of a revision.
    Rev(String),
    /// The work tree, uncommitted and untracked files included.
    WorkTree,
}

/// Opens the tree of the repository that `path` lies in, as a change without changed files whose new side is that tree. Policy
/// comes from the same commit (of the work tree: from `HEAD`), unless `policy` names another. Also returns where
/// `path` lies below the repository's root (`""`: it is the root). Fails as [`super::open`] does.
pub fn tree(path: &Path, at: &TreeAt, policy: Option<&PolicyArg>) -> Result<(Change, String), UserError> {
    let missing = |e: std::io::Error| {
        UserError::usage(format!("{} cannot be opened", path.display()), e.to_string(), "Name a file or folder inside a git repository.")
    };
    let full = platform::canonicalize(path).map_err(missing)?;
    let folder = if full.is_dir() { full.as_path() } else { full.parent().unwrap_or(&full) };
    let asked: Vec<(&str, &str)> = match at {
        TreeAt::Rev(rev) => vec![("--rev", rev)],
        TreeAt::WorkTree => Vec::new(),
    };
    let repository = Repository::open(folder, policy, &asked)?;
    let below = repository.origin.top.as_deref().and_then(|top| full.strip_prefix(top).ok()).map(platform::with_slashes).unwrap_or_default();
    let mut change = empty(SourceKind::Range);
    let new = match at {
        TreeAt::Rev(rev) => {
            let commit = repository.commit(rev).unwrap_or_default().to_owned();
            change.label = format!("{rev} ({})", short(&commit));
            change.head_sha = Some(commit.clone());
            Tree::Treeish(commit)
        }
        TreeAt::WorkTree => {
            let snapshot = repository.snapshot("index-audit")?;
            change.kind = SourceKind::WorkTree;
            change.label = "work tree".to_owned();
            change.notes = snapshot.notes;
            (change.unreadable, change.oversized) = (snapshot.unreadable, snapshot.oversized);
            Tree::Index(snapshot.index)
        }
    };
    let base = change.head_sha.clone().or_else(|| repository.commit("HEAD").map(str::to_owned));
    let work_tree = Some(&new).filter(|_| *at == TreeAt::WorkTree);
    let (policy, policy_tree) = repository.policy(policy, base.as_deref(), work_tree, &mut change.notes)?;
    change.policy = policy;
    change.objects = Some(Arc::new(Objects::new(repository.room, None, Some(new), policy_tree)));
    Ok((change, below))
}
