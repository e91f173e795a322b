//! A report of the pipeline's own other job: believed as far as what stands at the merge request says the same.

use super::*;
use crate::forge::{DEV, MAINTAINER, Rights};
use crate::scene::{CRITICAL, IMPORTANT, STATE_KEY, program};
use serde_json::json;

const GATE: [&str; 2] = ["--fail-on", "critical"];

fn scene(kind: Kind) -> Scene {
    Scene::new(kind, Jobs::Two)
}

#[test]
fn the_same_report_twice_changes_nothing() {
    for kind in BOTH {
        let mut scene = scene(kind);
        scene.review(true, &[]);
        let first = scene.publish(&GATE);
        assert_eq!((first.code, scene.fake.threads().len()), (1, 2), "{}", first.output);
        let stands = page(&scene);
        scene.fake.reset_counters();
        let second = scene.publish(&GATE);
        assert_eq!((second.code, scene.fake.writes()), (1, 0), "{}", second.output);
        assert_eq!(page(&scene), stands);
        // The gate is this job's, and so is its exit code.
        assert_eq!(scene.publish(&["--fail-on", "never"]).code, 0);
    }
}

#[test]
fn a_report_of_something_else_is_refused_with_what() {
    for kind in BOTH {
        let mut scene = scene(kind);
        scene.review(true, &[]);
        let sound = scene.read_report();
        for (key, value, word) in [
            ("number", json!(8), "merge request"),
            ("project", json!("another/project"), "project"),
            ("host", json!("another.example"), "host"),
            ("forge", json!("another"), "kind of forge"),
        ] {
            scene.forge_report(|r| r["target"][key] = value);
            let job = scene.publish(&GATE);
            assert_eq!(job.code, 4, "{}", job.output);
            assert!(job.output.contains(&format!("it names another {word}")), "{}", job.output);
            std::fs::write(scene.report(), sound.to_string()).expect("written");
        }
        scene.forge_report(|r| r["change"]["head_sha"] = json!("ab".repeat(20)));
        let job = scene.publish(&GATE);
        assert!(job.code == 4 && job.output.contains("it names another head: \u{201c}abab"), "{}", job.output);
        scene.forge_report(|r| drop(r.as_object_mut().map(|o| o.remove("target"))));
        let job = scene.publish(&GATE);
        assert!(job.code == 4 && job.output.contains("it is of a local change"), "{}", job.output);
        std::fs::write(scene.report(), sound.to_string()).expect("written");
        // The base is part of what it is about: positions need it.
        scene.forge_report(|r| r["change"]["base_sha"] = r["change"]["head_sha"].clone());
        let job = scene.publish(&GATE);
        assert!(job.code == 4 && job.output.contains("it is about the changes from"), "{}", job.output);
        // Somebody pushed between the two jobs.
        std::fs::write(scene.report(), sound.to_string()).expect("written");
        scene.fake.repo().write("README.md", "# More\n");
        scene.push("on");
        let job = scene.publish(&GATE);
        assert!(job.code == 4 && job.output.contains("head"), "{}", job.output);
        assert_eq!((scene.fake.writes(), scene.fake.violations()), (0, Vec::new()));
    }
}

#[test]
fn what_it_says_of_its_own_outcome_and_of_people_opens_no_gate() {
    for kind in BOTH {
        let mut scene = scene(kind);
        assert_eq!(scene.round().code, 1);
        scene.fake.repo().write("README.md", "# More\n");
        scene.push("on");
        scene.review(true, &[]);
        scene.forge_report(|r| {
            r["outcome"] = json!("pass");
            r["verdict"] = json!("approved");
            r["override"] = json!({"by": "boss", "role": "maintainer", "reason": "x", "head": r["change"]["head_sha"]});
            for finding in r["findings"].as_array_mut().expect("a list") {
                finding["status"] = json!("settled");
            }
            for prior in r["prior"].as_array_mut().expect("a list") {
                (prior["status"], prior["by"]) = (json!("settled"), json!("boss"));
            }
        });
        let job = scene.publish(&GATE);
        assert_eq!(job.code, 1, "{}", job.output);
        let summary = &scene.fake.comments()[0].body;
        assert!(summary.starts_with("**Fail: significant concerns**") && summary.contains("2 persisting"), "{summary}");
        assert!(!summary.contains("boss") && summary.contains("2 findings are open"), "{summary}");
        // What a maintainer says in this job's own eyes does.
        let threads = scene.fake.threads();
        for thread in &threads {
            scene.fake.human_reply(MAINTAINER, &thread.id, "Won't fix");
        }
        let settled = scene.round();
        assert!(settled.code == 0 && settled.summary.as_deref().is_some_and(|s| s.contains("2 settled")), "{}", settled.output);
    }
}

