use super::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

const PRICE: Price = Price { input: 3.0, cached: 0.3, cache_write: 3.75, output: 15.0, long: None };

fn usage(input: u64, output: u64) -> Usage {
    Usage { input_tokens: input, output_tokens: output, ..Usage::default() }
}

/// A body of so many words, and so many tokens at worst, 1,000 hidden ones among them.
fn words(n: usize) -> Size {
    Size::of(".".repeat(n).as_bytes())
}

fn tokens(most: u64) -> Budget {
    Budget::new(Caps { tokens: Some(most), ..Caps::default() })
}

#[tokio::test]
async fn a_cap_refuses_and_remembers_what_it_refused() {
    let budget = tokens(10_000);
    for _ in 0..2 {
        let error = budget.reserve("m", words(9_000), 1_000, None).await.expect_err("too much");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Budget, "the limit on tokens was reached"));
    }
    assert_eq!(budget.reached(), [Reached { limit: Limit::Tokens, cap: 10_000.0, spent: 0.0, uncounted: false, calls: 2, needed: 22_000.0 }]);

    let budget = Budget::new(Caps { usd: Some(0.05), ..Caps::default() });
    let error = budget.reserve("m", words(9_000), 1_000, Some(PRICE)).await.expect_err("too much");
    assert_eq!(error.message, "the limit on dollars was reached");
    let needed = 10_000.0 * 3.75 / 1e6 + 1_000.0 * 15.0 / 1e6;
    assert_eq!(budget.reached(), [Reached { limit: Limit::Usd, cap: 0.05, spent: 0.0, uncounted: false, calls: 1, needed }]);
    assert!(budget.reserve("m", words(9_000), 1_000, None).await.is_ok(), "without a price there are no dollars");
    let free = Price { input: 0.0, cached: 0.0, cache_write: 0.0, output: 0.0, long: None };
    assert!(budget.reserve("m", words(9_000), 1_000, Some(free)).await.is_ok());
}

#[tokio::test]
async fn tokens_of_models_without_a_price_have_a_cap_of_their_own() {
    let budget = Budget::new(Caps { unpriced_tokens: Some(5_000), ..Caps::default() });
    budget.reserve("m", words(1_000), 1_000, None).await.expect("fits").settle(&mut usage(2_000, 1_000), false).expect("whole");
    assert!(budget.reserve("m", words(1_000), 1_000, None).await.is_err());
    assert!(budget.reserve("m", words(100_000), 1_000, Some(PRICE)).await.is_ok(), "dollars limit it");
}

#[tokio::test]
async fn what_does_not_fit_yet_waits_for_others_to_settle() {
    let budget = tokens(5_000);
    let first = budget.reserve("m", words(1_000), 1_000, None).await.expect("fits");
    let mut second = std::pin::pin!(budget.reserve("m", words(1_000), 1_000, None));
    assert!(timeout(Duration::from_millis(20), second.as_mut()).await.is_err(), "both do not fit");
    first.settle(&mut usage(100, 50), false).expect("whole");
    let second = second.await.expect("fits now");
    assert_eq!(budget.ledger().spent.tokens, 150);
    second.settle(&mut usage(1_000, 1_000), false).expect("whole");
    assert!(budget.reserve("m", words(1_000), 1_000, None).await.is_err());
    assert_eq!(budget.ledger().reserved, Amount::default());
}

#[tokio::test]
async fn the_output_is_lowered_to_what_is_left_and_no_further_than_is_of_use() {
    let budget = tokens(10_000);
    let granted = budget.reserve("m", words(4_000), 8_000, None).await.expect("fits for less");
    assert_eq!(granted.output(), 5_000);
    let error = granted.settle(&mut usage(2_000, 5_000), true).expect_err("cut off by our limit");
    assert_eq!(error.message, "the limit on tokens was reached: its answer was cut off at 5000 tokens");
    assert_eq!(budget.reached()[0].calls, 1);
    // 3,000 are left: not enough for 1,000 of input and 2,001 of output.
    assert!(budget.reserve("m", words(1), 8_000, None).await.is_err());

    let budget = Budget::new(Caps { usd: Some(0.1), ..Caps::default() });
    let granted = budget.reserve("m", words(9_000), 8_000, Some(PRICE)).await.expect("fits for less");
    assert_eq!(granted.output(), 4_166, "(0.1 - 10,000 * 3.75 / 1e6) * 1e6 / 15");
    assert!(granted.settle(&mut usage(2_000, 4_166), false).is_ok(), "whole all the same");

    // Where others hold something, it waits for them before it takes less.
    let budget = tokens(12_000);
    let first = budget.reserve("m", words(1_000), 1_000, None).await.expect("fits");
    let mut second = std::pin::pin!(budget.reserve("m", words(1_000), 8_000, None));
    assert!(timeout(Duration::from_millis(20), second.as_mut()).await.is_err());
    drop(first);
    assert_eq!(second.await.expect("fits now").output(), 8_000);
}

