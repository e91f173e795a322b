//! What a row is, and what must hold for each.

use crate::calls::Wire;
use crate::gateway::{FakeGateway, Script};
use crate::review::{BY_HIT, BY_RULE, BY_SPARED, HIT, KEY, Review, SPARED, good, good_answer};
use serde_json::Value;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// What becomes of the reviewer that is hit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// It completes, after so many requests.
    Whole(u64),
    /// It fails after so many requests; its reason holds these words of the cause and of the fix.
    Failed(u64, &'static str, &'static str),
}

pub(crate) use Expected::{Failed, Whole};

/// What the hit reviewer is answered, request by request; once that is spent, the last again.
type Answers = Box<dyn Fn(Wire) -> Vec<Script> + Send + Sync>;

/// A fault.
pub(crate) struct Row {
    name: String,
    answers: Answers,
    expected: Expected,
    wires: &'static [Wire],
    limits: &'static str,
}

/// A fault in all four formats.
pub(crate) fn row(name: impl Into<String>, answers: impl Fn(Wire) -> Vec<Script> + Send + Sync + 'static, expected: Expected) -> Row {
    // Long enough for a busy machine.
    let limits = "first_byte_seconds: 60, idle_seconds: 60";
    Row { name: name.into(), answers: Box::new(answers), expected, wires: &Wire::ALL, limits }
}

impl Row {
    /// In these formats only.
    pub(crate) fn only(mut self, wires: &'static [Wire]) -> Self {
        self.wires = wires;
        self
    }

    /// With these limits.
    pub(crate) fn limits(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }
}

/// The same answer to each request.
pub(crate) fn always(script: Script) -> impl Fn(Wire) -> Vec<Script> {
    move |_| vec![script.clone()]
}

/// This answer, then a whole one.
pub(crate) fn once(script: Script) -> impl Fn(Wire) -> Vec<Script> {
    move |wire| vec![script.clone(), whole(wire)]
}

/// A good answer's stream, changed in its format's text.
pub(crate) fn changed(change: impl Fn(String) -> Script) -> impl Fn(Wire) -> Vec<Script> {
    move |wire| vec![change(wire.text(&good_answer(HIT)))]
}

/// A good answer.
pub(crate) fn whole(wire: Wire) -> Script {
    wire.script(&good_answer(HIT))
}

/// Runs all rows in all their formats, several at a time, and tells all that do not hold.
pub(crate) fn table(rows: Vec<Row>) {
    let queue: Mutex<VecDeque<(&Row, Wire)>> = Mutex::new(rows.iter().flat_map(|row| row.wires.iter().map(move |wire| (row, *wire))).collect());
    let wrong = Mutex::new(Vec::new());
    // Most of their time is a wait before another attempt.
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                loop {
                    let Some((row, wire)) = queue.lock().expect("no panic under it").pop_front() else { return };
                    if catch_unwind(AssertUnwindSafe(|| row.check(wire))).is_err() {
                        wrong.lock().expect("no panic under it").push(format!("{} ({wire:?})", row.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic under it");
    assert!(wrong.is_empty(), "{} do not hold, see above: {wrong:#?}", wrong.len());
}

impl Row {
    fn check(&self, wire: Wire) {
        let name = format!("{} ({wire:?})", self.name);
        let answers = Mutex::new(VecDeque::from((self.answers)(wire)));
        let gateway = FakeGateway::smart(move |request| {
            let mut answers = answers.lock().expect("no panic under it");
            match request.reviewer() == HIT {
                true if answers.len() > 1 => answers.pop_front().unwrap_or_default(),
                true => answers.front().cloned().unwrap_or_default(),
                false => good(request),
            }
        });
        let review = Review::new(&gateway.url(), &[HIT, SPARED])
            .env("TRIBUNE_GATEWAY_PRESET", wire.preset().name())
            .env("TRIBUNE_GATEWAY_WIRE", wire.kind().name())
            .config(&format!("limits: {{{}}}\n", self.limits));
        let told = review.run();

        // The outcome is true, and the findings of the others are kept.
        let (code, outcome, coverage, titles) = match self.expected {
            Whole(_) => (0, "pass", "reviewed", vec![BY_RULE, BY_HIT, BY_SPARED]),
            Failed(..) => (3, "inconclusive", "partial", vec![BY_RULE, BY_SPARED]),
        };
        let report = &told.report;
        let known = (report["outcome"].as_str(), report["coverage"][0]["status"].as_str());
        assert_eq!((told.code, known), (Some(code), (Some(outcome), Some(coverage))), "{name}: {}", told.all);
        let mut expected = titles;
        expected.sort_unstable();
        assert_eq!(told.titles(), expected, "{name}");
        assert_eq!(told.of(SPARED), ("completed", 1), "{name}");
        assert_eq!(told.events.last().map(|e| &e["outcome"]), Some(&Value::from(outcome)), "{name}");

        // What became of the hit reviewer is what its row says, told in one line with cause and fix.
        let why = told.why(HIT);
        let sent = gateway.requests().iter().filter(|r| r.reviewer() == HIT).count() as u64;
        match self.expected {
            Whole(requests) => {
                assert_eq!((told.of(HIT), sent, why), (("completed", requests), requests, ""), "{name}: {}", told.stderr);
            }
            Failed(requests, cause, fix) => {
                assert_eq!((told.of(HIT), sent), (("failed", requests), requests), "{name}: {why}");
                assert!(why.contains(cause) && why.contains(fix) && why.chars().count() < 700, "{name}: {why}");
                let ledger = report["coverage"][0]["reason"].as_str().unwrap_or_default();
                assert!(ledger.contains(why) && told.stderr.contains(cause), "{name}: {ledger} {}", told.stderr);
                assert!(told.markdown.contains(&format!("Reviewer failed: {HIT}")), "{name}: {}", told.markdown);
            }
        }

        // The key went where it belongs and is told nowhere.
        assert!(gateway.requests().iter().all(|r| r.headers.iter().any(|(_, value)| value.ends_with(KEY))), "{name}");
        told.assert_clean(&name);
    }
}
