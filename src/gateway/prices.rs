//! The list of prices that is built in, and under which names its models are found. It has a date, it is never fetched
//! (what it does not know has no price), and the operator's own prices go before it.
//!
//! A model is found by its id; below the prefix that gateways put before it (`openrouter/anthropic/claude-…`); and with the
//! day that providers append to a snapshot (`claude-sonnet-4-5-20250929`, `gpt-5.5-2026-04-23`). Anthropic's may have dots
//! for dashes (`claude-opus-4.5`). Every other ending (`:free`, `-fast`, `-pro`) can be another price: not found.

use super::price::{Long, Price};
use crate::date::Date;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

static LIST: &str = include_str!("prices.yaml");

/// A list of prices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    date: String,
    providers: Vec<Provider>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
    source: String,
    as_of: String,
    /// What gateways put before a model's id, with a slash after it.
    prefixes: Vec<String>,
    models: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Where it is older than the provider's.
    as_of: Option<String>,
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
    long: Option<LongEntry>,
    next: Option<Next>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LongEntry {
    above: u64,
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    from: String,
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
}

impl Prices {
    /// The list of this version.
    pub fn built_in() -> &'static Self {
        static READ: OnceLock<Prices> = OnceLock::new();
        READ.get_or_init(|| serde_saphyr::from_str(LIST).expect("a test reads this very list"))
    }

    /// The day on which it was put together, `2026-11-26`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// The price of a model on a day; `None` for one that it does not know.
    pub fn of(&self, model: &str, today: Date) -> Option<Price> {
        self.find(model).map(|(_, entry)| entry.price(today))
    }

    /// Where that price stands: `Anthropic's list of 2026-10-24, https://…`.
    pub fn source(&self, model: &str) -> Option<String> {
        let (provider, entry) = self.find(model)?;
        Some(format!("{}'s list of {}, {}", provider.name, entry.as_of.as_ref().unwrap_or(&provider.as_of), provider.source))
    }

    fn find(&self, model: &str) -> Option<(&Provider, &Entry)> {
        let model = model.to_ascii_lowercase();
        let model = model.strip_prefix("openrouter/").unwrap_or(&model);
        self.providers.iter().find_map(|provider| Some((provider, provider.find(model)?)))
    }
}

impl Provider {
    fn find(&self, model: &str) -> Option<&Entry> {
        let id = match model.split_once('/') {
            None => model,
            Some((prefix, id)) if self.prefixes.iter().any(|p| p == prefix) => id,
            Some(_) => return None,
        };
        let by = |id: &str| self.models.get(id).or_else(|| self.models.get(&id.replace('.', "-")));
        by(id).or_else(|| by(without_day(id)?))
    }
}

/// `x-20250929` and `x-2026-04-23` without the day; `None` for names that end in none.
fn without_day(id: &str) -> Option<&str> {
    let is_day = |text: &str| match text.len() {
        8 if text.bytes().all(|b| b.is_ascii_digit()) => Date::parse(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])).is_some(),
        _ => Date::parse(text).is_some(),
    };
    [9, 11].into_iter().find_map(|length| {
        let (rest, end) = id.split_at_checked(id.len().checked_sub(length)?)?;
        end.strip_prefix('-').filter(|day| is_day(day)).map(|_| rest)
    })
}

impl Entry {
    fn price(&self, today: Date) -> Price {
        let of = |input: f64, cached: Option<f64>, cache_write: Option<f64>, output: f64, long: Option<Long>| Price {
            input,
            cached: cached.unwrap_or(input),
            cache_write: cache_write.unwrap_or(input),
            output,
            long,
        };
        let next = self.next.as_ref().filter(|next| Date::parse(&next.from).is_some_and(|from| from <= today));
        match next {
            Some(n) => of(n.input, n.cached, n.cache_write, n.output, None),
            None => of(self.input, self.cached, self.cache_write, self.output, self.long.as_ref().map(LongEntry::long)),
        }
    }
}

impl LongEntry {
    fn long(&self) -> Long {
        Long {
            above: self.above,
            input: self.input,
            cached: self.cached.unwrap_or(self.input),
            cache_write: self.cache_write.unwrap_or(self.input),
            output: self.output,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).expect("a day")
    }

