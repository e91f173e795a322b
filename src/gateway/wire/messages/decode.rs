//! The answer: blocks by index, each begun, continued and ended by events of its own. `message_stop` is the end.

use crate::gateway::sse::SseEvent;
use crate::gateway::types::{AssistantTurn, Stop, ToolCall, Usage};
use crate::gateway::wire::arguments_object;
use crate::gateway::wire::{DecodeError, Decoded, Decoder, ErrorBody, Progress, Room, from_json, stop_with_calls};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::mem;

/// Any event; which fields it has, its type tells.
#[derive(Deserialize)]
struct Event {
    r#type: Option<String>,
    index: Option<u64>,
    message: Option<Message>,
    content_block: Option<Value>,
    delta: Option<Delta>,
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Message {
    model: Option<String>,
    content: Option<Vec<Value>>,
    stop_reason: Option<String>,
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
    partial_json: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    stop_reason: Option<String>,
}

/// Cumulative: a field that comes again replaces, one that is left out keeps its value.
#[derive(Deserialize)]
struct Counts {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

/// One block of the answer. What has to go back keeps its shape.
enum Block {
    Text(String),
    Thinking {
        thinking: String,
        signature: String,
    },
    Redacted(Value),
    Call {
        call: ToolCall,
        whole: Option<Value>,
    },
    /// Something this version does not know.
    Unknown,
}

/// Collects one answer.
#[derive(Default)]
pub(super) struct MessagesDecoder {
    model: String,
    blocks: BTreeMap<u64, Block>,
    stop: Option<Stop>,
    /// Input that was neither read from the cache nor written to it.
    plain_input: u64,
    counted: Option<Usage>,
    over: bool,
    room: Room,
}

impl MessagesDecoder {
    fn start(&mut self, message: Message) -> Result<(), DecodeError> {
        if let Some(model) = message.model {
            self.room.take(model.len())?;
            self.model = model;
        }
        if let Some(counts) = &message.usage {
            self.count(counts);
        }
        for (index, block) in message.content.into_iter().flatten().enumerate() {
            self.begin_block(index as u64, block)?;
        }
        self.stop = message.stop_reason.map(read_stop).or(self.stop.take());
        Ok(())
    }

    fn count(&mut self, counts: &Counts) {
        let usage = self.counted.get_or_insert_default();
        self.plain_input = counts.input_tokens.unwrap_or(self.plain_input);
        usage.cached_tokens = counts.cache_read_input_tokens.unwrap_or(usage.cached_tokens);
        usage.cache_write_tokens = counts.cache_creation_input_tokens.unwrap_or(usage.cache_write_tokens);
        usage.output_tokens = counts.output_tokens.unwrap_or(usage.output_tokens);
        usage.input_tokens = self.plain_input.saturating_add(usage.cached_tokens).saturating_add(usage.cache_write_tokens);
    }

    fn begin_block(&mut self, index: u64, mut block: Value) -> Result<(), DecodeError> {
        self.room.take_item()?;
        let mut text = |field: &str| match block[field].take() {
            Value::String(text) => text,
            _ => String::new(),
        };
        let begun = match text("type").as_str() {
            "text" => Block::Text(text("text")),
            "thinking" => Block::Thinking { thinking: text("thinking"), signature: text("signature") },
            "redacted_thinking" => Block::Redacted(json!({"type": "redacted_thinking", "data": text("data")})),
            "tool_use" => {
                let call = ToolCall { id: text("id"), name: text("name"), arguments: String::new() };
                // Streams begin with `{}` and go on in pieces; whole answers and some gateways have all of it here.
                let input = block["input"].take();
                let whole = input.as_object().is_some_and(|o| !o.is_empty()).then_some(input);
                Block::Call { call, whole }
            }
            _ => Block::Unknown,
        };
        self.room.take(match &begun {
            Block::Text(text) => text.len(),
            Block::Thinking { thinking, signature } => thinking.len() + signature.len(),
            Block::Redacted(value) => value["data"].as_str().map_or(0, str::len),
            Block::Call { call, whole } => call.id.len() + call.name.len() + whole.as_ref().map_or(0, |w| w.to_string().len()),
            Block::Unknown => 0,
        })?;
        self.blocks.insert(index, begun);
        Ok(())
    }