#[test]
fn an_old_report_does_not_take_a_later_round_back() {
    for kind in BOTH {
        let mut scene = scene(kind);
        assert_eq!(scene.round().code, 1);
        let old = scene.read_report();
        let head = scene.fake.repo().ask(&["rev-parse", "HEAD"]);
        scene.fake.human_comment(MAINTAINER, &format!("tribune break glass {}: we must", &head[..12]));
        assert_eq!(scene.round().code, 0);
        let stands = page(&scene);
        std::fs::write(scene.report(), old.to_string()).expect("written");
        scene.fake.reset_counters();
        let job = scene.publish(&GATE);
        assert_eq!((job.code, scene.fake.writes()), (0, 0), "{}", job.output);
        assert!(job.output.contains("its result stands") && page(&scene) == stands, "{}", job.output);
    }
}

#[test]
fn another_threshold_counts_at_once_where_nothing_else_has_changed() {
    for kind in BOTH {
        let mut scene = scene(kind);
        assert_eq!(scene.round().code, 1);
        let stands = page(&scene);
        let review = scene.review(true, &[]);
        assert!(review.output.contains("Nothing has changed since round 1"), "{}", review.output);
        scene.fake.reset_counters();
        let mut told = |fail_on: &str| {
            let job = scene.publish(&["--fail-on", fail_on]);
            assert_eq!(scene.fake.writes(), 0, "{}", job.output);
            (job.code, job.output.contains("its result stands"), job.output.contains("no longer fails"))
        };
        assert_eq!(told("critical"), (1, true, false));
        assert_eq!(told("important"), (1, true, false));
        assert_eq!(told("never"), (0, false, true));
        assert_eq!(page(&scene), stands);
        // The other way round: what passed fails.
        scene.fake.repo().write("app.py", program(0, "", IMPORTANT));
        scene.push("mend the worst");
        assert_eq!(scene.round().code, 0);
        scene.review(true, &[]);
        scene.fake.reset_counters();
        let stricter = scene.publish(&["--fail-on", "important"]);
        assert_eq!((stricter.code, scene.fake.writes()), (1, 0), "{}", stricter.output);
        assert!(stricter.output.contains("the gate fails at this job's threshold"), "{}", stricter.output);
        assert_eq!(scene.publish(&GATE).code, 0);
    }
}

#[test]
fn the_review_half_needs_no_state_key() {
    for kind in BOTH {
        let mut scene = scene(kind);
        scene.review(false, &[]);
        assert_eq!(scene.publish(&GATE).code, 1);
        let summary = scene.fake.comments()[0].body.clone();
        assert!(!summary.contains(" unsigned -->") && scene.fake.threads().iter().all(|t| !t.bodies[0].1.contains("unsigned")), "{summary}");
        // What it wrote counts for who has the key, and is known again by who has not.
        scene.fake.repo().write("app.py", program(7, CRITICAL, IMPORTANT));
        scene.push("move");
        scene.review(false, &[]);
        let job = scene.publish(&GATE);
        assert_eq!((job.code, scene.fake.threads().len()), (1, 2), "{}", job.output);
        let known = scene.round();
        assert_eq!((known.code, known.threads.len()), (1, 2), "{}", known.output);
    }
}

