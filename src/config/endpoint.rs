//! Gateways as the operator names them: where code and keys may go, and which models are asked there. Nothing here talks
//! to one.

use crate::error::UserError;
use crate::gateway::{self, Labels, Link, TokenSource};
pub use crate::gateway::{Preset, Secret, WireKind as Wire};
pub use crate::reviewers::definition::ModelTier;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What the URL of a recording begins with; its folder follows. Only TRIBUNE_GATEWAY_URL takes one.
pub(crate) const REPLAY: &str = "replay:";

/// One entry of a tier's chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModelEntry {
    /// The model's name as the gateway knows it.
    pub model: String,
    /// One of the endpoints' names.
    pub endpoint: Option<String>,
}

/// An endpoint as it is configured: it says where the token is, not what it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EndpointSettings {
    /// Its base, checked: https, or http on this machine; no user, no query.
    pub url: String,
    /// What kind of gateway it is.
    #[serde(default)]
    pub preset: Preset,
    /// The format, where it is not the preset's.
    pub wire: Option<Wire>,
    /// The variable that holds its token.
    pub token_env: Option<String>,
    /// The file that holds its token.
    pub token_file: Option<PathBuf>,
    /// The program that prints its token, and its arguments.
    pub token_command: Option<Vec<String>>,
    /// The file with a client certificate and its key.
    pub client_cert: Option<PathBuf>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// An endpoint with its token, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The operator's name for it.
    pub name: String,
    /// Its base, checked: https, or http on this machine; no user, no query.
    pub url: String,
    /// What kind of gateway it is.
    pub preset: Preset,
    /// The format it speaks.
    pub wire: Wire,
    /// Its token, where it has one.
    pub token: Option<Secret>,
    /// Where the token can be read again.
    pub source: Option<TokenSource>,
    /// A client certificate and its key, in PEM.
    pub client_cert: Option<Secret>,
    /// Further headers, by name.
    pub headers: BTreeMap<String, Secret>,
}

impl Endpoint {
    /// The endpoint as the client uses it. Fails with a usage error on a URL, header, token or certificate that cannot be used.
    pub fn open(&self, labels: &Labels) -> Result<gateway::Endpoint, UserError> {
        if self.url.starts_with(REPLAY) {
            return Ok(gateway::Endpoint::recording(self.wire));
        }
        let mut endpoint = gateway::Endpoint::new(&self.url, self.preset, Some(self.wire), self.token.clone())?
            .with_headers(self.headers.clone())?
            .with_labels(labels.clone());
        if let Some(source) = &self.source {
            endpoint = endpoint.with_renewal(source.clone());
        }
        match &self.client_cert {
            Some(pem) => endpoint.with_client_cert(pem),
            None => Ok(endpoint),
        }
    }
}

/// Who is asked: a chain of models for each tier, and for each reviewer that was given a model of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// The endpoints that chains name.
    pub endpoints: BTreeMap<String, Arc<Endpoint>>,
    /// A chain for each tier, none empty.
    pub(super) tiers: BTreeMap<ModelTier, Arc<[Link]>>,
    /// Models of single reviewers (or of `coordinator`), and the tiers that were named for them.
    pub(super) own: BTreeMap<String, Own>,
}

/// What a reviewer was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    Tier(ModelTier),
    Model(Link),
}

impl Gateway {
    /// Whom a reviewer (or `coordinator`) of this tier asks, in this order; never empty. A model of its own comes first,
    /// then its tier's.
    pub fn chain(&self, reviewer: &str, tier: ModelTier) -> Arc<[Link]> {
        let of = |tier: ModelTier| self.tiers.get(&tier).cloned().unwrap_or_default();
        match self.own.get(reviewer) {
            None => of(tier),
            Some(Own::Tier(tier)) => of(*tier),
            Some(Own::Model(first)) => std::iter::once(first).chain(of(tier).iter().filter(|link| *link != first)).cloned().collect(),
        }
    }

    /// The models that can be asked, each once.
    pub fn models(&self) -> BTreeSet<&str> {
        let own = self.own.values().filter_map(|own| match own {
            Own::Model(link) => Some(link),
            Own::Tier(_) => None,
        });
        self.tiers.values().flat_map(|chain| chain.iter()).chain(own).map(|link| link.model.as_str()).collect()
    }

    /// The names of the models that each tier asks, in this order.
    pub fn chains(&self) -> BTreeMap<String, Vec<String>> {
        let names = |chain: &Arc<[Link]>| chain.iter().map(|link| link.model.clone()).collect();
        self.tiers.iter().map(|(tier, chain)| (tier.name().to_owned(), names(chain))).collect()
    }

    /// The endpoint that most requests go to first.
    pub fn first_endpoint(&self) -> Option<&Endpoint> {
        let link = self.tiers.get(&ModelTier::Standard)?.first()?;
        self.endpoints.get(&link.endpoint).map(Arc::as_ref)
    }
}

impl ModelTier {
    /// All tiers.
    pub(crate) const ALL: [Self; 3] = [Self::Top, Self::Standard, Self::Light];

    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Standard => "standard",
            Self::Light => "light",
        }
    }
}
