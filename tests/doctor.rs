//! What `tribune doctor` shows, through the whole binary, against both faked forges and a faked gateway: the screens as they are,
//! the exit codes, no token in them, nothing written.

#[path = "support/forge.rs"]
mod forge;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "git_repo/mod.rs"]
mod git_repo;

use forge::github::{FINE_TOKEN, FakeGitHub};
use forge::gitlab::FakeGitLab;
use forge::server::Response;
use forge::{BOT, DEV, FakeForge, MAINTAINER, Rights, Start};
use gateway::{FakeGateway, answer};
use git_repo::{Repo, git_in};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

struct Shown {
    code: i32,
    screen: String,
}

/// Runs it in `dir` with nothing in its environment but this.
fn doctor(dir: &Path, home: &Path, env: &[(String, String)], args: &[&str]) -> Shown {
    let output = Command::new(env!("CARGO_BIN_EXE_tribune"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", home)
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .envs(env.iter().map(|(n, v)| (n, v)))
        .current_dir(dir)
        .stdin(Stdio::null())
        .arg("doctor")
        .args(args)
        .output()
        .expect("the binary runs");
    let screen = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    for (name, value) in env.iter().filter(|(n, v)| (n.ends_with("_TOKEN") || n.ends_with("_KEY")) && v.len() > 5) {
        assert!(!screen.contains(value.as_str()), "{name} is shown: {screen}");
    }
    Shown { code: output.status.code().expect("an exit code"), screen }
}

/// A screen without what differs from run to run.
fn plain(shown: &Shown, replaced: &[(String, &str)]) -> String {
    let mut text = shown.screen.clone();
    for (from, to) in replaced {
        text = text.replace(from.as_str(), to);
    }
    let mut out = format!("exit {}\n", shown.code);
    for line in text.lines() {
        let line = match line.split_once("git version ") {
            Some((before, _)) => format!("{before}git version N"),
            None => line.to_owned(),
        };
        let rules = |l: &str| l.contains("in force, built in");
        let line = if rules(&line) {
            line.split_once(char::is_numeric).map_or(line.clone(), |(before, _)| format!("{before}N in force, built in"))
        } else {
            line
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn set(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

/// A fake forge, seen from a job's clone.
struct Job<F: FakeForge> {
    fake: F,
}

impl<F: FakeForge> Job<F> {
    fn shown(&mut self, env: Vec<(String, String)>, args: &[&str]) -> String {
        let key = ("TRIBUNE_STATE_KEY".to_owned(), "a state key of this test".to_owned());
        self.shown_without_key([env, vec![key]].concat(), args)
    }

    fn shown_without_key(&mut self, env: Vec<(String, String)>, args: &[&str]) -> String {
        self.fake.reset_counters();
        let repo = self.fake.repo();
        let home = repo.outside.path().join("home");
        let shown = doctor(&repo.dir, &home, &env, args);
        let host = self.fake.origin().trim_start_matches("http://").to_owned();
        let policy = repo.ask(&["rev-parse", "origin/main"]);
        assert_eq!((self.fake.writes(), self.fake.violations()), (0, Vec::new()));
        plain(&shown, &[(host, "git.example"), (policy[..12].to_owned(), "POLICY")])
    }
}

fn start(fork: bool) -> Start<'static> {
    Start { change: &|r| r.write("app.py", "VALUE = 1\n"), fork, ..Start::default() }
}

fn gitlab() -> Job<FakeGitLab> {
    Job { fake: FakeGitLab::start(&start(false)) }
}

fn github(fork: bool) -> Job<FakeGitHub> {
    Job { fake: FakeGitHub::start(&start(fork)) }
}

/// Only that part of a screen.
fn section(screen: &str, title: &str) -> String {
    let parts: Vec<&str> = screen.split("\n\n").filter(|p| p.starts_with(title)).collect();
    format!("{}{}", screen.lines().next().unwrap_or_default(), parts.iter().map(|p| format!("\n{p}")).collect::<String>())
}

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
fn a_pipeline_of_gitlab_as_it_should_be() {
    let mut job = gitlab();
    let env = job.fake.env(Rights::Write);
    insta::assert_snapshot!(job.shown(env, &[]), @"
    exit 0
    tribune 0.1.0: nothing stands against a review

    Here
      ok       run            GitLab CI, the merge request's own pipeline (detached)
      ok       git            git version N
      ok       repository     whole history
      ok       policy         no .tribune.yaml in POLICY, the tip of `main`: built-in defaults and
                              the operator's

    Configuration
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in

    Gateway
      -        gateway        none is configured: the rules run alone
                              fix: For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and
                              TRIBUNE_MODEL.

    Forge
      ok       merge request  7 of group/sub/project into `main`
      ok       GitLab         18.4.1 Enterprise Edition at git.example/gitlab
      ok       depth          `GIT_DEPTH: 2` holds its 1 commit and the base; what is missing is fetched
      ok       token          a token of bot with the scope `api`
      ok       role           Developer as bot
      ok       pipelines      merge-request pipelines

    Network
      -        proxy          none is set (HTTPS_PROXY): connections go directly
      ok       certificates   of the system

    Posting
      ok       posting        threads for critical and important findings and sure one-click fixes (at
                              most 10 open); a summary once there is something to say; the verdict's
                              label
      ok       memory         signed with TRIBUNE_STATE_KEY
    ");
}

#[test]
fn a_pipeline_of_gitlab_whose_token_lacks_the_scope() {
    let mut job = gitlab();
    let env = job.fake.env(Rights::Read);
    insta::assert_snapshot!(job.shown(env, &[]), @"
    exit 4
    tribune 0.1.0: 1 problem (token), 1 warning

    Here
      ok       run            GitLab CI, the merge request's own pipeline (detached)
      ok       git            git version N
      ok       repository     whole history
      ok       policy         no .tribune.yaml in POLICY, the tip of `main`: built-in defaults and
                              the operator's

    Configuration
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in

    Gateway
      -        gateway        none is configured: the rules run alone
                              fix: For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and
                              TRIBUNE_MODEL.

    Forge
      ok       merge request  7 of group/sub/project into `main`
      ok       GitLab         18.4.1 Enterprise Edition at git.example/gitlab
      ok       depth          `GIT_DEPTH: 2` holds its 1 commit and the base; what is missing is fetched
      problem  token          a token of bot with the scope `read_api`: it lacks `api`, so it reads and
                              writes no comment
                              fix: Make a project access token with the scope `api` and the role
                              Developer, and give it to the job as GITLAB_TOKEN (masked).
      ok       role           Developer as bot
      ok       pipelines      merge-request pipelines

    Network
      -        proxy          none is set (HTTPS_PROXY): connections go directly
      ok       certificates   of the system

    Posting
      warning  posting        nothing: the token does not let it, see above
      ok       memory         signed with TRIBUNE_STATE_KEY
    ");
}

#[test]
fn a_pipeline_of_gitlab_with_other_troubles() {
    let mut job = gitlab();
    let empty = [job.fake.env(Rights::Empty), set(&[("CI_COMMIT_REF_PROTECTED", "false")])].concat();
    insta::assert_snapshot!(section(&job.shown_without_key(empty, &[]), "Forge"), @"
    exit 4
    Forge
      problem  token          GITLAB_TOKEN is there, but empty: this pipeline's branch is not protected,
                              and a protected variable is given to protected ones alone
                              fix: Take the protection off the variable GITLAB_TOKEN and keep it masked,
                              or protect the branch.
      problem  merge request  not found: 404 Project Not Found (404, to read the merge request): it does
                              not exist, or the token cannot see it: it needs the scope `read_api` and
                              the role Reporter in the project
                              fix: Check the URL, and that the token may see the project: forges do not
                              tell `hidden` from `absent`.
      -        GitLab         git.example/gitlab; it tells its version to no such token
    ");
    let own = job.fake.env(Rights::Job);
    insta::assert_snapshot!(section(&job.shown(own, &[]), "Forge"), @"
    exit 4
    Forge
      problem  token          only CI_JOB_TOKEN is there, which cannot write comments
                              fix: Make a project access token with the scope `api` and the role
                              Developer, and give it to the job as GITLAB_TOKEN (masked).
      problem  merge request  not found: 404 Project Not Found (404, to read the merge request): it does
                              not exist, or the token cannot see it: it needs the scope `read_api` and
                              the role Reporter in the project
                              fix: Check the URL, and that the token may see the project: forges do not
                              tell `hidden` from `absent`.
      -        GitLab         git.example/gitlab; it tells its version to no such token
    ");

    job.fake.set_role(BOT, "reader");
    job.fake.set_pipelines(&["merge_request_event", "push"]);
    job.fake.set_version("15.11.2");
    job.fake.set_threads_must_resolve(true);
    let write = [job.fake.env(Rights::Write), set(&[("TRIBUNE_BOT_ID", "77")])].concat();
    let shown = job.shown(write.clone(), &[]);
    insta::assert_snapshot!(section(&shown, "Forge"), @"
    exit 2
    Forge
      ok       merge request  7 of group/sub/project into `main`
      warning  GitLab         15.11.2 Community Edition at git.example/gitlab, older than 16.0,
                              which is the oldest that is supported
                              fix: Update GitLab.
      ok       depth          `GIT_DEPTH: 2` holds its 1 commit and the base; what is missing is fetched
      ok       token          a token of bot with the scope `api`
      problem  role           Reporter as bot: Developer is needed to resolve threads and set labels
                              fix: Give bot the role Developer in group/sub/project.
      warning  pipelines      this head has a merge-request pipeline and a branch pipeline: the newer
                              one hides the other's result
                              fix: Let all jobs run in one kind: `workflow: rules` that ends branch
                              pipelines where CI_OPEN_MERGE_REQUESTS is set, or tribune's job in the
                              kind that the others have.
    ");
    insta::assert_snapshot!(section(&shown, "Posting"), @"
    exit 2
    Posting
      warning  posting        nothing: the token does not let it, see above
      ok       memory         signed with TRIBUNE_STATE_KEY
      problem  author         TRIBUNE_BOT_ID does not name the token's own user bot (1001): its comments
                              would not be known again
                              fix: Add 1001 to TRIBUNE_BOT_ID, and keep the former ids.
    ");

    job.fake.set_role(BOT, "developer");
    job.fake.set_approvers(&[DEV, MAINTAINER]);
    job.fake.set_version("19.1.0-ee");
    let file = job.fake.repo().outside.path().join("operator.yaml");
    std::fs::write(&file, "post: { approve: true, request_changes: true }\n").expect("written");
    let file = file.display().to_string();
    let shown = job.shown(write.clone(), &["--config", &file]);
    insta::assert_snapshot!(section(&shown, "Forge"), @"
    exit 2
    Forge
      ok       merge request  7 of group/sub/project into `main`
      ok       GitLab         19.1.0 Enterprise Edition at git.example/gitlab
      ok       depth          `GIT_DEPTH: 2` holds its 1 commit and the base; what is missing is fetched
      ok       token          a token of bot with the scope `api`
      ok       role           Developer as bot
      warning  pipelines      this head has a merge-request pipeline and a branch pipeline: the newer
                              one hides the other's result
                              fix: Let all jobs run in one kind: `workflow: rules` that ends branch
                              pipelines where CI_OPEN_MERGE_REQUESTS is set, or tribune's job in the
                              kind that the others have.
      warning  approval       possible, but bot is in none of the rules that require approvals, so it
                              counts for nothing
                              fix: Add the bot to a rule, if a machine's approval is to count at all.
      warning  changes        `post.request_changes` is on, and this GitLab takes it by its API from
                              19.2 on only
                              fix: Switch it off until then.
    ");
    job.fake.set_approvers(&[DEV, BOT]);
    job.fake.set_version("19.2.0-ee");
    insta::assert_snapshot!(section(&job.shown(write, &["--config", &file]), "Forge"), @"
    exit 2
    Forge
      ok       merge request  7 of group/sub/project into `main`
      ok       GitLab         19.2.0 Enterprise Edition at git.example/gitlab
      ok       depth          `GIT_DEPTH: 2` holds its 1 commit and the base; what is missing is fetched
      ok       token          a token of bot with the scope `api`
      ok       role           Developer as bot
      warning  pipelines      this head has a merge-request pipeline and a branch pipeline: the newer
                              one hides the other's result
                              fix: Let all jobs run in one kind: `workflow: rules` that ends branch
                              pipelines where CI_OPEN_MERGE_REQUESTS is set, or tribune's job in the
                              kind that the others have.
      ok       approval       it counts for the rule `Owners`
    ");
}

#[test]
fn a_token_is_pointed_out_before_it_expires() {
    let mut job = gitlab();
    let late = [job.fake.env(Rights::Write), set(&[("SOURCE_DATE_EPOCH", "1798070400")])].concat();
    let shown = job.shown(late, &[]);
    assert!(shown.starts_with("exit 0") && shown.contains("warning  token          a token of bot with the scope `api`; it expires on"), "{shown}");
}

#[test]
fn a_workflow_of_github_as_it_should_be() {
    let mut job = github(false);
    let env = job.fake.env(Rights::Write);
    insta::assert_snapshot!(job.shown(env, &[]), @"
    exit 0
    tribune 0.1.0: nothing stands against a review

    Here
      ok       run            GitHub Actions, the pull request's own run (`pull_request`)
      ok       git            git version N
      ok       repository     whole history
      ok       policy         no .tribune.yaml in POLICY, the tip of `main`: built-in defaults and
                              the operator's

    Configuration
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in

    Gateway
      -        gateway        none is configured: the rules run alone
                              fix: For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and
                              TRIBUNE_MODEL.

    Forge
      ok       merge request  7 of octo/app into `main`
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       depth          `fetch-depth: 3` holds its 1 commit and the base; what is missing is
                              fetched
      ok       token          an app's installation token of bot
      ok       comments       it may write comments and reviews
      ok       checks         it may write the check

    Network
      -        proxy          none is set (HTTPS_PROXY): connections go directly
      ok       certificates   of the system

    Posting
      ok       posting        threads for critical and important findings and sure one-click fixes (at
                              most 10 open); a summary once there is something to say; the verdict's
                              label; the outcome at the commit
      ok       memory         signed with TRIBUNE_STATE_KEY
    ");
}

#[test]
fn a_workflow_of_github_for_a_fork() {
    let mut job = github(true);
    let env = job.fake.env(Rights::Read);
    insta::assert_snapshot!(job.shown(env, &[]), @"
    exit 0
    tribune 0.1.0: nothing stops a review, 3 warnings

    Here
      ok       run            GitHub Actions, the event `pull_request`
      warning  run            A fork's run has no secrets and a token that only reads: without a
                              gateway's key the rules run alone, and nothing is posted from here.
      ok       git            git version N
      ok       repository     whole history
      ok       policy         no .tribune.yaml in POLICY, the tip of `main`: built-in defaults and
                              the operator's

    Configuration
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in

    Gateway
      -        gateway        none is configured: the rules run alone
                              fix: For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and
                              TRIBUNE_MODEL.

    Forge
      ok       merge request  7 of octo/app into `main`, from a fork
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       depth          `fetch-depth: 3` holds its 1 commit and the base; what is missing is
                              fetched
      ok       token          an app's installation token of bot
      warning  comments       the job's token lacks `issues: write` or `pull-requests: write` in the
                              workflow's `permissions:` (a run of a fork or of Dependabot never has more
                              than read)
                              fix: A fork's run never may: the two-stage set-up of ci-templates/github
                              publishes its report from a run of this repository.
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown

    Network
      -        proxy          none is set (HTTPS_PROXY): connections go directly
      ok       certificates   of the system

    Posting
      warning  posting        nothing: the token does not let it, see above
      ok       memory         signed with TRIBUNE_STATE_KEY
    ");
}

#[test]
fn tokens_of_github_are_told_what_they_lack() {
    let mut job = github(false);
    let read = job.fake.env(Rights::Read);
    insta::assert_snapshot!(section(&job.shown(read, &[]), "Forge"), @"
    exit 4
    Forge
      ok       merge request  7 of octo/app into `main`
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       depth          `fetch-depth: 3` holds its 1 commit and the base; what is missing is
                              fetched
      ok       token          an app's installation token of bot
      problem  comments       the job's token lacks `issues: write` or `pull-requests: write` in the
                              workflow's `permissions:` (a run of a fork or of Dependabot never has more
                              than read)
                              fix: Give the workflow `permissions: {contents: read, pull-requests:
                              write, checks: write}` and pass `${{ github.token }}` as GITHUB_TOKEN.
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown
    ");
    let url = job.fake.url();
    let mut by_hand = |token: &str| section(&job.shown(set(&[("GITHUB_TOKEN", token)]), &["--url", &url]), "Forge");
    insta::assert_snapshot!(by_hand(FINE_TOKEN), @"
    exit 0
    Forge
      ok       merge request  7 of octo/app into `main`
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       depth          `fetch-depth: 3` holds its 1 commit and the base; what is missing is
                              fetched
      ok       token          a fine-grained personal token of dev
      warning  comments       the token lacks the permission `issues: write` or `pull-requests: write`
                              (a classic token: the scope `repo`), or its user the role Write
                              fix: Set GITHUB_TOKEN to a fine-grained token for this repository with
                              `Pull requests: write`.
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown
    ");
    insta::assert_snapshot!(by_hand("ghp_of-dev"), @"
    exit 0
    Forge
      ok       merge request  7 of octo/app into `main`
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       depth          `fetch-depth: 3` holds its 1 commit and the base; what is missing is
                              fetched
      warning  token          a classic personal token of dev with the scopes `repo`: it opens every
                              repository of its user
                              fix: Set GITHUB_TOKEN to a fine-grained token for this repository with
                              `Pull requests: write`.
      ok       comments       it may write comments and reviews
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown
    ");
    insta::assert_snapshot!(by_hand("ghp_of-nobody"), @"
    exit 4
    Forge
      problem  merge request  the forge does not know the token: Bad credentials (401, to read the pull
                              request): the token has expired, was revoked, or belongs to another server
                              fix: Give a valid token (GITLAB_TOKEN or GITHUB_TOKEN).
    ");
    insta::assert_snapshot!(by_hand(""), @"
    exit 4
    Forge
      problem  token          GITHUB_TOKEN is there, but empty: a secret that is not set here, or a run
                              of a fork, which is given none
                              fix: Set GITHUB_TOKEN to a fine-grained token for this repository with
                              `Pull requests: write`.
      problem  merge request  not found: Not Found (404, to read the pull request): no token was sent:
                              set GITHUB_TOKEN (in Actions: `${{ github.token }}`, with `permissions:
                              {contents: read, pull-requests: write, checks: write}`)
                              fix: Check the URL, and that the token may see the project: forges do not
                              tell `hidden` from `absent`.
      -        GitHub         git.example, its API at git.example/api/v3; it tells its version
                              to no such token
    ");
    job.fake.set_scopes("read:org, gist");
    insta::assert_snapshot!(section(&job.shown(set(&[("GITHUB_TOKEN", "ghp_of-dev")]), &["--url", &url]), "Forge"), @"
    exit 0
    Forge
      ok       merge request  7 of octo/app into `main`
      ok       GitHub         Enterprise Server 3.20.1, its API at git.example/api/v3
      ok       depth          `fetch-depth: 3` holds its 1 commit and the base; what is missing is
                              fetched
      warning  token          a classic personal token of dev with the scopes `read:org`, `gist`: it
                              lacks `repo` (`public_repo` for a public repository)
                              fix: Set GITHUB_TOKEN to a fine-grained token for this repository with
                              `Pull requests: write`.
      warning  comments       it is gone, or the token lacks `pull-requests: write`
                              fix: Set GITHUB_TOKEN to a fine-grained token for this repository with
                              `Pull requests: write`.
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown
    ");
}

#[test]
fn what_does_not_answer_is_told_with_its_exit_code() {
    let repo = Repo::new();
    repo.commit("base");
    // A port that nobody listens on.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").to_string();
    let home = repo.outside.path().join("home");
    let gateway = set(&[("TRIBUNE_GATEWAY_URL", &format!("http://{closed}/v1")), ("TRIBUNE_MODEL", "m")]);
    let replaced = [(closed.clone(), "closed.example")];
    let shown = doctor(&repo.dir, &home, &gateway, &["--probe"]);
    insta::assert_snapshot!(section(&plain(&shown, &replaced), "Gateway"), @"
    exit 3
    Gateway
      ok       default        http://closed.example/v1 (openai, chat), no token (TRIBUNE_GATEWAY_TOKEN
                              is not set)
      ok       models         all tiers: m at default
      ok       limits         2,000,000 tokens a run for m, whose price is not known; 1500 s in all, 300
                              s a reviewer, 8 requests at a time
      problem  connection     default at closed.example cannot be reached: Connection refused (os error
                              111)
                              fix: Check the URL, its port, and that the server is up and lets this
                              machine in.
    ");
    let url = format!("http://{closed}/group/project/-/merge_requests/7");
    let shown = doctor(&repo.dir, &home, &[gateway, set(&[("GITLAB_TOKEN", "glpat-secret")])].concat(), &["--url", &url]);
    insta::assert_snapshot!(section(&plain(&shown, &replaced), "Forge"), @"
    exit 4
    Forge
      problem  merge request  no answer: Connection refused (os error 111) (read the merge request)
                              fix: Check the URL, its port, and that the server is up and lets this
                              machine in.
    ");
    let organisation = set(&[("TRIBUNE_CONFIG_URL", &format!("http://{closed}/tribune.yaml"))]);
    let shown = doctor(&repo.dir, &home, &organisation, &[]);
    insta::assert_snapshot!(section(&plain(&shown, &replaced), "Configuration"), @"
    exit 3
    Configuration
      problem  organisation   closed.example could not be had (it cannot be reached: Connection refused
                              (os error 111)); no token (TRIBUNE_CONFIG_TOKEN); no copy was kept before:
                              rules alone, nothing is posted
                              fix: Check TRIBUNE_CONFIG_URL, its token, proxy and certificates.
      warning  rollout        unknown, as long as the organisation's configuration cannot be had:
                              nothing is posted, nothing fails
      ok       rules          N in force, built in
    ");
    let wrong = set(&[("TRIBUNE_GATEWAY_URL", "http://gateway.example/v1"), ("TRIBUNE_MODEL", "m")]);
    let shown = doctor(&repo.dir, &home, &wrong, &["--url", "https://git.example/nothing"]);
    insta::assert_snapshot!(section(&plain(&shown, &[]), "Configuration"), @"
    exit 2
    Configuration
      problem  environment    TRIBUNE_GATEWAY_URL cannot be used: code and keys go over https; http is
                              for this machine only (localhost, 127.0.0.1)
                              fix: Set it to a URL such as `https://gateway.example.com/v1`.
      ok       rollout        `gate`, by `rollout.mode`
      ok       rules          N in force, built in
    ");
    insta::assert_snapshot!(section(&plain(&shown, &[]), "Forge"), @"
    exit 2
    Forge
      problem  merge request  --url is refused: it is not the page of a merge request
                              fix: Give a merge request's page: https://git.example/group/project/-/
                              merge_requests/7 or https://git.example/owner/repository/pull/7.
    ");
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
fn the_organisation_and_its_rollout_are_told() {
    let address = forge::server::serve(|request| {
        let document = "rollout:\n  mode: shadow\n  overrides:\n    - { group: group/sub, target_branch: 'ma*', mode: comment }\n";
        match request.header("if-none-match") {
            Some(_) => Response::empty(304),
            None => Response::bytes(200, "text/yaml", document).with("etag", "\"1\""),
        }
    });
    let mut job = gitlab();
    let organisation = set(&[("TRIBUNE_CONFIG_URL", &format!("http://{address}/t.yaml?key=hunter22")), ("TRIBUNE_CONFIG_TOKEN", "conf-4711")]);
    let env = [job.fake.env(Rights::Write), organisation].concat();
    let mut look = |title: &str| {
        let shown = job.shown(env.clone(), &[]);
        assert!(!shown.contains("hunter22"), "{shown}");
        section(&shown, title).replace(&address.to_string(), "config.example")
    };
    insta::assert_snapshot!(look("Configuration"), @"
    exit 0
    Configuration
      ok       organisation   config.example, fetched now; token from TRIBUNE_CONFIG_TOKEN; no copy was
                              kept before
      warning  rollout        `comment`, by `rollout.overrides[0]` (group group/sub, target branch ma*):
                              nothing fails the run.
      ok       rules          N in force, built in
    ");
    insta::assert_snapshot!(look("Configuration"), @"
    exit 0
    Configuration
      ok       organisation   config.example, unchanged; token from TRIBUNE_CONFIG_TOKEN; the last good
                              copy is less than an hour old
      warning  rollout        `comment`, by `rollout.overrides[0]` (group group/sub, target branch ma*):
                              nothing fails the run.
      ok       rules          N in force, built in
    ");
    insta::assert_snapshot!(look("Posting"), @"
    exit 0
    Posting
      ok       posting        threads for critical and important findings and sure one-click fixes (at
                              most 10 open); a summary once there is something to say; the verdict's
                              label
      ok       memory         signed with TRIBUNE_STATE_KEY
    ");
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
