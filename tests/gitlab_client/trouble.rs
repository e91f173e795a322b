//! Tokens that may not, servers that do not, and servers that are not what they say.

use super::*;
use forge::Fault;
use forge::server::{self, Request, Response};
use serde_json::json;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn what_a_token_lacks_is_said() {
    let fake = sample();
    let mut told = Vec::new();
    for rights in [Rights::Read, Rights::Job, Rights::Empty, Rights::None] {
        let client = client(&fake, rights).await;
        let (read, write) = (client.merge_request().await.map(|_| ()), client.comment("x").await.map(|_| ()));
        let line = |r: Result<(), ForgeError>| r.map_or_else(|e| e.to_string(), |()| "works".to_owned());
        told.push(format!("{rights:?}\n  read: {}\n  write: {}", line(read), line(write)));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    Read
      read: works
      write: not allowed: insufficient_scope: The request requires higher privileges than provided by the access token. (403, to write a comment): the token lacks the scope `api`
    Job
      read: not found: 404 Project Not Found (404, to read the merge request): it does not exist, or the token cannot see it: it needs the scope `read_api` and the role Reporter in the project
      write: not allowed: CI_JOB_TOKEN cannot write comments: set GITLAB_TOKEN to a project access token with the scope `api` and the role Developer
    Empty
      read: not found: 404 Project Not Found (404, to read the merge request): it does not exist, or the token cannot see it: it needs the scope `read_api` and the role Reporter in the project
      write: not allowed: CI_JOB_TOKEN cannot write comments: set GITLAB_TOKEN to a project access token with the scope `api` and the role Developer
    None
      read: not found: 404 Project Not Found (404, to read the merge request): no token was sent: set GITLAB_TOKEN to a project or group access token with the scope `api` (to read only: `read_api`)
      write: the forge does not know the token: there is no token: set GITLAB_TOKEN to a project access token with the scope `api` and the role Developer
    ");
    assert_eq!((fake.writes(), fake.comments().len()), (0, 0));
}

#[tokio::test]
async fn hiccups_are_waited_for_and_long_waits_are_not() {
    let mut fake = sample();
    let client = client(&fake, Rights::Write).await;
    fake.fault(Fault::Status { request: 1, status: 429, retry_after: Some(0) });
    fake.fault(Fault::Status { request: 2, status: 502, retry_after: Some(0) });
    client.conversation().await.expect("read after two refusals");
    // Refused, so it was not done: it may be sent again.
    fake.heal();
    fake.fault(Fault::Status { request: 1, status: 429, retry_after: Some(0) });
    client.comment("one").await.expect("written");
    // Open whether it was done: looked for before it is sent again.
    fake.heal();
    fake.fault(Fault::Status { request: 1, status: 500, retry_after: Some(0) });
    client.comment("two").await.expect("written");
    assert_eq!(fake.comments().len(), 2);
    fake.heal();
    fake.fault(Fault::Status { request: 1, status: 429, retry_after: Some(3600) });
    assert_eq!(client.conversation().await.err(), Some(ForgeError::RateLimited(std::time::Duration::from_secs(3600))));
}

/// A server of the test's own, and all that it was asked.
fn scripted(answer: impl Fn(&Request, &str) -> Response + Send + Sync + 'static) -> (String, Arc<Mutex<Vec<Request>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let address = server::serve(move |request| {
        log.lock().expect("no panic").push(request.clone());
        answer(&request, request.header("host").unwrap_or_default())
    });
    (format!("http://{address}"), asked)
}

async fn reads(root: &str) -> ForgeError {
    let env = vec![("GITLAB_TOKEN".to_owned(), "glpat-secret-123".to_owned())];
    let client = client_in(env, Some(&format!("{root}/group/project/-/merge_requests/1"))).await.expect("an address");
    let error = client.conversation().await.expect_err("nothing to read");
    assert!(!format!("{error} {error:?}").contains("glpat-secret-123"), "{error}");
    error
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let (other, asked) = scripted(|_, _| Response::json(200, &json!([])));
    let place = other.clone();
    let (redirecting, _) = scripted(move |_, _| Response::empty(302).with("location", format!("{place}/api/v4/x")));
    insta::assert_snapshot!(reads(&redirecting).await, @"unexpected answer: 302 Found to read the comments: it redirects, which is not followed; give the URL of where it lives now");
    let place = other.clone();
    let (paging, _) = scripted(move |_, _| Response::json(200, &json!([])).with("link", format!("<{place}/api/v4/x>; rel=\"next\"")));
    insta::assert_snapshot!(reads(&paging).await, @"unexpected answer: the next page lies outside of the forge's API (is its external URL configured?)");
    assert!(asked.lock().expect("no panic").is_empty(), "the other server was asked");
}

#[tokio::test]
async fn answers_are_bounded_and_no_text_of_theirs_is_believed() {
    let (endless, asked) = scripted(|r, host| {
        let page: u32 = r.parameter("page").and_then(|p| p.parse().ok()).unwrap_or(1);
        Response::json(200, &json!([])).with("link", format!("<http://{host}{}?page={}>; rel=\"next\"", r.path, page + 1))
    });
    insta::assert_snapshot!(reads(&endless).await, @"unexpected answer: pages without end (to read the comments)");
    assert_eq!(asked.lock().expect("no panic").len(), 1);
    let (login, _) = scripted(|_, _| Response::bytes(200, "text/html", "<html>Sign in</html>"));
    insta::assert_snapshot!(reads(&login).await, @"unexpected answer: expected value at line 1 column 1 (to read the comments)");
    let (echo, _) = scripted(|r, _| {
        let token = r.header("private-token").unwrap_or_default().to_owned();
        Response::json(400, &json!({"message": format!("bad \u{202e}\n token {token} {}", "x".repeat(5000))}))
    });
    let told = reads(&echo).await.to_string();
    assert!(told.starts_with("refused: bad token [secret] xxx") && told.len() < 500, "{told}");
}

#[tokio::test]
async fn a_url_by_hand_finds_the_path_below_which_gitlab_lives() {
    let mut fake = sample();
    let env = |host: Option<String>| {
        let token = ("GITLAB_TOKEN".to_owned(), fake.token());
        [Some(token), host.map(|h| ("GITLAB_HOST".to_owned(), h))].into_iter().flatten().collect::<Vec<_>>()
    };
    let url = format!("{}/diffs#note_1", fake.url());
    for host in [None, Some(format!("{}/gitlab", fake.origin()))] {
        let client = client_in(env(host), Some(&url)).await.expect("found");
        assert_eq!(client.target().project, "group/sub/project");
        assert_eq!(request(client.as_ref()).await.title, "Change files");
    }
    let env = env(None);
    fake.reset_counters();
    let wrong = format!("{}/gitlab/other/project/-/merge_requests/7", fake.origin());
    let client = client_in(env, Some(&wrong)).await;
    assert!(matches!(client.map(|_| ()), Err(ForgeError::Missing(_))));
}
