//! What calls were, added up: requests, tokens, dollars and time, by the model that was asked for.

use super::types::Usage;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a reviewer's calls were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallStats {
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they used, those that failed included.
    pub usage: Usage,
    /// The same for each model, by the name that it was asked by: that is the one it is priced by, whatever a gateway
    /// behind it makes of the name.
    pub models: BTreeMap<String, ModelStats>,
}

/// What the calls of one model were.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ModelStats {
    /// Requests sent, retries included.
    pub requests: u32,
    /// What they used.
    pub usage: Usage,
    /// Their time from sending to the end, together.
    pub time: Duration,
    /// Of those that were answered: how many, and their time to the first piece of an answer, together.
    answered: (u32, Duration),
}

impl CallStats {
    /// Adds one request: what it used, its time, and when its answer began.
    pub(crate) fn add(&mut self, model: &str, usage: &Usage, time: Duration, first: Option<Duration>) {
        self.requests += 1;
        self.usage.add(usage);
        let model = match self.models.get_mut(model) {
            Some(known) => known,
            None => self.models.entry(model.to_owned()).or_default(),
        };
        model.requests += 1;
        model.usage.add(usage);
        model.time += time;
        if let Some(first) = first {
            model.answered.0 += 1;
            model.answered.1 += first;
        }
    }

    /// Seconds from sending a request to the first piece of its answer, on average; `None` where none was answered.
    pub fn first_token_seconds(&self) -> Option<f64> {
        mean(self.models.values().map(|m| m.answered))
    }
}

impl ModelStats {
    /// As [`CallStats::first_token_seconds`].
    pub fn first_token_seconds(&self) -> Option<f64> {
        mean([self.answered])
    }
}

fn mean(answered: impl IntoIterator<Item = (u32, Duration)>) -> Option<f64> {
    let (count, time) = answered.into_iter().fold((0, Duration::ZERO), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (count > 0).then(|| time.as_secs_f64() / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_by_model() {
        let usage = |input, cost| Usage { input_tokens: input, output_tokens: 1, cost_usd: cost, ..Usage::default() };
        let second = Duration::from_secs(1);
        let mut stats = CallStats::default();
        assert_eq!(stats.first_token_seconds(), None);
        stats.add("a", &Usage::default(), second, None);
        stats.add("a", &usage(100, Some(0.5)), 4 * second, Some(second));
        stats.add("b", &usage(10, None), 6 * second, Some(3 * second));
        assert_eq!((stats.requests, stats.usage.input_tokens, stats.usage.cost_usd), (3, 110, None));
        let (a, b) = (stats.models["a"], stats.models["b"]);
        assert_eq!((a.requests, a.usage.cost_usd, a.time, a.first_token_seconds()), (2, Some(0.5), 5 * second, Some(1.0)));
        assert_eq!((b.requests, b.usage.cost_usd, b.first_token_seconds()), (1, None, Some(3.0)));
        assert_eq!(stats.first_token_seconds(), Some(2.0));
    }
}
