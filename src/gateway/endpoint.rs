//! Where requests go: a gateway's URL, its wire format and its key. The key is shown to nobody but that origin.

use super::error::{one_line, shorten};
use super::url;
use super::wire::{self, Wire, WireKind};
use crate::error::UserError;
pub use crate::http::Secret;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// Which gateway stands there: how its URL is completed and how the key is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// OpenAI and whatever speaks its format: the URL is a base such as `https://host/v1`; `Authorization: Bearer`.
    #[default]
    OpenAi,
    /// Anthropic: the URL is the host, `/v1` is appended (one given is not doubled); `x-api-key`.
    Anthropic,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// The preset of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// The wire format that it speaks unless told otherwise.
    pub fn wire(self) -> WireKind {
        match self {
            Self::OpenAi => WireKind::Chat,
            Self::Anthropic => WireKind::Messages,
        }
    }

    /// The root of the API, to which a wire format's own path is appended.
    fn root(self, mut base: Url) -> Url {
        match self {
            Self::OpenAi => base,
            Self::Anthropic => {
                url::strip(&mut base, "/v1");
                url::append(&base, "v1")
            }
        }
    }

    /// The header that carries the key.
    fn key_header(self, token: &str) -> (HeaderName, String) {
        match self {
            Self::OpenAi => (AUTHORIZATION, format!("Bearer {token}")),
            Self::Anthropic => (HeaderName::from_static("x-api-key"), token.to_owned()),
        }
    }
}

/// A checked endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    root: Url,
    preset: Preset,
    wire: WireKind,
    secrets: Vec<Secret>,
    headers: HeaderMap,
}

