//! The answer: blocks by index, each begun, continued and ended by events of its own. `message_stop` is the end.

use crate::gateway::sse::SseEvent;
use crate::gateway::types::{AssistantTurn, Raw, Stop, ToolCall, Usage};
use crate::gateway::wire::arguments_object;
use crate::gateway::wire::{DecodeError, Decoded, Decoder, ErrorBody, Indexed, Progress, Room, from_json, plausible, stop_with_calls};
use serde::Deserialize;
use serde_json::{Value, json};
use std::mem;

/// Any event; which fields it has, its type tells.
#[derive(Deserialize)]
struct Event {
    r#type: Option<String>,
    index: Option<u64>,
    message: Option<Box<Message>>,
    content_block: Option<Value>,
    delta: Option<Delta>,
    usage: Option<Box<Counts>>,
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
    blocks: Indexed<Block>,
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
        // A call that begins again is the same one.
        let again =
            matches!((self.blocks.last(index), &begun), (Some(Block::Call { call: old, .. }), Block::Call { call: new, .. }) if old.id == new.id);
        if !again {
            self.blocks.begin(index, begun);
        }
        Ok(())
    }

    fn continue_block(&mut self, index: u64, delta: Delta) -> Result<(), DecodeError> {
        // A delta of a block that never began is one of an unknown kind to us.
        let Some(block) = self.blocks.last(index) else { return Ok(()) };
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
        if event.name == "error" {
            let plain = || ErrorBody { message: data.to_owned(), ..ErrorBody::EMPTY };
            return Err(DecodeError::Upstream(ErrorBody::parse(data.as_bytes()).unwrap_or_else(plain)));
        }
        let parsed: Event = from_json(data)?;
        match parsed.r#type.as_deref().unwrap_or(event.name) {
            "message_start" => parsed.message.map_or(Ok(()), |message| self.start(*message)),
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
            // `ping`, `content_block_stop`, and what may be added within a version.
            _ => Ok(()),
        }
    }

    fn document(&mut self, document: &str) -> Result<(), DecodeError> {
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
        self.counted.and_then(plausible)
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
        turn.raw = Some(Raw::new(raw));
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

#[cfg(test)]
mod tests {
    use crate::gateway::wire::{WireKind, fixtures};

    /// The decoder's view of a stream of these data lines.
    fn told(data: &[&str]) -> String {
        let stream: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
        fixtures::decoded(WireKind::Messages, &stream)
    }

    const START: &str = r#"{"type":"message_start","message":{"model":"claude-9","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_read_input_tokens":60,"cache_creation_input_tokens":30,"output_tokens":1}}}"#;
    const STOP: &str = r#"{"type":"message_stop"}"#;

    fn delta(index: u32, delta: &str) -> String {
        format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#)
    }

    #[test]
    fn blocks_of_all_kinds_go_back_as_they_came() {
        let answer = told(&[
            START,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            &delta(0, r#"{"type":"thinking_delta","thinking":"Hm."}"#),
            &delta(0, r#"{"type":"signature_delta","signature":"s1g"}"#),
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"0xff"}}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            &delta(2, r#"{"type":"text_delta","text":"I "}"#),
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t1","name":"one","input":{}}}"#,
            &delta(3, r#"{"type":"input_json_delta","partial_json":""}"#),
            &delta(2, r#"{"type":"text_delta","text":"look."}"#),
            &delta(3, r#"{"type":"input_json_delta","partial_json":"{\"p\": "}"#),
            &delta(3, r#"{"type":"input_json_delta","partial_json":"\"ä\"}"}"#),
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t2","name":"two","input":{}}}"#,
            r#"{"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"t3","name":"three","input":{"q":1}}}"#,
            r#"{"type":"content_block_start","index":6,"content_block":{"type":"brand_new","x":1}}"#,
            &delta(6, r#"{"type":"new_delta","x":2}"#),
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":40}}"#,
            r#"{"type":"brand_new_event"}"#,
            STOP,
        ]);
        insta::assert_snapshot!(answer, @r#"
        Over "claude-9" "I look." ["t1=one({\"p\": \"ä\"})", "t2=two({})", "t3=three({\"q\":1})"] Tools in 100 cached 60 written 30 out 40
        [{"signature":"s1g","thinking":"Hm.","type":"thinking"},{"data":"0xff","type":"redacted_thinking"},{"text":"I look.","type":"text"},{"id":"t1","input":{"p":"ä"},"name":"one","type":"tool_use"},{"id":"t2","input":{},"name":"two","type":"tool_use"},{"id":"t3","input":{"q":1},"name":"three","type":"tool_use"}]
        "#);
    }

    #[test]
    fn reasons_to_stop() {
        let stop = |reason: &str| told(&[&format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}}}}"#), STOP]);
        insta::assert_snapshot!(stop("end_turn"), @r#"
        Over "" "" [] End uncounted
        []
        "#);
        insta::assert_snapshot!(stop("max_tokens"), @r#"
        Over "" "" [] Length uncounted
        []
        "#);
        insta::assert_snapshot!(stop("model_context_window_exceeded"), @r#"
        Over "" "" [] Length uncounted
        []
        "#);
        insta::assert_snapshot!(stop("refusal"), @r#"
        Over "" "" [] Refused uncounted
        []
        "#);
        insta::assert_snapshot!(stop("pause_turn"), @r#"
        Over "" "" [] Other("pause_turn") uncounted
        []
        "#);
        insta::assert_snapshot!(told(&[START, r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#]), @"Open, cut");
    }

    #[test]
    fn what_is_no_answer() {
        insta::assert_snapshot!(told(&[START, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#]), @r#"Upstream(ErrorBody { message: "Overloaded", words: ["overloaded_error"], status: None, wait: None })"#);
        insta::assert_snapshot!(fixtures::decoded(WireKind::Messages, "event: error\ndata: {\"message\":\"boom\"}\n\n"), @r#"Upstream(ErrorBody { message: "{\"message\":\"boom\"}", words: [], status: None, wait: None })"#);
        insta::assert_snapshot!(told(&[r#"{"type":"content_block_delta"}"#]), @r#"Garbled("a piece without an index")"#);
        insta::assert_snapshot!(fixtures::decoded_document(WireKind::Messages, r#"{"type":"message","content":[]}"#), @r#"NoAnswer("JSON without a finished message")"#);
        insta::assert_snapshot!(fixtures::decoded_document(WireKind::Messages, r#"{"type":"error","error":{"type":"api_error","message":"boom"}}"#), @r#"Upstream(ErrorBody { message: "boom", words: ["api_error"], status: None, wait: None })"#);
    }

    #[test]
    fn whole_documents() {
        let answer = fixtures::decoded_document(
            WireKind::Messages,
            r#"{"type":"message","model":"m","content":[{"type":"text","text":"Hi"},{"type":"tool_use","id":"t","name":"one","input":{"p":1}}],
                "stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":2}}"#,
        );
        insta::assert_snapshot!(answer, @r#"
        Over "m" "Hi" ["t=one({\"p\":1})"] Tools in 5 cached 0 written 0 out 2
        [{"text":"Hi","type":"text"},{"id":"t","input":{"p":1},"name":"one","type":"tool_use"}]
        "#);
    }

    #[test]
    fn answers_are_bounded() {
        let begin = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
        let text = delta(0, &format!(r#"{{"text":"{}"}}"#, "x".repeat(1 << 20)));
        insta::assert_snapshot!(told(&[begin, &text, &text, &text, &text, &text]), @r#"TooLong("more than 4 MiB of text and arguments")"#);
        insta::assert_snapshot!(told(&[begin; 2000]), @r#"TooLong("more than 1,024 tool calls or blocks")"#);
    }
}
