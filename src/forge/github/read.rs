//! What GitHub says of a pull request: its data, its diff, its people.

use super::GitHub;
use super::answers::{WireBranch, WireCompare, WireEvent, WireFile, WirePermission, WirePull, WireRepo, user_or_ghost};
use crate::forge::branch::{self, Branch};
use crate::forge::call::{Call, part};
use crate::forge::once::found;
use crate::forge::text::{Kind, Section, bounded};
use crate::forge::{ApiDiff, ForgeError, MergeRequest, Provenance, Role, User};
use crate::path::RepoPath;

/// The most bytes of a diff.
const MAX_DIFF: usize = 128 << 20;
/// The most files that GitHub lists.
const MAX_FILES: usize = 3_000;
/// The most events of a pull request.
const MAX_EVENTS: usize = 20_000;

impl GitHub {
    pub(super) async fn pull(&self) -> Result<WirePull, ForgeError> {
        self.api.json(Call::get(self.pull.clone(), "read the pull request")).await
    }

    pub(super) async fn read_request(&self) -> Result<MergeRequest, ForgeError> {
        let (pull, ground) = futures::join!(self.pull(), self.ground());
        let pull = pull?;
        let default_branch = pull.base.repo.as_ref().map(|r| r.default_branch.clone()).filter(|b| !b.is_empty());
        let default_branch = default_branch.unwrap_or_else(|| pull.base.branch.clone());
        let policy = branch::policy(&pull.base.branch, &default_branch, |name| self.branch(name));
        let (base, policy) = futures::join!(self.merge_base(&pull), policy);
        let (base_sha, (target_protected, policy_sha)) = (base?, policy?);
        Ok(MergeRequest {
            provenance: if pull.is_fork() { Provenance::Fork } else { Provenance::Same },
            title: bounded(pull.title),
            description: bounded(pull.body.unwrap_or_default()),
            author: user_or_ghost(pull.user),
            draft: pull.draft,
            open: pull.state == "open",
            labels: pull.labels.into_iter().map(|l| l.name).collect(),
            default_branch,
            policy_sha,
            target_branch: pull.base.branch,
            target_protected,
            source_branch: pull.head.branch,
            base_sha,
            start_sha: pull.base.sha,
            head_sha: pull.head.sha,
            head_ref: format!("refs/pull/{}/head", self.target.number),
            changed_files: pull.changed_files,
            threads_must_resolve: ground.map(|g| g.threads_must_resolve).unwrap_or(false),
            clone_url: self.page(&format!("{}.git", self.target.project)),
            web_url: pull.html_url,
        })
    }

    /// The commit that the pull request's diff starts from.
    async fn merge_base(&self, pull: &WirePull) -> Result<String, ForgeError> {
        let path = format!("{}/compare/{}...{}", self.project, part(&pull.base.sha), part(&pull.head.sha));
        // The second page of one commit each leaves the files out, which nobody asked for.
        let call = Call::get(path, "read the merge base").query("per_page", 1).query("page", 2);
        Ok(self.api.json::<WireCompare>(call).await?.merge_base_commit.sha)
    }

    /// A branch; `None` where there is none.
    async fn branch(&self, name: &str) -> Result<Option<Branch>, ForgeError> {
        let path = format!("{}/branches/{}", self.project, part(name));
        let told: Option<WireBranch> = found(self.api.json(Call::get(path, "read a branch")).await)?;
        Ok(told.map(|b| Branch { protected: b.protected, tip: b.commit.map(|c| c.sha) }))
    }

