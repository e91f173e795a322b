//! What a GitLab job's environment says of its merge request. The variables only find it; a few of them can be written by
//! whoever pushes, so nothing here is believed beyond an address, and that on the job's own server.

use crate::config::Env;
use crate::error::UserError;
use crate::forge::locate::{Found, Kind, Located, Token, below, root, token, variable};
use crate::http::{Origin, Secret};

/// What people set outside of CI, as GitLab's own command line has it.
const HOST: &str = "GITLAB_HOST";
const SERVER: &str = "CI_SERVER_URL";

/// Finds the merge request of a GitLab job: its own pipeline's, or the open one of the branch.
pub(in crate::forge) fn locate(env: Env<'_>) -> Result<Located, UserError> {
    if variable(env, "CI_MERGE_REQUEST_EVENT_TYPE").as_deref() == Some("merge_train") {
        return Ok(Located::Skip("a merge train: what it merges has been reviewed in the merge request's own pipeline".to_owned()));
    }
    let (project, number, note) = match variable(env, "CI_MERGE_REQUEST_IID") {
        Some(iid) => (variable(env, "CI_MERGE_REQUEST_PROJECT_PATH").or_else(|| variable(env, "CI_PROJECT_PATH")), iid.parse().ok(), None),
        None => match variable(env, "CI_OPEN_MERGE_REQUESTS") {
            Some(open) => of_branch(&open),
            None => return Ok(Located::Nowhere),
        },
    };
    let Some((server, project, number)) = variable(env, SERVER).zip(project).zip(number).map(|((s, p), n)| (s, p, n)) else {
        return Err(UserError::unreadable(
            "the merge request of this pipeline cannot be found",
            "CI_SERVER_URL, CI_MERGE_REQUEST_PROJECT_PATH and CI_MERGE_REQUEST_IID (or CI_OPEN_MERGE_REQUESTS) do not name it",
            "Name it with --url.",
        ));
    };
    let web = root(SERVER, &server)?;
    let api = variable(env, "CI_API_V4_URL").map(|text| root("CI_API_V4_URL", &text)).transpose()?;
    if api.as_ref().is_some_and(|api| !Origin::of(&web).is_ok_and(|origin| origin.covers(api))) {
        return Err(UserError::usage(
            "CI_API_V4_URL leads to another server than CI_SERVER_URL",
            "the token belongs to one of them only",
            "Unset what sets one of them: GitLab names both.",
        ));
    }
    // In a merged-results pipeline CI_COMMIT_SHA is a merge that nobody wrote.
    let head = variable(env, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or_else(|| variable(env, "CI_COMMIT_SHA"));
    // Marking as ready starts no pipeline, so a draft waits for none.
    let mut found = Found {
        api,
        own_pipeline: true,
        shown_by_job: true,
        head,
        notes: note.into_iter().collect(),
        ..Found::named(Kind::GitLab, web, project, number)
    };
    take_token(env, &mut found);
    Ok(Located::Here(Box::new(found)))
}

/// Completes what `--url` named: the configured root, the token, whether it is the job's own merge request after all.
pub(in crate::forge) fn complete(env: Env<'_>, found: &mut Found) -> Result<(), UserError> {
    let in_ci = variable(env, "GITLAB_CI").is_some();
    let configured = [SERVER, HOST].into_iter().filter(|name| in_ci || *name != SERVER).find_map(|name| Some((name, variable(env, name)?)));
    if let Some((name, text)) = configured {
        below(found, &root(name, &text)?, name)?;
    }
    if in_ci && let Ok(Located::Here(own)) = locate(env) {
        let same = own.project == found.project && own.number == found.number;
        (found.own_pipeline, found.shown_by_job, found.api) = (same, same, own.api.clone());
        found.head = own.head.clone().filter(|_| same);
    }
    take_token(env, found);
    Ok(())
}

/// The first of a branch's open merge requests: `group/project!7,group/project!8`.
fn of_branch(open: &str) -> (Option<String>, Option<u64>, Option<String>) {
    let mut all = open.split(',').map(str::trim);
    let (project, number) = all.next().and_then(|first| first.split_once('!')).unwrap_or_default();
    let more = all.count();
    let note = (more > 0).then(|| format!("This branch has {} open merge requests; only !{number} is reviewed here.", more + 1));
    ((!project.is_empty()).then(|| project.to_owned()), number.parse().ok(), note)
}

fn take_token(env: Env<'_>, found: &mut Found) {
    match token(env, "GITLAB_TOKEN") {
        Ok(Some(token)) => {
            found.token = Token::Access(token);
            return;
        }
        Ok(None) => {}
        Err(why) => found.notes.push(why),
    }
    // Given to every job for the job's own server; a job elsewhere has none.
    if let Some(token) = variable(env, "CI_JOB_TOKEN").filter(|_| !found.guessed_root) {
        found.token = Token::Job(Secret::new(token));
        found.notes.push("Only the job's own token is there (no GITLAB_TOKEN): it writes no comments.".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge;

    const PIPELINE: &[(&str, &str)] = &[
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", "https://git.example/gitlab"),
        ("CI_API_V4_URL", "https://git.example/gitlab/api/v4"),
        ("CI_PROJECT_PATH", "fork/project"),
        ("CI_COMMIT_SHA", "aaa"),
        ("GITLAB_TOKEN", "glpat-secret"),
    ];

    fn located(more: &[(&str, &str)], url: Option<&str>) -> String {
        let env = |name: &str| more.iter().chain(PIPELINE).find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        shown(forge::locate(&env, url))
    }

    fn shown(located: Result<Located, UserError>) -> String {
        match located {
            Ok(Located::Nowhere) => "nowhere".to_owned(),
            Ok(Located::Skip(why)) => format!("skip: {why}"),
            Err(e) => format!("{}: {}", e.title, e.cause),
            Ok(Located::Here(f)) => {
                assert!(!format!("{f:?}").contains("glpat-secret"));
                let token = match f.token {
                    Token::Access(_) => "access",
                    Token::Job(_) => "job",
                    Token::None => "none",
                };
                let head = f.head.as_deref().unwrap_or("-");
                format!("{} {}!{} {token} own: {} head: {head} {:?}", f.web, f.project, f.number, f.own_pipeline, f.notes)
            }
        }
    }

    #[test]
    fn pipelines_name_their_merge_request() {
        let mr = [("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_PROJECT_PATH", "group/project")];
        let with = |more: &[(&'static str, &'static str)]| located(&[more, &mr[..]].concat(), None);
        insta::assert_snapshot!(with(&[]), @"https://git.example/gitlab group/project!7 access own: true head: aaa []");
        insta::assert_snapshot!(with(&[("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "bbb"), ("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result")]), @"https://git.example/gitlab group/project!7 access own: true head: bbb []");
        insta::assert_snapshot!(with(&[("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")]), @"https://git.example/gitlab group/project!7 access own: true head: aaa []");
        insta::assert_snapshot!(with(&[("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train")]), @"skip: a merge train: what it merges has been reviewed in the merge request's own pipeline");
        insta::assert_snapshot!(with(&[("GITLAB_TOKEN", "")]), @r#"https://git.example/gitlab group/project!7 none own: true head: aaa ["GITLAB_TOKEN is empty: a protected variable is not given to jobs of unprotected branches, nor any to a fork's. Unprotect the variable (masked), or protect the branch."]"#);
        insta::assert_snapshot!(with(&[("GITLAB_TOKEN", "$BOT_TOKEN"), ("CI_JOB_TOKEN", "x")]), @r#"https://git.example/gitlab group/project!7 job own: true head: aaa ["GITLAB_TOKEN holds the name of another variable that is not set here (protected variables are not given to jobs of unprotected branches, nor any to a fork's).", "Only the job's own token is there (no GITLAB_TOKEN): it writes no comments."]"#);
        insta::assert_snapshot!(with(&[("CI_API_V4_URL", "https://evil.example/api/v4")]), @"CI_API_V4_URL leads to another server than CI_SERVER_URL: the token belongs to one of them only");
    }

    #[test]
    fn branches_name_their_open_merge_requests() {
        let open = |list| located(&[("CI_OPEN_MERGE_REQUESTS", list)], None);
        insta::assert_snapshot!(open("group/project!7"), @"https://git.example/gitlab group/project!7 access own: true head: aaa []");
        insta::assert_snapshot!(open("group/project!7,group/project!9"), @r#"https://git.example/gitlab group/project!7 access own: true head: aaa ["This branch has 2 open merge requests; only !7 is reviewed here."]"#);
        insta::assert_snapshot!(open("nonsense"), @"the merge request of this pipeline cannot be found: CI_SERVER_URL, CI_MERGE_REQUEST_PROJECT_PATH and CI_MERGE_REQUEST_IID (or CI_OPEN_MERGE_REQUESTS) do not name it");
        assert_eq!(open(""), "nowhere");
    }

    #[test]
    fn a_url_by_hand_stays_with_the_token_s_server() {
        let url = |url| located(&[("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_PROJECT_PATH", "group/project")], Some(url));
        insta::assert_snapshot!(url("https://git.example/gitlab/group/project/-/merge_requests/7#note_3"), @"https://git.example/gitlab group/project!7 access own: true head: aaa []");
        insta::assert_snapshot!(url("https://git.example/gitlab/group/sub/p/-/merge_requests/8/diffs?x=y"), @"https://git.example/gitlab group/sub/p!8 access own: false head: - []");
        for elsewhere in [
            "https://git.example.evil.example/gitlab/group/project/-/merge_requests/7",
            "https://git.example:8443/gitlab/group/project/-/merge_requests/7",
            "https://git.example/group/project/-/merge_requests/7",
            "https://git.example/gitlabx/group/project/-/merge_requests/7",
        ] {
            assert_eq!(
                url(elsewhere),
                "--url leads to another server than the token's: CI_SERVER_URL names https://git.example/gitlab",
                "{elsewhere}"
            );
        }
        insta::assert_snapshot!(url("http://git.example/gitlab/group/project/-/merge_requests/7"), @"--url is refused: the URL for git.example is plain http, which would send everything in the clear; that is for this machine only");
        insta::assert_snapshot!(url("https://git.example/group/project"), @"--url is refused: it is not the page of a merge request");
        insta::assert_snapshot!(url("https://git.example/gitlab/g/../../p/-/merge_requests/7"), @"--url is refused: it is not the page of a merge request");
        insta::assert_snapshot!(url("https://git.example/gitlab/g/%2e%2e%2fp/-/merge_requests/7"), @"--url is refused: it is not the page of a merge request");
        insta::assert_snapshot!(url("https://git.example/gitlab/g/p/-/merge_requests/0"), @"--url is refused: it names no merge request's number");
    }

    #[test]
    fn at_home_the_url_or_the_named_host_is_the_server() {
        let at_home = |env: &[(&str, &str)], url| {
            let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            shown(forge::locate(&env, Some(url)))
        };
        let url = "https://git.example/gitlab/group/project/-/merge_requests/7";
        insta::assert_snapshot!(at_home(&[("GITLAB_TOKEN", "glpat-secret")], url), @"https://git.example/ gitlab/group/project!7 access own: false head: - []");
        insta::assert_snapshot!(at_home(&[("GITLAB_HOST", "git.example/gitlab")], url), @"https://git.example/gitlab group/project!7 none own: false head: - []");
        insta::assert_snapshot!(at_home(&[("GITLAB_HOST", "gitlab.com")], url), @"--url leads to another server than the token's: GITLAB_HOST names https://gitlab.com");
        assert_eq!(shown(forge::locate(&|_| None, None)), "nowhere");
    }
}
