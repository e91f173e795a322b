//! What a failed attempt means: its kind, whether another attempt makes sense, and the wait that was asked for.

use super::endpoint::Endpoint;
use super::error::{ErrorKind, GatewayError};
use super::wire::ErrorBody;
use crate::http::wait::asked_wait;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use std::time::{Duration, SystemTime};

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: GatewayError,
    /// Whether another attempt makes sense.
    pub(crate) retry: bool,
    /// The wait that was asked for.
    pub(crate) wait: Option<Duration>,
    /// No connection came about: other models at this endpoint are as far away.
    pub(crate) unreachable: bool,
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self { retry: error.kind.is_retryable(), wait: None, unreachable: false, error }
    }
}

/// An answer whose status says that it failed.
pub(crate) fn status(endpoint: &Endpoint, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let (host, number) = (endpoint.host(), status.as_u16());
    if status.is_redirection() {
        let to = headers.get(LOCATION).and_then(|l| l.to_str().ok()).map_or(String::new(), |l| format!(" to {}", endpoint.quote(l)));
        let message = format!("{host} answered {number}, a redirect{to}; redirects are never followed, since the key belongs to {host} alone");
        return GatewayError { kind: ErrorKind::Protocol, status: Some(number), message }.into();
    }
    let said = ErrorBody::parse(body);
    let kind = kind_of(number, said.as_ref());
    let name = status.canonical_reason().map_or(String::new(), |reason| format!(" ({reason})"));
    let words = match &said {
        Some(said) => words(endpoint, said),
        None => plain(endpoint, body),
    };
    let message = format!("{host} answered {number}{name}: {words}");
    let told = headers.get("x-should-retry").and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse::<bool>().ok());
    Failure {
        retry: told.unwrap_or(kind.is_retryable()),
        wait: asked_wait(headers, SystemTime::now()).or(said.and_then(|said| said.wait)),
        error: GatewayError { kind, status: Some(number), message },
        unreachable: false,
    }
}

/// An error that came under a status of success: in the stream, or instead of it.
pub(crate) fn in_stream(endpoint: &Endpoint, said: &ErrorBody) -> Failure {
    let number = said.status.or_else(|| STATUS_OF.iter().find(|(word, _)| said.says(word)).map(|(_, number)| *number));
    let kind = match number {
        Some(number) => kind_of(number, Some(said)),
        None if is_quota(said) => ErrorKind::Quota,
        None => kind_of(500, Some(said)),
    };
    let message = format!("{} reported an error in its answer: {}", endpoint.host(), words(endpoint, said));
    Failure { retry: kind.is_retryable(), wait: said.wait, unreachable: false, error: GatewayError { kind, status: number, message } }
}

