//! `tribune audit` as a whole: the real binary on real repositories, models faked at the socket.

#![expect(clippy::unwrap_used, reason = "tests")]

mod auditors;
mod detectors;
#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../git_repo/mod.rs"]
mod git_repo;
#[path = "../support/program.rs"]
mod program;
mod reports;
mod shards;

use gateway::{FakeGateway, RecordedRequest, answer};
use git_repo::Repo;
use program::Done;
use serde_json::{Value, json};

impl Done {
    /// `verdict files broken/places/waived` of a rule.
    fn rule(&self, id: &str) -> String {
        let report = self.report();
        let rule = report["rules"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap_or_else(|| panic!("no {id}")).clone();
        let n = |key: &str| rule[key].as_u64().unwrap();
        format!("{} {} {}/{}/{}", rule["verdict"].as_str().unwrap(), n("files"), n("files_broken"), n("places"), n("waived"))
    }

    fn evidence(&self, id: &str) -> Vec<String> {
        let report = self.report();
        let rule = report["rules"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap().clone();
        let told = |e: &Value| {
            format!("{} {}:{} {}", e["shows"].as_str().unwrap(), e["path"].as_str().unwrap(), e["start_line"], e["quote"].as_str().unwrap().trim())
        };
        rule["evidence"].as_array().unwrap().iter().map(told).collect()
    }
}

fn run(repo: &Repo, gateway: Option<&FakeGateway>, args: &[&str]) -> Done {
    let mut command = program::tribune(&repo.dir, repo.outside.path());
    command.env("SOURCE_DATE_EPOCH", "1750000000").arg("audit").args(args);
    if let Some(gateway) = gateway {
        command.env("TRIBUNE_GATEWAY_URL", gateway.url()).env("TRIBUNE_GATEWAY_TOKEN", "tok-audit").env("TRIBUNE_MODEL", "fake");
    }
    Done::of(&mut command)
}

const JSON: [&str; 3] = ["--format", "json", "-q"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&JSON[..], more].concat()
}

/// A service in three folders that breaks some rules and follows others.
fn service() -> Repo {
    let repo = Repo::new();
    repo.write("app/run.py", "import subprocess\n\n\ndef pack(name):\n    subprocess.run(f\"tar {name}\", shell=True)\n");
    repo.write("app/safe.py", "import subprocess\n\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=True)\n");
    repo.write(
        "app/old.py",
        "import yaml\n\n# tribune:allow SEC-PY-001 written by ourselves, read once at start\nyaml.load(open(\"own.yml\"), Loader=yaml.Loader)\n",
    );
    repo.write("web/page.js", "export function total(a, b) {\n  return a + b;\n}\n");
    repo.write("web/vendor/lib.py", "import subprocess\nsubprocess.run(input(), shell=True)\n");
    repo.write("docs/guide.md", "# Guide\n");
    repo.write("logo.png", b"\x89PNG\0\0");
    repo.commit("start");
    repo
}

/// The rules that a request lists.
fn asked(request: &RecordedRequest) -> Vec<String> {
    request.own().lines().filter_map(|l| l.strip_prefix("### ")?.split(' ').next().map(str::to_owned)).collect()
}

fn word(id: &str, verdict: &str, evidence: Value) -> Value {
    json!({"rule_id": id, "verdict": verdict, "why": format!("Because {id}."), "evidence": evidence, "remediation": "Mend it."})
}

/// Auditors that say what `say` says of each rule, and find all others not applicable.
fn auditors(say: impl Fn(&str, &str, &str) -> Option<Value> + Send + Sync + 'static) -> FakeGateway {
    FakeGateway::smart(move |request| {
        let who = request.reviewer();
        let files = request.first_user_parts().first().cloned().unwrap_or_default();
        let rules: Vec<Value> =
            asked(request).iter().map(|id| say(&who, id, &files).unwrap_or_else(|| word(id, "not_applicable", json!([])))).collect();
        answer("").call("report_compliance", json!({"rules": rules})).to(request)
    })
}

fn breach() -> Value {
    json!([{"path": "app/safe.py", "quote": "| subprocess.run([\"tar\", name], check=True)", "shows": "breach"}])
}

/// Verdict and counts, without how many files the rule is about.
fn verdict(done: &Done, id: &str) -> String {
    let told = done.rule(id);
    let words: Vec<&str> = told.split(' ').collect();
    format!("{} {}", words[0], words[2])
}

/// A larger tree: nine folders, so that there are several parts.
fn large() -> Repo {
    let repo = service();
    for n in 0..9 {
        let body: String = (0..40).map(|i| format!("def f{i}(x):\n    return x + {i}\n\n\n")).collect();
        repo.write(format!("svc{n}/mod.py"), format!("import os\nos.system(\"run \" + NAME{n})\n\n\n{body}"));
        repo.write(format!("svc{n}/go.go"), "package main\n\nfunc main() {}\n");
    }
    repo.commit("services");
    repo
}

fn opinionated() -> FakeGateway {
    auditors(|who, id, files| {
        let line = files.lines().find(|l| l.starts_with("| os.system(")).map(str::to_owned)?;
        let path = files.lines().find(|l| l.starts_with("# svc") && l.ends_with(".py")).map(|l| l[2..].to_owned())?;
        let quote = json!([{"path": path, "quote": line, "shows": "breach"}]);
        match id {
            "SEC-ANY-004" => Some(word(id, "non_compliant", quote)),
            "COR-ANY-001" if who != "audit-second" || path.contains('3') => Some(word(id, "partial", quote)),
            _ => None,
        }
    })
}
