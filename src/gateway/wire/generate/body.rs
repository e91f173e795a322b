//! The request's body: system instruction, one user content of two parts (shared context, own part), then the turns.

use super::OUR_ID;
use crate::gateway::types::{AssistantTurn, ModelRequest, ToolCall, ToolResult, ToolSpec, Turn};
use crate::gateway::wire::{Extras, arguments_object, to_json};
use serde::Serialize;
use serde_json::Value;

/// Stands for a signature in a history that another model wrote, by Google's own documentation.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// What differs between reviewers of one model stands last.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tools<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: Vec<Content<'a>>,
    generation_config: Config,
    #[serde(flatten)]
    extras: &'a Extras,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    max_output_tokens: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    function_declarations: Vec<Tool<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    /// `parameters` takes less than JSON Schema, and refuses the rest.
    parameters_json_schema: &'a Value,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize, PartialEq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Role {
    User,
    Model,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Text {
        text: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Call {
        function_call: Call<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        thought_signature: Option<&'static str>,
    },
    #[serde(rename_all = "camelCase")]
    Result {
        function_response: Outcome<'a>,
    },
    /// A part of an answer, sent back as it came.
    Theirs(&'a Value),
}

#[derive(Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: Value,
}

#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Response<'a> {
    Output(&'a str),
    Error(&'a str),
}

/// Writes the body.
pub(super) fn write(request: &ModelRequest, extras: &Extras) -> Vec<u8> {
    let mut contents = Vec::new();
    push(&mut contents, Role::User, texts([&*request.shared, request.own.as_str()]));
    for turn in &request.turns {
        match turn {
            Turn::Assistant(said) => push(&mut contents, Role::Model, assistant(said, &request.model)),
            Turn::ToolResults(results) => push(&mut contents, Role::User, results.iter().map(result).collect()),
            Turn::User(text) => push(&mut contents, Role::User, texts([text.as_str()])),
        }
    }
    let system = texts([&*request.system]);
    to_json(&Body {
        tools: (!request.tools.is_empty()).then(|| [Tools { function_declarations: request.tools.iter().map(tool).collect() }]),
        system_instruction: (!system.is_empty()).then_some(Content { role: None, parts: system }),
        contents,
        generation_config: Config { max_output_tokens: request.max_output_tokens },
        extras,
    })
}

fn tool(spec: &ToolSpec) -> Tool<'_> {
    Tool { name: spec.name, description: &spec.description, parameters_json_schema: &spec.schema }
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Part<'a>> {
    texts.into_iter().filter(|t| !t.is_empty()).map(|text| Part::Text { text }).collect()
}

/// Roles have to alternate, and what answers calls has to come in one content.
fn push<'a>(contents: &mut Vec<Content<'a>>, role: Role, mut parts: Vec<Part<'a>>) {
    if parts.is_empty() {
        return;
    }
    match contents.last_mut() {
        Some(last) if last.role == Some(role) => last.parts.append(&mut parts),
        _ => contents.push(Content { role: Some(role), parts }),
    }
}

/// An answer as it came, where it came from this model; else made of its text and calls. Nothing for one that said nothing.
fn assistant<'a>(said: &'a AssistantTurn, model: &str) -> Vec<Part<'a>> {
    if said.text.is_empty() && said.calls.is_empty() {
        return Vec::new();
    }
    if let Some(raw) = &said.raw {
        return raw.blocks.iter().map(Part::Theirs).collect();
    }
    // The first call of a step needs a signature since version 3; older models never had any.
    let older = ["gemini-1", "gemini-2"].iter().any(|old| model.contains(old));
    let call = |(number, call): (usize, &'a ToolCall)| Part::Call {
        function_call: Call { id: sendable_id(&call.id), name: &call.name, args: arguments_object(&call.arguments) },
        thought_signature: (number == 0 && !older).then_some(NO_SIGNATURE),
    };
    texts([said.text.as_str()]).into_iter().chain(said.calls.iter().enumerate().map(call)).collect()
}

fn result(result: &ToolResult) -> Part<'_> {
    let response = if result.is_error { Response::Error(&result.content) } else { Response::Output(&result.content) };
    Part::Result { function_response: Outcome { id: sendable_id(&result.call_id), name: &result.name, response } }
}

fn sendable_id(id: &str) -> Option<&str> {
    (!id.starts_with(OUR_ID)).then_some(id)
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

    fn contents(request: &ModelRequest) -> String {
        let body: Value = serde_json::from_str(&text(request)).expect("JSON");
        body["contents"].as_array().expect("a list").iter().map(|item| format!("{item}\n")).collect()
    }

    #[test]
    fn body_of_a_first_request() {
        insta::assert_snapshot!(text(&reviewer_request("quality")), @r##"{"tools":[{"functionDeclarations":[{"name":"read_file","description":"Reads a file.","parametersJsonSchema":{"properties":{"path":{"type":"string"}},"required":["path"],"type":"object"}}]}],"systemInstruction":{"parts":[{"text":"Review."}]},"contents":[{"role":"user","parts":[{"text":"the diff"},{"text":"# Reviewer: quality\nLook."}]}],"generationConfig":{"maxOutputTokens":1000}}"##);
    }

    #[test]
    fn contents_of_later_turns() {
        insta::assert_snapshot!(contents(&with_turns(reviewer_request("quality"))), @r##"
        {"parts":[{"text":"the diff"},{"text":"# Reviewer: quality\nLook."}],"role":"user"}
        {"parts":[{"text":"I look."},{"functionCall":{"args":{"path":"a"},"id":"c1","name":"read_file"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"args":{},"id":"c2","name":"read_file"}}],"role":"model"}
        {"parts":[{"functionResponse":{"id":"c1","name":"read_file","response":{"output":"fn a() {}"}}},{"functionResponse":{"id":"c2","name":"read_file","response":{"error":"invalid JSON"}}},{"text":"Call report_findings."}],"role":"user"}
        "##);
    }

    #[test]
    fn an_answers_own_parts_go_back_and_made_up_ids_do_not() {
        let mut request = reviewer_request("quality");
        (request.shared, request.system, request.tools) = ("".into(), "".into(), Vec::new().into());
        let call = ToolCall { id: "unnamed_0".into(), name: "one".into(), arguments: "{}".into() };
        let raw = Raw::new(vec![json!({"functionCall": {"name": "one", "args": {}}, "thoughtSignature": "c2ln"})]);
        let result = ToolResult { call_id: "unnamed_0".into(), name: "one".into(), content: "ok".into(), is_error: false };
        request.turns = vec![
            Turn::Assistant(AssistantTurn::default()),
            Turn::Assistant(AssistantTurn { calls: vec![call], raw: Some(raw), ..Default::default() }),
            Turn::ToolResults(vec![result]),
        ];
        insta::assert_snapshot!(text(&request), @r##"{"contents":[{"role":"user","parts":[{"text":"# Reviewer: quality\nLook."}]},{"role":"model","parts":[{"functionCall":{"args":{},"name":"one"},"thoughtSignature":"c2ln"}]},{"role":"user","parts":[{"functionResponse":{"name":"one","response":{"output":"ok"}}}]}],"generationConfig":{"maxOutputTokens":1000}}"##);
    }
}
