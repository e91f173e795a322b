//! What a refusal of GitLab lacks, said so that somebody can give it.

use crate::forge::call::Refusal;

/// The scope, role or token that is missing, where it can be told.
pub(super) fn explain(refusal: &Refusal<'_>) -> Option<String> {
    let text = |key: &str| refusal.body.get(key).and_then(|v| v.as_str()).unwrap_or_default();
    let (scope, role) = if refusal.is_read() { ("read_api", "Reporter") } else { ("api", "Developer") };
    Some(match (refusal.status, text("error")) {
        (401 | 404, _) if !refusal.has_token => {
            "no token was sent: set GITLAB_TOKEN to a project or group access token with the scope `api` (to read only: `read_api`)".to_owned()
        }
        (_, "insufficient_scope") => format!("the token lacks the scope `{scope}`"),
        (401, "invalid_token") => "the token has expired or was revoked: make a new one with the scope `api`".to_owned(),
        (401, _) => {
            format!("the token is unknown to this GitLab, has expired, or is the job's own, which cannot do this; it needs the scope `{scope}`")
        }
        (403, _) => format!("the token's user needs the role {role} in the project, and the token the scope `{scope}`"),
        (404, _) if !refusal.is_read() => format!("it is gone, or the token's user lacks the role {role} in the project"),
        (404, _) => format!("it does not exist, or the token cannot see it: it needs the scope `{scope}` and the role {role} in the project"),
        _ => return None,
    })
}
