//! The organisation's configuration, fetched at the start of a run: over https, with its own token, at most 2 s, bounded,
//! checked as a whole. Where it cannot be had, the last good copy holds; with none, the rules run alone, nothing is posted
//! and the run is inconclusive: merging fails open, the destination of code fails closed.
//!
//! It chooses among endpoints that the operator names and adds none (TRUST 5); its token goes to its own origin only.

mod cache;

use super::checks;
use super::environment::variable;
use super::layer::{Layer, Rank};
use super::settings::{Setting, Settings};
use super::{Env, MAX_CONFIG_BYTES, state_key};
use crate::error::UserError;
use crate::http::{self, Origin, Secret};
use cache::{Cache, Copy};
use reqwest::header::{AUTHORIZATION, ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::{StatusCode, Url};
use std::path::Path;
use std::time::Duration;

/// How long it may take in all: a job must not hang on it.
const TIME: Duration = Duration::from_secs(2);

/// Where the organisation's configuration is.
#[derive(Debug)]
pub struct Source {
    url: Url,
    token: Option<Secret>,
    /// The variable that the token comes from.
    token_env: String,
    cache: Option<Cache>,
}

/// How fetching it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It came.
    Fresh,
    /// The server says that our copy is the current one.
    Unchanged,
    /// It could not be had, and the last good copy holds. Why, in one line.
    Held(String),
    /// It could not be had, and there is no copy. Why, in one line.
    Missing(String),
}

/// What came of it.
#[derive(Debug)]
pub struct Fetched {
    /// To be given to [`super::resolve`] with the others, whatever the state.
    pub layer: Layer,
    /// How it went.
    pub state: State,
}

impl Source {
    /// `TRIBUNE_CONFIG_URL`, else `remote` of the operator's layers; `None` where neither is set. `worktree` is the tree
    /// of the change, `ci` whether strangers write there. Fails (exit 2) on a URL or token that cannot be used.
    pub fn find(layers: &[Layer], env: Env<'_>, worktree: &Path, ci: bool) -> Result<Option<Self>, UserError> {
        let record = layers.iter().rev().find_map(|layer| layer.settings.get(["remote".to_owned()].as_slice()));
        let field = |name: &str| match record {
            Some(Setting::One(record, _)) => record.get(name).and_then(|v| v.as_str()).map(str::to_owned),
            _ => None,
        };
        let (text, token_env) = match variable(env, "TRIBUNE_CONFIG_URL") {
            Some(text) => (text, None),
            None => match field("url") {
                Some(text) => (text, field("token_env")),
                None => return Ok(None),
            },
        };
        // The URL itself is not repeated in a message: it may hold a password.
        let refused = |why: String| UserError::usage("TRIBUNE_CONFIG_URL cannot be used", why, format!("Set it to {}.", checks::DOCUMENT_URL.what));
        (checks::DOCUMENT_URL.test)(&text).map_err(refused)?;
        let url = http::parse(&text).map_err(|why| refused(format!("the URL {why}")))?;
        let token_env = token_env.unwrap_or_else(|| "TRIBUNE_CONFIG_TOKEN".to_owned());
        let token = variable(env, &token_env).map(Secret::new);
        if token.as_ref().is_some_and(|t| !t.expose().bytes().all(|b| b.is_ascii_graphic())) {
            return Err(UserError::usage(
                format!("{token_env} cannot be used"),
                "it has blanks, line ends or characters that no HTTP header may hold",
                "Look at what the variable really holds.",
            ));
        }
        let key = state_key(env).or_else(|| token.clone());
        let cache = Cache::find(&url, key, env, worktree, ci);
        Ok(Some(Self { url, token, token_env, cache }))
    }

    /// Host and port, for people.
    pub fn host(&self) -> String {
        Origin::of(&self.url).map(|origin| origin.host()).unwrap_or_default()
    }

    /// The variable that the token is expected in, and whether it is there.
    pub fn token(&self) -> (&str, bool) {
        (&self.token_env, self.token.is_some())
    }

