//! A gateway client by the configuration alone.

use super::Setup;
use crate::config::{self, ModelTier};
use crate::error::UserError;
use crate::gateway::{Caps, Gateway, Limits, Link, Setup as GatewaySetup};
use crate::telemetry::Events;
use std::sync::Arc;

/// A client, and who is asked for what.
pub struct Client {
    /// The client.
    pub gateway: Gateway,
    targets: config::Gateway,
}

impl Client {
    /// Whom work of this name and tier asks, in this order.
    pub fn chain(&self, name: &str, tier: ModelTier) -> Arc<[Link]> {
        self.targets.chain(name, tier)
    }
}

impl Setup {
    /// A client within these caps; `None` where no gateway is configured or none is wanted. Touches no network. Fails (exit 2) on an
    /// endpoint that cannot be used.
    pub fn client(&self, caps: Caps, events: &Events) -> Result<Option<Client>, UserError> {
        let Some(targets) = &self.gateway else { return Ok(None) };
        let endpoints = targets.endpoints.iter().map(|(name, endpoint)| Ok((name.clone(), endpoint.open(&self.labels)?)));
        let endpoints = endpoints.collect::<Result<_, UserError>>()?;
        let limits = self.config().limits;
        let gateway = Gateway::new(GatewaySetup {
            endpoints,
            prices: self.prices(),
            caps,
            limits: Limits { first_byte: limits.first_byte, idle: limits.idle, parallel: limits.parallel, ..Limits::default() },
            events: events.clone(),
        });
        Ok(Some(Client { gateway, targets: targets.clone() }))
    }
}
