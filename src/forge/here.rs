//! Where a run takes place, as the CI system's variables tell it. Nothing is asked of a forge, and nothing of a change is
//! known here. Whoever can change these variables can change the job itself.

use crate::config::{Env, Place};

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
}
