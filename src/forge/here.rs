//! Where a run takes place: as the merge request says that it is about, else as the CI system's variables tell it. Nothing is
//! asked of a forge here. Whoever can change these variables can change the job itself.

use super::{MergeRequest, Target};
use crate::config::{Env, Place};
use crate::gateway::Labels;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt::Write as _;

/// Hexadecimal digits of a user's pseudonym: 128 bits.
const PSEUDONYM: usize = 32;

/// Host, project and target branch of the job; nothing outside of CI.
pub fn here(env: Env<'_>) -> Place {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(project) = set("CI_PROJECT_PATH") {
        // A fork's pipeline counts as the project that the change is meant for.
        let target = set("CI_MERGE_REQUEST_PROJECT_PATH").unwrap_or(project);
        let host = set("CI_SERVER_FQDN").or_else(|| set("CI_SERVER_HOST"));
        return Place { host, project: Some(target), target_branch: set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") };
    }
    let host = set("GITHUB_SERVER_URL").and_then(|url| url.split_once("://").map(|(_, host)| host.trim_end_matches('/').to_owned()));
    match set("GITHUB_REPOSITORY") {
        Some(project) => Place { host, project: Some(project), target_branch: set("GITHUB_BASE_REF") },
        None => Place::default(),
    }
}

/// Host, project and target branch of a merge request. What the forge says of it holds before what the job's variables say: many
/// jobs that review one know no target branch (started by another run, by hand, by a webhook), or another one than it has by now.
pub fn place(target: &Target, request: &MergeRequest) -> Place {
    // The path below which a forge lives is no part of the host's name.
    let host = target.host.split('/').next().map(str::to_owned);
    Place { host, project: Some(target.project.clone()), target_branch: Some(request.target_branch.clone()) }
}

/// What a gateway is told of the job: its number, the project, and who started it. The user is a hash with the
/// organisation's key, and nobody without one: an unkeyed hash of a name is that name.
pub fn labels(env: Env<'_>, place: &Place, key: Option<&[u8]>) -> Labels {
    let set = |names: [&str; 2]| names.into_iter().find_map(|name| env(name).filter(|value| !value.is_empty()));
    let user = set(["GITLAB_USER_ID", "GITHUB_ACTOR_ID"]);
    let pseudonym = |(key, user): (&[u8], String)| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(format!("user\0{}\0{user}", place.host.as_deref().unwrap_or_default()).as_bytes());
        let mut hex = mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        hex.truncate(PSEUDONYM);
        hex
    };
    Labels { run: set(["CI_JOB_ID", "GITHUB_RUN_ID"]), user: key.zip(user).map(pseudonym), project: place.project.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_from_the_job() {
        let told = |variables: &[(&str, &str)]| {
            let place = here(&|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
            [place.host, place.project, place.target_branch].map(|part| part.unwrap_or_else(|| "-".into())).join(" ")
        };
        let gitlab = [("CI_PROJECT_PATH", "me/fork"), ("CI_SERVER_FQDN", "git.example:8443"), ("CI_SERVER_HOST", "git.example")];
        let merge = [("CI_MERGE_REQUEST_PROJECT_PATH", "team/app"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")];
        let github = [("GITHUB_SERVER_URL", "https://hub.example/"), ("GITHUB_REPOSITORY", "team/app"), ("GITHUB_BASE_REF", "")];
        assert_eq!(told(&[]), "- - -");
        assert_eq!(told(&gitlab), "git.example:8443 me/fork -");
        assert_eq!(told(&[&gitlab[..], &merge].concat()), "git.example:8443 team/app main");
        assert_eq!(told(&github), "hub.example team/app -");
    }

    #[test]
    fn a_gateway_is_told_the_job_and_no_name() {
        let told = |variables: &[(&str, &str)], key: Option<&[u8]>| {
            let env = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            let labels = labels(&env, &here(&env), key);
            [labels.run, labels.project, labels.user].map(|part| part.unwrap_or_else(|| "-".into())).join(" ")
        };
        let gitlab = [("CI_PROJECT_PATH", "team/app"), ("CI_SERVER_HOST", "git.example"), ("CI_JOB_ID", "77"), ("GITLAB_USER_ID", "5")];
        let github = [("GITHUB_REPOSITORY", "team/app"), ("GITHUB_RUN_ID", "88"), ("GITHUB_ACTOR_ID", "5")];
        assert_eq!(told(&[], Some(b"k")), "- - -");
        assert_eq!(told(&gitlab, None), "77 team/app -");
        assert_eq!(told(&gitlab, Some(b"k")), "77 team/app bc195428d3ef4d168bb4bd8edee36459");
        assert_eq!(told(&github, Some(b"k")), "88 team/app 72b35f1f3e145279d20766e1a74c88aa");
        assert_ne!(told(&gitlab, Some(b"k")), told(&gitlab, Some(b"another")));
    }
}
