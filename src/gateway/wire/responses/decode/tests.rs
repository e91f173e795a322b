//! Answers in streams and as documents.

use crate::gateway::wire::{WireKind, fixtures};

/// The decoder's view of a stream of these data lines.
fn told(data: &[&str]) -> String {
    let stream: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
    fixtures::decoded(WireKind::Responses, &stream)
}

const CREATED: &str =
    r#"{"type":"response.created","response":{"id":"resp_1","model":"gpt-9","status":"in_progress","error":null,"output":[],"usage":null}}"#;
const ITEMS: [&str; 9] = [
    r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
    r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}}"#,
    r#"{"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","id":"fc_1","call_id":"call_a","name":"one","arguments":""}}"#,
    r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"message","id":"msg_1","role":"assistant","content":[]}}"#,
    r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":2,"delta":"{\"p\":"}"#,
    r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"I "}"#,
    r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"look."}"#,
    r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":2,"delta":"\"ä\"}"}"#,
    r#"{"type":"response.brand_new","x":1}"#,
];

#[test]
fn items_go_back_as_they_came() {
    let output = r#"[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"I look.","annotations":[]}]},{"type":"function_call","id":"fc_1","call_id":"call_a","name":"one","arguments":"{\"p\":\"ä\"}","status":"completed"}]"#;
    let end = format!(
        r#"{{"type":"response.completed","response":{{"model":"gpt-9","status":"completed","error":null,"output":{output},"usage":{{"input_tokens":100,"input_tokens_details":{{"cached_tokens":64,"cache_write_tokens":8}},"output_tokens":9,"output_tokens_details":{{"reasoning_tokens":7}}}}}}}}"#
    );
    let answer = told(&[&[CREATED], &ITEMS[..], &[&end]].concat());
    insta::assert_snapshot!(answer, @r#"
    Over "gpt-9" "I look." ["call_a=one({\"p\":\"ä\"})"] Tools in 100 cached 64 written 8 out 9
    [{"encrypted_content":"gAAA","id":"rs_1","summary":[],"type":"reasoning"},{"content":[{"annotations":[],"text":"I look.","type":"output_text"}],"id":"msg_1","role":"assistant","status":"completed","type":"message"},{"arguments":"{\"p\":\"ä\"}","call_id":"call_a","id":"fc_1","name":"one","status":"completed","type":"function_call"}]
    "#);
}

#[test]
fn pieces_count_where_the_end_repeats_nothing() {
    let end = r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#;
    insta::assert_snapshot!(told(&[&ITEMS[..], &[end]].concat()), @r#"Over "" "I look." ["call_a=one({\"p\":\"ä\"})"] Tools uncounted"#);
}

#[test]
fn reasoning_that_nobody_stored_is_left_out_and_invalid_arguments_are_mended() {
    let end = r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"reasoning","id":"rs_1"},{"type":"function_call","name":"one","arguments":"{\"p\""},{"type":"brand_new"}]}}"#;
    insta::assert_snapshot!(told(&[end]), @r#"
    Over "" "" ["call_0=one({\"p\")"] Tools uncounted
    [{"arguments":"{}","call_id":"call_0","name":"one","type":"function_call"}]
    "#);
}

#[test]
fn reasons_to_stop() {
    let stop = |reason: &str| {
        told(&[&format!(
            r#"{{"type":"response.incomplete","response":{{"status":"incomplete","incomplete_details":{reason},"output":[{{"type":"message","content":[{{"type":"output_text","text":"x"}}]}}]}}}}"#
        )])
    };
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    insta::assert_snapshot!(first(stop(r#"{"reason":"max_output_tokens"}"#)), @r#"Over "" "x" [] Length uncounted"#);
    insta::assert_snapshot!(first(stop(r#"{"reason":"content_filter"}"#)), @r#"Over "" "x" [] Refused uncounted"#);
    insta::assert_snapshot!(first(stop(r#"{"reason":"brand_new"}"#)), @r#"Over "" "x" [] Other("brand_new") uncounted"#);
    insta::assert_snapshot!(first(stop("null")), @r#"Over "" "x" [] Length uncounted"#);
    let refusal = r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}}"#;
    insta::assert_snapshot!(first(told(&[refusal])), @r#"Over "" "No." [] Refused uncounted"#);
    insta::assert_snapshot!(told(&[&[CREATED], &ITEMS[..], &["[DONE]"]].concat()), @"Open, cut");
}

#[test]
fn what_is_no_answer() {
    let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow down"}}}"#;
    insta::assert_snapshot!(told(&[CREATED, failed]), @r#"Upstream(ErrorBody { message: "Slow down", words: ["rate_limit_exceeded"], status: None, wait: None })"#);
    let flat = r#"{"type":"error","code":"server_error","message":"boom","param":null,"sequence_number":3}"#;
    insta::assert_snapshot!(told(&[CREATED, flat]), @r#"Upstream(ErrorBody { message: "boom", words: ["error", "server_error"], status: None, wait: None })"#);
    insta::assert_snapshot!(told(&[r#"{"type":"response.output_text.delta","delta":"x"}"#]), @r#"Garbled("a piece without an index")"#);
    insta::assert_snapshot!(fixtures::decoded_document(WireKind::Responses, r#"{"object":"response","status":"queued"}"#), @r#"NoAnswer("JSON without a finished response")"#);
    insta::assert_snapshot!(fixtures::decoded_document(WireKind::Responses, r#"{"status":"cancelled"}"#), @r#"Upstream(ErrorBody { message: "the response was cancelled", words: [], status: None, wait: None })"#);
}

#[test]
fn whole_documents() {
    let document = r#"{"object":"response","model":"m","status":"completed","error":null,"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":5,"output_tokens":2}}"#;
    insta::assert_snapshot!(fixtures::decoded_document(WireKind::Responses, document), @r#"
    Over "m" "Hi" [] End in 5 cached 0 written 0 out 2
    [{"content":[{"annotations":[],"text":"Hi","type":"output_text"}],"role":"assistant","type":"message"}]
    "#);
}

#[test]
fn answers_are_bounded() {
    let text = format!(r#"{{"type":"response.output_text.delta","output_index":0,"delta":"{}"}}"#, "x".repeat(1 << 20));
    insta::assert_snapshot!(told(&[text.as_str(); 5]), @r#"TooLong("more than 4 MiB of text and arguments")"#);
    let items: Vec<_> = (0..2000).map(|i| format!(r#"{{"type":"response.output_item.added","output_index":{i}}}"#)).collect();
    insta::assert_snapshot!(told(&items.iter().map(String::as_str).collect::<Vec<_>>()), @r#"TooLong("more than 1,024 tool calls or blocks")"#);
}
