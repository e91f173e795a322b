//! The request's body: system message, one user message of two parts (shared context, own part), then the turns.

use crate::gateway::types::{AssistantTurn, ModelRequest, ToolSpec, Turn};
use crate::gateway::wire::{Extras, sendable, to_json};
use serde::Serialize;
use serde_json::Value;

/// What differs between reviewers of one model stands last.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    messages: Vec<Message<'a>>,
    /// Reasoning models refuse `max_tokens`.
    max_completion_tokens: u32,
    #[serde(flatten)]
    extras: &'a Extras,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum Message<'a> {
    System {
        content: &'a str,
    },
    User {
        content: Content<'a>,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
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
struct Call<'a> {
    id: &'a str,
    r#type: &'static str,
    function: CalledFunction<'a>,
}

#[derive(Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: String,
}

/// Writes the body.
pub(super) fn write(request: &ModelRequest, extras: &Extras) -> Vec<u8> {
    let own = request.own.as_str();
    let first = match &*request.shared {
        "" => Content::One(own),
        shared => Content::Parts([shared, own].map(|text| Part { r#type: "text", text })),
    };
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(Message::System { content: &request.system });
    }
    messages.push(Message::User { content: first });
    for turn in &request.turns {
        match turn {
            Turn::Assistant(said) => messages.extend(assistant(said)),
            Turn::ToolResults(results) => {
                messages.extend(results.iter().map(|r| Message::Tool { tool_call_id: &r.call_id, content: &r.content }));
            }
            Turn::User(text) => messages.push(Message::User { content: Content::One(text) }),
        }
    }
    to_json(&Body {
        model: &request.model,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        tools: request.tools.iter().map(tool).collect(),
        tool_choice: (!request.tools.is_empty()).then_some("auto"),
        messages,
        max_completion_tokens: request.max_output_tokens,
        extras,
    })
}

fn tool(spec: &ToolSpec) -> Tool<'_> {
    let function = Function { name: spec.name, description: &spec.description, parameters: &spec.schema };
    Tool { r#type: "function", function }
}

/// `None` for an answer that said nothing: servers refuse an empty message.
fn assistant(said: &AssistantTurn) -> Option<Message<'_>> {
    let tool_calls: Vec<_> = said
        .calls
        .iter()
        .map(|call| Call { id: &call.id, r#type: "function", function: CalledFunction { name: &call.name, arguments: sendable(&call.arguments) } })
        .collect();
    let content = (!said.text.is_empty()).then_some(said.text.as_str());
    (content.is_some() || !tool_calls.is_empty()).then_some(Message::Assistant { content, tool_calls })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::wire::fixtures::{reviewer_request, with_turns};

    fn pretty(request: &ModelRequest) -> String {
        let value: Value = serde_json::from_slice(&write(request, &Extras::new())).expect("JSON");
        serde_json::to_string_pretty(&value["messages"]).expect("JSON")
    }

    #[test]
    fn body_of_a_first_request() {
        let body = String::from_utf8(write(&reviewer_request("quality"), &Extras::new())).expect("UTF-8");
        insta::assert_snapshot!(body, @r##"{"model":"m-1","stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"read_file","description":"Reads a file.","parameters":{"properties":{"path":{"type":"string"}},"required":["path"],"type":"object"}}}],"tool_choice":"auto","messages":[{"role":"system","content":"Review."},{"role":"user","content":[{"type":"text","text":"the diff"},{"type":"text","text":"# Reviewer: quality\nLook."}]}],"max_completion_tokens":1000}"##);
    }

    #[test]
    fn messages_of_later_turns() {
        insta::assert_snapshot!(pretty(&with_turns(reviewer_request("quality"))), @r##"
        [
          {
            "content": "Review.",
            "role": "system"
          },
          {
            "content": [
              {
                "text": "the diff",
                "type": "text"
              },
              {
                "text": "# Reviewer: quality\nLook.",
                "type": "text"
              }
            ],
            "role": "user"
          },
          {
            "content": "I look.",
            "role": "assistant",
            "tool_calls": [
              {
                "function": {
                  "arguments": "{\"path\": \"a\"}",
                  "name": "read_file"
                },
                "id": "c1",
                "type": "function"
              },
              {
                "function": {
                  "arguments": "{}",
                  "name": "read_file"
                },
                "id": "c2",
                "type": "function"
              }
            ]
          },
          {
            "content": "fn a() {}",
            "role": "tool",
            "tool_call_id": "c1"
          },
          {
            "content": "invalid JSON",
            "role": "tool",
            "tool_call_id": "c2"
          },
          {
            "content": "Call report_findings.",
            "role": "user"
          }
        ]
        "##);
    }

    #[test]
    fn one_string_without_shared_context() {
        let mut request = reviewer_request("quality");
        request.shared = "".into();
        request.system = "".into();
        request.tools = Vec::new().into();
        let body = String::from_utf8(write(&request, &Extras::new())).expect("UTF-8");
        insta::assert_snapshot!(body, @r##"{"model":"m-1","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"# Reviewer: quality\nLook."}],"max_completion_tokens":1000}"##);
    }
}
