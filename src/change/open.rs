//! Reads a change from a repository: finds the base, takes the snapshot, asks git for the diff.

use super::{Change, Policy, PolicyArg, Source, SourceKind, SourceRequest, patch};
use crate::diff::parse::{ParseError, Parsed, parse};
use crate::error::UserError;
use crate::git::origin::{Origin, Settings};
use crate::git::room::Room;
use crate::git::snapshot::{self, Snapshot, SnapshotError};
use crate::git::{GitError, Objects, Tree, compare, told};
use crate::path::RepoPath;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Where the default branch is looked for, first come first; and what to call it.
const DEFAULT_BRANCHES: [(&str, &str); 5] = [
    ("refs/remotes/origin/HEAD", "origin/HEAD"),
    ("refs/remotes/origin/main", "origin/main"),
    ("refs/remotes/origin/master", "origin/master"),
    ("refs/heads/main", "main"),
    ("refs/heads/master", "master"),
];

/// Reads the change that `request` asks for. Fails where nothing of it can be read; what could be read only
/// in part is in the change's `unreadable`, `oversized` and `notes`.
pub fn open(request: &SourceRequest) -> Result<Change, UserError> {
    let policy = request.policy.as_ref();
    match &request.source {
        Source::Patch(bytes) => {
            let mut change = patch::read(bytes)?;
            if policy.is_some() {
                let repository = Repository::open(&request.dir, policy, &[])?;
                let (policy, tree) = repository.policy(policy, None, None, &mut change.notes)?;
                change.policy = policy;
                change.objects = Some(Arc::new(Objects::new(repository.room, None, None, tree)));
            }
            Ok(change)
        }
        Source::Staged => staged(Repository::open(&request.dir, policy, &[])?, policy),
        Source::Range { base, head } => {
            let head = head.as_deref().unwrap_or("HEAD");
            range(Repository::open(&request.dir, policy, &[("--base", base), ("--head", head)])?, policy, base, head)
        }
        Source::WorkTree => work_tree(Repository::open(&request.dir, policy, &[])?, policy),
    }
}

/// The repository under review and what its names stand for.
struct Repository {
    origin: Origin,
    settings: Settings,
    room: Room,
    names: Vec<String>,
    commits: Vec<Option<String>>,
}

impl Repository {
    /// Opens the repository that `dir` lies in and looks up `HEAD`, the default branches, and the revisions
    /// given by hand, each with the flag that gave it.
    fn open(dir: &Path, policy: Option<&PolicyArg>, revisions: &[(&str, &str)]) -> Result<Self, UserError> {
        let mut given = revisions.to_vec();
        if let Some(PolicyArg::Rev(revision)) = policy {
            given.push(("--policy", revision));
        }
        for (flag, revision) in &given {
            check_revision(flag, revision)?;
        }
        let origin = Origin::discover(dir)?;
        let mut names = vec!["HEAD"];
        names.extend(DEFAULT_BRANCHES.map(|(reference, _)| reference));
        names.extend(given.iter().map(|(_, revision)| *revision));
        let (settings, commits) = both(|| origin.settings(), || origin.commits(&names));
        let settings = settings.map_err(|e| told(&e, "read the repository's settings"))?;
        let commits = commits.map_err(|e| told(&e, "look up revisions"))?;
        let room = Room::build(&origin, &settings).map_err(|e| {
            UserError::unreadable("the repository's objects cannot be opened", e.to_string(), "Check that the temporary folder can be written (TMPDIR).")
        })?;
        let names = names.into_iter().map(str::to_owned).collect();
        let repository = Self { origin, settings, room, names, commits };
        for (flag, revision) in &given {
            if repository.commit(revision).is_none() {
                return Err(repository.unknown_revision(flag, revision));
            }
        }
        Ok(repository)
    }

    fn commit(&self, name: &str) -> Option<&str> {
        let at = self.names.iter().position(|known| known == name)?;
        self.commits.get(at)?.as_deref()
    }

    fn unknown_revision(&self, flag: &str, revision: &str) -> UserError {
        let shown = RepoPath::from(revision);
        if revision == "HEAD" {
            let fix = "Commit something first, or review the work tree: `tribune review` without --base.";
            return UserError::unreadable("there are no commits yet", "HEAD names a branch without a commit", fix);
        }
        let title = format!("{flag}: no commit `{shown}`");
        if self.origin.is_shallow() {
            let fix = "Fetch it first: `git fetch --unshallow origin`, or `git fetch --depth=1 origin <revision>` and then `git fetch --deepen=100`.";
            return UserError::unreadable(title, "this clone is shallow and does not have it", fix);
        }
        UserError::usage(title, "git knows no branch, tag or commit of this name here", "Check the spelling (`git branch -a`), or run `git fetch` first.")
    }

