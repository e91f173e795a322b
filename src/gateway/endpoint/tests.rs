//! URLs, keys and headers of endpoints.

use super::*;
use crate::gateway::types::{AssistantTurn, Raw, ToolCall};
use crate::gateway::wire::fixtures::reviewer_request;

fn endpoint(url: &str, preset: Preset, wire: Option<WireKind>) -> Endpoint {
    Endpoint::new(url, preset, wire, Some(Secret::new("sk-very-secret\n"))).expect(url)
}

#[test]
fn urls_are_completed() {
    use Preset::*;
    let target = |url, preset, wire| endpoint(url, preset, wire).target("m").to_string();
    insta::assert_snapshot!(target("https://h/v1", OpenAi, None), @"https://h/v1/chat/completions");
    insta::assert_snapshot!(target("https://h/v1/", OpenAi, None), @"https://h/v1/chat/completions");
    insta::assert_snapshot!(target("https://h", OpenAi, None), @"https://h/chat/completions");
    insta::assert_snapshot!(target("https://h/v1/chat/completions", OpenAi, None), @"https://h/v1/chat/completions");
    insta::assert_snapshot!(target("https://h/v1", OpenAi, Some(WireKind::Messages)), @"https://h/v1/messages");
    insta::assert_snapshot!(target("https://h", Anthropic, None), @"https://h/v1/messages");
    insta::assert_snapshot!(target("https://h/v1/", Anthropic, None), @"https://h/v1/messages");
    insta::assert_snapshot!(target("https://h/a/v1/messages", Anthropic, None), @"https://h/a/v1/messages");
    insta::assert_snapshot!(target("https://h/proxy", Anthropic, Some(WireKind::Chat)), @"https://h/proxy/v1/chat/completions");
}

#[test]
fn urls_of_every_preset_and_format() {
    use Preset::*;
    use WireKind::*;
    for (preset, url, wire, target) in [
        (LiteLlm, "https://h", Chat, "https://h/v1/chat/completions"),
        (LiteLlm, "https://h/llm/v1/", Messages, "https://h/llm/v1/messages"),
        (LiteLlm, "https://h/v1", Responses, "https://h/v1/responses"),
        (LiteLlm, "https://h/v1", GenerateContent, "https://h/v1beta/models/m-1:streamGenerateContent?alt=sse"),
        (OpenRouter, "https://openrouter.ai", Chat, "https://openrouter.ai/api/v1/chat/completions"),
        (OpenRouter, "https://openrouter.ai/api/v1", Messages, "https://openrouter.ai/api/v1/messages"),
        (Portkey, "https://api.portkey.ai", Chat, "https://api.portkey.ai/v1/chat/completions"),
        (Portkey, "https://api.portkey.ai/v1", Responses, "https://api.portkey.ai/v1/responses"),
        (Google, "https://h", GenerateContent, "https://h/v1beta/models/m-1:streamGenerateContent?alt=sse"),
        (Google, "https://h/v1beta/", GenerateContent, "https://h/v1beta/models/m-1:streamGenerateContent?alt=sse"),
        (Google, "https://h/v1", Chat, "https://h/v1beta/openai/chat/completions"),
        (OpenAi, "https://h/v1beta", GenerateContent, "https://h/v1beta/models/m-1:streamGenerateContent?alt=sse"),
        (Cloudflare, "https://h/v1/acc/gw", Chat, "https://h/v1/acc/gw/compat/chat/completions"),
        (Cloudflare, "https://h/v1/acc/gw/", Responses, "https://h/v1/acc/gw/openai/responses"),
        (Cloudflare, "https://h/v1/acc/gw", Messages, "https://h/v1/acc/gw/anthropic/v1/messages"),
        (Cloudflare, "https://h/v1/acc/gw", GenerateContent, "https://h/v1/acc/gw/google-ai-studio/v1beta/models/m-1:streamGenerateContent?alt=sse"),
        // A provider's path that is given already is meant.
        (Cloudflare, "https://h/v1/acc/gw/openai", Chat, "https://h/v1/acc/gw/openai/chat/completions"),
        (Cloudflare, "https://h/v1/acc/gw/anthropic/", Messages, "https://h/v1/acc/gw/anthropic/v1/messages"),
        (Cloudflare, "https://h/v1/acc/gw/anthropic/v1", Messages, "https://h/v1/acc/gw/anthropic/v1/messages"),
    ] {
        assert_eq!(endpoint(url, preset, Some(wire)).target("m-1").as_str(), target, "{preset:?} {url} {wire:?}");
    }
}

