//! OpenTelemetry by OTLP over HTTP, where the standard variables of the environment ask for it: spans and metrics are
//! collected from events and sent once, at the end, through the same hardened client as everything else. It waits three
//! seconds at most and never fails a run. No exporter crate does that: theirs bring a pipeline, protobuf and a client of
//! their own, some twenty crates for the one request that is made here.

mod collect;
mod message;
mod settings;

use super::{Event, EventSink};
use crate::history::Status;
use crate::http;
use crate::report::{Outcome, Review, word};
use collect::{Collected, Happened, say};
use message::{Attributes, Message};
use reqwest::header::CONTENT_TYPE;
use settings::{Settings, Target};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Collects what a run does and sends it. Clones share it: one is a sink, the other exports.
#[derive(Clone)]
pub struct Otlp {
    settings: Arc<Settings>,
    collected: Arc<Mutex<Collected>>,
}

impl Otlp {
    /// What the environment asks for, and what of it cannot be done, one line each. `None` where it asks for nothing.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> (Option<Self>, Vec<String>) {
        let mut settings = Settings::read(env);
        let trouble = std::mem::take(&mut settings.trouble);
        if settings.traces.is_none() && settings.metrics.is_none() {
            return (None, trouble);
        }
        let collected = Collected::new(settings.parent, settings.content);
        (Some(Self { settings: Arc::new(settings), collected: Arc::new(Mutex::new(collected)) }), trouble)
    }

    /// Sends all of it; returns what went wrong, one line each. Takes three seconds at most.
    pub async fn export(&self, review: &Review) -> Vec<String> {
        let (traces, metrics) = {
            let mut collected = self.collected();
            tell(&mut collected, review, self.settings.content);
            let mut resource: Attributes = self.settings.resource.iter().map(|(key, value)| say(key, value.as_str())).collect();
            resource.push(say("service.version", env!("CARGO_PKG_VERSION")));
            (collected.traces(&resource), collected.metrics(&resource, self.settings.delta))
        };
        let send = async |what: &str, target: &Option<Target>, message: Message| match target {
            Some(target) => send(target, &message).await.err().map(|why| format!("{what} were not exported: {why}")),
            None => None,
        };
        let (traces, metrics) = tokio::join!(send("traces", &self.settings.traces, traces), send("metrics", &self.settings.metrics, metrics));
        traces.into_iter().chain(metrics).collect()
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        // At worst a span is missing.
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Otlp {
    fn emit(&self, event: &Event) {
        self.collected().take(event);
    }
}

async fn send(target: &Target, message: &Message) -> Result<(), String> {
    let (kind, body) = match target.json {
        true => ("application/json", message::to_json(message).to_string().into_bytes()),
        false => ("application/x-protobuf", message::protobuf(message)),
    };
    let host = http::Origin::of(&target.url).map(|origin| origin.host()).map_err(|why| format!("the URL {why}"))?;
    let post = async {
        let client = http::client(&target.url).map_err(|why| why.to_string())?;
        let request = client.post(target.url.clone()).headers(target.headers.clone()).header(CONTENT_TYPE, kind).body(body);
        let response = request.send().await.map_err(|error| format!("{host}: {}", http::reason(&error)))?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(format!("{host} answered {}", status.as_u16())) }
    };
    let late = || format!("{host} took longer than {} s", target.timeout.as_secs_f64());
    tokio::time::timeout(target.timeout, post).await.unwrap_or_else(|_| Err(late()))
}

/// What the review adds: how the run ended, and what became of each finding.
fn tell(collected: &mut Collected, review: &Review, content: bool) {
    let mut about = vec![
        say("gen_ai.operation.name", "invoke_workflow"),
        say("gen_ai.workflow.name", "tribune"),
        say("tribune.outcome", word(&review.outcome)),
        say("tribune.verdict", word(&review.verdict)),
        say("tribune.tier", word(&review.tier)),
        say("tribune.files", review.change.files as u64),
        say("tribune.round", u64::from(review.round)),
    ];
    about.extend(review.change.head_sha.as_deref().map(|sha| say("vcs.ref.head.revision", sha)));
    if let Some(target) = &review.target {
        about.extend([say("vcs.repository.name", target.project.as_str()), say("vcs.change.id", target.number.to_string())]);
    }
    let model = |reviewer: &str| review.reviewers.iter().find(|run| run.id == reviewer).and_then(|run| run.model.clone());
    let mut events: Vec<Happened> = Vec::new();
    let mut finding = |what: &str, by: Attributes, more: Attributes| {
        let by = [vec![say("tribune.finding.status", what)], by].concat();
        collected.count(("tribune.findings", "{finding}"), &by, 1.0);
        events.push(("tribune.finding", [by, more].concat()));
    };
    for f in &review.findings {
        let mut by = vec![say("tribune.finding.severity", word(&f.severity)), say("tribune.reviewer", f.reviewer.as_str())];
        by.extend(f.rule.as_ref().map(|rule| say("tribune.rule.id", rule.id.as_str())));
        by.extend(model(&f.reviewer).map(|model| say("gen_ai.response.model", model)));
        let shown = [say("tribune.finding.title", f.title.as_str()), say("tribune.finding.path", f.path.display().into_owned())];
        let mut more = vec![say("tribune.finding.fingerprint", f.fingerprint.as_str())];
        more.extend(shown.into_iter().filter(|_| content));
        finding(&word(&f.status), by, more);
    }
    for w in &review.waived {
        finding("waived", vec![say("tribune.rule.id", w.rule_id.as_str())], Vec::new());
    }
    // Those that still stand, or are told again, are among the findings.
    for prior in review.prior.iter().filter(|prior| review.findings.iter().all(|f| f.fingerprint != prior.fingerprint)) {
        let status = match prior.status {
            Status::Open => continue,
            Status::Fixed => "fixed",
            Status::Settled => "settled",
            Status::Withdrawn => "withdrawn",
        };
        let by = vec![say("tribune.finding.severity", word(&prior.severity))];
        finding(status, by, vec![say("tribune.finding.fingerprint", prior.fingerprint.as_str())]);
    }
    for d in &review.dropped {
        finding("dropped", Vec::new(), if content { vec![say("tribune.finding.title", d.title.as_str())] } else { Vec::new() });
    }
    collected.finish(about, events, review.outcome == Outcome::Inconclusive);
}

#[cfg(test)]
mod tests;
