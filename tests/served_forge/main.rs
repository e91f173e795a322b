//! A fake forge as a program of its own, for clients that are no Rust: CI runners, and other people's API libraries, which
//! judge whether the fake answers as the real one does. It is no test and asserts nothing.
//!
//! `served_forge gitlab|github [fork]` serves until its standard input ends. It prints what it is as one line of JSON, and one
//! more for each command that it reads: `state`, `env RIGHTS`, `push PATH TEXT`, `comment USER TEXT`, `reply USER THREAD TEXT`.

#[path = "../support/forge.rs"]
mod forge;
#[path = "../git_repo/mod.rs"]
mod git_repo;

use forge::github::FakeGitHub;
use forge::gitlab::FakeGitLab;
use forge::{FakeForge, Rights, Start};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

/// Two findings of the built-in rules, one critical and one important.
const PROGRAM: &str = "import subprocess\n\nimport requests\n\n\ndef pack(folder, name):\n    target = folder / name\n    subprocess.run(f\"tar -czf {target} .\", shell=True, check=True)\n    return target\n\n\ndef upload(archive, url):\n    requests.put(url, data=archive.read_bytes())\n";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fork = arguments.iter().any(|a| a == "fork");
    let mut fake = match arguments.first().map(String::as_str) {
        Some("gitlab") => Box::new(FakeGitLab::start(&start(fork))) as Box<dyn FakeForge>,
        Some("github") => Box::new(FakeGitHub::start(&start(fork))),
        _ => return say(&json!({"error": "usage: served_forge gitlab|github [fork]"})),
    };
    say(&state(fake.as_ref()));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        say(&obey(fake.as_mut(), &line));
    }
}

/// An edited, a renamed, a new and a deleted file, and a program with defects.
fn start(fork: bool) -> Start<'static> {
    Start {
        title: "Pack and upload",
        description: "Why: it has to be done.",
        base: &|r| {
            r.write("edited.py", numbered(40));
            r.write("old name.py", numbered(30));
            r.write("gone.py", "bye = 1\n".repeat(5));
        },
        change: &|r| {
            r.write("app.py", PROGRAM);
            r.write("edited.py", numbered(40).replace("line_10 = 10\n", "ten = 10\nten_and_a_half = 10.5\n").replace("line_30 = 30\n", ""));
            r.git(&["mv", "old name.py", "new name.py"]);
            r.write("new name.py", numbered(30).replace("line_5 = 5\n", "five = 5\n"));
            r.git(&["rm", "-q", "gone.py"]);
        },
        fork,
    }
}

fn numbered(count: u32) -> String {
    (1..=count).map(|n| format!("line_{n} = {n}\n")).collect()
}

fn obey(fake: &mut dyn FakeForge, line: &str) -> Value {
    let words: Vec<&str> = line.splitn(2, ' ').collect();
    let rest = words.get(1).copied().unwrap_or_default();
    match words[0] {
        "state" => state(fake),
        "env" => match rights(rest) {
            Some(rights) => fake.env(rights).into_iter().map(|(name, value)| (name, Value::from(value))).collect::<serde_json::Map<_, _>>().into(),
            None => json!({"error": "which rights?"}),
        },
        "push" => {
            let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
            fake.repo().write(path, format!("{text}\n"));
            fake.repo().commit("push");
            fake.push();
            state(fake)
        }
        "comment" => {
            let (user, text) = rest.split_once(' ').unwrap_or((rest, ""));
            json!({"id": fake.human_comment(user, text)})
        }
        "reply" => {
            let words: Vec<&str> = rest.splitn(3, ' ').collect();
            match words[..] {
                [user, thread, text] => json!({"id": fake.human_reply(user, thread, text)}),
                _ => json!({"error": "who, where, what?"}),
            }
        }
        other => json!({"error": format!("unknown command {other}")}),
    }
}

fn rights(name: &str) -> Option<Rights> {
    Some(match name {
        "write" => Rights::Write,
        "read" => Rights::Read,
        "job" => Rights::Job,
        "none" => Rights::None,
        "empty" => Rights::Empty,
        _ => return None,
    })
}

/// All that a reader of the page, and the test's author, can see.
fn state(fake: &dyn FakeForge) -> Value {
    let threads: Vec<Value> = fake
        .threads()
        .into_iter()
        .map(|t| json!({"id": t.id, "path": t.path, "line": t.line, "start_line": t.start_line, "resolved": t.resolved, "author": t.author, "bodies": t.bodies, "head": t.head}))
        .collect();
    let comments: Vec<Value> = fake.comments().into_iter().map(|c| json!({"id": c.id, "author": c.author, "body": c.body})).collect();
    json!({"kind": fake.kind(), "url": fake.url(), "origin": fake.origin(), "repo": fake.repo().dir, "head": fake.repo().ask(&["rev-parse", "topic"]),
        "threads": threads, "comments": comments, "labels": fake.labels(), "checks": fake.checks(), "approvals": fake.approvals(),
        "unfinished": fake.unfinished(), "requests": fake.requests(), "writes": fake.writes(), "violations": fake.violations()})
}

#[expect(clippy::print_stdout, reason = "it is how this program answers")]
fn say(value: &Value) {
    println!("{value}");
    std::io::stdout().flush().expect("somebody listens");
}
