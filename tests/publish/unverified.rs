//! A report that a fork's job has written: shown, and nothing follows from it, whatever it says.

use super::*;
use crate::forge::{AUTHOR, Rights, Start};
use crate::scene::{CRITICAL, IMPORTANT, STATE_KEY, program};
use serde_json::{Value, json};

/// A change from a fork. The models find nothing.
fn scene(kind: Kind) -> Scene {
    let start = Start { title: "From a fork", change: &|r| r.write("app.py", program(0, CRITICAL, IMPORTANT)), fork: true, ..Start::default() };
    Scene::of(kind, Jobs::Two, &start, |_| Vec::new())
}

/// The first stage: the fork's own job, without keys.
fn stage_one(scene: &mut Scene) {
    let env = scene.env(Rights::Read, &[]);
    let report = format!("json={}", scene.report().display());
    let job = scene.job(&["review", "--no-progress", "--offline", "--no-post", "--report", &report], &env);
    assert_eq!((job.code, scene.fake.writes()), (1, 0), "{}", job.output);
}

/// What a job has that runs after a fork's, in the project's own name.
fn after_the_fork(scene: &Scene) -> Vec<(String, String)> {
    let mut env = scene.env(Rights::Job, &[STATE_KEY]);
    if scene.fake.kind() == "github" {
        let path = scene.fake.repo().outside.path().join("after.json");
        let head = scene.fake.repo().ask(&["rev-parse", "HEAD"]);
        let run = json!({"event": "pull_request", "head_branch": "topic", "head_sha": head, "head_repository": {"full_name": "fork/app"}, "pull_requests": []});
        std::fs::write(&path, json!({"action": "completed", "workflow_run": run, "repository": {"full_name": "octo/app"}}).to_string())
            .expect("written");
        env.push(("GITHUB_EVENT_NAME".into(), "workflow_run".into()));
        env.push(("GITHUB_EVENT_PATH".into(), path.to_string_lossy().into_owned()));
    } else {
        env.push(("GITLAB_TOKEN".into(), scene.fake.token()));
    }
    env
}

/// The second stage. GitLab has no such event: there the operator says whose report it is.
fn stage_two(scene: &mut Scene) -> crate::scene::Job {
    let env = after_the_fork(scene);
    let more: &[&str] = if scene.fake.kind() == "github" { &["--fail-on", "critical"] } else { &["--fail-on", "critical", "--unverified"] };
    scene.publish_with(&env, more)
}

/// A review that counts: of a maintainer who looked at the fork, with models.
fn model_review(scene: &mut Scene) {
    let url = scene.gateway.url();
    let mut env = scene.env(Rights::Write, &[STATE_KEY, ("TRIBUNE_GATEWAY_URL", &url), ("TRIBUNE_MODEL", "fake")]);
    if scene.fake.kind() == "github" {
        let path = scene.fake.repo().outside.path().join("by-hand.json");
        let head = scene.fake.repo().ask(&["rev-parse", "HEAD"]);
        std::fs::write(&path, json!({"inputs": {"number": "7", "sha": head}, "repository": {"full_name": "octo/app"}}).to_string()).expect("written");
        env.push(("GITHUB_EVENT_NAME".into(), "workflow_dispatch".into()));
        env.push(("GITHUB_EVENT_PATH".into(), path.to_string_lossy().into_owned()));
    }
    let job = scene.job(&["review", "--no-progress"], &env);
    assert_eq!(job.code, 1, "{}", job.output);
}

#[test]
fn a_report_is_shown_in_a_comment_of_its_own_and_kept_up_to_date() {
    for kind in BOTH {
        let mut scene = scene(kind);
        stage_one(&mut scene);
        let job = stage_two(&mut scene);
        assert_eq!(job.code, 0, "it gates nothing: {}", job.output);
        let comments = scene.fake.comments();
        assert_eq!((comments.len(), scene.fake.threads().len(), scene.fake.labels().len(), scene.fake.approvals().len()), (1, 0, 0, 0));
        let body = comments[0].body.clone();
        assert!(
            body.starts_with("**Unverified report of a fork**: 1 critical, 1 important.") && !body.contains("**Pass") && !body.contains("**Fail"),
            "{body}"
        );
        // A link would be the fork's to choose.
        assert!(!body.contains("](http"), "{body}");
        assert!(body.contains("<!-- tribune:v1 unverified "), "{body}");
        let head = scene.fake.repo().ask(&["rev-parse", "HEAD"]);
        let command = format!("gh workflow run fork-model-review.yml --repo octo/app -f number=7 -f sha={head}");
        assert_eq!(body.contains(&command), kind == Kind::GitHub, "{body}");
        let wanted = if kind == Kind::GitHub { vec![("tribune findings (unverified)".to_owned(), "neutral".to_owned())] } else { Vec::new() };
        assert_eq!(scene.fake.checks(), wanted);
        scene.fake.reset_counters();
        assert_eq!((stage_two(&mut scene).code, scene.fake.writes()), (0, 0));
        // The next push has nothing to say: the same comment says so.
        scene.fake.repo().write("app.py", "VALUE = 1\n");
        scene.push("clean");
        let env = scene.env(Rights::Read, &[]);
        let report = format!("json={}", scene.report().display());
        scene.job(&["review", "--no-progress", "--offline", "--no-post", "--report", &report], &env);
        stage_two(&mut scene);
        let comments = scene.fake.comments();
        assert!(comments.len() == 1 && comments[0].body.starts_with("**Unverified report of a fork**: no findings in 1 file."), "{comments:?}");
        assert_eq!(scene.fake.violations(), Vec::<String>::new());
    }
}

