//! By hand: without a repository, with a gateway, in clones of different depth, for machines.

use crate::forge::{FakeForge, Rights};
use crate::gateway::{self, FakeGateway, answer};
use crate::git_repo::{Repo, git_in};
use crate::{Job, doctor, github, gitlab, plain, section, set};
use serde_json::{Value, json};

#[test]
fn nothing_is_set_up_and_there_is_no_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = doctor(folder.path(), folder.path(), &[], &[]);
    insta::assert_snapshot!(plain(&shown, &[]), @"
    exit 0
    tribune 0.1.0: nothing stops a review, 1 warning

    Here
      ok       run            by hand, no CI job
      ok       git            git version N
      warning  repository     none here, so there is nothing to review
                              fix: Run it in a clone, name one with --repo, or a merge request with
                              --url.

    Configuration
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in

    Gateway
      -        gateway        none is configured: the rules run alone
                              fix: For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and
                              TRIBUNE_MODEL.

    Forge
      -        merge request  none is named: a review looks at the clone alone
                              fix: Name one by --url to check token and rights.

    Network
      -        proxy          none is set (HTTPS_PROXY): connections go directly
      ok       certificates   of the system

    Posting
      -        posting        nothing: there is no merge request here
      -        memory         TRIBUNE_STATE_KEY is not set; merge requests want it
    ");
}

#[test]
fn a_dead_endpoint_keeps_no_other_from_being_probed() {
    let gateway = FakeGateway::smart(|request| match request.method.as_str() {
        "HEAD" => gateway::status(404, &[], ""),
        _ => answer("").call("ok", json!({})).to(request),
    });
    let (repo, folder) = (Repo::new(), tempfile::tempdir().expect("a folder"));
    repo.write("app.py", "VALUE = 1\n");
    repo.commit("base");
    let file = folder.path().join("operator.yaml");
    let text = format!(
        "endpoints:\n  corp: {{url: '{}'}}\n  gone: {{url: 'http://127.0.0.1:1/v1'}}\nmodels:\n  standard: [{{model: good, endpoint: corp}}, {{model: spare, endpoint: gone}}]\n",
        gateway.url()
    );
    std::fs::write(&file, text).expect("written");
    let shown = doctor(&repo.dir, folder.path(), &[], &["--probe", "--config", file.to_str().expect("UTF-8")]);
    assert_eq!(shown.code, 3);
    for line in ["good at corp answered", "gone at 127.0.0.1:1 cannot be reached", "spare at gone is not called: its endpoint has a problem"] {
        assert!(shown.screen.contains(line), "{line} in {}", shown.screen);
    }
}