    /// Where it is; what follows `?` may be a secret.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How old the last good copy is, where there is one.
    pub fn copy_age(&self) -> Option<Duration> {
        self.cache.as_ref()?.age()
    }

    /// Whether a last good copy can be kept here.
    pub fn keeps_copy(&self) -> bool {
        self.cache.is_some()
    }

    /// Fetches it, blocking for at most about two seconds. Never fails: what went wrong is in the state and in the
    /// layer's notes.
    pub fn fetch(&self) -> Fetched {
        // A runtime of its own: this comes before anything else is known, and what hangs in it is left behind.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let copy = self.cache.as_ref().and_then(Cache::read);
        let asked = match runtime {
            Ok(runtime) => {
                let asked = runtime.block_on(async { tokio::time::timeout(TIME, self.ask(copy.as_ref())).await });
                runtime.shutdown_background();
                asked.unwrap_or_else(|_| Err(format!("it did not answer within {} s", TIME.as_secs())))
            }
            Err(error) => Err(error.to_string()),
        };
        self.conclude(asked, copy)
    }

    /// What the answer is: a new document, or `None` where our copy is the current one.
    async fn ask(&self, copy: Option<&Copy>) -> Result<Option<Copy>, String> {
        let client = http::client(&self.url).map_err(|error| error.to_string())?;
        let mut request = client.get(self.url.clone());
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| "its token fits no header".to_owned())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(etag) = copy.map(|copy| copy.etag.as_str()).filter(|etag| !etag.is_empty()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(|error| format!("it cannot be reached: {}", http::explained(&error)))?;
        let status = response.status();
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Ok(None),
            _ if status.is_redirection() => return Err(format!("it answered {}; redirects are not followed", status.as_u16())),
            _ => return Err(format!("it answered {}", status.as_u16())),
        }
        let etag = response.headers().get(ETAG).and_then(|v| v.to_str().ok()).filter(|v| v.len() <= 200).unwrap_or_default().to_owned();
        let body = http::read(response, MAX_CONFIG_BYTES).await.map_err(|error| format!("the answer {error}"))?;
        let text = String::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
        Ok(Some(Copy { etag, text }))
    }

    fn conclude(&self, asked: Result<Option<Copy>, String>, copy: Option<Copy>) -> Fetched {
        let why = match asked {
            Ok(Some(new)) => match checked(&new.text) {
                Ok(layer) => {
                    if let Some(cache) = &self.cache {
                        cache.write(&new);
                    }
                    return Fetched { layer, state: State::Fresh };
                }
                Err(why) => why,
            },
            Ok(None) => match copy.as_ref().map(|copy| checked(&copy.text)) {
                Some(Ok(layer)) => return Fetched { layer, state: State::Unchanged },
                Some(Err(why)) => why,
                None => "it answered 304 to a request without a condition".to_owned(),
            },
            Err(why) => why,
        };
        let why = self.token.as_ref().map_or(why.clone(), |token| token.mask(&why));
        let host = self.host();
        match copy.and_then(|copy| checked(&copy.text).ok()) {
            Some(mut layer) => {
                layer.notes.push(format!("The organisation's configuration at {host} could not be had ({why}): the last good copy holds."));
                Fetched { layer, state: State::Held(why) }
            }
            None => {
                let mut layer = Layer::new(Rank::Remote, Settings::new());
                layer.missing = true;
                layer.notes.push(format!(
                    "The organisation's configuration at {host} could not be had ({why}), and there is no earlier copy: the rules ran alone, nothing is posted, and the run is inconclusive."
                ));
                Fetched { layer, state: State::Missing(why) }
            }
        }
    }
}

/// A document as a layer. One mistake spoils all of it: what is left out could be what protects.
fn checked(text: &str) -> Result<Layer, String> {
    let (layer, problems) = Layer::remote(text);
    let Some(first) = problems.first() else { return Ok(layer) };
    let more = if problems.len() > 1 { format!(" and {} more problems", problems.len() - 1) } else { String::new() };
    Err(format!("it is not valid: {}{more}", first.brief().trim_end_matches('.')))
}

#[cfg(test)]
mod tests;
