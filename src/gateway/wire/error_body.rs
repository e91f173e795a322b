//! The body of an error, whichever provider or gateway wrote it: gateways mix the shapes, so one reader knows all.

use crate::http::wait::seconds;
use serde_json::Value;
use std::time::Duration;

/// What an error says, in its own words: not cleaned, perhaps empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ErrorBody {
    /// The message.
    pub(crate) message: String,
    /// All short words that tell its kind: type, code, status, reasons.
    pub(crate) words: Vec<String>,
    /// A code that is an HTTP status.
    pub(crate) status: Option<u16>,
    /// How long it asks to wait (Google's `RetryInfo`).
    pub(crate) wait: Option<Duration>,
}

impl ErrorBody {
    /// An error that says nothing.
    pub(crate) const EMPTY: Self = Self { message: String::new(), words: Vec::new(), status: None, wait: None };

    /// Reads a body; `None` where it is not JSON or tells no error.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        Self::of(&serde_json::from_slice(text).ok()?)
    }

    /// Whether one of its words is `word`.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.words.iter().any(|w| w.eq_ignore_ascii_case(word))
    }

    fn of(body: &Value) -> Option<Self> {
        let body = match body {
            // Google writes an array of one, at times.
            Value::Array(items) => items.first()?,
            other => other,
        };
        let mut error = Self::default();
        match &body["error"] {
            Value::Object(_) => error.read(&body["error"]),
            Value::String(message) => {
                error.message = message.clone();
                error.read(body);
            }
            // Flat shapes: OpenAI responses' `error` event, Cloudflare's `errors`, FastAPI's `detail`.
            _ if body["type"] == "error" || body["object"] == "error" => error.read(body),
            _ => match (&body["errors"], &body["detail"]) {
                (Value::Array(errors), _) if !errors.is_empty() => error.read(&errors[0]),
                (_, detail @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => {
                    error.message = detail.as_str().map_or_else(|| detail.to_string(), str::to_owned);
                }
                _ => return None,
            },
        }
        Some(error)
    }

    fn read(&mut self, error: &Value) {
        if let Some(message) = error["message"].as_str() {
            self.message = message.to_owned();
        }
        for word in [&error["type"], &error["code"], &error["status"], &error["details"]["error_code"]] {
            self.word(word);
        }
        for detail in error["details"].as_array().into_iter().flatten().take(16) {
            self.word(&detail["reason"]);
            for violation in detail["violations"].as_array().into_iter().flatten().take(16) {
                self.word(&violation["quotaId"]);
            }
            let delay = detail["retryDelay"].as_str().and_then(|delay| delay.strip_suffix('s'));
            self.wait = self.wait.or(delay.and_then(|delay| seconds(delay, 1.0)));
        }
    }

    fn word(&mut self, value: &Value) {
        let word = match value {
            Value::String(word) => word.clone(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        self.status = self.status.or(word.parse().ok().filter(|code| (400..600).contains(code)));
        self.words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> String {
        match ErrorBody::parse(body.as_bytes()) {
            None => "none".into(),
            Some(e) => format!("{:?} {:?} {:?} {:?}", e.message, e.words, e.status, e.wait),
        }
    }

    #[test]
    fn errors_of_all_shapes() {
        insta::assert_snapshot!(told(r#"{"error":{"message":"m","type":"t","param":null,"code":"c"}}"#), @r#""m" ["t", "c"] None None"#);
        insta::assert_snapshot!(told(r#"{"error":{"message":"m","type":null,"code":"429"}}"#), @r#""m" ["429"] Some(429) None"#);
        insta::assert_snapshot!(told(r#"{"error":{"message":"m","code":402}}"#), @r#""m" ["402"] Some(402) None"#);
        insta::assert_snapshot!(told(r#"{"type":"error","error":{"type":"overloaded_error","message":"m","details":{"error_code":"x"}}}"#), @r#""m" ["overloaded_error", "x"] None None"#);
        insta::assert_snapshot!(told(r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"45.83s"},{"violations":[{"quotaId":"PerDay"}]}]}}]"#), @r#""m" ["429", "RESOURCE_EXHAUSTED", "PerDay"] Some(429) Some(45.83s)"#);
        insta::assert_snapshot!(told(r#"{"type":"error","code":"server_error","message":"m"}"#), @r#""m" ["error", "server_error"] None None"#);
        insta::assert_snapshot!(told(r#"{"error":"m","code":500}"#), @r#""m" ["500"] Some(500) None"#);
        insta::assert_snapshot!(told(r#"{"success":false,"errors":[{"code":10000,"message":"m"}]}"#), @r#""m" ["10000"] None None"#);
        insta::assert_snapshot!(told(r#"{"detail":"m"}"#), @r#""m" [] None None"#);
        insta::assert_snapshot!(told(r#"{"error":null,"choices":[]}"#), @"none");
        insta::assert_snapshot!(told(r#"{"errors":[],"id":1}"#), @"none");
        insta::assert_snapshot!(told("<html>"), @"none");
        insta::assert_snapshot!(told("[]"), @"none");
        insta::assert_snapshot!(told("7"), @"none");
    }
}
