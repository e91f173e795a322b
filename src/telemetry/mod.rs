//! What happens during a run, as events. The engine emits them and never prints; progress lines,
//! `--events` files and OTLP are made of them. Events hold no prompt, code, secret or token.

pub mod heartbeat;
pub mod jsonl;
pub mod lines;
pub mod otlp;
pub mod terminal;

use crate::report::{Review, word};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Something that happened. Serialised as one JSON line with the tag `event`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The change was read and classified.
    Planned {
        /// Changed files.
        files: usize,
        /// Changed lines.
        lines: usize,
        /// `trivial`, `lite` or `full`.
        tier: String,
        /// Ids of the reviewers that will run.
        reviewers: Vec<String>,
        /// How many bundles the change was packed into.
        bundles: usize,
    },
    /// The rules ran.
    RulesRan {
        /// How many hits stand on touched code.
        hits: usize,
        /// How many rules with a detector applied.
        rules: usize,
    },
    /// A reviewer (or `coordinator`) began on a bundle.
    ReviewerStarted {
        /// Its id.
        reviewer: String,
        /// The model it will ask.
        model: String,
        /// Which bundle, from 1.
        bundle: usize,
        /// How many bundles there are.
        bundles: usize,
    },
    /// A request went out.
    ModelCalled {
        /// Who asked.
        reviewer: String,
        /// About which bundle, from 1.
        bundle: usize,
        /// The model.
        model: String,
        /// What kind of gateway it goes to: a preset's name.
        provider: &'static str,
        /// The gateway's host (and port).
        host: String,
        /// From 1 within this reviewer and bundle.
        request: u32,
        /// From 1 within this request.
        attempt: u32,
    },
    /// What [`Event::ModelCalled`] began is over, one way or the other.
    ModelEnded {
        /// Who asked.
        reviewer: String,
        /// About which bundle, from 1.
        bundle: usize,
        /// The model as it named itself; as it was asked for where it did not.
        model: String,
        /// What kind of failure it was, in a word, where it was one.
        failed: Option<&'static str>,
        /// The HTTP status of a failure, where one came.
        status: Option<u16>,
        /// All input tokens of this attempt.
        input_tokens: u64,
        /// Of these read from cache.
        cached_tokens: u64,
        /// Of these written to cache.
        cache_write_tokens: u64,
        /// Output tokens.
        output_tokens: u64,
        /// Whether some of it is our estimate.
        estimated: bool,
        /// Dollars, where the model's price is known.
        cost_usd: Option<f64>,
        /// Milliseconds to the first byte of an answer, where one came.
        first_byte_ms: Option<u64>,
        /// Milliseconds in all.
        ms: u64,
    },
    /// A request failed and is tried again.
    ModelRetried {
        /// Who asked.
        reviewer: String,
        /// Why, in one line.
        reason: String,
        /// How long it waits, in milliseconds.
        wait_ms: u64,
    },
    /// A model did not answer; the next of its chain is asked.
    ModelChanged {
        /// Who asked.
        reviewer: String,
        /// Which bundle, from 1.
        bundle: usize,
        /// The model that did not answer, and its endpoint.
        from: String,
        /// The model that is asked now, and its endpoint.
        to: String,
        /// Why, in one line.
        reason: String,
    },
    /// A request was answered.
    ModelAnswered {
        /// Who asked.
        reviewer: String,
        /// About which bundle, from 1.
        bundle: usize,
        /// The model as it named itself.
        model: String,
        /// All input tokens.
        input_tokens: u64,
        /// Of these read from cache.
        cached_tokens: u64,
        /// Output tokens.
        output_tokens: u64,
        /// Milliseconds to the first byte of the answer.
        first_byte_ms: u64,
        /// Milliseconds in all.
        ms: u64,
    },
    /// A reviewer looked around.
    ToolCalled {
        /// Who.
        reviewer: String,
        /// About which bundle, from 1.
        bundle: usize,
        /// The tool's name.
        tool: String,
        /// What it was asked, one short line (a path, a name), cleaned.
        about: String,
        /// Whether it was refused or failed.
        failed: bool,
        /// Milliseconds.
        ms: u64,
    },
    /// A reviewer ended with one bundle.
    ReviewerFinished {
        /// Its id.
        reviewer: String,
        /// Which bundle, from 1.
        bundle: usize,
        /// How many findings it reported.
        findings: usize,
        /// Why it failed, where it did.
        failed: Option<String>,
        /// Milliseconds.
        ms: u64,
    },
    /// Nothing else happened for a while; the run is alive.
    Heartbeat {
        /// Seconds since the start.
        seconds: u64,
        /// Reviewers still at work.
        waiting_for: Vec<String>,
    },
    /// Something worth knowing that is no finding.
    Note {
        /// One line.
        text: String,
    },
    /// The run is over.
    Finished {
        /// `pass`, `fail` or `inconclusive`.
        outcome: String,
        /// Findings shown.
        findings: usize,
        /// Milliseconds.
        ms: u64,
    },
}

impl Event {
    /// The event that ends a run.
    pub fn finished(review: &Review) -> Self {
        Event::Finished { outcome: word(&review.outcome), findings: review.findings.len(), ms: (review.seconds * 1000.0) as u64 }
    }
}

/// Takes events; must not block for long and must not fail.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Where the engine's events go: any number of sinks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Events {
    sinks: Arc<Vec<Box<dyn EventSink>>>,
}

impl Events {
    /// Events that go to all of `sinks`, in order.
    pub fn new(sinks: Vec<Box<dyn EventSink>>) -> Self {
        Self { sinks: Arc::new(sinks) }
    }

    /// Tells all sinks.
    pub fn emit(&self, event: Event) {
        for sink in self.sinks.iter() {
            sink.emit(&event);
        }
    }

    /// Tells all sinks something worth knowing.
    pub fn note(&self, text: impl Into<String>) {
        self.emit(Event::Note { text: text.into() });
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({} sinks)", self.sinks.len())
    }
}
