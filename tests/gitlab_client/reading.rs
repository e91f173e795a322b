//! What is read.

use super::*;
use forge::{AUTHOR, BOT, DEV, Fault, MAINTAINER, STRANGER};
use tribune::forge::{Provenance, Role, User};

#[tokio::test]
async fn a_merge_request_is_read_in_three_requests() {
    let mut fake = sample();
    let client = client(&fake, Rights::Read).await;
    fake.reset_counters();
    let mr = request(client.as_ref()).await;
    assert_eq!(fake.requests(), 3);
    let head = fake.repo().ask(&["rev-parse", "HEAD"]);
    let base = fake.repo().ask(&["rev-parse", "main"]);
    assert_eq!((mr.title.as_str(), mr.description.as_str(), mr.author.name.as_str()), ("Change files", "Why.\n\n<!-- hidden -->", AUTHOR));
    assert_eq!((mr.head_sha, mr.base_sha, mr.start_sha), (head, base.clone(), base));
    assert_eq!((mr.target_branch.as_str(), mr.default_branch.as_str(), mr.target_protected), ("main", "main", true));
    assert_eq!((mr.provenance, mr.changed_files, mr.draft, mr.open), (Provenance::Same, Some(4), false, true));
    assert_eq!(mr.head_ref, "refs/merge-requests/7/head");
    assert_eq!(mr.clone_url, format!("{}/gitlab/group/sub/project.git", fake.origin()));
    let target = client.target();
    assert_eq!((target.forge, target.project.as_str(), target.number), ("gitlab", "group/sub/project", 7));
    assert_eq!(target.host, format!("{}/gitlab", fake.origin().trim_start_matches("http://")));
    assert_eq!(client.link("abc", "a b/c#d.py", Some((1, 3))), format!("{}/gitlab/group/sub/project/-/blob/abc/a%20b/c%23d.py#L1-3", fake.origin()));
}

#[tokio::test]
async fn what_changes_is_seen() {
    let mut fake = sample();
    fake.set_draft(true);
    fake.set_threads_must_resolve(true);
    fake.retarget("release", false);
    fake.push_target(&[("README.md", "more\n")]);
    fake.human_label(DEV, "skip");
    let client = client(&fake, Rights::Read).await;
    let mr = request(client.as_ref()).await;
    assert_eq!((mr.draft, mr.threads_must_resolve, mr.target_branch.as_str(), mr.target_protected), (true, true, "release", false));
    assert_eq!(mr.labels, ["skip"]);
    assert_eq!(client.label_setter("skip").await.map(|u| u.map(|u| u.name)), Ok(Some(DEV.to_owned())));
    assert_eq!(client.label_setter("other").await, Ok(None));
    let fork = FakeGitLab::start(&Start { fork: true, ..Start::default() });
    let client = super::client(&fork, Rights::Read).await;
    assert_eq!(request(client.as_ref()).await.provenance, Provenance::Fork);
}

#[tokio::test]
async fn a_conversation_is_read_whole() {
    let mut fake = sample();
    for n in 0..130 {
        fake.human_comment(DEV, &format!("comment {n}"));
    }
    let edited = fake.human_comment(DEV, "before");
    fake.human_edit(DEV, &edited, "after");
    let thread = fake.human_thread(DEV, "edited.py", 10, "why?");
    fake.human_reply(AUTHOR, &thread, "because");
    fake.human_resolve(MAINTAINER, &thread, true);
    let client = client(&fake, Rights::Read).await;
    request(client.as_ref()).await;
    let conversation = client.conversation().await.expect("a conversation");
    assert_eq!(conversation.comments.len(), 131);
    let last = conversation.comments.last().expect("one");
    assert_eq!((last.body.as_str(), last.edited, conversation.comments[0].edited), ("after", true, false));
    let thread = &conversation.threads[0];
    assert_eq!((thread.resolvable, thread.resolved, thread.resolved_by.as_ref().map(|u| u.name.as_str())), (true, true, Some(MAINTAINER)));
    assert_eq!(
        thread.comments.iter().map(|c| (c.author.name.as_str(), c.body.as_str(), c.edited)).collect::<Vec<_>>(),
        [(DEV, "why?", false), (AUTHOR, "because", false)]
    );
    assert_eq!(thread.place.as_ref().map(|p| (p.path.as_str(), p.line)), Some(("edited.py", Some((10, Side::New)))));
}

#[tokio::test]
async fn threads_move_with_a_push_or_lose_their_line() {
    let mut fake = sample();
    fake.human_thread(DEV, "edited.py", 10, "stays");
    fake.human_thread(DEV, "edited.py", 11, "goes");
    let text = String::from_utf8(std::fs::read(fake.repo().path("edited.py")).expect("a file")).expect("UTF-8");
    fake.repo().write("edited.py", format!("above\nabove\n{}", text.replace("ten and a half\n", "11\n")));
    fake.repo().commit("more");
    fake.push();
    let client = client(&fake, Rights::Read).await;
    request(client.as_ref()).await;
    let threads = client.conversation().await.expect("a conversation").threads;
    let lines: Vec<_> = threads.iter().map(|t| t.place.as_ref().and_then(|p| p.line)).collect();
    assert_eq!(lines, [Some((12, Side::New)), None]);
    assert_eq!(threads[1].comments.iter().map(|c| c.system).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn roles_are_confirmed_and_bots_have_none() {
    let mut fake = sample();
    fake.set_role("guest", "reader");
    let client = client(&fake, Rights::Read).await;
    let role = async |name: &str| client.role(&User { id: fake.user_id(name), name: "x".into(), bot: false }).await;
    assert_eq!(role(DEV).await, Ok(Role::Developer));
    assert_eq!(role(MAINTAINER).await, Ok(Role::Maintainer));
    for name in ["guest", STRANGER, BOT] {
        assert_eq!(role(name).await, Ok(Role::Reader), "{name}");
    }
    assert_eq!(client.me().await.map(|u| u.map(|u| (u.id, u.bot))), Ok(Some((fake.user_id(BOT), true))));
}

#[tokio::test]
async fn the_api_s_diff_is_a_patch_that_says_what_it_lacks() {
    let mut fake = sample();
    fake.repo().write("big.txt", "0123456789abcdef\n".repeat(20_000));
    fake.repo().commit("big");
    fake.push();
    let client = client(&fake, Rights::Read).await;
    let raw = client.diff().await.expect("a diff");
    fake.fault(Fault::OldVersion);
    let listed = client.diff().await.expect("a diff");
    let names = |patch: &[u8]| {
        let files = tribune::diff::parse::parse(patch).expect("a patch").files;
        files.iter().map(|f| format!("{:?} {} {}", f.status, f.old_path, f.new_path)).collect::<Vec<_>>()
    };
    let (mut all, some) = (names(&raw.patch), names(&listed.patch));
    assert_eq!((all.len(), raw.missing.len()), (5, 0));
    all.retain(|f| !f.contains("big.txt"));
    assert_eq!(all, some);
    let missing: Vec<_> = listed.missing.iter().map(|(p, why)| format!("{p}: {why}")).collect();
    assert_eq!(missing, ["big.txt: GitLab gives no diff of it: it is too large"]);
}
