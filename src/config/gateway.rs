//! From configured names to a gateway that can be asked: which models at which endpoints serve which tier and which
//! reviewer, with their tokens.

use super::endpoint::{Endpoint, EndpointSettings, Gateway, ModelEntry, ModelTier, Own, REPLAY, Secret};
use super::environment::{ENVIRONMENT_ENDPOINT, missing_token, variable};
use super::problem::nearest;
use super::{Config, Env};
use crate::error::UserError;
use crate::gateway::{Link, TokenSource};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// The longest client certificate with its chain and key, in bytes.
const MAX_CERT_BYTES: u64 = 1 << 20;

impl Config {
    /// The folder of the recording that answers in the place of all gateways, where one does.
    pub fn replay(&self) -> Option<&Path> {
        self.endpoints.get(ENVIRONMENT_ENDPOINT)?.url.strip_prefix(REPLAY).map(Path::new)
    }

    /// The gateway to ask, and notes on it, one line each. `None` when no endpoint is configured. An endpoint without
    /// any model, a model without its endpoint and a token that cannot be read are errors (exit 2).
    pub fn gateway(&self, env: Env<'_>) -> Result<(Option<Gateway>, Vec<String>), UserError> {
        let mut notes = Vec::new();
        let named = self.models.values().flatten().any(|entry| entry.endpoint.is_some());
        if self.endpoints.is_empty() && !named {
            if self.models.values().any(|chain| !chain.is_empty()) {
                notes.push("A model is named, but no gateway: set TRIBUNE_GATEWAY_URL, or `endpoints` in the operator's file.".to_owned());
            }
            return Ok((None, notes));
        }
        let mut tiers = BTreeMap::new();
        for tier in ModelTier::ALL {
            let chain = self.entries(tier).iter().map(|entry| self.link(entry)).collect::<Result<Vec<Link>, _>>()?;
            if chain.is_empty() {
                return Err(no_model());
            }
            tiers.insert(tier, chain.into());
        }
        let mut own = BTreeMap::new();
        for (id, settings) in &self.reviewers {
            let Some(name) = &settings.model else { continue };
            own.insert(id.clone(), self.own(name)?);
        }
        let mut endpoints = BTreeMap::new();
        let models = own.values().filter_map(|own| if let Own::Model(link) = own { Some(link) } else { None });
        for link in tiers.values().flat_map(|chain: &Arc<[Link]>| chain.iter()).chain(models) {
            if let (false, Some(settings)) = (endpoints.contains_key(&link.endpoint), self.endpoints.get(&link.endpoint)) {
                endpoints.insert(link.endpoint.clone(), Arc::new(endpoint(&link.endpoint, settings, env, &mut notes)?));
            }
        }
        Ok((Some(Gateway { endpoints, tiers, own }), notes))
    }

    /// The models of a tier; where it has none, the nearest tier's.
    fn entries(&self, tier: ModelTier) -> &[ModelEntry] {
        let of = |tier| self.models.get(&tier).filter(|chain| !chain.is_empty());
        [tier, ModelTier::Standard, ModelTier::Top, ModelTier::Light].into_iter().find_map(of).map_or(&[], Vec::as_slice)
    }

    /// What a reviewer was given: a tier by its name, else a model, at the endpoint where a chain has it.
    fn own(&self, name: &str) -> Result<Own, UserError> {
        if let Some(tier) = ModelTier::ALL.into_iter().find(|tier| tier.name() == name) {
            return Ok(Own::Tier(tier));
        }
        let known = self.models.values().flatten().find(|entry| entry.model == name).cloned();
        Ok(Own::Model(self.link(&known.unwrap_or(ModelEntry { model: name.to_owned(), endpoint: None }))?))
    }

    fn link(&self, entry: &ModelEntry) -> Result<Link, UserError> {
        Ok(Link::new(entry.model.as_str(), self.endpoint_of(entry)?))
    }

