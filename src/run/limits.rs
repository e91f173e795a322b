//! Limits on money, tokens and time: which are in force, and what the report says of those that were reached. Prices are
//! found here, and nowhere invented: a model without one has no dollars, and a limit on tokens instead.

use super::{Draft, Prepared, Setup};
use crate::config::{Config, Gateway, Origin, Resolved};
use crate::date::Date;
use crate::error::UserError;
use crate::gateway::{Caps, Limit, Price, Prices, Reached};
use crate::report::{count, dollars, thousands};
use crate::reviewers::run::Desk;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// The price of a model as it is asked for: the operator's, else the list's.
pub(crate) fn price(resolved: &Resolved, model: &str, today: Date) -> Option<Price> {
    resolved.config.prices.get(model).copied().or_else(|| Prices::built_in().of(model, today))
}

/// Whether nobody has set this key.
fn by_default(resolved: &Resolved, key: &str) -> bool {
    matches!(resolved.origins.get(key), None | Some(Origin::BuiltIn))
}

/// A key as who set it knows it: the flag, or the key.
fn name(resolved: &Resolved, key: &str) -> String {
    match resolved.origins.get(key) {
        Some(Origin::Flag(flag)) => (*flag).to_owned(),
        None | Some(Origin::BuiltIn) => format!("{key}, the default"),
        Some(_) => key.to_owned(),
    }
}

/// Whether limits on dollars can be kept with these models. `--max-cost` with a model without a price is an error (exit 2);
/// a limit that a file sets may be meant for other models too, so there it is a note.
pub(super) fn can_be_kept(resolved: &Resolved, gateway: &Gateway, today: Date) -> Result<Option<String>, UserError> {
    let unpriced: Vec<&str> = gateway.models().into_iter().filter(|model| price(resolved, model, today).is_none()).collect();
    let Some(first) = unpriced.first() else { return Ok(None) };
    let models = unpriced.join(", ");
    let lacks = format!("neither `prices` nor the built-in list of {} has a price for {models}", Prices::built_in().date());
    if let Some(Origin::Flag(flag)) = resolved.origins.get("limits.usd") {
        return Err(UserError::usage(
            format!("{flag} cannot be kept: what {models} costs is not known"),
            lacks,
            format!(
                "Add `prices: {{\"{first}\": {{input: …, output: …}}}}` (dollars per million tokens) to the operator's file, or limit tokens with --max-tokens."
            ),
        ));
    }
    let set = ["limits.usd", "limits.usd_per_change"].into_iter().find(|key| !by_default(resolved, key));
    Ok(set.map(|key| format!("`{key}` does not limit everything: {lacks}. `limits.tokens` holds for that instead.")))
}

/// The dollars of a run, and whether it is the merge request's limit that leaves no more.
fn usd(config: &Config, before: Option<f64>) -> (f64, bool) {
    let limits = config.limits;
    match before.map(|spent| (limits.usd_per_change - spent).max(0.0)) {
        Some(left) if left < limits.usd => (left, true),
        _ => (limits.usd, false),
    }
}

/// A limit that was reached, in a sentence; `before` as for [`Setup::caps`].
pub fn limit_reached(resolved: &Resolved, reached: &Reached, before: Option<f64>) -> String {
    let (limits, tokens) = (resolved.config.limits, |n: f64| if n == 1.0 { "1 token".to_owned() } else { format!("{} tokens", thousands(n as u64)) });
    let named = |what: String, key: &str| format!("{what} ({})", name(resolved, key));
    let in_tokens = (tokens(reached.spent), tokens(reached.needed));
    let (limit, (spent, needed)) = match (reached.limit, usd(&resolved.config, before).1) {
        (Limit::Usd, false) => {
            (named(format!("{} for this run", dollars(limits.usd)), "limits.usd"), (dollars(reached.spent), dollars(reached.needed)))
        }
        (Limit::Usd, true) => {
            let spent = format!("{} in earlier rounds and {} in this one", dollars(before.unwrap_or(0.0)), dollars(reached.spent));
            (named(format!("{} for this merge request", dollars(limits.usd_per_change)), "limits.usd_per_change"), (spent, dollars(reached.needed)))
        }
        (Limit::Tokens, _) => (named(format!("{} for this run", tokens(reached.cap)), "limits.tokens"), in_tokens),
        (Limit::UnpricedTokens, _) => (named(format!("{} of models without a price", tokens(reached.cap)), "limits.tokens"), in_tokens),
    };
    let were = if reached.calls == 1 { "was" } else { "were" };
    let uncounted = if reached.uncounted { " (what the gateway did not count at its worst case)" } else { "" };
    format!(
        "The limit of {limit} was reached: {spent} spent{uncounted}, and {} {were} not made, or not to the end, which could have taken {needed} at most.",
        count(reached.calls as usize, "request")
    )
}

