//! The clone that a review would run in: git, depth, and what the policy commit says. Reads objects only.

use super::Line;
use crate::change::DEFAULT_BRANCHES;
use crate::config::{Layer, MAX_CONFIG_BYTES, REPOSITORY_FILE};
use crate::error::{Exit, UserError};
use crate::forge::MergeRequest;
use crate::git::origin::{Origin, Settings};
use crate::git::room::Room;
use crate::git::{self, ASK_TIME, ObjectError, Objects, Tree, compare, object_id};
use crate::path::RepoPath;
use std::path::Path;

/// Problems of one file that are told.
const MAX_PROBLEMS: usize = 5;

/// What was found.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) lines: Vec<Line>,
    /// What the policy commit configures.
    pub(super) layer: Option<Layer>,
    /// Its files, with its id.
    pub(super) policy: Option<(Objects, String)>,
}

/// Looks at the repository that `dir` lies in, for a review of `request`, else of the work tree.
pub(super) fn look(dir: &Path, request: Option<&MergeRequest>) -> Seen {
    let mut seen = Seen::default();
    seen.lines.push(match git::version() {
        None => {
            Line::problem("git", "it is not installed", format!("Install git {} or newer and put it on the PATH.", git::needed()), Exit::Unreadable)
        }
        Some((version, true)) => {
            Line::problem("git", format!("{version} is too old"), format!("Install git {} or newer.", git::needed()), Exit::Unreadable)
        }
        Some((version, false)) => Line::ok("git", version),
    });
    let Ok(origin) = Origin::discover(dir) else {
        seen.lines.push(match request {
            Some(_) => Line::idle("repository", "none here: a review fetches what it needs of the merge request"),
            None => Line::warning("repository", "none here, so there is nothing to review")
                .fix("Run it in a clone, name one with --repo, or a merge request with --url."),
        });
        return seen;
    };
    match clone(&origin, request, &mut seen) {
        Ok(()) => seen,
        Err(error) => {
            seen.lines.push(Line::of_error("repository", &error));
            seen
        }
    }
}

fn clone(origin: &Origin, request: Option<&MergeRequest>, seen: &mut Seen) -> Result<(), UserError> {
    let settings = origin.settings().map_err(|e| git::told(&e, "read the repository's settings"))?;
    let mut names = vec!["HEAD"];
    names.extend(DEFAULT_BRANCHES.map(|(reference, _)| reference));
    let ids = [request.map(|r| r.base_sha.as_str()), request.map(|r| r.head_sha.as_str()), request.and_then(|r| r.policy_sha.as_deref())];
    let ids = ids.map(|id| id.and_then(|id| object_id(id.as_bytes())));
    names.extend(ids.iter().flatten().map(String::as_str));
    let commits = origin.commits(&names).map_err(|e| git::told(&e, "look up commits"))?;
    let room = Room::build(origin, &settings).map_err(|e| {
        UserError::unreadable("the repository's objects cannot be opened", e.to_string(), "Check that the temporary folder can be written (TMPDIR).")
    })?;
    let commit = |name: &str| names.iter().position(|n| *n == name).and_then(|at| commits.get(at)?.clone());
    let has = |id: &Option<String>| id.as_deref().is_some_and(|id| commit(id).is_some());
    let default = DEFAULT_BRANCHES.iter().find_map(|(reference, name)| Some((commit(reference)?, *name)));
    let head = commit("HEAD");
    let base = head.as_ref().zip(default.as_ref()).and_then(|(head, (tip, _))| compare::merge_base(&room, tip, head).ok().flatten());
    let in_clone = match request {
        Some(_) => has(&ids[0]) && has(&ids[1]),
        None => base.is_some(),
    };
    seen.lines.push(depth(origin, &settings, &room, head.as_deref(), request.is_some(), in_clone));
    let policy = match request {
        Some(r) => {
            let branch = if r.target_protected { &r.target_branch } else { &r.default_branch };
            ids[2].clone().map(|id| (id, format!("the tip of `{}`", RepoPath::from(branch.as_str()))))
        }
        None => base.zip(default).map(|(id, (_, name))| (id, format!("where the branch left {name}"))),
    };
    let Some((sha, what)) = policy else {
        seen.lines.push(Line::ok("policy", "there is no base yet: built-in defaults and the operator's"));
        return Ok(());
    };
    let short = sha.get(..12).unwrap_or(&sha).to_owned();
    if request.is_some() && commit(&sha).is_none() {
        seen.lines.push(Line::ok("policy", format!("of {short}, {what}; not in this clone, a review fetches it")));
        return Ok(());
    }
    let objects = Objects::new(room, None, None, Some(Tree::Treeish(sha.clone())));
    configured(&objects, &short, &what, seen);
    seen.policy = Some((objects, sha));
    Ok(())
}

fn depth(origin: &Origin, settings: &Settings, room: &Room, head: Option<&str>, request: bool, in_clone: bool) -> Line {
    let count = || {
        let call = room.call(&["rev-list", "--count", head?]).ok()?.bounds(1 << 10, ASK_TIME).run().ok()?;
        String::from_utf8_lossy(&call.value).trim().parse::<u64>().ok()
    };
    let partial = if settings.partial { ", partial (what it lacks is fetched in one batch)" } else { "" };
    if !origin.is_shallow() {
        return Line::ok("repository", format!("whole history{partial}"));
    }
    let commits = count().map_or("some commits".to_owned(), |n| if n == 1 { "1 commit".to_owned() } else { format!("{n} commits") });
    match (request, in_clone) {
        (_, true) => Line::ok("repository", format!("shallow, {commits}, which is enough{partial}")),
        (true, false) => Line::ok(
            "repository",
            format!("shallow, {commits}: base and head of the merge request are not both in it, so a review fetches them{partial}"),
        ),
        (false, false) => Line::warning("repository", format!("shallow, {commits}: where the branch left the default branch is not in it{partial}"))
            .fix("Fetch more: `git fetch --deepen=100 origin`, or all: `git fetch --unshallow origin`."),
    }
}

/// The configuration of the policy commit.
fn configured(objects: &Objects, short: &str, what: &str, seen: &mut Seen) {
    let bytes = match objects.policy_file(&RepoPath::from(REPOSITORY_FILE), MAX_CONFIG_BYTES as u64 + 1) {
        Ok(bytes) => bytes,
        Err(ObjectError::Missing) => {
            seen.lines.push(Line::ok("policy", format!("no {REPOSITORY_FILE} in {short}, {what}: built-in defaults and the operator's")));
            return;
        }
        Err(e) => {
            let fix = "Make it a plain file of moderate size.";
            seen.lines.push(Line::problem("policy", format!("{REPOSITORY_FILE} of {short} cannot be read: {e}"), fix, Exit::Usage));
            return;
        }
    };
    let (layer, problems) = Layer::repository(&String::from_utf8_lossy(&bytes));
    seen.layer = Some(layer);
    if problems.is_empty() {
        seen.lines.push(Line::ok("policy", format!("{REPOSITORY_FILE} of {short}, {what}")));
    }
    for problem in problems.iter().take(MAX_PROBLEMS) {
        let place = if problem.line > 0 { format!("{REPOSITORY_FILE}:{}:{}", problem.line, problem.column) } else { REPOSITORY_FILE.to_owned() };
        let fix =
            if problem.help.is_empty() { "Mend it on that branch; `tribune config validate` checks it.".to_owned() } else { problem.help.clone() };
        seen.lines.push(Line::problem("policy", format!("{place} of {short}, {what}: {}", problem.title), fix, Exit::Usage));
    }
}
