//! What `tribune doctor` shows, through the whole binary, against both faked forges and a faked gateway: the screens as they are,
//! the exit codes, no token in them, nothing written.

mod by_hand;
#[path = "../support/forge.rs"]
mod forge;
#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../git_repo/mod.rs"]
mod git_repo;
mod github;
mod gitlab;
#[path = "../support/program.rs"]
mod program;
mod remote;

use forge::github::FakeGitHub;
use forge::gitlab::FakeGitLab;
use forge::{FakeForge, Start};
use program::{Done, tribune};
use std::path::Path;

struct Shown {
    code: i32,
    screen: String,
}

/// Runs it in `dir` with nothing in its environment but this.
fn doctor(dir: &Path, home: &Path, env: &[(String, String)], args: &[&str]) -> Shown {
    let mut command = tribune(dir, home);
    command.env("SOURCE_DATE_EPOCH", "1767225600").envs(env.iter().map(|(n, v)| (n, v))).arg("doctor").args(args);
    let Done { code, stdout: screen, stderr } = Done::of(&mut command);
    assert_eq!(stderr, "");
    for (name, value) in env.iter().filter(|(n, v)| (n.ends_with("_TOKEN") || n.ends_with("_KEY")) && v.len() > 5) {
        assert!(!screen.contains(value.as_str()), "{name} is shown: {screen}");
    }
    Shown { code, screen }
}

/// A screen without what differs from run to run.
fn plain(shown: &Shown, replaced: &[(String, &str)]) -> String {
    let mut text = shown.screen.clone();
    for (from, to) in replaced {
        text = text.replace(from.as_str(), to);
    }
    let mut out = format!("exit {}\n", shown.code);
    for line in text.lines() {
        let line = match line.split_once("git version ") {
            Some((before, _)) => format!("{before}git version N"),
            None => line.to_owned(),
        };
        let rules = |l: &str| l.contains("in force, built in");
        let line = if rules(&line) {
            line.split_once(char::is_numeric).map_or(line.clone(), |(before, _)| format!("{before}N in force, built in"))
        } else {
            line
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn set(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

/// A fake forge, seen from a job's clone.
struct Job<F: FakeForge> {
    fake: F,
}

impl<F: FakeForge> Job<F> {
    fn shown(&mut self, env: Vec<(String, String)>, args: &[&str]) -> String {
        let key = ("TRIBUNE_STATE_KEY".to_owned(), "a state key of this test".to_owned());
        self.shown_without_key([env, vec![key]].concat(), args)
    }

    fn shown_without_key(&mut self, env: Vec<(String, String)>, args: &[&str]) -> String {
        self.fake.reset_counters();
        let repo = self.fake.repo();
        let home = repo.outside.path().join("home");
        let shown = doctor(&repo.dir, &home, &env, args);
        let host = self.fake.origin().trim_start_matches("http://").to_owned();
        let policy = repo.ask(&["rev-parse", "origin/main"]);
        assert_eq!((self.fake.writes(), self.fake.violations()), (0, Vec::new()));
        plain(&shown, &[(host, "git.example"), (policy[..12].to_owned(), "POLICY")])
    }
}

fn start(fork: bool) -> Start<'static> {
    Start { change: &|r| r.write("app.py", "VALUE = 1\n"), fork, ..Start::default() }
}

fn gitlab() -> Job<FakeGitLab> {
    Job { fake: FakeGitLab::start(&start(false)) }
}

fn github(fork: bool) -> Job<FakeGitHub> {
    Job { fake: FakeGitHub::start(&start(fork)) }
}

/// Only that part of a screen.
fn section(screen: &str, title: &str) -> String {
    let parts: Vec<&str> = screen.split("\n\n").filter(|p| p.starts_with(title)).collect();
    format!("{}{}", screen.lines().next().unwrap_or_default(), parts.iter().map(|p| format!("\n{p}")).collect::<String>())
}
