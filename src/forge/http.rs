//! Requests to a forge. The token goes to the one origin that it was configured for; nothing is followed elsewhere;
//! what comes back is bounded. A small client of our own instead of the forges' crates, because every redirect, origin,
//! retry and bound has to be under our control (TRUST 5).
//!
//! It never repeats a write of which it is open whether it happened (that one ends as [`ForgeError::Unavailable`]), and
//! never knows what an answer means for a review.

use super::ForgeError;
use super::call::{Answer, Call, Explain, Refusal};
use super::locate::MINUTE;
use crate::http::wait::{asked_wait, backoff};
use crate::http::words::{one_line, shorten};
use crate::http::{self, Origin, Secret};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, LINK};
use reqwest::{Client, Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Attempts of one request.
const ATTEMPTS: u32 = 4;
/// The first wait where the forge names none.
const BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that a forge may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long one attempt may take, its body included.
const ATTEMPT_TIME: Duration = Duration::from_secs(60);
/// The most bytes of an error's body that are read.
const MAX_ERROR: usize = 64 << 10;
/// How long an error's body is waited for.
const ERROR_TIME: Duration = Duration::from_secs(5);
/// Entries of a page.
const PAGE: usize = 100;
/// The most bytes of all pages of a list.
const MAX_LIST: usize = 256 << 20;

/// One forge's API with its token.
pub(crate) struct Api {
    client: Client,
    base: Url,
    origin: Origin,
    headers: HeaderMap,
    secret: Option<Secret>,
    explain: Explain,
    minute: Duration,
}

impl Api {
    /// The API at `base` (its path ends where requests' paths begin). `header` carries `token`, `prefix` before it;
    /// `explain` says in the forge's words what a refusal lacks.
    pub(crate) fn new(base: &Url, token: Option<(&'static str, &str, Secret)>, accept: &'static str, explain: Explain) -> Result<Self, ForgeError> {
        let origin = Origin::of(base).map_err(|e| ForgeError::Refused(format!("the forge's URL {e}")))?;
        let client = http::client(base).map_err(|e| ForgeError::Unavailable(e.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let mut secret = None;
        if let Some((name, prefix, token)) = token.filter(|(_, _, token)| !token.is_empty()) {
            let mut value = HeaderValue::from_str(&format!("{prefix}{}", token.expose()))
                .map_err(|_| ForgeError::Unauthorised("the token holds a line end or another character that no token has".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
            secret = Some(token);
        }
        let mut base = base.clone();
        let path = format!("{}/", base.path().trim_end_matches('/'));
        base.set_path(&path);
        Ok(Self { client, base, origin, headers, secret, explain, minute: MINUTE })
    }

    /// How long a minute is, where a limit asks to wait for one; tests take less.
    pub(crate) fn with_minute(mut self, minute: Duration) -> Self {
        self.minute = minute;
        self
    }

    /// Sends a call and returns its answer, whose status is 2xx.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, ForgeError> {
        self.send_to(self.url(&call)?, &call).await
    }

    /// Sends a call whose answer is JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ForgeError> {
        let what = call.what;
        let answer = self.send(call).await?;
        parse(&answer.body, what)
    }

    /// All entries of a list, page by page as the `Link` header leads, at most `most` of them and 256 MiB.
    pub(crate) async fn list<T: DeserializeOwned>(&self, call: Call<'_>, most: usize) -> Result<Vec<T>, ForgeError> {
        let call = call.query("per_page", PAGE);
        let mut url = self.url(&call)?;
        let (mut entries, mut bytes): (Vec<T>, usize) = (Vec::new(), 0);
        for _ in 0..=most.div_ceil(PAGE) {
            let answer = self.send_to(url.clone(), &call).await?;
            bytes += answer.body.len();
            let page: Vec<T> = parse(&answer.body, call.what)?;
            let empty = page.is_empty();
            entries.extend(page);
            if entries.len() > most {
                return Err(ForgeError::Unexpected(format!("more than {most} entries (to {})", call.what)));
            }
            if bytes > MAX_LIST {
                return Err(ForgeError::Unexpected(format!("more than {MAX_LIST} bytes (to {})", call.what)));
            }
            let Some(next) = next_page(&answer.headers) else { return Ok(entries) };
            let next = url.join(&next).map_err(|_| ForgeError::Unexpected("a next page without a readable address".to_owned()))?;
            if !self.origin.covers(&next) || !next.path().starts_with(self.base.path()) {
                return Err(ForgeError::Unexpected("the next page lies outside of the forge's API (is its external URL configured?)".to_owned()));
            }
            if empty || next == url {
                return Err(ForgeError::Unexpected(format!("pages without end (to {})", call.what)));
            }
            url = next;
        }
        Err(ForgeError::Unexpected(format!("more pages than {most} entries can have (to {})", call.what)))
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// A forge's words, fit for an error: one clean line, the token masked, at most 300 characters.
    pub(crate) fn quote(&self, text: &str) -> String {
        let line = one_line(text);
        shorten(self.secret.as_ref().map_or(line.clone(), |secret| secret.mask(&line)), 300)
    }

    fn url(&self, call: &Call<'_>) -> Result<Url, ForgeError> {
        let mut url = self.base.join(&call.path).map_err(|_| ForgeError::Refused("a request's path is not readable".to_owned()))?;
        if !self.origin.covers(&url) {
            return Err(ForgeError::Refused("the token belongs to another origin".to_owned()));
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query.iter());
        }
        Ok(url)
    }

    async fn send_to(&self, url: Url, call: &Call<'_>) -> Result<Answer, ForgeError> {
        let mut attempt = 1;
        loop {
            let (error, wait) = match self.attempt(url.clone(), call).await {
                Ok(answer) => return Ok(answer),
                Err(Failed { error, retry: None }) => return Err(error),
                Err(Failed { error, retry: Some(wait) }) => (error, wait),
            };
            if attempt >= ATTEMPTS {
                return Err(error);
            }
            let wait = wait.unwrap_or_else(|| backoff(BACKOFF, attempt));
            if wait > LONGEST_WAIT {
                return Err(ForgeError::RateLimited(wait));
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, url: Url, call: &Call<'_>) -> Result<Answer, Failed> {
        let mut headers = self.headers.clone();
        if let Some(accept) = call.accept {
            // In the place of the usual one: of two kinds the server would choose.
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        let mut request = self.client.request(call.method.clone(), url).headers(headers).timeout(ATTEMPT_TIME);
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let again = if call.repeatable() { Some(None) } else { None };
        let broken = |why: String, retry| Failed { error: ForgeError::Unavailable(self.quote(&format!("{} ({})", why, call.what))), retry };
        let response = match request.send().await {
            Ok(response) => response,
            // Nothing was sent yet, so anything may be tried again.
            Err(e) if e.is_connect() => return Err(broken(http::explained(&e), Some(None))),
            Err(e) => return Err(broken(http::reason(&e), again)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            let body = http::read(response, call.max).await.map_err(|e| match e {
                http::BodyError::TooLong(_) => Failed::end(ForgeError::Unexpected(format!("the answer {e} (to {})", call.what))),
                http::BodyError::Broken(_) => broken(format!("the answer {e}"), again),
            })?;
            return Ok(Answer { headers, body });
        }
        let body = http::read_start(response, MAX_ERROR, ERROR_TIME).await;
        Err(self.refused(status, &headers, &body, call))
    }

    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], call: &Call<'_>) -> Failed {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let words = self.quote(&words(&json).unwrap_or_default());
        let told = if words.is_empty() { format!("{status} to {}", call.what) } else { format!("{words} ({}, to {})", status.as_u16(), call.what) };
        let in_words = status == StatusCode::FORBIDDEN && is_limit(&words);
        let limited = in_words || status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::FORBIDDEN && is_limited(headers));
        if limited {
            let asked = asked_wait(headers, SystemTime::now());
            // Another limit's reset says nothing of this one while some of that is left.
            let wait = asked.or_else(|| if in_words && !is_limited(headers) { Some(self.minute) } else { until_reset(headers) });
            return Failed { error: ForgeError::RateLimited(wait.unwrap_or_default()), retry: Some(wait) };
        }
        if status.is_server_error() {
            let retry = call.repeatable().then(|| asked_wait(headers, SystemTime::now()));
            return Failed { error: ForgeError::Unavailable(told), retry };
        }
        let refusal = Refusal { status: status.as_u16(), body: &json, headers, call, has_token: self.secret.is_some() };
        let told = match (self.explain)(&refusal) {
            Some(why) => format!("{told}: {}", self.quote(&why)),
            None => told,
        };
        Failed::end(match status.as_u16() {
            300..=399 => ForgeError::Unexpected(format!("{told}: it redirects, which is not followed; give the URL of where it lives now")),
            401 => ForgeError::Unauthorised(told),
            403 => ForgeError::Forbidden(told),
            404 | 410 => ForgeError::Missing(told),
            409 => ForgeError::Conflict(told),
            _ => ForgeError::Refused(told),
        })
    }
}

/// An attempt that gave no answer; `retry`: whether there may be another, and the wait that was asked for.
struct Failed {
    error: ForgeError,
    retry: Option<Option<Duration>>,
}

impl Failed {
    fn end(error: ForgeError) -> Self {
        Self { error, retry: None }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, ForgeError> {
    // The error of serde_json holds a position and types, nothing of the text but names of fields that we ask for.
    serde_json::from_slice(body).map_err(|e| ForgeError::Unexpected(format!("{} (to {what})", shorten(one_line(&e.to_string()), 200))))
}

/// What an error's body says, whichever of the usual fields it uses.
fn words(json: &Value) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) | Value::Array(_) => Some(value.to_string()),
        _ => None,
    };
    let parts: Vec<String> = ["message", "error", "error_description", "errors"].iter().filter_map(|key| text(json.get(key)?)).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// A 403 that stands for a 429.
fn is_limited(headers: &HeaderMap) -> bool {
    headers.contains_key("retry-after") || headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0")
}

/// Whether a 403's words say so: limits on bursts of writes come without a header that tells.
fn is_limit(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["rate limit", "abuse detection"].iter().any(|limit| words.contains(limit))
}

/// The time until the limit is lifted, from `ratelimit-reset` or `x-ratelimit-reset` (seconds since 1970).
fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("ratelimit-reset").or_else(|| headers.get("x-ratelimit-reset"))?;
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(value.to_str().ok()?.trim().parse().ok()?))?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The address after `rel="next"`.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(LINK).iter().filter_map(|v| v.to_str().ok());
    links.flat_map(|v| v.split(',')).find_map(|link| {
        let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = rest.split(';').any(|p| matches!(p.trim(), r#"rel="next""# | "rel=next"));
        is_next.then(|| address.to_owned())
    })
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base.as_str()).field("token", &self.secret).finish_non_exhaustive()
    }
}

/// Methods after which nothing is different when they come twice.
pub(super) fn is_safe_twice(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE)
}
