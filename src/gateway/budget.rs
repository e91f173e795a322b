//! Caps on tokens and dollars of a run. Each attempt reserves its worst case before it starts, so what is spent
//! and reserved together never exceeds a cap. It knows no prices but those that it is given.

use super::error::{ErrorKind, GatewayError};
use super::types::Usage;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a run may spend; `None` is no cap.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Caps {
    /// Input and output tokens together, of all models.
    pub tokens: Option<u64>,
    /// Dollars, of the models whose price is known.
    pub usd: Option<f64>,
}

/// A model's prices in dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Input that is neither read from the cache nor written to it.
    pub input: f64,
    /// Input read from the cache.
    pub cached: f64,
    /// Input written to the cache.
    pub cache_write: f64,
    /// Output, reasoning included.
    pub output: f64,
}

impl Price {
    /// What `usage` costs, in dollars.
    pub fn cost(&self, usage: &Usage) -> f64 {
        let plain = usage.input_tokens.saturating_sub(usage.cached_tokens).saturating_sub(usage.cache_write_tokens);
        let sum = plain as f64 * self.input
            + usage.cached_tokens as f64 * self.cached
            + usage.cache_write_tokens as f64 * self.cache_write
            + usage.output_tokens as f64 * self.output;
        sum / 1e6
    }
}

/// Tokens and dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Amount {
    tokens: u64,
    usd: f64,
}

impl Amount {
    fn of(usage: &Usage, price: Option<&Price>) -> Self {
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        Self { tokens, usd: price.map_or(0.0, |p| p.cost(usage)) }
    }

    /// An attempt's worst case: no input is read from the cache, all output is used.
    fn worst(body_bytes: usize, max_output_tokens: u32, price: Option<&Price>) -> Self {
        let input = (body_bytes as u64).div_ceil(4).saturating_mul(11).div_ceil(10);
        let output = u64::from(max_output_tokens);
        let usd = price.map_or(0.0, |p| (input as f64 * p.input.max(p.cached).max(p.cache_write) + output as f64 * p.output) / 1e6);
        Self { tokens: input + output, usd }
    }

    fn add(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.usd += other.usd;
    }

    fn take(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_sub(other.tokens);
        self.usd = (self.usd - other.usd).max(0.0);
    }
}

#[derive(Debug, Default)]
struct Ledger {
    spent: Amount,
    reserved: Amount,
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

    /// Reserves an attempt's worst case. Where it fits only once others have settled, waits for them: their worst
    /// cases are mostly far above what they will have spent. Fails where it cannot fit at all.
    pub(crate) async fn reserve(&self, body_bytes: usize, max_output_tokens: u32, price: Option<Price>) -> Result<Reservation<'_>, GatewayError> {
        let amount = Amount::worst(body_bytes, max_output_tokens, price.as_ref());
        let mut settled = std::pin::pin!(self.settled.notified());
        loop {
            // Registered before the look, so that what settles in between is not missed.
            settled.as_mut().enable();
            {
                let mut ledger = self.ledger();
                self.check(ledger.spent, amount)?;
                let mut all = ledger.spent;
                all.add(ledger.reserved);
                if self.check(all, amount).is_ok() {
                    ledger.reserved.add(amount);
                    return Ok(Reservation { budget: self, amount, price });
                }
            }
            settled.as_mut().await;
            settled.set(self.settled.notified());
        }
    }

    /// Whether `more` fits on top of `base`.
    fn check(&self, base: Amount, more: Amount) -> Result<(), GatewayError> {
        let refuse = |message: String| Err(GatewayError::new(ErrorKind::Budget, message));
        if let Some(cap) = self.caps.tokens {
            let sum = base.tokens.saturating_add(more.tokens);
            if sum > cap {
                return refuse(format!(
                    "the cap of {cap} tokens (--max-tokens) leaves no room: {} spent, {} needed at worst, {} too many",
                    base.tokens,
                    more.tokens,
                    sum - cap
                ));
            }
        }
        if let Some(cap) = self.caps.usd {
            let sum = base.usd + more.usd;
            if more.usd > 0.0 && (sum > cap || sum.is_nan()) {
                return refuse(format!(
                    "the cap of ${cap:.2} (--max-cost) leaves no room: ${:.4} spent, ${:.4} needed at worst, ${:.4} too much",
                    base.usd,
                    more.usd,
                    sum - cap
                ));
            }
        }
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Sums of numbers are whole at every step, so a panic elsewhere leaves them usable.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one attempt; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    budget: &'a Budget,
    amount: Amount,
    price: Option<Price>,
}

