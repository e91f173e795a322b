//! The answer: every chunk has new parts. There is no end mark, so `finishReason` (or a blocked prompt) is the end, once it is counted.

use super::OUR_ID;
use crate::gateway::sse::SseEvent;
use crate::gateway::types::{AssistantTurn, Raw, Stop, ToolCall, Usage};
use crate::gateway::wire::{DecodeError, Decoded, Decoder, Progress, Room, from_json, plausible, stop_with_calls};
use serde::Deserialize;
use serde_json::Value;
use std::mem;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Counts>,
    model_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    index: Option<u64>,
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    parts: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

/// A field that is left out means 0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

/// Collects one answer.
#[derive(Default)]
pub(super) struct GenerateDecoder {
    model: String,
    text: String,
    calls: Vec<ToolCall>,
    parts: Vec<Value>,
    stop: Option<Stop>,
    usage: Option<Usage>,
    over: bool,
    room: Room,
}

impl GenerateDecoder {
    fn take(&mut self, chunk: Chunk) -> Result<(), DecodeError> {
        if let Some(model) = chunk.model_version.filter(|m| self.model.is_empty() && !m.is_empty()) {
            self.room.take(model.len())?;
            self.model = model;
        }
        let counted = chunk.usage_metadata.as_ref().and_then(read_usage);
        self.usage = counted.or(self.usage);
        for candidate in chunk.candidates.into_iter().flatten() {
            // One answer was asked for; a second one would be mixed into the first.
            if candidate.index.unwrap_or(0) != 0 {
                continue;
            }
            for part in candidate.content.and_then(|c| c.parts).into_iter().flatten() {
                self.take_part(part)?;
            }
            if let Some(reason) = candidate.finish_reason.filter(|r| !r.is_empty()) {
                self.stop = Some(read_stop(reason));
            }
        }
        if chunk.prompt_feedback.is_some_and(|f| f.block_reason.is_some()) {
            self.stop = Some(Stop::Refused);
        }
        // What comes after the reason to stop can only be the usage.
        self.over |= self.stop.is_some() && counted.is_some();
        Ok(())
    }

    fn take_part(&mut self, part: Value) -> Result<(), DecodeError> {
        if let Some(call) = part["functionCall"].as_object() {
            let text = |field: &str| call.get(field).and_then(Value::as_str).unwrap_or_default();
            let id = match text("id") {
                "" => format!("{OUR_ID}{}", self.calls.len()),
                id => id.to_owned(),
            };
            let arguments = call.get("args").filter(|args| args.is_object()).map_or_else(|| "{}".to_owned(), Value::to_string);
            self.room.take(id.len() + text("name").len() + arguments.len())?;
            self.calls.push(ToolCall { id, name: text("name").to_owned(), arguments });
        } else if let Some(text) = part["text"].as_str() {
            self.room.take(text.len())?;
            // A thought is the model's own: it goes back, and is nobody's answer.
            if part["thought"] != true {
                self.text.push_str(text);
            }
        }
        self.keep(part)
    }

    /// Keeps a part to send it back: text in one piece, unless a signature belongs to the piece.
    fn keep(&mut self, mut part: Value) -> Result<(), DecodeError> {
        let plain = |part: &Value| part.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key("text"));
        if plain(&part) {
            let Value::String(piece) = part["text"].take() else { return Ok(()) };
            match self.parts.last_mut().filter(|last| plain(last)).map(|last| &mut last["text"]) {
                Some(Value::String(text)) => text.push_str(&piece),
                _ if piece.is_empty() => {}
                _ => {
                    self.room.take_item()?;
                    self.parts.push(serde_json::json!({ "text": piece }));
                }
            }
            return Ok(());
        }
        self.room.take_item()?;
        self.room.take(part["thoughtSignature"].as_str().map_or(0, str::len))?;
        self.parts.push(part);
        Ok(())
    }
}

impl Decoder for GenerateDecoder {
    fn event(&mut self, event: SseEvent<'_>) -> Result<(), DecodeError> {
        match event.data.trim() {
            // The format has no end mark; gateways that speak several write one, at times.
            "" => Ok(()),
            "[DONE]" => {
                self.over = true;
                Ok(())
            }
            data => self.take(from_json(data)?),
        }
    }

    /// Without `alt=sse` a stream is one JSON array of chunks.
    fn document(&mut self, document: &str) -> Result<(), DecodeError> {
        let array = document.trim_start().starts_with('[');
        let chunks: Vec<Chunk> = if array { from_json(document)? } else { vec![from_json(document)?] };
        for chunk in chunks {
            self.take(chunk)?;
        }
        if self.stop.is_none() {
            return Err(DecodeError::NoAnswer("JSON without a finished candidate"));
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
        let stop = stop_with_calls(self.stop.clone()?, !self.calls.is_empty());
        let turn =
            AssistantTurn { text: mem::take(&mut self.text), calls: mem::take(&mut self.calls), raw: Some(Raw::new(mem::take(&mut self.parts))) };
        Some(Decoded { turn, stop, model: mem::take(&mut self.model) })
    }
}

fn read_stop(reason: String) -> Stop {
    match reason.as_str() {
        "STOP" => Stop::End,
        "MAX_TOKENS" => Stop::Length,
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => Stop::Refused,
        _ => Stop::Other(reason),
    }
}

/// `promptTokenCount` counts cached tokens in; thoughts come on top of the candidates.
fn read_usage(counts: &Counts) -> Option<Usage> {
    plausible(Usage {
        input_tokens: counts.prompt_token_count.unwrap_or(0),
        cached_tokens: counts.cached_content_token_count.unwrap_or(0),
        output_tokens: counts.candidates_token_count.unwrap_or(0).saturating_add(counts.thoughts_token_count.unwrap_or(0)),
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests;
