//! What a review would cost, before any call: every reviewer ending in one request.

use super::Prepared;
use crate::gateway::{ToolSpec, estimate_tokens};
use crate::reviewers::tools;

/// Output tokens that one request is reckoned with: a report of a few findings.
const OUTPUT_TOKENS: f64 = 800.0;

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
        let prefixes: u64 = self.shared.iter().map(|s| s.tokens + fixed).sum();
        let mut reviewers = Vec::new();
        let mut models = std::collections::BTreeSet::new();
        for reviewer in &self.reviewers {
            let chain = self.setup.gateway.as_ref().map(|g| g.chain(&reviewer.profile.id, reviewer.profile.model_tier));
            let model = chain.as_ref().and_then(|chain| chain.first()).map(|link| link.model.clone());
            let own: u64 = self
                .bundles
                .iter()
                .map(|b| estimate_tokens(&self.setup.prompts.own(reviewer, &variables, &self.languages(b), (1, self.bundles.len()))))
                .sum();
            let input_tokens = prefixes + own;
            let price = model.as_ref().and_then(|model| self.setup.config().prices.get(model));
            models.insert(model.clone());
            reviewers.push(ReviewerEstimate {
                id: reviewer.profile.id.clone(),
                requests: self.bundles.len(),
                input_tokens,
                cost_usd: price.map(|p| (input_tokens as f64 * p.input + OUTPUT_TOKENS * self.bundles.len() as f64 * p.output) / 1e6),
                model,
            });
        }
        let repeats = reviewers.len().saturating_sub(models.len()) as u64;
        Estimate {
            input_tokens: reviewers.iter().map(|r| r.input_tokens).sum(),
            repeated_tokens: prefixes * repeats,
            cost_usd: reviewers.iter().map(|r| r.cost_usd).sum::<Option<f64>>().filter(|_| !reviewers.is_empty()),
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
