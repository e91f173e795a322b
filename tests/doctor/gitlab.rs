//! In pipelines of GitLab.

use crate::forge::{BOT, DEV, FakeForge, MAINTAINER, Rights};
use crate::{gitlab, section, set};

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
