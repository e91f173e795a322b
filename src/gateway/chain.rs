//! Chains of models: which link is asked next when one does not answer. It makes no call itself.

use super::error::{ErrorKind, GatewayError, shorten};

/// The most characters of one link's failure in the failure of a whole chain.
const MAX_WHY: usize = 240;

/// A model at an endpoint: one link of a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The model's name as the gateway knows it.
    pub model: String,
    /// The endpoint's name.
    pub endpoint: String,
}

impl Link {
    /// A model at an endpoint.
    pub fn new(model: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self { model: model.into(), endpoint: endpoint.into() }
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.model, self.endpoint)
    }
}

impl ErrorKind {
    /// Whether the next link of the chain is asked: it may have another key, a larger context, another provider. What our
    /// own limits or a guardrail refused is not shopped around.
    pub(crate) fn moves_on(self) -> bool {
        match self {
            Self::Cancelled | Self::Budget | Self::Refused | Self::NotRecorded => false,
            Self::Auth
            | Self::NotFound
            | Self::TooLarge
            | Self::BadRequest
            | Self::RateLimited
            | Self::Quota
            | Self::Unavailable
            | Self::Network
            | Self::Timeout
            | Self::Stream
            | Self::Protocol => true,
        }
    }
}

/// What is said of links that were left, and of the `last`: the failure of the whole chain.
pub(crate) fn spent(left: &[(&Link, GatewayError)], at: &Link, last: GatewayError) -> GatewayError {
    if left.is_empty() {
        return last;
    }
    let why = |error: &GatewayError| shorten(error.message.clone(), MAX_WHY);
    let mut told: Vec<String> = left.iter().map(|(link, error)| format!("{link}: {}", why(error))).collect();
    told.push(format!("{at}: {}", why(&last)));
    GatewayError { message: format!("no model of the chain answered: {}", told.join("; ")), ..last }
}
