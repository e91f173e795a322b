//! What is known of each kind of gateway, as data: how its URL is completed, which header carries the key, what
//! keeps it from retaining anything, and where it takes metadata. It holds no secret and touches no network.

use super::url;
use super::wire::{Extras, WireKind};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which gateway stands there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// OpenAI and whatever speaks its format: the URL is a base such as `https://host/v1`.
    #[default]
    OpenAi,
    /// Anthropic: the URL is the host.
    Anthropic,
    /// Google's Gemini API: the URL is the host.
    Google,
    /// Cloudflare AI Gateway: `https://gateway.ai.cloudflare.com/v1/{account}/{gateway}`.
    Cloudflare,
    /// A LiteLLM proxy: the URL is the host.
    LiteLlm,
    /// OpenRouter: the host, or its base `https://openrouter.ai/api/v1`.
    OpenRouter,
    /// Portkey: the host.
    Portkey,
}

/// What is known of a preset.
struct Facts {
    name: &'static str,
    wire: WireKind,
    /// The header that carries the key, and what stands before it.
    key: (&'static str, &'static str),
    /// Headers of every request: against retention.
    headers: &'static [(&'static str, &'static str)],
    /// The header that takes metadata as JSON, and what it calls the user.
    metadata: Option<(&'static str, &'static str)>,
}

const BEARER: (&str, &str) = ("authorization", "Bearer ");

impl Preset {
    /// All presets.
    pub const ALL: [Self; 7] = [Self::Cloudflare, Self::LiteLlm, Self::OpenRouter, Self::Portkey, Self::OpenAi, Self::Anthropic, Self::Google];

    fn facts(self) -> Facts {
        let plain = Facts { name: "openai", wire: WireKind::Chat, key: BEARER, headers: &[], metadata: None };
        match self {
            Self::OpenAi => plain,
            Self::Anthropic => Facts { name: "anthropic", wire: WireKind::Messages, key: ("x-api-key", ""), ..plain },
            Self::Google => Facts { name: "google", wire: WireKind::GenerateContent, key: ("x-goog-api-key", ""), ..plain },
            Self::Cloudflare => Facts {
                name: "cloudflare",
                key: ("cf-aig-authorization", "Bearer "),
                headers: &[("cf-aig-collect-log-payload", "false")],
                metadata: Some(("cf-aig-metadata", "user")),
                ..plain
            },
            Self::LiteLlm => Facts {
                name: "litellm",
                headers: &[("x-litellm-enable-message-redaction", "true")],
                metadata: Some(("x-litellm-spend-logs-metadata", "user")),
                ..plain
            },
            Self::OpenRouter => Facts { name: "openrouter", ..plain },
            Self::Portkey => Facts {
                name: "portkey",
                key: ("x-portkey-api-key", ""),
                headers: &[("x-portkey-debug", "false")],
                metadata: Some(("x-portkey-metadata", "_user")),
                ..plain
            },
        }
    }

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The preset of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// The wire format that it speaks unless told otherwise.
    pub fn wire(self) -> WireKind {
        self.facts().wire
    }

    /// The header that carries the key, and what stands before it. Where Anthropic and Google speak OpenAI's formats, they
    /// take the key as OpenAI does.
    pub(super) fn key(self, wire: WireKind) -> (&'static str, &'static str) {
        match (self, wire) {
            (Self::Anthropic | Self::Google, WireKind::Chat | WireKind::Responses) => BEARER,
            _ => self.facts().key,
        }
    }

    /// Headers of every request.
    pub(super) fn headers(self) -> &'static [(&'static str, &'static str)] {
        self.facts().headers
    }

    /// The root of the API for a wire format, to which the format's own path is appended.
    pub(super) fn root(self, base: Url, wire: WireKind) -> Url {
        let version = if wire == WireKind::GenerateContent { "v1beta" } else { "v1" };
        match self {
            Self::OpenAi => base,
            Self::OpenRouter if base.path() != "/" => base,
            Self::OpenRouter => url::append(&base, "api/v1"),
            Self::Anthropic | Self::LiteLlm | Self::Portkey => versioned(base, version),
            // Google speaks OpenAI's formats, too, in a place of their own.
            Self::Google if wire == WireKind::GenerateContent => versioned(base, version),
            Self::Google => url::append(&versioned(base, "v1beta"), "openai"),
            Self::Cloudflare => cloudflare(base, wire),
        }
    }

    /// Fields that every body of this gateway has: against retention, and whom the provider may hold responsible.
    /// `itself`: OpenAI is asked, not something that merely speaks its format and may refuse what it does not know.
    pub(super) fn extras(self, wire: WireKind, itself: bool, user: Option<&str>) -> Extras {
        let mut extras = Extras::new();
        let mut add = |name: &str, value: Value| extras.insert(name.to_owned(), value);
        match (self, wire) {
            (Self::OpenAi, WireKind::Chat) if itself => drop(add("store", json!(false))),
            (Self::OpenRouter, _) => drop(add("provider", json!({"data_collection": "deny", "zdr": true}))),
            _ => {}
        }
        match (self, wire, user) {
            (Self::OpenAi, WireKind::Chat | WireKind::Responses, Some(user)) if itself => drop(add("safety_identifier", json!(user))),
            (Self::Anthropic, WireKind::Messages, Some(user)) => drop(add("metadata", json!({"user_id": user}))),
            (Self::OpenRouter, _, Some(user)) => drop(add("user", json!(user))),
            _ => {}
        }
        extras
    }

    /// The header with what a request is for, where this gateway takes it: at most five entries, in ASCII.
    pub(super) fn metadata(self, labels: &Labels, reviewer: &str) -> Option<(&'static str, String)> {
        let (header, user) = self.facts().metadata?;
        let all =
            [("run", labels.run.as_deref()), ("project", labels.project.as_deref()), ("reviewer", Some(reviewer)), (user, labels.user.as_deref())];
        let entries = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let fields: Vec<String> =
            entries.map(|(name, value)| format!("{}:{}", json!(name), json!(value.chars().take(100).collect::<String>()))).collect();
        Some((header, ascii(&format!("{{{}}}", fields.join(",")))))
    }
}

