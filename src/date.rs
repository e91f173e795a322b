//! A day of the calendar, for what ends on one. It never asks a clock: whoever starts a run says what day it is.

use std::fmt;

/// A day, ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Reads `2027-01-31`; `None` for anything else, and for days that no calendar has.
    pub fn parse(text: &str) -> Option<Self> {
        let form = text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
        if !form {
            return None;
        }
        let date = Self { year: text[..4].parse().ok()?, month: text[5..7].parse().ok()?, day: text[8..].parse().ok()? };
        let known = date.year > 0 && (1..=12).contains(&date.month) && (1..=days(date.year, date.month)).contains(&date.day);
        known.then_some(date)
    }

    /// Its first second (UTC), counted from 1970; 0 for days before.
    pub fn unix(self) -> u64 {
        // Days in the Gregorian calendar, years counted from March.
        let (year, month, day) = (u64::from(self.year), u64::from(self.month), u64::from(self.day));
        let y = if month <= 2 { year - 1 } else { year };
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        (365 * y + y / 4 - y / 100 + y / 400 + day_of_year).saturating_sub(719_468) * 86_400
    }

    /// The day (UTC) on which so many seconds have passed since 1970; the last day that can be told for a time far off.
    pub fn of_unix(seconds: u64) -> Self {
        let mut left = seconds / 86_400;
        let mut date = Self { year: 1970, month: 1, day: 1 };
        loop {
            let month = u64::from(days(date.year, date.month));
            if left < month {
                date.day += u8::try_from(left).unwrap_or(0);
                return date;
            }
            left -= month;
            match (date.year, date.month) {
                (9_999, 12) => return Self { day: 31, ..date },
                (_, 12) => (date.year, date.month) = (date.year + 1, 1),
                _ => date.month += 1,
            }
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_of_the_calendar_only() {
        for text in ["2027-01-31", "2024-02-29", "2000-02-29", "9999-12-31"] {
            assert_eq!(Date::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for text in ["", "2027-1-31", "2027-02-29", "1900-02-29", "2027-13-01", "2027-00-10", "2027-04-31", "0000-01-01", "2027-01-3１", "+027-01-01"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert!(Date::parse("2026-12-31") < Date::parse("2027-01-01"));
    }

    #[test]
    fn counts_days_since_1970() {
        let told = [0, 86_399, 86_400, 951_782_400, 1_700_000_000, u64::MAX].map(|s| Date::of_unix(s).to_string());
        assert_eq!(told, ["1970-01-01", "1970-01-01", "1970-01-02", "2000-02-29", "2023-11-14", "9999-12-31"]);
        for seconds in (0..4_000_000_000u64).step_by(86_400 * 13) {
            assert_eq!(Date::of_unix(seconds + 7).unix(), seconds);
        }
        assert_eq!(Date::parse("0001-01-01").map(Date::unix), Some(0));
    }
}