#[tokio::test]
async fn worst_cases_follow_what_answers_counted() {
    let budget = tokens(1_000_000);
    let reserved = || async { budget.reserve("m", words(10_000), 1_000, None).await.expect("fits").amount.tokens };
    assert_eq!(reserved().await, 12_000, "all words, what is hidden, the output");
    let settle = async |model: &str, counted: Usage| {
        let mut counted = counted;
        budget.reserve(model, words(10_000), 1_000, None).await.expect("fits").settle(&mut counted, false).expect("whole");
    };
    settle("m", Usage { estimated: true, ..usage(1_000, 1) }).await;
    settle("other", usage(1_000, 1)).await;
    assert_eq!(reserved().await, 12_000, "nobody counted this model yet");
    settle("m", usage(4_000, 1)).await;
    assert_eq!(reserved().await, 5_000 + 2_000, "0.4 of the words, and a quarter more");
    settle("m", usage(1_000, 1)).await;
    assert_eq!(reserved().await, 7_000, "the densest counts");
    settle("m", usage(12_000, 1)).await;
    assert_eq!(reserved().await, 15_000 + 2_000, "a tokenizer that is denser than thought");
    settle("tiny", usage(1, 1)).await;
    let least = budget.reserve("tiny", words(10_000), 1_000, None).await.expect("fits").amount.tokens;
    assert_eq!(least, 3_000 + 2_000, "a gateway that counts next to nothing is not believed");
}

#[tokio::test]
async fn what_nobody_counted_was_the_worst_case() {
    let budget = Budget::new(Caps { usd: Some(1.0), ..Caps::default() });
    let mut guess = Usage { estimated: true, ..usage(100, 10) };
    budget.reserve("m", words(9_000), 1_000, Some(PRICE)).await.expect("fits").settle(&mut guess, false).expect("whole");
    assert!((guess.cost_usd.expect("it has a price") - PRICE.cost(&usage(100, 10))).abs() < 1e-12, "what is told is the estimate");
    assert_eq!(budget.ledger().spent.nanos, nanos(PRICE.worst(10_000, 1_000)));
    assert!(budget.reserve("m", words(9_000), 9_000_000, Some(Price { output: 1e6, ..PRICE })).await.is_err(), "far too much");
    assert!(budget.reached()[0].uncounted, "what is told as spent is more than was counted");
}

#[tokio::test]
async fn a_dropped_reservation_spends_nothing() {
    let budget = Budget::new(Caps { tokens: Some(9_000), usd: Some(1.0), ..Caps::default() });
    drop(budget.reserve("m", words(1_000), 600, Some(PRICE)).await.expect("fits"));
    let ledger = budget.ledger();
    assert_eq!((ledger.spent, ledger.reserved), (Amount::default(), Amount::default()));
}

/// One attempt: its words, the output it asks for, how much of its worst case it uses (in thousandths), whether it has a
/// price, how often it yields before it ends, and how it ends.
type Attempt = (usize, u32, u64, bool, u8, u8);

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever runs at the same time and however it ends, what is spent and reserved never exceeds a cap, nobody waits for
    /// ever, and who was refused could not have been served.
    #[test]
    fn spent_and_reserved_never_exceed_a_cap(
        attempts in prop::collection::vec((0_usize..20_000, 1_u32..9_000, 0_u64..1_001, any::<bool>(), 0_u8..4, 0_u8..4), 1..40),
        cap_tokens in prop::option::of(0_u64..200_000),
        cap_unpriced in prop::option::of(0_u64..100_000),
        cap_usd in prop::option::of(0.0_f64..1.0),
    ) {
        let caps = Caps { tokens: cap_tokens, unpriced_tokens: cap_unpriced, usd: cap_usd };
        let budget = Arc::new(Budget::new(caps));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_time().build().expect("a runtime");
        let paid = Arc::new(AtomicU64::new(0));
        let all = runtime.block_on(async {
            let tasks: Vec<_> = attempts.iter().map(|attempt| tokio::spawn(one(budget.clone(), *attempt, paid.clone()))).collect();
            timeout(Duration::from_secs(20), futures::future::join_all(tasks)).await
        });
        for done in all.expect("nobody waits for ever") {
            prop_assert!(done.expect("no panic"));
        }
        let ledger = budget.ledger();
        prop_assert_eq!(ledger.reserved, Amount::default());
        prop_assert_eq!(ledger.spent.tokens, paid.load(Ordering::SeqCst));
    }
}

/// Runs one attempt; whether every look at the ledger found the caps kept.
async fn one(budget: Arc<Budget>, (size, output, used, priced, yields, end): Attempt, paid: Arc<AtomicU64>) -> bool {
    let kept = || {
        let ledger = budget.ledger();
        let all = ledger.spent.plus(ledger.reserved);
        budget.caps.tokens.is_none_or(|cap| all.tokens <= cap)
            && budget.caps.unpriced_tokens.is_none_or(|cap| all.unpriced <= cap)
            && budget.caps.usd.is_none_or(|cap| all.nanos <= cap_nanos(cap))
    };
    let price = priced.then_some(PRICE);
    // Few words: nothing is learnt, and the worst case stays what it is.
    let size = words(size % 3_999);
    let Ok(reservation) = budget.reserve("m", size, output, price).await else { return kept() };
    let mut fine = kept();
    for _ in 0..yields {
        tokio::task::yield_now().await;
        fine &= kept();
    }
    let input = (size.at_most(1.0) * used / 1_000).min(size.at_most(1.0));
    let mut counted = usage(input, u64::from(reservation.output()) * used / 1_000);
    match end {
        0 => drop(reservation),
        _ => {
            paid.fetch_add(counted.input_tokens + counted.output_tokens, Ordering::SeqCst);
            let _ = reservation.settle(&mut counted, end == 1);
        }
    }
    fine && kept()
}
