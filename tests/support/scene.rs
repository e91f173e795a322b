//! A merge request on a fake forge with a fake gateway, and the jobs of its pipeline as the real binary runs them: one job that
//! does all, or one that reviews and one that publishes.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use crate::forge::github::FakeGitHub;
use crate::forge::gitlab::FakeGitLab;
use crate::forge::{FakeForge, Rights, Start, View};
use crate::gateway::{FakeGateway, RecordedRequest as ModelRequest, answer};
use crate::program::{Done, tribune};
use serde_json::{Value, json};
use std::path::PathBuf;

pub(crate) const CRITICAL: &str = "    subprocess.run(f\"tar -czf {target} .\", shell=True, check=True)\n";
pub(crate) const IMPORTANT: &str = "    requests.put(url, data=archive.read_bytes())\n";

/// What signs in these tests.
pub(crate) const STATE_KEY: (&str, &str) = ("TRIBUNE_STATE_KEY", "a state key of this test");

/// The forges that tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    GitLab,
    GitHub,
}

/// How the work is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jobs {
    /// One reviews and posts.
    One,
    /// One reviews, with a token that reads; one publishes, without a gateway.
    Two,
}

/// A program with lines that the fixes and the changes around them can be told apart by.
pub(crate) fn program(above: usize, shell: &str, timeout: &str) -> String {
    let lines: String = (0..above).map(|n| format!("LINE_{n} = {n}\n")).collect();
    format!(
        "import subprocess\n\nimport requests\n\n{lines}\n\ndef pack(folder, name):\n    target = folder / name\n{shell}    return target\n\n\ndef upload(archive, url):\n{timeout}"
    )
}

/// How a job ended.
pub(crate) struct Job {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) requests: usize,
}

/// What a round left.
pub(crate) struct Round {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) threads: Vec<View>,
    pub(crate) summary: Option<String>,
    pub(crate) writes: usize,
    /// Of the job with the most.
    pub(crate) requests: usize,
    pub(crate) model_calls: usize,
}

impl Round {
    pub(crate) fn open(&self) -> Vec<String> {
        self.threads.iter().filter(|t| !t.resolved).map(|t| format!("{}:{}", t.path, t.line.unwrap_or(0))).collect()
    }
}

pub(crate) struct Scene {
    pub(crate) fake: Box<dyn FakeForge>,
    pub(crate) gateway: FakeGateway,
    pub(crate) jobs: Jobs,
    /// What the token of the job that posts may do.
    pub(crate) rights: Rights,
}

impl Scene {
    /// A change with a critical and an important hit of a rule, of which no model says anything.
    pub(crate) fn new(kind: Kind, jobs: Jobs) -> Self {
        let start = Start {
            title: "Pack and upload",
            base: &|r| r.write("README.md", "# Program\n"),
            change: &|r| r.write("app.py", program(0, CRITICAL, IMPORTANT)),
            ..Start::default()
        };
        Self::of(kind, jobs, &start, |_| Vec::new())
    }

    /// A change of the test's own; `findings` is what a reviewer reports.
    pub(crate) fn of(kind: Kind, jobs: Jobs, start: &Start<'_>, findings: impl Fn(&ModelRequest) -> Vec<Value> + Send + Sync + 'static) -> Self {
        let fake: Box<dyn FakeForge> = match kind {
            Kind::GitLab => Box::new(FakeGitLab::start(start)),
            Kind::GitHub => Box::new(FakeGitHub::start(start)),
        };
        let gateway = FakeGateway::smart(move |request| {
            let said = if request.reviewer() == "coordinator" {
                answer("").call("submit_review", json!({"findings": [], "summary": "Judged."}))
            } else {
                answer("").call("report_findings", json!({"findings": findings(request)}))
            };
            said.to(request)
        });
        Self { fake, gateway, jobs, rights: Rights::Write }
    }

    /// Where the report goes from one job to the other.
    pub(crate) fn report(&self) -> PathBuf {
        self.fake.repo().outside.path().join("report.json")
    }