impl Reservation<'_> {
    /// Ends it: `usage` was spent (and gets its cost), the rest is free again.
    pub(crate) fn settle(self, usage: &mut Usage) {
        usage.cost_usd = self.price.as_ref().map(|price| price.cost(usage));
        self.budget.ledger().spent.add(Amount::of(usage, self.price.as_ref()));
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.budget.ledger().reserved.take(self.amount);
        self.budget.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    const PRICE: Price = Price { input: 3.0, cached: 0.3, cache_write: 3.75, output: 15.0 };

    fn usage(input: u64, cached: u64, written: u64, output: u64) -> Usage {
        Usage { input_tokens: input, cached_tokens: cached, cache_write_tokens: written, output_tokens: output, ..Usage::default() }
    }

    #[test]
    fn cost_counts_each_kind_of_token_once() {
        let cost = PRICE.cost(&usage(1_000_000, 500_000, 100_000, 10_000));
        assert!((cost - (0.4 * 3.0 + 0.5 * 0.3 + 0.1 * 3.75 + 0.15)).abs() < 1e-9, "{cost}");
    }

    #[tokio::test]
    async fn a_cap_refuses_and_says_by_how_much() {
        let budget = Budget::new(Caps { tokens: Some(1_000), usd: None });
        let error = budget.reserve(4_000, 100, None).await.expect_err("too much");
        insta::assert_snapshot!(error, @"the cap of 1000 tokens (--max-tokens) leaves no room: 0 spent, 1200 needed at worst, 200 too many");

        let budget = Budget::new(Caps { tokens: None, usd: Some(0.01) });
        let error = budget.reserve(4_000, 1_000, Some(PRICE)).await.expect_err("too much");
        insta::assert_snapshot!(error, @"the cap of $0.01 (--max-cost) leaves no room: $0.0000 spent, $0.0191 needed at worst, $0.0091 too much");
        assert!(budget.reserve(4_000, 1_000, None).await.is_ok(), "without a price there is nothing to compare");
    }

    #[tokio::test]
    async fn what_does_not_fit_yet_waits_for_others_to_settle() {
        let budget = Budget::new(Caps { tokens: Some(1_000), usd: None });
        let first = budget.reserve(400, 600, None).await.expect("fits");
        let second = budget.reserve(400, 600, None);
        let mut second = std::pin::pin!(second);
        assert!(timeout(Duration::from_millis(20), second.as_mut()).await.is_err(), "both do not fit");
        first.settle(&mut usage(100, 0, 0, 50));
        let second = second.await.expect("fits now");
        assert_eq!(budget.ledger().spent.tokens, 150);
        second.settle(&mut usage(100, 0, 0, 500));
        assert!(budget.reserve(400, 600, None).await.is_err());
        assert_eq!(budget.ledger().reserved, Amount::default());
    }

    #[tokio::test]
    async fn a_dropped_reservation_spends_nothing() {
        let budget = Budget::new(Caps { tokens: Some(1_000), usd: Some(1.0) });
        drop(budget.reserve(400, 600, Some(PRICE)).await.expect("fits"));
        let ledger = budget.ledger();
        assert_eq!((ledger.spent, ledger.reserved), (Amount::default(), Amount::default()));
    }
}
