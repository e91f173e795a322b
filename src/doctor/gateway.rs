//! The gateway as a run would use it: endpoints, models, limits, whether it can be reached, and on request one tiny call to
//! each model.

use super::{Line, State, net};
use crate::config::{Config, EndpointSettings, Env, Limits, ModelTier, Resolved};
use crate::date::Date;
use crate::error::Exit;
use crate::gateway::{
    Answer, CallContext, Endpoint, ErrorKind, Gateway, GatewayError, Labels, Limits as CallLimits, Link, ModelRequest, Price, Setup, ToolSpec,
};
use crate::http::is_loopback;
use crate::report::thousands;
use crate::run::price;
use futures::future::join_all;
use reqwest::Url;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a probe may take: a slow model is not a broken one.
const PROBE_TIME: Duration = Duration::from_secs(60);
/// The most tokens of its answer.
const PROBE_TOKENS: u32 = 16;

/// The configured gateway. `None` in what is returned: no model can be asked, so nothing is left to be tried.
pub(super) fn look(resolved: &Resolved, env: Env<'_>, today: Date, lines: &mut Vec<Line>) -> Option<Targets> {
    let config = &resolved.config;
    let (gateway, notes) = match config.gateway(env) {
        Err(error) => {
            lines.push(Line::of_error("gateway", &error));
            return None;
        }
        Ok((None, notes)) => {
            let told = if notes.is_empty() { "none is configured: the rules run alone".to_owned() } else { notes.join(" ") };
            lines.push(Line::idle("gateway", told).fix("For reviewers set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and TRIBUNE_MODEL."));
            return None;
        }
        Ok((Some(gateway), notes)) => (gateway, notes),
    };
    let mut targets = Targets::default();
    let mut chains: Vec<(&str, Arc<[Link]>)> = ModelTier::ALL.map(|tier| (tier.name(), gateway.chain("", tier))).into();
    let own = config.reviewers.iter().filter(|(_, settings)| settings.model.is_some());
    chains.extend(own.map(|(id, _)| (id.as_str(), gateway.chain(id, ModelTier::Standard))));
    targets.models.extend(chains.iter().flat_map(|(_, chain)| chain.iter().cloned()));
    targets.prices.extend(gateway.models().into_iter().filter_map(|model| Some((model.to_owned(), price(resolved, model, today)?))));
    for (name, settings) in config.endpoints.iter().filter(|(name, _)| gateway.endpoints.contains_key(*name)) {
        lines.push(endpoint(name, settings, env));
    }
    for (name, endpoint) in &gateway.endpoints {
        match endpoint.open(&Labels::default()) {
            Ok(open) => drop(targets.endpoints.insert(name.clone(), (open, endpoint.url.clone()))),
            Err(error) => lines.push(Line::of_error(name.as_str(), &error)),
        }
    }
    lines.push(Line::ok("models", told_chains(&chains)));
    lines.push(limits(config, &targets));
    // What the notes say of tokens is said by the endpoint's own line.
    let of_tokens = |note: &&String| note.contains("without a token");
    lines.extend(notes.iter().filter(|n| !of_tokens(n)).map(|n| Line::warning("gateway", n.clone())));
    Some(targets)
}

/// What can be tried.
#[derive(Default)]
pub(super) struct Targets {
    /// Endpoints by name, each with its URL.
    endpoints: BTreeMap<String, (Endpoint, String)>,
    /// Models, each once.
    models: BTreeSet<Link>,
    /// What they cost, where that is known.
    prices: BTreeMap<String, Price>,
}

impl Targets {
    /// Where requests go.
    pub(super) fn urls(&self) -> Vec<Url> {
        self.endpoints.values().filter_map(|(_, url)| Url::parse(url).ok()).collect()
    }
}

/// One endpoint as it is configured; its token is named, never shown.
fn endpoint(name: &str, settings: &EndpointSettings, env: Env<'_>) -> Line {
    let url = Url::parse(&settings.url).ok();
    let local = url.as_ref().and_then(|u| u.host_str()).is_some_and(is_loopback);
    let mut told = format!("{} ({}, {})", settings.url, settings.preset.name(), settings.wire.unwrap_or(settings.preset.wire()).name());
    let mut state = State::Ok;
    let mut fix = None;
    let token = match (&settings.token_env, &settings.token_file, &settings.token_command) {
        (Some(variable), ..) => match env(variable).as_deref().map(str::trim) {
            Some("") => {
                state = State::Problem;
                fix = Some(format!(
                    "Give {variable} a value; a protected variable is not given to jobs of unprotected branches, so unprotect it (masked), or protect the branch."
                ));
                format!("{variable} is empty")
            }
            Some(_) => format!("token from {variable}"),
            None => {
                if !local {
                    state = State::Warning;
                    fix = Some(format!("Set {variable}, unless the gateway asks for none."));
                }
                format!("no token ({variable} is not set)")
            }
        },
        (_, Some(file), _) => format!("token from {}", file.display()),
        (_, _, Some(command)) => format!("token from the command `{}`", command.first().map(String::as_str).unwrap_or_default()),
        (None, None, None) => "no token".to_owned(),
    };
    told.push_str(&format!(", {token}"));
    if !settings.headers.is_empty() {
        let names: Vec<&str> = settings.headers.keys().map(String::as_str).collect();
        told.push_str(&format!(", headers {}", names.join(", ")));
    }
    if let Some(file) = &settings.client_cert {
        told.push_str(&format!(", client certificate {}", file.display()));
    }
    let exit = if state == State::Problem { Exit::Usage } else { Exit::Pass };
    Line { name: name.to_owned(), state, told, fix, exit }
}

