//! Which pull request a finished run of a fork was about. The run's artifact says so too, but that is the fork's word.

use super::GitHub;
use super::answers::WirePull;
use crate::forge::ForgeError;
use crate::forge::call::Call;
use crate::forge::locate::HeadOf;

/// The most open pull requests of one branch.
const MAX_PULLS: usize = 1_000;

impl GitHub {
    /// The number of the one open pull request of this repository, branch and commit.
    pub(super) async fn number_of(&self, head: &HeadOf) -> Result<u64, ForgeError> {
        let owner = head.project.split('/').next().unwrap_or_default();
        let call = Call::get(format!("{}/pulls", self.project), "find the pull request")
            .query("state", "open")
            .query("head", format!("{owner}:{}", head.branch));
        let pulls: Vec<WirePull> = self.api.list(call, MAX_PULLS).await?;
        let of_head = |p: &&WirePull| {
            let repository = p.head.repo.as_ref().is_some_and(|r| r.full_name.eq_ignore_ascii_case(&head.project));
            repository && p.head.branch == head.branch && p.state == "open"
        };
        let all: Vec<&WirePull> = pulls.iter().filter(of_head).collect();
        let now: Vec<&&WirePull> = all.iter().filter(|p| p.head.sha == head.sha).collect();
        match (now.as_slice(), all.len()) {
            ([one], _) => Ok(one.number),
            ([], 0) => Err(ForgeError::Missing("no open pull request has the branch that this run was for".to_owned())),
            ([], _) => Err(ForgeError::Conflict("the branch has moved since: its new head has a run of its own".to_owned())),
            (more, _) => Err(ForgeError::Conflict(format!("{} open pull requests have the head that this run was for", more.len()))),
        }
    }
}
