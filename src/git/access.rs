//! How git reads a repository of a forge: a URL without a user in it, and the token on its own.

use crate::http::Secret;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A repository to fetch from, with the token for it.
#[derive(Debug, Clone)]
pub struct GitAccess {
    url: String,
    header: Option<Secret>,
}

impl GitAccess {
    /// Without a token of ours: what is public, or what the user's own credential helper opens.
    pub fn open(url: impl Into<String>) -> Self {
        Self { url: url.into(), header: None }
    }

    /// With a token, as the forge's git wants it: a user's name that it ignores or demands, the token for a password.
    pub fn with_token(url: impl Into<String>, user: &str, token: &Secret) -> Self {
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", token.expose()));
        Self { url: url.into(), header: Some(Secret::new(format!("Authorization: Basic {pair}"))) }
    }

    /// The repository's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The header that carries the token.
    pub(super) fn header(&self) -> Option<&Secret> {
        self.header.as_ref()
    }
}
