//! How every connection is made: TLS by rustls and ring, roots of trust and proxy as the system and the environment
//! say, and nothing that a server could use to lead a token astray.

use super::origin::{Origin, Refused};
use reqwest::{Client, ClientBuilder, Url};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: shorter than what load balancers allow, so that no request goes out on a
/// connection that they just closed.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Why there is no client. `Display` is one line without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The URL may not be spoken to.
    #[error("the URL {0}")]
    Refused(#[from] Refused),
    /// Roots of trust or the proxy cannot be used.
    #[error("no connection to {host} can be set up: {reason}")]
    SetUp {
        /// The host.
        host: String,
        /// The innermost cause.
        reason: String,
    },
}

/// A client for one origin. Requests to other origins must not go through it: who takes a URL from an answer asks
/// [`Origin::covers`] first. It has no time-out for a whole request; callers set their own.
pub fn client(origin: &Url) -> Result<Client, ClientError> {
    let made = builder(origin)?.build();
    made.map_err(|error| ClientError::SetUp { host: Origin::of(origin).map(|o| o.host()).unwrap_or_default(), reason: reason(&error) })
}

/// What [`client`] builds, for who has to add something (a client certificate).
pub fn builder(origin: &Url) -> Result<ClientBuilder, Refused> {
    let origin = Origin::of(origin)?;
    // Fails only where a provider is installed already, which then serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("tribune/", env!("CARGO_PKG_VERSION")))
        // A token belongs to one origin, and a redirected POST is not what anybody meant.
        .redirect(reqwest::redirect::Policy::none())
        // Attempts are counted by the callers, so nobody else makes any.
        .retry(reqwest::retry::never())
        // Where a request came from is nobody's business.
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(POOL_IDLE);
    if origin.is_loopback() {
        // A proxy would receive the token, and cannot reach this machine's loopback anyway.
        builder = builder.no_proxy();
    }
    Ok(match origin.is_plain() {
        // No roots of trust are read for it: slim images have none.
        true => builder.tls_certs_only([]),
        false => builder.https_only(true),
    })
}

/// The innermost cause of a failure: the outer ones repeat the URL.
pub fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.to_string() {
        _ if cause.is::<reqwest::Error>() => "the connection failed".to_owned(),
        // The words of the platform's verifier, whose error has no type of its own.
        said if said.contains("No CA certificates were loaded") => {
            "no certificate of an authority can be read, neither in the file that SSL_CERT_FILE names nor of the system".to_owned()
        }
        said => said,
    }
}
