//! Answers in streams and as documents.

use crate::gateway::wire::{WireKind, fixtures};

/// The decoder's view of a stream of these data lines.
fn told(data: &[&str]) -> String {
    let stream: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
    fixtures::decoded(WireKind::GenerateContent, &stream)
}

fn document(text: &str) -> String {
    fixtures::decoded_document(WireKind::GenerateContent, text)
}

fn chunk(parts: &str) -> String {
    format!(r#"{{"candidates":[{{"content":{{"role":"model","parts":[{parts}]}}}}]}}"#)
}

const STOP: &str = r#"{"candidates":[{"finishReason":"STOP"}]}"#;

#[test]
fn parts_go_back_as_they_came() {
    let answer = told(&[
        &chunk(r#"{"text":"Hm.","thought":true}"#),
        &chunk(r#"{"text":"I "}"#),
        &chunk(r#"{"text":"look."},{"text":""}"#),
        &chunk(
            r#"{"functionCall":{"name":"one","args":{"p":"ä"}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"f2","name":"two"}},{"brandNew":{}}"#,
        ),
        &chunk(r#"{"text":"","thoughtSignature":"ZW5k"}"#),
        r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"other"}]}}],"usageMetadata":{"promptTokenCount":90}}"#,
        r#"{"candidates":[{"finishReason":"STOP","index":0}],"modelVersion":"gemini-9","usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":4,"thoughtsTokenCount":5,"totalTokenCount":109}}"#,
    ]);
    insta::assert_snapshot!(answer, @r#"
    Over "gemini-9" "I look." ["unnamed_0=one({\"p\":\"ä\"})", "f2=two({})"] Tools in 100 cached 60 written 0 out 9
    [{"text":"Hm.","thought":true},{"text":"I look."},{"functionCall":{"args":{"p":"ä"},"name":"one"},"thoughtSignature":"c2ln"},{"functionCall":{"id":"f2","name":"two"}},{"brandNew":{}},{"text":"","thoughtSignature":"ZW5k"}]
    "#);
}

#[test]
fn reasons_to_stop() {
    let stop = |reason: &str| told(&[&format!(r#"{{"candidates":[{{"finishReason":"{reason}"}}]}}"#)]);
    insta::assert_snapshot!(stop("MAX_TOKENS"), @r#"
    Whole "" "" [] Length uncounted
    []
    "#);
    insta::assert_snapshot!(stop("SAFETY"), @r#"
    Whole "" "" [] Refused uncounted
    []
    "#);
    insta::assert_snapshot!(stop("MALFORMED_FUNCTION_CALL"), @r#"
    Whole "" "" [] Other("MALFORMED_FUNCTION_CALL") uncounted
    []
    "#);
    insta::assert_snapshot!(told(&[r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7}}"#]), @r#"
    Over "" "" [] Refused in 7 cached 0 written 0 out 0
    []
    "#);
    insta::assert_snapshot!(told(&[&chunk(r#"{"text":"cut"}"#)]), @"Open, cut");
    insta::assert_snapshot!(told(&[&chunk(r#"{"text":"cut"}"#), "[DONE]"]), @"Over, cut");
}

#[test]
fn what_is_no_answer() {
    let error = r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    insta::assert_snapshot!(told(&[&chunk(r#"{"text":"x"}"#), error]), @r#"Upstream(ErrorBody { message: "The model is overloaded.", words: ["503", "UNAVAILABLE"], status: Some(503), wait: None })"#);
    insta::assert_snapshot!(told(&["hello"]), @r#"Garbled("an event that is not the JSON of this format")"#);
    insta::assert_snapshot!(document(&format!("[{error}]")), @r#"Upstream(ErrorBody { message: "The model is overloaded.", words: ["503", "UNAVAILABLE"], status: Some(503), wait: None })"#);
    insta::assert_snapshot!(document("[]"), @r#"NoAnswer("JSON without a finished candidate")"#);
    insta::assert_snapshot!(document(r#"{"candidates":[]}"#), @r#"NoAnswer("JSON without a finished candidate")"#);
}

#[test]
fn whole_documents() {
    insta::assert_snapshot!(document(&format!(" [{},\n{STOP}]", chunk(r#"{"text":"Hi"}"#))), @r#"
    Over "" "Hi" [] End uncounted
    [{"text":"Hi"}]
    "#);
    insta::assert_snapshot!(document(STOP), @r#"
    Over "" "" [] End uncounted
    []
    "#);
}

#[test]
fn answers_are_bounded() {
    let text = chunk(&format!(r#"{{"text":"{}"}}"#, "x".repeat(1 << 20)));
    insta::assert_snapshot!(told(&[text.as_str(); 5]), @r#"TooLong("more than 4 MiB of text and arguments")"#);
    let call = chunk(r#"{"functionCall":{"name":"one"}}"#);
    insta::assert_snapshot!(told(&[call.as_str(); 2000]), @r#"TooLong("more than 1,024 tool calls or blocks")"#);
}
