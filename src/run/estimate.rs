//! What a review would cost, before any call: every reviewer ending in one request.

use super::Prepared;
use crate::gateway::{ToolSpec, Usage, estimate_tokens};
use crate::reviewers::tools;
use std::collections::BTreeSet;

/// Output tokens that one request is reckoned with: a report of a few findings.
const OUTPUT_TOKENS: u64 = 800;

/// The estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// One for each reviewer.
    pub reviewers: Vec<ReviewerEstimate>,
    /// Input tokens of all requests.
    pub input_tokens: u64,
    /// Of these, prefixes that an earlier request of the same model has sent.
    pub repeated_tokens: u64,
    /// Dollars without any caching, where all prices are known.
    pub cost_usd: Option<f64>,
    /// The same where the provider's cache serves all that it can.
    pub cached_usd: Option<f64>,
}

/// One reviewer's share.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewerEstimate {
    /// Its id.
    pub id: String,
    /// The model it would ask, where a gateway is configured.
    pub model: Option<String>,
    /// Requests: one for each bundle.
    pub requests: usize,
    /// Input tokens.
    pub input_tokens: u64,
    /// Dollars without any caching, where the price is known.
    pub cost_usd: Option<f64>,
}

impl Prepared {
    /// Estimates the review.
    pub fn estimate(&self) -> Estimate {
        let variables = self.variables();
        let offered: u64 = tools::specs().iter().map(ToolSpec::tokens).sum();
        let fixed = offered + estimate_tokens(&self.setup.prompts.system(&variables));
        let prefixes: Vec<u64> = self.shared.iter().map(|s| s.tokens + fixed).collect();
        let mut reviewers = Vec::new();
        let mut asked = BTreeSet::new();
        let (mut repeated_tokens, mut cached_usd) = (0, Some(0.0));
        for reviewer in &self.reviewers {
            let chain = self.setup.gateway.as_ref().map(|g| g.chain(&reviewer.profile.id, reviewer.profile.model_tier));
            let model = chain.as_ref().and_then(|chain| chain.first()).map(|link| link.model.clone());
            let price = model.as_ref().and_then(|model| self.setup.price(model));
            // The first reviewer of a model writes the cache, the others read it.
            let first = asked.insert(model.clone());
            let (mut input_tokens, mut plain, mut cached) = (0, 0.0, 0.0);
            for (bundle, prefix) in self.bundles.iter().zip(&prefixes) {
                let own = estimate_tokens(&self.setup.prompts.own(reviewer, &variables, &self.languages(bundle), (1, self.bundles.len())));
                let usage = Usage { input_tokens: prefix + own, output_tokens: OUTPUT_TOKENS, ..Usage::default() };
                let shared = if first { Usage { cache_write_tokens: *prefix, ..usage } } else { Usage { cached_tokens: *prefix, ..usage } };
                input_tokens += usage.input_tokens;
                repeated_tokens += if first { 0 } else { *prefix };
                if let Some(price) = &price {
                    plain += price.cost(&usage);
                    cached += price.cost(&shared);
                }
            }
            cached_usd = cached_usd.filter(|_| price.is_some()).map(|sum| sum + cached);
            reviewers.push(ReviewerEstimate {
                id: reviewer.profile.id.clone(),
                requests: self.bundles.len(),
                input_tokens,
                cost_usd: price.map(|_| plain),
                model,
            });
        }
        let some = !reviewers.is_empty();
        Estimate {
            input_tokens: reviewers.iter().map(|r| r.input_tokens).sum(),
            repeated_tokens,
            cost_usd: reviewers.iter().map(|r| r.cost_usd).sum::<Option<f64>>().filter(|_| some),
            cached_usd: cached_usd.filter(|_| some),
            reviewers,
        }
    }

    /// What is going to happen to each file, in the diff's order.
    pub fn ledger(&self) -> Vec<(String, String)> {
        let shown = self.shown();
        let word = |i: usize| match self.risk.noise.get(i).and_then(Option::as_ref) {
            Some(noise) => format!("filtered: {}", noise.reason),
            None if shown.binary_search(&i).is_err() => "private: rules only".to_owned(),
            None => "review".to_owned(),
        };
        self.change.files.iter().enumerate().map(|(i, f)| (f.path().display().into_owned(), word(i))).collect()
    }
}