    fn continue_block(&mut self, index: u64, delta: Delta) -> Result<(), DecodeError> {
        // A delta of a block that never began is one of an unknown kind to us.
        let Some(block) = self.blocks.get_mut(&index) else { return Ok(()) };
        let (field, piece) = match (block, delta) {
            (Block::Text(text), Delta { text: Some(piece), .. }) => (text, piece),
            (Block::Call { call, .. }, Delta { partial_json: Some(piece), .. }) => (&mut call.arguments, piece),
            (Block::Thinking { thinking, .. }, Delta { thinking: Some(piece), .. }) => (thinking, piece),
            (Block::Thinking { signature, .. }, Delta { signature: Some(piece), .. }) => (signature, piece),
            _ => return Ok(()),
        };
        self.room.take(piece.len())?;
        field.push_str(&piece);
        Ok(())
    }
}

impl Decoder for MessagesDecoder {
    fn event(&mut self, event: SseEvent<'_>) -> Result<(), DecodeError> {
        let data = event.data.trim();
        // Gateways that also speak the other format end this one with its mark, at times.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let parsed: Event = from_json(data.as_bytes())?;
        match parsed.r#type.as_deref().unwrap_or(event.name) {
            "message_start" => parsed.message.map_or(Ok(()), |message| self.start(message)),
            "content_block_start" => match (parsed.index, parsed.content_block) {
                (Some(index), Some(block)) => self.begin_block(index, block),
                _ => Err(DecodeError::Garbled("a block without an index")),
            },
            "content_block_delta" => match (parsed.index, parsed.delta) {
                (Some(index), Some(delta)) => self.continue_block(index, delta),
                _ => Err(DecodeError::Garbled("a piece without an index")),
            },
            "message_delta" => {
                if let Some(counts) = &parsed.usage {
                    self.count(counts);
                }
                self.stop = parsed.delta.and_then(|d| d.stop_reason).map(read_stop).or(self.stop.take());
                Ok(())
            }
            "message_stop" => {
                self.over = true;
                Ok(())
            }
            "error" => Err(DecodeError::Upstream(ErrorBody { message: data.to_owned(), ..ErrorBody::default() })),
            // `ping`, `content_block_stop`, and what may be added within a version.
            _ => Ok(()),
        }
    }

    fn document(&mut self, document: &[u8]) -> Result<(), DecodeError> {
        let message: Message = from_json(document)?;
        self.start(message)?;
        if self.stop.is_none() {
            return Err(DecodeError::NoAnswer("JSON without a finished message"));
        }
        self.over = true;
        Ok(())
    }

    fn progress(&self) -> Progress {
        if self.over { Progress::Over } else { Progress::Open }
    }

    fn received(&self) -> usize {
        self.room.taken()
    }

    fn usage(&self) -> Option<Usage> {
        self.counted.filter(|usage| usage.input_tokens > 0)
    }

    fn finish(&mut self) -> Option<Decoded> {
        if !self.over {
            return None;
        }
        let mut turn = AssistantTurn::default();
        let mut raw = Vec::new();
        for block in mem::take(&mut self.blocks).into_values() {
            match block {
                Block::Text(text) => {
                    turn.text.push_str(&text);
                    if !text.trim().is_empty() {
                        raw.push(json!({"type": "text", "text": text}));
                    }
                }
                Block::Thinking { thinking, signature } => {
                    raw.push(json!({"type": "thinking", "thinking": thinking, "signature": signature}));
                }
                Block::Redacted(block) => raw.push(block),
                Block::Call { mut call, whole } => {
                    if call.arguments.is_empty() {
                        call.arguments = whole.map_or_else(|| "{}".to_owned(), |input| input.to_string());
                    }
                    if call.id.is_empty() {
                        call.id = format!("call_{}", turn.calls.len());
                    }
                    let input = arguments_object(&call.arguments);
                    raw.push(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}));
                    turn.calls.push(call);
                }
                Block::Unknown => {}
            }
        }
        turn.raw = Some(Value::Array(raw));
        let stop = stop_with_calls(self.stop.take().unwrap_or(Stop::End), !turn.calls.is_empty());
        Some(Decoded { turn, stop, model: mem::take(&mut self.model) })
    }
}

fn read_stop(reason: String) -> Stop {
    match reason.as_str() {
        "end_turn" | "stop_sequence" => Stop::End,
        "tool_use" => Stop::Tools,
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Refused,
        _ => Stop::Other(reason),
    }
}
