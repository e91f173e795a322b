//! How a call to a gateway fails, told to people. Never holds a token, a control character or a long body.

pub(crate) use crate::http::words::{one_line, shorten};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of failure it is: what decides whether to wait, to change the request, or to tell the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The key is missing, wrong, or not allowed to do this.
    Auth,
    /// The path or the model does not exist.
    NotFound,
    /// The request is longer than the model or the gateway takes: only a smaller one can succeed.
    TooLarge,
    /// The gateway does not accept the request.
    BadRequest,
    /// Too many requests for now.
    RateLimited,
    /// Credit or budget at the provider is spent: waiting does not help.
    Quota,
    /// The gateway or the provider is down or overloaded.
    Unavailable,
    /// The connection failed before an answer began.
    Network,
    /// No byte came in time, or the caller's time was over.
    Timeout,
    /// The answer broke off or was garbled.
    Stream,
    /// What answered does not speak this wire format, or an answer exceeds the bounds.
    Protocol,
    /// A guardrail refused the request.
    Refused,
    /// Our own cap on tokens or dollars.
    Budget,
    /// The run was cancelled.
    Cancelled,
    /// A recording is played that has no such request.
    NotRecorded,
}

impl ErrorKind {
    /// Whether the same request can succeed a little later.
    pub(crate) fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Network | Self::Stream)
    }

    /// It in a word, for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::BadRequest => "bad_request",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::Unavailable => "unavailable",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Stream => "stream",
            Self::Protocol => "protocol",
            Self::Refused => "refused",
            Self::Budget => "budget",
            Self::Cancelled => "cancelled",
            Self::NotRecorded => "not_recorded",
        }
    }

    /// What a person can do about it; empty where the message says all.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            Self::Auth => "Check the gateway's token and what it is allowed to use.",
            Self::NotFound => "Check the model's name, the gateway's URL and its preset.",
            Self::TooLarge => "Use a model with a larger context, or lower `limits.context_tokens`.",
            Self::BadRequest => "Check that the model takes tools and that the preset is this gateway's.",
            Self::RateLimited => "Lower `limits.parallel`, or raise the rate limit.",
            Self::Quota => "Add credit or raise the budget at the provider.",
            Self::Unavailable | Self::Stream => "The gateway or its provider has trouble: run again later.",
            Self::Network => "Check the gateway's URL, the proxy, the certificates (SSL_CERT_FILE) and that it is up.",
            Self::Protocol => "Check the gateway's URL and preset.",
            Self::Refused => "The provider's policy or a guardrail of the gateway stands against it.",
            Self::NotRecorded => "Record this run anew.",
            Self::Timeout | Self::Budget | Self::Cancelled => "",
        }
    }
}

/// A failed call. `Display` tells cause and fix in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// The cause in one line, cleaned: at most 300 characters of it are the gateway's own words.
    pub message: String,
}

impl GatewayError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, message: message.into() }
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fix = self.kind.fix();
        let stop = if self.message.ends_with(['.', '!', '?']) { "" } else { "." };
        match fix {
            "" => write!(f, "{}", self.message),
            _ => write!(f, "{}{stop} {fix}", self.message),
        }
    }
}

impl std::error::Error for GatewayError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_tells_cause_and_fix() {
        let error = GatewayError { kind: ErrorKind::Auth, status: Some(401), message: "gw answered 401: no".into() };
        insta::assert_snapshot!(error, @"gw answered 401: no. Check the gateway's token and what it is allowed to use.");
        insta::assert_snapshot!(GatewayError::new(ErrorKind::Cancelled, "the run was cancelled"), @"the run was cancelled");
    }
}
