//! Where requests go: a gateway's URL, its wire format and its key. The key is shown to nobody but that origin.

use super::credential::{Key, TokenSource};
use super::error::{one_line, shorten};
use super::preset::{Labels, Preset};
use super::types::{AssistantTurn, ModelRequest, Turn};
use super::url;
use super::wire::{self, Extras, Wire, WireKind};
use crate::error::UserError;
use crate::http::{self, Secret};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Identity, Url};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to be made: three attempts, and a gateway that is gone is told of within 15 s.
const CONNECT: Duration = Duration::from_secs(4);

/// A checked endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    root: Url,
    preset: Preset,
    wire: WireKind,
    key: Option<Arc<Key>>,
    headers: HeaderMap,
    /// Values of configured headers, masked in what the gateway says.
    secrets: Vec<Secret>,
    /// Those of them that are keys by their headers' names.
    header_keys: Vec<Secret>,
    extras: Extras,
    labels: Labels,
    identity: Option<Identity>,
}

impl Endpoint {
    /// Checks and completes an endpoint. `url` as in [`Preset`], https unless loopback, a whole URL of the
    /// wire format's path being taken as its base; `wire`: the preset's where `None`; an empty token is none. Fails with a usage error.
    pub fn new(url: &str, preset: Preset, wire: Option<WireKind>, token: Option<Secret>) -> Result<Self, UserError> {
        let kind = wire.unwrap_or(preset.wire());
        let mut base = url::parse(url)?;
        url::strip(&mut base, &format!("/{}", wire::of(kind).path("")));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in wire::of(kind).headers().iter().chain(preset.headers()) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let mut endpoint = Self {
            root: preset.root(base, kind),
            preset,
            wire: kind,
            key: None,
            headers,
            secrets: Vec::new(),
            header_keys: Vec::new(),
            extras: Extras::new(),
            labels: Labels::default(),
            identity: None,
        };
        endpoint.extras = preset.extras(kind, endpoint.is_openai_itself(), None);
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            header_value(token.expose(), "The gateway's token")?;
            endpoint.key = Some(Arc::new(Key::new(token, None)));
        }
        Ok(endpoint)
    }

    /// In the place of a gateway, where a recording answers: it has no key, and nothing is ever sent to it.
    pub fn recording(wire: WireKind) -> Self {
        let root = Url::parse("replay://recording/").expect("a constant URL");
        Self {
            root,
            preset: Preset::OpenAi,
            wire,
            key: None,
            headers: HeaderMap::new(),
            secrets: Vec::new(),
            header_keys: Vec::new(),
            extras: Extras::new(),
            labels: Labels::default(),
            identity: None,
        }
    }

    /// Lets the token be read again from where it came, once for each call that is answered with 401.
    pub fn with_renewal(mut self, source: TokenSource) -> Self {
        if let Some(key) = &self.key {
            self.key = Some(Arc::new(Key::new(key.current().0, Some(source))));
        }
        self
    }

    /// Tells the gateway, in its own way, what requests are for.
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.extras = self.preset.extras(self.wire, self.is_openai_itself(), labels.user.as_deref());
        self.labels = labels;
        self
    }

    /// Shows this certificate to the gateway: PEM, the certificate (its chain after it) and its private key in any
    /// order. Fails with a usage error where it is not that.
    pub fn with_client_cert(mut self, pem: &Secret) -> Result<Self, UserError> {
        let identity = Identity::from_pem(pem.expose().as_bytes()).map_err(|_| {
            UserError::usage(
                "The client certificate of the gateway is refused",
                "it is not a certificate and its private key, both in PEM",
                "Put both into one file: `cat client.crt client.key > client.pem`.",
            )
        })?;
        self.identity = Some(identity);
        Ok(self)
    }

    /// Adds headers to every request; one that is there already (the key's too) is replaced. Values are kept
    /// secret like the token. Fails with a usage error on a bad name or value and on headers that frame the request.
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = (String, Secret)>) -> Result<Self, UserError> {
        const FRAMING: [&str; 8] =
            ["accept-encoding", "connection", "content-length", "content-type", "expect", "host", "transfer-encoding", "upgrade"];
        /// In the names of headers that carry keys; the others (`X-Team: payments`) hold words that code may hold, too.
        const CREDENTIALS: [&str; 5] = ["auth", "key", "token", "secret", "cookie"];
        for (name, value) in headers {
            let shown = shorten(one_line(&name), 60);
            let title = format!("Header `{shown}` of the gateway");
            let parsed = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| UserError::usage(format!("{title} is refused"), "it is not a header's name", "Use letters, digits and `-`."))?;
            if FRAMING.contains(&parsed.as_str()) {
                return Err(UserError::usage(format!("{title} is refused"), "it is set by tribune itself", "Leave it out."));
            }
            // Of `Bearer sk-…` a gateway repeats the key alone.
            let key = value.expose().split_whitespace().next_back().map(Secret::new);
            if CREDENTIALS.iter().any(|word| parsed.as_str().contains(word)) {
                self.header_keys.extend(key.clone());
            }
            self.headers.insert(parsed, header_value(value.expose(), &title)?);
            self.secrets.push(value);
            self.secrets.extend(key);
        }
        Ok(self)
    }

    /// The gateway's host, and its port where it is not the scheme's own.
    pub fn host(&self) -> String {
        url::host(&self.root)
    }

    /// The preset it was made with.
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// The wire format it speaks.
    pub fn wire_kind(&self) -> WireKind {
        self.wire
    }

    pub(crate) fn wire(&self) -> &'static dyn Wire {
        wire::of(self.wire)
    }

    /// Where requests for a model are posted.
    pub(crate) fn target(&self, model: &str) -> Url {
        url::append(&self.root, &self.wire().path(model))
    }

    /// The body of a request. Blocks of answers go back only where they came from.
    pub(crate) fn body(&self, request: &ModelRequest) -> Vec<u8> {
        let origin = self.origin(&request.model);
        let foreign = |turn: &Turn| matches!(turn, Turn::Assistant(said) if said.raw.as_ref().is_some_and(|raw| raw.from != origin));
        if !request.turns.iter().any(foreign) {
            return self.wire().body(request, &self.extras);
        }
        let mut ours = request.clone();
        for turn in ours.turns.iter_mut().filter(|turn| foreign(turn)) {
            if let Turn::Assistant(said) = turn {
                said.raw = None;
            }
        }
        self.wire().body(&ours, &self.extras)
    }

    /// Where an answer's own blocks belong: this place, this format, this model.
    pub(crate) fn origin(&self, model: &str) -> String {
        format!("{} {} {model}", self.root, self.wire.name())
    }

    /// The headers of a request for a reviewer, and which of its tokens the endpoint sends. A header that is
    /// configured wins over the key's.
    pub(crate) fn headers(&self, reviewer: &str) -> (HeaderMap, usize) {
        let mut headers = self.headers.clone();
        if let Some((name, value)) = self.preset.metadata(&self.labels, reviewer)
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.entry(name).or_insert(value);
        }
        let Some(key) = &self.key else { return (headers, 0) };
        let (token, which) = key.current();
        let (name, before) = self.preset.key(self.wire);
        if let Ok(mut value) = HeaderValue::from_str(&format!("{before}{}", token.expose())) {
            value.set_sensitive(true);
            headers.entry(name).or_insert(value);
        }
        (headers, which)
    }

    /// After the token `which` was refused: whether there is another one now.
    pub(crate) async fn renew(&self, which: usize) -> Result<bool, String> {
        match &self.key {
            Some(key) => key.renew(which).await,
            None => Ok(false),
        }
    }

    /// The connections to it. Fails with a reason in one line.
    pub(crate) fn connect(&self) -> Result<Client, String> {
        // A recording is asked by nobody over a network; a client there has to be.
        let nowhere = Url::parse("http://localhost/").expect("a constant URL");
        let root = if self.root.scheme() == "replay" { &nowhere } else { &self.root };
        let mut builder = http::builder(root).map_err(|refused| format!("the URL {refused}"))?.connect_timeout(CONNECT);
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder.build().map_err(|error| format!("no connection to {} can be set up: {}", self.host(), http::reason(&error)))
    }

    /// Whether OpenAI itself is asked: its preset also stands for servers that merely speak the format.
    pub(crate) fn is_openai_itself(&self) -> bool {
        let host = self.root.host_str().unwrap_or_default();
        host == "api.openai.com" || host.ends_with(".api.openai.com")
    }

    /// A gateway's words, fit for an error: one clean line, our secrets masked, at most 300 characters.
    pub(crate) fn quote(&self, text: &str) -> String {
        shorten(self.mask(&one_line(text)), 300)
    }

    /// Blots our keys out of an answer, so that none gets into a report, whoever put it there. What goes back to the
    /// model as it came (`raw`) stays.
    pub(crate) fn clean(&self, turn: &mut AssistantTurn) {
        for key in self.keys() {
            let texts = turn.calls.iter_mut().map(|call| &mut call.arguments).chain([&mut turn.text]);
            for text in texts.filter(|text| text.contains(key.expose())) {
                *text = key.mask(text);
            }
        }
    }

    /// Whether one of our keys stands in a text.
    pub(crate) fn is_told(&self, text: &str) -> bool {
        self.keys().iter().any(|key| text.contains(key.expose()))
    }

    /// Our keys, former ones too. One as short as a word (`ollama`) may stand in code, whose quotes have to stay whole.
    fn keys(&self) -> Vec<Secret> {
        const SHORTEST: usize = 16;
        let keys = self.key.as_ref().map(|key| key.all()).unwrap_or_default();
        keys.into_iter().chain(self.header_keys.clone()).filter(|key| key.expose().len() >= SHORTEST).collect()
    }

    /// A text with our own secrets blotted out.
    pub(crate) fn mask(&self, text: &str) -> String {
        let keys = self.key.as_ref().map(|key| key.all()).unwrap_or_default();
        self.secrets.iter().chain(&keys).fold(text.to_owned(), |text, secret| secret.mask(&text))
    }
}

fn header_value(value: &str, title: &str) -> Result<HeaderValue, UserError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        UserError::usage(
            format!("{title} is refused"),
            "it holds a line end, a control character or something else that a header cannot carry",
            "Look for a line end in the middle, or a value pasted twice.",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
