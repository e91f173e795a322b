//! Caps on tokens and dollars of a run. Each attempt reserves its worst case before it starts, so what is spent and
//! reserved together never exceeds a cap. It knows no prices but those that it is given.
//!
//! A worst case is the largest size that the request can have ([`Size`]), none of it read from a cache, and all the output
//! that it asks for. What answers really counted makes the next worst cases of that model smaller.

use super::error::{ErrorKind, GatewayError};
use super::price::Price;
use super::size::Size;
use super::types::Usage;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What is left buys at least so much output, or the call is not made: a report that is cut off costs and tells nothing.
const LEAST_OUTPUT: u32 = 2_000;
/// How much denser than anything counted so far the words of a model's next request are reckoned.
const MARGIN: f64 = 1.25;
/// However few tokens a gateway counts.
const LEAST_FACTOR: f64 = 0.3;

/// What a run may spend; `None` is no cap.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Caps {
    /// Input and output tokens together, of all models.
    pub tokens: Option<u64>,
    /// The same, of the models whose price is not known.
    pub unpriced_tokens: Option<u64>,
    /// Dollars, of the models whose price is known.
    pub usd: Option<f64>,
}

/// One of the caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// [`Caps::usd`].
    Usd,
    /// [`Caps::tokens`].
    Tokens,
    /// [`Caps::unpriced_tokens`].
    UnpricedTokens,
}

/// A cap that ended calls, in dollars or tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// Which.
    pub limit: Limit,
    /// The cap.
    pub cap: f64,
    /// What was spent, at most: where nobody counted, the worst case.
    pub spent: f64,
    /// Whether some of that is such a worst case.
    pub uncounted: bool,
    /// How many calls were not made, or cut off.
    pub calls: u32,
    /// What these could have cost at most.
    pub needed: f64,
}

/// Tokens and billionths of a dollar: whole numbers, so that sums are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amount {
    tokens: u64,
    unpriced: u64,
    nanos: u64,
}

impl Amount {
    fn new(tokens: u64, usd: Option<f64>) -> Self {
        Self { tokens, unpriced: if usd.is_none() { tokens } else { 0 }, nanos: usd.map_or(0, nanos) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            unpriced: self.unpriced.saturating_add(other.unpriced),
            nanos: self.nanos.saturating_add(other.nanos),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            unpriced: self.unpriced.saturating_sub(other.unpriced),
            nanos: self.nanos.saturating_sub(other.nanos),
        }
    }

    /// In dollars or tokens, as the limit has it.
    fn of(self, limit: Limit) -> f64 {
        match limit {
            Limit::Usd => self.nanos as f64 / 1e9,
            Limit::Tokens => self.tokens as f64,
            Limit::UnpricedTokens => self.unpriced as f64,
        }
    }
}

/// Rounded up; what is no number is more than any cap.
fn nanos(usd: f64) -> u64 {
    if usd.is_nan() { u64::MAX } else { (usd * 1e9).ceil() as u64 }
}

/// A cap, rounded down.
fn cap_nanos(usd: f64) -> u64 {
    (usd * 1e9) as u64
}

/// What an attempt asks for.
#[derive(Debug, Clone, Copy)]
struct Ask {
    input: u64,
    output: u32,
    price: Option<Price>,
}

impl Ask {
    /// The worst case with so much output.
    fn amount(&self, output: u32) -> Amount {
        let output = u64::from(output);
        Amount::new(self.input.saturating_add(output), self.price.map(|price| price.worst(self.input, output)))
    }
}

#[derive(Debug, Default)]
struct Ledger {
    spent: Amount,
    reserved: Amount,
    /// Whether some of what is spent was counted by nobody.
    uncounted: bool,
    refused: BTreeMap<Limit, (u32, Amount)>,
    /// By model: the densest words that its answers counted.
    factors: BTreeMap<String, f64>,
}

impl Ledger {
    fn input(&self, model: &str, size: Size) -> u64 {
        size.at_most(self.factors.get(model).map_or(1.0, |densest| (densest * MARGIN).max(LEAST_FACTOR)))
    }

    fn refuse(&mut self, limit: Limit, needed: Amount) {
        let (calls, sum) = self.refused.entry(limit).or_default();
        *calls += 1;
        *sum = sum.plus(needed);
    }
}

/// The run's budget.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    caps: Caps,
    ledger: Mutex<Ledger>,
    settled: Notify,
}

impl Budget {
    pub(crate) fn new(caps: Caps) -> Self {
        Self { caps, ..Self::default() }
    }

