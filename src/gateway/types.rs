//! The neutral request and answer: what the rest of the crate knows. It never names a wire format.

use std::sync::Arc;

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it is for, to the model.
    pub description: String,
    /// JSON Schema of its input. Key order is kept (requests are byte-stable).
    pub schema: serde_json::Value,
}

impl ToolSpec {
    /// Tokens that offering it takes, estimated.
    pub(crate) fn tokens(&self) -> u64 {
        estimate_tokens(&self.description) + estimate_tokens(&self.schema.to_string())
    }
}

/// A request in neutral form. Everything that several reviewers of one model share comes first and is
/// byte-identical (`tools`, `system`, `shared`); what differs comes last (`own`, then the turns).
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// The model's name as the gateway knows it. The client fills it in from the link that it asks.
    pub model: String,
    /// Tools offered.
    pub tools: Arc<Vec<ToolSpec>>,
    /// Instructions only; nothing of the change.
    pub system: Arc<str>,
    /// The shared context: first block of the user's message. May be empty.
    pub shared: Arc<str>,
    /// The reviewer's own part: last block of the user's message. Begins with `# Reviewer: <id>` or `# Coordinator`.
    pub own: String,
    /// What followed, oldest first.
    pub turns: Vec<Turn>,
    /// The most output tokens to ask for.
    pub max_output_tokens: u32,
}

/// One step after the first user message.
#[derive(Debug, Clone)]
pub enum Turn {
    /// The model's answer, sent back as it came.
    Assistant(AssistantTurn),
    /// Answers to all tool calls of the assistant turn before.
    ToolResults(Vec<ToolResult>),
    /// A word of ours (for example "call report_findings").
    User(String),
}

/// What a model answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssistantTurn {
    /// Its prose, perhaps empty.
    pub text: String,
    /// Its tool calls in order.
    pub calls: Vec<ToolCall>,
    /// The provider's own blocks, where they have to go back unchanged (signatures, reasoning items).
    pub raw: Option<Raw>,
}

/// An answer's own blocks. They go back unchanged, and only to where they came from: a signature of one model
/// is an error to another, whose history is made of text and calls alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Raw {
    /// The blocks, in the wire format's own shape.
    pub blocks: Vec<serde_json::Value>,
    /// Which endpoint, format and model they came from.
    pub(crate) from: String,
}

impl Raw {
    /// Blocks of an answer whose origin is told later.
    pub(crate) fn new(blocks: Vec<serde_json::Value>) -> Self {
        Self { blocks, from: String::new() }
    }
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id, which pairs it with its result.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// The input as JSON text, unparsed: it can be invalid.
    pub arguments: String,
}

/// The result of one tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// What the model is shown.
    pub content: String,
    /// Whether the call failed.
    pub is_error: bool,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It is whole.
    End,
    /// It wants tools.
    Tools,
    /// It was cut by a length limit: its tool calls must not be run.
    Length,
    /// The provider or model refused.
    Refused,
    /// Something this version does not know; treated as an end.
    Other(String),
}

/// Tokens and money of one or more requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// All input tokens, cached and cache-written included.
    pub input_tokens: u64,
    /// Of these read from cache.
    pub cached_tokens: u64,
    /// Of these written to cache.
    pub cache_write_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Dollars, where the model's price is known.
    pub cost_usd: Option<f64>,
    /// Whether some of it is our estimate, since the provider did not say.
    pub estimated: bool,
}

impl Usage {
    /// Adds another request's usage. The sum has a cost where all that used something have one.
    pub fn add(&mut self, other: &Usage) {
        self.cost_usd = match (self.is_nothing(), other.is_nothing()) {
            (_, true) if self.cost_usd.is_some() => self.cost_usd,
            (true, _) => other.cost_usd,
            (false, true) => None,
            (false, false) => self.cost_usd.zip(other.cost_usd).map(|(a, b)| a + b),
        };
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.output_tokens += other.output_tokens;
        self.estimated |= other.estimated;
    }

    fn is_nothing(&self) -> bool {
        self.input_tokens == 0 && self.output_tokens == 0
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it says.
    pub turn: AssistantTurn,
    /// Why it ended.
    pub stop: Stop,
    /// What it cost.
    pub usage: Usage,
    /// The model as it named itself; the asked-for name where it did not.
    pub model: String,
    /// Which link of the chain answered, from 0.
    pub link: usize,
}

impl ModelRequest {
    /// Tokens that a model must count at least for having read all of this, roughly: the estimate, but a run of one
    /// character (an indent, a ruler) can be a single token.
    pub(crate) fn least_tokens(&self) -> u64 {
        let tools = self.tools.iter().map(ToolSpec::tokens).sum::<u64>();
        let turns = self.turns.iter().map(|turn| match turn {
            Turn::Assistant(said) => least_bytes(&said.text) + said.calls.iter().map(|call| least_bytes(&call.arguments)).sum::<u64>(),
            Turn::ToolResults(results) => results.iter().map(|result| least_bytes(&result.content)).sum(),
            Turn::User(text) => least_bytes(text),
        });
        tools + (least_bytes(&self.system) + least_bytes(&self.shared) + least_bytes(&self.own) + turns.sum::<u64>()) / 4
    }
}

/// Bytes of a text, those of a run of one byte beyond the fourth left out.
fn least_bytes(text: &str) -> u64 {
    let (mut bytes, mut run, mut last) = (0, 0, None);
    for byte in text.bytes() {
        run = if last == Some(byte) { run + 1 } else { 1 };
        last = Some(byte);
        bytes += u64::from(run <= 4);
    }
    bytes
}

/// Tokens of a text, estimated as bytes / 4 (within 20 % for code on the big tokenizers), rounded up.
pub fn estimate_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_character_are_few_tokens() {
        for (text, bytes) in [("", 0), ("abcd", 4), ("aaaa", 4), ("aaaaaaaaab", 5), ("        x\n        y\n", 12)] {
            assert_eq!(least_bytes(text), bytes, "{text:?}");
        }
    }
}
