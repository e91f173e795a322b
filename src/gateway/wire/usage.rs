//! What each provider's usage means, side by side: the whole input holds what was cached, the output holds the reasoning.

use super::{DecodeError, WireKind, of};
use crate::gateway::sse::SseParser;
use serde_json::{Value, json};

/// The usage of a whole stream with these counts: all input, of it cached, of it written, output.
fn counted(wire: WireKind, usages: &[Value]) -> Option<(u64, u64, u64, u64)> {
    let chunks: Vec<Value> = match wire {
        WireKind::Chat => {
            let mut chunks = vec![json!({"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": "stop"}], "usage": null})];
            chunks.extend(usages.iter().map(|usage| json!({"choices": [], "usage": usage})));
            chunks
        }
        WireKind::Responses => vec![
            json!({"type": "response.created", "response": {"status": "in_progress", "output": [], "usage": null}}),
            json!({"type": "response.completed", "response": {"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "ok"}]}], "usage": usages[0]}}),
        ],
        WireKind::Messages => {
            let mut chunks = vec![json!({"type": "message_start", "message": {"content": [], "usage": usages[0]}})];
            chunks.extend(usages[1..].iter().map(|usage| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})));
            chunks.push(json!({"type": "message_stop"}));
            chunks
        }
        WireKind::GenerateContent => {
            let part = json!({"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP"});
            usages.iter().map(|usage| json!({"candidates": [part], "usageMetadata": usage})).collect()
        }
    };
    let stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let mut decoder = of(wire).decoder();
    SseParser::default().feed::<DecodeError>(stream.as_bytes(), &mut |event| decoder.event(event)).expect("a sound stream");
    decoder.usage().map(|u| (u.input_tokens, u.cached_tokens, u.cache_write_tokens, u.output_tokens))
}

#[test]
fn usage_of_all_formats_is_told_in_one_way() {
    use WireKind::{Chat, GenerateContent, Messages, Responses};
    for (what, wire, usages, told) in [
        (
            "cached is part of the input",
            Chat,
            vec![json!({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60}})],
            (100, 60, 0, 20),
        ),
        (
            "so is what was written",
            Chat,
            vec![json!({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}})],
            (100, 60, 30, 20),
        ),
        (
            "reasoning is part of the output",
            Chat,
            vec![json!({"prompt_tokens": 100, "completion_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 15}})],
            (100, 0, 0, 20),
        ),
        ("details can be null", Chat, vec![json!({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": null})], (100, 0, 0, 20)),
        (
            "the last one counts",
            Chat,
            vec![json!({"prompt_tokens": 100, "completion_tokens": 1}), json!({"prompt_tokens": 100, "completion_tokens": 20})],
            (100, 0, 0, 20),
        ),
        (
            "Anthropic's words through LiteLLM",
            Chat,
            vec![
                json!({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60}, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30}),
            ],
            (100, 60, 30, 20),
        ),
        (
            "Anthropic's counts in OpenAI's form",
            Chat,
            vec![json!({"prompt_tokens": 10, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}})],
            (100, 60, 30, 20),
        ),
        (
            "cached is part of the input",
            Responses,
            vec![json!({"input_tokens": 100, "output_tokens": 20, "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}})],
            (100, 60, 30, 20),
        ),
        (
            "reasoning is part of the output",
            Responses,
            vec![json!({"input_tokens": 100, "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 15}})],
            (100, 0, 0, 20),
        ),
        (
            "cached and written come on top",
            Messages,
            vec![
                json!({"input_tokens": 10, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30, "output_tokens": 1}),
                json!({"output_tokens": 20}),
            ],
            (100, 60, 30, 20),
        ),
        (
            "later counts replace earlier ones",
            Messages,
            vec![
                json!({"input_tokens": 10, "output_tokens": 1}),
                json!({"output_tokens": 8}),
                json!({"input_tokens": 12, "cache_read_input_tokens": 88, "output_tokens": 20}),
            ],
            (100, 88, 0, 20),
        ),
        (
            "what was written by life time is a breakdown",
            Messages,
            vec![
                json!({"input_tokens": 70, "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 0}, "output_tokens": 20}),
            ],
            (100, 0, 30, 20),
        ),
        (
            "null is none",
            Messages,
            vec![json!({"input_tokens": 100, "cache_read_input_tokens": null, "cache_creation_input_tokens": null, "output_tokens": 20})],
            (100, 0, 0, 20),
        ),
        (
            "cached is part of the input",
            GenerateContent,
            vec![json!({"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 20, "totalTokenCount": 120})],
            (100, 60, 0, 20),
        ),
        (
            "thoughts come on top of the output",
            GenerateContent,
            vec![json!({"promptTokenCount": 100, "candidatesTokenCount": 5, "thoughtsTokenCount": 15, "totalTokenCount": 120})],
            (100, 0, 0, 20),
        ),
        (
            "the last one counts, and may leave things out",
            GenerateContent,
            vec![json!({"promptTokenCount": 100, "candidatesTokenCount": 3}), json!({"promptTokenCount": 100, "candidatesTokenCount": 20})],
            (100, 0, 0, 20),
        ),
    ] {
        assert_eq!(counted(wire, &usages), Some(told), "{}: {what}", wire.name());
    }
}

#[test]
fn a_server_that_does_not_count_is_not_believed() {
    for (wire, usage) in [
        (WireKind::Chat, json!({"prompt_tokens": 0, "completion_tokens": 0})),
        (WireKind::Chat, json!({})),
        (WireKind::Responses, json!({"input_tokens": 0, "output_tokens": 0})),
        (WireKind::Messages, json!({"input_tokens": 0, "output_tokens": 0})),
        (WireKind::GenerateContent, json!({"totalTokenCount": 0})),
    ] {
        assert_eq!(counted(wire, &[usage]), None, "{}", wire.name());
    }
}
