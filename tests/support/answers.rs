//! What a model of the faked gateway answers, in each wire format.

use super::{RecordedRequest, Script, stream};
use serde_json::{Value, json};

/// A model's answer, to be written in any format.
#[derive(Debug, Clone)]
pub(crate) struct ModelAnswer {
    model: String,
    text: String,
    calls: Vec<(String, Value)>,
    usage: Option<(u64, u64, u64)>,
    stop: Option<String>,
}

/// The usage of an answer that says nothing of it.
const USAGE: Option<(u64, u64, u64)> = Some((100, 60, 20));

/// An answer of this text; it can be empty.
pub(crate) fn answer(text: &str) -> ModelAnswer {
    ModelAnswer { model: "fake-model-1".into(), text: text.into(), calls: Vec::new(), usage: USAGE, stop: None }
}

impl ModelAnswer {
    /// One more tool call.
    pub(crate) fn call(mut self, name: &str, arguments: Value) -> Self {
        self.calls.push((name.into(), arguments));
        self
    }

    /// All input tokens, those of it read from the cache, output tokens. Default: 100, 60, 20.
    pub(crate) fn usage(mut self, input: u64, cached: u64, output: u64) -> Self {
        self.usage = Some((input, cached, output));
        self
    }

    /// The arguments of its call of that number.
    pub(crate) fn arguments(&self, number: usize) -> Value {
        self.calls[number].1.clone()
    }

    /// Without usage.
    pub(crate) fn uncounted(mut self) -> Self {
        self.usage = None;
        self
    }

    /// The reason to stop, in the format's own word.
    pub(crate) fn stop(mut self, reason: &str) -> Self {
        self.stop = Some(reason.into());
        self
    }

    /// The model's name for itself.
    pub(crate) fn model(mut self, name: &str) -> Self {
        self.model = name.into();
        self
    }

