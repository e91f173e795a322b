//! The answer. `finish_reason` proves that it is whole; `[DONE]` only that nothing follows, and gateways leave it out.

use crate::gateway::sse::SseEvent;
use crate::gateway::types::{AssistantTurn, Stop, ToolCall, Usage};
use crate::gateway::wire::{DecodeError, Decoded, Decoder, Progress, Room, from_json, stop_with_calls};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::mem;

/// A chunk of a stream, or a whole answer: they differ in `delta` and `message` only.
#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    usage: Option<ChatUsage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: Option<u64>,
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<Content>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallPiece>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Deserialize)]
struct CallPiece {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    /// A string in pieces; a few servers send the whole as an object.
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct ChatUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

/// Collects one answer.
#[derive(Default)]
pub(super) struct ChatDecoder {
    model: String,
    text: String,
    refused: bool,
    /// By `index`: pieces of several calls can be interleaved.
    calls: BTreeMap<u64, ToolCall>,
    /// Where a piece without an index belongs.
    last_call: u64,
    stop: Option<Stop>,
    usage: Option<Usage>,
    over: bool,
    room: Room,
}

impl ChatDecoder {
    fn take(&mut self, chunk: Chunk) -> Result<(), DecodeError> {
        if let Some(model) = chunk.model.filter(|m| self.model.is_empty() && !m.is_empty()) {
            self.room.take(model.len())?;
            self.model = model;
        }
        if let Some(usage) = &chunk.usage {
            self.usage = read_usage(usage).or(self.usage);
        }
        for choice in chunk.choices.into_iter().flatten() {
            // One answer was asked for; a second choice would be mixed into the first.
            if choice.index.unwrap_or(0) != 0 {
                continue;
            }
            if let Some(delta) = choice.delta {
                self.take_delta(delta)?;
            }
            if let Some(reason) = choice.finish_reason.filter(|r| !r.is_empty()) {
                self.stop = Some(read_stop(reason));
            }
        }
        Ok(())
    }

    fn take_delta(&mut self, delta: Delta) -> Result<(), DecodeError> {
        match delta.content {
            Some(Content::Text(text)) => self.take_text(&text)?,
            Some(Content::Parts(parts)) => {
                for text in parts.into_iter().filter_map(|part| part.text) {
                    self.take_text(&text)?;
                }
            }
            None => {}
        }
        if let Some(refusal) = delta.refusal.filter(|r| !r.is_empty()) {
            self.refused = true;
            self.take_text(&refusal)?;
        }
        for (position, piece) in delta.tool_calls.into_iter().flatten().enumerate() {
            self.take_call(position as u64, piece)?;
        }
        Ok(())
    }

    fn take_text(&mut self, text: &str) -> Result<(), DecodeError> {
        self.room.take(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn take_call(&mut self, position: u64, piece: CallPiece) -> Result<(), DecodeError> {
        // Without an index (some servers, and whole answers) an id begins a call and no id goes on with the last.
        let index = match (&piece.index, &piece.id) {
            (Some(index), _) => *index,
            (None, Some(_)) if !self.calls.is_empty() => self.last_call.saturating_add(1),
            (None, Some(_)) => position,
            (None, None) => self.last_call,
        };
        self.last_call = index;
        if !self.calls.contains_key(&index) {
            self.room.take_item()?;
        }
        let call = self.calls.entry(index).or_insert_with(|| ToolCall { id: String::new(), name: String::new(), arguments: String::new() });
        if let Some(id) = piece.id.filter(|_| call.id.is_empty()) {
            self.room.take(id.len())?;
            call.id = id;
        }
        let Some(function) = piece.function else { return Ok(()) };
        if let Some(name) = function.name.filter(|_| call.name.is_empty()) {
            self.room.take(name.len())?;
            call.name = name;
        }
        let arguments = match function.arguments {
            Some(Value::String(text)) => text,
            Some(Value::Null) | None => return Ok(()),
            Some(whole) => whole.to_string(),
        };
        self.room.take(arguments.len())?;
        call.arguments.push_str(&arguments);
        Ok(())
    }
}

impl Decoder for ChatDecoder {
    fn event(&mut self, event: SseEvent<'_>) -> Result<(), DecodeError> {
        match event.data.trim() {
            "" => Ok(()),
            "[DONE]" => {
                self.over = true;
                Ok(())
            }
            data => self.take(from_json(data.as_bytes())?),
        }
    }

    fn document(&mut self, document: &[u8]) -> Result<(), DecodeError> {
        self.take(from_json(document)?)?;
        if self.stop.is_none() {
            return Err(DecodeError::NoAnswer("JSON without a finished choice"));
        }
        self.over = true;
        Ok(())
    }

    fn progress(&self) -> Progress {
        match (self.over, &self.stop) {
            (true, _) => Progress::Over,
            (false, Some(_)) => Progress::Whole,
            (false, None) => Progress::Open,
        }
    }

    fn received(&self) -> usize {
        self.room.taken()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn finish(&mut self) -> Option<Decoded> {
        let stop = self.stop.take()?;
        let mut calls: Vec<ToolCall> = mem::take(&mut self.calls).into_values().collect();
        for (number, call) in calls.iter_mut().enumerate() {
            // Results are paired by id, so a call without one gets one; no arguments at all mean none.
            if call.id.is_empty() {
                call.id = format!("call_{number}");
            }
            if call.arguments.is_empty() {
                call.arguments.push_str("{}");
            }
        }
        let stop = if self.refused { Stop::Refused } else { stop_with_calls(stop, !calls.is_empty()) };
        let turn = AssistantTurn { text: mem::take(&mut self.text), calls, raw: None };
        Some(Decoded { turn, stop, model: mem::take(&mut self.model) })
    }
}

fn read_stop(reason: String) -> Stop {
    match reason.as_str() {
        "stop" => Stop::End,
        "tool_calls" | "function_call" => Stop::Tools,
        "length" => Stop::Length,
        "content_filter" => Stop::Refused,
        _ => Stop::Other(reason),
    }
}

/// `prompt_tokens` counts cached and cache-written tokens in, `completion_tokens` the reasoning. No input at
/// all is a server that does not count.
fn read_usage(usage: &ChatUsage) -> Option<Usage> {
    let details = usage.prompt_tokens_details.as_ref();
    Some(Usage {
        input_tokens: usage.prompt_tokens.filter(|tokens| *tokens > 0)?,
        cached_tokens: details.and_then(|d| d.cached_tokens).unwrap_or(0),
        cache_write_tokens: details.and_then(|d| d.cache_write_tokens).unwrap_or(0),
        output_tokens: usage.completion_tokens.unwrap_or(0),
        ..Usage::default()
    })
}
