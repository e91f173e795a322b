//! What a refusal of GitHub lacks, said so that somebody can give it.

use crate::forge::call::Refusal;

/// The permission that is missing, where it can be told.
pub(super) fn explain(refusal: &Refusal<'_>) -> Option<String> {
    let path = refusal.call.path.as_str();
    let access = if refusal.is_read() { "read" } else { "write" };
    let permission = match path {
        p if p.contains("/check-runs") => "checks",
        p if p.contains("/issues/") || p.contains("/pulls/") => "pull-requests",
        p if p.contains("/collaborators/") || p.ends_with("user") => "metadata",
        _ => "contents",
    };
    let wanted = accepted(refusal).unwrap_or_else(|| format!("`{permission}: {access}`"));
    let message = refusal.body.get("message").and_then(|m| m.as_str()).unwrap_or_default();
    Some(match (refusal.status, message) {
        (401 | 403 | 404, _) if !refusal.has_token => {
            "no token was sent: set GITHUB_TOKEN (in Actions: `${{ github.token }}`, with `permissions: {contents: read, pull-requests: write, checks: write}`)".to_owned()
        }
        (401, _) => "the token has expired, was revoked, or belongs to another server".to_owned(),
        (403, m) if m.contains("SAML") || m.contains("SSO") => "the token has to be authorised for the organisation's single sign-on".to_owned(),
        (403, m) if m.contains("is locked") => "its conversation is locked, so only who may write in the repository can comment: unlock it".to_owned(),
        (403, m) if m.contains("archived") => "nothing can be written until it is unarchived".to_owned(),
        (403, m) if m.contains("integration") => {
            format!("the job's token lacks {wanted} in the workflow's `permissions:` (a run of a fork or of Dependabot never has more than read)")
        }
        (403, _) => format!("the token lacks the permission {wanted} (a classic token: the scope `repo`), or its user the role Write"),
        (404, _) if refusal.is_read() => format!("it does not exist, or the token cannot see it: it needs `{permission}: read` on this repository"),
        (404, _) => format!("it is gone, or the token lacks `{permission}: {access}`"),
        _ => return None,
    })
}

/// The permissions that GitHub itself names as enough for this request: `issues=write; pull_requests=write`, where `;` is an
/// "or" and `,` an "and".
fn accepted(refusal: &Refusal<'_>) -> Option<String> {
    let named = refusal.headers.get("x-accepted-github-permissions")?.to_str().ok()?;
    let one = |permission: &str| format!("`{}`", permission.trim().replace('_', "-").replace('=', ": "));
    let all: Vec<String> =
        named.split(';').filter(|p| !p.trim().is_empty()).map(|p| p.split(',').map(one).collect::<Vec<_>>().join(" and ")).collect();
    (!all.is_empty()).then(|| all.join(" or "))
}
