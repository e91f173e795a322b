//! Hours in seconds: what only shows over time, with the real client, real sockets and a clock that is put forward whenever
//! everybody waits. Client and server share one thread, so nothing happens between two looks at the clock.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/gateway.rs"]
mod gateway;

use calls::{KEY, context, request};
use futures::future::join_all;
use gateway::answer;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tribune::change::{Change, Policy, SourceKind};
use tribune::gateway::{CallContext, Endpoint, Gateway, Limits, Link, Preset, Secret, Setup};
use tribune::reviewers::fanout;
use tribune::reviewers::run::{Desk, Task, TaskResult};
use tribune::reviewers::tools::{Toolbox, specs};
use tribune::telemetry::Events;

/// How a server treats a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Treatment {
    /// Ends the connection without a word.
    Closes,
    /// Answers with this status, and asks to wait for so many seconds.
    Refuses(u16, Option<u32>),
    /// Answers after this time.
    Answers(Duration),
}

/// A server in the test's own thread and time.
struct Server {
    url: String,
    /// When each request came, since the start.
    came: Arc<Mutex<Vec<Duration>>>,
}

impl Server {
    /// `rule` says how a request is treated that comes at this time, given when all so far have come.
    async fn start(rule: impl Fn(Duration, &[Duration]) -> Treatment + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
        let came: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (seen, rule, start) = (came.clone(), Arc::new(rule), Instant::now());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, rule) = (seen.clone(), rule.clone());
                tokio::spawn(async move {
                    serve(stream, &move || {
                        let now = start.elapsed();
                        let mut seen = seen.lock().expect("no panic");
                        seen.push(now);
                        rule(now, &seen)
                    })
                    .await;
                });
            }
        });
        Self { url, came }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url, Preset::OpenAi, None, Some(Secret::new(KEY))).expect("a valid endpoint")
    }

    /// Requests in each five seconds.
    fn load(&self) -> BTreeMap<u64, usize> {
        let mut load = BTreeMap::new();
        for came in self.came.lock().expect("no panic").iter() {
            *load.entry(came.as_secs() / 5 * 5).or_default() += 1;
        }
        load
    }
}

