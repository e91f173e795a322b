//! The organisation's configuration: fetched, locked, rolled out.

use crate::gateway::{FakeGateway, RecordedRequest, Script, status};
use crate::git_repo::Repo;
use crate::harness::{JSON, TOKEN, finding, project, reviewers, tribune};
use serde_json::Value;
use std::process::{Command, Output};

const EDIT: &str = "import subprocess\n\n\ndef pack(name):\n    subprocess.run(name, shell=True)\n    return name\n";
const CONFIG_TOKEN: &str = "conf-e2e-0123456789";

/// A service that answers with this document.
fn service(document: impl Fn(&RecordedRequest) -> Script + Send + Sync + 'static) -> FakeGateway {
    FakeGateway::smart(document)
}

/// The running example of the README, so that it cannot drift from what the program does.
fn example() -> String {
    let readme = std::fs::read_to_string("README.md").expect("the README");
    let from = readme.find("<!-- organisation -->").expect("the example's mark");
    let block = readme[from..].split("```yaml\n").nth(1).expect("the example");
    block.split("```").next().expect("its end").to_owned()
}

fn with(repo: &Repo, config: &FakeGateway, gateway: &FakeGateway) -> Command {
    let mut command = tribune(repo);
    set(&mut command, config, gateway);
    command.args(JSON);
    command
}

fn set(command: &mut Command, config: &FakeGateway, gateway: &FakeGateway) {
    command.env("TRIBUNE_CONFIG_URL", config.url()).env("TRIBUNE_CONFIG_TOKEN", CONFIG_TOKEN);
    command.env("TRIBUNE_GATEWAY_URL", gateway.url()).env("TRIBUNE_GATEWAY_TOKEN", TOKEN).env("TRIBUNE_MODEL", "fake");
}

/// A job of GitLab for this project and target branch.
fn job(command: &mut Command, project: &str, branch: &str) -> Output {
    command.env("CI_PROJECT_PATH", project).env("CI_SERVER_FQDN", "git.example").env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", branch);
    command.output().expect("it runs")
}

fn notes(output: &Output) -> String {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    report["notes"]
        .as_array()
        .expect("notes")
        .iter()
        .filter_map(Value::as_str)
        .filter(|n| n.contains("ollout") || n.contains("rganisation"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn three_groups_in_three_modes_by_one_document() {
    let document = example();
    let repo = project();
    repo.write("app.py", EDIT);
    let config = service(move |_| status(200, &["etag: \"1\""], &document));
    let gateway = reviewers(|_| vec![]);
    let run = |project: &str, branch: &str| {
        let before = gateway.requests().len();
        let output = job(&mut with(&repo, &config, &gateway), project, branch);
        let asked = gateway.requests().len() > before;
        let told = if output.stdout.is_empty() { String::from_utf8_lossy(&output.stderr).trim().to_owned() } else { notes(&output) };
        format!("{project} {branch}: exit {}, models asked: {asked}. {told}", output.status.code().expect("a code"))
    };
    let table = [run("labs/tool", "main"), run("web/shop", "main"), run("pay/api", "main"), run("pay/api", "legacy/2019")];
    insta::assert_snapshot!(table.join("\n"), @"
    labs/tool main: exit 0, models asked: true. Rollout `shadow`: nothing is posted, and nothing fails the run.
    web/shop main: exit 0, models asked: true. Rollout `comment`: nothing fails the run.
    pay/api main: exit 1, models asked: true. 
    pay/api legacy/2019: exit 0, models asked: false. The legacy branches are not reviewed. Questions: #code-review.
    ");
    assert!(config.requests().iter().all(|r| r.header("authorization") == Some("Bearer conf-e2e-0123456789")));
    assert!(gateway.requests().iter().all(|r| !format!("{r:?}").contains(CONFIG_TOKEN)));
}

#[test]
fn what_is_locked_can_only_be_tightened() {
    let repo = project();
    repo.git(&["checkout", "-q", "main"]);
    repo.write(".tribune.yaml", "fail_on: never\noverrides:\n  - {paths: [app.py], fail_on: never, min_confidence: 0.9}\n");
    repo.commit("policy");
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.write("app.py", EDIT);
    let config = service(|_| status(200, &[], "fail_on: critical\nlocked: [fail_on, limits.usd]\n"));
    let gateway = reviewers(|_| vec![]);
    let run = |flags: &[&str]| {
        let output = with(&repo, &config, &gateway).args(flags).output().expect("it runs");
        let told = if output.stdout.is_empty() {
            String::from_utf8_lossy(&output.stderr).lines().take(2).collect::<Vec<_>>().join(" ")
        } else {
            notes(&output)
        };
        format!("exit {}. {told}", output.status.code().expect("a code"))
    };
    let table = [run(&[]), run(&["--fail-on", "nit"]), run(&["--fail-on", "never"])];
    insta::assert_snapshot!(table.join("\n"), @"
    exit 1. `fail_on` (.tribune.yaml:1) does not count: the organisation has locked it, and it can only be tightened. `fail_on` (.tribune.yaml:3) does not count: the organisation has locked it, and it can only be tightened.
    exit 1. `fail_on` (.tribune.yaml:1) does not count: the organisation has locked it, and it can only be tightened. `fail_on` (.tribune.yaml:3) does not count: the organisation has locked it, and it can only be tightened.
    exit 2. error: a locked setting cannot be loosened   the organisation's configuration locks `fail_on` from --fail-on
    ");
}

#[test]
fn without_the_organisations_word_no_code_leaves() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = reviewers(|_| vec![finding("app.py", "    return name", "critical", "Never told")]);
    let config = service(|_| status(503, &[], ""));
    let output = with(&repo, &config, &gateway).output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "a critical rule hit does not fail the gate where nobody knows whether it should");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["findings"][0]["rule_id"], "SEC-PY-003");
    assert!(notes(&output).contains("(it answered 503), and there is no earlier copy"), "{}", notes(&output));
    assert_eq!(gateway.requests().len(), 0);
    let all = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&all).contains(CONFIG_TOKEN));
}
