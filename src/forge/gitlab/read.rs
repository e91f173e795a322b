//! What GitLab says of a merge request: its data, its versions, its diff, its people.

use super::answers::{WireBranch, WireFileDiff, WireLabelEvent, WireMember, WireProject, WireRefs, WireRequest, WireUser, WireVersion};
use super::{GitLab, read_call};
use crate::forge::branch::{self, Branch};
use crate::forge::call::{Call, part};
use crate::forge::locate::Token;
use crate::forge::once::found;
use crate::forge::text::{Kind, Section, bounded};
use crate::forge::{ApiDiff, ForgeError, MergeRequest, Provenance, Role, User};
use crate::path::RepoPath;

/// The most bytes of a diff.
const MAX_DIFF: usize = 128 << 20;
/// The most files of a diff, label events and so on.
const MAX_ENTRIES: usize = 20_000;
/// GitLab's numbers for Developer and Maintainer.
const DEVELOPER: u64 = 30;
const MAINTAINER: u64 = 40;

impl GitLab {
    pub(super) async fn read_request(&self) -> Result<MergeRequest, ForgeError> {
        let request = async { self.api.json::<WireRequest>(read_call(self.request.clone(), "read the merge request")).await };
        // Refused for the merge request is what is told: it names what everybody knows.
        let (request, project) = futures::join!(request, self.project());
        let (request, project) = (request?, project?);
        let default_branch = project.default_branch.unwrap_or_else(|| request.target_branch.clone());
        let (target_protected, policy_sha) = branch::policy(&request.target_branch, &default_branch, |name| self.branch(name)).await?;
        // The newest version's own; what is posted is checked against the list of versions just before.
        let told = match request.diff_refs.clone().and_then(of_refs) {
            None => self.versions().await?.into_iter().next(),
            told => told,
        };
        let version = told.ok_or_else(|| {
            ForgeError::Unavailable("GitLab has not prepared the merge request's first version yet (or its source branch has no commits)".to_owned())
        })?;
        self.known().head = Some(version.head.clone());
        let same = request.source_project_id == Some(request.target_project_id);
        Ok(MergeRequest {
            title: bounded(request.title),
            description: bounded(request.description.unwrap_or_default()),
            author: request.author.user(),
            draft: request.draft,
            open: matches!(request.state.as_str(), "opened" | "locked"),
            labels: request.labels,
            provenance: if same { Provenance::Same } else { Provenance::Fork },
            target_branch: request.target_branch,
            target_protected,
            default_branch,
            policy_sha,
            source_branch: request.source_branch,
            base_sha: version.base,
            start_sha: version.start,
            head_sha: version.head,
            head_ref: format!("refs/merge-requests/{}/head", self.target.number),
            // `1000+` is no number.
            changed_files: request.changes_count.and_then(|n| n.parse().ok()),
            threads_must_resolve: project.only_allow_merge_if_all_discussions_are_resolved.unwrap_or(false),
            clone_url: self.page(&format!("{}.git", self.target.project)),
            web_url: request.web_url,
        })
    }

    /// Versions, newest first; the first page is enough for who asks for the newest.
    pub(super) async fn versions(&self) -> Result<Vec<WireVersion>, ForgeError> {
        let call = read_call(self.of_request("versions"), "read the merge request's versions").query("per_page", 1);
        self.api.json(call).await
    }

    /// The project, read once.
    pub(super) async fn project(&self) -> Result<WireProject, ForgeError> {
        if let Some(project) = self.known().project.clone() {
            return Ok(project);
        }
        let project: WireProject = self.api.json(read_call(self.project.clone(), "read the project")).await?;
        self.known().project = Some(project.clone());
        Ok(project)
    }

    /// A branch; `None` where there is none.
    async fn branch(&self, name: &str) -> Result<Option<Branch>, ForgeError> {
        let path = format!("{}/repository/branches/{}", self.project, part(name));
        let told: Option<WireBranch> = found(self.api.json(read_call(path, "read a branch")).await)?;
        Ok(told.map(|b| Branch { protected: b.protected, tip: b.commit.map(|c| c.id) }))
    }

