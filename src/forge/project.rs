//! A project without a merge request, so that its token can be checked before there is one: named by a URL, by the job's own
//! variables, or by the clone's remote. A token goes to the remote's server only where that is a public one of its kind, or the one
//! that the environment names: a clone may have come with a configuration that others wrote (TRUST 5).

use super::locate::{Found, Kind, variable};
use crate::config::Env;
use crate::error::UserError;
use crate::http;
use reqwest::Url;

/// Finds the project: `url` as given by hand, else the job's own, else that of the clone's `remote`. `None` where none is named, where
/// it is named by the page of something else, and where its server is none that a token may go to. Fails with a usage error where it
/// lies on another server than the token's.
pub fn project(env: Env<'_>, url: Option<&str>, remote: Option<&str>) -> Result<Option<Found>, UserError> {
    let set = |name: &str| variable(env, name);
    let of_job = || {
        let gitlab = set("CI_SERVER_URL").zip(set("CI_PROJECT_PATH"));
        let (server, path) = gitlab.or_else(|| set("GITHUB_SERVER_URL").zip(set("GITHUB_REPOSITORY")))?;
        Some(format!("{}/{path}", server.trim_end_matches('/')))
    };
    let by_remote = url.is_none() && of_job().is_none();
    let named = match url {
        Some(url) => Some(url.to_owned()),
        None => of_job().or_else(|| remote.and_then(page).filter(|page| known(env, page))),
    };
    let Some(url) = named.as_deref().and_then(|text| http::parse(text.split(['#', '?']).next().unwrap_or_default()).ok()) else { return Ok(None) };
    let Some(kind) = kind(env, &url) else { return Ok(None) };
    let Some(project) = path(kind, url.path()) else { return Ok(None) };
    let found = Found::by_page(env, kind, &url, project, 0);
    // Nobody has named what only the clone names: where there is no token for it, there is nothing to check.
    if by_remote && !found.as_ref().is_ok_and(|found| found.token.may_write()) {
        return Ok(None);
    }
    found.map(|found| Some(Found { own_pipeline: false, head: None, ..found }))
}

/// The project's path; `None` where the page is that of something else.
fn path(kind: Kind, path: &str) -> Option<String> {
    let path = path.split("/-/").next().unwrap_or_default().trim_matches('/').trim_end_matches(".git");
    let parts: Vec<&str> = path.split('/').collect();
    let plain = parts.iter().all(|p| !matches!(*p, "" | "-" | "." | "..") && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)));
    let many = if kind == Kind::GitHub { parts.len() == 2 } else { parts.len() >= 2 };
    let other = parts.iter().any(|p| matches!(*p, "merge_requests" | "pull"));
    (plain && many && !other).then(|| path.to_owned())
}

/// Which kind of forge a page is on: by what the environment names, by its host, else by the only token that is set.
fn kind(env: Env<'_>, url: &Url) -> Option<Kind> {
    let host = url.host_str().unwrap_or_default();
    let is = |names: &[&str]| names.iter().filter_map(|name| variable(env, name)).any(|text| host_of(&text).as_deref() == Some(host));
    let set = |names: &[&str]| names.iter().any(|name| variable(env, name).is_some());
    match () {
        () if is(&["CI_SERVER_URL", "GITLAB_HOST"]) => Some(Kind::GitLab),
        () if is(&["GITHUB_SERVER_URL", "GH_HOST"]) => Some(Kind::GitHub),
        () if host == "github.com" || host.ends_with(".ghe.com") || host.starts_with("github.") => Some(Kind::GitHub),
        () if host == "gitlab.com" || host.starts_with("gitlab.") => Some(Kind::GitLab),
        () => match (set(&["GITLAB_TOKEN"]), set(&["GITHUB_TOKEN", "GH_TOKEN"])) {
            (true, false) => Some(Kind::GitLab),
            (false, true) => Some(Kind::GitHub),
            _ => None,
        },
    }
}

/// Whether a token may go to a remote's server.
fn known(env: Env<'_>, page: &str) -> bool {
    let host = host_of(page);
    let named = ["GITLAB_HOST", "GH_HOST"].iter().filter_map(|name| variable(env, name)).filter_map(|text| host_of(&text));
    host.as_deref().is_some_and(|host| matches!(host, "github.com" | "gitlab.com") || named.into_iter().any(|name| name == host))
}

fn host_of(text: &str) -> Option<String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    Url::parse(&text).ok()?.host_str().map(str::to_owned)
}

/// The page of a remote: `https://host/path.git`, `ssh://git@host:22/path`, `git@host:path`. What stands before the host is left out.
fn page(remote: &str) -> Option<String> {
    if let Ok(url) = Url::parse(remote) {
        let host = url.host_str()?;
        return match (url.scheme(), url.port()) {
            ("https", Some(port)) => Some(format!("https://{host}:{port}{}", url.path())),
            ("https" | "ssh", _) => Some(format!("https://{host}{}", url.path())),
            _ => None,
        };
    }
    let (host, path) = remote.split_once(':')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (!host.contains('/')).then(|| format!("https://{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(set: &[(&str, &str)], url: Option<&str>, remote: Option<&str>) -> String {
        let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        match project(&env, url, remote) {
            Err(e) => e.title,
            Ok(None) => "-".to_owned(),
            Ok(Some(f)) => format!("{:?} {} {} token: {}", f.kind, f.web, f.project, f.token.may_write()),
        }
    }

    #[test]
    fn it_is_named_by_url_job_or_remote() {
        let (gitlab, github) = ([("GITLAB_TOKEN", "glpat-x")], [("GITHUB_TOKEN", "ghp_x")]);
        let both = [gitlab, github].concat();
        let table = [
            told(&gitlab, Some("https://git.example/group/sub/project/-/tree/main"), None),
            told(&github, Some("https://hub.example/octo/app"), None),
            told(&both, Some("https://git.example/group/project"), None),
            told(&both, Some("https://github.com/octo/app?tab=x"), None),
            told(&github, Some("https://github.com/octo/app/pull/7"), None),
            told(&[("GITLAB_HOST", "git.example"), gitlab[0]], Some("https://gitlab.other/group/project"), None),
            told(&[("GITLAB_CI", "true"), ("CI_SERVER_URL", "https://git.example/gitlab"), ("CI_PROJECT_PATH", "a/b/c"), gitlab[0]], None, None),
            told(&[("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://github.com"), ("GITHUB_REPOSITORY", "o/a"), github[0]], None, None),
            told(&both, None, Some("git@github.com:octo/app.git")),
            told(&both, None, Some("https://user:secret@gitlab.com/group/project.git")),
            told(&both, None, Some("ssh://git@git.example:2222/group/project")),
            told(&[("GITLAB_HOST", "git.example"), gitlab[0]], None, Some("ssh://git@git.example:2222/group/project")),
            told(&[("GITLAB_HOST", "git.example"), gitlab[0]], None, Some("git@gitlab.com:group/project")),
            told(&[], None, Some("git@gitlab.com:group/project")),
            told(&both, None, Some("/srv/git/project.git")),
            told(&both, None, None),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        GitLab https://git.example/ group/sub/project token: true
        GitHub https://hub.example/ octo/app token: true
        -
        GitHub https://github.com/ octo/app token: true
        -
        --url leads to another server than the token's
        GitLab https://git.example/gitlab a/b/c token: true
        GitHub https://github.com/ o/a token: true
        GitHub https://github.com/ octo/app token: true
        GitLab https://gitlab.com/ group/project token: true
        -
        GitLab https://git.example/ group/project token: true
        -
        -
        -
        -
        ");
    }
}
