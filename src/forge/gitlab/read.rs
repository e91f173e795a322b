//! What GitLab says of a merge request: its data, its versions, its diff, its people.

use super::answers::{WireBranch, WireFileDiff, WireLabelEvent, WireMember, WireProject, WireRefs, WireRequest, WireUser, WireVersion, bounded};
use super::{GitLab, read_call};
use crate::diff::quote::quote_into;
use crate::forge::call::{Call, part};
use crate::forge::locate::Token;
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
        let target = self.branch(&request.target_branch).await?;
        let target_protected = request.target_branch == default_branch || target.as_ref().is_some_and(|b| b.protected);
        let policy = match target_protected {
            true => target,
            false => self.branch(&default_branch).await?,
        };
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
            policy_sha: policy.and_then(|b| b.commit).map(|c| c.id),
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

    /// A branch; `None` where there is none: a branch that is gone protects nobody.
    async fn branch(&self, name: &str) -> Result<Option<WireBranch>, ForgeError> {
        let path = format!("{}/repository/branches/{}", self.project, part(name));
        match self.api.json(read_call(path, "read a branch")).await {
            Ok(branch) => Ok(Some(branch)),
            Err(ForgeError::Missing(_)) => Ok(None),
            Err(e) => Err(e),
        }
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
        let events: Vec<WireLabelEvent> = match self.api.list(call, MAX_ENTRIES).await {
            Err(ForgeError::Missing(_)) => return Ok(None),
            other => other?,
        };
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
                None => file.write(&mut diff.patch),
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

    /// Writes it as git would.
    fn write(&self, out: &mut Vec<u8>) {
        let mut line = |parts: &[&str], paths: &[(&[u8], &str)]| {
            for (text, path) in parts.iter().zip(paths.iter().map(Some).chain(std::iter::repeat(None))) {
                out.extend_from_slice(text.as_bytes());
                if let Some((prefix, path)) = path {
                    quote_into(out, prefix, path.as_bytes());
                }
            }
            out.push(b'\n');
        };
        let (old, new) = (self.old_path.as_str(), self.new_path.as_str());
        let mode =
            |mode: &Option<String>| mode.as_deref().filter(|m| m.len() == 6 && m.bytes().all(|b| b.is_ascii_digit())).unwrap_or("100644").to_owned();
        let (a, b) = (mode(&self.a_mode), mode(&self.b_mode));
        line(&["diff --git ", " "], &[(b"a/", old), (b"b/", new)]);
        if self.new_file {
            line(&[&format!("new file mode {b}")], &[]);
        } else if self.deleted_file {
            line(&[&format!("deleted file mode {a}")], &[]);
        } else if a != b {
            line(&[&format!("old mode {a}")], &[]);
            line(&[&format!("new mode {b}")], &[]);
        }
        if self.renamed_file {
            line(&["rename from "], &[(b"", old)]);
            line(&["rename to "], &[(b"", new)]);
        }
        if self.diff.is_empty() {
            return;
        }
        if self.diff.starts_with("@@") {
            if self.new_file {
                line(&["--- /dev/null"], &[])
            } else {
                line(&["--- "], &[(b"a/", old)])
            }
            if self.deleted_file { line(&["+++ /dev/null"], &[]) } else { line(&["+++ "], &[(b"b/", new)]) }
        }
        out.extend_from_slice(self.diff.as_bytes());
        if !self.diff.ends_with('\n') {
            out.push(b'\n');
        }
    }
}
