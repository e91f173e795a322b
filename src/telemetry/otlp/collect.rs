//! Spans and metrics, made of a run's events and its review. Names are those of OpenTelemetry's conventions for
//! generative AI where they have one, else `tribune.…`. It never holds a prompt, code or a token; titles, places and what
//! tools were asked only where that was switched on.

use super::message::{Any, Attributes, Message, Value, attributes, many, one};
use crate::telemetry::Event;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The most spans of a run.
const MAX_SPANS: usize = 10_000;
/// Bounds of buckets, as the conventions have them.
const TOKENS: &[f64] = &[1., 4., 16., 64., 256., 1024., 4096., 16384., 65536., 262144., 1048576., 4194304., 16777216., 67108864.];
const SECONDS: &[f64] = &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST: &[f64] = &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const RUN: &[f64] = &[1., 5., 10., 30., 60., 120., 300., 600., 1200., 1800.];

/// What metrics of model calls are told apart by.
const METRICS_BY: &[&str] = &[
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "server.address",
    "server.port",
    "gen_ai.response.model",
    "error.type",
];

const INTERNAL: u32 = 1;
const CLIENT: u32 = 3;

/// An event within a span.
pub(super) type Happened = (&'static str, Attributes);

#[derive(Debug)]
struct Span {
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: String,
    kind: u32,
    start: u64,
    end: u64,
    attributes: Attributes,
    failed: bool,
    events: Vec<Happened>,
}

#[derive(Debug)]
enum Points {
    /// What was counted, by attributes.
    Sum(Vec<(Attributes, f64)>),
    /// Bounds, then for each set of attributes how many, their sum, and how many in each bucket.
    Histogram(&'static [f64], Vec<(Attributes, u64, f64, Vec<u64>)>),
}

#[derive(Debug)]
pub(super) struct Collected {
    trace: [u8; 16],
    root: [u8; 8],
    parent: Option<[u8; 8]>,
    content: bool,
    began: SystemTime,
    clock: Instant,
    spans: Vec<Span>,
    reviewers: BTreeMap<(String, usize), Span>,
    calls: BTreeMap<(String, usize), Span>,
    metrics: BTreeMap<(&'static str, &'static str), Points>,
}

impl Collected {
    pub(super) fn new(parent: Option<([u8; 16], [u8; 8])>, content: bool) -> Self {
        Self {
            trace: parent.map_or_else(|| [id(), id()].concat().try_into().expect("twice eight bytes"), |(trace, _)| trace),
            root: id(),
            parent: parent.map(|(_, span)| span),
            content,
            began: SystemTime::now(),
            clock: Instant::now(),
            spans: Vec::new(),
            reviewers: BTreeMap::new(),
            calls: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }

    /// Now, in nanoseconds since 1970. Never goes back.
    fn now(&self) -> u64 {
        let now = self.began + self.clock.elapsed();
        u64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or_default()
    }

    fn begin(&self, parent: [u8; 8], name: String, kind: u32, attributes: Attributes) -> Span {
        let now = self.now();
        Span { id: id(), parent: Some(parent), name, kind, start: now, end: now, attributes, failed: false, events: Vec::new() }
    }

    fn end(&mut self, mut span: Span) {
        span.end = self.now();
        if self.spans.len() < MAX_SPANS {
            self.spans.push(span);
        }
    }

    /// Ends what nobody ended: a run that was stopped drops it in the middle.
    fn end_unfinished(&mut self, mut span: Span) {
        span.failed = true;
        span.attributes.push(say("error.type", "cancelled"));
        self.end(span);
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::ReviewerStarted { reviewer, model, bundle, .. } => {
                let attributes = vec![
                    say("gen_ai.operation.name", "invoke_agent"),
                    say("gen_ai.agent.name", reviewer.as_str()),
                    say("gen_ai.request.model", model.as_str()),
                    say("tribune.bundle", *bundle as u64),
                ];
                let span = self.begin(self.root, format!("invoke_agent {reviewer}"), INTERNAL, attributes);
                self.reviewers.insert((reviewer.clone(), *bundle), span);
            }
            Event::ReviewerFinished { reviewer, bundle, findings, failed, .. } => {
                if let Some(mut span) = self.reviewers.remove(&(reviewer.clone(), *bundle)) {
                    span.attributes.push(say("tribune.findings", *findings as u64));
                    if failed.is_some() {
                        // The reason can quote a gateway's words, so it stays here.
                        span.failed = true;
                        span.attributes.push(say("error.type", "reviewer_failed"));
                    }
                    self.end(span);
                }
            }
            Event::ModelCalled { reviewer, bundle, model, provider, host, request, attempt } => {
                let key = (reviewer.clone(), *bundle);
                let parent = self.reviewers.get(&key).map_or(self.root, |span| span.id);
                // Without a port it is that of https; a bare IPv6 address has colons of its own.
                let port = host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse::<u64>().ok()?)));
                let (name, port) = port.unwrap_or((host, 443));
                let attributes = vec![
                    say("gen_ai.operation.name", "chat"),
                    say("gen_ai.provider.name", if *provider == "google" { "gcp.gen_ai" } else { provider }),
                    say("gen_ai.request.model", model.as_str()),
                    say("server.address", name),
                    say("server.port", port),
                    say("gen_ai.request.stream", true),
                    say("gen_ai.agent.name", reviewer.as_str()),
                    say("tribune.request", u64::from(*request)),
                    say("tribune.attempt", u64::from(*attempt)),
                ];
                let span = self.begin(parent, format!("chat {model}"), CLIENT, attributes);
                if let Some(before) = self.calls.insert(key, span) {
                    self.end_unfinished(before);
                }
            }
            Event::ModelEnded {
                reviewer,
                bundle,
                model,
                failed,
                status,
                input_tokens,
                cached_tokens,
                cache_write_tokens,
                output_tokens,
                estimated,
                cost_usd,
                first_byte_ms,
                ms,
            } => {
                let Some(mut span) = self.calls.remove(&(reviewer.clone(), *bundle)) else { return };
                span.attributes.push(say("gen_ai.response.model", model.as_str()));
                if let Some(kind) = failed {
                    span.failed = true;
                    span.attributes.push(say("error.type", status.map_or_else(|| (*kind).to_owned(), |status| status.to_string())));
                }
                let mut by = only(&span.attributes, METRICS_BY);
                let counts = [
                    ("gen_ai.usage.input_tokens", *input_tokens),
                    ("gen_ai.usage.cache_read.input_tokens", *cached_tokens),
                    ("gen_ai.usage.cache_creation.input_tokens", *cache_write_tokens),
                    ("gen_ai.usage.output_tokens", *output_tokens),
                ];
                span.attributes.extend(counts.map(|(name, n)| say(name, n)));
                span.attributes.push(say("tribune.usage.estimated", *estimated));
                span.attributes.extend(first_byte_ms.map(|ms| say("gen_ai.response.time_to_first_chunk", ms as f64 / 1e3)));
                span.attributes.extend(cost_usd.map(|usd| say("tribune.cost", usd)));
                self.end(span);
                self.record(("gen_ai.client.operation.duration", "s"), SECONDS, &by, *ms as f64 / 1e3);
                if let Some(ms) = first_byte_ms {
                    self.record(("gen_ai.client.operation.time_to_first_chunk", "s"), FIRST, &by, *ms as f64 / 1e3);
                }
                by.retain(|(name, _)| name != "error.type");
                // The conventions want no estimates there.
                for (kind, n) in [("input", *input_tokens), ("output", *output_tokens)].into_iter().filter(|(_, n)| !estimated && *n > 0) {
                    let by = [&by[..], &[say("gen_ai.token.type", kind)]].concat();
                    self.record(("gen_ai.client.token.usage", "{token}"), TOKENS, &by, n as f64);
                }
                if let Some(usd) = cost_usd {
                    let by = [only(&by, &["gen_ai.request.model"]), vec![say("tribune.reviewer", reviewer.as_str())]].concat();
                    self.count(("tribune.cost", "USD"), &by, *usd);
                }
            }
            Event::ToolCalled { reviewer, bundle, tool, about, failed, ms } => {
                let parent = self.reviewers.get(&(reviewer.clone(), *bundle)).map_or(self.root, |span| span.id);
                let mut attributes =
                    vec![say("gen_ai.operation.name", "execute_tool"), say("gen_ai.tool.name", tool.as_str()), say("gen_ai.tool.type", "function")];
                if self.content {
                    attributes.push(say("tribune.tool.about", about.as_str()));
                }
                if *failed {
                    attributes.push(say("error.type", "tool_failed"));
                }
                let mut span = self.begin(parent, format!("execute_tool {tool}"), INTERNAL, attributes);
                span.start = span.start.saturating_sub(ms.saturating_mul(1_000_000));
                span.failed = *failed;
                self.end(span);
            }
            _ => {}
        }
    }

    /// Ends the run's own span.
    pub(super) fn finish(&mut self, attributes: Attributes, events: Vec<Happened>, failed: bool) {
        for span in std::mem::take(&mut self.calls).into_values().chain(std::mem::take(&mut self.reviewers).into_values()) {
            self.end_unfinished(span);
        }
        // The root has to be among them.
        self.spans.truncate(MAX_SPANS - 1);
        let mut root = self.begin([0; 8], "invoke_workflow tribune".to_owned(), INTERNAL, attributes);
        root.id = self.root;
        root.parent = self.parent;
        root.start = u64::try_from(self.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or_default();
        let by = only(&root.attributes, &["tribune.outcome", "tribune.tier"]);
        (root.events, root.failed) = (events, failed);
        self.record(("tribune.run.duration", "s"), RUN, &by, self.clock.elapsed().as_secs_f64());
        self.end(root);
    }

    fn record(&mut self, metric: (&'static str, &'static str), bounds: &'static [f64], by: &Attributes, value: f64) {
        let Points::Histogram(_, points) = self.metrics.entry(metric).or_insert_with(|| Points::Histogram(bounds, Vec::new())) else { return };
        let at = points.iter().position(|(of, ..)| of == by).unwrap_or_else(|| {
            points.push((by.clone(), 0, 0.0, vec![0; bounds.len() + 1]));
            points.len() - 1
        });
        let (_, count, sum, buckets) = &mut points[at];
        *count += 1;
        *sum += value;
        buckets[bounds.partition_point(|bound| *bound < value)] += 1;
    }

    pub(super) fn count(&mut self, metric: (&'static str, &'static str), by: &Attributes, value: f64) {
        let Points::Sum(points) = self.metrics.entry(metric).or_insert_with(|| Points::Sum(Vec::new())) else { return };
        match points.iter_mut().find(|(of, _)| of == by) {
            Some((_, sum)) => *sum += value,
            None => points.push((by.clone(), value)),
        }
    }

    /// All spans, as the request of an export.
    pub(super) fn traces(&self, resource: &Attributes) -> Message {
        let spans = self.spans.iter().map(|span| {
            let mut out = vec![one(1, "traceId", Value::Bytes(self.trace.to_vec())), one(2, "spanId", Value::Bytes(span.id.to_vec()))];
            out.extend(span.parent.map(|parent| one(4, "parentSpanId", Value::Bytes(parent.to_vec()))));
            out.extend([one(5, "name", Value::Text(span.name.clone())), one(6, "kind", Value::Small(span.kind))]);
            out.extend([one(7, "startTimeUnixNano", Value::Fixed(span.start)), one(8, "endTimeUnixNano", Value::Fixed(span.end))]);
            out.extend(many(9, "attributes", attributes(&span.attributes)));
            out.extend(many(
                11,
                "events",
                span.events.iter().map(|(name, about)| {
                    let mut event = vec![one(1, "timeUnixNano", Value::Fixed(span.end)), one(2, "name", Value::Text((*name).to_owned()))];
                    event.extend(many(3, "attributes", attributes(about)));
                    event
                }),
            ));
            if span.failed {
                out.push(one(15, "status", Value::Message(vec![one(3, "code", Value::Small(2))])));
            }
            out
        });
        export("resourceSpans", "scopeSpans", resource, many(2, "spans", spans).collect())
    }

    /// All metrics, as the request of an export.
    pub(super) fn metrics(&self, resource: &Attributes, delta: bool) -> Message {
        let start = u64::try_from(self.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or_default();
        let times = || [one(2, "startTimeUnixNano", Value::Fixed(start)), one(3, "timeUnixNano", Value::Fixed(self.now()))];
        let since = one(2, "aggregationTemporality", Value::Small(if delta { 1 } else { 2 }));
        let metrics = self.metrics.iter().map(|((name, unit), points)| {
            let mut out = vec![one(1, "name", Value::Text((*name).to_owned())), one(3, "unit", Value::Text((*unit).to_owned()))];
            match points {
                Points::Sum(points) => {
                    let points = points.iter().map(|(by, sum)| {
                        let mut point: Message = times().into();
                        point.push(one(4, "asDouble", Value::Double(*sum)));
                        point.extend(many(7, "attributes", attributes(by)));
                        point
                    });
                    let mut sum: Message = many(1, "dataPoints", points).collect();
                    sum.extend([since.clone(), one(3, "isMonotonic", Value::Bool(true))]);
                    out.push(one(7, "sum", Value::Message(sum)));
                }
                Points::Histogram(bounds, points) => {
                    let points = points.iter().map(|(by, count, sum, buckets)| {
                        let mut point: Message = times().into();
                        point.extend([one(4, "count", Value::Fixed(*count)), one(5, "sum", Value::Double(*sum))]);
                        point.push(one(6, "bucketCounts", Value::FixedList(buckets.clone())));
                        point.push(one(7, "explicitBounds", Value::DoubleList(bounds.to_vec())));
                        point.extend(many(9, "attributes", attributes(by)));
                        point
                    });
                    let mut histogram: Message = many(1, "dataPoints", points).collect();
                    histogram.push(since.clone());
                    out.push(one(9, "histogram", Value::Message(histogram)));
                }
            }
            out
        });
        export("resourceMetrics", "scopeMetrics", resource, many(2, "metrics", metrics).collect())
    }
}

/// The frame around spans and metrics.
fn export(outer: &'static str, inner: &'static str, resource: &Attributes, mut content: Message) -> Message {
    let scope = vec![one(1, "name", Value::Text("tribune".to_owned())), one(2, "version", Value::Text(env!("CARGO_PKG_VERSION").to_owned()))];
    content.insert(0, one(1, "scope", Value::Message(scope)));
    let resource = Value::Message(many(1, "attributes", attributes(resource)).collect());
    let mut all = vec![one(1, "resource", resource)];
    all.extend(many(2, inner, [content]));
    many(1, outer, [all]).collect()
}

/// An attribute.
pub(super) fn say(name: &str, value: impl Into<Any>) -> (String, Any) {
    (name.to_owned(), value.into())
}

/// Those of these names.
fn only(all: &Attributes, names: &[&str]) -> Attributes {
    all.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect()
}

/// Eight bytes that nobody else has, from the randomness of the system.
fn id() -> [u8; 8] {
    RandomState::new().build_hasher().finish().max(1).to_be_bytes()
}
