//! The rollout goes by the merge request: jobs that are no pipeline of its own know neither its project nor its target branch.

use super::*;
use crate::forge::Rights;
use crate::scene::STATE_KEY;

/// `gate` for this merge request as long as it goes into `main`; nothing at all for release branches.
fn rollout(scene: &Scene) -> String {
    let project = if scene.fake.kind() == "gitlab" { "group/sub/project" } else { "octo/app" };
    assert!(scene.fake.url().contains(&format!("/{project}/")), "{}", scene.fake.url());
    let file = scene.fake.repo().outside.path().join("operator.yaml");
    let overrides = format!("[{{project: {project}, target_branch: main, mode: gate}}, {{target_branch: release/*, mode: off, text: Not here.}}]");
    std::fs::write(&file, format!("rollout: {{mode: shadow, overrides: {overrides}}}\n")).expect("written");
    file.to_string_lossy().into_owned()
}

/// The environment of a job of another project, started by something else than the merge request.
fn elsewhere(scene: &Scene) -> Vec<(String, String)> {
    let mut env = scene.env(Rights::Write, &[STATE_KEY]);
    env.retain(|(n, _)| !n.starts_with("CI_MERGE_REQUEST") && n != "GITHUB_EVENT_PATH");
    for (name, value) in env.iter_mut() {
        match name.as_str() {
            "CI_PROJECT_PATH" | "GITHUB_REPOSITORY" => *value = "ops/central".to_owned(),
            "GITHUB_EVENT_NAME" => *value = "schedule".to_owned(),
            _ => {}
        }
    }
    env
}

#[test]
fn a_job_elsewhere_takes_project_and_target_branch_from_the_merge_request() {
    for kind in BOTH {
        let mut scene = Scene::new(kind, Jobs::Two);
        let (config, url, env) = (rollout(&scene), scene.fake.url(), elsewhere(&scene));
        let json = format!("json={}", scene.report().display());
        let by_url = ["--config", &config, "--url", &url];
        let review = [&["review", "--no-progress", "--report", &json][..], &by_url].concat();

        let shown = scene.job(&[&review[..], &["--no-post"]].concat(), &env);
        assert_eq!((shown.code, scene.fake.writes()), (1, 0), "{kind:?}: {}", shown.output);
        let published = scene.publish_with(&env, &[&by_url[..], &["--fail-on", "critical"]].concat());
        assert_eq!((published.code, scene.fake.threads().len()), (1, 2), "{kind:?}: {}", published.output);

        scene.fake.retarget("release/1", true);
        scene.fake.reset_counters();
        let published = scene.publish_with(&env, &by_url);
        assert!(published.code == 0 && published.output.contains("Not here."), "{kind:?}: {}", published.output);
        let reviewed = scene.job(&[&review[..], &["--post"]].concat(), &env);
        assert!(reviewed.code == 0 && reviewed.output.contains("Not here."), "{kind:?}: {}", reviewed.output);
        assert_eq!(scene.fake.writes(), 0, "{kind:?}");
    }
}