#[test]
fn no_findings_against_a_model_s_result_replace_settle_and_resolve_nothing() {
    for kind in BOTH {
        let mut scene = scene(kind);
        stage_one(&mut scene);
        let sound = scene.read_report();
        stage_two(&mut scene);
        model_review(&mut scene);
        // What counts takes the place of what did not.
        assert_eq!((scene.fake.threads().len(), scene.fake.comments().len()), (2, 1));
        assert!(scene.fake.comments()[0].body.starts_with("**Fail: significant concerns**"));
        let stands = page(&scene);
        let claim = |change: &dyn Fn(&mut Value)| {
            let mut report = sound.clone();
            change(&mut report);
            report
        };
        let prints: Vec<Value> = sound["findings"].as_array().expect("a list").iter().map(|f| f["fingerprint"].clone()).collect();
        let prior =
            |status: &str| -> Value { prints.iter().map(|f| json!({"fingerprint": f, "status": status, "by": "boss", "why": "x"})).collect() };
        for report in [
            claim(&|r| r["findings"] = json!([])),
            claim(&|r| (r["findings"], r["prior"]) = (json!([]), prior("fixed"))),
            claim(&|r| (r["findings"], r["prior"], r["models_looked"], r["outcome"]) = (json!([]), prior("settled"), json!(true), json!("pass"))),
            claim(&|r| {
                r["findings"] = json!([]);
                r["override"] = json!({"by": "boss", "role": "maintainer", "reason": "x", "head": r["change"]["head_sha"]});
            }),
            claim(&|r| (r["skipped"], r["outcome"]) = (json!({"why": "nothing has changed since", "unchanged_since": 1}), json!("pass"))),
        ] {
            std::fs::write(scene.report(), report.to_string()).expect("written");
            let job = stage_two(&mut scene);
            assert_eq!((job.code, page(&scene) == stands), (0, true), "{}", job.output);
        }
        // With findings it is shown beside the result that counts.
        std::fs::write(scene.report(), sound.to_string()).expect("written");
        stage_two(&mut scene);
        let (comments, threads) = (scene.fake.comments(), scene.fake.threads());
        assert!(comments.len() == 2 && comments[0].body.starts_with("**Fail") && comments[1].body.starts_with("**Unverified"), "{comments:?}");
        assert!(threads.len() == 2 && threads.iter().all(|t| !t.resolved && t.bodies.len() == 1));
        if kind == Kind::GitHub {
            assert!(scene.fake.checks().contains(&("tribune findings".into(), "failure".into())), "{:?}", scene.fake.checks());
        }
        assert_eq!(scene.fake.violations(), Vec::<String>::new());
    }
}

#[test]
fn a_report_that_names_something_else_or_is_none_is_refused() {
    for kind in BOTH {
        let mut scene = scene(kind);
        stage_one(&mut scene);
        let sound = scene.read_report();
        for (key, value) in [("number", json!(8)), ("project", json!("octo/other")), ("host", json!("evil.example"))] {
            scene.forge_report(|r| r["target"][key] = value);
            let job = stage_two(&mut scene);
            assert!(job.code == 4 && job.output.contains("it names another"), "{}", job.output);
            std::fs::write(scene.report(), sound.to_string()).expect("written");
        }
        scene.forge_report(|r| r["change"]["head_sha"] = json!("0".repeat(40)));
        assert!(stage_two(&mut scene).output.contains("it names another head"));
        std::fs::write(scene.report(), vec![b'['; 33 << 20]).expect("written");
        assert!(stage_two(&mut scene).output.contains("the report is refused"));
        std::fs::write(scene.report(), format!("{{\"x\":{}", "[".repeat(1 << 20))).expect("written");
        assert!(stage_two(&mut scene).output.contains("nested too deeply"));
        assert_eq!((scene.fake.writes(), scene.fake.comments().len()), (0, 0));
    }
}

#[test]
fn texts_of_a_report_do_no_harm() {
    for kind in BOTH {
        let mut scene = scene(kind);
        stage_one(&mut scene);
        scene.forge_report(|r| {
            let first = r["findings"][0].clone();
            let all = super::hostile::BODIES.iter().map(|evil| {
                let mut f = first.clone();
                for key in ["title", "body", "trigger", "cause", "quote", "reviewer", "suggestion", "rule_id"] {
                    f[key] = json!(evil);
                }
                (f["path"], f["also"], f["severity"]) = (json!(format!("a/{evil}")), json!([evil]), json!("critical"));
                f["rule"] = json!({"status": "enforced", "source": evil, "url": evil, "owner": evil});
                f
            });
            r["findings"] = all.collect();
            let evil = super::hostile::BODIES.join("\n\n");
            let evil = &evil[..evil.floor_char_boundary(60_000)];
            (r["summary"], r["notes"], r["tier"]["reasons"]) = (json!(evil), json!([evil]), json!([evil]));
            r["coverage"] = json!([{"path": evil, "status": "partial", "reason": evil, "reviewers": [evil]}]);
            (r["reviewers"][0]["id"], r["reviewers"][0]["model"], r["reviewers"][0]["reason"]) = (json!(evil), json!(evil), json!(evil));
            (r["change"]["label"], r["provenance"]["tribune"]) = (json!(evil), json!(evil));
        });
        let job = stage_two(&mut scene);
        assert_eq!((job.code, scene.fake.comments().len()), (0, 1), "{}", job.output);
        assert_eq!(scene.fake.violations(), Vec::<String>::new());
        let body = &scene.fake.comments()[0].body;
        assert_eq!(body.matches("<!-- tribune:").count(), 1, "{body}");
        // Nobody takes it for a result afterwards.
        scene.fake.human_comment(AUTHOR, "and?");
        model_review(&mut scene);
        assert_eq!(scene.fake.comments().iter().filter(|c| c.author == crate::forge::BOT).count(), 1);
    }
}
