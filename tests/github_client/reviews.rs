//! New threads: chunks, halves, the ladder, limits.

use super::*;
use forge::{BOT, Fault};
use tribune::forge::Posted;

fn on_lines(posted: &[Posted]) -> usize {
    posted.iter().filter(|p| **p == Posted::OnLines).count()
}

#[tokio::test]
async fn threads_stand_on_their_lines_in_one_review() {
    let fake = sample();
    let client = client(&fake, Rights::Job).await;
    let mr = request(client.as_ref()).await;
    let files = files(&fake);
    let new = [
        thread(&files, "edited.py", Some((Side::New, 10, 11)), "a range"),
        thread(&files, "edited.py", Some((Side::Old, 30, 30)), "a removed line"),
        thread(&files, "edited.py", Some((Side::New, 9, 9)), "context"),
        thread(&files, "new name.py", Some((Side::New, 5, 5)), "renamed"),
        thread(&files, "gone.py", Some((Side::Old, 2, 3)), "deleted"),
        thread(&files, "edited.py", Some((Side::New, 20, 20)), "in no hunk"),
        thread(&files, "fresh.py", None, "on the file"),
    ];
    let before = fake.writes();
    let posted = client.open_threads(&mr, &new).await.expect("posted");
    assert_eq!((on_lines(&posted), posted.iter().filter(|p| **p == Posted::OnFile).count()), (5, 2));
    insta::assert_snapshot!(shown(&fake), @"
    edited.py New 10-11: a range
    edited.py Old 30: a removed line
    edited.py New 9: context
    new name.py New 5: renamed
    gone.py Old 2-3: deleted
    edited.py New file: in no hunk
    fresh.py New file: on the file
    ");
    assert_eq!((fake.writes() - before, fake.violations()), (3, Vec::<String>::new()));
    let read = client.conversation().await.expect("read").threads;
    let places: Vec<_> = read.iter().map(|t| t.place.as_ref().and_then(|p| p.line)).collect();
    assert_eq!(places, [Some((11, Side::New)), Some((30, Side::Old)), Some((9, Side::New)), Some((5, Side::New)), Some((3, Side::Old)), None, None]);
    assert!(read.iter().all(|t| t.resolvable && !t.resolved && t.comments[0].author.id == fake.user_id(BOT)));
}

#[tokio::test]
async fn five_hundred_threads_of_which_the_server_refuses_twenty_lose_none() {
    let many = |n: u32| (1..=n).map(|n| format!("line {n}\n")).collect::<String>();
    let mut fake = FakeGitHub::start(&Start { change: &|r| r.write("many.py", many(500)), ..Start::default() });
    fake.set_minute(Duration::from_secs(1));
    let client = client(&fake, Rights::Job).await;
    let mr = request(client.as_ref()).await;
    let files = files(&fake);
    let new: Vec<_> = (1..=500).map(|n| thread(&files, "many.py", Some((Side::New, n, n)), &format!("line {n}"))).collect();
    fake.fault(Fault::RefuseEvery(25));
    fake.fault(Fault::Status { request: 5, status: 403, retry_after: Some(0) });
    fake.fault(Fault::Status { request: 9, status: 429, retry_after: Some(0) });
    let posted = client.open_threads(&mr, &new).await.expect("posted");
    let (lines, file) = (on_lines(&posted), posted.iter().filter(|p| **p == Posted::OnFile).count());
    assert_eq!((lines, lines + file + posted.iter().filter(|p| matches!(p, Posted::Refused(_))).count()), (480, 500));
    let mut bodies: Vec<_> = fake.threads().into_iter().map(|t| t.bodies[0].1.clone()).collect();
    let all = bodies.len();
    bodies.sort();
    bodies.dedup();
    assert_eq!((bodies.len(), all), (lines + file, lines + file), "none twice");
    assert!(fake.busiest_minute() <= 80, "{} writes in a minute", fake.busiest_minute());
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_range_goes_to_its_line_then_to_the_file() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    let mr = request(client.as_ref()).await;
    let files = files(&fake);
    let mut crossing = thread(&files, "edited.py", Some((Side::New, 11, 28)), "two hunks");
    // As if it had been checked wrongly: the server finds that out.
    crossing.span.as_mut().expect("lines").in_hunk = true;
    let good = thread(&files, "fresh.py", Some((Side::New, 1, 1)), "good");
    let posted = client.open_threads(&mr, &[crossing, good.clone()]).await.expect("posted");
    assert_eq!(posted, [Posted::OnLines, Posted::OnLines]);
    fake.fault(Fault::RefuseEvery(1));
    let posted = client.open_threads(&mr, &[good]).await.expect("told");
    assert!(matches!(&posted[0], Posted::Refused(why) if why.contains("Line could not be resolved")), "{posted:?}");
    insta::assert_snapshot!(shown(&fake), @"
    fresh.py New 1: good
    edited.py New 28: two hunks
    ");
}

#[tokio::test]
async fn lost_answers_and_leftovers_double_no_thread() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    let mr = request(client.as_ref()).await;
    let files = files(&fake);
    let new = [thread(&files, "edited.py", Some((Side::New, 10, 10)), "ten"), thread(&files, "fresh.py", None, "file")];
    fake.leave_unfinished("fresh.py", 1, "old\n\n<!-- tribune:v1 old -->");
    fake.fault(Fault::LoseAnswer(2));
    fake.fault(Fault::LoseAnswer(3));
    assert_eq!(client.open_threads(&mr, &new).await, Ok(vec![Posted::OnLines, Posted::OnFile]));
    assert_eq!((fake.threads().len(), fake.unfinished()), (2, 0));
    fake.heal();
    // A person's own review that uses the same account is left alone, and nothing is lost without a word.
    fake.leave_unfinished("fresh.py", 1, "my own");
    let told = client.open_threads(&mr, &new).await.expect_err("nothing can be posted");
    assert!(told.to_string().contains("unpublished review"), "{told}");
    assert_eq!((fake.threads().len(), fake.unfinished()), (2, 1));
}

#[tokio::test]
async fn nothing_is_posted_on_another_head_or_target() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    let mr = request(client.as_ref()).await;
    let new = [thread(&files(&fake), "edited.py", Some((Side::New, 10, 10)), "ten")];
    fake.fault(Fault::MoveHeadAt(1));
    assert!(matches!(client.open_threads(&mr, &new).await, Err(ForgeError::Conflict(_))));
    let now = request(client.as_ref()).await;
    fake.retarget("release", true);
    assert!(matches!(client.open_threads(&now, &new).await, Err(ForgeError::Conflict(_))));
    assert_eq!((fake.writes(), fake.threads().len()), (0, 0));
    // It moves between the check and the first write: the server refuses, and that is looked into.
    let now = request(client.as_ref()).await;
    fake.heal();
    fake.fault(Fault::MoveHeadAt(2));
    assert!(matches!(client.open_threads(&now, &new).await, Err(ForgeError::Conflict(_))));
    assert_eq!(fake.threads().len(), 0);
}
