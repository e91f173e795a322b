//! How long to wait before another attempt. It never decides whether there is one: callers do.

use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wait that the answer's headers ask for: `retry-after-ms`, else `retry-after` as seconds (fractions
/// allowed) or as an HTTP date. `None` where they name none that makes sense.
pub(crate) fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    if let Some(wait) = text("retry-after-ms").and_then(|v| seconds(v, 1e-3)) {
        return Some(wait);
    }
    let value = text(RETRY_AFTER.as_str())?;
    seconds(value, 1.0).or_else(|| Some(http_date(value)?.duration_since(now).unwrap_or_default()))
}

/// The wait before attempt `after + 1` where nobody named one: `base` doubling up to 16 times `base`, less up to 25 % at random.
pub(crate) fn backoff(base: Duration, after: u32) -> Duration {
    let full = doubled(base, after);
    full - up_to(full / 4)
}

/// The wait before attempt `after + 1` where the gateway asked for one: never less, and more at random, since it asks many
/// jobs for the same: up to half of it, or as long as our own wait.
pub(crate) fn asked_and_spread(asked: Duration, base: Duration, after: u32) -> Duration {
    asked + up_to((asked / 2).max(doubled(base, after)))
}

/// A time at random below `most`.
pub(crate) fn up_to(most: Duration) -> Duration {
    most * chance() / 1000
}

fn doubled(base: Duration, after: u32) -> Duration {
    base * 2u32.pow(after.saturating_sub(1).min(4))
}

/// Thousandths at random. The hasher's keys are random: enough to spread the attempts of many jobs, and no dependency.
fn chance() -> u32 {
    (RandomState::new().hash_one(0) % 1000) as u32
}

/// A number of units (given in seconds) as a duration; at most some years.
pub(crate) fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let number = text.parse().ok().filter(|number: &f64| !number.is_nan())?;
    Duration::try_from_secs_f64((number * unit).min(1e9)).ok()
}

/// An HTTP date in its preferred form: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok().filter(|d| (1..=31).contains(d))?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|m| *m == month)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok().filter(|y| (1970..=9999).contains(y))?;
    let mut clock = words.next()?.split(':').map(|n| n.parse::<u64>().ok().filter(|n| *n <= 60));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // Days since the epoch in the Gregorian calendar, years counted from March.
    let y = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = (365 * y + y / 4 - y / 100 + y / 400 + day_of_year).checked_sub(719_468)?;
    Some(UNIX_EPOCH + Duration::from_secs(days * 86_400 + hour * 3_600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn asked(headers: &[(&'static str, &'static str)]) -> Option<f64> {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        let map = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        asked_wait(&map, now).map(|d| d.as_secs_f64())
    }

    #[test]
    fn waits_that_gateways_ask_for() {
        for (headers, wait) in [
            (&[][..], None),
            (&[("retry-after", "2")], Some(2.0)),
            (&[("retry-after", "0.25")], Some(0.25)),
            (&[("retry-after", "9"), ("retry-after-ms", "120")], Some(0.12)),
            (&[("retry-after", "9"), ("retry-after-ms", "soon")], Some(9.0)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(30.0)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")], Some(0.0)),
            (&[("retry-after", "Mon, 99 Foo 1994 08:49:00 GMT")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], Some(1e9)),
            (&[("retry-after", "")], None),
        ] {
            assert_eq!(asked(headers), wait, "{headers:?}");
        }
    }

    #[test]
    fn dates_are_counted_right() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(http_date(date), Some(UNIX_EPOCH + Duration::from_secs(seconds)), "{date}");
        }
    }

    #[test]
    fn waits_grow_and_are_spread() {
        let base = Duration::from_millis(500);
        for (after, full) in [(1, 500), (2, 1000), (3, 2000), (5, 8000), (99, 8000)] {
            for _ in 0..50 {
                let wait = backoff(base, after).as_millis();
                assert!((full * 3 / 4..=full).contains(&wait), "{after}: {wait}");
            }
        }
    }

    #[test]
    fn what_a_gateway_asks_for_is_the_least() {
        let base = Duration::from_millis(500);
        for (asked, after, most) in [(0, 1, 500), (1_000, 1, 1_500), (1_000, 2, 2_000), (20_000, 1, 30_000)] {
            let waits: Vec<u64> = (0..50).map(|_| asked_and_spread(Duration::from_millis(asked), base, after).as_millis() as u64).collect();
            assert!(waits.iter().all(|wait| (asked..=most).contains(wait)), "{asked}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{asked}: all alike");
        }
    }
}
