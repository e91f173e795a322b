//! A thousand jobs of six requests, as an organisation's CI makes them.

use crate::server::Server;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tribune::change::{Change, Policy, SourceKind};
use tribune::gateway::{Endpoint, Gateway, Link, Setup};
use tribune::reviewers::fanout;
use tribune::reviewers::run::{Desk, Task, TaskResult};
use tribune::reviewers::tools::{Toolbox, specs};
use tribune::telemetry::Events;

const REVIEWERS: [&str; 6] = ["codex", "docs", "performance", "quality", "release", "security"];

/// What the jobs are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Jobs {
    /// They start one after the other within this time, …
    pub(crate) within: Duration,
    /// … each at a moment of its share of it that this number decides.
    pub(crate) seed: u64,
    /// So many models share the reviewers.
    pub(crate) models: usize,
    /// Their shared context is long enough that one request warms the cache for the others.
    pub(crate) warm_up: bool,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { within: Duration::from_secs(600), seed: 0, models: 1, warm_up: false }
    }
}

impl Jobs {
    /// Runs all of them to their ends: for each its reviewers' results.
    pub(crate) async fn run(self, server: &Server) -> Vec<Vec<TaskResult>> {
        let start = Instant::now();
        let share = self.within / 1000;
        let jobs = (0..1000_u32).map(|i| {
            let endpoint = server.endpoint();
            let at = start + share * i + share * moment(self.seed, i) / 1000;
            tokio::spawn(async move {
                sleep_until(at).await;
                self.job(endpoint).await
            })
        });
        join_all(jobs.collect::<Vec<_>>()).await.into_iter().map(|job| job.expect("no job panics")).collect()
    }

    async fn job(self, endpoint: Endpoint) -> Vec<TaskResult> {
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
        let tools = Arc::new(specs());
        let shared: Arc<str> = "A line of the change.\n".repeat(if self.warm_up { 300 } else { 1 }).into();
        let task = |(i, reviewer): (usize, &str)| Task {
            reviewer: reviewer.into(),
            chain: [Link::new(format!("m{}", i % self.models), "e")].into(),
            bundle: (1, 1),
            tools: tools.clone(),
            system: "You review.".into(),
            shared: shared.clone(),
            own: format!("# Reviewer: {reviewer}\n"),
            time: Duration::from_secs(300),
        };
        fanout::run(&desk, REVIEWERS.into_iter().enumerate().map(task).collect()).await
    }
}

/// Thousandths: where in its share of the time a job starts (SplitMix64).
fn moment(seed: u64, job: u32) -> u32 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(job).wrapping_mul(0xD1B5_4A32_D192_ED03));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) % 1000) as u32
}
