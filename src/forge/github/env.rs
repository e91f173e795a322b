//! What a GitHub workflow's environment says of its pull request. The event only finds it; what is known of it comes from
//! the API. A run that a fork's text can have shaped is told apart here, so that nothing it wrote is believed later.

use super::event::{self, Event, Pull, Run, is_commit};
use crate::config::Env;
use crate::error::UserError;
use crate::forge::locate::{Found, HeadOf, Kind, Located, Token, below, root, token, variable};
use reqwest::Url;

const SERVER: &str = "GITHUB_SERVER_URL";
const API: &str = "GITHUB_API_URL";
/// What people set outside of CI, as GitHub's own command line has it.
const HOST: &str = "GH_HOST";

/// Finds the pull request of a workflow run.
pub(in crate::forge) fn locate(env: Env<'_>) -> Result<Located, UserError> {
    let name = variable(env, "GITHUB_EVENT_NAME").unwrap_or_default();
    match name.as_str() {
        "merge_group" => {
            return Ok(Located::Skip("a merge queue: what it merges has been reviewed in each pull request's own run".to_owned()));
        }
        "pull_request_target" => {
            return Err(UserError::usage(
                "pull_request_target is refused",
                "it runs with the repository's secrets on what a stranger wrote",
                "Use `pull_request`, and for forks the two-stage set-up of the template.",
            ));
        }
        "pull_request" | "workflow_run" | "workflow_dispatch" => {}
        _ => return Ok(Located::Nowhere),
    }
    let Some(path) = variable(env, "GITHUB_EVENT_PATH") else {
        return Err(cannot_find("GITHUB_EVENT_PATH is not set"));
    };
    let event = event::read(&path)?;
    let project =
        variable(env, "GITHUB_REPOSITORY").filter(|p| is_project(p)).ok_or_else(|| cannot_find("GITHUB_REPOSITORY does not name a repository"))?;
    if event.repository.as_ref().is_some_and(|r| !r.full_name.eq_ignore_ascii_case(&project)) {
        return Err(cannot_find("the event is of another repository than GITHUB_REPOSITORY names"));
    }
    let server = variable(env, SERVER).unwrap_or_else(|| "https://github.com".to_owned());
    // A job is never neutral and marks no lines, and runs after another one or by hand are shown at the default branch: so none is
    // shown by its own job.
    let mut found = Found {
        api: variable(env, API).map(|text| root(API, &text)).transpose()?,
        own_pipeline: true,
        draft_waits: name == "pull_request",
        ..Found::named(Kind::GitHub, root(SERVER, &server)?, project, 0)
    };
    match (name.as_str(), event) {
        ("pull_request", Event { pull_request: Some(pull), .. }) => of_pull(env, pull, &mut found),
        ("workflow_run", Event { workflow_run: Some(run), .. }) => {
            if let Some(why) = of_run(run, &mut found)? {
                return Ok(Located::Skip(why));
            }
        }
        // A run by hand without these inputs is about something else.
        ("workflow_dispatch", Event { inputs: Some(inputs), .. }) if inputs.number.is_some() => {
            found.number = inputs
                .number
                .as_deref()
                .and_then(|n| n.parse().ok())
                .filter(|n| *n > 0)
                .ok_or_else(|| wrong_input("number", "a pull request's number"))?;
            let sha = inputs.sha.filter(|s| is_commit(s)).ok_or_else(|| wrong_input("sha", "the whole id of the commit that you looked at"))?;
            found.head = Some(sha.to_ascii_lowercase());
        }
        ("workflow_dispatch", _) => return Ok(Located::Nowhere),
        _ => return Err(cannot_find(&format!("the event has no {name}"))),
    }
    take_token(env, &mut found);
    Ok(Located::Here(Box::new(found)))
}