impl Endpoint {
    /// Checks and completes an endpoint. `url` as in [`Preset`], https unless loopback, a whole URL of the
    /// wire format's path being taken as its base; `wire`: the preset's where `None`; an empty token is none. Fails with a usage error.
    pub fn new(url: &str, preset: Preset, wire: Option<WireKind>, token: Option<Secret>) -> Result<Self, UserError> {
        let kind = wire.unwrap_or(preset.wire());
        let mut base = url::parse(url)?;
        url::strip(&mut base, &format!("/{}", wire::of(kind).path()));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in wire::of(kind).headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let mut endpoint = Self { root: preset.root(base), preset, wire: kind, secrets: Vec::new(), headers };
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            let (name, value) = preset.key_header(token.expose());
            endpoint.insert(name, &value, "The gateway's token")?;
            endpoint.secrets.push(token);
        }
        Ok(endpoint)
    }

    /// Adds headers to every request; one that is there already (the key's too) is replaced. Values are kept
    /// secret like the token. Fails with a usage error on a bad name or value and on headers that frame the request.
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = (String, Secret)>) -> Result<Self, UserError> {
        const FRAMING: [&str; 8] =
            ["accept-encoding", "connection", "content-length", "content-type", "expect", "host", "transfer-encoding", "upgrade"];
        for (name, value) in headers {
            let shown = shorten(one_line(&name), 60);
            let title = format!("Header `{shown}` of the gateway");
            let parsed = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| UserError::usage(format!("{title} is refused"), "it is not a header's name", "Use letters, digits and `-`."))?;
            if FRAMING.contains(&parsed.as_str()) {
                return Err(UserError::usage(format!("{title} is refused"), "it is set by tribune itself", "Leave it out."));
            }
            self.insert(parsed, value.expose(), &title)?;
            self.secrets.push(value);
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

    /// Where requests are posted.
    pub(crate) fn target(&self) -> Url {
        url::append(&self.root, self.wire().path())
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether OpenAI itself is asked. Only there `store: false` is sent: the preset also stands for servers
    /// that merely speak the format, keep nothing, and may refuse a field that they do not know.
    pub(crate) fn is_openai_itself(&self) -> bool {
        let host = self.root.host_str().unwrap_or_default();
        host == "api.openai.com" || host.ends_with(".api.openai.com")
    }

    /// A gateway's words, fit for an error: one clean line, our secrets masked, at most 300 characters.
    pub(crate) fn quote(&self, text: &str) -> String {
        let mut line = one_line(text);
        for secret in &self.secrets {
            line = secret.mask(&line);
        }
        shorten(line, 300)
    }

    fn insert(&mut self, name: HeaderName, value: &str, title: &str) -> Result<(), UserError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            UserError::usage(
                format!("{title} is refused"),
                "it holds a line end, a control character or something else that a header cannot carry",
                "Look for a line end in the middle, or a value pasted twice.",
            )
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, preset: Preset, wire: Option<WireKind>) -> Endpoint {
        Endpoint::new(url, preset, wire, Some(Secret::new("sk-very-secret\n"))).expect(url)
    }

    #[test]
    fn urls_are_completed() {
        use Preset::*;
        let target = |url, preset, wire| endpoint(url, preset, wire).target().to_string();
        insta::assert_snapshot!(target("https://h/v1", OpenAi, None), @"https://h/v1/chat/completions");
        insta::assert_snapshot!(target("https://h/v1/", OpenAi, None), @"https://h/v1/chat/completions");
        insta::assert_snapshot!(target("https://h", OpenAi, None), @"https://h/chat/completions");
        insta::assert_snapshot!(target("https://h/v1/chat/completions", OpenAi, None), @"https://h/v1/chat/completions");
        insta::assert_snapshot!(target("https://h/v1", OpenAi, Some(WireKind::Messages)), @"https://h/v1/messages");
        insta::assert_snapshot!(target("https://h", Anthropic, None), @"https://h/v1/messages");
        insta::assert_snapshot!(target("https://h/v1/", Anthropic, None), @"https://h/v1/messages");
        insta::assert_snapshot!(target("https://h/a/v1/messages", Anthropic, None), @"https://h/a/v1/messages");
        insta::assert_snapshot!(target("https://h/proxy", Anthropic, Some(WireKind::Chat)), @"https://h/proxy/v1/chat/completions");
    }

    #[test]
    fn the_key_is_sent_and_never_shown() {
        let chat = endpoint("https://h/v1", Preset::OpenAi, None);
        assert_eq!(chat.headers()["authorization"], "Bearer sk-very-secret");
        let messages = endpoint("https://h", Preset::Anthropic, None);
        assert_eq!(messages.headers()["x-api-key"], "sk-very-secret");
        assert_eq!(messages.headers()["anthropic-version"], "2023-06-01");
        for shown in [format!("{chat:?}"), format!("{messages:?}"), chat.quote("key sk-very-\u{200b}secret, sk-very-secret")] {
            assert!(!shown.contains("very-secret"), "{shown}");
        }
        let none = Endpoint::new("https://h/v1", Preset::OpenAi, None, Some(Secret::new(" "))).expect("valid");
        assert!(!none.headers().contains_key("authorization"));
    }

    #[test]
    fn headers_are_checked() {
        let with = |name: &str, value: &str| endpoint("https://h/v1", Preset::OpenAi, None).with_headers([(name.to_owned(), Secret::new(value))]);
        assert_eq!(with("X-Team", "a").expect("valid").headers()["x-team"], "a");
        assert_eq!(with("Authorization", "Basic b").expect("valid").headers()["authorization"], "Basic b");
        insta::assert_snapshot!(with("Host", "evil").expect_err("refused"), @"Header `Host` of the gateway is refused: it is set by tribune itself");
        insta::assert_snapshot!(with("a b", "c").expect_err("refused"), @"Header `a b` of the gateway is refused: it is not a header's name");
        insta::assert_snapshot!(with("x", "a\nhost: b").expect_err("refused"), @"Header `x` of the gateway is refused: it holds a line end, a control character or something else that a header cannot carry");
    }

    #[test]
    fn storage_is_switched_off_at_openai_itself() {
        let itself = |url| endpoint(url, Preset::OpenAi, None).is_openai_itself();
        assert!(itself("https://api.openai.com/v1") && itself("https://eu.api.openai.com/v1"));
        assert!(!itself("https://api.openai.com.evil.example/v1") && !itself("https://gateway.example/v1"));
    }
}