#[test]
fn a_gateway_by_hand_is_reached_and_called_once_a_model() {
    let repo = Repo::new();
    repo.write(".tribune.yaml", "fail_on: important\ntires: {}\n");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write("app.py", "VALUE = 1\n");
    repo.commit("change");
    let gateway = FakeGateway::smart(|request| match request.method.as_str() {
        "HEAD" => gateway::status(404, &[], ""),
        _ if request.json()["model"] == "gone" => {
            gateway::status(404, &[], r#"{"error": {"message": "The model `gone` does not exist", "code": "model_not_found"}}"#)
        }
        _ => answer("").call("ok", json!({})).to(request),
    });
    let base = repo.ask(&["rev-parse", "main"]);
    let home = repo.outside.path().join("home");
    std::fs::create_dir_all(home.join(".config/tribune")).expect("made");
    let file = format!(
        "endpoints:\n  corp: {{ url: \"{}\", token_env: TRIBUNE_CORP_TOKEN, headers: {{ X-Team: hunter22 }} }}\nmodels:\n  top: [{{ model: best, endpoint: corp }}, {{ model: good, endpoint: corp }}]\n  light: [{{ model: gone, endpoint: corp }}]\nprices:\n  best: {{ input: 2, output: 8 }}\n",
        gateway.url()
    );
    std::fs::write(home.join(".config/tribune/config.yaml"), file).expect("written");
    let host = gateway.url().trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
    let env = set(&[("TRIBUNE_CORP_TOKEN", "sk-corp-4711"), ("HTTPS_PROXY", "http://me:hunter22@proxy.example:3128")]);
    let shown = doctor(&repo.dir, &home, &env, &["--probe"]);
    assert!(!shown.screen.contains("hunter22"), "{}", shown.screen);
    insta::assert_snapshot!(plain(&shown, &[(host, "gw.example"), (base[..12].to_owned(), "POLICY")]), @"
    exit 2
    tribune 0.1.0: 2 problems (policy, probe)

    Here
      ok       run            by hand, no CI job
      ok       git            git version N
      ok       repository     whole history
      problem  policy         .tribune.yaml:2:1 of POLICY, where the branch left main: unknown
                              key `tires`
                              fix: Did you mean `tiers`?

    Configuration
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in

    Gateway
      ok       corp           http://gw.example/v1 (openai, chat), token from TRIBUNE_CORP_TOKEN,
                              headers X-Team
      ok       models         top, standard: best at corp, then good at corp; light: gone at corp
      ok       limits         $2.00 a run, $6.00 a merge request; 2,000,000 tokens a run for gone, good,
                              whose price is not known; 1500 s in all, 300 s a reviewer, 8 requests at
                              a time
      ok       connection     corp answers
      ok       probe          best at corp answered as fake-model-1: 100 tokens in, 20 out, $0.000360
      problem  probe          gone at corp: gw.example answered 404 (Not Found): The model `gone`
                              does not exist
                              fix: Check the model's name, the gateway's URL and its preset.
      ok       probe          good at corp answered as fake-model-1: 100 tokens in, 20 out, price
                              unknown

    Forge
      -        merge request  none is named: a review looks at the clone alone
                              fix: Name one by --url to check token and rights.

    Network
      ok       proxy          proxy.example:3128 (HTTPS_PROXY): gw.example directly (this machine)
      ok       certificates   of the system

    Posting
      -        posting        nothing: there is no merge request here
      -        memory         TRIBUNE_STATE_KEY is not set; merge requests want it
    ");
    let asked: Vec<String> =
        gateway.requests().iter().filter(|r| r.method == "POST").map(|r| r.json()["model"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!((asked.len(), asked.iter().filter(|m| *m == "best").count()), (3, 1));
    assert!(gateway.requests().iter().filter(|r| r.method == "HEAD").all(|r| r.header("authorization").is_none()));
    // Without --probe no model is called.
    let before = gateway.requests().len();
    doctor(&repo.dir, &home, &env, &[]);
    assert_eq!(gateway.requests().len(), before + 1);
}

#[test]
fn depth_of_the_clone_is_told() {
    let repo = Repo::new();
    for n in 0..5 {
        repo.commit(&format!("commit {n}"));
    }
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write("app.py", "VALUE = 1\n");
    repo.commit("change");
    repo.git(&["checkout", "-q", "main"]);
    let url = format!("file://{}", repo.dir.display());
    let look = |name: &str, depth: &str| {
        git_in(repo.outside.path(), &["clone", "-q", depth, "--no-single-branch", "--branch=topic", &url, name]);
        let shown = doctor(&repo.outside.path().join(name), repo.outside.path(), &[], &[]);
        let base = repo.ask(&["rev-parse", "main"]);
        section(&plain(&shown, &[(base[..12].to_owned(), "POLICY")]), "Here")
    };
    insta::assert_snapshot!(look("one", "--depth=1"), @"
    exit 0
    Here
      ok       run            by hand, no CI job
      ok       git            git version N
      warning  repository     shallow, 1 commit: where the branch left the default branch is not in it
                              fix: Fetch more: `git fetch --deepen=100 origin`, or all: `git fetch
                              --unshallow origin`.
      ok       policy         there is no base yet: built-in defaults and the operator's
    ");
    insta::assert_snapshot!(look("two", "--depth=2"), @"
    exit 0
    Here
      ok       run            by hand, no CI job
      ok       git            git version N
      ok       repository     shallow, 3 commits, which is enough
      ok       policy         no .tribune.yaml in POLICY, where the branch left origin/HEAD:
                              built-in defaults and the operator's
    ");
    let whole = doctor(&repo.dir, repo.outside.path(), &[], &[]);
    assert!(whole.screen.contains("whole history"), "{}", whole.screen);
}

#[test]
fn machines_get_the_same_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = doctor(folder.path(), folder.path(), &[], &["--json"]);
    let json: Value = serde_json::from_str(&shown.screen).expect("JSON");
    let state = |section: usize, check: usize| json["sections"][section]["checks"][check].clone();
    assert_eq!((json["schema"].as_str(), json["exit"].as_i64(), shown.code), (Some("tribune.doctor/v1"), Some(0), 0));
    insta::assert_snapshot!(state(0, 2), @r#"{"fix":"Run it in a clone, name one with --repo, or a merge request with --url.","name":"repository","state":"warning","told":"none here, so there is nothing to review"}"#);
    insta::assert_snapshot!(state(2, 0), @r#"{"fix":"For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and TRIBUNE_MODEL.","name":"gateway","state":"not_applicable","told":"none is configured: the rules run alone"}"#);
}

/// The section on the forge where a project is named and no merge request.
fn of_project<F: FakeForge>(mut job: Job<F>, rights: Rights, named: impl Fn(&str) -> (Vec<String>, Vec<(&'static str, String)>)) -> String {
    let url = job.fake.url();
    let (args, more) = named(url.split("/-/").next().and_then(|u| u.split("/pull/").next()).expect("a project"));
    let mut env: Vec<_> = job.fake.env(rights).into_iter().filter(|(n, _)| matches!(n.as_str(), "GITLAB_TOKEN" | "GITHUB_TOKEN")).collect();
    env.extend(more.into_iter().map(|(n, v)| (n.to_owned(), v)));
    let shown = job.shown(env, &args.iter().map(String::as_str).collect::<Vec<_>>());
    section(&shown, "Forge")
}

#[test]
fn a_token_is_checked_before_there_is_a_merge_request() {
    let by_url = |project: &str| (vec!["--url".to_owned(), project.to_owned()], Vec::new());
    insta::assert_snapshot!(of_project(gitlab(), Rights::Write, by_url), @"
    exit 0
    Forge
      -        merge request  none is named: the token is checked for group/sub/project
      ok       GitLab         18.4.1 Enterprise Edition at git.example/gitlab
      ok       token          a token of bot with the scope `api`
      ok       role           Developer as bot
    ");
    insta::assert_snapshot!(of_project(gitlab(), Rights::Read, by_url), @"
    exit 0
    Forge
      -        merge request  none is named: the token is checked for group/sub/project
      ok       GitLab         18.4.1 Enterprise Edition at git.example/gitlab
      warning  token          a token of bot with the scope `read_api`: it lacks `api`, so it reads and
                              writes no comment
                              fix: Make a project access token with the scope `api` and the role
                              Developer, and give it to the job as GITLAB_TOKEN (masked).
      ok       role           Developer as bot
    ");
    insta::assert_snapshot!(of_project(github(false), Rights::Write, by_url), @"
    exit 0
    Forge
      -        merge request  none is named: the token is checked for octo/app
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       token          an app's installation token of bot
      ok       repository     `push` in octo/app
      ok       comments       it may write comments and reviews
      ok       checks         it may write the check
    ");
    insta::assert_snapshot!(of_project(github(false), Rights::Read, by_url), @"
    exit 0
    Forge
      -        merge request  none is named: the token is checked for octo/app
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       token          an app's installation token of bot
      ok       repository     `pull` in octo/app
      warning  comments       the job's token lacks `pull-requests: write` in the workflow's
                              `permissions:` (a run of a fork or of Dependabot never has more than read)
                              fix: Give the workflow `permissions: {contents: read, pull-requests:
                              write, checks: write}` and pass `${{ github.token }}` as GITHUB_TOKEN.
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown
    ");
    // A job that is about none knows its project by itself.
    insta::assert_snapshot!(of_project(gitlab(), Rights::Write, |project| {
        let (root, path) = project.split_once("/group/").expect("a group");
        (Vec::new(), vec![("GITLAB_CI", "true".into()), ("CI_SERVER_URL", root.into()), ("CI_PROJECT_PATH", format!("group/{path}"))])
    }), @"
    exit 0
    Forge
      -        merge request  none is named: the token is checked for group/sub/project
      ok       GitLab         18.4.1 Enterprise Edition at git.example/gitlab
      ok       token          a token of bot with the scope `api`
      ok       role           Developer as bot
    ");
}