fn of_pull(env: Env<'_>, pull: Pull, found: &mut Found) {
    found.number = pull.number;
    found.head = Some(pull.head.sha);
    let fork = pull.head.repo.is_none_or(|r| !r.full_name.eq_ignore_ascii_case(&found.project));
    let dependabot = variable(env, "GITHUB_ACTOR").as_deref() == Some("dependabot[bot]");
    // Neither has a secret or a token that writes; posting would end as an error in somebody else's run.
    found.own_pipeline = !(fork || dependabot);
    found.unverified = fork;
    if fork {
        found.notes.push(
            "A fork's run has no secrets and a token that only reads: without a gateway's key the rules run alone, and nothing is posted from here."
                .to_owned(),
        );
    } else if dependabot {
        found.notes.push("A run of Dependabot has no secrets and a token that only reads: it is treated like a fork's.".to_owned());
    }
}

/// A finished run whose report is to be published. `Some`: why there is nothing to publish.
fn of_run(run: Run, found: &mut Found) -> Result<Option<String>, UserError> {
    if run.event != "pull_request" {
        return Ok(Some("the finished run was not one of a pull request".to_owned()));
    }
    let (Some(repository), Some(branch)) = (run.head_repository.filter(|r| is_project(&r.full_name)), run.head_branch.filter(|b| !b.is_empty()))
    else {
        return Ok(Some("the fork or branch of the finished run is gone".to_owned()));
    };
    if !is_commit(&run.head_sha) {
        return Err(cannot_find("the finished run names no commit"));
    }
    found.unverified = !repository.full_name.eq_ignore_ascii_case(&found.project);
    found.head = Some(run.head_sha.clone());
    found.of_head = Some(HeadOf { project: repository.full_name, branch, sha: run.head_sha });
    Ok(None)
}

/// Completes what `--url` named: the server's root, its API, the token, whether it is the run's own pull request after all.
pub(in crate::forge) fn complete(env: Env<'_>, found: &mut Found) -> Result<(), UserError> {
    let in_ci = variable(env, "GITHUB_ACTIONS").is_some();
    let configured = [SERVER, HOST].into_iter().filter(|name| in_ci || *name != SERVER).find_map(|name| Some((name, variable(env, name)?)));
    if let Some((name, text)) = configured {
        below(found, &root(name, &text)?, name)?;
    }
    // The API of another server than the URL's is none of this token's.
    if in_ci {
        found.api = variable(env, API).map(|text| root(API, &text)).transpose()?;
    }
    let own = if in_ci { locate(env) } else { Ok(Located::Nowhere) };
    // Whose word a report is does not depend on where it is to be shown.
    found.unverified = match &own {
        Ok(Located::Here(own)) => own.unverified,
        _ => in_ci && variable(env, "GITHUB_EVENT_NAME").as_deref() == Some("workflow_run"),
    };
    if let Ok(Located::Here(own)) = own {
        let same = own.project == found.project && own.number == found.number;
        found.own_pipeline = same && own.own_pipeline;
        found.head = own.head.clone().filter(|_| same);
        found.notes.extend(own.notes.iter().filter(|_| same).cloned());
    }
    take_token(env, found);
    Ok(())
}

/// Where a GitHub's API lives: beside its page on the public ones, below it on others.
pub(super) fn api(web: &Url) -> Url {
    let mut api = web.clone();
    let host = web.host_str().unwrap_or_default().to_owned();
    let public = (host == "github.com" || host.ends_with(".ghe.com")) && web.path() == "/";
    // A host that could be parsed stays one with a word before it.
    if !(public && api.set_host(Some(&format!("api.{host}"))).is_ok()) {
        api.set_path(&format!("{}/api/v3", web.path().trim_end_matches('/')));
    }
    api
}

fn take_token(env: Env<'_>, found: &mut Found) {
    let name = if variable(env, "GITHUB_TOKEN").is_none() && variable(env, "GH_TOKEN").is_some() { "GH_TOKEN" } else { "GITHUB_TOKEN" };
    match token(env, name) {
        Ok(Some(token)) => found.token = Token::Access(token),
        Ok(None) => {}
        Err(why) => found.notes.push(why),
    }
}

