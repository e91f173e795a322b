//! Comments, answers, labels, approvals, statuses.

use super::*;
use forge::{AUTHOR, BOT, DEV, Fault};
use tribune::forge::{Check, Conclusion};

#[tokio::test]
async fn a_comment_is_written_edited_and_deleted() {
    let fake = sample();
    let client = client(&fake, Rights::Write).await;
    let id = client.comment("one\n\n<!-- tribune:v1 a -->").await.expect("written");
    client.edit_comment(&id, "two").await.expect("edited");
    assert_eq!(fake.comments().iter().map(|c| (c.id.as_str(), c.body.as_str())).collect::<Vec<_>>(), [(id.as_str(), "two")]);
    client.delete_comment(&id).await.expect("deleted");
    client.delete_comment(&id).await.expect("gone already");
    assert!(fake.comments().is_empty());
}

#[tokio::test]
async fn lost_answers_double_no_comment() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    // A stranger's copy is not taken for ours.
    fake.human_comment(DEV, "same text");
    fake.fault(Fault::LoseAnswer(1));
    let id = client.comment("same text").await.expect("found again");
    let ours: Vec<_> = fake.comments().into_iter().filter(|c| c.author == BOT).collect();
    assert_eq!((ours.len(), &ours[0].id), (1, &id));
    let thread = fake.human_thread(DEV, "edited.py", 10, "why?");
    let thread = client.conversation().await.expect("read").threads.into_iter().find(|t| t.id == thread).expect("it");
    fake.heal();
    fake.fault(Fault::LoseAnswer(1));
    client.reply(&thread, "because").await.expect("found again");
    assert_eq!(fake.threads()[0].bodies.len(), 2);
}

#[tokio::test]
async fn threads_are_answered_resolved_and_removed() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    let mr = request(client.as_ref()).await;
    let files = files(&fake);
    let new: Vec<_> = [10, 11].map(|n| thread(&files, "edited.py", Some((Side::New, n, n)), &format!("line {n}"))).to_vec();
    client.open_threads(&mr, &new).await.expect("posted");
    let threads = client.conversation().await.expect("read").threads;
    client.edit_thread(&threads[0], "edited").await.expect("edited");
    client.reply(&threads[0], "answer").await.expect("answered");
    assert_eq!(client.resolve(&threads[0]).await, Ok(true));
    insta::assert_snapshot!(shown(&fake), @"
    edited.py New 10: edited (resolved)
    edited.py New 11: line 11
    ");
    // Nobody answered: it goes. Somebody did: it is folded.
    client.remove_thread(&threads[1]).await.expect("removed");
    fake.human_resolve(DEV, &threads[0].id, false);
    fake.human_reply(DEV, &threads[0].id, "hm");
    let threads = client.conversation().await.expect("read").threads;
    client.remove_thread(&threads[0]).await.expect("folded");
    insta::assert_snapshot!(shown(&fake), @"edited.py New 10: edited (resolved)");
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn labels_and_approvals_follow_the_head() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    let head = request(client.as_ref()).await.head_sha;
    client.label(&["a".into(), "b".into()], &[]).await.expect("set");
    client.label(&["c".into()], &["a".into()]).await.expect("set");
    client.label(&[], &[]).await.expect("nothing to do");
    assert_eq!(fake.labels(), ["b", "c"]);
    client.unapprove().await.expect("there is none");
    client.approve(&head).await.expect("approved");
    client.approve(&head).await.expect("approved already");
    assert_eq!(fake.approvals(), [BOT]);
    client.unapprove().await.expect("taken back");
    assert!(fake.approvals().is_empty());
    fake.fault(Fault::MoveHeadAt(1));
    assert!(matches!(client.approve(&head).await, Err(ForgeError::Conflict(_))));
    fake.set_role(BOT, "reader");
    let refused = client.approve(&head).await.expect_err("no role").to_string();
    assert!(refused.contains("role Developer"), "{refused}");
    assert_ne!(AUTHOR, BOT);
}

#[tokio::test]
async fn a_status_is_set_once_and_changed() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    let head = request(client.as_ref()).await.head_sha;
    let check = |conclusion| Check {
        head: head.clone(),
        conclusion,
        title: "x".repeat(300),
        summary: String::new(),
        annotations: Vec::new(),
        unverified: false,
    };
    assert_eq!(client.check(&check(Conclusion::Failure)).await, Ok(true));
    assert_eq!(client.check(&check(Conclusion::Failure)).await, Ok(true));
    assert_eq!(fake.checks(), [("tribune".to_owned(), "failed".to_owned())]);
    assert_eq!(client.check(&check(Conclusion::Neutral)).await, Ok(true));
    assert_eq!(fake.checks(), [("tribune".to_owned(), "skipped".to_owned())]);
    fake.set_role(BOT, "reader");
    assert_eq!(client.check(&check(Conclusion::Success)).await, Ok(false));
}

#[tokio::test]
async fn changes_are_requested_where_the_version_can() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    let head = request(client.as_ref()).await.head_sha;
    client.request_changes(&head, "").await.expect("requested");
    fake.leave_unfinished("edited.py", 10, "a person's own draft");
    assert!(matches!(client.request_changes(&head, "").await, Err(ForgeError::Refused(_))));
    assert_eq!((fake.unfinished(), fake.threads().len()), (1, 0));
    assert!(matches!(client.request_changes("0000", "").await, Err(ForgeError::Conflict(_))));
}
