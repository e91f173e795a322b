//! Six rounds of one merge request, through the whole binary and a faked forge: nothing is told twice, nothing is forgotten, and the
//! gate says the same each time (DESIGN 5).

#[path = "../support/forge.rs"]
mod forge;
#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../git_repo/mod.rs"]
mod git_repo;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/scene.rs"]
mod scene;

use forge::{AUTHOR, DEV, MAINTAINER, STRANGER};
use scene::{CRITICAL, IMPORTANT, Jobs, Kind, Scene, program};

/// Each body is a test on both forges, in one job and in two.
macro_rules! on_all {
    ($($body:ident),+ $(,)?) => {$(
        mod $body {
            use super::{Jobs, Kind};

            #[test]
            fn on_gitlab() {
                super::$body(Kind::GitLab, Jobs::One);
            }

            #[test]
            fn on_github() {
                super::$body(Kind::GitHub, Jobs::One);
            }

            #[test]
            fn on_gitlab_in_two_jobs() {
                super::$body(Kind::GitLab, Jobs::Two);
            }

            #[test]
            fn on_github_in_two_jobs() {
                super::$body(Kind::GitHub, Jobs::Two);
            }
        }
    )+};
}

on_all!(
    six_rounds,
    a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only,
    a_clean_first_round_writes_nothing,
    a_run_that_was_killed_at_any_write_is_finished_by_the_next,
);

fn six_rounds(kind: Kind, jobs: Jobs) {
    let mut scene = Scene::new(kind, jobs);

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
    assert!(six.requests <= 6, "{} requests", six.requests);
}

fn a_stranger_settles_nothing_and_a_maintainer_opens_the_gate_for_this_head_only(kind: Kind, jobs: Jobs) {
    let mut scene = Scene::new(kind, jobs);
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

fn a_clean_first_round_writes_nothing(kind: Kind, jobs: Jobs) {
    let mut scene = Scene::new(kind, jobs);
    scene.fake.repo().write("app.py", "VALUE = 1\n");
    scene.push("clean");
    let round = scene.round();
    assert_eq!((round.code, round.threads.len(), round.summary), (0, 0, None), "{}", round.output);
    // GitHub shows the outcome at the commit: that is no note.
    let writes = if kind == Kind::GitHub { 1 } else { 0 };
    let (checks, passed) = (scene.fake.checks(), ("tribune findings".to_owned(), "success".to_owned()));
    assert_eq!((round.writes, checks), (writes, vec![passed; writes]));
    assert!(round.output.contains("No findings in 1 file"), "{}", round.output);
}

fn a_run_that_was_killed_at_any_write_is_finished_by_the_next(kind: Kind, jobs: Jobs) {
    let shown = |scene: &Scene| {
        let mut threads: Vec<String> =
            scene.fake.threads().into_iter().map(|t| format!("{}:{:?} {} {}", t.path, t.line, t.resolved, t.bodies.len())).collect();
        threads.sort();
        (threads, scene.fake.comments().len(), scene.fake.labels())
    };
    let mut undisturbed = Scene::new(kind, jobs);
    let writes = undisturbed.round().writes;
    let wanted = shown(&undisturbed);
    assert!(writes >= 3, "{writes}");
    for write in 1..=writes {
        let mut scene = Scene::new(kind, jobs);
        scene.fake.fault(forge::Fault::KillAfterWrite(write));
        scene.round_unchecked();
        scene.fake.heal();
        assert_eq!(scene.retry().code, 1);
        assert_eq!(shown(&scene), wanted, "killed at write {write}");
    }
}