    /// The text of an event stream of chat completions.
    pub(crate) fn chat_text(&self) -> String {
        let chunk = |delta: Value, reason: Value| {
            json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": self.model, "usage": null,
                   "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        };
        let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
        for piece in pieces(&self.text) {
            chunks.push(chunk(json!({"content": piece}), Value::Null));
        }
        for (index, (name, arguments)) in self.calls.iter().enumerate() {
            let call = json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": {"name": name, "arguments": ""}});
            chunks.push(chunk(json!({"tool_calls": [call]}), Value::Null));
            for piece in pieces(&arguments.to_string()) {
                chunks.push(chunk(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), Value::Null));
            }
        }
        chunks.push(chunk(json!({}), json!(self.reason("stop", "tool_calls"))));
        if let Some((input, cached, output)) = self.usage {
            chunks.push(json!({"model": self.model, "choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output,
                "prompt_tokens_details": {"cached_tokens": cached}}}));
        }
        let events: String = chunks.iter().map(|c| format!("data: {c}\n\n")).collect();
        events + "data: [DONE]\n\n"
    }

    /// The text of an event stream of messages.
    pub(crate) fn messages_text(&self) -> String {
        let (input, cached, output) = self.usage.unwrap_or_default();
        let counted = |usage: Value| if self.usage.is_some() { usage } else { json!({}) };
        let start = counted(json!({"input_tokens": input - cached, "cache_read_input_tokens": cached, "output_tokens": 1}));
        let mut events = vec![json!({"type": "message_start", "message": {"model": self.model, "role": "assistant", "content": [], "usage": start}})];
        let mut block = |begin: Value, kind: &str, field: &str, text: &str| {
            let index = events.iter().filter(|e| e["type"] == "content_block_start").count();
            events.push(json!({"type": "content_block_start", "index": index, "content_block": begin}));
            for piece in pieces(text) {
                events.push(json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, field: piece}}));
            }
            events.push(json!({"type": "content_block_stop", "index": index}));
        };
        if !self.text.is_empty() {
            block(json!({"type": "text", "text": ""}), "text_delta", "text", &self.text);
        }
        for (number, (name, arguments)) in self.calls.iter().enumerate() {
            let begin = json!({"type": "tool_use", "id": format!("toolu_{number}"), "name": name, "input": {}});
            block(begin, "input_json_delta", "partial_json", &arguments.to_string());
        }
        let reason = self.reason("end_turn", "tool_use");
        let end = counted(json!({"output_tokens": output}));
        events.push(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": end}));
        events.push(json!({"type": "message_stop"}));
        events.iter().map(|e| format!("event: {}\ndata: {e}\n\n", e["type"].as_str().unwrap_or_default())).collect()
    }

    /// The text of an event stream of responses.
    pub(crate) fn responses_text(&self) -> String {
        let usage = self.usage.map(
            |(input, cached, output)| json!({"input_tokens": input, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": output}),
        );
        let mut events =
            vec![json!({"type": "response.created", "response": {"model": self.model, "status": "in_progress", "error": null, "output": []}})];
        let mut output = Vec::new();
        let mut item = |begun: Value, whole: Value, kind: &str, text: &str| {
            let index = output.len();
            events.push(json!({"type": "response.output_item.added", "output_index": index, "item": begun}));
            events.extend(pieces(text).into_iter().map(|piece| json!({"type": kind, "output_index": index, "delta": piece})));
            events.push(json!({"type": "response.output_item.done", "output_index": index, "item": whole}));
            output.push(whole);
        };
        let reasoning = |secret: Value| json!({"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": secret});
        item(reasoning(Value::Null), reasoning(json!("gAAAfake")), "", "");
        if !self.text.is_empty() {
            let message = |content: Value| json!({"type": "message", "id": "msg_0", "role": "assistant", "status": "completed", "content": content});
            let whole = message(json!([{"type": "output_text", "text": self.text, "annotations": []}]));
            item(message(json!([])), whole, "response.output_text.delta", &self.text);
        }
        for (number, (name, arguments)) in self.calls.iter().enumerate() {
            let call = |arguments: &str| json!({"type": "function_call", "id": format!("fc_{number}"), "call_id": format!("call_{number}"), "name": name, "arguments": arguments});
            let arguments = arguments.to_string();
            item(call(""), call(&arguments), "response.function_call_arguments.delta", &arguments);
        }
        let (status, why) = match self.stop.as_deref() {
            Some(reason) => ("incomplete", json!({"reason": reason})),
            None => ("completed", Value::Null),
        };
        let response = json!({"model": self.model, "status": status, "error": null, "incomplete_details": why, "output": output, "usage": usage});
        events.push(json!({"type": format!("response.{status}"), "response": response}));
        let numbered = events.iter_mut().enumerate().map(|(number, event)| {
            event["sequence_number"] = json!(number);
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
        });
        numbered.collect()
    }

    /// The text of an event stream of generateContent.
    pub(crate) fn generate_text(&self) -> String {
        let chunk = |parts: Value| json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}}], "modelVersion": self.model});
        let mut chunks: Vec<Value> = pieces(&self.text).into_iter().map(|piece| chunk(json!([{"text": piece}]))).collect();
        let calls = self.calls.iter().enumerate().map(|(number, (name, arguments))| {
            let mut part = json!({"functionCall": {"name": name, "args": arguments}});
            if number == 0 {
                part["thoughtSignature"] = json!("c2lnbmF0dXJl");
            }
            chunk(json!([part]))
        });
        chunks.extend(calls);
        let mut last = json!({"candidates": [{"index": 0, "finishReason": self.stop.as_deref().unwrap_or("STOP")}], "modelVersion": self.model});
        if let Some((input, cached, output)) = self.usage {
            last["usageMetadata"] = json!({"promptTokenCount": input, "cachedContentTokenCount": cached, "candidatesTokenCount": output, "totalTokenCount": input + output});
        }
        chunks.push(last);
        chunks.iter().map(|c| format!("data: {c}\n\n")).collect()
    }

    /// A script of chat completions.
    pub(crate) fn chat(&self) -> Script {
        stream(&self.chat_text())
    }

    /// A script of messages.
    pub(crate) fn messages(&self) -> Script {
        stream(&self.messages_text())
    }

    /// A script in the format that the request is in. Where no usage was given, it is that of a server which has read
    /// all of the request, more than half of it from its cache.
    pub(crate) fn to(&self, request: &RecordedRequest) -> Script {
        let all = request.body.len() as u64 / 4;
        if self.usage == USAGE && all > 100 {
            return self.clone().usage(all, all * 3 / 5, 20).to(request);
        }
        match request.path.as_str() {
            path if path.ends_with("/messages") => self.messages(),
            path if path.ends_with("/responses") => stream(&self.responses_text()),
            path if path.contains(":streamGenerateContent") => stream(&self.generate_text()),
            _ => self.chat(),
        }
    }

    fn reason(&self, whole: &str, tools: &str) -> String {
        let default = if self.calls.is_empty() { whole } else { tools };
        self.stop.clone().unwrap_or_else(|| default.to_owned())
    }
}

/// A text in two pieces, so that joining is always tried.
fn pieces(text: &str) -> Vec<String> {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(i, _)| i);
    [&text[..middle], &text[middle..]].into_iter().filter(|p| !p.is_empty()).map(str::to_owned).collect()
}
