//! Taking back what was posted, through the whole binary and both faked forges: ours only, listed first, finished by the next run.

#[path = "support/forge.rs"]
mod forge;
#[path = "git_repo/mod.rs"]
mod git_repo;
#[path = "support/program.rs"]
mod program;

use forge::github::FakeGitHub;
use forge::gitlab::FakeGitLab;
use forge::{BOT, DEV, FakeForge, Fault, Rights, STRANGER, Start};
use program::{Done, tribune};
use tribune::forge::Target;
use tribune::history::{Kind, Trust, marker};

const KEY: &str = "a state key of this test";
const CODE: &str = "import subprocess\n\nimport requests\n\n\ndef pack(folder, name):\n    subprocess.run(f\"tar -czf {name} .\", shell=True, check=True)\n\n\ndef upload(url, data):\n    requests.put(url, data=data)\n\n\ndef fetch(url):\n    return requests.get(url, timeout=9, verify=False)\n";

#[derive(Clone, Copy, Debug)]
enum On {
    GitLab,
    GitHub,
}

struct Scene {
    fake: Box<dyn FakeForge>,
}

struct Ran {
    code: i32,
    output: String,
    writes: usize,
}

/// What a person has in the environment: the token alone.
fn by_hand(name: &str) -> bool {
    matches!(name, "GITLAB_TOKEN" | "GITHUB_TOKEN")
}

impl Scene {
    fn new(on: On) -> Self {
        let start = Start { title: "Pack", change: &|r| r.write("app.py", CODE), ..Start::default() };
        Self {
            fake: match on {
                On::GitLab => Box::new(FakeGitLab::start(&start)),
                On::GitHub => Box::new(FakeGitHub::start(&start)),
            },
        }
    }

    /// One that was reviewed: threads, a summary, a label, and the outcome at the commit.
    fn reviewed(on: On) -> Self {
        let mut scene = Self::new(on);
        // By hand, so that the outcome stands at the commit as well.
        let url = scene.fake.url();
        let ran = scene.run(&["review", "--no-progress", "--post", "--url", &url], KEY);
        assert_eq!((ran.code, scene.fake.threads().len()), (1, 3), "{}", ran.output);
        assert_eq!((scene.fake.comments().len(), scene.fake.labels().len(), scene.fake.checks().len()), (1, 1, 1));
        scene
    }

    fn run(&mut self, args: &[&str], key: &str) -> Ran {
        self.fake.reset_counters();
        let repo = self.fake.repo();
        let mut command = tribune(&repo.dir, repo.outside.path());
        command.envs(self.fake.env(Rights::Write).into_iter().filter(|(name, _)| by_hand(name))).env("TRIBUNE_STATE_KEY", key);
        let done = Done::of(command.args(args));
        let output = done.told();
        assert!(!output.contains(&self.fake.token()), "the token is in the output");
        Ran { code: done.code, output, writes: self.fake.writes() }
    }

    fn retract(&mut self, args: &[&str]) -> Ran {
        let url = self.fake.url();
        self.run(&[&["retract", "--url", &url], args].concat(), KEY)
    }

    /// What stands there: threads with their first lines, comments, labels, checks.
    fn shown(&self) -> String {
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let threads = self.fake.threads().into_iter().map(|t| {
            let bodies: Vec<String> = t.bodies.iter().map(|(by, text)| format!("{by}: {}", first(text))).collect();
            format!("{}:{:?} resolved: {} | {}", t.path, t.line, t.resolved, bodies.join(" | "))
        });
        let comments = self.fake.comments().into_iter().map(|c| format!("{}: {}", c.author, first(&c.body)));
        let checks = self.fake.checks().into_iter().map(|(name, state)| format!("check {name}: {state}"));
        threads.chain(comments).chain(self.fake.labels()).chain(checks).collect::<Vec<_>>().join("\n")
    }

    /// The same output for both forges and every run.
    fn plain(&self, text: &str) -> String {
        let head = self.fake.repo().ask(&["rev-parse", "HEAD"]);
        text.replace(&self.fake.url(), "URL").replace(&head[..12], "HEAD")
    }
}

