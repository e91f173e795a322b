//! What tokens cost. It knows no model and no list of prices.

use super::types::Usage;
use serde::{Deserialize, Serialize};

/// A model's prices in dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Input that is neither read from the cache nor written to it.
    pub input: f64,
    /// Input read from the cache.
    pub cached: f64,
    /// Input written to the cache.
    pub cache_write: f64,
    /// Output, reasoning included.
    pub output: f64,
    /// Other prices for a whole request whose input is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<Long>,
}

/// Prices of a request with more than so many input tokens: they hold for all of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Long {
    /// Input tokens, cached ones included.
    pub above: u64,
    /// As in [`Price`].
    pub input: f64,
    /// As in [`Price`].
    pub cached: f64,
    /// As in [`Price`].
    pub cache_write: f64,
    /// As in [`Price`].
    pub output: f64,
}

impl Price {
    /// What one request's `usage` costs, in dollars.
    pub fn cost(&self, usage: &Usage) -> f64 {
        let price = self.at(usage.input_tokens);
        let plain = usage.input_tokens.saturating_sub(usage.cached_tokens).saturating_sub(usage.cache_write_tokens);
        let sum = plain as f64 * price.input
            + usage.cached_tokens as f64 * price.cached
            + usage.cache_write_tokens as f64 * price.cache_write
            + usage.output_tokens as f64 * price.output;
        sum / 1e6
    }

    /// What a request of so many tokens can cost at most, in dollars: nothing is read from the cache.
    pub fn worst(&self, input_tokens: u64, output_tokens: u64) -> f64 {
        let price = self.dearest(input_tokens);
        (input_tokens as f64 * price.input.max(price.cached).max(price.cache_write) + output_tokens as f64 * price.output) / 1e6
    }

    /// How many output tokens so many dollars buy, beside so many of input.
    pub(crate) fn affordable(&self, usd: f64, input_tokens: u64) -> u64 {
        let left = (usd - self.worst(input_tokens, 0)) * 1e6;
        let output = self.dearest(input_tokens).output;
        match (left >= 0.0, output > 0.0) {
            (false, _) => 0,
            (true, false) => u64::MAX,
            // A float that is too large becomes the largest number.
            (true, true) => (left / output) as u64,
        }
    }

    /// The prices in force for a request with so much input.
    fn at(&self, input_tokens: u64) -> Self {
        match self.long.filter(|long| input_tokens > long.above) {
            Some(Long { input, cached, cache_write, output, .. }) => Self { input, cached, cache_write, output, long: None },
            None => *self,
        }
    }

    /// The same where the input is only known to be at most so much.
    fn dearest(&self, input_tokens: u64) -> Self {
        let at = self.at(input_tokens);
        Self {
            input: at.input.max(self.input),
            cached: at.cached.max(self.cached),
            cache_write: at.cache_write.max(self.cache_write),
            output: at.output.max(self.output),
            long: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price { input: 3.0, cached: 0.3, cache_write: 3.75, output: 15.0, long: None };
    const LONG: Long = Long { above: 200_000, input: 6.0, cached: 0.6, cache_write: 7.5, output: 22.5 };

    fn usage(input: u64, cached: u64, written: u64, output: u64) -> Usage {
        Usage { input_tokens: input, cached_tokens: cached, cache_write_tokens: written, output_tokens: output, ..Usage::default() }
    }

    #[test]
    fn each_kind_of_token_is_paid_once() {
        for (counted, dollars) in [
            (usage(0, 0, 0, 0), 0.0),
            (usage(1_000_000, 0, 0, 0), 3.0),
            (usage(1_000_000, 1_000_000, 0, 0), 0.3),
            (usage(1_000_000, 500_000, 100_000, 10_000), 0.4 * 3.0 + 0.5 * 0.3 + 0.1 * 3.75 + 0.15),
        ] {
            assert!((PRICE.cost(&counted) - dollars).abs() < 1e-9, "{counted:?}");
        }
    }

    #[test]
    fn a_long_request_has_its_own_prices_for_all_of_it() {
        let price = Price { long: Some(LONG), ..PRICE };
        assert_eq!(price.cost(&usage(200_000, 0, 0, 1_000)), PRICE.cost(&usage(200_000, 0, 0, 1_000)));
        let cost = price.cost(&usage(200_001, 200_001, 0, 1_000));
        assert!((cost - (200_001.0 * 0.6 + 1_000.0 * 22.5) / 1e6).abs() < 1e-9, "{cost}");
    }

    #[test]
    fn the_worst_case_is_dearer_than_any_usage_within_it() {
        for price in [PRICE, Price { long: Some(LONG), ..PRICE }, Price { cached: 9.0, ..PRICE }] {
            for input in [1, 200_000, 200_001, 400_000] {
                for part in [usage(input, 0, 0, 500), usage(input, input, 0, 500), usage(input, 0, input, 500), usage(input / 3, 0, 0, 500)] {
                    assert!(price.cost(&part) <= price.worst(input, 500) + 1e-12, "{price:?} {part:?}");
                }
            }
        }
    }

    #[test]
    fn tells_how_much_output_is_affordable() {
        assert_eq!(PRICE.affordable(0.015 + 0.00375, 1_000), 1_000);
        assert_eq!((PRICE.affordable(0.001, 1_000), PRICE.affordable(0.00375, 1_000)), (0, 0));
        assert_eq!(Price { output: 0.0, ..PRICE }.affordable(1.0, 1_000), u64::MAX);
    }
}
