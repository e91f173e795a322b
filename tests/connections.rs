//! A run contacts the forge, the gateway and the configuration's service that it is told of, and nobody else (TRUST 17):
//! `strace` sees every connection of the program and of the programs that it starts. Where `strace` is missing or may not
//! trace, this is said and nothing is proven.

#[path = "support/forge.rs"]
mod forge;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "git_repo/mod.rs"]
mod git_repo;

use forge::github::FakeGitHub;
use forge::gitlab::FakeGitLab;
use forge::{FakeForge, Rights, Start};
use gateway::{FakeGateway, answer, status};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// Every call that names an address, or could send without naming one first.
const CALLS: &str = "trace=connect,sendto,sendmsg,sendmmsg,bind";

fn start() -> Start<'static> {
    Start {
        base: &|r| r.write("README.md", "# Program\n"),
        change: &|r| r.write("app.py", "import subprocess\n\n\ndef pack(name):\n    subprocess.run(name, shell=True)\n    return name\n"),
        ..Start::default()
    }
}

#[test]
fn of_a_run_on_gitlab() {
    contacts(&FakeGitLab::start(&start()));
}

#[test]
fn of_a_run_on_github() {
    contacts(&FakeGitHub::start(&start()));
}

/// A job of the merge request's pipeline: reads it, fetches what its clone lacks, asks the configuration's service and the
/// models, posts.
fn contacts(fake: &dyn FakeForge) {
    let gateway = FakeGateway::smart(|request| {
        let said = match request.reviewer().as_str() {
            "coordinator" => answer("").call("submit_review", json!({"findings": [], "summary": "Judged."})),
            _ => answer("").call("report_findings", json!({"findings": []})),
        };
        said.to(request)
    });
    let config = FakeGateway::smart(|_| status(200, &[], "fail_on: critical\n"));
    let repo = fake.repo();
    let trace = repo.outside.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", CALLS, "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_tribune"));
    command.args(["review", "--no-progress", "--tier", "full"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").expect("a PATH")).env("HOME", repo.outside.path());
    command.envs(fake.env(Rights::Write)).env("TRIBUNE_STATE_KEY", "a state key of this test");
    command.env("TRIBUNE_GATEWAY_URL", gateway.url()).env("TRIBUNE_MODEL", "fake").env("TRIBUNE_CONFIG_URL", config.url());
    let output = command.current_dir(&repo.dir).stdin(Stdio::null()).output();
    let traced = std::fs::read_to_string(&trace).unwrap_or_default();
    let Some(output) = output.ok().filter(|_| traced.contains("connect(")) else {
        #[expect(clippy::print_stderr, reason = "a skip has to be loud")]
        {
            eprintln!("SKIPPED (not proven on this machine): strace is missing or may not trace");
        }
        return;
    };
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fake.writes() > 0 && !gateway.requests().is_empty() && !config.requests().is_empty(), "it did all that it does");
    let port = |url: &str| url.trim_end_matches("/v1").rsplit(':').next().map(|port| port.trim_end_matches('/').to_owned()).expect("a port");
    let told_of: BTreeSet<String> = [port(&fake.origin()), port(&gateway.url()), port(&config.url())].into();
    let mut seen = BTreeSet::new();
    // Every address of the internet families, whichever call names it.
    for line in traced.lines().filter(|line| line.contains("sa_family=AF_INET")) {
        let port = line.split("htons(").nth(1).and_then(|rest| rest.split(')').next()).expect(line).to_owned();
        assert!(line.contains("127.0.0.1") && told_of.contains(&port), "{line}");
        seen.insert(port);
    }
    assert_eq!(seen, told_of, "each of them was contacted");
}
