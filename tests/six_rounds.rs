//! Six rounds of one merge request, through the whole binary and a faked forge: nothing is told twice, nothing is forgotten, and the
//! gate says the same each time (DESIGN 5).

#[path = "support/forge.rs"]
mod forge;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "git_repo/mod.rs"]
mod git_repo;

use forge::github::FakeGitHub;
use forge::gitlab::FakeGitLab;
use forge::{AUTHOR, DEV, FakeForge, MAINTAINER, Rights, STRANGER, Start, View};
use gateway::{FakeGateway, answer};
use serde_json::json;
use std::process::{Command, Stdio};

const CRITICAL: &str = "    subprocess.run(f\"tar -czf {target} .\", shell=True, check=True)\n";
const IMPORTANT: &str = "    requests.put(url, data=archive.read_bytes())\n";

const ARGS: [&str; 2] = ["review", "--no-progress"];

/// A program with lines that the fixes and the changes around them can be told apart by.
fn program(above: usize, shell: &str, timeout: &str) -> String {
    let lines: String = (0..above).map(|n| format!("LINE_{n} = {n}\n")).collect();
    format!(
        "import subprocess\n\nimport requests\n\n{lines}\n\ndef pack(folder, name):\n    target = folder / name\n{shell}    return target\n\n\ndef upload(archive, url):\n{timeout}"
    )
}

struct Round {
    code: i32,
    output: String,
    threads: Vec<View>,
    summary: Option<String>,
    writes: usize,
    requests: usize,
    model_calls: usize,
}

impl Round {
    fn open(&self) -> Vec<String> {
        self.threads.iter().filter(|t| !t.resolved).map(|t| format!("{}:{}", t.path, t.line.unwrap_or(0))).collect()
    }
}

/// The forges that every test runs on.
#[derive(Clone, Copy)]
enum Kind {
    GitLab,
    GitHub,
}

struct Scene {
    fake: Box<dyn FakeForge>,
    gateway: FakeGateway,
}

impl Scene {
    fn new(kind: Kind) -> Self {
        let start = Start {
            title: "Pack and upload",
            base: &|r| {
                r.write("README.md", "# Program\n");
            },
            change: &|r| {
                r.write("app.py", program(0, CRITICAL, IMPORTANT));
            },
            ..Start::default()
        };
        let fake: Box<dyn FakeForge> = match kind {
            Kind::GitLab => Box::new(FakeGitLab::start(&start)),
            Kind::GitHub => Box::new(FakeGitHub::start(&start)),
        };
        let gateway = FakeGateway::smart(|request| {
            let said = if request.reviewer() == "coordinator" {
                answer("").call("submit_review", json!({"findings": [], "summary": "Judged."}))
            } else {
                answer("").call("report_findings", json!({"findings": []}))
            };
            said.to(request)
        });
        Self { fake, gateway }
    }

    /// One job of the merge request's pipeline.
    fn round(&mut self) -> Round {
        self.run(&ARGS)
    }

    fn run(&mut self, args: &[&str]) -> Round {
        let round = self.run_unchecked(args);
        assert_eq!(self.fake.violations(), Vec::<String>::new());
        assert_eq!(self.fake.unfinished(), 0);
        round
    }

