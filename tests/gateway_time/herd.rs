//! No herd: after an outage of 30 s the jobs that it held up come back without more than doubling the usual load in any
//! five seconds, whatever the gateway told them.

use crate::ANSWER;
use crate::jobs::Jobs;
use crate::server::{Server, Treatment};
use std::collections::BTreeMap;
use std::time::Duration;
use tribune::reviewers::run::TaskResult;

const OUTAGE: u64 = 30;
/// Jobs start until then.
const LAST: u64 = 600;
const FIVE: Duration = Duration::from_secs(5);

/// One outage of one run.
#[derive(Debug, Clone, Copy)]
struct Case {
    down: Treatment,
    /// When it begins, in seconds.
    from: u64,
    jobs: Jobs,
}

/// At most 100 answers a second, beyond that 429.
fn bounded(now: Duration, came: &[(Duration, Treatment)]) -> Treatment {
    let this_second = came.iter().rev().take_while(|(at, _)| at.as_secs() == now.as_secs()).count();
    if this_second >= 100 { Treatment::Refuses(429, Some(2)) } else { Treatment::Answers(ANSWER) }
}

/// Requests in the five seconds from each whole second on.
fn load(came: &[Duration]) -> BTreeMap<u64, usize> {
    let count = |from: u64| came.iter().filter(|at| (Duration::from_secs(from)..Duration::from_secs(from) + FIVE).contains(*at)).count();
    (0..=came.last().map_or(0, Duration::as_secs)).map(|from| (from, count(from))).collect()
}

/// Runs them, prints what was measured, and fails where the bar is missed.
#[expect(clippy::print_stdout, reason = "numbers for people")]
async fn no_herd(cases: &[Case]) {
    let (mut missed, mut calm) = (Vec::new(), Vec::<(Jobs, BTreeMap<u64, usize>)>::new());
    for case in cases {
        let Case { down, from, jobs } = *case;
        // The same jobs without an outage.
        let usual = match calm.iter().find(|(of, _)| *of == jobs) {
            Some((_, usual)) => usual.clone(),
            None => {
                let server = Server::start(bounded).await;
                let all = jobs.run(&server).await;
                assert!(all.iter().flatten().all(|result| result.report.is_ok()), "without an outage everything is reviewed");
                let usual = load(&server.came(|_| true));
                calm.push((jobs, usual.clone()));
                usual
            }
        };
        let (first, back) = (Duration::from_secs(from), Duration::from_secs(from + OUTAGE));
        let server = Server::start(move |now, came| if (first..back).contains(&now) { down } else { bounded(now, came) }).await;
        let all = jobs.run(&server).await;
        let failed = truly_told(&server, &all);
        let load = load(&server.came(|_| true));
        // Once no job starts any more, nothing is the usual load: what is left is held against the rate before.
        let rate = usual.range(100..500).map(|(_, n)| n).sum::<usize>() as f64 / 400.0;
        let usual_at = |at: u64| if at + 5 <= LAST { usual.get(&at).map_or(rate, |n| *n as f64) } else { rate };
        let ratios = load.range(back.as_secs()..).map(|(at, n)| (*n as f64 / usual_at(*at), *at, *n));
        let worst = ratios.fold((0.0, 0, 0), |a, b| if b.0 > a.0 { b } else { a });
        let told = format!(
            "{:.2} times the usual load at worst ({} requests in 5 s, from {} s after the recovery on), {failed} of 6000 reviewers failed: {case:?}",
            worst.0,
            worst.2,
            worst.1 - back.as_secs()
        );
        println!("{told}");
        if worst.0 > 2.0 {
            missed.push(format!("{told}: {load:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// All jobs ended; who failed says why, and who did not was answered. How many failed.
pub(crate) fn truly_told(server: &Server, all: &[Vec<TaskResult>]) -> usize {
    assert!(all.len() == 1000 && all.iter().all(|job| job.len() == 6), "all jobs end");
    let failed: Vec<&String> = all.iter().flatten().filter_map(|result| result.report.as_ref().err()).collect();
    assert!(failed.iter().all(|why| why.contains("127.0.0.1") && why.contains("(3 attempts)")), "each says why: {failed:?}");
    let answered = server.came(|treatment| matches!(treatment, Treatment::Answers(_))).len();
    assert_eq!(answered, 6000 - failed.len(), "no answer is lost, and none is claimed");
    assert!(server.came(|_| true).len() <= 3 * 6000, "at most three attempts each");
    failed.len()
}

#[tokio::test(start_paused = true)]
async fn whatever_the_wait_that_it_asks_for() {
    for (seed, waits) in [(1, [None, Some(1), Some(4), Some(8), Some(15)]), (2, [Some(0), Some(2), Some(6), Some(10), Some(30)])] {
        let case = |wait| Case { down: Treatment::Refuses(503, wait), from: 300, jobs: Jobs { seed, ..Jobs::default() } };
        no_herd(&waits.map(case)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_its_failure_looks_like() {
    let failures =
        [Treatment::Closes, Treatment::Resets, Treatment::Refuses(429, Some(8)), Treatment::Refuses(502, Some(5)), Treatment::Refuses(529, Some(20))];
    no_herd(&failures.map(|down| Case { down, from: 203, jobs: Jobs { seed: 3, ..Jobs::default() } })).await;
}

#[tokio::test(start_paused = true)]
async fn whenever_it_comes_and_whoever_asks() {
    let jobs = Jobs { seed: 4, ..Jobs::default() };
    let case = |from, jobs| Case { down: Treatment::Refuses(503, Some(8)), from, jobs };
    no_herd(&[
        case(0, jobs),
        case(107, jobs),
        case(411, jobs),
        case(570, jobs),
        case(303, Jobs { models: 3, ..jobs }),
        case(304, Jobs { warm_up: true, ..jobs }),
        case(305, Jobs { warm_up: true, models: 2, ..jobs }),
    ])
    .await;
}
