//! In workflows of GitHub, and by hand with its tokens.

use crate::forge::github::FINE_TOKEN;
use crate::forge::{FakeForge, Rights};
use crate::{github, section, set};

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
      -        checks         it may write none (only apps and workflows with `checks: write` may): the
                              job's own result is shown
    ");
}
