//! New threads: exact positions, and none lost or doubled whatever the server does.

use super::*;
use forge::{BOT, Fault};
use tribune::forge::Posted;

/// One thread of every kind.
fn every_kind(fake: &FakeGitLab) -> Vec<NewThread> {
    let files = files(fake);
    let at = |path: &str, lines, body: &str| thread(&files, path, lines, body);
    vec![
        at("edited.py", Some((Side::New, 10, 10)), "added"),
        at("edited.py", Some((Side::New, 9, 11)), "context to added"),
        at("edited.py", Some((Side::New, 12, 13)), "context"),
        at("edited.py", Some((Side::New, 22, 22)), "between hunks"),
        at("edited.py", Some((Side::Old, 30, 30)), "removed"),
        at("edited.py", Some((Side::Old, 10, 10)), "replaced"),
        at("new name.py", Some((Side::New, 5, 5)), "renamed"),
        at("fresh.py", Some((Side::New, 1, 4)), "new file"),
        at("gone.py", Some((Side::Old, 2, 3)), "deleted file"),
        at("edited.py", None, "whole file"),
    ]
}

const ALL: &str = "\
edited.py New 10: added
edited.py New 9-11: context to added
edited.py New 12-13: context
edited.py New 22: between hunks
edited.py Old 30: removed
edited.py Old 10: replaced
new name.py New 5: renamed
fresh.py New 1-4: new file
gone.py Old 2-3: deleted file
edited.py New file: whole file";

#[tokio::test]
async fn stand_on_their_lines() {
    for old in [false, true] {
        let mut fake = sample();
        if old {
            fake.fault(Fault::OldVersion);
        }
        let client = client(&fake, Rights::Write).await;
        let (mr, threads) = (request(client.as_ref()).await, every_kind(&fake));
        fake.reset_counters();
        let posted = client.open_threads(&mr, &threads).await.expect("posted");
        assert_eq!(posted.iter().filter(|p| **p == Posted::OnLines).count(), 9, "{posted:?}");
        assert_eq!(posted[9], Posted::OnFile);
        assert_eq!(shown(&fake), ALL);
        assert_eq!((fake.unfinished(), fake.violations()), (0, Vec::new()));
        // Versions, then drafts: leftovers, ten drafts, published once, read back. Else one discussion each.
        assert_eq!((fake.requests(), fake.writes()), if old { (12, 10) } else { (14, 11) });
        assert!(fake.threads().iter().all(|t| t.author == BOT && t.head == mr.head_sha));
    }
}

#[tokio::test]
async fn that_are_refused_go_down_the_ladder() {
    for (old, every) in [(false, 1), (false, 2), (false, 3), (true, 1), (true, 2), (true, 3)] {
        let mut fake = sample();
        if old {
            fake.fault(Fault::OldVersion);
        }
        fake.fault(Fault::RefuseEvery(every));
        let client = client(&fake, Rights::Write).await;
        let (mr, threads) = (request(client.as_ref()).await, every_kind(&fake));
        let posted = client.open_threads(&mr, &threads).await.expect("told");
        let standing = posted.iter().filter(|p| !matches!(p, Posted::Refused(_))).count();
        let views = fake.threads();
        assert_eq!((views.len(), fake.unfinished()), (standing, 0), "old {old}, every {every}: {posted:?}");
        for (thread, posted) in threads.iter().zip(&posted) {
            let found: Vec<_> = views.iter().filter(|v| v.bodies[0].1.trim() == thread.body).collect();
            match posted {
                Posted::OnLines => assert!(found.len() == 1 && found[0].line.is_some(), "{posted:?} {found:?}"),
                Posted::OnFile => assert!(found.len() == 1 && found[0].line.is_none(), "{posted:?} {found:?}"),
                Posted::Refused(_) => assert!(found.is_empty()),
            }
        }
        assert_eq!(standing == 0, every == 1);
    }
}

#[tokio::test]
async fn lost_answers_double_nothing() {
    for old in [false, true] {
        for write in 1..=12 {
            let mut fake = sample();
            if old {
                fake.fault(Fault::OldVersion);
            }
            let client = client(&fake, Rights::Write).await;
            let (mr, threads) = (request(client.as_ref()).await, every_kind(&fake));
            fake.fault(Fault::LoseAnswer(write));
            client.open_threads(&mr, &threads).await.expect("posted");
            let mut lines: Vec<String> = shown(&fake).lines().map(str::to_owned).collect();
            let mut all: Vec<&str> = ALL.lines().collect();
            lines.sort();
            all.sort_unstable();
            assert_eq!(lines, all, "old {old}, write {write}");
            assert_eq!(fake.unfinished(), 0);
        }
    }
}

#[tokio::test]
async fn leftovers_of_ours_are_used_up_and_others_stay() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    let (mr, threads) = (request(client.as_ref()).await, every_kind(&fake));
    // A run that was killed after some drafts.
    fake.fault(Fault::KillAfterWrite(4));
    client.open_threads(&mr, &threads).await.expect_err("killed");
    fake.heal();
    assert_eq!((fake.unfinished(), fake.threads().len()), (4, 0));
    fake.leave_unfinished("edited.py", 10, "of an older run <!-- tribune:v1 old -->");
    fake.leave_unfinished("edited.py", 11, "a person's own draft");
    client.open_threads(&mr, &threads).await.expect("posted");
    let mut lines: Vec<String> = shown(&fake).lines().map(str::to_owned).collect();
    let mut all: Vec<&str> = ALL.lines().collect();
    lines.sort();
    all.sort_unstable();
    assert_eq!(lines, all);
    // The person's.
    assert_eq!(fake.unfinished(), 1);
}

#[tokio::test]
async fn on_an_old_version_are_not_written() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    let (mr, threads) = (request(client.as_ref()).await, every_kind(&fake));
    fake.fault(Fault::MoveHeadAt(1));
    let error = client.open_threads(&mr, &threads).await.expect_err("moved");
    assert!(matches!(&error, ForgeError::Conflict(why) if why.contains(&mr.head_sha)), "{error}");
    assert_eq!((fake.threads().len(), fake.unfinished(), fake.writes()), (0, 0, 0));
    // A retarget changes the base under the same head.
    let mr = request(client.as_ref()).await;
    fake.push_target(&[("x", "y")]);
    fake.repo().git(&["fetch", "-q", "origin"]);
    let mut fake2 = sample();
    let client = super::client(&fake2, Rights::Write).await;
    let mr2 = request(client.as_ref()).await;
    fake2.push_target(&[("x", "y")]);
    fake2.repo().git(&["merge", "-q", "origin/main"]);
    fake2.push();
    assert!(matches!(client.open_threads(&mr2, &threads).await, Err(ForgeError::Conflict(_))));
    assert_ne!(mr.head_sha, mr2.head_sha);
}
