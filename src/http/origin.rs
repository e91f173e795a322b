//! Origins: scheme, host and port, compared after parsing. A token goes to its own origin only (TRUST 5).

use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// Scheme, host and port of a URL that may be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Why a URL may not be spoken to. `Display` completes "the URL …" and repeats nothing of the URL but its host and scheme:
/// what is no URL may be a key in the wrong variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It cannot be parsed.
    #[error("is not a URL ({0})")]
    NoUrl(String),
    /// It names no host.
    #[error("has no host")]
    NoHost,
    /// A user or a password stands in it.
    #[error("for {0} holds a user or a password")]
    Credentials(String),
    /// What follows `#` reaches no server.
    #[error("for {0} has a fragment (`#`)")]
    Fragment(String),
    /// http to another machine.
    #[error("for {0} is plain http, which would send everything in the clear; that is for this machine only")]
    Clear(String),
    /// Neither https nor http.
    #[error("has the scheme `{0}`, not https")]
    Scheme(String),
}

impl Origin {
    /// The origin of a URL; fails where [`parse`] would refuse it.
    pub fn of(url: &Url) -> Result<Self, Refused> {
        check(url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        // Both schemes that `check` lets pass have a port of their own.
        Ok(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default().unwrap_or(443) })
    }

    /// Whether a URL lies there.
    pub fn covers(&self, url: &Url) -> bool {
        Self::of(url).is_ok_and(|origin| origin == *self)
    }

    /// Host and port as people write them; the port only where it is not the scheme's own.
    pub fn host(&self) -> String {
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether it is spoken to without TLS, which only this machine is.
    pub fn is_plain(&self) -> bool {
        self.scheme == "http"
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host())
    }
}

/// Parses a URL that may be spoken to: https, or http to this machine; no user, no password, no fragment. Whether it may
/// have a query is the caller's matter.
pub fn parse(text: &str) -> Result<Url, Refused> {
    let url = Url::parse(text.trim()).map_err(|error| Refused::NoUrl(error.to_string()))?;
    check(&url)?;
    Ok(url)
}

fn check(url: &Url) -> Result<(), Refused> {
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else { return Err(Refused::NoHost) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Credentials(host.to_owned()));
    }
    if url.fragment().is_some() {
        return Err(Refused::Fragment(host.to_owned()));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err(Refused::Clear(host.to_owned())),
        scheme => Err(Refused::Scheme(scheme.to_owned())),
    }
}

/// Whether a URL's host is this machine, by its address or the name `localhost`.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(&parse(text).expect(text)).expect(text)
    }

    #[test]
    fn are_compared_after_parsing() {
        assert_eq!(origin("https://Host.example/a?b=c"), origin("https://host.example:443/"));
        assert_eq!(origin("http://127.0.0.1:80"), origin("http://127.1/"));
        let forge = origin("https://forge.example");
        assert!(forge.covers(&Url::parse("https://forge.example/api").expect("a URL")));
        for other in [
            "https://forge.example:8443/",
            "https://forge.example.evil.example/",
            "https://forge.example@evil.example/",
            "https://evil.example/forge.example",
            "https://user@forge.example/",
            "http://forge.example/",
            "ftp://forge.example/",
            "data:forge.example",
        ] {
            assert!(!forge.covers(&Url::parse(other).expect(other)), "{other}");
        }
        let shown: Vec<String> = ["https://h/x", "https://h:8443", "http://[::1]:9"].map(|text| origin(text).to_string()).to_vec();
        assert_eq!(shown, ["https://h", "https://h:8443", "http://[::1]:9"]);
        assert!(origin("http://localhost:1").is_loopback() && origin("http://localhost:1").is_plain());
        assert!(!origin("https://localhost").is_plain() && !origin("https://h").is_loopback());
    }

    #[test]
    fn what_may_not_be_spoken_to_is_told_without_repeating_it() {
        let told: Vec<String> = [
            "",
            "sk-secret",
            "sk-secret:v1",
            "https://",
            "https://u:hunter2@h/",
            "https://hunter2@h/",
            "https://h/#hunter2",
            "http://h/hunter2",
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
            "ftp://h/hunter2",
        ]
        .iter()
        .map(|text| parse(text).expect_err(text).to_string())
        .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        is not a URL (relative URL without a base)
        is not a URL (relative URL without a base)
        has no host
        is not a URL (empty host)
        for h holds a user or a password
        for h holds a user or a password
        for h has a fragment (`#`)
        for h is plain http, which would send everything in the clear; that is for this machine only
        for 127.0.0.1.evil.example is plain http, which would send everything in the clear; that is for this machine only
        for evil.example holds a user or a password
        has the scheme `ftp`, not https
        ");
    }
}
