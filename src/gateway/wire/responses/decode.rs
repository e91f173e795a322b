//! The answer: items by `output_index`. The last event repeats the whole; where it does not, what came before counts.

use crate::gateway::sse::SseEvent;
use crate::gateway::types::{AssistantTurn, Raw, Stop, ToolCall, Usage};
use crate::gateway::wire::{DecodeError, Decoded, Decoder, ErrorBody, Indexed, Progress, Room, from_json, plausible, sendable, stop_with_calls};
use serde::Deserialize;
use serde_json::{Value, json};
use std::mem;

/// Any event; which fields it has, its type tells.
#[derive(Deserialize)]
struct Event {
    r#type: Option<String>,
    output_index: Option<u64>,
    item: Option<Value>,
    delta: Option<Value>,
    arguments: Option<String>,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Response {
    model: Option<String>,
    status: Option<String>,
    output: Option<Vec<Value>>,
    error: Option<Value>,
    incomplete_details: Option<Incomplete>,
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

/// One item of the answer: what its pieces said, and the whole once it came.
#[derive(Default)]
struct Item {
    begun: Value,
    text: String,
    refused: bool,
    arguments: String,
    whole: Option<Value>,
    /// Bytes for which room was taken.
    bytes: usize,
    /// Whether what it says was counted.
    counted: bool,
}

/// Collects one answer.
#[derive(Default)]
pub(super) struct ResponsesDecoder {
    model: String,
    items: Indexed<Item>,
    stop: Option<Stop>,
    usage: Option<Usage>,
    /// Bytes of what the model said, however often it is repeated.
    said: usize,
    room: Room,
}

impl ResponsesDecoder {
    /// The item at `index`, begun now where it was not yet.
    fn item(&mut self, index: u64) -> Result<&mut Item, DecodeError> {
        if self.items.last(index).is_none() {
            self.room.take_item()?;
            self.items.begin(index, Item::default());
        }
        Ok(self.items.last(index).expect("it is there, or was just begun"))
    }

    /// Takes room for what an item has grown to: its whole repeats its pieces, which are not counted twice.
    fn grow(&mut self, index: u64, bytes: usize) -> Result<(), DecodeError> {
        let more = bytes.saturating_sub(self.items.last(index).map_or(0, |item| item.bytes));
        self.room.take(more)?;
        self.item(index)?.bytes += more;
        Ok(())
    }

    fn whole(&mut self, index: u64, value: Value) -> Result<(), DecodeError> {
        let bytes = value.to_string().len();
        self.grow(index, bytes)?;
        let item = self.item(index)?;
        item.whole = Some(value);
        if !mem::replace(&mut item.counted, true) {
            self.said += bytes;
        }
        Ok(())
    }

    fn piece(&mut self, kind: &str, index: u64, piece: &str) -> Result<(), DecodeError> {
        let bytes = self.item(index)?.bytes;
        self.grow(index, bytes + piece.len())?;
        self.said += piece.len();
        let item = self.item(index)?;
        item.counted = true;
        match kind {
            "response.function_call_arguments.delta" => item.arguments.push_str(piece),
            kind => {
                item.refused |= kind == "response.refusal.delta";
                item.text.push_str(piece);
            }
        }
        Ok(())
    }

    /// A response as a whole: at the beginning of a stream without its items, at the end with them.
    fn response(&mut self, response: Response) -> Result<(), DecodeError> {
        if let Some(model) = response.model.filter(|m| self.model.is_empty() && !m.is_empty()) {
            self.room.take(model.len())?;
            self.model = model;
        }
        self.usage = response.usage.as_ref().and_then(read_usage).or(self.usage);
        let status = response.status.unwrap_or_default();
        if matches!(status.as_str(), "failed" | "cancelled") {
            let error = response.error.filter(|e| !e.is_null()).unwrap_or_else(|| json!({"message": format!("the response was {status}")}));
            return Err(DecodeError::Upstream(ErrorBody::parse(json!({"error": error}).to_string().as_bytes()).unwrap_or(ErrorBody::EMPTY)));
        }
        self.stop = match (status.as_str(), response.incomplete_details.and_then(|d| d.reason)) {
            ("completed", _) => Some(Stop::End),
            ("incomplete", Some(reason)) => Some(read_stop(reason)),
            ("incomplete", None) => Some(Stop::Length),
            _ => return Ok(()),
        };
        if let Some(output) = response.output.filter(|output| !output.is_empty()) {
            // What is repeated stands for what came in pieces, even where some server counts its items anew.
            self.items.keep_first(output.len() as u64);
            for (index, item) in output.into_iter().enumerate() {
                self.whole(index as u64, item)?;
            }
        }
        Ok(())
    }
}

impl Decoder for ResponsesDecoder {
    fn event(&mut self, event: SseEvent<'_>) -> Result<(), DecodeError> {
        let data = event.data.trim();
        // Gateways that also speak the other format end this one with its mark, at times.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        if event.name == "error" {
            let plain = || ErrorBody { message: data.to_owned(), ..ErrorBody::EMPTY };
            return Err(DecodeError::Upstream(ErrorBody::parse(data.as_bytes()).unwrap_or_else(plain)));
        }
        let parsed: Event = from_json(data)?;
        let kind = parsed.r#type.as_deref().unwrap_or(event.name);
        match (kind, parsed.output_index) {
            ("response.output_item.added", Some(index)) => {
                let begun = parsed.item.unwrap_or_default();
                let another = |old: &Value| old["call_id"].is_string() && begun["call_id"].is_string() && old["call_id"] != begun["call_id"];
                if self.items.last(index).is_some_and(|item| another(&item.begun)) {
                    self.room.take_item()?;
                    self.items.begin(index, Item::default());
                }
                self.grow(index, begun.to_string().len())?;
                self.item(index)?.begun = begun;
                Ok(())
            }
            ("response.output_text.delta" | "response.refusal.delta" | "response.function_call_arguments.delta", Some(index)) => {
                self.piece(kind, index, parsed.delta.as_ref().and_then(Value::as_str).unwrap_or_default())
            }
            ("response.function_call_arguments.done", Some(index)) => {
                let arguments = parsed.arguments.unwrap_or_default();
                self.item(index)?;
                self.grow(index, arguments.len())?;
                self.item(index)?.arguments = arguments;
                Ok(())
            }
            ("response.output_item.done", Some(index)) => self.whole(index, parsed.item.unwrap_or_default()),
            ("response.output_text.delta" | "response.function_call_arguments.delta", None) => Err(DecodeError::Garbled("a piece without an index")),
            // The end (`completed`, `incomplete`, `failed`), and the beginning with the model's name.
            _ => parsed.response.map_or(Ok(()), |response| self.response(response)),
        }
    }

    fn document(&mut self, document: &str) -> Result<(), DecodeError> {
        self.response(from_json(document)?)?;
        if self.stop.is_none() {
            return Err(DecodeError::NoAnswer("JSON without a finished response"));
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        if self.stop.is_some() { Progress::Over } else { Progress::Open }
    }

    fn received(&self) -> usize {
        self.said
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn finish(&mut self) -> Option<Decoded> {
        let stop = self.stop.clone()?;
        let mut turn = AssistantTurn::default();
        let mut refused = false;
        // Half an item cannot go back as it came.
        let mut raw = Some(Vec::new());
        for item in mem::take(&mut self.items).into_values() {
            let done = item.whole.is_some();
            let mut value = item.whole.unwrap_or(item.begun);
            match value["type"].as_str().unwrap_or("message") {
                "message" => {
                    let (text, said_no) = if done { message_text(&value) } else { (item.text, item.refused) };
                    turn.text.push_str(&text);
                    refused |= said_no;
                }
                "function_call" => {
                    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
                    let mut call = ToolCall { id: text("call_id"), name: text("name"), arguments: text("arguments") };
                    if call.arguments.is_empty() {
                        call.arguments = if item.arguments.is_empty() { "{}".to_owned() } else { item.arguments };
                    }
                    if call.id.is_empty() {
                        call.id = format!("call_{}", turn.calls.len());
                        value["call_id"] = json!(call.id);
                    }
                    if sendable(&call.arguments) != value["arguments"] {
                        value["arguments"] = json!(sendable(&call.arguments));
                    }
                    turn.calls.push(call);
                }
                // Without its content, a reasoning item is a reference to what nobody stored.
                "reasoning" if value["encrypted_content"].as_str().is_some_and(|c| !c.is_empty()) => {}
                _ => continue,
            }
            match &mut raw {
                Some(raw) if done => raw.push(value),
                _ => raw = None,
            }
        }
        turn.raw = raw.map(Raw::new);
        let stop = if refused { Stop::Refused } else { stop_with_calls(stop, !turn.calls.is_empty()) };
        Some(Decoded { turn, stop, model: mem::take(&mut self.model) })
    }
}

/// A message's text, and whether it is a refusal.
fn message_text(message: &Value) -> (String, bool) {
    let mut text = String::new();
    let mut refused = false;
    for part in message["content"].as_array().into_iter().flatten() {
        refused |= part["type"] == "refusal";
        text.push_str(part["text"].as_str().or(part["refusal"].as_str()).unwrap_or_default());
    }
    (text, refused)
}

fn read_stop(reason: String) -> Stop {
    match reason.as_str() {
        "max_output_tokens" => Stop::Length,
        "content_filter" => Stop::Refused,
        _ => Stop::Other(reason),
    }
}

/// `input_tokens` counts cached tokens in, `output_tokens` the reasoning.
fn read_usage(counts: &Counts) -> Option<Usage> {
    let details = counts.input_tokens_details.as_ref();
    plausible(Usage {
        input_tokens: counts.input_tokens.unwrap_or(0),
        cached_tokens: details.and_then(|d| d.cached_tokens).unwrap_or(0),
        cache_write_tokens: details.and_then(|d| d.cache_write_tokens).unwrap_or(0),
        output_tokens: counts.output_tokens.unwrap_or(0),
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests;