    /// A job that may end with things half done.
    fn run_unchecked(&mut self, args: &[&str]) -> Round {
        self.fake.reset_counters();
        let asked = self.gateway.requests().len();
        let repo = self.fake.repo();
        let output = Command::new(env!("CARGO_BIN_EXE_tribune"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", repo.outside.path())
            .envs(self.fake.env(Rights::Write))
            .env("TRIBUNE_STATE_KEY", "a state key of this test")
            .env("TRIBUNE_GATEWAY_URL", self.gateway.url())
            .env("TRIBUNE_MODEL", "fake")
            .current_dir(&repo.dir)
            .stdin(Stdio::null())
            .args(args)
            .output()
            .expect("the binary runs");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(&self.fake.token()), "the token is in the output");
        Round {
            code: output.status.code().expect("an exit code"),
            output: text,
            threads: self.fake.threads(),
            summary: self.fake.comments().into_iter().find(|c| c.author == "bot").map(|c| c.body),
            writes: self.fake.writes(),
            requests: self.fake.requests(),
            model_calls: self.gateway.requests().len() - asked,
        }
    }

    fn push(&mut self, message: &str) {
        self.fake.repo().commit(message);
        self.fake.push();
    }
}

#[test]
fn six_rounds_on_gitlab() {
    six_rounds(Kind::GitLab);
}

#[test]
fn six_rounds_on_github() {
    six_rounds(Kind::GitHub);
}

fn six_rounds(kind: Kind) {
    let mut scene = Scene::new(kind);

    let one = scene.round();
    assert_eq!((one.code, one.open().len()), (1, 2), "{}", one.output);
    assert!(one.summary.as_deref().is_some_and(|s| s.starts_with("**Fail: significant concerns**")), "{:?}", one.summary);
    assert!(one.requests <= 12, "{} requests", one.requests);
    assert_eq!(scene.fake.comments().len(), 1);

    let again = scene.round();
    assert_eq!((again.code, again.writes, again.model_calls), (1, 0, 0), "{}", again.output);

    // Thirty lines above, and the file renamed.
    scene.fake.repo().git(&["mv", "app.py", "program.py"]);
    scene.fake.repo().write("program.py", program(30, CRITICAL, IMPORTANT));
    scene.push("move");
    let two = scene.round();
    assert_eq!((two.code, two.threads.len(), two.open().len()), (1, 2, 2), "{}", two.output);
    assert!(two.summary.as_deref().is_some_and(|s| s.contains("2 persisting")), "{:?}", two.summary);

    scene.fake.repo().write("program.py", program(30, "    subprocess.run([\"tar\", \"-czf\", target, \".\"], check=True)\n", IMPORTANT));
    scene.push("fix");
    let three = scene.round();
    assert_eq!((three.code, three.threads.len(), three.open().len()), (0, 2, 1), "{}", three.output);
    let fixed = three.threads.iter().find(|t| t.resolved).expect("a resolved thread");
    assert!(fixed.bodies.last().is_some_and(|(by, text)| by == "bot" && text.starts_with("Fixed in ")), "{fixed:?}");

    let left = three.threads.iter().find(|t| !t.resolved).expect("an open thread").id.clone();
    scene.fake.human_reply(DEV, &left, "Won't fix: the job has a time limit of its own.");
    scene.fake.repo().write("README.md", "# Program\n\nPacks and uploads.\n");
    scene.push("docs");
    let four = scene.round();
    assert_eq!((four.code, four.threads.len()), (0, 2), "{}", four.output);
    assert!(four.summary.as_deref().is_some_and(|s| s.contains("1 settled")), "{:?}", four.summary);

    scene.fake.push_target(&[("other.py", "x = 1\n")]);
    let repo = scene.fake.repo();
    repo.git(&["fetch", "-q", "origin"]);
    repo.git(&["rebase", "-q", "origin/main"]);
    scene.fake.push();
    let five = scene.round();
    assert_eq!((five.code, five.threads.len()), (0, 2), "{}", five.output);
    assert_eq!(scene.fake.comments().len(), 1);

    let six = scene.round();
    assert_eq!((six.code, six.writes, six.model_calls), (five.code, 0, 0), "{}", six.output);
    // GitHub tells threads and merge base apart from the rest.
    let most = match kind {
        Kind::GitLab => 6,
        Kind::GitHub => 7,
    };
    assert!(six.requests <= most, "{} requests", six.requests);
}

#[test]
fn a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only_on_gitlab() {
    a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only(Kind::GitLab);
}

#[test]
fn a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only_on_github() {
    a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only(Kind::GitHub);
}

fn a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only(kind: Kind) {
    let mut scene = Scene::new(kind);
    assert_eq!(scene.round().code, 1);
    let head = scene.fake.repo().ask(&["rev-parse", "HEAD"]);
    let threads: Vec<String> = scene.fake.threads().into_iter().map(|t| t.id).collect();
    for thread in &threads {
        scene.fake.human_reply(STRANGER, thread, "Won't fix");
    }
    scene.fake.human_comment(STRANGER, &format!("tribune break glass {}: we must ship", &head[..12]));
    scene.fake.human_comment(AUTHOR, &format!("> tribune break glass {}: quoted", &head[..12]));
    assert_eq!(scene.round().code, 1);
    scene.fake.human_comment(MAINTAINER, &format!("tribune break glass {}: the incident is worse", &head[..12]));
    let opened = scene.round();
    assert_eq!(opened.code, 0, "{}", opened.output);
    assert!(opened.summary.as_deref().is_some_and(|s| s.contains("Break glass") && s.contains("the incident is worse")), "{:?}", opened.summary);
    scene.fake.repo().write("README.md", "# Another\n");
    scene.push("on");
    assert_eq!(scene.round().code, 1);
}

#[test]
fn a_clean_first_round_writes_nothing_on_gitlab() {
    a_clean_first_round_writes_nothing(Kind::GitLab);
}

#[test]
fn a_clean_first_round_writes_nothing_on_github() {
    a_clean_first_round_writes_nothing(Kind::GitHub);
}

fn a_clean_first_round_writes_nothing(kind: Kind) {
    let mut scene = Scene::new(kind);
    scene.fake.repo().write("app.py", "VALUE = 1\n");
    scene.push("clean");
    let round = scene.round();
    assert_eq!((round.code, round.writes, round.summary), (0, 0, None), "{}", round.output);
    assert!(round.output.contains("No findings in 1 file"), "{}", round.output);
}

#[test]
fn a_run_that_was_killed_at_any_write_is_finished_by_the_next_on_gitlab() {
    a_run_that_was_killed_at_any_write_is_finished_by_the_next(Kind::GitLab);
}

#[test]
fn a_run_that_was_killed_at_any_write_is_finished_by_the_next_on_github() {
    a_run_that_was_killed_at_any_write_is_finished_by_the_next(Kind::GitHub);
}

fn a_run_that_was_killed_at_any_write_is_finished_by_the_next(kind: Kind) {
    let shown = |scene: &Scene| {
        let mut threads: Vec<String> =
            scene.fake.threads().into_iter().map(|t| format!("{}:{:?} {} {}", t.path, t.line, t.resolved, t.bodies.len())).collect();
        threads.sort();
        (threads, scene.fake.comments().len(), scene.fake.labels())
    };
    let mut undisturbed = Scene::new(kind);
    let writes = undisturbed.round().writes;
    let wanted = shown(&undisturbed);
    assert!(writes >= 3, "{writes}");
    for write in 1..=writes {
        let mut scene = Scene::new(kind);
        scene.fake.fault(forge::Fault::KillAfterWrite(write));
        scene.run_unchecked(&ARGS);
        scene.fake.heal();
        assert_eq!(scene.round().code, 1);
        assert_eq!(shown(&scene), wanted, "killed at write {write}");
    }
}