    fn endpoint_of(&self, entry: &ModelEntry) -> Result<&str, UserError> {
        let names = || self.endpoints.keys().map(String::as_str);
        let found = match &entry.endpoint {
            Some(name) => self.endpoints.get_key_value(name),
            None => {
                self.endpoints.get_key_value(ENVIRONMENT_ENDPOINT).or_else(|| self.endpoints.first_key_value().filter(|_| self.endpoints.len() == 1))
            }
        };
        found.map(|(name, _)| name.as_str()).ok_or_else(|| match &entry.endpoint {
            Some(name) => UserError::usage(
                format!("the model {} names the endpoint `{name}`, which is not configured", entry.model),
                format!(
                    "`endpoints` has {}",
                    if self.endpoints.is_empty() { "no entry".to_owned() } else { super::keys::either(names()).replace(" or ", " and ") }
                ),
                nearest(name, names()).map_or("Add it to `endpoints` in the operator's file.".to_owned(), |near| format!("Did you mean `{near}`?")),
            ),
            None => UserError::usage(
                format!("it is open which endpoint serves the model {}", entry.model),
                format!("`endpoints` has {}, and none is called `{ENVIRONMENT_ENDPOINT}`", super::keys::either(names()).replace(" or ", " and ")),
                "Add `endpoint:` beside `model:`.",
            ),
        })
    }
}

fn no_model() -> UserError {
    UserError::usage(
        "a gateway is configured, but no model",
        "which model to ask depends on the gateway, so there is no default",
        "Set TRIBUNE_MODEL, or `models` in the operator's file. `--offline` runs the rules alone.",
    )
}

