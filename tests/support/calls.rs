//! Calls of the gateway client against a fake gateway, with everything that they tell kept.

#![allow(dead_code, reason = "no test program uses all of it, and which parts each leaves out differs")]

use crate::gateway::answers::ModelAnswer;
use crate::gateway::{FakeGateway, Script};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tribune::gateway::{
    Answer, CallContext, Caps, Endpoint, Gateway, GatewayError, Limits, Link, ModelRequest, Preset, Price, Secret, Setup, ToolSpec, WireKind,
};
use tribune::telemetry::{Event, EventSink, Events};

/// The key of all tests: no error and no event may hold it.
pub(crate) const KEY: &str = "sk-test-4f9c2b7e";

/// The model that is asked for.
pub(crate) const MODEL: &str = "model-1";

/// One of the wires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Chat,
    Responses,
    Messages,
    Generate,
}

impl Wire {
    pub(crate) const ALL: [Self; 4] = [Self::Chat, Self::Responses, Self::Messages, Self::Generate];

    pub(crate) fn kind(self) -> WireKind {
        match self {
            Self::Chat => WireKind::Chat,
            Self::Responses => WireKind::Responses,
            Self::Messages => WireKind::Messages,
            Self::Generate => WireKind::GenerateContent,
        }
    }

    pub(crate) fn preset(self) -> Preset {
        match self {
            Self::Chat | Self::Responses => Preset::OpenAi,
            Self::Messages => Preset::Anthropic,
            Self::Generate => Preset::Google,
        }
    }

    pub(crate) fn text(self, answer: &ModelAnswer) -> String {
        match self {
            Self::Chat => answer.chat_text(),
            Self::Responses => answer.responses_text(),
            Self::Messages => answer.messages_text(),
            Self::Generate => answer.generate_text(),
        }
    }

    pub(crate) fn script(self, answer: &ModelAnswer) -> Script {
        crate::gateway::stream(&self.text(answer))
    }

    /// The stream up to, not including, what proves that it is whole.
    pub(crate) fn without_end(self, answer: &ModelAnswer) -> String {
        let text = self.text(answer);
        let end = match self {
            Self::Chat => text.find("\"finish_reason\":\"stop\"").and_then(|at| text[..at].rfind("data:")),
            Self::Responses => text.find("event: response.completed"),
            Self::Messages => text.find("event: message_stop"),
            Self::Generate => text.find("\"finishReason\"").and_then(|at| text[..at].rfind("data:")),
        };
        text[..end.expect("an end mark")].to_owned()
    }
}

/// Limits under which tests end quickly.
pub(crate) fn quick() -> Limits {
    Limits { backoff: Duration::from_millis(5), first_byte: Duration::from_secs(20), idle: Duration::from_secs(10), ..Limits::default() }
}

/// Keeps events as JSON lines.
#[derive(Default, Clone)]
pub(crate) struct Kept(Arc<Mutex<Vec<String>>>);

impl EventSink for Kept {
    fn emit(&self, event: &Event) {
        self.0.lock().expect("no panic elsewhere").push(serde_json::to_string(event).expect("events serialise"));
    }
}

impl Kept {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no panic elsewhere").clone()
    }
}

/// One gateway client and the fake that it talks to.
pub(crate) struct Case {
    pub(crate) fake: FakeGateway,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) events: Kept,
}

impl Case {
    pub(crate) fn new(wire: Wire, fake: FakeGateway, limits: Limits) -> Self {
        let url = fake.url();
        Self::at(wire, &url, fake, limits)
    }

    /// With another URL than the fake's.
    pub(crate) fn at(wire: Wire, url: &str, fake: FakeGateway, limits: Limits) -> Self {
        Self::with(wire, url, fake, limits, Caps::default(), None)
    }

    pub(crate) fn with(wire: Wire, url: &str, fake: FakeGateway, limits: Limits, caps: Caps, price: Option<Price>) -> Self {
        let endpoint = Endpoint::new(url, wire.preset(), Some(wire.kind()), Some(Secret::new(KEY))).expect("a valid endpoint");
        let events = Kept::default();
        let gateway = Gateway::new(Setup {
            endpoints: BTreeMap::from([("default".to_owned(), endpoint)]),
            prices: price.map(|price| (MODEL.to_owned(), price)).into_iter().collect(),
            caps,
            limits,
            events: Events::new(vec![Box::new(events.clone())]),
            tape: None,
        });
        Self { fake, gateway: Arc::new(gateway), events }
    }

    pub(crate) async fn complete(&self) -> Result<Answer, GatewayError> {
        self.gateway.complete(&context(), &request("quality")).await
    }

    /// How many attempts the events tell of.
    pub(crate) fn attempts(&self) -> usize {
        self.events.lines().iter().filter(|line| line.contains("\"model_called\"")).count()
    }

    /// The key was sent where it belongs and is told nowhere.
    pub(crate) fn assert_key_is_nowhere(&self, name: &str, outcome: &Result<Answer, GatewayError>) {
        let told = format!("{:?}\n{outcome:?}\n{}", self.gateway, self.events.lines().join("\n"));
        assert!(!told.contains(KEY), "{name}: {told}");
        let shown = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(!shown.contains(KEY), "{name}: {shown}");
    }
}

/// The chain of all callers that name none.
static DEFAULT: LazyLock<[Link; 1]> = LazyLock::new(|| [Link::new(MODEL, "default")]);

/// A caller with time.
pub(crate) fn context() -> CallContext<'static> {
    CallContext {
        reviewer: "quality",
        bundle: 1,
        chain: &*DEFAULT,
        request_no: 1,
        deadline: Instant::now() + Duration::from_secs(60),
        cancel: CancellationToken::new(),
        began: None,
    }
}

/// A caller whose first byte others wait for.
pub(crate) fn with_signal(began: &CancellationToken) -> CallContext<'static> {
    CallContext { began: Some(began.clone()), ..context() }
}

/// A reviewer's first request.
pub(crate) fn request(reviewer: &str) -> ModelRequest {
    let tool = ToolSpec { name: "report_findings", description: "Ends the review.".into(), schema: serde_json::json!({"type": "object"}) };
    ModelRequest {
        model: MODEL.into(),
        tools: vec![tool].into(),
        system: "You review.".into(),
        shared: "The change.".into(),
        own: format!("# Reviewer: {reviewer}\nLook."),
        turns: Vec::new(),
        max_output_tokens: 1000,
    }
}
