//! What GitHub's REST API says, as far as it is read. Fields that old versions or small tokens leave out are optional.

use crate::forge::text::bounded;
use crate::forge::{Comment, User};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireUser {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) login: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

impl WireUser {
    pub(super) fn user(self) -> User {
        let bot = self.kind == "Bot" || self.login.ends_with("[bot]");
        User { id: self.id, name: bounded(self.login), bot }
    }
}

/// The account of a user that was deleted is shown as `ghost`, or not at all.
pub(super) fn user_or_ghost(user: Option<WireUser>) -> User {
    user.map_or(User { id: 0, name: "ghost".to_owned(), bot: false }, WireUser::user)
}

#[derive(Debug, Deserialize)]
pub(super) struct WirePull {
    pub(super) number: u64,
    #[serde(default)]
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) draft: bool,
    pub(super) user: Option<WireUser>,
    #[serde(default)]
    pub(super) labels: Vec<WireLabel>,
    pub(super) head: WireEnd,
    pub(super) base: WireEnd,
    #[serde(default)]
    pub(super) html_url: String,
    pub(super) changed_files: Option<u64>,
    pub(super) commits: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireLabel {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireEnd {
    #[serde(rename = "ref")]
    pub(super) branch: String,
    pub(super) sha: String,
    /// Null where the fork was deleted.
    pub(super) repo: Option<WireRepo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireRepo {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) full_name: String,
    #[serde(default)]
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireCompare {
    pub(super) merge_base_commit: WireCommit,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireCommit {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireBranch {
    #[serde(default)]
    pub(super) protected: bool,
    pub(super) commit: Option<WireCommit>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WirePermission {
    #[serde(default)]
    pub(super) permission: String,
    #[serde(default)]
    pub(super) role_name: String,
    pub(super) user: Option<WireUser>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireEvent {
    #[serde(default)]
    pub(super) event: String,
    pub(super) actor: Option<WireUser>,
    pub(super) label: Option<WireLabel>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireComment {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) node_id: String,
    pub(super) user: Option<WireUser>,
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) updated_at: String,
    // Of a review comment only:
    pub(super) in_reply_to_id: Option<u64>,
    pub(super) path: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) side: Option<String>,
    pub(super) subject_type: Option<String>,
}

impl WireComment {
    /// `edited` where it is known better than by the two times.
    pub(super) fn comment(self, edited: Option<bool>) -> Comment {
        Comment {
            id: self.id.to_string(),
            author: user_or_ghost(self.user),
            body: bounded(self.body.unwrap_or_default()),
            edited: edited.unwrap_or(self.updated_at != self.created_at),
            created: self.created_at,
            system: false,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct WireReview {
    pub(super) id: u64,
    pub(super) user: Option<WireUser>,
    #[serde(default)]
    pub(super) state: String,
    pub(super) commit_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireFile {
    pub(super) filename: String,
    pub(super) previous_filename: Option<String>,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) changes: u64,
    pub(super) patch: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireChecks {
    #[serde(default)]
    pub(super) check_runs: Vec<WireCheck>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireCheck {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) output: Option<WireOutput>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireOutput {
    pub(super) title: Option<String>,
    pub(super) summary: Option<String>,
    #[serde(default)]
    pub(super) annotations_count: usize,
}
