//! What a review cost, by reviewer and model: the cells of the tables that formats for people show, and the lines below them.

use super::plain::one_line;
use super::words::{dollars, duration, thousands};
use super::{ModelRun, Review, ReviewerRun};
use crate::gateway::Usage;

/// What one model was asked by one reviewer, ready to be shown; strangers' names as they came, on one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) reviewer: String,
    /// As it named itself; where several were asked, as they were asked.
    pub(super) model: String,
    pub(super) requests: String,
    pub(super) input: String,
    /// Of the input: `81%`.
    pub(super) cached: String,
    /// Of the input: `10%`.
    pub(super) written: String,
    pub(super) output: String,
    pub(super) cost: String,
    /// To the first token.
    pub(super) first: String,
    /// The reviewer's own, in its first row.
    pub(super) time: String,
}

/// A row for each model that a reviewer asked.
pub(super) fn rows(run: &ReviewerRun) -> Vec<Row> {
    let row = |(i, model): (usize, &ModelRun)| Row {
        reviewer: one_line(&run.id),
        model: one_line(run.model.as_deref().filter(|_| run.models.len() == 1).unwrap_or(&model.model)),
        requests: thousands(model.requests.into()),
        first: model.first_token_seconds.map(duration).unwrap_or_default(),
        time: if i == 0 { duration(run.seconds) } else { String::new() },
        ..tokens(&model.usage)
    };
    run.models.iter().enumerate().map(row).collect()
}

fn tokens(usage: &Usage) -> Row {
    if usage.input_tokens == 0 && usage.output_tokens == 0 {
        return Row::default();
    }
    let about = if usage.estimated { "~" } else { "" };
    let share = |part: u64| match part.saturating_mul(100).checked_div(usage.input_tokens) {
        Some(percent) if part > 0 => format!("{}%", percent.clamp(1, 100)),
        _ => String::new(),
    };
    Row {
        input: format!("{about}{}", thousands(usage.input_tokens)),
        cached: share(usage.cached_tokens),
        written: share(usage.cache_write_tokens),
        output: format!("{about}{}", thousands(usage.output_tokens)),
        cost: usage.cost_usd.map_or_else(|| "unknown".to_owned(), dollars),
        ..Row::default()
    }
}

/// What has to be known of the dollars, a sentence each.
pub(super) fn remarks(review: &Review) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(before) = review.spent_before_usd.filter(|usd| *usd > 0.0) {
        out.push(format!("This merge request so far: {}.", dollars(before + review.known_usd().unwrap_or(0.0))));
    }
    if let Some(date) = review.provenance.prices.as_deref().filter(|_| review.known_usd().is_some()) {
        out.push(format!("Dollars by the built-in list of prices of {}; what your gateway charges may differ.", one_line(date)));
    }
    if review.usage.estimated {
        out.push("~ is an estimate: the provider did not count.".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_row_for_each_model() {
        let mut run = sample::review().reviewers[1].clone();
        let usage = Usage { input_tokens: 1_000, cached_tokens: 4, cache_write_tokens: 250, output_tokens: 20, cost_usd: None, estimated: true };
        run.models.push(ModelRun { model: "model-b".to_owned(), requests: 1, usage, seconds: 1.0, first_token_seconds: None });
        let told: Vec<String> = rows(&run)
            .into_iter()
            .map(|r| [r.reviewer, r.model, r.requests, r.input, r.cached, r.written, r.output, r.cost, r.first, r.time].join(" | "))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        quality | model-a | 2 | 61,728 | 81% |  | 1,605 | $0.21 | 1.2 s | 22 s
        quality | model-b | 1 | ~1,000 | 1% | 25% | ~20 | unknown |  | 
        ");
    }

    #[test]
    fn remarks_tell_whose_prices_and_what_was_before() {
        let mut review = sample::review();
        review.spent_before_usd = Some(0.88);
        review.usage.estimated = true;
        insta::assert_snapshot!(remarks(&review).join("\n"), @"
        This merge request so far: $1.30.
        Dollars by the built-in list of prices of 2026-11-26; what your gateway charges may differ.
        ~ is an estimate: the provider did not count.
        ");
        assert_eq!(remarks(&sample::clean_review()), Vec::<String>::new());
    }
}