    fn work_tree_top(&self) -> Result<&Path, UserError> {
        self.origin.work_tree(&self.settings).ok_or_else(|| {
            let cause = format!("{} is a bare repository or a git directory", self.origin.git_dir.display());
            UserError::unreadable("there is no work tree to review", cause, "Name commits with --base and --head, or run tribune in a work tree.")
        })
    }

    fn snapshot(&self, name: &str) -> Result<Snapshot, UserError> {
        let top = self.work_tree_top()?;
        snapshot::take(&self.room, &self.origin, &self.settings, top, name).map_err(|e| match e {
            SnapshotError::Git(e) => told(&e, "read the work tree"),
            SnapshotError::Io(e) => UserError::unreadable("the index cannot be read", e.to_string(), "Check the file `index` in the git directory and the temporary folder."),
            SnapshotError::TooManyUntracked(_) => {
                let fix = "Add generated folders to .gitignore, or review only what is staged (--staged) or committed (--base).";
                UserError::unreadable("too many untracked files", e.to_string(), fix)
            }
        })
    }

    /// Where policy comes from and its tree: what was asked for by hand, else the base.
    fn policy(
        &self,
        asked: Option<&PolicyArg>,
        base: Option<&str>,
        work_tree: Option<&Tree>,
        notes: &mut Vec<String>,
    ) -> Result<(Policy, Option<Tree>), UserError> {
        let commit = |sha: &str, by_hand| (Policy::Commit { sha: sha.to_owned(), by_hand }, Some(Tree::Treeish(sha.to_owned())));
        Ok(match asked {
            Some(PolicyArg::Rev(revision)) => self.commit(revision).map_or((Policy::None, None), |sha| commit(sha, true)),
            Some(PolicyArg::WorkTree) => {
                let tree = match work_tree {
                    Some(tree) => tree.clone(),
                    None => {
                        let snapshot = self.snapshot("index-policy")?;
                        notes.extend(snapshot.unreadable.iter().map(|(path, why)| format!("Policy from the work tree lacks {path}: {why}")));
                        Tree::Index(snapshot.index)
                    }
                };
                (Policy::WorkTree, Some(tree))
            }
            None => base.map_or((Policy::None, None), |sha| commit(sha, false)),
        })
    }

    /// The merge base of two commits and the messages of what `head` has beyond `tip`.
    fn history(&self, tip: &str, head: &str) -> Result<(Option<String>, Vec<String>), UserError> {
        if tip == head {
            return Ok((Some(head.to_owned()), Vec::new()));
        }
        let (base, messages) = both(|| compare::merge_base(&self.room, tip, head), || compare::messages(&self.room, tip, head));
        let base = base.map_err(|e| told(&e, "find the merge base"))?;
        Ok((base, messages.map_err(|e| told(&e, "read commit messages"))?))
    }

    /// Git's diff from the commit `base` to `new`.
    fn diff(&self, base: Option<&str>, new: &Tree) -> Result<Parsed, UserError> {
        let bytes = compare::diff(&self.room, base, new).map_err(|e| match e {
            GitError::Failed { .. } if self.settings.partial => UserError::unreadable(
                "objects of the change are missing",
                format!("this is a partial clone, and tribune fetches nothing ({e})"),
                "Fetch them once: run `git diff BASE HEAD > /dev/null` with the revisions to review, or clone without --filter.",
            ),
            e => told(&e, "compare the two sides"),
        })?;
        parse(&bytes).map_err(|e| {
            let fix = match e {
                ParseError::TooLarge(_) | ParseError::TooManyFiles => "Review it in parts, with --base and --head.",
                ParseError::NoPatch | ParseError::Coloured => "Please report this as a defect of tribune.",
            };
            UserError::unreadable("git's diff cannot be read", e.to_string(), fix)
        })
    }

    /// Makes a change of its parts; `change` brings what the source knows.
    fn finish(self, old: Option<Tree>, new: Tree, policy: Option<Tree>, parsed: Parsed, change: Change) -> Change {
        let mut change = Change { files: parsed.files, ..change };
        for (path, problem) in parsed.problems {
            match path {
                Some(path) => change.unreadable.push((path, problem)),
                None => change.notes.push(format!("Not read in git's diff: {problem}")),
            }
        }
        change.unreadable.sort();
        change.objects = Some(Arc::new(Objects::new(self.room, old, Some(new), policy)));
        change
    }
}

