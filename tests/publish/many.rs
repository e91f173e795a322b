//! 500 findings, end to end: rules, review, report, threads, summary, with refusals, limits and lost answers on the way. In this
//! process, so that GitHub's minute lasts a second on both sides.

use crate::forge::github::FakeGitHub;
use crate::forge::gitlab::FakeGitLab;
use crate::forge::{BOT, FakeForge, Fault, Rights, Start};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tribune::change::{RequestSource, SourceRequest};
use tribune::config::{Layer, Place};
use tribune::date::Date;
use tribune::forge::{Located, connect, locate};
use tribune::history::{Past, Trust, read, vouch};
use tribune::pipeline::{self, Inputs};
use tribune::publish::{Desk, Settings, publish};
use tribune::report::{Format, Review, Sources, WriteOptions, json, write};
use tribune::run::Scope;
use tribune::telemetry::Events;

const KEY: &[u8] = b"a state key of this test";

/// Ten files of fifty calls without a timeout: as many hits as a rule tells of one file.
fn start() -> Start<'static> {
    Start {
        base: &|r| r.write(".tribune.yaml", "post: {inline_max: 500}\n"),
        change: &|r| {
            for file in 0..10 {
                let calls: String = (0..50).map(|n| format!("requests.get(URL_{file}_{n})\n")).collect();
                r.write(format!("calls_{file}.py"), calls);
            }
        },
        ..Start::default()
    }
}

/// Reviews and posts it, the report on its way through a file as between two jobs.
fn post(fake: &dyn FakeForge) -> Review {
    let env: BTreeMap<String, String> = fake.env(Rights::Write).into_iter().collect();
    let env = |name: &str| env.get(name).cloned();
    let Located::Here(mut found) = locate(&env, None).expect("an address") else { panic!("a merge request") };
    found.minute = Duration::from_secs(1);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let forge: Arc<dyn tribune::forge::Forge> = runtime.block_on(connect(&found)).expect("a client").into();
    let (mr, conversation, me) = runtime.block_on(async {
        let mr = forge.merge_request().await.expect("a merge request");
        (mr, forge.conversation().await.expect("comments"), forge.me().await.expect("a user"))
    });
    let ours: Vec<u64> = me.into_iter().map(|u| u.id).collect();
    let target = forge.target().clone();
    let trust = Trust { key: Some(KEY), ours: &ours, target: &target };
    let past = Past { target: target.clone(), mr: mr.clone(), memory: read(&conversation, &trust), roles: Default::default(), full: false };
    let (asked, handle) = (forge.clone(), runtime.handle().clone());
    let source = RequestSource::new(target.clone(), mr.clone(), forge.git_access(), move || handle.block_on(asked.diff()));
    let inputs = Inputs {
        source: SourceRequest { dir: fake.repo().dir.clone(), source: source.into(), policy: None },
        layers: vec![Layer::environment(&env).expect("a sound environment")],
        place: Place::default(),
        scope: Scope { offline: true, ..Scope::default() },
        today: Date::parse("2027-01-01").expect("a day"),
        past: Some(past.clone()),
        plan: false,
    };
    let prepared = pipeline::prepare(inputs, &env, &Events::new(Vec::new()), &AtomicBool::new(false)).expect("a change");
    let events = Events::new(Vec::new());
    let (review, _) = runtime.block_on(pipeline::review(&prepared, &events, CancellationToken::new())).expect("a review");
    let mut bytes = Vec::new();
    write(Format::Json, &review, &Sources::default(), &WriteOptions::default(), &mut bytes).expect("written");
    let mut review = json::read(&bytes).and_then(|r| r.review(Some(target.clone()))).expect("a sound report");
    vouch(&past, &past.humans(tribune::forge::Role::Maintainer), &mut review).expect("about this merge request");
    let posting = review.posting.expect("told by the configuration");
    let settings = Settings {
        inline_max: posting.inline_max,
        always: posting.always,
        approve: false,
        unapprove: false,
        request_changes: false,
        grave_only: false,
        status: true,
    };
    let desk = Desk { forge: forge.as_ref(), request: &mr, memory: &past.memory, trust, settings };
    runtime.block_on(publish(&desk, &review)).expect("posted");
    assert_eq!(review.findings.len(), 500);
    review
}

/// The summary names every finding once, and none has two threads.
fn all_are_told_once(fake: &dyn FakeForge, review: &Review, least_in_threads: usize) {
    let threads = fake.threads();
    let summary: String = fake.comments().into_iter().filter(|c| c.author == BOT).map(|c| c.body).collect();
    let mut in_threads = 0;
    for finding in &review.findings {
        let place = format!("{}:{}", finding.path, finding.anchor.lines().expect("a line").start);
        let here = threads.iter().filter(|t| t.line.is_some_and(|line| format!("{}:{line}", t.path) == place)).count();
        let told = summary.matches(&format!("`{place}`")).count();
        assert!(here <= 1 && told == 1, "{place}: {here} threads, told {told} times");
        in_threads += here;
    }
    assert!((least_in_threads..500).contains(&in_threads), "{in_threads} on their lines");
    let mut bodies: Vec<&str> = threads.iter().map(|t| t.bodies[0].1.as_str()).collect();
    let all = bodies.len();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!((bodies.len(), fake.unfinished(), fake.violations()), (all, 0, Vec::new()), "none twice");
}

#[test]
fn of_which_gitlab_refuses_every_seventh_are_all_told_once() {
    let mut fake = FakeGitLab::start(&start());
    fake.fault(Fault::RefuseEvery(7));
    fake.fault(Fault::Status { request: 40, status: 429, retry_after: Some(0) });
    fake.fault(Fault::Status { request: 90, status: 500, retry_after: Some(0) });
    let review = post(&fake);
    all_are_told_once(&fake, &review, 400);
}

#[test]
fn of_which_github_refuses_twenty_are_all_told_once_within_its_limits() {
    let mut fake = FakeGitHub::start(&start());
    fake.set_minute(Duration::from_secs(1));
    fake.fault(Fault::RefuseEvery(25));
    for (request, status) in [(9, 403), (12, 403), (15, 429), (18, 500)] {
        fake.fault(Fault::Status { request, status, retry_after: Some(0) });
    }
    let review = post(&fake);
    all_are_told_once(&fake, &review, 480);
    assert!(fake.busiest_minute() <= 80, "{} writes within a minute", fake.busiest_minute());
    // Beside the code stands what has no thread there.
    assert_eq!(fake.checks(), [("tribune findings".to_owned(), "success".to_owned())]);
}
