//! Somebody pushes at every moment of a run: nothing is lost, and nothing stands on a version that nobody reviewed.

use super::*;
use crate::forge::Fault;

/// What a finding is known by where it is told in full.
const TOLD: [&str; 2] = ["**Critical: Do not pass untrusted text to a shell**", "**Important: Give every HTTP request a timeout**"];

fn moves_at_every_request(kind: Kind, prepare: impl Fn(&mut Scene), open: usize) {
    let mut undisturbed = Scene::new(kind, Jobs::One);
    prepare(&mut undisturbed);
    let requests = undisturbed.round().requests;
    let (mut before, mut after) = (0, 0);
    for at in 1..=requests {
        let mut scene = Scene::new(kind, Jobs::One);
        prepare(&mut scene);
        let reviewed = scene.fake.repo().ask(&["rev-parse", "HEAD"]);
        let stood = page(&scene);
        scene.fake.reset_counters();
        scene.fake.fault(Fault::MoveHeadAt(at));
        let round = scene.round();
        if round.writes == 0 {
            // The new head has a run of its own.
            assert_eq!(round.code, 4, "moved at {at}: {}", round.output);
            assert_eq!(page(&scene).lines().count(), stood.lines().count());
            before += 1;
            continue;
        }
        after += 1;
        assert_eq!(round.code, 1, "moved at {at}: {}", round.output);
        let summary = round.summary.expect("a summary");
        assert!(summary.contains(&format!("`{}`", &reviewed[..12])), "moved at {at}: {summary}");
        for told in TOLD {
            let threads = round.threads.iter().filter(|t| t.bodies[0].1.starts_with(told)).count();
            assert!(threads == 1 || (threads == 0 && summary.contains(told)), "moved at {at}: {told}: {threads}\n{summary}");
        }
        let new = round.threads.iter().skip(2 - open);
        assert!(new.into_iter().all(|t| t.head == reviewed), "moved at {at}: {:?}", round.threads);
    }
    assert!(before > 3 && after > 0, "{before} before and {after} after the first write");
}

#[test]
fn in_a_first_round() {
    for kind in BOTH {
        moves_at_every_request(kind, |_| {}, 2);
    }
}

#[test]
fn in_a_later_round_that_opens_no_thread() {
    let later = |scene: &mut Scene| {
        assert_eq!(scene.round().code, 1);
        scene.fake.repo().write("README.md", "# More\n");
        scene.push("on");
    };
    for kind in BOTH {
        moves_at_every_request(kind, later, 0);
    }
}
