//! Wire formats: how a neutral request is written and how a stream of events becomes a neutral answer.
//! A format is one file here and one line in [`of`]. It never touches the network, and it treats every
//! field of an answer as a stranger's: missing, unknown and oversized ones are no surprise.

mod chat;
mod error_body;
#[cfg(test)]
pub(super) mod fixtures;
mod generate;
mod messages;
mod responses;
#[cfg(test)]
mod usage;

pub(crate) use error_body::ErrorBody;

use super::sse::{EventTooLong, SseEvent};
use super::types::{AssistantTurn, ModelRequest, Stop, Usage};
use memchr::memmem::Finder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Which wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireKind {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI responses, stateless.
    Responses,
    /// Anthropic messages.
    Messages,
    /// Google generateContent.
    GenerateContent,
}

impl WireKind {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Chat, Self::Responses, Self::Messages, Self::GenerateContent];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::GenerateContent => "generate-content",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The format's code.
pub(crate) fn of(kind: WireKind) -> &'static dyn Wire {
    match kind {
        WireKind::Chat => &chat::Chat,
        WireKind::Responses => &responses::Responses,
        WireKind::Messages => &messages::Messages,
        WireKind::GenerateContent => &generate::Generate,
    }
}

/// Further fields of a body, which the endpoint asks for.
pub(crate) type Extras = serde_json::Map<String, Value>;

/// One wire format.
pub(crate) trait Wire: Send + Sync {
    /// The path below the API's root to post to, without a slash at its ends, and perhaps a query.
    fn path(&self, model: &str) -> String;

    /// Headers that every request of this format has.
    fn headers(&self) -> &'static [(&'static str, &'static str)];

    /// The body, as JSON. Equal requests give equal bytes, and requests that share tools, system and shared
    /// context begin with equal bytes. `extras` stand last.
    fn body(&self, request: &ModelRequest, extras: &Extras) -> Vec<u8>;

    /// A fresh decoder for one answer.
    fn decoder(&self) -> Box<dyn Decoder>;
}

/// Makes one answer of the events of one stream, or of one whole JSON document.
pub(crate) trait Decoder: Send + Sync {
    /// Takes the next event of a stream.
    fn event(&mut self, event: SseEvent<'_>) -> Result<(), DecodeError>;

    /// Takes a whole answer, from a server that does not stream.
    fn document(&mut self, document: &str) -> Result<(), DecodeError>;

    /// How far the answer is.
    fn progress(&self) -> Progress;

    /// What came so far, in bytes of text and arguments: to estimate a broken answer's cost.
    fn received(&self) -> usize;

    /// The provider's count so far.
    fn usage(&self) -> Option<Usage>;

    /// The answer, to be taken once; `None` where it is not whole.
    fn finish(&mut self) -> Option<Decoded>;
}

/// How far an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More has to come.
    Open,
    /// It is whole, but usage may follow.
    Whole,
    /// Nothing more will come.
    Over,
}

/// A whole answer of one stream.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) turn: AssistantTurn,
    pub(crate) stop: Stop,
    /// The model as it named itself, perhaps empty; not cleaned.
    pub(crate) model: String,
}

/// Why an answer cannot be read.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// It says itself that it failed.
    Upstream(ErrorBody),
    /// It is not what the format says; in words.
    Garbled(&'static str),
    /// It is JSON, but no answer of this format; in words.
    NoAnswer(&'static str),
    /// It is too long; which bound.
    TooLong(&'static str),
}

impl From<EventTooLong> for DecodeError {
    fn from(_: EventTooLong) -> Self {
        Self::TooLong("one event of more than 16 MiB")
    }
}

/// Blocks or calls by the index that the server gives them. An index that comes again for something else (some gateways
/// count no further) begins another entry: pieces belong to the last of their index.
#[derive(Debug)]
pub(crate) struct Indexed<T>(BTreeMap<(u64, u32), T>);

impl<T> Default for Indexed<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Indexed<T> {
    /// The last entry of an index.
    pub(crate) fn last(&mut self, index: u64) -> Option<&mut T> {
        self.0.range_mut((index, 0)..=(index, u32::MAX)).next_back().map(|(_, entry)| entry)
    }

    /// Begins another entry of an index, after those that it has.
    pub(crate) fn begin(&mut self, index: u64, entry: T) {
        let number = self.0.range((index, 0)..=(index, u32::MAX)).next_back().map_or(0, |((_, number), _)| number + 1);
        self.0.insert((index, number), entry);
    }

    /// Keeps the first entry of each index below `end`.
    pub(crate) fn keep_first(&mut self, end: u64) {
        self.0.retain(|(index, number), _| *index < end && *number == 0);
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All entries, by index, those of one index in the order in which they began.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.0.into_values()
    }
}

/// Bounds what a decoder keeps: 4 MiB of text and arguments, 1,024 blocks or calls.
#[derive(Debug)]
pub(crate) struct Room {
    bytes: usize,
    items: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, items: 1_024 }
    }
}