impl Setup {
    /// The price of a model as it is asked for.
    pub fn price(&self, model: &str) -> Option<Price> {
        price(&self.resolved, model, self.today)
    }

    /// The date of the built-in list of prices, where one of the models is priced by it.
    pub(super) fn price_list(&self) -> Option<String> {
        let listed = |model: &str| !self.config().prices.contains_key(model) && self.price(model).is_some();
        let any = self.gateway.as_ref().is_some_and(|gateway| gateway.models().into_iter().any(listed));
        any.then(|| Prices::built_in().date().to_owned())
    }

    /// Where the prices of the models come from, each place once.
    pub fn price_sources(&self) -> Vec<String> {
        let source = |model: &str| match self.config().prices.contains_key(model) {
            true => Some("`prices` of the configuration".to_owned()),
            false => Prices::built_in().source(model),
        };
        let all: BTreeSet<String> = self.gateway.iter().flat_map(Gateway::models).filter_map(source).collect();
        all.into_iter().collect()
    }

    /// What a run may spend; `before`: what earlier rounds of a merge request did, where it is one.
    pub fn caps(&self, before: Option<f64>) -> Caps {
        caps(&self.resolved, usd(self.config(), before).0)
    }
}

/// Prices of the models that can be asked.
pub(super) fn prices(resolved: &Resolved, gateway: &Gateway, today: Date) -> BTreeMap<String, Price> {
    gateway.models().into_iter().filter_map(|model| Some((model.to_owned(), price(resolved, model, today)?))).collect()
}

/// What a run may spend, of dollars this much. As long as nobody sets a limit on tokens, it holds for models without a price only.
pub(super) fn caps(resolved: &Resolved, usd: f64) -> Caps {
    let tokens = resolved.config.limits.tokens;
    let unset = by_default(resolved, "limits.tokens");
    Caps { tokens: (!unset).then_some(tokens), unpriced_tokens: unset.then_some(tokens), usd: Some(usd) }
}

impl Prepared {
    /// What earlier rounds cost, so far as that can be believed; `None` where it is no merge request.
    pub(super) fn spent_before(&self) -> Option<f64> {
        self.earlier.as_ref().map(|e| e.past.spent_usd().unwrap_or(0.0))
    }

    /// The limits in force, a line each.
    pub fn limits_in_words(&self) -> Vec<String> {
        let (resolved, limits) = (&self.setup.resolved, self.setup.config().limits);
        let mut lines = vec![format!("{} a run ({})", dollars(limits.usd), name(resolved, "limits.usd"))];
        if let Some(spent) = self.spent_before() {
            let key = name(resolved, "limits.usd_per_change");
            lines.push(format!("{} a merge request ({key}), {} of it spent in earlier rounds", dollars(limits.usd_per_change), dollars(spent)));
        }
        let whose = if by_default(resolved, "limits.tokens") { " of models without a price" } else { "" };
        lines.push(format!("{} tokens a run{whose} ({})", thousands(limits.tokens), name(resolved, "limits.tokens")));
        lines.push(format!("{} s a run ({})", thousands(limits.run.as_secs()), name(resolved, "limits.run_seconds")));
        lines
    }
}

/// Says which limits were reached, a line each, first of all notes; one that was makes the run inconclusive.
pub(super) fn tell(desk: &Desk, draft: &mut Draft<'_>) {
    let prepared = draft.prepared;
    let mut told: Vec<String> =
        desk.gateway.reached().iter().map(|reached| limit_reached(&prepared.setup.resolved, reached, prepared.spent_before())).collect();
    if Instant::now() >= desk.deadline {
        let resolved = &prepared.setup.resolved;
        let seconds = thousands(prepared.setup.config().limits.run.as_secs());
        told.push(format!(
            "The limit of {seconds} s for this run ({}) was reached; what was not done by then is named above.",
            name(resolved, "limits.run_seconds")
        ));
    }
    draft.limited |= !told.is_empty();
    draft.notes.splice(0..0, told);
}
