//! What does not answer, and the organisation's configuration.

use crate::forge::server::Response;
use crate::forge::{self, FakeForge, Rights};
use crate::git_repo::Repo;
use crate::{doctor, gitlab, plain, section, set};

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
      -        probe          m at default is not called: its endpoint has a problem
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
