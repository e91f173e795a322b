//! The repository that a change is read from: what its names stand for, and the questions that every source asks.

use super::{Change, Policy, PolicyArg, SourceKind};
use crate::diff::parse::{ParseError, Parsed, parse};
use crate::error::UserError;
use crate::git::origin::{Origin, Settings};
use crate::git::room::Room;
use crate::git::snapshot::{self, Snapshot, SnapshotError};
use crate::git::{GitError, Objects, Tree, compare, told};
use crate::path::RepoPath;
use crate::threads::both;
use std::path::Path;
use std::sync::Arc;

/// Where the default branch is looked for, first come first; and what to call it.
pub(crate) const DEFAULT_BRANCHES: [(&str, &str); 5] = [
    ("refs/remotes/origin/HEAD", "origin/HEAD"),
    ("refs/remotes/origin/main", "origin/main"),
    ("refs/remotes/origin/master", "origin/master"),
    ("refs/heads/main", "main"),
    ("refs/heads/master", "master"),
];

/// The repository under review and what its names stand for.
pub(super) struct Repository {
    pub(super) origin: Origin,
    settings: Settings,
    pub(super) room: Room,
    names: Vec<String>,
    commits: Vec<Option<String>>,
}

impl Repository {
    /// Opens the repository that `dir` lies in and looks up `HEAD`, the default branches, and the revisions
    /// given by hand, each with the flag that gave it.
    pub(super) fn open(dir: &Path, policy: Option<&PolicyArg>, revisions: &[(&str, &str)]) -> Result<Self, UserError> {
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
            UserError::unreadable(
                "the repository's objects cannot be opened",
                e.to_string(),
                "Check that the temporary folder can be written (TMPDIR).",
            )
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

    pub(super) fn commit(&self, name: &str) -> Option<&str> {
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
        UserError::usage(
            title,
            "git knows no branch, tag or commit of this name here",
            "Check the spelling (`git branch -a`), or run `git fetch` first.",
        )
    }

    pub(super) fn work_tree_top(&self) -> Result<&Path, UserError> {
        self.origin.work_tree(&self.settings).ok_or_else(|| {
            let cause = format!("{} is a bare repository or a git directory", self.origin.git_dir.display());
            UserError::unreadable("there is no work tree to review", cause, "Name commits with --base and --head, or run tribune in a work tree.")
        })
    }

    pub(super) fn snapshot(&self, name: &str) -> Result<Snapshot, UserError> {
        let top = self.work_tree_top()?;
        snapshot::take(&self.room, &self.origin, &self.settings, top, name).map_err(|e| match e {
            SnapshotError::Git(e) => told(&e, "read the work tree"),
            SnapshotError::Io(e) => UserError::unreadable(
                "the index cannot be read",
                e.to_string(),
                "Check the file `index` in the git directory and the temporary folder.",
            ),
            SnapshotError::TooManyUntracked(_) => {
                let fix = "Add generated folders to .gitignore, or review only what is staged (--staged) or committed (--base).";
                UserError::unreadable("too many untracked files", e.to_string(), fix)
            }
        })
    }

    /// Where policy comes from and its tree: what was asked for by hand, else the base.
    pub(super) fn policy(
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
    pub(super) fn history(&self, tip: &str, head: &str) -> Result<(Option<String>, Vec<String>), UserError> {
        if tip == head {
            return Ok((Some(head.to_owned()), Vec::new()));
        }
        let (base, messages) = both(|| compare::merge_base(&self.room, tip, head), || read_messages(&self.room, tip, head));
        Ok((base.map_err(|e| told(&e, "find the merge base"))?, messages?))
    }

    /// Git's diff from the commit `base` to `new`, as a change; `change` brings what the source knows.
    pub(super) fn diff(self, base: Option<&str>, new: Tree, policy: Option<Tree>, change: Change) -> Result<Change, UserError> {
        let partial = self.settings.partial;
        diff(Objects::new(self.room, base.map(|sha| Tree::Treeish(sha.to_owned())), Some(new), policy), partial, base, change)
    }

    /// Whether objects may be missing.
    pub(super) fn is_partial(&self) -> bool {
        self.settings.partial
    }

    /// The commits that names stand for.
    pub(super) fn known_commits(&self) -> Vec<String> {
        self.commits.iter().flatten().cloned().collect()
    }
}

/// Git's diff from the commit `base` to the new side of `objects`, as a change; `change` brings what the source knows. `partial`:
/// objects may be missing. Of what is staged, a file with a conflict is an error.
pub(super) fn diff(objects: Objects, partial: bool, base: Option<&str>, change: Change) -> Result<Change, UserError> {
    let parsed = parsed(&objects, partial, base)?;
    if let Some(path) = parsed.unmerged.first().filter(|_| change.kind == SourceKind::Staged) {
        let cause = format!("files with unresolved conflicts: {}; the first is {path}", parsed.unmerged.len());
        let fix = "Resolve them and `git add` the files, or review the work tree with its conflict markers: `tribune review`.";
        return Err(UserError::unreadable("the index has conflicts", cause, fix));
    }
    let mut change = Change { files: parsed.files, ..change };
    for (path, problem) in parsed.problems {
        match path {
            Some(path) => change.unreadable.push((path, problem)),
            None => change.notes.push(format!("Not read in git's diff: {problem}")),
        }
    }
    change.unreadable.sort();
    change.objects = Some(Arc::new(objects));
    Ok(change)
}

fn parsed(objects: &Objects, partial: bool, base: Option<&str>) -> Result<Parsed, UserError> {
    let bytes = objects.diff(base).map_err(|e| match e {
        GitError::Failed { .. } if partial => UserError::unreadable(
            "objects of the change are missing",
            format!("this is a partial clone, and they could not be had from here ({e})"),
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

/// The messages of what `head` has beyond `base`.
pub(super) fn read_messages(room: &Room, base: &str, head: &str) -> Result<Vec<String>, UserError> {
    compare::messages(room, base, head).map_err(|e| told(&e, "read commit messages"))
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