fn endpoint(name: &str, settings: &EndpointSettings, env: Env<'_>, notes: &mut Vec<String>) -> Result<Endpoint, UserError> {
    let host = reqwest::Url::parse(&settings.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let source = match (&settings.token_file, &settings.token_command) {
        (Some(file), _) => Some(("token_file", TokenSource::File(file.clone()))),
        (None, Some(words)) => Some(("token_command", TokenSource::Command(words.clone()))),
        (None, None) => None,
    };
    let given = [
        ("`token_env`", settings.token_env.is_some()),
        ("`token_file`", settings.token_file.is_some()),
        ("`token_command`", settings.token_command.is_some()),
    ];
    let given: Vec<&str> = given.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    if given.len() > 1 {
        let title = format!("the endpoint `{name}` has {} tokens", given.len());
        return Err(UserError::usage(title, format!("{} are set", given.join(" and ")), "Leave one of them."));
    }
    let token = match (&settings.token_env, &source) {
        (Some(variable_name), _) => {
            notes.extend(missing_token(env, variable_name, &host));
            variable(env, variable_name).map(Secret::new)
        }
        (None, Some((key, source))) => Some(source.read().map_err(|why| {
            UserError::usage(format!("the token of the endpoint `{name}` cannot be read"), why, format!("Mend `{key}` in the operator's file."))
        })?),
        (None, None) => None,
    };
    if token.as_ref().is_some_and(|t| !t.expose().bytes().all(|b| b.is_ascii_graphic())) {
        return Err(UserError::usage(
            format!("the token of the endpoint `{name}` cannot be used"),
            "it has blanks, line ends or characters that no HTTP header may hold",
            "Look at what the variable really holds.",
        ));
    }
    let client_cert = match &settings.client_cert {
        None => None,
        Some(file) => Some(Secret::new(bounded_text(file).map_err(|why| {
            UserError::usage(
                format!("the client certificate of the endpoint `{name}` cannot be read"),
                format!("{}: {why}", file.display()),
                "Mend `client_cert` in the operator's file.",
            )
        })?)),
    };
    Ok(Endpoint {
        name: name.to_owned(),
        url: settings.url.clone(),
        preset: settings.preset,
        wire: settings.wire.unwrap_or(settings.preset.wire()),
        token,
        source: source.map(|(_, source)| source),
        client_cert,
        headers: settings.headers.clone(),
    })
}

fn bounded_text(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    std::fs::File::open(file).and_then(|f| f.take(MAX_CERT_BYTES + 1).read_to_string(&mut text)).map_err(|e| e.to_string())?;
    if text.len() as u64 > MAX_CERT_BYTES { Err(format!("it has more than {MAX_CERT_BYTES} bytes")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Preset, Wire, resolve};
    use super::*;

    /// What a gateway of this operator's file and this environment is, in words.
    fn told(file: &str, variables: &[(&str, &str)]) -> String {
        let env = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let (layer, problems) = Layer::operator(file, Path::new("/etc/config.yaml"));
        assert_eq!(problems, []);
        let made = Layer::environment(&env).and_then(|environment| resolve(vec![layer, environment], &env)).and_then(|r| r.config.gateway(&env));
        match made {
            Err(error) => format!("exit {}: {}: {} / {}", error.exit.code(), error.title, error.cause, error.fix),
            Ok((gateway, notes)) => {
                let Some(gateway) = gateway else { return format!("none {}", notes.join(" ")) };
                let link = |link: &Link| {
                    let at = &gateway.endpoints[&link.endpoint];
                    let token = at.token.as_ref().map_or("-", Secret::expose);
                    format!("{}@{}({}, {:?}, token {token})", link.model, link.endpoint, at.url, at.wire)
                };
                let chains = ModelTier::ALL.map(|tier| gateway.chain("quality", tier).iter().map(link).collect::<Vec<_>>().join(" > "));
                format!("{} {}", chains.join(" "), notes.join(" "))
            }
        }
    }

    const URL: (&str, &str) = ("TRIBUNE_GATEWAY_URL", "https://h/v1");

    #[test]
    fn comes_from_the_environment() {
        let table = [
            told("", &[]),
            told("", &[URL]),
            told("", &[("TRIBUNE_MODEL", "m")]),
            told("", &[URL, ("TRIBUNE_MODEL", "m"), ("TRIBUNE_GATEWAY_TOKEN", "t\n")]),
            told("", &[URL, ("TRIBUNE_MODEL", "m"), ("TRIBUNE_GATEWAY_TOKEN", "")]),
            told("", &[URL, ("TRIBUNE_MODEL", "m")]),
            told("", &[("TRIBUNE_GATEWAY_URL", "http://127.0.0.1:9/v1"), ("TRIBUNE_MODEL", "m"), ("TRIBUNE_GATEWAY_PRESET", "anthropic")]),
            told("", &[URL, ("TRIBUNE_MODEL", "m"), ("TRIBUNE_GATEWAY_TOKEN", "t"), ("TRIBUNE_GATEWAY_WIRE", "messages")]),
            told("", &[("TRIBUNE_GATEWAY_URL", ""), ("TRIBUNE_MODEL", " ")]),
            told("", &[("TRIBUNE_GATEWAY_URL", "http://h/v1")]),
            told("", &[("TRIBUNE_GATEWAY_URL", "https://u:hunter2@h/v1")]),
            told(
                "",
                &[
                    ("TRIBUNE_GATEWAY_URL", "https://h/v1/a/g"),
                    ("TRIBUNE_GATEWAY_PRESET", "cloudflare"),
                    ("TRIBUNE_GATEWAY_WIRE", "generate-content"),
                    ("TRIBUNE_MODEL", "m"),
                ],
            ),
            told("", &[URL, ("TRIBUNE_GATEWAY_PRESET", "antropic")]),
            told("", &[URL, ("TRIBUNE_MODEL", "a b")]),
            told("", &[URL, ("TRIBUNE_MODEL", "m"), ("TRIBUNE_GATEWAY_TOKEN", "a\nb")]),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        none 
        exit 2: a gateway is configured, but no model: which model to ask depends on the gateway, so there is no default / Set TRIBUNE_MODEL, or `models` in the operator's file. `--offline` runs the rules alone.
        none A model is named, but no gateway: set TRIBUNE_GATEWAY_URL, or `endpoints` in the operator's file.
        m@default(https://h/v1, Chat, token t) m@default(https://h/v1, Chat, token t) m@default(https://h/v1, Chat, token t) 
        m@default(https://h/v1, Chat, token -) m@default(https://h/v1, Chat, token -) m@default(https://h/v1, Chat, token -) TRIBUNE_GATEWAY_TOKEN is empty: a protected variable on an unprotected branch? Requests go without a token.
        m@default(https://h/v1, Chat, token -) m@default(https://h/v1, Chat, token -) m@default(https://h/v1, Chat, token -) TRIBUNE_GATEWAY_TOKEN is not set: requests to h go without a token.
        m@default(http://127.0.0.1:9/v1, Messages, token -) m@default(http://127.0.0.1:9/v1, Messages, token -) m@default(http://127.0.0.1:9/v1, Messages, token -) 
        m@default(https://h/v1, Messages, token t) m@default(https://h/v1, Messages, token t) m@default(https://h/v1, Messages, token t) 
        none 
        exit 2: TRIBUNE_GATEWAY_URL cannot be used: code and keys go over https; http is for this machine only (localhost, 127.0.0.1) / Set it to a URL such as `https://gateway.example.com/v1`.
        exit 2: TRIBUNE_GATEWAY_URL cannot be used: a user or password never stands in a URL: use `token_env` / Set it to a URL such as `https://gateway.example.com/v1`.
        m@default(https://h/v1/a/g, GenerateContent, token -) m@default(https://h/v1/a/g, GenerateContent, token -) m@default(https://h/v1/a/g, GenerateContent, token -) TRIBUNE_GATEWAY_TOKEN is not set: requests to h go without a token.
        exit 2: TRIBUNE_GATEWAY_PRESET cannot be used: `endpoints.default.preset` has to be `openai`, `anthropic`, `google`, `cloudflare`, `litellm`, `openrouter` or `portkey`, not a text / Did you mean `anthropic`?
        exit 2: TRIBUNE_MODEL cannot be used: at most 200 visible ASCII characters, without blanks / Set it to a model's name.
        exit 2: the token of the endpoint `default` cannot be used: it has blanks, line ends or characters that no HTTP header may hold / Look at what the variable really holds.
        ");
    }

    #[test]
    #[cfg_attr(windows, ignore = "compares the system's own words")]
    fn comes_from_the_operators_file() {
        let corp = "endpoints: {corp: {url: 'https://corp', preset: anthropic, token_env: TRIBUNE_CORP}}\n";
        let two = "endpoints: {a: {url: 'https://a'}, b: {url: 'https://b'}}\n";
        let token = [("TRIBUNE_CORP", "t")];
        let table = [
            told(&format!("{corp}models: {{standard: [{{model: s}}, {{model: s2}}]}}"), &token),
            told(&format!("{corp}models: {{top: [{{model: t}}], light: [{{model: l}}]}}"), &token),
            told(corp, &[("TRIBUNE_CORP", "t"), ("TRIBUNE_MODEL", "m")]),
            told(&format!("{corp}models: {{top: [{{model: t, endpoint: crop}}]}}"), &token),
            told(&format!("{two}models: {{top: [{{model: t}}]}}"), &[]),
            told(&format!("{two}models: {{top: [{{model: t, endpoint: b}}]}}"), &[]),
            told("models: {top: [{model: t, endpoint: b}]}", &[]),
            told("endpoints: {a: {url: 'https://a', token_file: nowhere}}\nmodels: {top: [{model: t}]}", &[]),
            told("endpoints: {a: {url: 'https://a', token_file: x, token_env: TRIBUNE_X}}\nmodels: {top: [{model: t}]}", &[]),
            told("endpoints: {a: {url: 'https://a', token_command: 'printf t-%s 1'}}\nmodels: {top: [{model: t}]}", &[]),
            told("endpoints: {a: {url: 'https://a', token_command: 'false'}}\nmodels: {top: [{model: t}]}", &[]),
            told("endpoints: {a: {url: 'https://a', client_cert: nowhere}}\nmodels: {top: [{model: t}]}", &[]),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        s@corp(https://corp, Messages, token t) > s2@corp(https://corp, Messages, token t) s@corp(https://corp, Messages, token t) > s2@corp(https://corp, Messages, token t) s@corp(https://corp, Messages, token t) > s2@corp(https://corp, Messages, token t) 
        t@corp(https://corp, Messages, token t) t@corp(https://corp, Messages, token t) l@corp(https://corp, Messages, token t) 
        m@corp(https://corp, Messages, token t) m@corp(https://corp, Messages, token t) m@corp(https://corp, Messages, token t) 
        exit 2: the model t names the endpoint `crop`, which is not configured: `endpoints` has `corp` / Did you mean `corp`?
        exit 2: it is open which endpoint serves the model t: `endpoints` has `a` and `b`, and none is called `default` / Add `endpoint:` beside `model:`.
        t@b(https://b, Chat, token -) t@b(https://b, Chat, token -) t@b(https://b, Chat, token -) 
        exit 2: the model t names the endpoint `b`, which is not configured: `endpoints` has no entry / Add it to `endpoints` in the operator's file.
        exit 2: the token of the endpoint `a` cannot be read: /etc/nowhere: No such file or directory (os error 2) / Mend `token_file` in the operator's file.
        exit 2: the endpoint `a` has 2 tokens: `token_env` and `token_file` are set / Leave one of them.
        t@a(https://a, Chat, token t-1) t@a(https://a, Chat, token t-1) t@a(https://a, Chat, token t-1) 
        exit 2: the token of the endpoint `a` cannot be read: `false` failed: exit status: 1 / Mend `token_command` in the operator's file.
        exit 2: the client certificate of the endpoint `a` cannot be read: /etc/nowhere: No such file or directory (os error 2) / Mend `client_cert` in the operator's file.
        ");
    }

    #[test]
    fn reviewers_can_be_given_a_tier_or_a_model_of_their_own() {
        let file = "endpoints: {a: {url: 'https://a'}, b: {url: 'https://b'}}
models: {top: [{model: t, endpoint: a}, {model: u, endpoint: b}], standard: [{model: s, endpoint: b}]}
reviewers: {docs: {model: top}, security: {model: u}, coordinator: {model: s}}";
        let (layer, problems) = Layer::operator(file, Path::new("/c.yaml"));
        assert_eq!(problems, []);
        let resolved = resolve(vec![layer], &|_| None).expect("valid");
        let gateway = resolved.config.gateway(&|_| None).expect("a gateway").0.expect("a gateway");
        let told = |id: &str, tier| gateway.chain(id, tier).iter().map(Link::to_string).collect::<Vec<_>>().join(", ");
        assert_eq!(told("docs", ModelTier::Light), "t at a, u at b");
        assert_eq!(told("security", ModelTier::Top), "u at b, t at a");
        assert_eq!(told("coordinator", ModelTier::Top), "s at b, t at a, u at b");
        assert_eq!(told("quality", ModelTier::Standard), "s at b");

        let (layer, _) = Layer::operator(&file.replace("model: u}, coord", "model: new}, coord"), Path::new("/c.yaml"));
        let open = resolve(vec![layer], &|_| None).expect("valid").config.gateway(&|_| None).expect_err("at a or at b?");
        assert_eq!(open.title, "it is open which endpoint serves the model new");
        let (_, problems) = Layer::repository("reviewers: {security: {model: u}}");
        assert!(problems[0].title.contains("only by the operator"), "{problems:?}");
    }

    #[test]
    fn reads_token_files_and_shows_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "s3cret\n").expect("written");
        let (layer, _) = Layer::operator(
            "endpoints: {a: {url: 'https://a', token_file: token, headers: {X-Key: hunter2}}}\nmodels: {top: [{model: t}]}",
            &folder.path().join("config.yaml"),
        );
        let env = |_: &str| None;
        let resolved = resolve(vec![layer], &env).expect("valid");
        let (gateway, notes) = resolved.config.gateway(&env).expect("a gateway");
        let endpoint = gateway.as_ref().expect("a gateway").endpoints["a"].clone();
        assert_eq!((endpoint.token.as_ref().map(Secret::expose), endpoint.preset, endpoint.wire), (Some("s3cret"), Preset::OpenAi, Wire::Chat));
        let shown = format!("{gateway:?} {resolved:?} {} {notes:?}", super::super::show(&resolved));
        assert!(!shown.contains("s3cret") && !shown.contains("hunter2"), "{shown}");
    }
}
