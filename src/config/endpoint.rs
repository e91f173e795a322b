//! Gateways as the operator names them: where code and keys may go. Nothing here talks to one.

use crate::error::UserError;
use crate::gateway::{self, Labels, TokenSource};
pub use crate::gateway::{Preset, Secret, WireKind as Wire};
pub use crate::reviewers::definition::ModelTier;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

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

/// A model at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The model's name as the gateway knows it.
    pub model: String,
    /// Where it is asked.
    pub endpoint: Arc<Endpoint>,
}

/// A target for each tier of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// For what is hardest.
    pub top: Target,
    /// For most reviewers.
    pub standard: Target,
    /// For what is easy.
    pub light: Target,
}

impl Gateway {
    /// The target of one tier.
    pub fn target(&self, tier: ModelTier) -> &Target {
        match tier {
            ModelTier::Top => &self.top,
            ModelTier::Standard => &self.standard,
            ModelTier::Light => &self.light,
        }
    }
}