const MAX_BYTES: usize = 4 << 20;

impl Room {
    /// Takes room for `bytes` more.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(DecodeError::TooLong("more than 4 MiB of text and arguments"))?;
        Ok(())
    }

    /// Takes room for one more block or call.
    pub(crate) fn take_item(&mut self) -> Result<(), DecodeError> {
        self.items = self.items.checked_sub(1).ok_or(DecodeError::TooLong("more than 1,024 tool calls or blocks"))?;
        Ok(())
    }

    /// Bytes taken so far.
    pub(crate) fn taken(&self) -> usize {
        MAX_BYTES - self.bytes
    }
}

/// Writes a body. Fields are written in the order of the struct, so that equal requests are equal bytes.
fn to_json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("plain structs with string keys always serialise")
}

/// Reads one JSON text of an answer: `Upstream` where it carries an error, `Garbled` where it is not of this shape.
fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));
    let parsed = serde_json::from_str(text);
    // Parsed a second time only where it can matter: errors are rare, text deltas are not.
    if (parsed.is_err() || ERROR.find(text.as_bytes()).is_some())
        && let Some(error) = ErrorBody::parse(text.as_bytes())
    {
        return Err(DecodeError::Upstream(error));
    }
    parsed.or_else(|_| without_counts(text)).map_err(|_| DecodeError::Garbled("an event that is not the JSON of this format"))
}

/// Reads it as if nothing were counted: counts that are none must not cost the answer.
fn without_counts<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut value: Value = serde_json::from_str(text)?;
    let chunks = match &mut value {
        Value::Array(chunks) => chunks.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for chunk in chunks {
        for place in ["/usage", "/usageMetadata", "/message/usage", "/response/usage"] {
            if let Some(counts) = chunk.pointer_mut(place) {
                *counts = Value::Null;
            }
        }
    }
    serde_json::from_value(value)
}

/// Counts that can be meant. No input at all is a server that does not count, more than 2^40 tokens are nobody's; and who
/// reads more from the cache than there was input counts it apart.
fn plausible(usage: Usage) -> Option<Usage> {
    let counts = [usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens];
    let meant = usage.input_tokens > 0 && counts.iter().all(|count| *count < 1 << 40);
    let cached = usage.cached_tokens.saturating_add(usage.cache_write_tokens);
    let apart = if cached > usage.input_tokens { cached } else { 0 };
    meant.then(|| Usage { input_tokens: usage.input_tokens + apart, ..usage })
}

/// Arguments as a JSON object. What a model wrote can be invalid, and servers refuse a history that holds
/// invalid JSON; the tool result that follows tells the model what was wrong.
fn arguments_object(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ => Value::Object(serde_json::Map::new()),
    }
}

/// The arguments as they came, where they are a JSON object.
fn sendable(arguments: &str) -> String {
    match serde_json::from_str::<serde_json::Map<String, Value>>(arguments) {
        Ok(_) => arguments.to_owned(),
        Err(_) => arguments_object(arguments).to_string(),
    }
}

/// The reason to stop, corrected: some servers say that all is whole where they want tools.
fn stop_with_calls(stop: Stop, has_calls: bool) -> Stop {
    match stop {
        Stop::End if has_calls => Stop::Tools,
        stop => stop,
    }
}
