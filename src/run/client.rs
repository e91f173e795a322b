//! A gateway client by the configuration alone.

use super::{Setup, limits};
use crate::config::{self, ModelTier, Resolved};
use crate::date::Date;
use crate::error::UserError;
use crate::gateway::tape::{Player, Recorder};
use crate::gateway::{Caps, Gateway, Labels, Limits, Link, Price, Setup as GatewaySetup, Tape};
use crate::telemetry::Events;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A client, and who is asked for what.
pub struct Client {
    /// The client.
    pub gateway: Gateway,
    targets: config::Gateway,
}

impl Client {
    /// A client for the models of `targets`, within the caps of the configuration, and a note where a cap on dollars does not limit everything.
    /// Touches no network. Fails (exit 2) on an endpoint that cannot be used, and on a cap that cannot be kept.
    pub fn new(
        resolved: &Resolved,
        targets: config::Gateway,
        labels: &Labels,
        today: Date,
        events: &Events,
    ) -> Result<(Self, Option<String>), UserError> {
        let note = limits::can_be_kept(resolved, &targets, today)?;
        let caps = limits::caps(resolved, resolved.config.limits.usd);
        Ok((Self::within(caps, resolved, targets, labels, today, events, None)?, note))
    }

    fn within(
        caps: Caps,
        resolved: &Resolved,
        targets: config::Gateway,
        labels: &Labels,
        today: Date,
        events: &Events,
        record: Option<&Path>,
    ) -> Result<Self, UserError> {
        let endpoints = targets.endpoints.iter().map(|(name, endpoint)| Ok((name.clone(), endpoint.open(labels)?)));
        let endpoints = endpoints.collect::<Result<_, UserError>>()?;
        let limits = resolved.config.limits;
        let prices = limits::prices(resolved, &targets, today);
        let gateway = Gateway::new(GatewaySetup {
            endpoints,
            tape: tape(resolved, &targets, &prices, record)?,
            prices,
            caps,
            limits: Limits { first_byte: limits.first_byte, idle: limits.idle, parallel: limits.parallel, ..Limits::default() },
            events: events.clone(),
        });
        Ok(Self { gateway, targets })
    }

    /// Whom work of this name and tier asks, in this order.
    pub fn chain(&self, name: &str, tier: ModelTier) -> Arc<[Link]> {
        self.targets.chain(name, tier)
    }
}

impl Setup {
    /// A client within these caps; `None` where no gateway is configured or none is wanted. Touches no network. Fails (exit 2) on an
    /// endpoint that cannot be used.
    pub fn client(&self, caps: Caps, events: &Events) -> Result<Option<Client>, UserError> {
        let open = |targets| Client::within(caps, &self.resolved, targets, &self.labels, self.today, events, self.scope.record.as_deref());
        self.gateway.clone().map(open).transpose()
    }
}

/// What writes the exchanges of a run down, or answers in the place of its models.
fn tape(resolved: &Resolved, targets: &config::Gateway, prices: &BTreeMap<String, Price>, record: Option<&Path>) -> Result<Option<Tape>, UserError> {
    match (resolved.config.replay(), record) {
        (Some(_), Some(_)) => Err(UserError::usage(
            "a recording that is played is not recorded again",
            "--record is given, and TRIBUNE_GATEWAY_URL names a recording",
            "Leave out one of them: a recording is a folder, and can be copied.",
        )),
        (Some(dir), None) => Ok(Some(Tape::Play(Arc::new(Player::open(dir)?)))),
        (None, Some(dir)) => Ok(Some(Tape::Record(Arc::new(Recorder::create(dir, targets.chains(), prices.clone())?)))),
        (None, None) => Ok(None),
    }
}
