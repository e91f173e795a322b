//! A forge's refusal as people are told it: what did not work, why, and what to do about it.

use super::ForgeError;
use crate::error::UserError;

/// Tells a user that a forge did not `what` ("read the merge request"); exit 4.
pub fn told(error: &ForgeError, what: &str) -> UserError {
    let fix = match error {
        ForgeError::Unauthorised(_) => "Give a valid token (GITLAB_TOKEN or GITHUB_TOKEN); `tribune doctor` says what it can do.",
        ForgeError::Forbidden(_) => "Give the token the scope and role that are named; `tribune doctor` checks them.",
        ForgeError::Missing(_) => "Check the URL, and that the token may see the project: forges do not tell `hidden` from `absent`.",
        ForgeError::Conflict(_) => "Nothing to do: the new state has a run of its own. Else run it again.",
        ForgeError::Refused(_) => "See the reason; `tribune doctor` checks host, version and token.",
        ForgeError::RateLimited(_) => "Run it again later, or with a token whose limit is not used up by others.",
        ForgeError::Unavailable(_) => "Run it again; `tribune doctor` checks host, certificates and proxy.",
        ForgeError::Unexpected(_) => "Check that the URL is the forge's own (no login page or proxy before it).",
    };
    UserError::unreadable(format!("the forge could not {what}"), error.to_string(), fix)
}