/// What requests of a run are for. Nothing in it is a secret, and the user is no name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// The CI's number of the run.
    pub run: Option<String>,
    /// The project's path on its forge.
    pub project: Option<String>,
    /// Who started it, as a keyed hash; none without a key, since an unkeyed hash of a name is that name.
    pub user: Option<String>,
}

/// The base with the API's version at its end, which may be there already.
fn versioned(mut base: Url, version: &str) -> Url {
    for given in ["/v1", "/v1beta"] {
        url::strip(&mut base, given);
    }
    url::append(&base, version)
}

/// Cloudflare's path of a provider; one that the URL ends with already is taken as meant.
fn cloudflare(base: Url, wire: WireKind) -> Url {
    const GIVEN: [&str; 6] = ["/openai", "/compat", "/anthropic", "/anthropic/v1", "/google-ai-studio", "/google-ai-studio/v1beta"];
    let path = base.path().trim_end_matches('/').to_owned();
    let provider = match GIVEN.iter().find(|given| path.ends_with(*given)) {
        Some(&"/anthropic") => "v1",
        Some(&"/google-ai-studio") => "v1beta",
        Some(_) => return base,
        None => match wire {
            WireKind::Chat => "compat",
            WireKind::Responses => "openai",
            WireKind::Messages => "anthropic/v1",
            WireKind::GenerateContent => "google-ai-studio/v1beta",
        },
    };
    url::append(&base, provider)
}

/// JSON in ASCII, as a header can carry it.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_small_and_ascii() {
        let labels = Labels { run: Some("77".into()), project: Some("größe/\u{1f600}".into()), user: Some("f00d".into()) };
        let told =
            |preset: Preset, labels: &Labels| preset.metadata(labels, "quality").map_or("none".into(), |(name, value)| format!("{name}: {value}"));
        insta::assert_snapshot!(told(Preset::Cloudflare, &labels), @r#"cf-aig-metadata: {"run":"77","project":"gr\u00f6\u00dfe/\ud83d\ude00","reviewer":"quality","user":"f00d"}"#);
        insta::assert_snapshot!(told(Preset::Portkey, &labels), @r#"x-portkey-metadata: {"run":"77","project":"gr\u00f6\u00dfe/\ud83d\ude00","reviewer":"quality","_user":"f00d"}"#);
        insta::assert_snapshot!(told(Preset::LiteLlm, &Labels::default()), @r#"x-litellm-spend-logs-metadata: {"reviewer":"quality"}"#);
        insta::assert_snapshot!(told(Preset::OpenAi, &labels), @"none");
    }

    #[test]
    fn bodies_forbid_retention_and_name_a_user() {
        let told = |preset: Preset, wire, itself| Value::Object(preset.extras(wire, itself, Some("f00d"))).to_string();
        insta::assert_snapshot!(told(Preset::OpenAi, WireKind::Chat, true), @r#"{"safety_identifier":"f00d","store":false}"#);
        insta::assert_snapshot!(told(Preset::OpenAi, WireKind::Chat, false), @"{}");
        insta::assert_snapshot!(told(Preset::Anthropic, WireKind::Messages, false), @r#"{"metadata":{"user_id":"f00d"}}"#);
        insta::assert_snapshot!(told(Preset::OpenRouter, WireKind::Chat, false), @r#"{"provider":{"data_collection":"deny","zdr":true},"user":"f00d"}"#);
        insta::assert_snapshot!(told(Preset::Google, WireKind::GenerateContent, false), @"{}");
    }

    #[test]
    fn names_are_found_again() {
        assert!(Preset::ALL.into_iter().all(|preset| Preset::from_name(preset.name()) == Some(preset)));
        assert_eq!(Preset::from_name("OpenAI"), None);
    }
}
