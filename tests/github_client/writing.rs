//! Comments, answers, resolving, labels, verdicts, checks.

use super::*;
use forge::{BOT, DEV, Fault};
use tribune::forge::{Annotation, Check, Conclusion};

#[tokio::test]
async fn a_comment_is_written_once_edited_and_deleted() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    // A stranger's copy is not taken for ours.
    fake.human_comment(DEV, "one");
    fake.fault(Fault::LoseAnswer(1));
    let id = client.comment("one").await.expect("found again");
    client.edit_comment(&id, "two").await.expect("edited");
    let ours: Vec<_> = fake.comments().into_iter().filter(|c| c.author == BOT).collect();
    assert_eq!((ours.len(), &ours[0].id, ours[0].body.as_str()), (1, &id, "two"));
    client.delete_comment(&id).await.expect("deleted");
    client.delete_comment(&id).await.expect("gone already");
    assert_eq!(fake.comments().len(), 1);
}

#[tokio::test]
async fn threads_are_resolved_where_the_token_may_and_else_folded() {
    let mut fake = sample();
    for (rights, may) in [(Rights::Write, true), (Rights::Job, false)] {
        let client = client(&fake, rights).await;
        let mr = request(client.as_ref()).await;
        let new = [thread(&files(&fake), "edited.py", Some((Side::New, 10, 10)), &format!("{rights:?}"))];
        client.open_threads(&mr, &new).await.expect("posted");
        let of_now = |all: Vec<tribune::forge::Thread>| all.into_iter().next_back().expect("a thread");
        let opened = of_now(client.conversation().await.expect("read").threads);
        fake.fault(Fault::LoseAnswer(1));
        client.reply(&opened, "answer").await.expect("found again");
        fake.heal();
        assert_eq!(client.resolve(&opened).await, Ok(may), "{rights:?}");
        client.edit_thread(&opened, &format!("{rights:?} fixed")).await.expect("edited");
        let now = of_now(client.conversation().await.expect("read").threads);
        assert_eq!((now.resolved, now.comments.len(), now.comments[0].edited), (may, 2, true));
        assert_eq!(now.resolved_by.map(|u| u.id), may.then(|| fake.user_id(BOT)));
    }
    assert_eq!(fake.folded(), ["Job fixed"]);
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_thread_is_removed_or_folded_where_others_have_answered() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    let mr = request(client.as_ref()).await;
    let files = files(&fake);
    let new: Vec<_> = [10, 11].map(|n| thread(&files, "edited.py", Some((Side::New, n, n)), &format!("line {n}"))).to_vec();
    client.open_threads(&mr, &new).await.expect("posted");
    let threads = client.conversation().await.expect("read").threads;
    fake.human_reply(DEV, &threads[0].id, "hm");
    for thread in client.conversation().await.expect("read").threads {
        client.remove_thread(&thread).await.expect("removed");
    }
    assert_eq!((shown(&fake).as_str(), fake.folded()), ("edited.py New 10: line 10", vec!["line 10".to_owned()]));
}

#[tokio::test]
async fn verdicts_follow_the_head_and_are_taken_back() {
    let mut fake = sample();
    let actions = client(&fake, Rights::Job).await;
    let client = client(&fake, Rights::Write).await;
    let head = request(client.as_ref()).await.head_sha;
    client.unapprove().await.expect("there is none");
    for _ in 0..2 {
        client.approve(&head).await.expect("approved");
        assert_eq!(fake.approvals(), [BOT]);
    }
    client.unapprove().await.expect("taken back");
    assert!(fake.approvals().is_empty());
    client.request_changes(&head, "").await.expect("requested");
    client.unapprove().await.expect("taken back");
    let told = actions.approve(&head).await.expect_err("not by Actions").to_string();
    assert!(told.contains("allows it"), "{told}");
    client.label(&["a b".into()], &["none".into()]).await.expect("set");
    assert_eq!(fake.labels(), ["a b"]);
    fake.fault(Fault::MoveHeadAt(1));
    assert!(matches!(client.approve(&head).await, Err(ForgeError::Conflict(_))));
}

#[tokio::test]
async fn a_check_is_written_once_with_all_its_annotations() {
    let fake = sample();
    let actions = client(&fake, Rights::Job).await;
    let head = request(actions.as_ref()).await.head_sha;
    let annotation = |n: u32| Annotation { path: "edited.py".into(), lines: (n, n), fails: n == 1, title: format!("{n}"), body: "é".repeat(40_000) };
    let mut check = Check {
        head,
        conclusion: Conclusion::Failure,
        title: "x".repeat(300),
        summary: "s".into(),
        annotations: (1..=120).map(annotation).collect(),
        unverified: false,
    };
    assert_eq!(actions.check(&check).await, Ok(true));
    assert_eq!((fake.writes(), fake.checks()), (3, vec![("tribune findings".to_owned(), "failure".to_owned())]));
    assert_eq!(actions.check(&check).await, Ok(true));
    assert_eq!(fake.writes(), 3, "the same again is not written again");
    (check.conclusion, check.annotations) = (Conclusion::Neutral, Vec::new());
    assert_eq!(actions.check(&check).await, Ok(true));
    assert_eq!(fake.checks(), [("tribune findings".to_owned(), "neutral".to_owned())]);
    let mut env = fake.env(Rights::None);
    env.push(("GITHUB_TOKEN".into(), format!("ghp_of-{DEV}")));
    let person = client_in(env, None).await.expect("a client");
    assert_eq!(person.check(&Check { conclusion: Conclusion::Success, ..check }).await, Ok(false), "a person's token writes no checks");
}

#[tokio::test]
async fn a_limit_that_only_its_words_tell_is_waited_out_and_no_missing_permission() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    fake.fault(Fault::Status { request: 1, status: 403, retry_after: None });
    client.comment("one").await.expect("written after a minute");
    assert_eq!((fake.comments().len(), fake.violations()), (1, Vec::<String>::new()));
    fake.fault(Fault::Status { request: 1, status: 403, retry_after: Some(3600) });
    assert_eq!(client.comment("two").await, Err(ForgeError::RateLimited(Duration::from_secs(3600))));
}
