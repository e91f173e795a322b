//! Findings that are gone: what their threads say, with tokens that may resolve them and with GitHub's own, which may not.

use super::*;
use crate::forge::{BOT, DEV, MAINTAINER, Rights, Start, View};
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

#[test]
fn where_files_hold_the_same_code_each_has_a_thread_of_its_own() {
    let with = |shell| program(0, shell, "    return url\n");
    for ((kind, rights), jobs) in TOKENS.into_iter().flat_map(|t| [(t, Jobs::One), (t, Jobs::Two)]) {
        let start = Start { change: &|r| ["a.py", "b.py"].into_iter().for_each(|path| r.write(path, with(CRITICAL))), ..Start::default() };
        let mut scene = Scene::of(kind, jobs, &start, |_| Vec::new());
        scene.rights = rights;
        let told = scene.round();
        assert_eq!(told.threads.iter().map(|t| t.path.as_str()).collect::<Vec<_>>(), ["a.py", "b.py"], "{}", told.output);

        scene.fake.repo().write("b.py", with(SOUND));
        scene.push("fix one");
        let fixed = scene.round();
        let [a, b] = &fixed.threads[..] else { panic!("{:?}", fixed.threads) };
        assert!(last_word(a).starts_with("**Critical: ") && last_word(b).contains("Fixed in "), "{rights:?} {jobs:?}: {a:?} {b:?}");
        assert!(!fixed.output.contains("belongs elsewhere"), "{}", fixed.output);

        scene.fake.repo().write("c.py", with(CRITICAL));
        scene.push("make another");
        let next = scene.round();
        let [a, _, c] = &next.threads[..] else { panic!("{kind:?} {rights:?} {jobs:?}: {:?}\n{}", next.threads, next.output) };
        assert!(c.path == "c.py" && last_word(c).starts_with("**Critical: "), "{c:?}");

        // What is settled here is not settled there.
        scene.fake.human_reply(MAINTAINER, &a.id.clone(), "Won't fix");
        let settled = scene.round();
        let summary = settled.summary.as_deref().unwrap_or_default();
        assert!(settled.code == 1 && summary.contains("1 persisting, 1 settled"), "{rights:?} {jobs:?}: {summary}");
        assert!(summary.contains("`c.py:"), "{summary}");
    }
}
