//! Drafts: where marking as ready starts a run of its own they wait for it; elsewhere only what is grave is told.

use super::*;
use crate::forge::{BOT, Rights, Start};
use crate::scene::{CRITICAL, IMPORTANT, STATE_KEY, program};
use serde_json::json;

fn scene(kind: Kind, jobs: Jobs) -> Scene {
    let start = Start { change: &|r| r.write("app.py", program(0, CRITICAL, IMPORTANT)), ..Start::default() };
    let mut scene = Scene::of(kind, jobs, &start, |request| {
        let nit = json!({"path": "app.py", "quote": "    return target", "severity": "nit", "title": "The name says little", "body": "Call it archive.", "confidence": 0.9});
        if request.reviewer() == "quality" { vec![nit] } else { Vec::new() }
    });
    scene.fake.set_draft(true);
    scene
}

#[test]
fn gitlab_tells_what_is_grave_and_the_rest_when_it_is_ready() {
    for jobs in [Jobs::One, Jobs::Two] {
        let mut scene = scene(Kind::GitLab, jobs);
        let draft = scene.round();
        let summary = draft.summary.expect("a summary");
        assert_eq!((draft.code, draft.threads.len()), (1, 2), "{}", draft.output);
        assert!(!summary.contains("The name says little") && summary.contains("A draft: 1 suggestion or nit waits"), "{summary}");
        scene.fake.set_draft(false);
        let ready = scene.round();
        let summary = ready.summary.expect("a summary");
        assert!(summary.contains("The name says little") && !summary.contains("A draft"), "{summary}");
        assert_eq!(ready.threads.len(), 2);
    }
}

#[test]
fn github_waits_until_it_is_ready_unless_somebody_asks() {
    for jobs in [Jobs::One, Jobs::Two] {
        let mut scene = scene(Kind::GitHub, jobs);
        let draft = scene.round();
        assert_eq!((draft.code, draft.writes, draft.model_calls), (0, 0, 0), "{}", draft.output);
        assert!(draft.output.contains("A draft: it is reviewed when it is marked as ready"), "{}", draft.output);
        let (url, env) = (scene.fake.url(), scene.env(Rights::Write, &[STATE_KEY]));
        let asked = scene.job(&["review", "--no-progress", "--url", &url, "--no-post"], &env);
        assert_eq!(asked.code, 1, "{}", asked.output);
        scene.fake.set_draft(false);
        let ready = scene.round();
        assert_eq!((ready.code, scene.fake.comments().iter().filter(|c| c.author == BOT).count()), (1, 1), "{}", ready.output);
    }
}