    /// Reserves an attempt's worst case. Where it fits only once others have settled, waits for them: their worst cases
    /// are mostly far above what they will have spent. Where it does not fit in what is left but for less output, that
    /// much is granted ([`Reservation::output`]). Fails where even that is too much.
    pub(crate) async fn reserve(&self, model: &str, size: Size, output: u32, price: Option<Price>) -> Result<Reservation<'_>, GatewayError> {
        let mut settled = std::pin::pin!(self.settled.notified());
        loop {
            // Registered before the look, so that what settles in between is not missed.
            settled.as_mut().enable();
            {
                let mut ledger = self.ledger();
                let ask = Ask { input: ledger.input(model, size), output, price };
                // What it could have if nobody else had anything reserved.
                let (granted, lowered) = match self.fit(&ask, ledger.spent) {
                    Ok(granted) => granted,
                    Err(limit) => {
                        ledger.refuse(limit, ask.amount(output));
                        return Err(refused(limit));
                    }
                };
                if self.fit(&ask, ledger.spent.plus(ledger.reserved)).is_ok_and(|(now, _)| now >= granted) {
                    let amount = ask.amount(granted);
                    ledger.reserved = ledger.reserved.plus(amount);
                    return Ok(Reservation { budget: self, model: model.to_owned(), size, output: granted, lowered, amount, price });
                }
            }
            settled.as_mut().await;
            settled.set(self.settled.notified());
        }
    }

    /// The caps that ended calls.
    pub(crate) fn reached(&self) -> Vec<Reached> {
        let ledger = self.ledger();
        let told = |(limit, (calls, needed)): (&Limit, &(u32, Amount))| Reached {
            limit: *limit,
            cap: self.cap(*limit).unwrap_or_default(),
            spent: ledger.spent.of(*limit),
            uncounted: ledger.uncounted,
            calls: *calls,
            needed: needed.of(*limit),
        };
        ledger.refused.iter().map(told).collect()
    }

    fn cap(&self, limit: Limit) -> Option<f64> {
        match limit {
            Limit::Usd => self.caps.usd,
            Limit::Tokens => self.caps.tokens.map(|n| n as f64),
            Limit::UnpricedTokens => self.caps.unpriced_tokens.map(|n| n as f64),
        }
    }

    /// The most output that fits on top of `base`, and the limit that lowers it. Fails where that is less than is of any use.
    fn fit(&self, ask: &Ask, base: Amount) -> Result<(u32, Option<Limit>), Limit> {
        let (mut most, mut by) = (ask.output, None);
        let mut room = |limit: Limit, output: u64| {
            if output < u64::from(most) {
                (most, by) = (output as u32, Some(limit));
            }
        };
        for (limit, cap, spent) in [
            (Limit::Tokens, self.caps.tokens, base.tokens),
            (Limit::UnpricedTokens, self.caps.unpriced_tokens.filter(|_| ask.price.is_none()), base.unpriced),
        ] {
            if let Some(cap) = cap {
                room(limit, cap.saturating_sub(spent).saturating_sub(ask.input));
            }
        }
        if let (Some(cap), Some(price)) = (self.caps.usd, &ask.price) {
            let left = cap_nanos(cap).saturating_sub(base.nanos);
            let fits = |output: u64| nanos(price.worst(ask.input, output)) <= left;
            // A free model fits even where all is spent.
            if !fits(u64::from(ask.output)) {
                // One less, where rounding makes it a billionth too much.
                let output = price.affordable(left as f64 / 1e9, ask.input);
                room(Limit::Usd, if fits(output) { output } else { output.saturating_sub(1) });
            }
        }
        match by {
            Some(limit) if most < ask.output.min(LEAST_OUTPUT) => Err(limit),
            by => Ok((most, by)),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Sums of numbers are whole at every step, so a panic elsewhere leaves them usable.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Told once for each call; [`Reached`] tells the rest, once for the run.
fn refused(limit: Limit) -> GatewayError {
    let what = if limit == Limit::Usd { "dollars" } else { "tokens" };
    GatewayError::new(ErrorKind::Budget, format!("the limit on {what} was reached"))
}

/// Room for one attempt; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    budget: &'a Budget,
    model: String,
    size: Size,
    output: u32,
    lowered: Option<Limit>,
    amount: Amount,
    price: Option<Price>,
}

impl Reservation<'_> {
    /// The most output tokens to ask for.
    pub(crate) fn output(&self) -> u32 {
        self.output
    }

    /// Ends it: `usage` was spent (and gets its cost), the rest is free again. An answer that was `cut` by the output it
    /// asked for fails where that was less than was wanted: no other one can be longer.
    pub(crate) fn settle(mut self, usage: &mut Usage, cut: bool) -> Result<(), GatewayError> {
        usage.cost_usd = self.price.map(|price| price.cost(usage));
        let counted = Amount::new(usage.input_tokens.saturating_add(usage.output_tokens), usage.cost_usd);
        let mut ledger = self.budget.ledger();
        // In one step with what is spent instead of it: nobody sees both, or neither.
        let amount = std::mem::take(&mut self.amount);
        ledger.reserved = ledger.reserved.minus(amount);
        if usage.estimated {
            // Nobody counted it: it may have been as much as was reserved.
            ledger.uncounted = true;
            let worst = Amount {
                tokens: counted.tokens.max(amount.tokens),
                unpriced: counted.unpriced.max(amount.unpriced),
                nanos: counted.nanos.max(amount.nanos),
            };
            ledger.spent = ledger.spent.plus(worst);
        } else {
            ledger.spent = ledger.spent.plus(counted);
            if let Some(factor) = self.size.factor(usage.input_tokens).filter(|_| usage.input_tokens > 0) {
                let densest = ledger.factors.entry(self.model.clone()).or_default();
                *densest = densest.max(factor);
            }
        }
        match self.lowered.filter(|_| cut) {
            Some(limit) => {
                ledger.refuse(limit, Amount::default());
                Err(GatewayError::new(ErrorKind::Budget, format!("{}: its answer was cut off at {} tokens", refused(limit).message, self.output)))
            }
            None => Ok(()),
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut ledger = self.budget.ledger();
        ledger.reserved = ledger.reserved.minus(self.amount);
        drop(ledger);
        self.budget.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
