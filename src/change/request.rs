//! A merge request as a change: from git wherever both commits can be had, else from the forge's own diff, whose
//! completeness has to be proven. Policy comes from the commit that the forge names, never from the author's side (TRUST 3).

use super::repository::{Repository, diff, read_messages};
use super::{Change, Policy, PolicyArg, Source, SourceKind, empty, patch, short};
use crate::error::UserError;
use crate::forge::{ApiDiff, ForgeError, MergeRequest, Target, told};
use crate::git::bring::{self, Wanted};
use crate::git::origin::Origin;
use crate::git::room::Room;
use crate::git::{GitAccess, Objects, Tree, compare, object_id};
use crate::path::RepoPath;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// What is kept of title and description for the purpose.
const MAX_DESCRIPTION: usize = 16 << 10;
/// Files of the policy tree that are read, wherever they lie.
const POLICY_NAMES: [&str; 3] = ["AGENTS.md", ".gitattributes", "catalog-info.yaml"];

/// Asks the forge for its own diff.
type Ask = Arc<dyn Fn() -> Result<ApiDiff, ForgeError> + Send + Sync>;

/// A merge request to review.
#[derive(Clone)]
pub struct RequestSource {
    target: Target,
    request: MergeRequest,
    access: GitAccess,
    ask: Ask,
}

impl RequestSource {
    /// The merge request as it was read, how git reads its project, and how to get the forge's own diff, which is asked
    /// for only where git has not both commits.
    pub fn new(
        target: Target,
        request: MergeRequest,
        access: GitAccess,
        ask: impl Fn() -> Result<ApiDiff, ForgeError> + Send + Sync + 'static,
    ) -> Self {
        Self { target, request, access, ask: Arc::new(ask) }
    }
}

impl From<RequestSource> for Source {
    fn from(source: RequestSource) -> Self {
        Source::Request(Box::new(source))
    }
}

impl fmt::Debug for RequestSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSource").field("target", &self.target).field("head", &self.request.head_sha).finish_non_exhaustive()
    }
}

/// Reads it. `dir` may lie in a clone, of whatever repository and however shallow, or in none.
pub(super) fn open(dir: &Path, source: &RequestSource, policy: Option<&PolicyArg>) -> Result<Change, UserError> {
    let request = &source.request;
    let repository = match Origin::discover(dir) {
        Ok(_) => Some(Repository::open(dir, policy, &[])?),
        // Outside of any clone all that is needed is fetched.
        Err(_) if policy.is_none() && dir.is_dir() => None,
        Err(e) => return Err(e),
    };
    let mut change = empty(SourceKind::Range);
    let [head, base] = [&request.head_sha, &request.base_sha].map(|id| object_id(id.as_bytes()));
    let Some((head, base)) = head.zip(base) else {
        return Err(UserError::unreadable(
            "the merge request's commits are unknown",
            "the forge names no head and base that git could have",
            "Run it again: a merge request that was just opened is not prepared yet.",
        ));
    };
    change.label = format!(
        "merge request {} of {} ({}) against {}",
        source.target.number,
        source.target.project,
        short(&head),
        RepoPath::from(request.target_branch.as_str())
    );
    (change.base_sha, change.head_sha) = (Some(base.clone()), Some(head.clone()));
    let by_hand = match (policy, &repository) {
        (Some(asked), Some(repository)) => Some(repository.policy(Some(asked), None, None, &mut change.notes)?),
        _ => None,
    };
    let asked = by_hand.is_some();
    (change.policy, _) = by_hand.clone().unwrap_or((Policy::Unreadable, None));
    let policy_sha = request.policy_sha.as_deref().and_then(|id| object_id(id.as_bytes())).filter(|_| !asked);
    let clone = repository.as_ref();
    let (partial, shallow) = (clone.is_some_and(Repository::is_partial), clone.is_none_or(|r| r.origin.is_shallow()));
    let known = clone.map(Repository::known_commits).unwrap_or_default();
    let room = match repository {
        Some(repository) => repository.room,
        None => Room::empty(head.len() == 64).map_err(|e| {
            UserError::unreadable(
                "no room for the merge request's objects",
                e.to_string(),
                "Check that the temporary folder can be written (TMPDIR).",
            )
        })?,
    };
    let commits: Vec<&str> = [Some(head.as_str()), Some(base.as_str()), policy_sha.as_deref()].into_iter().flatten().collect();
    let refs = refs(request);
    let brought = bring::commits(&room, &source.access, &Wanted { commits: &commits, refs: &refs, known: &known, shallow, partial });
    let policy_tree = match (&by_hand, &policy_sha) {
        (Some((_, tree)), _) => tree.clone(),
        (None, Some(sha)) if bring::missing(&room, &[sha]).is_ok_and(|m| m.is_empty()) => {
            change.policy = Policy::Commit { sha: sha.clone(), by_hand: false };
            Some(Tree::Treeish(sha.clone()))
        }
        _ => None,
    };
    if change.policy == Policy::Unreadable {
        change.notes.push("The commit that policy comes from could not be read: no configuration of the repository is in force.".to_owned());
    }
    let why = match brought {
        Ok(true) => {
            if partial {
                fill(&room, source, &base, &head, policy_tree.as_ref(), &mut change.notes);
            }
            let new = Tree::Treeish(head.clone());
            change.messages = [vec![purpose(request)], read_messages(&room, &base, &head)?].concat();
            let objects = Objects::new(room, Some(Tree::Treeish(base.clone())), Some(new), policy_tree);
            return diff(objects, partial, Some(&base), change);
        }
        Ok(false) => "the repository does not hand out the commits".to_owned(),
        Err(e) => e.to_string(),
    };
    from_api(source, change, room, policy_tree, &why)
}