    /// A user's role, inherited ones included. A bot has no say, whatever its role: it is a reader here.
    pub(super) async fn read_role(&self, user: &User) -> Result<Role, ForgeError> {
        if user.bot {
            return Ok(Role::Reader);
        }
        let path = format!("{}/collaborators/{}/permission", self.project, part(&user.name));
        let told: WirePermission = match self.api.json(Call::get(path, "read a user's role")).await {
            Err(ForgeError::Missing(_)) => return Ok(Role::Reader),
            other => other?,
        };
        // A login can pass to somebody else; an id cannot.
        let same = told.user.map(super::answers::WireUser::user).is_some_and(|u| u.id == user.id && !u.bot);
        Ok(match (same, told.role_name.as_str(), told.permission.as_str()) {
            (true, "maintain" | "admin", _) | (true, _, "admin") => Role::Maintainer,
            // A role of the organisation's own tells the one that it is built on.
            (true, "write", _) | (true, _, "write") => Role::Developer,
            _ => Role::Reader,
        })
    }

    pub(super) async fn read_label_setter(&self, label: &str) -> Result<Option<User>, ForgeError> {
        let events: Vec<WireEvent> = self.api.list(Call::get(self.of_issue("events"), "read who set labels"), MAX_EVENTS).await?;
        let mut of_label = events.into_iter().filter(|e| e.label.as_ref().is_some_and(|l| l.name == label));
        // The last one decides: a label that was taken away and set again is the second one's.
        let last = of_label.next_back().filter(|e| e.event == "labeled");
        Ok(last.map(|e| user_or_ghost(e.actor)))
    }

    /// The diff as GitHub has it; past its limits the list of files, with what that leaves out.
    pub(super) async fn read_diff(&self) -> Result<ApiDiff, ForgeError> {
        let whole = Call::get(self.pull.clone(), "read the diff").accept("application/vnd.github.diff").max(MAX_DIFF);
        match self.api.send(whole).await {
            Ok(answer) => return Ok(ApiDiff { patch: answer.body, missing: Vec::new() }),
            // 406 past 20,000 lines or 300 files.
            Err(ForgeError::Refused(_) | ForgeError::Unavailable(_)) => {}
            Err(e) => return Err(e),
        }
        let list = async { self.api.list::<WireFile>(Call::get(self.of_pull("files"), "read the changed files"), MAX_FILES).await };
        let (files, pull) = futures::join!(list, self.pull());
        let (files, pull) = (files?, pull?);
        // Without their names, files that are not listed could stand nowhere in the report.
        if pull.changed_files.is_some_and(|n| n != files.len() as u64) {
            let told = pull.changed_files.unwrap_or_default();
            return Err(ForgeError::Unexpected(format!(
                "GitHub lists {} of {told} changed files; let git read the commits (fetch-depth: 0)",
                files.len()
            )));
        }
        let mut diff = ApiDiff { patch: Vec::new(), missing: Vec::new() };
        for file in files {
            match file.patch.is_none() && !file.has_no_lines() {
                true => {
                    diff.missing.push((RepoPath::from(file.filename.as_str()), "GitHub gives no diff of it: it is binary or too large".to_owned()))
                }
                false => file.write(&mut diff.patch),
            }
        }
        Ok(diff)
    }
}

impl WirePull {
    /// Whether its branch lies in another repository (or in one that is gone).
    pub(super) fn is_fork(&self) -> bool {
        let id = |repo: &Option<WireRepo>| repo.as_ref().map(|r| r.id);
        id(&self.head.repo).is_none() || id(&self.head.repo) != id(&self.base.repo)
    }
}

impl WireFile {
    /// Whether there are no changed lines to be told: a pure rename.
    fn has_no_lines(&self) -> bool {
        self.changes == 0 && self.status == "renamed"
    }

    fn write(&self, out: &mut Vec<u8>) {
        let kind = match self.status.as_str() {
            "added" | "copied" => Kind::Added,
            "removed" => Kind::Deleted,
            "renamed" => Kind::Renamed,
            _ => Kind::Modified,
        };
        let old_path = self.previous_filename.as_ref().filter(|_| kind == Kind::Renamed).unwrap_or(&self.filename);
        let hunks = self.patch.as_deref().unwrap_or_default();
        Section { old_path, new_path: &self.filename, kind, modes: ("100644", "100644"), hunks }.write(out);
    }
}