    pub(super) async fn read_me(&self) -> Result<Option<User>, ForgeError> {
        if !matches!(self.token, Token::Access(_)) {
            return Ok(None);
        }
        if let Some(me) = self.known().me.clone() {
            return Ok(Some(me));
        }
        let me = self.api.json::<WireUser>(read_call("user".to_owned(), "read the token's user")).await?.user();
        self.known().me = Some(me.clone());
        Ok(Some(me))
    }

    /// A user's role, inherited ones included. A bot has no say, whatever its role: it is a reader here.
    pub(super) async fn read_role(&self, id: u64) -> Result<Role, ForgeError> {
        let member = read_call(format!("{}/members/all/{id}", self.project), "read a user's role");
        let user = read_call(format!("users/{id}"), "read a user");
        let (member, user) = futures::join!(self.api.json::<WireMember>(member), self.api.json::<WireUser>(user));
        match (member, user) {
            (Err(ForgeError::Missing(_)), _) | (_, Err(ForgeError::Missing(_))) => Ok(Role::Reader),
            (Err(e), _) | (_, Err(e)) => Err(e),
            (Ok(_), Ok(user)) if user.bot => Ok(Role::Reader),
            (Ok(member), _) if member.state.as_deref().is_some_and(|state| state != "active") => Ok(Role::Reader),
            (Ok(member), _) => Ok(match member.access_level {
                MAINTAINER.. => Role::Maintainer,
                DEVELOPER.. => Role::Developer,
                _ => Role::Reader,
            }),
        }
    }

    pub(super) async fn read_label_setter(&self, label: &str) -> Result<Option<User>, ForgeError> {
        let call = read_call(self.of_request("resource_label_events"), "read who set labels");
        let Some(events) = found(self.api.list::<WireLabelEvent>(call, MAX_ENTRIES).await)? else { return Ok(None) };
        let mut of_label = events.into_iter().filter(|e| e.label.as_ref().is_some_and(|l| l.name == label));
        // The last one decides: a label that was taken away and set again is the second one's.
        let last = of_label.next_back().filter(|e| e.action == "add");
        Ok(last.and_then(|e| e.user).map(WireUser::user))
    }

    /// The raw diff, which no limit of the page cuts; else the list of files with what it leaves out.
    pub(super) async fn read_diff(&self) -> Result<ApiDiff, ForgeError> {
        let raw = Call::get(self.of_request("raw_diffs"), "read the diff").accept("text/plain").max(MAX_DIFF);
        match self.api.send(raw).await {
            Ok(answer) => return Ok(ApiDiff { patch: answer.body, missing: Vec::new() }),
            Err(ForgeError::Missing(_) | ForgeError::Unavailable(_)) => {}
            Err(e) => return Err(e),
        }
        let files: Vec<WireFileDiff> = self.api.list(read_call(self.of_request("diffs"), "read the changed files"), MAX_ENTRIES).await?;
        let mut diff = ApiDiff { patch: Vec::new(), missing: Vec::new() };
        for file in files {
            match file.without_diff() {
                Some(why) => diff.missing.push((RepoPath::from(file.new_path.as_str()), why.to_owned())),
                None => file.section().write(&mut diff.patch),
            }
        }
        Ok(diff)
    }
}

fn of_refs(refs: WireRefs) -> Option<WireVersion> {
    Some(WireVersion { base: refs.base_sha?, start: refs.start_sha?, head: refs.head_sha? })
}

impl WireFileDiff {
    /// Why the entry does not say what has changed.
    fn without_diff(&self) -> Option<&'static str> {
        if self.too_large == Some(true) {
            return Some("GitLab gives no diff of it: it is too large");
        }
        if self.collapsed == Some(true) {
            return Some("GitLab gives no diff of it: the merge request is too large, so it is collapsed");
        }
        let says_something = !self.diff.is_empty() || self.new_file || self.deleted_file || self.renamed_file || self.a_mode != self.b_mode;
        (!says_something).then_some("GitLab gives no diff of it")
    }

    fn section(&self) -> Section<'_> {
        let kind = match self {
            Self { new_file: true, .. } => Kind::Added,
            Self { deleted_file: true, .. } => Kind::Deleted,
            Self { renamed_file: true, .. } => Kind::Renamed,
            _ => Kind::Modified,
        };
        let modes = (self.a_mode.as_deref().unwrap_or_default(), self.b_mode.as_deref().unwrap_or_default());
        Section { old_path: &self.old_path, new_path: &self.new_path, kind, modes, hunks: &self.diff }
    }
}
