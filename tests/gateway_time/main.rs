//! Hours in seconds: what only shows over time, with the real client, real sockets and a clock that is put forward whenever
//! everybody waits. Client and server share one thread, so nothing happens between two looks at the clock.

#[path = "../support/calls.rs"]
mod calls;
#[path = "../support/gateway.rs"]
mod gateway;
mod herd;
mod jobs;
mod overload;
mod server;

use calls::{context, request};
use server::{Server, Treatment};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tribune::gateway::{CallContext, Gateway, Limits, Link, Setup};

/// How long the servers take to answer.
const ANSWER: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_model_that_is_down_is_probed_once_in_two_minutes() {
    let down = Server::start(|_, _| Treatment::Refuses(500, None)).await;
    let up = Server::start(|_, _| Treatment::Answers(ANSWER)).await;
    let endpoints = BTreeMap::from([("down".to_owned(), down.endpoint()), ("up".to_owned(), up.endpoint())]);
    let gateway = Gateway::new(Setup { endpoints, limits: Limits::default(), ..Setup::default() });
    let chain = [Link::new("m1", "down"), Link::new("m2", "up")];
    for i in 0..300 {
        let reviewer = format!("r{}", i % 6);
        let call = CallContext { reviewer: &reviewer, chain: &chain, deadline: Instant::now() + Duration::from_secs(60), ..context() };
        let answer = gateway.complete(&call, &request(&reviewer)).await.expect("the second model answers");
        assert_eq!(answer.link, 1);
    }
    let came: Vec<u64> = down.came(|_| true).iter().map(Duration::as_secs).collect();
    // Three attempts of the first reviewer, one of the second; then one for each two minutes of the ten.
    assert_eq!(came.len(), 4 + 4, "{came:?}");
    assert!(came[4..].windows(2).all(|pair| pair[1] - pair[0] >= 120), "{came:?}");
    assert_eq!(up.came(|_| true).len(), 300);
}
