//! The request's body, with cache breakpoints where the shared part ends and, once there are turns, at their end.

use crate::gateway::types::{AssistantTurn, ModelRequest, ToolSpec, Turn};
use crate::gateway::wire::{Extras, arguments_object, to_json};
use serde::Serialize;
use serde_json::Value;

/// What differs between reviewers of one model stands last.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Message<'a>>,
    max_tokens: u32,
    #[serde(flatten)]
    extras: &'a Extras,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a Value,
}

#[derive(Serialize)]
struct ToolChoice {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: Role,
    content: Vec<Block<'a>>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Role {
    User,
    Assistant,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Block<'a> {
    Ours {
        #[serde(flatten)]
        kind: Kind<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    /// A block of an answer, sent back as it came.
    Theirs(&'a Value),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Kind<'a> {
    Text {
        text: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Value,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

impl<'a> Block<'a> {
    fn ours(kind: Kind<'a>) -> Self {
        Self::Ours { kind, cache_control: None }
    }

    fn text(text: &'a str) -> Self {
        Self::ours(Kind::Text { text })
    }

    /// Ends a stretch that is worth caching here.
    fn mark(&mut self) {
        if let Self::Ours { cache_control, .. } = self {
            *cache_control = Some(CacheControl { r#type: "ephemeral" });
        }
    }
}

/// Writes the body. At most the four breakpoints that are allowed: the system message (and with it the tools), the shared
/// context, the last turn and the one before. The own part of a first request has none: most reviewers end there,
/// and a cache write costs more than plain input.
pub(super) fn write(request: &ModelRequest, extras: &Extras) -> Vec<u8> {
    let mut system = blocks([&*request.system]);
    if let Some(last) = system.last_mut() {
        last.mark();
    }
    let mut first = blocks([&*request.shared]);
    if let Some(shared) = first.last_mut() {
        shared.mark();
    }
    first.push(Block::text(&request.own));

    let mut messages = vec![Message { role: Role::User, content: first }];
    for turn in &request.turns {
        match turn {
            Turn::Assistant(said) => push(&mut messages, Role::Assistant, assistant(said)),
            Turn::ToolResults(results) => {
                let results =
                    results.iter().map(|r| Block::ours(Kind::ToolResult { tool_use_id: &r.call_id, content: &r.content, is_error: r.is_error }));
                push(&mut messages, Role::User, results.collect());
            }
            Turn::User(text) => push(&mut messages, Role::User, blocks([text.as_str()])),
        }
    }
    // The end, for the next request, and where the request before ended: a breakpoint finds what was written at most 20
    // blocks earlier, and a step with many calls has more.
    if !request.turns.is_empty() {
        let ours = messages.iter_mut().rev().filter(|message| message.role == Role::User);
        for last in ours.take(2).filter_map(|message| message.content.last_mut()) {
            last.mark();
        }
    }
    to_json(&Body {
        model: &request.model,
        stream: true,
        tools: request.tools.iter().map(tool).collect(),
        tool_choice: (!request.tools.is_empty()).then_some(ToolChoice { r#type: "auto" }),
        system,
        messages,
        max_tokens: request.max_output_tokens,
        extras,
    })
}

fn tool(spec: &ToolSpec) -> Tool<'_> {
    Tool { name: spec.name, description: &spec.description, input_schema: &spec.schema }
}

/// Text blocks; those without a visible character are refused by the API.
fn blocks<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Block<'a>> {
    texts.into_iter().filter(|t| !t.trim().is_empty()).map(Block::text).collect()
}

/// Roles have to alternate, and what answers tool calls has to come in one message.
fn push<'a>(messages: &mut Vec<Message<'a>>, role: Role, mut content: Vec<Block<'a>>) {
    if content.is_empty() {
        return;
    }
    match messages.last_mut() {
        Some(last) if last.role == role => last.content.append(&mut content),
        _ => messages.push(Message { role, content }),
    }
}

/// An answer as it came, where it came in this format; else made of its text and calls. Nothing for one that said nothing.
fn assistant(said: &AssistantTurn) -> Vec<Block<'_>> {
    if said.text.trim().is_empty() && said.calls.is_empty() {
        return Vec::new();
    }
    if let Some(raw) = &said.raw {
        return raw.blocks.iter().map(Block::Theirs).collect();
    }
    let calls = said.calls.iter().map(|call| Block::ours(Kind::ToolUse { id: &call.id, name: &call.name, input: arguments_object(&call.arguments) }));
    blocks([said.text.as_str()]).into_iter().chain(calls).collect()
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
        insta::assert_snapshot!(body, @r##"{"model":"m-1","stream":true,"tools":[{"name":"read_file","description":"Reads a file.","input_schema":{"properties":{"path":{"type":"string"}},"required":["path"],"type":"object"}}],"tool_choice":{"type":"auto"},"system":[{"type":"text","text":"Review.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"the diff","cache_control":{"type":"ephemeral"}},{"type":"text","text":"# Reviewer: quality\nLook."}]}],"max_tokens":1000}"##);
    }

    #[test]
    fn messages_of_later_turns() {
        insta::assert_snapshot!(pretty(&with_turns(reviewer_request("quality"))), @r##"
        [
          {
            "content": [
              {
                "cache_control": {
                  "type": "ephemeral"
                },
                "text": "the diff",
                "type": "text"
              },
              {
                "cache_control": {
                  "type": "ephemeral"
                },
                "text": "# Reviewer: quality\nLook.",
                "type": "text"
              }
            ],
            "role": "user"
          },
          {
            "content": [
              {
                "text": "I look.",
                "type": "text"
              },
              {
                "id": "c1",
                "input": {
                  "path": "a"
                },
                "name": "read_file",
                "type": "tool_use"
              },
              {
                "id": "c2",
                "input": {},
                "name": "read_file",
                "type": "tool_use"
              }
            ],
            "role": "assistant"
          },
          {
            "content": [
              {
                "content": "fn a() {}",
                "tool_use_id": "c1",
                "type": "tool_result"
              },
              {
                "content": "invalid JSON",
                "is_error": true,
                "tool_use_id": "c2",
                "type": "tool_result"
              },
              {
                "cache_control": {
                  "type": "ephemeral"
                },
                "text": "Call report_findings.",
                "type": "text"
              }
            ],
            "role": "user"
          }
        ]
        "##);
    }

    #[test]
    fn at_most_four_breakpoints() {
        let mut request = reviewer_request("quality");
        for _ in 0..20 {
            request = with_turns(request);
        }
        let body = String::from_utf8(write(&request, &Extras::new())).expect("UTF-8");
        assert_eq!(body.matches("cache_control").count(), 4);
        let ends: Vec<usize> = body.match_indices("Call report_findings.").map(|(at, text)| at + text.len()).collect();
        assert!(ends[18..].iter().all(|end| body[*end..].starts_with(r#"","cache_control""#)), "where this request ends, and the one before: {body}");
    }

    #[test]
    fn nothing_empty_is_sent() {
        let mut request = reviewer_request("quality");
        request.shared = "".into();
        request.system = "".into();
        request.tools = Vec::new().into();
        request.turns = vec![Turn::Assistant(AssistantTurn::default()), Turn::User("go on".into())];
        let body = String::from_utf8(write(&request, &Extras::new())).expect("UTF-8");
        insta::assert_snapshot!(body, @r##"{"model":"m-1","stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"# Reviewer: quality\nLook."},{"type":"text","text":"go on","cache_control":{"type":"ephemeral"}}]}],"max_tokens":1000}"##);
    }
}
