//! The answer. `finish_reason` proves that it is whole; `[DONE]` only that nothing follows, and gateways leave it out.

use crate::gateway::sse::SseEvent;
use crate::gateway::types::{AssistantTurn, Stop, ToolCall, Usage};
use crate::gateway::wire::{DecodeError, Decoded, Decoder, Indexed, Progress, Room, from_json, plausible, stop_with_calls};
use serde::Deserialize;
use serde_json::Value;
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
    /// LiteLLM's place for what Anthropic says of a cache.
    cache_creation_input_tokens: Option<u64>,
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
    calls: Indexed<ToolCall>,
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
        // A name under another id is another call, whatever its index says.
        let another = |call: &ToolCall| {
            let name = piece.function.as_ref().and_then(|f| f.name.as_deref()).unwrap_or_default();
            let id = piece.id.as_deref().unwrap_or_default();
            !name.is_empty() && !id.is_empty() && !call.id.is_empty() && call.id != id
        };
        if self.calls.last(index).is_none_or(|call| another(call)) {
            self.room.take_item()?;
            self.calls.begin(index, ToolCall { id: String::new(), name: String::new(), arguments: String::new() });
        }
        let Some(call) = self.calls.last(index) else { return Ok(()) };
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
            data => self.take(from_json(data)?),
        }
    }

    fn document(&mut self, document: &str) -> Result<(), DecodeError> {
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
        let stop = self.stop.clone()?;
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

/// `prompt_tokens` counts cached and cache-written tokens in, `completion_tokens` the reasoning.
fn read_usage(usage: &ChatUsage) -> Option<Usage> {
    let details = usage.prompt_tokens_details.as_ref();
    plausible(Usage {
        input_tokens: usage.prompt_tokens.unwrap_or(0),
        cached_tokens: details.and_then(|d| d.cached_tokens).unwrap_or(0),
        cache_write_tokens: details.and_then(|d| d.cache_write_tokens).or(usage.cache_creation_input_tokens).unwrap_or(0),
        output_tokens: usage.completion_tokens.unwrap_or(0),
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use crate::gateway::wire::{WireKind, fixtures};

    /// The decoder's view of a stream of these data lines.
    fn told(data: &[&str]) -> String {
        let stream: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
        fixtures::decoded(WireKind::Chat, &stream)
    }

    fn document(text: &str) -> String {
        fixtures::decoded_document(WireKind::Chat, text)
    }

    const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

    #[test]
    fn text_and_usage() {
        let answer = told(&[
            r#"{"id":"x","model":"gpt-9","choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":null},"finish_reason":null}],"usage":null}"#,
            r#"{"model":"gpt-9","choices":[{"index":0,"delta":{"content":"He"}}],"usage":null}"#,
            r#"{"model":"gpt-9","choices":[{"index":0,"delta":{"content":"y \"error\""}},{"index":1,"delta":{"content":"other"}}]}"#,
            STOP,
            r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":64,"cache_write_tokens":8},"completion_tokens_details":{"reasoning_tokens":7}}}"#,
            "[DONE]",
        ]);
        insta::assert_snapshot!(answer, @r#"Over "gpt-9" "Hey \"error\"" [] End in 100 cached 64 written 8 out 9"#);
    }

    #[test]
    fn interleaved_calls_are_joined_by_index() {
        let piece = |calls: &str| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{calls}]}}}}]}}"#);
        let answer = told(&[
            &piece(
                r#"{"index":1,"id":"b","type":"function","function":{"name":"two","arguments":""}},{"index":0,"id":"a","function":{"name":"one"}}"#,
            ),
            &piece(r#"{"index":0,"function":{"arguments":"{\"p\":"}}"#),
            &piece(r#"{"index":1,"function":{"arguments":"{\"q\":1}"}}"#),
            &piece(r#"{"index":0,"id":"a","function":{"name":"one","arguments":"\"ä\"}"}}"#),
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        ]);
        insta::assert_snapshot!(answer, @r#"Whole "" "" ["a=one({\"p\":\"ä\"})", "b=two({\"q\":1})"] Tools uncounted"#);
    }

    #[test]
    fn calls_as_other_servers_write_them() {
        let answer = told(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"one","arguments":{"p":1}}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"id":"b","function":{"name":"two","arguments":"{\"q\""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":":2}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":7,"function":{"name":"three"}}]}}]}"#,
            STOP,
        ]);
        insta::assert_snapshot!(answer, @r#"Whole "" "" ["a=one({\"p\":1})", "b=two({\"q\":2})", "call_2=three({})"] Tools uncounted"#);
    }

    #[test]
    fn reasons_to_stop() {
        let stop = |reason: &str| told(&[&format!(r#"{{"choices":[{{"delta":{{"content":"x"}},"finish_reason":{reason}}}]}}"#)]);
        insta::assert_snapshot!(stop(r#""length""#), @r#"Whole "" "x" [] Length uncounted"#);
        insta::assert_snapshot!(stop(r#""content_filter""#), @r#"Whole "" "x" [] Refused uncounted"#);
        insta::assert_snapshot!(stop(r#""brand_new""#), @r#"Whole "" "x" [] Other("brand_new") uncounted"#);
        insta::assert_snapshot!(stop(r#""""#), @"Open, cut");
        insta::assert_snapshot!(told(&[r#"{"choices":[{"delta":{"refusal":"No."},"finish_reason":"stop"}]}"#]), @r#"Whole "" "No." [] Refused uncounted"#);
        insta::assert_snapshot!(told(&[r#"{"choices":[{"delta":{"content":"cut"}}]}"#, "[DONE]"]), @"Over, cut");
    }

    #[test]
    fn what_is_no_answer() {
        insta::assert_snapshot!(told(&[r#"{"error":{"message":"boom","code":502},"choices":[{"delta":{},"finish_reason":"error"}]}"#]), @r#"Upstream(ErrorBody { message: "boom", words: ["502"], status: Some(502), wait: None })"#);
        insta::assert_snapshot!(told(&["hello"]), @r#"Garbled("an event that is not the JSON of this format")"#);
        insta::assert_snapshot!(told(&[r#"{"choices":7}"#]), @r#"Garbled("an event that is not the JSON of this format")"#);
        insta::assert_snapshot!(document(r#"{"choices":[]}"#), @r#"NoAnswer("JSON without a finished choice")"#);
        insta::assert_snapshot!(document(r#"{"error":"no"}"#), @r#"Upstream(ErrorBody { message: "no", words: [], status: None, wait: None })"#);
    }

    #[test]
    fn whole_documents() {
        let answer = document(
            r#"{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}],"tool_calls":[
                {"id":"a","type":"function","function":{"name":"one","arguments":"{}"}},
                {"id":"b","type":"function","function":{"name":"two","arguments":"{\"p\":1}"}}]},"finish_reason":"tool_calls"}],
                "usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
        );
        insta::assert_snapshot!(answer, @r#"Over "m" "Hi" ["a=one({})", "b=two({\"p\":1})"] Tools in 5 cached 0 written 0 out 2"#);
    }

    #[test]
    fn answers_are_bounded() {
        let text = format!(r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "x".repeat(1 << 20));
        insta::assert_snapshot!(told(&[text.as_str(); 5]), @r#"TooLong("more than 4 MiB of text and arguments")"#);
        let calls: Vec<_> = (0..2000).map(|i| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{i}}}]}}}}]}}"#)).collect();
        insta::assert_snapshot!(told(&calls.iter().map(String::as_str).collect::<Vec<_>>()), @r#"TooLong("more than 1,024 tool calls or blocks")"#);
    }
}