async fn serve(mut stream: TcpStream, treat: &(dyn Fn() -> Treatment + Send + Sync)) {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length: usize = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        while bytes.len() < end + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        bytes.drain(..end + length);
        let reply = match treat() {
            Treatment::Closes => return,
            Treatment::Refuses(status, wait) => {
                let wait = wait.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
                format!("HTTP/1.1 {status} No\r\n{wait}content-length: 0\r\n\r\n")
            }
            Treatment::Answers(after) => {
                sleep(after).await;
                let text = answer("").call("report_findings", json!({"findings": []})).uncounted().chat_text();
                format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{text}", text.len())
            }
        };
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A run of six reviewers, as a job makes it.
async fn job(endpoint: Endpoint) -> Vec<TaskResult> {
    let gateway = Gateway::new(Setup { endpoints: BTreeMap::from([("e".to_owned(), endpoint)]), ..Setup::default() });
    let change = Change {
        kind: SourceKind::Patch,
        label: String::new(),
        base_sha: None,
        head_sha: None,
        files: Vec::new(),
        messages: Vec::new(),
        policy: Policy::None,
        objects: None,
        unreadable: Vec::new(),
        oversized: Vec::new(),
        notes: Vec::new(),
    };
    let desk = Desk {
        gateway: Arc::new(gateway),
        toolbox: Arc::new(Toolbox { change: Arc::new(change), rules: Arc::default(), private: Arc::new(|_| false), key: None }),
        deadline: Instant::now() + Duration::from_secs(1500),
        cancel: CancellationToken::new(),
        events: Events::default(),
    };
    let (tools, chain) = (Arc::new(specs()), Arc::<[Link]>::from([Link::new("m", "e")]));
    let task = |reviewer: &str| Task {
        reviewer: reviewer.into(),
        chain: chain.clone(),
        bundle: (1, 1),
        tools: tools.clone(),
        system: "You review.".into(),
        shared: "A line of the change.\n".repeat(100).into(),
        own: format!("# Reviewer: {reviewer}\n"),
        time: Duration::from_secs(300),
    };
    fanout::run(&desk, ["codex", "docs", "performance", "quality", "release", "security"].map(task).into()).await
}

/// A thousand jobs, started evenly within ten minutes.
async fn thousand_jobs(server: &Server) -> Vec<Vec<TaskResult>> {
    let start = Instant::now();
    let jobs = (0..1000).map(|i| {
        let endpoint = server.endpoint();
        tokio::spawn(async move {
            sleep_until(start + Duration::from_millis(600) * i).await;
            job(endpoint).await
        })
    });
    join_all(jobs.collect::<Vec<_>>()).await.into_iter().map(|job| job.expect("no job panics")).collect()
}

const DOWN: std::ops::Range<u64> = 300..330;
const ANSWER: Duration = Duration::from_secs(2);

/// At most 100 answers a second, beyond that 429.
fn bounded(now: Duration, came: &[Duration]) -> Treatment {
    let this_second = came.iter().rev().take_while(|at| at.as_secs() == now.as_secs()).count();
    if this_second > 100 { Treatment::Refuses(429, Some(2)) } else { Treatment::Answers(ANSWER) }
}

#[expect(clippy::print_stdout, reason = "numbers for people")]
async fn outage(down: Treatment) {
    let calm = Server::start(bounded).await;
    let all = thousand_jobs(&calm).await;
    assert!(all.iter().flatten().all(|result| result.report.is_ok()), "without an outage everything is reviewed");
    let usual = calm.load();

    let server = Server::start(move |now, came| if DOWN.contains(&now.as_secs()) { down } else { bounded(now, came) }).await;
    let all = thousand_jobs(&server).await;
    assert_eq!(all.len(), 1000);
    let failed: Vec<&String> = all.iter().flatten().filter_map(|result| result.report.as_ref().err()).collect();
    let hit = all.iter().filter(|job| job.iter().any(|result| result.report.is_err())).count();
    assert!(failed.iter().all(|why| why.contains("127.0.0.1") && why.contains("(3 attempts)")), "each says why: {failed:?}");
    assert!(all.iter().flatten().all(|result| result.requests >= 1));
    let load = server.load();
    let worst = load
        .range(DOWN.end..)
        .map(|(at, n)| (*n as f64 / usual.get(at).copied().unwrap_or(1) as f64, *at, *n))
        .fold((0.0, 0, 0), |a, b| if b.0 > a.0 { b } else { a });
    println!(
        "{down:?}: {hit} jobs hit, {} reviewers failed; after recovery at worst {:.2} times the usual load ({} in 5 s at {} s); during: {:?}",
        failed.len(),
        worst.0,
        worst.2,
        worst.1,
        load.range(295..350).collect::<Vec<_>>()
    );
    assert!(worst.0 <= 2.0, "{worst:?}: {load:?}");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_are_no_herd_after_connections_broke() {
    outage(Treatment::Closes).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_are_no_herd_after_an_overload() {
    outage(Treatment::Refuses(503, None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_are_no_herd_after_they_were_all_told_to_wait() {
    outage(Treatment::Refuses(503, Some(2))).await;
}

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
    let came: Vec<u64> = down.came.lock().expect("no panic").iter().map(Duration::as_secs).collect();
    // Three attempts of the first reviewer, one of the second; then one for each two minutes of the ten.
    assert_eq!(came.len(), 4 + 4, "{came:?}");
    assert!(came[4..].windows(2).all(|pair| pair[1] - pair[0] >= 120), "{came:?}");
    assert_eq!(up.came.lock().expect("no panic").len(), 300);
}