/// `owner/name`.
fn is_project(text: &str) -> bool {
    let name = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    text.split_once('/').is_some_and(|(owner, repository)| name(owner) && name(repository))
}

fn cannot_find(cause: &str) -> UserError {
    UserError::unreadable("the pull request of this workflow cannot be found", cause, "Name it with --url.")
}

fn wrong_input(name: &str, wanted: &str) -> UserError {
    UserError::usage(
        format!("the input `{name}` is refused"),
        format!("it has to be {wanted}"),
        "Copy the command from the summary comment, or both values from the pull request's page.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge;
    use serde_json::{Value, json};

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    /// One line: what is found in a run of this event, with further variables.
    fn shown(name: &str, event: &Value, more: &[(&str, &str)], url: Option<&str>) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), event.to_string()).expect("written");
        let path = file.path().to_string_lossy().into_owned();
        let set = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_EVENT_PATH", &path),
            ("GITHUB_REPOSITORY", "octo/app"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_API_URL", "https://api.github.com"),
            ("GITHUB_TOKEN", "ghs_secret"),
        ];
        let env = |name: &str| more.iter().chain(&set).find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        match forge::locate(&env, url) {
            Err(e) => format!("{}: {}", e.title, e.cause),
            Ok(Located::Nowhere) => "nowhere".to_owned(),
            Ok(Located::Skip(why)) => format!("skip: {why}"),
            Ok(Located::Here(f)) => {
                let head = f.of_head.as_ref().map(|h| format!(" by {}:{}", h.project, h.branch)).unwrap_or_default();
                let api = f.api.as_ref().map_or("-", Url::as_str);
                format!(
                    "{} {api} {}#{}{head} own: {} unverified: {} head: {} {:?}",
                    f.web,
                    f.project,
                    f.number,
                    f.own_pipeline,
                    f.unverified,
                    f.head.as_deref().map_or("-", |h| &h[..4]),
                    f.notes
                )
            }
        }
    }

    fn pull(repository: &Value) -> Value {
        json!({"number": 7, "repository": {"full_name": "octo/app"}, "pull_request": {"number": 7, "title": "`$(x)`", "head": {"sha": SHA, "repo": repository}}})
    }

    #[test]
    fn events_find_their_pull_request() {
        let own = json!({"full_name": "octo/app"});
        insta::assert_snapshot!(shown("pull_request", &pull(&own), &[], None), @"https://github.com/ https://api.github.com/ octo/app#7 own: true unverified: false head: 0123 []");
        insta::assert_snapshot!(shown("pull_request", &pull(&json!({"full_name": "fork/app"})), &[], None), @r#"https://github.com/ https://api.github.com/ octo/app#7 own: false unverified: true head: 0123 ["A fork's run has no secrets and a token that only reads: without a gateway's key the rules run alone, and nothing is posted from here."]"#);
        insta::assert_snapshot!(shown("pull_request", &pull(&Value::Null), &[("GITHUB_TOKEN", "")], None), @r#"https://github.com/ https://api.github.com/ octo/app#7 own: false unverified: true head: 0123 ["A fork's run has no secrets and a token that only reads: without a gateway's key the rules run alone, and nothing is posted from here.", "GITHUB_TOKEN is empty: a protected variable is not given to jobs of unprotected branches, nor any to a fork's. Unprotect the variable (masked), or protect the branch."]"#);
        insta::assert_snapshot!(shown("pull_request", &pull(&own), &[("GITHUB_ACTOR", "dependabot[bot]")], None), @r#"https://github.com/ https://api.github.com/ octo/app#7 own: false unverified: false head: 0123 ["A run of Dependabot has no secrets and a token that only reads: it is treated like a fork's."]"#);
        insta::assert_snapshot!(shown("merge_group", &json!({}), &[], None), @"skip: a merge queue: what it merges has been reviewed in each pull request's own run");
        insta::assert_snapshot!(shown("pull_request_target", &pull(&own), &[], None), @"pull_request_target is refused: it runs with the repository's secrets on what a stranger wrote");
        insta::assert_snapshot!(shown("push", &json!({}), &[], None), @"nowhere");
        insta::assert_snapshot!(shown("pull_request", &pull(&own), &[("GITHUB_REPOSITORY", "other/app")], None), @"the pull request of this workflow cannot be found: the event is of another repository than GITHUB_REPOSITORY names");
        insta::assert_snapshot!(shown("pull_request", &json!([]), &[], None), @"the event of this workflow cannot be read: GITHUB_EVENT_PATH: not an event of GitHub (line 1, column 2)");
    }

    #[test]
    fn a_finished_run_is_found_by_its_head_and_a_fork_s_is_unverified() {
        let run = |repository: &str, event: &str| json!({"workflow_run": {"event": event, "head_branch": "topic", "head_sha": SHA, "head_repository": {"full_name": repository}, "pull_requests": [{"number": 99}]}});
        insta::assert_snapshot!(shown("workflow_run", &run("fork/app", "pull_request"), &[], None), @"https://github.com/ https://api.github.com/ octo/app#0 by fork/app:topic own: true unverified: true head: 0123 []");
        insta::assert_snapshot!(shown("workflow_run", &run("octo/app", "pull_request"), &[], None), @"https://github.com/ https://api.github.com/ octo/app#0 by octo/app:topic own: true unverified: false head: 0123 []");
        insta::assert_snapshot!(shown("workflow_run", &run("octo/app", "push"), &[], None), @"skip: the finished run was not one of a pull request");
        // A URL names another pull request, and makes nobody's word better.
        let url = Some("https://github.com/octo/app/pull/8");
        insta::assert_snapshot!(shown("workflow_run", &run("fork/app", "pull_request"), &[], url), @"https://github.com/ https://api.github.com/ octo/app#8 own: false unverified: true head: - []");
        insta::assert_snapshot!(shown("workflow_run", &json!({"workflow_run": 1}), &[], url), @"https://github.com/ https://api.github.com/ octo/app#8 own: false unverified: true head: - []");
        let by_hand = |number: &str, sha: &str| shown("workflow_dispatch", &json!({"inputs": {"number": number, "sha": sha}}), &[], None);
        insta::assert_snapshot!(by_hand("7", SHA), @"https://github.com/ https://api.github.com/ octo/app#7 own: true unverified: false head: 0123 []");
        insta::assert_snapshot!(by_hand("7", "0123456"), @"the input `sha` is refused: it has to be the whole id of the commit that you looked at");
        insta::assert_snapshot!(by_hand("7; rm", SHA), @"the input `number` is refused: it has to be a pull request's number");
        insta::assert_snapshot!(shown("workflow_dispatch", &json!({"inputs": null}), &[], None), @"nowhere");
    }

    #[test]
    fn a_url_stays_with_the_token_s_server() {
        let url = |url| shown("push", &json!({}), &[], Some(url));
        insta::assert_snapshot!(url("https://github.com/octo/app/pull/7/files#r1"), @"https://github.com/ https://api.github.com/ octo/app#7 own: false unverified: false head: - []");
        insta::assert_snapshot!(url("https://github.com.evil.example/octo/app/pull/7"), @"--url leads to another server than the token's: GITHUB_SERVER_URL names https://github.com");
    }

    #[test]
    fn apis_live_where_github_has_them() {
        let of = |web: &str| api(&Url::parse(web).expect("a URL")).to_string();
        assert_eq!(of("https://github.com/"), "https://api.github.com/");
        assert_eq!(of("https://octo.ghe.com/"), "https://api.octo.ghe.com/");
        assert_eq!(of("https://git.example/"), "https://git.example/api/v3");
        assert_eq!(of("https://notgithub.com/"), "https://notgithub.com/api/v3");
    }
}
