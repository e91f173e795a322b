//! Whole reviews by the binary, with all that they tell: the reports, the events, standard error and the exit code.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use crate::gateway::answers::ModelAnswer;
use crate::gateway::{RecordedRequest, answer};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The key of all these reviews: nothing that a review tells may hold it.
pub(crate) const KEY: &str = "sk-test-4f9c2b7e";

/// The reviewer that trouble is made for.
pub(crate) const HIT: &str = "quality";
/// The reviewer that nothing happens to.
pub(crate) const SPARED: &str = "docs";

/// A change with one hit of a rule, and a line for each reviewer to find something in.
const PATCH: &str = "diff --git a/app.py b/app.py
index 1111111..2222222 100644
--- a/app.py
+++ b/app.py
@@ -1,2 +1,6 @@
 import subprocess
+import os
+def pack(name):
+    subprocess.run(name, shell=True)
+    return name
 LIMIT = 3
";

/// What each of them finds: the rule, the spared reviewer, the hit one.
pub(crate) const BY_RULE: &str = "Do not pass untrusted text to a shell";
pub(crate) const BY_SPARED: &str = "Nothing says what os is for";
pub(crate) const BY_HIT: &str = "The name is given back – größer, 名, 😀";

/// An answer of a server that has read the whole prompt, whatever its length.
pub(crate) fn counted(text: &str) -> ModelAnswer {
    answer(text).usage(20_000, 12_000, 20)
}

/// What a reviewer answers that nothing happens to.
pub(crate) fn good_answer(reviewer: &str) -> ModelAnswer {
    let found = |quote: &str, title: &str| {
        let finding =
            json!({"path": "app.py", "quote": quote, "severity": "suggestion", "title": title, "body": "It goes wrong.", "confidence": 0.9});
        counted("").call("report_findings", json!({"findings": [finding]}))
    };
    match reviewer {
        "coordinator" => answer("").call("submit_review", json!({"findings": [], "summary": "Judged."})),
        HIT => found("    return name", BY_HIT),
        _ => found("import os", BY_SPARED),
    }
}

/// A good answer in the format of the request.
pub(crate) fn good(request: &RecordedRequest) -> crate::gateway::Script {
    good_answer(&request.reviewer()).to(request)
}

/// A review to be run.
pub(crate) struct Review {
    command: Command,
    folder: TempDir,
}

/// What a review told.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
    pub(crate) markdown: String,
    pub(crate) events: Vec<Value>,
    pub(crate) stderr: String,
    /// All of it as text.
    pub(crate) all: String,
}

impl Review {
    /// A review by the rules and these reviewers at a gateway, in an environment of its own.
    pub(crate) fn new(url: &str, reviewers: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("change.patch"), PATCH).expect("written");
        let mut command = crate::program::tribune(folder.path(), folder.path());
        command.env("TRIBUNE_GATEWAY_URL", url).env("TRIBUNE_GATEWAY_TOKEN", KEY).env("TRIBUNE_MODEL", "model-1");
        command.args([
            "review",
            "-v",
            "--diff",
            "change.patch",
            "--fail-on",
            "never",
            "--format",
            "json",
            "--events",
            "events",
            "--report",
            "markdown=report.md",
        ]);
        command.arg("--only").arg(["rules"].iter().chain(reviewers).copied().collect::<Vec<_>>().join(","));
        Self { command, folder }
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Gives it an operator's configuration.
    pub(crate) fn config(mut self, yaml: &str) -> Self {
        std::fs::write(self.folder.path().join("operator.yaml"), yaml).expect("written");
        self.command.args(["--config", "operator.yaml"]);
        self
    }

    /// Its folder, which is gone when it has run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Told {
        let output = self.command.output().expect("the binary runs");
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
        let (events, markdown) = (read("events"), read("report.md"));
        Told {
            code: output.status.code(),
            report: serde_json::from_str(&stdout).unwrap_or_default(),
            events: events.lines().map(|line| serde_json::from_str(line).expect(line)).collect(),
            all: [stdout, stderr.clone(), events, markdown.clone()].join("\n"),
            markdown,
            stderr,
        }
    }
}

impl Told {
    /// Whether a reviewer completed or failed, and how many requests it took.
    pub(crate) fn of(&self, reviewer: &str) -> (&str, u64) {
        let run = self.report["reviewers"].as_array().into_iter().flatten().find(|r| r["id"] == reviewer).unwrap_or(&Value::Null);
        (run["status"].as_str().unwrap_or("missing"), run["requests"].as_u64().unwrap_or_default())
    }

    /// Why a reviewer failed, as the events tell it.
    pub(crate) fn why(&self, reviewer: &str) -> &str {
        let finished = self.events.iter().find(|e| e["event"] == "reviewer_finished" && e["reviewer"] == reviewer);
        finished.and_then(|e| e["failed"].as_str()).unwrap_or_default()
    }

    /// Titles of all findings.
    pub(crate) fn titles(&self) -> Vec<&str> {
        let mut titles: Vec<&str> = self.report["findings"].as_array().into_iter().flatten().filter_map(|f| f["title"].as_str()).collect();
        titles.sort_unstable();
        titles
    }

    /// Nothing of it holds the key, or a control character that a terminal would obey.
    pub(crate) fn assert_clean(&self, name: &str) {
        assert!(!self.all.contains(KEY), "{name}: the key is told: {}", self.all);
        let bad = self.all.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(bad, None, "{name}: {:?}", self.all);
    }
}
