//! Requests and decoded streams that the formats' tests share.

use super::{DecodeError, WireKind, of};
use crate::gateway::sse::SseParser;
use crate::gateway::types::{AssistantTurn, ModelRequest, ToolCall, ToolResult, ToolSpec, Turn};
use serde_json::json;

/// A reviewer's first request.
pub(crate) fn reviewer_request(reviewer: &str) -> ModelRequest {
    let tool = ToolSpec {
        name: "read_file",
        description: "Reads a file.".into(),
        schema: json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}),
    };
    ModelRequest {
        model: "m-1".into(),
        tools: vec![tool].into(),
        system: "Review.".into(),
        shared: "the diff".into(),
        own: format!("# Reviewer: {reviewer}\nLook."),
        turns: Vec::new(),
        max_output_tokens: 1000,
    }
}

/// The same after one round of tools (one call with invalid arguments) and a word of ours.
pub(crate) fn with_turns(mut request: ModelRequest) -> ModelRequest {
    let call = |id: &str, arguments: &str| ToolCall { id: id.into(), name: "read_file".into(), arguments: arguments.into() };
    let result = |id: &str, content: &str, is_error| ToolResult { call_id: id.into(), name: "read_file".into(), content: content.into(), is_error };
    request.turns.extend([
        Turn::Assistant(AssistantTurn { text: "I look.".into(), calls: vec![call("c1", r#"{"path": "a"}"#), call("c2", r#"{"pa"#)], raw: None }),
        Turn::ToolResults(vec![result("c1", "fn a() {}", false), result("c2", "invalid JSON", true)]),
        Turn::User("Call report_findings.".into()),
    ]);
    request
}

/// What a decoder makes of a stream, as one text to compare.
pub(crate) fn decoded(kind: WireKind, stream: &str) -> String {
    let mut decoder = of(kind).decoder();
    let fed = SseParser::default().feed::<DecodeError>(stream.as_bytes(), &mut |event| decoder.event(event));
    told(fed, decoder.as_mut())
}

/// What a decoder makes of a whole document.
pub(crate) fn decoded_document(kind: WireKind, document: &str) -> String {
    let mut decoder = of(kind).decoder();
    let fed = decoder.document(document);
    told(fed, decoder.as_mut())
}

fn told(fed: Result<(), DecodeError>, decoder: &mut dyn super::Decoder) -> String {
    if let Err(error) = fed {
        return format!("{error:?}");
    }
    let (progress, usage) = (decoder.progress(), decoder.usage());
    let Some(answer) = decoder.finish() else { return format!("{progress:?}, cut") };
    let calls: Vec<_> = answer.turn.calls.iter().map(|c| format!("{}={}({})", c.id, c.name, c.arguments)).collect();
    let usage = usage.map_or("uncounted".into(), |u| {
        format!("in {} cached {} written {} out {}", u.input_tokens, u.cached_tokens, u.cache_write_tokens, u.output_tokens)
    });
    let raw = answer.turn.raw.map_or(String::new(), |raw| format!("\n{}", serde_json::Value::Array(raw.blocks)));
    format!("{progress:?} {:?} {:?} {calls:?} {:?} {usage}{raw}", answer.model, answer.turn.text, answer.stop)
}
