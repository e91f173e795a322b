//! Findings that are gone: what their threads say, with tokens that may resolve them and with GitHub's own, which may not.

use super::*;
use crate::forge::{BOT, DEV, Rights, Start, View};
use crate::scene::{CRITICAL, IMPORTANT, program};
use serde_json::json;

/// Tokens that post: with the last one a thread is marked instead of resolved.
const TOKENS: [(Kind, Rights); 3] = [(Kind::GitLab, Rights::Write), (Kind::GitHub, Rights::Write), (Kind::GitHub, Rights::Job)];
const SOUND: &str = "    subprocess.run([\"tar\", \"-czf\", target, \".\"], check=True)\n";

/// What we said in a thread last: marked, in its first comment.
fn last_word(thread: &View) -> &str {
    let last = if thread.resolved { thread.bodies.last() } else { thread.bodies.first() };
    last.filter(|(by, _)| by == BOT).map_or("", |(_, text)| text.lines().next().unwrap_or_default())
}

#[test]
fn one_that_comes_back_is_told_anew() {
    for (kind, rights) in TOKENS {
        let mut scene = Scene::new(kind, Jobs::One);
        scene.rights = rights;
        let change = |scene: &mut Scene, shell: &str| {
            scene.fake.repo().write("app.py", program(0, shell, IMPORTANT));
            scene.push("on");
            scene.round()
        };
        assert_eq!(change(&mut scene, CRITICAL).threads.len(), 2);
        for nth in 1..=2 {
            let fixed = change(&mut scene, SOUND);
            assert_eq!((fixed.code, fixed.threads.len()), (0, 1 + nth), "{}", fixed.output);
            let words: Vec<&str> = fixed.threads.iter().map(last_word).filter(|w| w.contains("Fixed in")).collect();
            assert_eq!(words.len(), nth, "{rights:?}: {:?}", fixed.threads);
            assert!(words.iter().all(|w| w.trim_matches('*').ends_with(": the rule does not hit there any more.")), "{words:?}");
            // It is back: a thread that says that it is fixed does not tell it.
            let back = change(&mut scene, CRITICAL);
            assert_eq!((back.code, back.threads.len()), (1, 2 + nth), "{rights:?}: {}", back.output);
            let newest = back.threads.last().expect("a thread");
            assert!(!newest.resolved && last_word(newest).starts_with("**Critical: "), "{newest:?}");
            let summary = back.summary.expect("a summary");
            assert!(summary.contains("1 new, 1 persisting"), "{summary}");
        }
    }
}

#[test]
fn one_that_was_argued_away_is_withdrawn_not_fixed_and_that_is_said_once() {
    for (kind, rights) in TOKENS {
        let start = Start {
            base: &|r| r.write("app.py", "def mean(values):\n    return sum(values) / max(len(values), 1)\n"),
            change: &|r| r.write("app.py", "def mean(values):\n    return sum(values) / len(values)\n"),
            ..Start::default()
        };
        let mut scene = Scene::of(kind, Jobs::One, &start, |request| {
            let told = json!({"path": "app.py", "quote": "return sum(values) / len(values)", "severity": "important", "title": "Fails without values",
                "body": "It divides by zero.", "trigger": "a caller without samples", "confidence": 0.9});
            if request.json().to_string().contains("callers check") { Vec::new() } else { vec![told] }
        });
        scene.rights = rights;
        let told = scene.round();
        assert_eq!(told.threads.len(), 1, "{}", told.output);
        scene.fake.human_reply(DEV, &told.threads[0].id, "All callers check that before, see the three of them.");
        let mut words = None;
        for n in 0..3 {
            scene.fake.repo().write("README.md", format!("{n}\n"));
            scene.push("on");
            let round = scene.round();
            let thread = &round.threads[0];
            assert!(
                last_word(thread).trim_start_matches('*').starts_with("Withdrawn at ") && !thread.bodies.iter().any(|(_, b)| b.contains("Fixed in")),
                "{thread:?}"
            );
            // Said once, whatever is pushed later.
            assert_eq!(words.get_or_insert_with(|| thread.bodies.clone()), &thread.bodies, "{kind:?} {rights:?}");
        }
    }
}
