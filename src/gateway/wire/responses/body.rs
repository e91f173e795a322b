//! The request's body: instructions, one user message of two parts (shared context, own part), then the turns as items.

use crate::gateway::types::{AssistantTurn, ModelRequest, ToolSpec, Turn};
use crate::gateway::wire::{Extras, sendable, to_json};
use serde::Serialize;
use serde_json::Value;

/// What differs between reviewers of one model stands last.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    /// Otherwise answers are kept for 30 days or more.
    store: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    include: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    instructions: &'a str,
    input: Vec<Item<'a>>,
    max_output_tokens: u32,
    #[serde(flatten)]
    extras: &'a Extras,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    /// Strict schemas demand that every property is required.
    strict: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Message {
        role: &'static str,
        content: Content<'a>,
    },
    Tagged(Tagged<'a>),
    /// An item of an answer, sent back as it came.
    Theirs(&'a Value),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    One(&'a str),
    Parts([Part<'a>; 2]),
}

#[derive(Serialize)]
struct Part<'a> {
    r#type: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tagged<'a> {
    FunctionCall { call_id: &'a str, name: &'a str, arguments: String },
    FunctionCallOutput { call_id: &'a str, output: &'a str },
}

/// Writes the body.
pub(super) fn write(request: &ModelRequest, extras: &Extras) -> Vec<u8> {
    let own = request.own.as_str();
    let first = match &*request.shared {
        "" => Content::One(own),
        shared => Content::Parts([shared, own].map(|text| Part { r#type: "input_text", text })),
    };
    let mut input = vec![Item::Message { role: "user", content: first }];
    for turn in &request.turns {
        match turn {
            Turn::Assistant(said) => input.extend(assistant(said)),
            Turn::ToolResults(results) => {
                input.extend(results.iter().map(|r| Item::Tagged(Tagged::FunctionCallOutput { call_id: &r.call_id, output: &r.content })));
            }
            Turn::User(text) => input.push(Item::Message { role: "user", content: Content::One(text) }),
        }
    }
    to_json(&Body {
        model: &request.model,
        stream: true,
        store: false,
        include: if reasons(&request.model) { &["reasoning.encrypted_content"] } else { &[] },
        tools: request.tools.iter().map(tool).collect(),
        tool_choice: (!request.tools.is_empty()).then_some("auto"),
        instructions: &request.system,
        input,
        max_output_tokens: request.max_output_tokens,
        extras,
    })
}

/// Whether a model may have reasoning to send back. The older families are known to have none, and OpenAI
/// refuses a request for its encrypted form there.
fn reasons(model: &str) -> bool {
    !["gpt-3", "gpt-4", "chatgpt-4", "chat-latest"].iter().any(|old| model.contains(old))
}

fn tool(spec: &ToolSpec) -> Tool<'_> {
    Tool { r#type: "function", name: spec.name, description: &spec.description, parameters: &spec.schema, strict: false }
}

/// An answer as it came, where it came in this format; else made of its text and calls. Nothing for one that said nothing.
fn assistant(said: &AssistantTurn) -> Vec<Item<'_>> {
    if said.text.is_empty() && said.calls.is_empty() {
        return Vec::new();
    }
    if let Some(raw) = &said.raw {
        return raw.blocks.iter().map(Item::Theirs).collect();
    }
    let text = (!said.text.is_empty()).then_some(Item::Message { role: "assistant", content: Content::One(&said.text) });
    let calls = said.calls.iter().map(|call| Tagged::FunctionCall { call_id: &call.id, name: &call.name, arguments: sendable(&call.arguments) });
    text.into_iter().chain(calls.map(Item::Tagged)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::types::Raw;
    use crate::gateway::wire::fixtures::{reviewer_request, with_turns};
    use serde_json::json;

    fn text(request: &ModelRequest) -> String {
        String::from_utf8(write(request, &Extras::new())).expect("UTF-8")
    }

    fn input(request: &ModelRequest) -> String {
        let body: Value = serde_json::from_str(&text(request)).expect("JSON");
        body["input"].as_array().expect("a list").iter().map(|item| format!("{item}\n")).collect()
    }

    #[test]
    fn body_of_a_first_request() {
        insta::assert_snapshot!(text(&reviewer_request("quality")), @r##"{"model":"m-1","stream":true,"store":false,"include":["reasoning.encrypted_content"],"tools":[{"type":"function","name":"read_file","description":"Reads a file.","parameters":{"properties":{"path":{"type":"string"}},"required":["path"],"type":"object"},"strict":false}],"tool_choice":"auto","instructions":"Review.","input":[{"role":"user","content":[{"type":"input_text","text":"the diff"},{"type":"input_text","text":"# Reviewer: quality\nLook."}]}],"max_output_tokens":1000}"##);
    }

    #[test]
    fn items_of_later_turns() {
        insta::assert_snapshot!(input(&with_turns(reviewer_request("quality"))), @r##"
        {"content":[{"text":"the diff","type":"input_text"},{"text":"# Reviewer: quality\nLook.","type":"input_text"}],"role":"user"}
        {"content":"I look.","role":"assistant"}
        {"arguments":"{\"path\": \"a\"}","call_id":"c1","name":"read_file","type":"function_call"}
        {"arguments":"{}","call_id":"c2","name":"read_file","type":"function_call"}
        {"call_id":"c1","output":"fn a() {}","type":"function_call_output"}
        {"call_id":"c2","output":"invalid JSON","type":"function_call_output"}
        {"content":"Call report_findings.","role":"user"}
        "##);
    }

    #[test]
    fn an_answers_own_items_go_back_and_nothing_empty_is_sent() {
        let mut request = reviewer_request("quality");
        (request.shared, request.system, request.tools) = ("".into(), "".into(), Vec::new().into());
        request.model = "openai/gpt-4.1-mini".into();
        let raw = Raw::new(vec![json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"})]);
        request.turns = vec![
            Turn::Assistant(AssistantTurn::default()),
            Turn::Assistant(AssistantTurn { text: "x".into(), raw: Some(raw), ..Default::default() }),
        ];
        insta::assert_snapshot!(text(&request), @r##"{"model":"openai/gpt-4.1-mini","stream":true,"store":false,"input":[{"role":"user","content":"# Reviewer: quality\nLook."},{"encrypted_content":"gAAA","id":"rs_1","summary":[],"type":"reasoning"}],"max_output_tokens":1000}"##);
    }
}
