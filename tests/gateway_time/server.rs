//! A server in the test's own thread and time: nothing happens between two looks at the clock.

use crate::calls::KEY;
use crate::gateway::answer;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tribune::gateway::{Endpoint, Preset, Secret};

/// How a server treats a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Treatment {
    /// Ends the connection without a word.
    Closes,
    /// Breaks the connection with a reset.
    Resets,
    /// Answers with this status, and asks to wait for so many seconds.
    Refuses(u16, Option<u32>),
    /// Answers after this time.
    Answers(Duration),
}

/// What a server does, and what came to it.
pub(crate) struct Server {
    url: String,
    /// Each request: when it came, since the start, and how it was treated.
    came: Arc<Mutex<Vec<(Duration, Treatment)>>>,
}

impl Server {
    /// `rule` says how a request is treated that comes at this time, given what came before.
    pub(crate) async fn start(rule: impl Fn(Duration, &[(Duration, Treatment)]) -> Treatment + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
        let came: Arc<Mutex<Vec<_>>> = Arc::default();
        let (seen, rule, start) = (came.clone(), Arc::new(rule), Instant::now());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, rule) = (seen.clone(), rule.clone());
                tokio::spawn(async move {
                    serve(stream, &move || {
                        let now = start.elapsed();
                        let mut seen = seen.lock().expect("no panic");
                        let treatment = rule(now, &seen);
                        seen.push((now, treatment));
                        treatment
                    })
                    .await;
                });
            }
        });
        Self { url, came }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url, Preset::OpenAi, None, Some(Secret::new(KEY))).expect("a valid endpoint")
    }

    /// When requests came that were treated like this.
    pub(crate) fn came(&self, like: impl Fn(Treatment) -> bool) -> Vec<Duration> {
        self.came.lock().expect("no panic").iter().filter(|(_, treatment)| like(*treatment)).map(|(at, _)| *at).collect()
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
            Treatment::Resets => {
                let _ = stream.set_zero_linger();
                return;
            }
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
