//! Reads a change from its source: finds the base, takes the snapshot, asks git for the diff.

use super::repository::{DEFAULT_BRANCHES, Repository};
use super::{Change, PolicyArg, Source, SourceKind, SourceRequest, empty, patch, request, short};
use crate::error::UserError;
use crate::git::{Objects, Tree};
use crate::path::RepoPath;
use crate::threads::both;
use std::sync::Arc;

/// Reads the change that is asked for. Fails where nothing of it can be read; what could be read only
/// in part is in the change's `unreadable`, `oversized` and `notes`.
pub fn open(asked: &SourceRequest) -> Result<Change, UserError> {
    let policy = asked.policy.as_ref();
    match &asked.source {
        Source::Patch(bytes) => {
            let mut change = patch::read(bytes)?;
            if policy.is_some() {
                let repository = Repository::open(&asked.dir, policy, &[])?;
                let (policy, tree) = repository.policy(policy, None, None, &mut change.notes)?;
                change.policy = policy;
                change.objects = Some(Arc::new(Objects::new(repository.room, None, None, tree)));
            }
            Ok(change)
        }
        Source::Staged => staged(Repository::open(&asked.dir, policy, &[])?, policy),
        Source::Range { base, head } => {
            let head = head.as_deref().unwrap_or("HEAD");
            range(Repository::open(&asked.dir, policy, &[("--base", base), ("--head", head)])?, policy, base, head)
        }
        Source::Request(source) => request::open(&asked.dir, source, policy),
        Source::WorkTree => work_tree(Repository::open(&asked.dir, policy, &[])?, policy),
    }
}

fn staged(repository: Repository, policy: Option<&PolicyArg>) -> Result<Change, UserError> {
    repository.work_tree_top()?;
    let base = repository.commit("HEAD").map(str::to_owned);
    let (index, _) = repository.room.copy_index(&repository.origin, "index-staged").map_err(|e| {
        UserError::unreadable("the index cannot be read", e.to_string(), "Check the file `index` in the git directory and the temporary folder.")
    })?;
    let new = Tree::Index(index);
    let mut change = empty(SourceKind::Staged);
    change.label = match &base {
        Some(sha) => format!("staged changes against HEAD ({})", short(sha)),
        None => "staged changes before the first commit".to_owned(),
    };
    let (policy, policy_tree) = repository.policy(policy, base.as_deref(), None, &mut change.notes)?;
    (change.policy, change.base_sha) = (policy, base.clone());
    repository.diff(base.as_deref(), new, policy_tree, change)
}

fn range(repository: Repository, policy: Option<&PolicyArg>, base_name: &str, head_name: &str) -> Result<Change, UserError> {
    let commit = |name| repository.commit(name).unwrap_or_default().to_owned();
    let (tip, head) = (commit(base_name), commit(head_name));
    let (base, messages) = repository.history(&tip, &head)?;
    let named = |name: &str, sha: &str| format!("{} ({})", RepoPath::from(name), short(sha));
    let Some(base) = base else {
        let (base, head) = (named(base_name, &tip), named(head_name, &head));
        return Err(if repository.origin.is_shallow() {
            let cause = format!("this clone is shallow: the common ancestor of {base} and {head} is not in it");
            UserError::unreadable(
                "the merge base is missing",
                cause,
                "Fetch more history: `git fetch --deepen=100 origin`, or all of it: `git fetch --unshallow origin`.",
            )
        } else {
            let cause = format!("{base} and {head} have no common ancestor");
            UserError::unreadable(
                "the histories are unrelated",
                cause,
                "Give a --base that --head was branched from, or review a patch with --diff FILE.",
            )
        });
    };
    let new = Tree::Treeish(head.clone());
    let mut change = empty(SourceKind::Range);
    change.label = format!("{} against {}", named(head_name, &head), named(base_name, &tip));
    let (policy, policy_tree) = repository.policy(policy, Some(&base), None, &mut change.notes)?;
    (change.policy, change.messages) = (policy, messages);
    (change.base_sha, change.head_sha) = (Some(base.clone()), Some(head));
    repository.diff(Some(&base), new, policy_tree, change)
}

fn work_tree(repository: Repository, policy: Option<&PolicyArg>) -> Result<Change, UserError> {
    let (snapshot, history) = both(|| repository.snapshot("index-work-tree"), || default_base(&repository));
    let (snapshot, history) = (snapshot?, history?);
    let new = Tree::Index(snapshot.index);
    let mut change = empty(SourceKind::WorkTree);
    change.label = history.label;
    change.notes = [history.note.into_iter().collect(), snapshot.notes].concat();
    let (policy, policy_tree) = repository.policy(policy, history.base.as_deref(), Some(&new), &mut change.notes)?;
    (change.policy, change.messages, change.base_sha) = (policy, history.messages, history.base.clone());
    (change.unreadable, change.oversized) = (snapshot.unreadable, snapshot.oversized);
    repository.diff(history.base.as_deref(), new, policy_tree, change)
}

/// What the work tree is compared with.
struct Base {
    base: Option<String>,
    messages: Vec<String>,
    label: String,
    note: Option<String>,
}

/// The merge base with the default branch; `HEAD`, with a note, where there is none.
fn default_base(repository: &Repository) -> Result<Base, UserError> {
    let Some(head) = repository.commit("HEAD") else {
        let label = "work tree before the first commit".to_owned();
        return Ok(Base { base: None, messages: Vec::new(), label, note: None });
    };
    let against = |name: &str, sha: &str| format!("work tree against {name} ({})", short(sha));
    let at_head = |note: String| Base { base: Some(head.to_owned()), messages: Vec::new(), label: against("HEAD", head), note: Some(note) };
    let default = DEFAULT_BRANCHES.iter().find_map(|(reference, name)| repository.commit(reference).map(|tip| (*name, tip)));
    let Some((name, tip)) = default else {
        return Ok(at_head("No default branch found (origin/HEAD, main, master): only what is not committed yet was looked at.".to_owned()));
    };
    let name = if name == "origin/HEAD" { repository.origin.origin_head().unwrap_or_else(|| name.to_owned()) } else { name.to_owned() };
    let (base, messages) = repository.history(tip, head)?;
    Ok(match base {
        Some(base) => Base { label: against(&name, &base), base: Some(base), messages, note: None },
        None => {
            let why = if repository.origin.is_shallow() {
                "this clone is shallow and does not reach it; `git fetch --unshallow` brings it"
            } else {
                "their histories are unrelated"
            };
            at_head(format!("No common ancestor with {name} ({why}): only what is not committed yet was looked at."))
        }
    })
}
