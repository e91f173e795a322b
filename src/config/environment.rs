//! The environment and the command line as layers. A value that is wrong here is the user's own and ends
//! the run (exit 2).

use super::Env;
use super::checks;
use super::endpoint::{REPLAY, Secret};
use super::layer::{Layer, check_value};
use super::settings::Origin;
use super::yaml::Value;
use crate::error::UserError;
use crate::findings::Severity;
use crate::gateway::tape;
use crate::http::is_loopback;
use serde_json::{Value as Json, json};
use std::path::Path;

/// The name of the endpoint that the environment gives.
pub(crate) const ENVIRONMENT_ENDPOINT: &str = "default";

/// A variable's value; an empty one counts as unset.
pub(crate) fn variable(env: Env<'_>, name: &str) -> Option<String> {
    env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The key of the MAC over what tribune stores and fences (`TRIBUNE_STATE_KEY`), where one is set.
pub fn state_key(env: Env<'_>) -> Option<Secret> {
    variable(env, "TRIBUNE_STATE_KEY").map(Secret::new)
}

/// What flags of the command line say about configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flags {
    /// `--fail-on`; `Some(None)` is `never`.
    pub fail_on: Option<Option<Severity>>,
    /// `--max-tokens`.
    pub max_tokens: Option<u64>,
    /// `--max-cost`, in dollars.
    pub max_cost: Option<f64>,
    /// `--timeout`, in seconds.
    pub timeout: Option<u64>,
}

impl Layer {
    /// The `TRIBUNE_*` variables. The gateway they name is the endpoint `default`.
    pub fn environment(env: Env<'_>) -> Result<Self, UserError> {
        let mut values = Vec::new();
        let url = variable(env, "TRIBUNE_GATEWAY_URL");
        if let Some(dir) = url.as_deref().and_then(|url| url.strip_prefix(REPLAY)) {
            return Self::recording(Path::new(dir));
        }
        let mut endpoint = serde_json::Map::new();
        if let Some(url) = &url {
            endpoint.insert("url".into(), Json::from(url.as_str()));
            // The URL itself is not repeated in a message: it may hold a password.
            (checks::URL.test)(url)
                .map_err(|why| UserError::usage("TRIBUNE_GATEWAY_URL cannot be used", why, format!("Set it to {}.", checks::URL.what)))?;
            endpoint.insert("token_env".into(), Json::from("TRIBUNE_GATEWAY_TOKEN"));
        }
        for (name, key) in [("TRIBUNE_GATEWAY_PRESET", "preset"), ("TRIBUNE_GATEWAY_WIRE", "wire")] {
            if let Some(value) = variable(env, name) {
                check(name, &["endpoints", ENVIRONMENT_ENDPOINT, key], Value::Text(value.clone()))?;
                endpoint.insert(key.into(), Json::from(value));
            }
        }
        if url.is_some() {
            values.push((&["endpoints", ENVIRONMENT_ENDPOINT][..], Json::Object(endpoint), Origin::Environment("TRIBUNE_GATEWAY_URL")));
        }
        if let Some(model) = variable(env, "TRIBUNE_MODEL") {
            (checks::MODEL.test)(&model)
                .map_err(|why| UserError::usage("TRIBUNE_MODEL cannot be used", why, format!("Set it to {}.", checks::MODEL.what)))?;
            let entry = if url.is_some() { json!([{ "model": model, "endpoint": ENVIRONMENT_ENDPOINT }]) } else { json!([{ "model": model }]) };
            for tier in [&["models", "top"][..], &["models", "standard"], &["models", "light"]] {
                values.push((tier, entry.clone(), Origin::Environment("TRIBUNE_MODEL")));
            }
        }
        Ok(Self::values(values))
    }

    /// A recording in the gateway's place, with the models and prices that it was made with. What else the environment
    /// says of a gateway does not count.
    fn recording(dir: &Path) -> Result<Self, UserError> {
        if dir.as_os_str().is_empty() {
            let cause = "`replay:` is there, and no folder after it";
            return Err(UserError::usage("TRIBUNE_GATEWAY_URL cannot be used", cause, "Set it to `replay:DIR`, DIR being what --record wrote."));
        }
        let manifest = tape::manifest(dir)?;
        let refuse = |why: String| UserError::usage(format!("{} cannot be played", dir.display()), why, "Record it anew.");
        let url = Json::from(format!("{REPLAY}{}", dir.display()));
        let origin = Origin::Environment("TRIBUNE_GATEWAY_URL");
        let mut values = vec![(&["endpoints", ENVIRONMENT_ENDPOINT][..], json!({ "url": url }), origin.clone())];
        for (tier, path) in [("top", &["models", "top"][..]), ("standard", &["models", "standard"]), ("light", &["models", "light"])] {
            let models = manifest.models.get(tier).map(Vec::as_slice).unwrap_or_default();
            if let Some(model) = models.iter().find(|model| (checks::MODEL.test)(model).is_err()) {
                return Err(refuse(format!("it names the model {model:?}, which is no model's name")));
            }
            values.push((path, models.iter().map(|model| json!({ "model": model, "endpoint": ENVIRONMENT_ENDPOINT })).collect(), origin.clone()));
        }
        let usable = |n: f64| (0.0..=1e6).contains(&n);
        if !manifest.prices.values().all(|p| [p.input, p.cached, p.cache_write, p.output].into_iter().all(usable)) {
            return Err(refuse("it has a price that is none".to_owned()));
        }
        let prices: Vec<[&str; 2]> = manifest.prices.keys().map(|model| ["prices", model.as_str()]).collect();
        values.extend(prices.iter().zip(manifest.prices.values()).map(|(path, price)| (&path[..], json!(price), origin.clone())));
        Ok(Self::values(values))
    }

    /// The flags.
    pub fn flags(flags: &Flags) -> Result<Self, UserError> {
        let mut values = Vec::new();
        if let Some(threshold) = flags.fail_on {
            values.push((&["fail_on"][..], threshold.map_or(json!("never"), |severity| json!(severity)), Origin::Flag("--fail-on")));
        }
        let whole = [("--max-tokens", &["limits", "tokens"][..], flags.max_tokens), ("--timeout", &["limits", "run_seconds"], flags.timeout)];
        for (flag, path, value) in whole {
            if let Some(n) = value {
                check(flag, path, Value::Whole(n.into()))?;
                values.push((path, json!(n), Origin::Flag(flag)));
            }
        }
        if let Some(dollars) = flags.max_cost {
            check("--max-cost", &["limits", "usd"], Value::Float(dollars))?;
            values.push((&["limits", "usd"], json!(dollars), Origin::Flag("--max-cost")));
        }
        Ok(Self::values(values))
    }
}

/// Checks a value against its key, other keys of the same record left aside.
fn check(name: &str, path: &[&str], value: Value) -> Result<(), UserError> {
    match check_value(path, value) {
        Err(problem) if problem.key == super::settings::dotted(&path.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()) => Err(UserError::usage(
            format!("{name} cannot be used"),
            problem.title,
            if problem.help.is_empty() { format!("Mend {name}.") } else { problem.help },
        )),
        _ => Ok(()),
    }
}

/// The note on a token that is not there, where one is to be expected.
pub(crate) fn missing_token(env: Env<'_>, name: &str, host: &str) -> Option<String> {
    match env(name) {
        Some(value) if !value.trim().is_empty() => None,
        Some(_) => Some(format!("{name} is empty: a protected variable on an unprotected branch? Requests go without a token.")),
        None if is_loopback(host) => None,
        None => Some(format!("{name} is not set: requests to {host} go without a token.")),
    }
}
