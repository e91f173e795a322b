//! What GitLab's API says, as far as it is read. Fields that old versions or small tokens leave out are optional.

use crate::forge::text::bounded;
use crate::forge::{Comment, User};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct WireUser {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) username: String,
    #[serde(default)]
    pub(super) bot: bool,
}

impl WireUser {
    pub(super) fn user(self) -> User {
        let bot = self.bot || is_token_name(&self.username);
        User { id: self.id, name: bounded(self.username), bot }
    }
}

/// Users that GitLab itself makes for tokens of projects and groups: `project_42_bot_…`.
fn is_token_name(name: &str) -> bool {
    ["project_", "group_"].iter().any(|prefix| {
        let rest = name.strip_prefix(prefix).map(|r| r.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest.is_some_and(|r| r.starts_with("_bot"))
    }) || name.starts_with("service_account_")
}

#[derive(Debug, Deserialize)]
pub(super) struct WireRequest {
    #[serde(default)]
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) draft: bool,
    pub(super) author: WireUser,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    pub(super) source_branch: String,
    pub(super) target_branch: String,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: u64,
    #[serde(default)]
    pub(super) web_url: String,
    pub(super) changes_count: Option<String>,
    pub(super) diff_refs: Option<WireRefs>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireRefs {
    pub(super) base_sha: Option<String>,
    pub(super) head_sha: Option<String>,
    pub(super) start_sha: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct WireVersion {
    #[serde(rename = "base_commit_sha")]
    pub(super) base: String,
    #[serde(rename = "start_commit_sha")]
    pub(super) start: String,
    #[serde(rename = "head_commit_sha")]
    pub(super) head: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireProject {
    pub(super) default_branch: Option<String>,
    pub(super) only_allow_merge_if_all_discussions_are_resolved: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireBranch {
    #[serde(default)]
    pub(super) protected: bool,
    pub(super) commit: Option<WireCommit>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireCommit {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireMember {
    pub(super) access_level: u64,
    #[serde(default)]
    pub(super) state: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireLabelEvent {
    pub(super) user: Option<WireUser>,
    pub(super) label: Option<WireLabel>,
    #[serde(default)]
    pub(super) action: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireLabel {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireDiscussion {
    pub(super) id: String,
    #[serde(default)]
    pub(super) individual_note: bool,
    pub(super) notes: Vec<WireNote>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireNote {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) body: String,
    pub(super) author: WireUser,
    #[serde(default)]
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) updated_at: String,
    #[serde(default)]
    pub(super) system: bool,
    pub(super) position: Option<WirePosition>,
    #[serde(default)]
    pub(super) resolvable: bool,
    #[serde(default)]
    pub(super) resolved: bool,
    pub(super) resolved_by: Option<WireUser>,
    pub(super) resolved_at: Option<String>,
}

impl WireNote {
    pub(super) fn comment(self) -> Comment {
        // Resolving touches the same time; to the second that is told apart.
        let second = |time: &str| time.get(..19).unwrap_or(time).to_owned();
        let resolved_then = self.resolved_at.as_deref().is_some_and(|at| second(at) == second(&self.updated_at));
        let edited = self.updated_at != self.created_at && !resolved_then;
        Comment {
            id: self.id.to_string(),
            author: self.author.user(),
            body: bounded(self.body),
            edited,
            created: self.created_at,
            system: self.system,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct WirePosition {
    pub(super) head_sha: Option<String>,
    pub(super) old_path: Option<String>,
    pub(super) new_path: Option<String>,
    pub(super) old_line: Option<u32>,
    pub(super) new_line: Option<u32>,
    pub(super) position_type: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireDraft {
    pub(super) id: u64,
    pub(super) author_id: Option<u64>,
    #[serde(default)]
    pub(super) note: String,
    pub(super) line_code: Option<String>,
    pub(super) position: Option<WirePosition>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireApprovals {
    #[serde(default)]
    pub(super) user_has_approved: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireReviewer {
    pub(super) user: WireUser,
    #[serde(default)]
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireStatus {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) status: String,
    pub(super) author: Option<WireUser>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireFileDiff {
    pub(super) old_path: String,
    pub(super) new_path: String,
    #[serde(default)]
    pub(super) a_mode: Option<String>,
    #[serde(default)]
    pub(super) b_mode: Option<String>,
    #[serde(default)]
    pub(super) diff: String,
    #[serde(default)]
    pub(super) new_file: bool,
    #[serde(default)]
    pub(super) renamed_file: bool,
    #[serde(default)]
    pub(super) deleted_file: bool,
    #[serde(default)]
    pub(super) collapsed: Option<bool>,
    #[serde(default)]
    pub(super) too_large: Option<bool>,
}
