//! Moments: `--since` as people write it, and times as forges write them.

use crate::date::Date;

/// A moment, in seconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Since(pub i64);

const DAY: i64 = 86_400;

impl Since {
    /// Reads a day (`2026-11-20`, from its first moment in UTC), a moment (`2026-11-20T14:30:00Z`) or how long ago
    /// (`90m`, `12h`, `3d`, `2w`), counted back from `now`. `None` for anything else.
    pub fn parse(text: &str, now: i64) -> Option<Self> {
        let text = text.trim();
        if let Some(day) = Date::parse(text) {
            return Some(Self(start(day)));
        }
        instant(text).or_else(|| ago(text, now)).map(Self)
    }
}

fn ago(text: &str, now: i64) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        'm' => 60,
        'h' => 3_600,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let count: i64 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    now.checked_sub(count.checked_mul(unit)?)
}

/// Reads a moment of RFC 3339; fractions of a second are left out. `None` for anything else.
pub fn instant(text: &str) -> Option<i64> {
    let (day, time) = (Date::parse(text.get(..10)?)?, text.get(11..)?);
    matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')).then_some(())?;
    let two = |at: usize, most: i64| time.get(at..at + 2)?.parse::<u8>().ok().map(i64::from).filter(|n| *n <= most);
    let colons = time.as_bytes().get(2) == Some(&b':') && time.as_bytes().get(5) == Some(&b':');
    let (hour, minute, second) = (two(0, 23)?, two(3, 59)?, two(6, 60)?);
    let zone = time.get(8..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let east = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let part = |at: usize| zone.get(at..at + 2)?.parse::<u8>().ok().map(i64::from);
            let minutes = part(1)? * 60 + part(4)?;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    colons.then(|| start(day) + hour * 3_600 + (minute - east) * 60 + second)
}

fn start(day: Date) -> i64 {
    i64::try_from(day.unix()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_and_forges_write() {
        let now = 1_700_000_000;
        for (text, seconds) in [
            ("2023-11-14", 1_699_920_000),
            ("2023-11-14T22:13:20Z", now),
            ("2023-11-14T22:13:20.123456Z", now),
            ("2023-11-14T23:13:20.000+01:00", now),
            ("2023-11-14 17:43:20-04:30", now),
            ("90m", now - 5_400),
            ("12h", now - 43_200),
            (" 3d ", now - 259_200),
            ("2w", now - 1_209_600),
        ] {
            assert_eq!(Since::parse(text, now), Some(Since(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "d",
            "-3d",
            "+3d",
            "3",
            "3y",
            "yesterday",
            "2023-11-31",
            "2023-11-14T22:13",
            "2023-11-14T22:13:20",
            "2023-11-14T25:13:20Z",
            "2023-11-14T22-13-20Z",
            "99999999999999999999d",
            "9223372036854775807w",
            "3д",
        ] {
            assert_eq!(Since::parse(text, 0), None, "{text}");
        }
    }
}