#[test]
fn that_nobody_looked_is_believed_as_far_as_it_shows() {
    for kind in BOTH {
        let mut scene = scene(kind);
        scene.fake.human_label(DEV, "tribune: skip");
        assert!(!scene.review(true, &[]).output.contains("Skipped"));
        scene.fake.human_label(MAINTAINER, "tribune: skip");
        let mut scene = self::scene(kind);
        scene.fake.human_label(MAINTAINER, "tribune: skip");
        let review = scene.review(true, &[]);
        assert!(review.code == 0 && review.output.contains("Skipped: a maintainer set the label"), "{}", review.output);
        assert_eq!(scene.read_report()["skipped"]["why"], json!("Skipped: a maintainer set the label `tribune: skip`."));
        assert_eq!(scene.publish(&GATE).code, 0);
        // A report that says so where it is not so passes nothing.
        let mut other = self::scene(kind);
        std::fs::copy(scene.report(), other.report()).expect("copied");
        let job = other.publish(&GATE);
        assert!(job.code == 3 && job.output.contains("Nobody looked"), "{}", job.output);
        // Nor does one that says that nothing has changed.
        assert_eq!(other.round().code, 1);
        let unchanged = other.round();
        assert_eq!((unchanged.code, unchanged.writes, unchanged.model_calls), (1, 0, 0), "{}", unchanged.output);
        other.forge_report(|r| (r["outcome"], r["provenance"]["config_digest"]) = (json!("pass"), json!("x")));
        assert_eq!(other.publish(&GATE).code, 3);
        assert_eq!(other.fake.violations(), Vec::<String>::new());
    }
}

#[test]
fn what_is_no_report_is_refused_before_anybody_is_asked() {
    let mut scene = scene(Kind::GitLab);
    scene.fake.reset_counters();
    let path = scene.report();
    let huge = vec![b' '; 33 << 20];
    for (text, word) in [
        (&b"{\"schema\": \"tribune.report/v1\"}"[..], "not a report"),
        (b"[[[[", "not a report"),
        (b"{\"schema\": ", "not JSON"),
        (b"", "not JSON"),
        (&huge, "bytes"),
    ] {
        std::fs::write(&path, text).expect("written");
        let job = scene.publish(&GATE);
        assert!(job.code == 4 && job.output.contains("the report is refused") && job.output.contains(word), "{}", job.output);
    }
    std::fs::remove_file(&path).expect("removed");
    assert!(scene.publish(&GATE).output.contains("cannot be read"));
    std::fs::create_dir(&path).expect("made");
    let job = scene.publish(&GATE);
    assert!(job.code == 4 && job.output.contains("no regular file"), "{}", job.output);
    assert_eq!((scene.fake.requests(), scene.fake.writes()), (0, 0));
}

#[test]
fn without_a_merge_request_or_a_token_that_writes_nothing_is_posted() {
    for kind in BOTH {
        let mut scene = scene(kind);
        scene.review(true, &[]);
        let job = scene.publish_with(&[], &GATE);
        assert!(job.code == 2 && job.output.contains("there is no merge request here"), "{}", job.output);
        for rights in [Rights::Read, Rights::None] {
            let env = scene.env(rights, &[STATE_KEY]);
            let job = scene.publish_with(&env, &GATE);
            assert_eq!(job.code, 4, "{rights:?}: {}", job.output);
        }
        // By hand, from anywhere.
        let url = scene.fake.url();
        let token = scene.fake.token();
        let name = if kind == Kind::GitLab { "GITLAB_TOKEN" } else { "GITHUB_TOKEN" };
        let env = [(name.to_owned(), token), (STATE_KEY.0.to_owned(), STATE_KEY.1.to_owned())];
        assert_eq!(scene.fake.writes(), 0);
        let root = scene.fake.origin();
        let job = scene.publish_with(&env, &["--url", &url, "--fail-on", "important"]);
        assert_eq!((job.code, scene.fake.threads().len()), (1, 2), "{root}: {}", job.output);
    }
}