    /// Input and output of a model, in words.
    fn told(model: &str) -> String {
        Prices::built_in().of(model, day("2026-11-26")).map_or("-".to_owned(), |p| format!("{} {} {} {}", p.input, p.cached, p.cache_write, p.output))
    }

    #[test]
    fn every_entry_is_sound_and_says_where_it_comes_from() {
        let list = Prices::built_in();
        let date = Date::parse(list.date()).expect("a day");
        for provider in &list.providers {
            assert!(provider.source.starts_with("https://") && Date::parse(&provider.as_of).is_some_and(|d| d <= date), "{}", provider.name);
            for (model, entry) in &provider.models {
                assert!(entry.as_of.as_ref().is_none_or(|d| Date::parse(d).is_some_and(|d| d <= date)), "{model}");
                assert!(!model.contains('/') && *model == model.to_ascii_lowercase(), "{model}");
                for today in ["2026-11-26", "2030-01-01"] {
                    let price = entry.price(day(today));
                    let sound = |p: [f64; 4]| p[1] <= p[0] && p[0] <= p[2] && p[2] <= p[3] && p[1] > 0.0 && p[3] < 1_000.0;
                    assert!(sound([price.input, price.cached, price.cache_write, price.output]), "{model}: {price:?}");
                    let longer = price.long.is_none_or(|l| {
                        l.above >= 100_000 && l.input > price.input && l.output > price.output && sound([l.input, l.cached, l.cache_write, l.output])
                    });
                    assert!(longer, "{model}: {price:?}");
                }
                assert!(entry.next.as_ref().is_none_or(|n| Date::parse(&n.from).is_some_and(|from| from > date)), "{model}: already in force");
            }
        }
    }

    #[test]
    fn models_are_found_under_the_names_that_gateways_give_them() {
        for (model, price) in [
            ("claude-sonnet-5-5", "2 0.1 2.5 10"),
            ("anthropic/claude-sonnet-5-5", "2 0.1 2.5 10"),
            ("openrouter/anthropic/claude-sonnet-4.5", "3 0.3 3.75 15"),
            ("claude-sonnet-4-5-20250929", "3 0.3 3.75 15"),
            ("openai/gpt-6.2-sol", "2 0.1 2.5 10"),
            ("GPT-5.5-2026-04-23", "5 0.5 5 30"),
            ("google-ai-studio/gemini-2.5-pro", "1.25 0.125 1.25 10"),
            ("gemini/gemini-3.5-flash", "1.5 0.15 1.5 9"),
        ] {
            assert_eq!(told(model), price, "{model}");
        }
    }

    #[test]
    fn what_is_not_sure_has_no_price() {
        for model in [
            "",
            "/",
            "medium",
            "gpt-5.6-sol",
            "gpt-5.5-pro",
            "gpt-6-astra-fast",
            "claude-opus-5-5:free",
            "claude-opus-5-5-20261399",
            "claude-opus-5-5-2026",
            "google/claude-opus-5-5",
            "anthropic/gpt-5.5",
            "us.anthropic.claude-opus-4-5-20251101-v1:0",
            "ft:gpt-4.1:org::id",
            "azure/gpt-5.5",
            "價-20250929",
        ] {
            assert_eq!(told(model), "-", "{model}");
        }
    }

    #[test]
    fn an_announced_price_holds_from_its_day_on() {
        let of = |today| Prices::built_in().of("gemini-3.8-flash", day(today)).map(|p| (p.input, p.output));
        assert_eq!((of("2026-12-31"), of("2027-01-01")), (Some((0.75, 3.75)), Some((1.5, 7.5))));
    }

    #[test]
    fn long_requests_have_prices_of_their_own() {
        let long = Prices::built_in().of("claude-haiku-5-5", day("2026-11-26")).and_then(|p| p.long);
        assert_eq!(long, Some(Long { above: 100_000, input: 0.5, cached: 0.05, cache_write: 0.625, output: 2.5 }));
    }
}