    /// The report as it lies there.
    pub(crate) fn read_report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.report()).expect("a report")).expect("JSON")
    }

    /// Changes the report between the two jobs.
    pub(crate) fn forge_report(&self, change: impl FnOnce(&mut Value)) {
        let mut report = self.read_report();
        change(&mut report);
        std::fs::write(self.report(), report.to_string()).expect("written");
    }

    /// Runs the binary in the job's clone.
    pub(crate) fn job(&mut self, args: &[&str], env: &[(String, String)]) -> Job {
        let before = self.fake.requests();
        let repo = self.fake.repo();
        let done = Done::of(tribune(&repo.dir, repo.outside.path()).envs(env.iter().map(|(n, v)| (n.as_str(), v.as_str()))).args(args));
        let output = done.told();
        assert!(!output.contains(&self.fake.token()), "the token is in the output");
        Job { code: done.code, output, requests: self.fake.requests() - before }
    }

    /// The environment of a job: the forge's, with a token of these rights, and more.
    pub(crate) fn env(&self, rights: Rights, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let more = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        self.fake.env(rights).into_iter().chain(more).collect()
    }

    fn with_gateway(&self, rights: Rights, key: bool) -> Vec<(String, String)> {
        let url = self.gateway.url();
        let more: Vec<(&str, &str)> =
            key.then_some(STATE_KEY).into_iter().chain([("TRIBUNE_GATEWAY_URL", &url[..]), ("TRIBUNE_MODEL", "fake")]).collect();
        self.env(rights, &more)
    }

    /// The job that reviews, and cannot write.
    pub(crate) fn review(&mut self, key: bool, more: &[&str]) -> Job {
        let env = self.with_gateway(Rights::Read, key);
        let report = format!("json={}", self.report().display());
        let before = self.fake.writes();
        let job = self.job(&[&["review", "--no-progress", "--no-post", "--fail-on", "never", "--report", &report], more].concat(), &env);
        assert_eq!(self.fake.writes(), before, "{}", job.output);
        job
    }

    /// The job that publishes, and has no gateway.
    pub(crate) fn publish(&mut self, more: &[&str]) -> Job {
        let env = self.env(self.rights, &[STATE_KEY]);
        self.publish_with(&env, more)
    }

    pub(crate) fn publish_with(&mut self, env: &[(String, String)], more: &[&str]) -> Job {
        let report = self.report().to_string_lossy().into_owned();
        self.job(&[&["publish", &report], more].concat(), env)
    }

    /// All jobs of the merge request's pipeline, which end with nothing half done and nothing that acts.
    pub(crate) fn round(&mut self) -> Round {
        let round = self.round_unchecked();
        assert_eq!(self.fake.violations(), Vec::<String>::new());
        assert_eq!(self.fake.unfinished(), 0);
        round
    }

    /// The same, which may end with things half done.
    pub(crate) fn round_unchecked(&mut self) -> Round {
        self.fake.reset_counters();
        let asked = self.gateway.requests().len();
        let (code, output, requests) = match self.jobs {
            Jobs::One => {
                let env = self.with_gateway(self.rights, true);
                let job = self.job(&["review", "--no-progress"], &env);
                (job.code, job.output, job.requests)
            }
            Jobs::Two => {
                let review = self.review(true, &[]);
                let publish = self.publish(&["--fail-on", "critical"]);
                (publish.code, format!("{}\n---\n{}", review.output, publish.output), review.requests.max(publish.requests))
            }
        };
        self.left(code, output, requests, asked)
    }

    /// The last job once more, as after a failure.
    pub(crate) fn retry(&mut self) -> Round {
        if self.jobs == Jobs::One {
            return self.round();
        }
        self.fake.reset_counters();
        let job = self.publish(&["--fail-on", "critical"]);
        self.left(job.code, job.output, job.requests, self.gateway.requests().len())
    }

    fn left(&self, code: i32, output: String, requests: usize, asked: usize) -> Round {
        Round {
            code,
            output,
            threads: self.fake.threads(),
            summary: self.fake.comments().into_iter().find(|c| c.author == crate::forge::BOT).map(|c| c.body),
            writes: self.fake.writes(),
            requests,
            model_calls: self.gateway.requests().len() - asked,
        }
    }

    pub(crate) fn push(&mut self, message: &str) {
        self.fake.repo().commit(message);
        self.fake.push();
    }
}