/// Runs a test on both.
fn on_both(test: impl Fn(On)) {
    test(On::GitLab);
    test(On::GitHub);
}

#[test]
fn lists_first_and_then_takes_back_ours_alone() {
    on_both(|on| {
        let mut scene = Scene::reviewed(on);
        let thread = scene.fake.threads()[1].id.clone();
        scene.fake.human_reply(DEV, &thread, "Is that so?");
        let forged = scene.fake.comments()[0].body.clone();
        scene.fake.human_comment(STRANGER, &forged);
        scene.fake.human_thread(DEV, "app.py", 1, "Why this import?");
        scene.fake.human_label(DEV, "tribune: full");
        let before = scene.shown();

        let listed = scene.retract(&[]);
        assert_eq!((listed.code, listed.writes, scene.shown()), (0, 0, before));
        insta::allow_duplicates! {
            insta::assert_snapshot!(scene.plain(&listed.output), @"
            1 comment by others with a marker of ours: ignored.
            To be retracted on URL:
              remove        label `tribune: significant concerns`
              make neutral  check at HEAD
              delete        thread app.py:7 of 2026-01-02, “Do not pass untrusted text to a shell”
              withdraw      thread app.py:11 of 2026-01-02, “Give every HTTP request a timeout”
              delete        thread app.py:15 of 2026-01-02, “Keep certificate verification on”
              delete        summary comment of 2026-01-02
            Nothing was written. Run it again with --yes to do it.
            ");
        }
        let done = scene.retract(&["--yes"]);
        assert_eq!(done.code, 0, "{}", done.output);
        insta::allow_duplicates! {
            insta::assert_snapshot!(scene.shown().replace(": skipped", ": neutral").replace("tribune findings", "tribune").replace(&forged.lines().next().unwrap_or_default().to_owned(), "a copy of the summary"), @"
            app.py:Some(11) resolved: true | bot: **Retracted.** tribune posted a comment here by mistake and takes it back. The answers stay as they were written. | dev: Is that so?
            app.py:Some(1) resolved: false | dev: Why this import?
            stranger: a copy of the summary
            tribune: full
            check tribune: neutral
            ");
        }
        assert_eq!(scene.fake.violations(), Vec::<String>::new());

        let again = scene.retract(&["--yes"]);
        assert_eq!((again.code, again.writes), (0, 0), "{}", again.output);
        assert!(again.output.contains("Nothing to retract on"), "{}", again.output);

        // What was retracted is forgotten: the next review says it anew.
        let url = scene.fake.url();
        let anew = scene.run(&["review", "--no-progress", "--post", "--url", &url], KEY);
        assert_eq!((anew.code, scene.fake.threads().len()), (1, 5), "{}", anew.output);
    });
}

#[test]
fn one_that_was_killed_at_any_write_is_finished_by_the_next() {
    on_both(|on| {
        let answered = || {
            let mut scene = Scene::reviewed(on);
            let thread = scene.fake.threads()[0].id.clone();
            scene.fake.human_reply(DEV, &thread, "No.");
            scene
        };
        let mut undisturbed = answered();
        let writes = undisturbed.retract(&["--yes"]).writes;
        let wanted = undisturbed.shown();
        assert!(writes >= 6, "{writes}");
        for write in 1..=writes {
            let mut scene = answered();
            scene.fake.reset_counters();
            scene.fake.fault(Fault::KillAfterWrite(write));
            let broken = scene.retract(&["--yes"]);
            assert!(broken.code == 4 || write == writes, "{}", broken.output);
            scene.fake.heal();
            assert_eq!(scene.retract(&["--yes"]).code, 0);
            assert_eq!(scene.shown(), wanted, "killed at write {write} on {on:?}");
        }
    });
}

#[test]
fn with_a_state_key_its_mac_decides() {
    on_both(|on| {
        let mut scene = Scene::reviewed(on);
        let before = scene.shown();
        let url = scene.fake.url();
        let other = scene.run(&["retract", "--url", &url, "--yes"], "another key");
        assert_eq!((other.code, other.writes, scene.shown()), (0, 0, before));
        insta::allow_duplicates! {
            insta::assert_snapshot!(scene.plain(&other.output), @"
            4 comments of our user with a marker that our state key did not make for this merge request: ignored.
            Nothing to retract on URL.
            ");
        }
    });
}

#[test]
fn only_what_came_later() {
    on_both(|on| {
        let mut scene = Scene::reviewed(on);
        let before = scene.shown();
        let later = scene.retract(&["--yes", "--since", "2026-01-03"]);
        assert_eq!((later.code, later.writes, scene.shown()), (0, 0, before), "{}", later.output);
        insta::allow_duplicates! {
            insta::assert_snapshot!(scene.plain(&later.output), @"
            3 threads of ours from before that time: left.
            The summary was first written before that time, and no thread of ours is newer: left, with label and check. What it tells without a thread may be newer; without --since all of it is taken back.
            Nothing to retract on URL.
            ");
        }
        assert_eq!(scene.retract(&["--yes", "--since", "2026-01-02"]).code, 0);
        assert_eq!((scene.fake.threads().len(), scene.fake.comments().len()), (0, 0));
    });
    let mut scene = Scene::new(On::GitLab);
    let wrong = scene.retract(&["--since", "yesterday"]);
    assert_eq!(wrong.code, 2);
    insta::assert_snapshot!(wrong.output, @"
    error: --since cannot be read
      it is neither a day, nor a moment, nor how long ago
      fix: Write it like 2026-11-20, 2026-11-20T14:30:00Z, 90m, 12h, 3d or 2w (days and moments in UTC).
    ");
}

/// Between the two rounds of [`later_round`].
const BETWEEN: [&str; 2] = ["--since", "2026-01-02T00:10:00Z"];

/// One that was reviewed, and again much later, with one finding more.
fn later_round(on: On) -> Scene {
    let mut scene = Scene::reviewed(on);
    // The fakes' clock goes on with what happens there.
    (0..100).for_each(|_| drop(scene.fake.human_comment(DEV, "Meanwhile.")));
    scene.fake.repo().write("app.py", format!("{CODE}\n\ndef delete(url):\n    return requests.delete(url, timeout=9, verify=False)\n"));
    scene.fake.repo().commit("more");
    scene.fake.push();
    let url = scene.fake.url();
    let ran = scene.run(&["review", "--no-progress", "--post", "--url", &url], KEY);
    assert_eq!((ran.code, scene.fake.threads().len()), (1, 4), "{}", ran.output);
    scene
}

fn summary(scene: &Scene) -> String {
    let body = scene.fake.comments().into_iter().find(|c| c.author == BOT).expect("a summary").body;
    body.split("<!-- tribune:").next().expect("text").to_owned()
}

#[test]
fn an_older_summary_ends_true() {
    on_both(|on| {
        let mut scene = later_round(on);
        let listed = scene.retract(&BETWEEN);
        insta::allow_duplicates! {
            insta::assert_snapshot!(scene.plain(&listed.output), @"
            3 threads of ours from before that time: left.
            To be retracted on URL:
              remove        label `tribune: significant concerns`
              make neutral  check at HEAD
              rewrite       summary comment of 2026-01-02
              delete        thread app.py:19 of 2026-01-02, “Keep certificate verification on”
            Nothing was written. Run it again with --yes to do it.
            ");
        }
        let done = scene.retract(&[&["--yes"][..], &BETWEEN].concat());
        assert_eq!((done.code, scene.fake.threads().len()), (0, 3), "{}", done.output);
        insta::allow_duplicates! {
            insta::assert_snapshot!(summary(&scene), @"
            **Retracted in part.** tribune posted comments here by mistake and takes them back. What it said before them stands:

            - Critical: Do not pass untrusted text to a shell, `app.py`
            - Important: Give every HTTP request a timeout, `app.py`
            - Important: Keep certificate verification on, `app.py`

            The gate and the verdict are open until the next run, which reviews everything again.
            ");
        }
        assert_eq!((scene.fake.labels(), scene.fake.violations()), (Vec::<String>::new(), Vec::new()));
        let again = scene.retract(&[&["--yes"][..], &BETWEEN].concat());
        assert_eq!((again.code, again.writes), (0, 0), "{}", again.output);

        // The next run takes nothing for done, though nothing was pushed, and says all of it anew.
        let url = scene.fake.url();
        let anew = scene.run(&["review", "--no-progress", "--post", "--url", &url], KEY);
        assert_eq!((anew.code, scene.fake.threads().len(), scene.fake.labels().len()), (1, 4, 1), "{}", anew.output);
        assert!(summary(&scene).contains("1 new, 3 persisting"), "{}", summary(&scene));
    });
}

#[test]
fn a_part_that_was_killed_at_any_write_is_finished_by_the_next() {
    on_both(|on| {
        let mut undisturbed = later_round(on);
        let writes = undisturbed.retract(&[&["--yes"][..], &BETWEEN].concat()).writes;
        let wanted = (undisturbed.shown(), summary(&undisturbed));
        for write in 1..=writes {
            let mut scene = later_round(on);
            scene.fake.reset_counters();
            scene.fake.fault(Fault::KillAfterWrite(write));
            scene.retract(&[&["--yes"][..], &BETWEEN].concat());
            scene.fake.heal();
            assert_eq!(scene.retract(&[&["--yes"][..], &BETWEEN].concat()).code, 0);
            assert_eq!((scene.shown(), summary(&scene)), wanted, "killed at write {write} on {on:?}");
        }
    });
}

#[test]
fn pages_to_the_end() {
    on_both(|on| {
        let mut scene = Scene::new(on);
        let kind = scene.fake.kind();
        let (host, rest) =
            scene.fake.url().strip_prefix("http://").and_then(|u| u.split_once('/')).map(|(h, r)| (h.to_owned(), r.to_owned())).expect("a URL");
        let (host, project) = match on {
            On::GitLab => (format!("{host}/gitlab"), rest.trim_start_matches("gitlab/").split("/-/").next().unwrap_or_default().to_owned()),
            On::GitHub => (host, rest.split("/pull/").next().unwrap_or_default().to_owned()),
        };
        let target = Target { forge: kind, host, project, number: 7 };
        let ours = [scene.fake.user_id(BOT)];
        let trust = Trust { key: Some(KEY.as_bytes()), ours: &ours, target: &target };
        for number in 2..=131 {
            scene.fake.human_comment(BOT, &format!("Page {number}\n\n{}", marker(Kind::Summary(number), &[], "abcdef", &trust)));
        }
        scene.fake.human_comment(BOT, "Of another workflow, as the same user.");
        let listed = scene.retract(&[]);
        assert_eq!(listed.output.matches("  delete ").count(), 130, "{}", listed.output);
        // GitHub's limit on writes would make this one last for minutes.
        if matches!(on, On::GitLab) {
            assert_eq!((scene.retract(&["--yes"]).writes, scene.fake.comments().len()), (130, 1));
        }
    });
}

#[test]
fn a_token_that_may_not_is_told_what_it_lacks() {
    on_both(|on| {
        let scene = Scene::reviewed(on);
        let (url, before) = (scene.fake.url(), scene.shown());
        let repo = scene.fake.repo();
        let mut command = tribune(&repo.dir, repo.outside.path());
        command.envs(scene.fake.env(Rights::Read).into_iter().filter(|(name, _)| by_hand(name))).env("TRIBUNE_STATE_KEY", KEY);
        let done = Done::of(command.args(["retract", "--yes", "--url", &url]));
        assert_eq!((done.code, scene.shown()), (4, before), "{}", done.stderr);
        let lacks = match on {
            On::GitLab => "lacks the scope `api`",
            On::GitHub => "lacks `pull-requests: write`",
        };
        assert!(done.stderr.contains(lacks), "{}", done.stderr);
    });
}