fn staged(repository: Repository, policy: Option<&PolicyArg>) -> Result<Change, UserError> {
    repository.work_tree_top()?;
    let base = repository.commit("HEAD").map(str::to_owned);
    let (index, _) = repository.room.copy_index(&repository.origin, "index-staged").map_err(|e| {
        UserError::unreadable("the index cannot be read", e.to_string(), "Check the file `index` in the git directory and the temporary folder.")
    })?;
    let new = Tree::Index(index);
    let parsed = repository.diff(base.as_deref(), &new)?;
    if let Some(path) = parsed.unmerged.first() {
        let cause = format!("files with unresolved conflicts: {}; the first is {path}", parsed.unmerged.len());
        let fix = "Resolve them and `git add` the files, or review the work tree with its conflict markers: `tribune review`.";
        return Err(UserError::unreadable("the index has conflicts", cause, fix));
    }
    let mut change = empty(SourceKind::Staged);
    change.label = match &base {
        Some(sha) => format!("staged changes against HEAD ({})", short(sha)),
        None => "staged changes before the first commit".to_owned(),
    };
    let (policy, policy_tree) = repository.policy(policy, base.as_deref(), None, &mut change.notes)?;
    (change.policy, change.base_sha) = (policy, base.clone());
    Ok(repository.finish(base.map(Tree::Treeish), new, policy_tree, parsed, change))
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
            UserError::unreadable("the merge base is missing", cause, "Fetch more history: `git fetch --deepen=100 origin`, or all of it: `git fetch --unshallow origin`.")
        } else {
            let cause = format!("{base} and {head} have no common ancestor");
            UserError::unreadable("the histories are unrelated", cause, "Give a --base that --head was branched from, or review a patch with --diff FILE.")
        });
    };
    let new = Tree::Treeish(head.clone());
    let parsed = repository.diff(Some(&base), &new)?;
    let mut change = empty(SourceKind::Range);
    change.label = format!("{} against {}", named(head_name, &head), named(base_name, &tip));
    let (policy, policy_tree) = repository.policy(policy, Some(&base), None, &mut change.notes)?;
    (change.policy, change.messages) = (policy, messages);
    (change.base_sha, change.head_sha) = (Some(base.clone()), Some(head));
    Ok(repository.finish(Some(Tree::Treeish(base)), new, policy_tree, parsed, change))
}

fn work_tree(repository: Repository, policy: Option<&PolicyArg>) -> Result<Change, UserError> {
    let (snapshot, history) = both(|| repository.snapshot("index-work-tree"), || default_base(&repository));
    let (snapshot, history) = (snapshot?, history?);
    let new = Tree::Index(snapshot.index);
    let parsed = repository.diff(history.base.as_deref(), &new)?;
    let mut change = empty(SourceKind::WorkTree);
    change.label = history.label;
    change.notes = [history.note.into_iter().collect(), snapshot.notes].concat();
    let (policy, policy_tree) = repository.policy(policy, history.base.as_deref(), Some(&new), &mut change.notes)?;
    (change.policy, change.messages, change.base_sha) = (policy, history.messages, history.base.clone());
    (change.unreadable, change.oversized) = (snapshot.unreadable, snapshot.oversized);
    Ok(repository.finish(history.base.map(Tree::Treeish), new, policy_tree, parsed, change))
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

/// A revision that git could take for an option or for several is refused before git sees it.
fn check_revision(flag: &str, revision: &str) -> Result<(), UserError> {
    let problem = if revision.is_empty() {
        "it is empty"
    } else if revision.starts_with('-') {
        "it begins with `-`, so git would take it for an option"
    } else if revision.chars().any(char::is_control) || revision.len() > 1_000 {
        "it is not a name that git could have"
    } else {
        return Ok(());
    };
    let title = format!("{flag}: `{}` is not a revision", RepoPath::from(revision));
    Err(UserError::usage(title, problem, "Give a branch, a tag or a commit id."))
}

fn empty(kind: SourceKind) -> Change {
    Change {
        kind,
        label: String::new(),
        base_sha: None,
        head_sha: None,
        files: Vec::new(),
        messages: Vec::new(),
        policy: Policy::None,
        objects: None,
        unreadable: Vec::new(),
        oversized: Vec::new(),
        notes: Vec::new(),
    }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

/// Runs two independent questions side by side.
fn both<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), second)
    })
}
