//! More than the gateway takes: it answers 429 beyond its rate, and still every job ends, truly told.

use crate::ANSWER;
use crate::herd::truly_told;
use crate::jobs::Jobs;
use crate::server::{Server, Treatment};
use std::ops::Range;
use std::time::Duration;

/// A rate limit, and who meets it.
struct Case {
    name: &'static str,
    /// Answers a second.
    limit: usize,
    /// Seconds to wait, as the answers 429 say.
    wait: u32,
    /// The seconds in which it answers 503 and asks to wait 8 s.
    down: Range<u64>,
    /// Seconds within which all jobs start.
    within: u64,
    /// Of 6,000 reviewers, at most so many may fail: three attempts do not outlast every overload.
    most: usize,
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "numbers for people")]
async fn a_rate_limit_costs_time_and_is_told() {
    for Case { name, limit, wait, down, within, most } in [
        Case { name: "twice the limit for 30 s", limit: 100, wait: 2, down: 0..0, within: 30, most: 1_800 },
        Case { name: "the same, asked to wait longer", limit: 100, wait: 20, down: 0..0, within: 30, most: 30 },
        Case { name: "the same, all held up by an outage", limit: 100, wait: 2, down: 0..30, within: 30, most: 1_200 },
        Case { name: "just above the usual rate, after an outage", limit: 12, wait: 5, down: 300..330, within: 600, most: 200 },
    ] {
        let server = Server::start(move |now: Duration, came: &[(Duration, Treatment)]| {
            let this_second = came.iter().rev().take_while(|(at, _)| at.as_secs() == now.as_secs());
            let served = this_second.filter(|(_, treatment)| matches!(treatment, Treatment::Answers(_))).count();
            match () {
                () if down.contains(&now.as_secs()) => Treatment::Refuses(503, Some(8)),
                () if served >= limit => Treatment::Refuses(429, Some(wait)),
                () => Treatment::Answers(ANSWER),
            }
        })
        .await;
        let jobs = Jobs { within: Duration::from_secs(within), ..Jobs::default() };
        let failed = truly_told(&server, &jobs.run(&server).await);
        let refused = server.came(|treatment| matches!(treatment, Treatment::Refuses(429, _))).len();
        let last = server.came(|_| true).last().map_or(0, Duration::as_secs);
        let told =
            format!("{name} ({limit}/s, retry-after {wait}): {refused} answers 429, {failed} of 6000 reviewers failed, the last request at {last} s");
        println!("{told}");
        assert!(refused > 0 && failed <= most, "{told}");
    }
}
