//! The pull request, its diff, its people, and which one a run is about.

use super::*;
use forge::{AUTHOR, DEV, MAINTAINER, STRANGER};
use tribune::forge::{HeadOf, Kind, Provenance, Role, Token};

#[tokio::test]
async fn a_pull_request_is_read_in_four_requests() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    fake.set_threads_must_resolve(true);
    fake.reset_counters();
    let mr = request(client.as_ref()).await;
    assert_eq!(fake.requests(), 4);
    assert_eq!((mr.title.as_str(), mr.description.as_str(), mr.changed_files), ("Change files", "Why.\n\n<!-- hidden -->", Some(4)));
    assert_eq!((mr.base_sha, mr.head_sha), (fake.repo().ask(&["rev-parse", "main"]), fake.repo().ask(&["rev-parse", "topic"])));
    assert_eq!((mr.target_protected, mr.threads_must_resolve, mr.provenance, mr.author.id), (true, true, Provenance::Same, fake.user_id(AUTHOR)));
    assert_eq!((mr.head_ref.as_str(), mr.clone_url), ("refs/pull/7/head", format!("{}/octo/app.git", fake.origin())));
    assert_eq!(client.me().await.expect("told").map(|u| u.id), Some(fake.user_id(forge::BOT)));
    assert_eq!(fake.requests(), 4, "whose token it is was told with the pull request");
}

#[tokio::test]
async fn the_diff_is_git_s_and_past_its_limit_the_files_are_listed() {
    let fake = sample();
    let client = client(&fake, Rights::Read).await;
    let whole = client.diff().await.expect("a diff");
    let parsed = tribune::diff::parse::parse(&whole.patch).expect("a patch");
    assert_eq!(parsed.files.len(), 4);
    fake.set_max_diff_lines(3);
    let listed = client.diff().await.expect("a list");
    insta::assert_snapshot!(String::from_utf8_lossy(&listed.patch), @r#"
    diff --git a/edited.py b/edited.py
    --- a/edited.py
    +++ b/edited.py
    @@ -7,7 +7,8 @@ line 6
     line 7
     line 8
     line 9
    -line 10
    +ten
    +ten and a half
     line 11
     line 12
     line 13
    @@ -27,7 +28,6 @@ line 26
     line 27
     line 28
     line 29
    -line 30
     line 31
     line 32
     line 33
    diff --git a/fresh.py b/fresh.py
    new file mode 100644
    --- /dev/null
    +++ b/fresh.py
    @@ -0,0 +1,4 @@
    +line 1
    +line 2
    +line 3
    +line 4
    diff --git a/gone.py b/gone.py
    deleted file mode 100644
    --- a/gone.py
    +++ /dev/null
    @@ -1,5 +0,0 @@
    -bye
    -bye
    -bye
    -bye
    -bye
    diff --git "a/old name.py" "b/new name.py"
    rename from "old name.py"
    rename to "new name.py"
    --- "a/old name.py"
    +++ "b/new name.py"
    @@ -2,7 +2,7 @@ line 1
     line 2
     line 3
     line 4
    -line 5
    +five
     line 6
     line 7
     line 8
    "#);
    let again = tribune::diff::parse::parse(&listed.patch).expect("a patch");
    assert_eq!(again.files.iter().map(|f| f.changed_lines()).collect::<Vec<_>>(), [4, 4, 5, 2]);
}

#[tokio::test]
async fn roles_are_the_forge_s_and_bound_to_ids() {
    let mut fake = sample();
    let client = client(&fake, Rights::Job).await;
    let user = |name: &str, id| tribune::forge::User { id, name: name.to_owned(), bot: false };
    for (name, role) in [(DEV, Role::Developer), (MAINTAINER, Role::Maintainer), (STRANGER, Role::Reader), ("nobody", Role::Reader)] {
        let id = if name == "nobody" { 1 } else { fake.user_id(name) };
        assert_eq!(client.role(&user(name, id)).await, Ok(role), "{name}");
    }
    // The login has passed to somebody else.
    assert_eq!(client.role(&user(MAINTAINER, 1)).await, Ok(Role::Reader));
    fake.human_label(DEV, "skip");
    assert_eq!(client.label_setter("skip").await.expect("told").map(|u| u.id), Some(fake.user_id(DEV)));
    assert_eq!(client.label_setter("other").await, Ok(None));
    client.label(&[], &["skip".into()]).await.expect("removed");
    assert_eq!(client.label_setter("skip").await, Ok(None));
}

#[tokio::test]
async fn a_fork_s_finished_run_finds_its_one_open_pull_request() {
    let fake = FakeGitHub::start(&Start { change: &|r| r.write("a.py", "a\n"), fork: true, ..Start::default() });
    let head = fake.repo().ask(&["rev-parse", "topic"]);
    let by = |project: &str, branch: &str, sha: &str| {
        let env = fake.env(Rights::Job);
        let env = move |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let Ok(Located::Here(mut found)) = locate(&env, None) else { panic!("an address") };
        assert!(matches!((found.kind, &found.token, found.own_pipeline), (Kind::GitHub, Token::Access(_), false)));
        (found.number, found.of_head) = (0, Some(HeadOf { project: project.into(), branch: branch.into(), sha: sha.into() }));
        async move { connect(&found).await.map(|f| f.target().number).map_err(|e| e.to_string()) }
    };
    assert_eq!(by("fork/app", "topic", &head).await, Ok(7));
    let old = "0".repeat(40);
    for (project, branch, sha, why) in [
        ("fork/app", "topic", old.as_str(), "has moved since"),
        ("fork/app", "other", head.as_str(), "no open pull request"),
        ("fork/other", "topic", head.as_str(), "no open pull request"),
        ("octo/app", "topic", head.as_str(), "no open pull request"),
    ] {
        let told = by(project, branch, sha).await.expect_err(why);
        assert!(told.contains(why), "{told}");
    }
}

#[tokio::test]
async fn what_a_token_lacks_is_said() {
    let fake = sample();
    let mut told = Vec::new();
    for rights in [Rights::Read, Rights::Empty, Rights::None] {
        let client = client(&fake, rights).await;
        let (read, write) = (client.merge_request().await.map(|_| ()), client.comment("x").await.map(|_| ()));
        let line = |r: Result<(), ForgeError>| r.map_or_else(|e| e.to_string(), |()| "works".to_owned());
        told.push(format!("{rights:?}\n  read: {}\n  write: {}", line(read), line(write)));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    Read
      read: works
      write: not allowed: Resource not accessible by integration (403, to write a comment): the job's token lacks `issues: write` or `pull-requests: write` in the workflow's `permissions:` (a run of a fork or of Dependabot never has more than read)
    Empty
      read: not found: Not Found (404, to read the pull request): no token was sent: set GITHUB_TOKEN (in Actions: `${{ github.token }}`, with `permissions: {contents: read, pull-requests: write, checks: write}`)
      write: the forge does not know the token: there is no token: set GITHUB_TOKEN (in Actions: `${{ github.token }}` with `pull-requests: write` and `checks: write`)
    None
      read: not found: Not Found (404, to read the pull request): no token was sent: set GITHUB_TOKEN (in Actions: `${{ github.token }}`, with `permissions: {contents: read, pull-requests: write, checks: write}`)
      write: the forge does not know the token: there is no token: set GITHUB_TOKEN (in Actions: `${{ github.token }}` with `pull-requests: write` and `checks: write`)
    ");
    assert_eq!((fake.writes(), fake.comments().len()), (0, 0));
}
