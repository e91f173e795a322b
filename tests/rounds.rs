//! Rounds of one merge request through the whole pipeline, without a forge: what a later round costs, and that it loses nothing.

#[path = "support/gateway.rs"]
mod gateway;
#[path = "git_repo/mod.rs"]
mod git_repo;

use gateway::{FakeGateway, answer};
use git_repo::Repo;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tokio_util::sync::CancellationToken;
use tribune::change::{Source, SourceRequest};
use tribune::config::Layer;
use tribune::date::Date;
use tribune::findings::FindingStatus;
use tribune::forge::{Comment, Conversation, MergeRequest, Provenance, Target, User};
use tribune::history::{Kind, Past, State, Trust, marker, read};
use tribune::pipeline::{self, Inputs};
use tribune::report::{Outcome, Review};
use tribune::risk::CoverageStatus;
use tribune::run::Scope;
use tribune::telemetry::Events;

const KEY: &str = "the operator's state key";
const BOT: u64 = 7;

/// A module of 50 lines that uses none of the others.
fn module(n: usize) -> String {
    let mut out = format!("LIMIT_{n} = {n}\n\n");
    for f in 0..8 {
        let _ = write!(
            out,
            "def collect_{n}_{f}(values, limit):\n    total = 0\n    for value in values:\n        if value > limit * {f}:\n            total += value - LIMIT_{n}\n    return total\n"
        );
    }
    out
}

struct Request<'a> {
    repo: &'a Repo,
    gateway: &'a FakeGateway,
    base: String,
    left: Option<State>,
    /// The state key, where there is one.
    key: Option<&'static str>,
    /// The operator's file.
    config: String,
}

impl Request<'_> {
    /// One round at a head: the review, and the bytes of its requests.
    fn round(&mut self, full: bool) -> (Review, usize) {
        let head = self.repo.ask(&["rev-parse", "HEAD"]);
        let target = Target { forge: "test", host: "forge.example".into(), project: "group/project".into(), number: 7 };
        let trust = Trust { key: self.key.map(str::as_bytes), ours: &[BOT], target: &target };
        let bot = User { id: BOT, name: "review-bot".into(), bot: true };
        let body = self.left.as_ref().map(|s| marker(Kind::Summary(1), &s.payload(), &s.head, &trust));
        let comment = |body| Comment { id: "1".into(), author: bot.clone(), body, edited: true, created: String::new(), system: false };
        let memory = read(&Conversation { comments: body.into_iter().map(comment).collect(), threads: Vec::new() }, &trust);
        let mr = MergeRequest {
            title: "A change".into(),
            description: String::new(),
            author: User { id: 20, name: "author".into(), bot: false },
            draft: false,
            open: true,
            labels: Vec::new(),
            provenance: Provenance::Same,
            target_branch: "main".into(),
            target_protected: true,
            default_branch: "main".into(),
            policy_sha: None,
            source_branch: "work".into(),
            base_sha: self.base.clone(),
            start_sha: self.base.clone(),
            head_sha: head.clone(),
            head_ref: "refs/heads/work".into(),
            changed_files: None,
            threads_must_resolve: false,
            clone_url: String::new(),
            web_url: String::new(),
        };
        let (url, key) = (self.gateway.url(), self.key);
        let env = move |name: &str| match name {
            "TRIBUNE_GATEWAY_URL" => Some(url.clone()),
            "TRIBUNE_GATEWAY_TOKEN" => Some("tok".to_owned()),
            "TRIBUNE_MODEL" => Some("fake".to_owned()),
            "TRIBUNE_STATE_KEY" => key.map(str::to_owned),
            _ => None,
        };
        let inputs = Inputs {
            source: SourceRequest { dir: self.repo.dir.clone(), source: Source::Range { base: self.base.clone(), head: Some(head) }, policy: None },
            layers: vec![Layer::environment(&env).expect("a sound environment"), Layer::operator(&self.config, Path::new("/c.yaml")).0],
            place: tribune::config::Place::default(),
            scope: Scope::default(),
            today: Date::parse("2027-01-01").expect("a day"),
            past: Some(Past { target, mr, memory, roles: Default::default(), full }),
            plan: false,
        };
        let events = Events::new(Vec::new());
        let before = self.gateway.requests().len();
        let prepared = pipeline::prepare(inputs, &env, &events, &AtomicBool::new(false)).expect("a change");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (review, _) = runtime.block_on(pipeline::review(&prepared, &events, CancellationToken::new())).expect("a review");
        self.left.clone_from(&review.next);
        let bytes = self.gateway.requests()[before..].iter().map(|r| r.body.len()).sum();
        (review, bytes)
    }
}

fn told(review: &Review) -> Vec<String> {
    let line = |f: &tribune::findings::Finding| f.anchor.lines().map_or(0, |l| l.start);
    review.findings.iter().map(|f| format!("{:?} {:?} {}:{} {}", f.status, f.severity, f.path, line(f), f.title)).collect()
}

fn finding(path: &str, quote: &str, title: &str) -> Value {
    json!({"path": path, "quote": quote, "severity": "critical", "title": title, "body": "It goes wrong.",
           "trigger": "any caller that passes no values", "confidence": 0.9})
}