#[test]
fn every_preset_sends_its_key_and_forbids_retention_in_its_own_way() {
    let told = |preset: Preset| {
        let labels = Labels { run: Some("7".into()), project: None, user: None };
        let (headers, _) = endpoint("https://h/v1/a/g", preset, None).with_labels(labels).headers("docs");
        let mut all: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII"))).collect();
        all.sort_unstable();
        all.retain(|line| !line.starts_with("content-type"));
        format!("{}  {}\n", preset.name(), all.join("  "))
    };
    insta::assert_snapshot!(Preset::ALL.map(told).concat(), @r#"
    cloudflare  cf-aig-authorization: Bearer sk-very-secret  cf-aig-collect-log-payload: false  cf-aig-metadata: {"run":"7","reviewer":"docs"}
    litellm  authorization: Bearer sk-very-secret  x-litellm-enable-message-redaction: true  x-litellm-spend-logs-metadata: {"run":"7","reviewer":"docs"}
    openrouter  authorization: Bearer sk-very-secret
    portkey  x-portkey-api-key: sk-very-secret  x-portkey-debug: false  x-portkey-metadata: {"run":"7","reviewer":"docs"}
    openai  authorization: Bearer sk-very-secret
    anthropic  anthropic-version: 2023-06-01  x-api-key: sk-very-secret
    google  x-goog-api-key: sk-very-secret
    "#);
}

#[test]
fn blocks_of_an_answer_go_back_only_to_where_they_came_from() {
    let body = |model: &str, url: &str| {
        let messages = endpoint(url, Preset::Anthropic, None);
        let raw = Raw { blocks: vec![serde_json::json!({"type": "thinking", "signature": "s1g"})], from: messages.origin("claude-9") };
        let said = AssistantTurn { text: "Hm.".into(), calls: Vec::new(), raw: Some(raw) };
        let mut request = reviewer_request("docs");
        (request.model, request.turns) = (model.to_owned(), vec![Turn::Assistant(said)]);
        String::from_utf8(endpoint("https://h", Preset::Anthropic, None).body(&request)).expect("UTF-8")
    };
    assert!(body("claude-9", "https://h").contains("s1g"));
    for foreign in [body("claude-8", "https://h"), body("claude-9", "https://other")] {
        assert!(!foreign.contains("s1g") && foreign.contains("Hm."), "{foreign}");
    }
}

#[test]
fn a_models_name_stays_within_its_place() {
    let target = |model: &str| endpoint("https://h", Preset::Google, None).target(model).to_string();
    insta::assert_snapshot!(target("models/gemini-9"), @"https://h/v1beta/models/gemini-9:streamGenerateContent?alt=sse");
    insta::assert_snapshot!(target("vendor/m"), @"https://h/v1beta/models/vendor/m:streamGenerateContent?alt=sse");
    insta::assert_snapshot!(target("../../admin?x#y/%2e%2e"), @"https://h/v1beta/models/admin%3Fx%23y/%252e%252e:streamGenerateContent?alt=sse");
}

#[test]
fn the_key_is_sent_and_never_shown() {
    let chat = endpoint("https://h/v1", Preset::OpenAi, None);
    assert_eq!(chat.headers("r").0["authorization"], "Bearer sk-very-secret");
    let messages = endpoint("https://h", Preset::Anthropic, None);
    assert_eq!(messages.headers("r").0["x-api-key"], "sk-very-secret");
    assert_eq!(messages.headers("r").0["anthropic-version"], "2023-06-01");
    for shown in [format!("{chat:?}"), format!("{messages:?}"), chat.quote("key sk-very-\u{200b}secret, sk-very-secret")] {
        assert!(!shown.contains("very-secret"), "{shown}");
    }
    for preset in [Preset::Anthropic, Preset::Google] {
        let (headers, _) = endpoint("https://h", preset, Some(WireKind::Chat)).headers("r");
        assert_eq!(headers["authorization"], "Bearer sk-very-secret", "in OpenAI's formats they take the key as OpenAI does");
        assert!(!headers.contains_key("x-api-key") && !headers.contains_key("x-goog-api-key"));
    }
    let none = Endpoint::new("https://h/v1", Preset::OpenAi, None, Some(Secret::new(" "))).expect("valid");
    assert!(!none.headers("r").0.contains_key("authorization"));
}

#[test]
fn headers_are_checked() {
    let with = |name: &str, value: &str| endpoint("https://h/v1", Preset::OpenAi, None).with_headers([(name.to_owned(), Secret::new(value))]);
    assert_eq!(with("X-Team", "a").expect("valid").headers("r").0["x-team"], "a");
    assert_eq!(with("Authorization", "Basic b").expect("valid").headers("r").0["authorization"], "Basic b");
    insta::assert_snapshot!(with("Host", "evil").expect_err("refused"), @"Header `Host` of the gateway is refused: it is set by tribune itself");
    insta::assert_snapshot!(with("a b", "c").expect_err("refused"), @"Header `a b` of the gateway is refused: it is not a header's name");
    insta::assert_snapshot!(with("x", "a\nhost: b").expect_err("refused"), @"Header `x` of the gateway is refused: it holds a line end, a control character or something else that a header cannot carry");
}

#[test]
fn storage_is_switched_off_at_openai_itself() {
    let itself = |url| endpoint(url, Preset::OpenAi, None).is_openai_itself();
    assert!(itself("https://api.openai.com/v1") && itself("https://eu.api.openai.com/v1"));
    assert!(!itself("https://api.openai.com.evil.example/v1") && !itself("https://gateway.example/v1"));
}

#[test]
fn a_key_that_a_gateway_repeats_is_blotted_out() {
    let key = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
    let cloudflare = Endpoint::new("https://h/v1/a/g", Preset::Cloudflare, None, Some(Secret::new("cf-0123456789abcdef"))).expect("valid");
    let headers = [key("Authorization", "Bearer sk-0123456789abcdef"), key("X-Team", "the-payments-team-of-2026"), key("X-Api-Key", "ollama")];
    let cloudflare = cloudflare.with_headers(headers).expect("valid");
    let said = "cf-0123456789abcdef sk-0123456789abcdef the-payments-team-of-2026 ollama";
    // What an error says is masked whole, of an answer only what is surely a key: its quotes are looked up in the code.
    assert_eq!(cloudflare.quote(said), "[secret] [secret] [secret] [secret]");
    let call = ToolCall { id: "c".into(), name: "report_findings".into(), arguments: format!("{{\"title\":\"{said}\"}}") };
    let mut turn = AssistantTurn { text: said.to_owned(), calls: vec![call], raw: None };
    cloudflare.clean(&mut turn);
    assert_eq!(turn.text, "[secret] [secret] the-payments-team-of-2026 ollama");
    assert_eq!(turn.calls[0].arguments, "{\"title\":\"[secret] [secret] the-payments-team-of-2026 ollama\"}");
}