/// The status that a provider sends with an error of this name. Codes come before types, which say less.
const STATUS_OF: [(&str, u16); 21] = [
    ("invalid_api_key", 401),
    ("model_not_found", 404),
    ("invalid_request_error", 400),
    ("invalid_argument", 400),
    ("invalid_prompt", 400),
    ("failed_precondition", 400),
    ("authentication_error", 401),
    ("unauthenticated", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("permission_denied", 403),
    ("not_found_error", 404),
    ("not_found", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("rate_limit_exceeded", 429),
    ("resource_exhausted", 429),
    ("timeout_error", 504),
    ("overloaded_error", 529),
    ("unavailable", 503),
    ("content_filter", 446),
];

fn kind_of(status: u16, said: Option<&ErrorBody>) -> ErrorKind {
    let said = said.unwrap_or(const { &ErrorBody::EMPTY });
    let client_error = (400..500).contains(&status);
    match status {
        _ if client_error && is_quota(said) => ErrorKind::Quota,
        // Some gateways answer a wrong key with 400: Google, and LiteLLM without a database.
        400 if said.says("API_KEY_INVALID") || said.says("no_db_connection") => ErrorKind::Auth,
        // LiteLLM's word for a model that it does not know.
        400 if says_any(&said.message, &["invalid model name"]) => ErrorKind::NotFound,
        400 | 446 if said.says("content_filter") || status == 446 => ErrorKind::Refused,
        400 | 413 | 422 | 500 if is_overflow(said) => ErrorKind::TooLarge,
        401 | 403 | 407 => ErrorKind::Auth,
        // 412 is Portkey's spent budget.
        402 | 412 => ErrorKind::Quota,
        404 => ErrorKind::NotFound,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        408 | 409 | 500.. => ErrorKind::Unavailable,
        _ => ErrorKind::BadRequest,
    }
}

/// Limits of money or days, which no wait within a run cures.
fn is_quota(said: &ErrorBody) -> bool {
    const ENDS: [&str; 8] = [
        "insufficient_quota",
        "credit_balance_exhausted",
        "spend_limit_exceeded",
        "spend_limit_reached",
        "usage_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_error",
        "budget_exceeded",
    ];
    let by_word = said.words.iter().any(|word| {
        let word = word.to_ascii_lowercase();
        ENDS.iter().any(|end| word.ends_with(end)) || word.contains("perday")
    });
    by_word || says_any(&said.message, &["credit balance is too low", "budget has been exceeded"])
}

/// The request is longer than the model takes.
fn is_overflow(said: &ErrorBody) -> bool {
    said.says("context_length_exceeded")
        || says_any(
            &said.message,
            &[
                "exceed context limit",
                "context_length_exceeded",
                "maximum context length",
                "context window",
                "prompt is too long",
                "input token count",
            ],
        )
}

fn says_any(message: &str, phrases: &[&str]) -> bool {
    let message = message.to_ascii_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

fn words(endpoint: &Endpoint, said: &ErrorBody) -> String {
    match endpoint.quote(&said.message) {
        message if !message.is_empty() => message,
        _ => match endpoint.quote(&said.words.join(", ")) {
            words if !words.is_empty() => words,
            _ => "it gave no reason".into(),
        },
    }
}

/// A body that is no JSON error.
fn plain(endpoint: &Endpoint, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.trim_start() {
        "" => "an empty body".into(),
        html if html.starts_with('<') => "an HTML page, so a proxy or another server answered".into(),
        text => endpoint.quote(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::preset::Preset;
    use super::*;
    use crate::http::Secret;

    fn told(status_code: u16, body: &str) -> String {
        let endpoint = Endpoint::new("https://gw.example/v1", Preset::OpenAi, None, Some(Secret::new("sk-very-secret")));
        let code = StatusCode::from_u16(status_code).expect("a status");
        let failure = status(&endpoint.expect("valid"), code, &HeaderMap::new(), body.as_bytes());
        format!("{:?} retry={} {:?} {}", failure.error.kind, failure.retry, failure.wait, failure.error.message)
    }

    #[test]
    fn statuses_and_bodies() {
        insta::assert_snapshot!(told(401, r#"{"error":{"message":"Incorrect API key provided: sk-very-secret."}}"#), @"Auth retry=false None gw.example answered 401 (Unauthorized): Incorrect API key provided: [secret].");
        insta::assert_snapshot!(told(400, r#"{"error":{"message":"No connected db.","type":"no_db_connection","code":"400"}}"#), @"Auth retry=false None gw.example answered 400 (Bad Request): No connected db.");
        insta::assert_snapshot!(told(400, r#"{"error":{"code":400,"message":"bad key","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#), @"Auth retry=false None gw.example answered 400 (Bad Request): bad key");
        insta::assert_snapshot!(told(400, r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#), @"TooLarge retry=false None gw.example answered 400 (Bad Request): too long");
        insta::assert_snapshot!(told(400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 1 + 2 > 2"}}"#), @"TooLarge retry=false None gw.example answered 400 (Bad Request): input length and `max_tokens` exceed context limit: 1 + 2 > 2");
        insta::assert_snapshot!(told(400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#), @"Quota retry=false None gw.example answered 400 (Bad Request): Your credit balance is too low");
        insta::assert_snapshot!(told(429, r#"{"error":{"message":"quota","type":"insufficient_quota"}}"#), @"Quota retry=false None gw.example answered 429 (Too Many Requests): quota");
        insta::assert_snapshot!(told(429, r#"{"error":{"message":"x","code":"org_spend_limit_exceeded"}}"#), @"Quota retry=false None gw.example answered 429 (Too Many Requests): x");
        insta::assert_snapshot!(told(429, r#"{"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"45.83s"}]}}"#), @"RateLimited retry=true Some(45.83s) gw.example answered 429 (Too Many Requests): later");
        insta::assert_snapshot!(told(429, r#"{"error":{"code":429,"message":"no","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}]}}"#), @"Quota retry=false None gw.example answered 429 (Too Many Requests): no");
        insta::assert_snapshot!(told(404, r#"{"detail":"Not Found"}"#), @"NotFound retry=false None gw.example answered 404 (Not Found): Not Found");
        insta::assert_snapshot!(told(400, r#"{"error":{"message":"/responses: Invalid model name passed in model=x.","type":"None","code":"400"}}"#), @"NotFound retry=false None gw.example answered 400 (Bad Request): /responses: Invalid model name passed in model=x.");
        insta::assert_snapshot!(told(413, ""), @"TooLarge retry=false None gw.example answered 413 (Payload Too Large): an empty body");
        insta::assert_snapshot!(told(529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#), @"Unavailable retry=true None gw.example answered 529: Overloaded");
        insta::assert_snapshot!(told(502, "<html><title>Bad gateway</title>"), @"Unavailable retry=true None gw.example answered 502 (Bad Gateway): an HTML page, so a proxy or another server answered");
        insta::assert_snapshot!(told(503, "upstream\r\n\u{1b}[31mconnect error"), @"Unavailable retry=true None gw.example answered 503 (Service Unavailable): upstream [31mconnect error");
        insta::assert_snapshot!(told(446, r#"{"error":{"message":"guardrail"}}"#), @"Refused retry=false None gw.example answered 446: guardrail");
        insta::assert_snapshot!(told(418, r#"{"error":{}}"#), @"BadRequest retry=false None gw.example answered 418 (I'm a teapot): it gave no reason");
        assert!(told(500, &"x".repeat(100_000)).chars().count() < 420);
    }
}