#[test]
fn a_small_push_on_a_reviewed_change_is_cheap_and_loses_nothing() {
    let repo = Repo::new();
    repo.write("README.md", "# Program\n");
    let base = repo.commit("start");
    for n in 0..20 {
        repo.write(format!("lib/module_{n}.py"), module(n));
    }
    repo.commit("twenty modules");
    // Its reviewer tells two defects in the first round, and nothing ever after.
    let gateway = FakeGateway::smart(|request| {
        let own = request.own();
        let findings = if request.reviewer() == "quality" && !own.contains("Told before") && request.first_user_parts()[0].contains("def collect_3_1")
        {
            vec![
                finding("lib/module_3.py", "        if value > limit * 1:", "The limit is off by one"),
                finding("lib/module_7.py", "        if value > limit * 2:", "The sum drops the last"),
            ]
        } else {
            Vec::new()
        };
        answer("").call("report_findings", json!({"findings": findings})).to(request)
    });
    let mut request = Request { repo: &repo, gateway: &gateway, base, left: None, key: Some(KEY), config: String::new() };
    let (first, whole) = request.round(false);
    let both = ["Critical lib/module_3.py:12 The limit is off by one", "Critical lib/module_7.py:18 The sum drops the last"];
    assert_eq!(told(&first), both.map(|t| format!("New {t}")));
    assert_eq!((first.outcome, first.round), (Outcome::Fail, 1));

    // Five lines in one file, above one of the two.
    let pushed = module(7).replacen(
        "    total = 0\n",
        "    if not values:\n        return 0\n    if limit < 0:\n        limit = 0\n    total = 0\n    count = 0\n",
        1,
    );
    repo.write("lib/module_7.py", pushed);
    repo.commit("guard");
    let (second, part) = request.round(false);
    assert_eq!(
        told(&second),
        ["Persisting Critical lib/module_3.py:12 The limit is off by one", "Persisting Critical lib/module_7.py:23 The sum drops the last"]
    );
    assert!(second.coverage.iter().all(|c| c.status == CoverageStatus::Reviewed));
    assert_eq!(second.coverage.iter().filter(|c| c.reason.is_some()).count(), 19);
    assert!(part * 100 < whole * 40, "{part} of {whole} bytes: {} %", part * 100 / whole);

    // Nothing pushed: nobody is asked. In full: as the first time, but nothing is new.
    let (third, none) = request.round(false);
    assert_eq!((none, third.outcome, third.findings.len()), (0, Outcome::Fail, 2));
    let (fourth, again) = request.round(true);
    assert!(again * 100 > whole * 90, "{again} of {whole}");
    assert!(fourth.findings.iter().all(|f| f.status == FindingStatus::Persisting) && fourth.findings.len() == 2);

    // A push that touches what others use shows these again.
    repo.write("lib/module_8.py", format!("from lib.module_3 import collect_3_1\n{}", module(8)));
    repo.commit("use it");
    request.round(false);
    repo.write("lib/module_3.py", module(3).replacen("limit * 1", "limit * 5", 1));
    repo.commit("change it");
    let before = gateway.requests().len();
    let (sixth, _) = request.round(false);
    let shown = gateway.requests()[before].first_user_parts()[0].clone();
    assert!(shown.contains("+from lib.module_3 import collect_3_1") && !shown.contains("def collect_9_1"), "{shown}");
    assert_eq!(told(&sixth), ["Persisting Critical lib/module_7.py:23 The sum drops the last"]);
}

#[test]
fn what_earlier_rounds_cost_counts_where_their_word_can_be_trusted() {
    const PRICES: &str = "prices: {fake: {input: 1, cached: 0.1, output: 4}}\n";
    for (key, counts) in [(Some(KEY), true), (None, false)] {
        let repo = Repo::new();
        repo.write("README.md", "# Program\n");
        let base = repo.commit("start");
        for n in 0..5 {
            repo.write(format!("lib/module_{n}.py"), module(n));
        }
        repo.commit("five modules");
        let gateway = FakeGateway::smart(|request| {
            let found =
                (request.reviewer() == "quality").then(|| finding("lib/module_3.py", "        if value > limit * 1:", "The limit is off by one"));
            // More than a request can cost at worst, all together.
            answer("").call("report_findings", json!({"findings": found.into_iter().collect::<Vec<_>>()})).usage(20_000, 0, 5_000).to(request)
        });
        let mut request = Request { repo: &repo, gateway: &gateway, base, left: None, key, config: PRICES.to_owned() };
        let (first, _) = request.round(false);
        let cost = first.usage.cost_usd.expect("the model has a price");
        assert_eq!(request.left.as_ref().and_then(|s| s.spent_usd), Some(cost));

        // So much is left for the next round that no request fits, unless nothing is known of this one.
        repo.write("lib/module_4.py", module(40));
        repo.commit("push");
        request.config = format!("{PRICES}limits: {{usd_per_change: {}}}\n", cost + 0.0001);
        let (second, bytes) = request.round(false);
        let told = second.notes.iter().filter(|n| n.contains("(limits.usd_per_change) was reached")).collect::<Vec<_>>();
        if !counts {
            // The whole limit is there, and holds: what a stranger could have written takes nothing from it.
            assert!(bytes > 0 && second.spent_before_usd.is_none(), "{told:?}");
            continue;
        }
        assert_eq!((bytes, second.outcome, second.spent_before_usd), (0, Outcome::Fail, Some(cost)));
        assert_eq!(told.len(), 1, "{:?}", second.notes);
        assert!(told[0].contains("in earlier rounds and $0 in this one spent"), "{told:?}");
        assert!(second.coverage.iter().any(|c| c.status == CoverageStatus::Failed), "{:?}", second.coverage);
        assert_eq!(second.findings.len(), 1, "what was told before stands");
        assert_eq!(request.left.as_ref().map(|s| (s.spent_usd, s.complete)), Some((Some(cost), false)), "and it will be done again");

        // With more left the rounds add up.
        request.config = format!("{PRICES}limits: {{usd_per_change: 6}}\n");
        let (third, _) = request.round(false);
        let sum = cost + third.usage.cost_usd.expect("a price");
        assert!(third.usage.cost_usd > Some(0.0) && request.left.as_ref().and_then(|s| s.spent_usd).is_some_and(|spent| (spent - sum).abs() < 1e-9));
    }
}
