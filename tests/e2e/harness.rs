//! Runs the binary in a scrubbed environment.

use crate::gateway::{FakeGateway, RecordedRequest, Script, answer};
use crate::git_repo::Repo;
use serde_json::{Value, json};
use std::process::Command;

pub(crate) use crate::program::Done;

/// The binary, ready to run in `repo`, with nothing of this machine's environment.
pub(crate) fn tribune(repo: &Repo) -> Command {
    crate::program::tribune(&repo.dir, repo.outside.path())
}

/// Runs it with these arguments.
pub(crate) fn run(repo: &Repo, args: &[&str]) -> Done {
    Done::of(tribune(repo).args(args))
}

/// Runs it with a gateway.
pub(crate) fn ask(repo: &Repo, gateway: &FakeGateway, args: &[&str]) -> Done {
    let mut command = tribune(repo);
    command.env("TRIBUNE_GATEWAY_URL", gateway.url()).env("TRIBUNE_GATEWAY_TOKEN", TOKEN).env("TRIBUNE_MODEL", "fake");
    Done::of(command.args(args))
}

/// A token that must turn up nowhere.
pub(crate) const TOKEN: &str = "tok-e2e-0123456789";

/// A review as JSON.
pub(crate) const JSON: [&str; 4] = ["review", "--format", "json", "--no-progress"];

/// A repository whose `main` holds a small Python program, on a branch `work`.
pub(crate) fn project() -> Repo {
    let repo = Repo::new();
    repo.write("app.py", "import subprocess\n\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=True)\n    return name\n");
    repo.write("README.md", "# Program\n");
    repo.commit("start");
    repo.git(&["checkout", "-q", "-b", "work"]);
    repo
}

/// A finding as a model reports it.
pub(crate) fn finding(path: &str, quote: &str, severity: &str, title: &str) -> Value {
    json!({"path": path, "quote": quote, "severity": severity, "title": title, "body": "It goes wrong.", "trigger": "any caller that passes an empty name", "confidence": 0.9})
}

/// A gateway whose reviewers report what `findings` says for each, and whose judge keeps everything.
pub(crate) fn reviewers(findings: impl Fn(&str) -> Vec<Value> + Send + Sync + 'static) -> FakeGateway {
    FakeGateway::smart(move |request| reply(request, &findings))
}

fn reply(request: &RecordedRequest, findings: &impl Fn(&str) -> Vec<Value>) -> Script {
    let who = request.reviewer();
    let said = match who.as_str() {
        "coordinator" => answer("").call("submit_review", json!({"findings": [], "summary": "Judged."})),
        _ => answer("").call("report_findings", json!({"findings": findings(&who)})),
    };
    said.to(request)
}

/// The status of each file in the report's ledger.
pub(crate) fn coverage(report: &Value) -> Vec<String> {
    let list = report["coverage"].as_array().expect("a ledger");
    list.iter().map(|c| format!("{} {}", c["status"].as_str().unwrap_or("?"), c["path"].as_str().unwrap_or("?"))).collect()
}

/// Title and place of each finding.
pub(crate) fn findings(report: &Value) -> Vec<String> {
    let list = report["findings"].as_array().expect("findings");
    list.iter()
        .map(|f| {
            format!(
                "{} {}:{} {} {}",
                f["severity"].as_str().unwrap_or("?"),
                f["path"].as_str().unwrap_or("?"),
                f["start_line"],
                f["anchor"].as_str().unwrap_or("?"),
                f["title"].as_str().unwrap_or("?")
            )
        })
        .collect()
}