/// What to fetch where commits cannot be had by their ids.
fn refs(request: &MergeRequest) -> Vec<String> {
    let branch = |name: &str| format!("refs/heads/{name}");
    let mut refs = vec![request.head_ref.clone(), branch(&request.target_branch), branch(&request.default_branch)];
    // Branch names are a stranger's: none of them is more than one line, or more than a name.
    refs.retain(|name| !name.chars().any(|c| c.is_control() || matches!(c, ' ' | ':' | '*' | '^' | '~' | '?' | '[' | '\\')));
    refs.dedup();
    refs
}

/// Fetches in one batch what a partial clone lacks of the changed files and of the policy.
fn fill(room: &Room, source: &RequestSource, base: &str, head: &str, policy: Option<&Tree>, notes: &mut Vec<String>) {
    let mut ids: BTreeSet<String> = compare::changed_ids(room, base, head).unwrap_or_default();
    if let Some(Tree::Treeish(sha)) = policy {
        let entries = crate::git::tree_entries(room, sha).unwrap_or_default();
        let is_policy = |path: &RepoPath| path.as_bytes().starts_with(b".tribune") || POLICY_NAMES.contains(&path.file_name().as_ref());
        ids.extend(entries.into_iter().filter(|e| is_policy(&e.path)).map(|e| e.id));
    }
    match bring::objects(room, &source.access, &ids) {
        Ok(true) => notes.push("This clone is partial: what it lacks of the change was fetched, other files were not looked at.".to_owned()),
        Ok(false) | Err(_) => notes.push("This clone is partial, and what it lacks of the change could not all be fetched.".to_owned()),
    }
}

/// The forge's own diff. That it is whole is proven by the number of files; what it leaves out ends as failed.
fn from_api(source: &RequestSource, change: Change, room: Room, policy: Option<Tree>, why: &str) -> Result<Change, UserError> {
    let api = (source.ask)().map_err(|e| {
        let error = told(&e, "give the merge request's diff");
        UserError { cause: format!("git: {why}\nthe forge: {}", error.cause), ..error }
    })?;
    let read = if api.patch.trim_ascii().is_empty() { empty(SourceKind::Patch) } else { patch::read(&api.patch)? };
    let names: BTreeSet<&RepoPath> = read.files.iter().map(|f| f.path()).chain(api.missing.iter().map(|(path, _)| path)).collect();
    let all = source.request.changed_files;
    if all != Some(names.len() as u64) {
        let of = all.map_or("an unknown number".to_owned(), |n| n.to_string());
        return Err(UserError::unreadable(
            "the change cannot be read whole",
            format!("git: {why}\nthe forge's own diff has {} of {of} files", names.len()),
            "Let git fetch the merge request: a token that may read the repository, or a clone with enough history.",
        ));
    }
    let mut change =
        Change { kind: SourceKind::Patch, files: read.files, unreadable: read.unreadable, messages: vec![purpose(&source.request)], ..change };
    change.notes.extend(read.notes);
    change.notes.push(format!("The diff comes from the forge, without the files around it: git could not get the commits ({why})."));
    change.unreadable.extend(api.missing);
    change.unreadable.sort();
    change.objects = policy.map(|tree| Arc::new(Objects::new(room, None, None, Some(tree))));
    Ok(change)
}

/// Title and description, for the purpose of the change: a stranger's text.
fn purpose(request: &MergeRequest) -> String {
    let mut text = format!("{}\n\n{}", request.title.trim(), request.description.trim());
    let end = (0..=MAX_DESCRIPTION.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text.trim_end().to_owned()
}
