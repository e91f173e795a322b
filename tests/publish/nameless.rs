//! A forge that does not say whose token this is: what stands there cannot be told from what others wrote.

use super::*;
use crate::forge::{BOT, Fault, Rights};
use crate::scene::STATE_KEY;

#[test]
fn where_nobody_says_who_we_are_nothing_is_posted_twice() {
    // Closed for good, and failing for now. The token of Actions is told its user by GraphQL alone.
    for (status, said) in [(404, "it cannot be told which comments are ours"), (502, "the forge could not read the merge request")] {
        let mut scene = Scene::new(Kind::GitHub, Jobs::One);
        scene.rights = Rights::Job;
        scene.fake.fault(Fault::Closed { path: "graphql", status });
        // Nothing stands there yet, so nothing can be doubled.
        assert_eq!((scene.round().code, scene.fake.threads().len()), (1, 2));
        scene.fake.repo().write("README.md", "# More\n");
        scene.push("on");
        let round = scene.round();
        assert_eq!((round.code, round.writes, round.threads.len()), (4, 0, 2), "{}", round.output);
        assert!(round.output.contains(said), "{}", round.output);
    }
}

#[test]
fn its_id_by_hand_is_enough() {
    let mut scene = Scene::new(Kind::GitHub, Jobs::One);
    scene.rights = Rights::Job;
    scene.fake.fault(Fault::Closed { path: "graphql", status: 404 });
    let id = scene.fake.user_id(BOT).to_string();
    for _ in 0..2 {
        let env = scene.env(Rights::Job, &[STATE_KEY, ("TRIBUNE_BOT_ID", &id)]);
        let job = scene.job(&["review", "--no-progress"], &env);
        assert_eq!(job.code, 1, "{}", job.output);
        scene.fake.repo().write("README.md", "# More\n");
        scene.push("on");
        assert_eq!((scene.fake.threads().len(), scene.fake.comments().len()), (2, 1));
    }
}