/// Which models serve which tiers and reviewers, those with the same chain together.
fn told_chains(chains: &[(&str, Arc<[Link]>)]) -> String {
    let mut groups: Vec<(Vec<&str>, String)> = Vec::new();
    for (name, chain) in chains {
        let words = chain.iter().map(Link::to_string).collect::<Vec<_>>().join(", then ");
        match groups.iter_mut().find(|(_, w)| *w == words) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], words)),
        }
    }
    if let [(_, words)] = groups.as_slice() {
        return format!("all tiers: {words}");
    }
    groups.iter().map(|(names, words)| format!("{}: {words}", names.join(", "))).collect::<Vec<_>>().join("; ")
}

/// What a run may spend, and whether that can be counted in dollars.
fn limits(config: &Config, targets: &Targets) -> Line {
    let Limits { run, reviewer, tokens, usd, usd_per_change, parallel, .. } = config.limits;
    let unknown: BTreeSet<&str> = targets.models.iter().map(|l| l.model.as_str()).filter(|m| !targets.prices.contains_key(*m)).collect();
    let dollars = format!("${usd:.2} a run, ${usd_per_change:.2} a merge request");
    let tokens =
        format!("{} tokens a run for {}, whose price is not known", thousands(tokens), unknown.iter().copied().collect::<Vec<_>>().join(", "));
    let money = match (unknown.is_empty(), targets.prices.is_empty()) {
        (true, _) => dollars,
        (false, true) => tokens,
        (false, false) => format!("{dollars}; {tokens}"),
    };
    Line::ok("limits", format!("{money}; {} s in all, {} s a reviewer, {parallel} requests at a time", run.as_secs(), reviewer.as_secs()))
}

/// Whether each endpoint can be reached, TLS included; no token is sent. Those that cannot are no longer targets.
pub(super) async fn reach(targets: &mut Targets) -> Vec<Line> {
    let tries = targets.endpoints.iter().map(|(name, (endpoint, url))| async move {
        let url = Url::parse(url).map_err(|e| e.to_string());
        let reached = match (endpoint.connect(), url) {
            (Ok(client), Ok(url)) => net::reach(&client, &url).await,
            (Err(why), _) | (_, Err(why)) => Err(why),
        };
        match reached {
            Ok(()) => Line::ok("connection", format!("{name} answers")),
            Err(why) => {
                Line::problem("connection", format!("{name} at {} cannot be reached: {why}", endpoint.host()), net::advice(&why), Exit::Inconclusive)
            }
        }
    });
    let lines = join_all(tries).await;
    let mut reached = lines.iter().map(|line| line.state == State::Ok);
    targets.endpoints.retain(|_, _| reached.next().unwrap_or_default());
    lines
}

/// One tiny call to each model, as a reviewer would make it; of a model whose endpoint is no target, that it is not called.
pub(super) async fn probe(config: &Config, targets: Targets) -> Vec<Line> {
    let (models, rest): (Vec<Link>, Vec<Link>) = targets.models.into_iter().partition(|link| targets.endpoints.contains_key(&link.endpoint));
    let endpoints = targets.endpoints.into_iter().map(|(name, (endpoint, _))| (name, endpoint)).collect();
    let limits = CallLimits { attempts: 1, parallel: config.limits.parallel, ..CallLimits::default() };
    let gateway = Gateway::new(Setup { endpoints, prices: targets.prices, limits, ..Setup::default() });
    let gateway = &gateway;
    let calls = models.iter().map(|link| async move {
        let call = CallContext {
            reviewer: "doctor",
            bundle: 1,
            chain: std::slice::from_ref(link),
            request_no: 1,
            deadline: Instant::now() + PROBE_TIME,
            cancel: CancellationToken::new(),
            began: None,
        };
        told(link, gateway.complete(&call, &request(&link.model)).await)
    });
    let mut lines = join_all(calls).await;
    lines.extend(rest.iter().map(|link| Line::idle("probe", format!("{link} is not called: its endpoint has a problem"))));
    lines
}

fn told(link: &Link, answer: Result<Answer, GatewayError>) -> Line {
    match answer {
        Ok(answer) => {
            let as_named = if answer.model == link.model { String::new() } else { format!(" as {}", answer.model) };
            let cost = answer.usage.cost_usd.map_or("price unknown".to_owned(), |usd| format!("${usd:.6}"));
            let estimated = if answer.usage.estimated { ", estimated" } else { "" };
            let (input, output) = (answer.usage.input_tokens, answer.usage.output_tokens);
            Line::ok("probe", format!("{link} answered{as_named}: {input} tokens in, {output} out{estimated}, {cost}"))
        }
        Err(error) => {
            let fix = match error.kind {
                ErrorKind::Timeout => "The model is slow or overloaded: try again, or take another one.",
                kind => kind.fix(),
            };
            Line::problem("probe", format!("{link}: {}", error.message), fix, Exit::Inconclusive)
        }
    }
}

/// As small as a reviewer's request can be: it offers a tool, since every reviewer does.
fn request(model: &str) -> ModelRequest {
    let schema = serde_json::json!({"type": "object", "properties": {}});
    let tool = ToolSpec { name: "ok", description: "Says that you can be heard.".to_owned(), schema };
    ModelRequest {
        model: model.to_owned(),
        tools: Arc::new(vec![tool]),
        system: "Call the tool `ok`.".into(),
        shared: "".into(),
        own: "# Reviewer: doctor\n\nCall the tool `ok`.".to_owned(),
        turns: Vec::new(),
        max_output_tokens: PROBE_TOKENS,
    }
}
