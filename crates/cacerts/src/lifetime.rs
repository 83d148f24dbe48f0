//! How long a certificate lives: a duration (`90d`, `10y`) or its last day (`2036-11-24`).

use std::fmt;
use std::str::FromStr;

use pki::Validity;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, time};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

/// As it was said; the end is reckoned when the certificate is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// From now on.
    For(Duration),
    /// To the last second, in UTC.
    Until(OffsetDateTime),
}

/// A year of a lifetime: the Makefile's ten years are 3650 days too.
const YEAR: i64 = 365;

impl Lifetime {
    pub(crate) const fn days(days: i64) -> Self {
        Self::For(Duration::days(days))
    }

    /// The end of a life that starts at `now`; `None` where no certificate can carry it.
    pub(crate) fn end(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::For(duration) => now.checked_add(duration),
            Self::Until(end) => Some(end),
        }
    }

    /// As it is read: `730d`, `36h` or a time.
    pub(crate) fn short(self) -> String {
        match self {
            Self::For(duration) if duration.whole_hours() % 24 == 0 => {
                format!("{}d", duration.whole_days())
            }
            Self::For(duration) => format!("{}h", duration.whole_hours()),
            Self::Until(end) => rfc3339(end),
        }
    }

    /// Whether a certificate lives as long as this asks for. openssl reckons start and end one
    /// after the other, so that a second between them says nothing.
    pub(crate) fn is_of(self, validity: Validity) -> bool {
        self.end(validity.not_before())
            .is_some_and(|end| (end - validity.not_after()).abs() <= Duration::seconds(1))
    }
}

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration(text).map(Self::For).or_else(|| last_second(text).map(Self::Until)).ok_or_else(
            || {
                format!(
                    "`{text}` is not a lifetime, expected for example 36h, 90d, 8w, 10y (a year \
                     is 365 days), 2036-11-24 or 2036-11-24T12:00:00Z"
                )
            },
        )
    }
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 7 * 24,
        'y' => YEAR * 24,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours = number.parse::<u32>().ok().and_then(|n| i64::from(n).checked_mul(hours))?;
    // What is more fits no certificate, and could not be read again as so many days.
    (1..=10_000 * YEAR * 24).contains(&hours).then(|| Duration::hours(hours))
}

fn last_second(text: &str) -> Option<OffsetDateTime> {
    let day = format_description!("[year]-[month]-[day]");
    match Date::parse(text, &day) {
        // A sign before the year is read, too.
        Ok(day) if day.year() < 0 => None,
        Ok(day) => Some(day.with_time(time!(23:59:59)).assume_utc()),
        Err(_) => utc(text),
    }
}

/// Reads a time of RFC 3339 as one in UTC; `None` also where its offset takes it out of the years
/// that RFC 3339 has.
pub(crate) fn utc(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    time.checked_to_offset(UtcOffset::UTC).filter(|time| (0..=9999).contains(&time.year()))
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(duration) if duration.whole_hours() % 24 == 0 => {
                write!(f, "{} days", duration.whole_days())
            }
            Self::For(duration) => write!(f, "{} hours", duration.whole_hours()),
            Self::Until(end) => write!(f, "until {}", rfc3339(*end)),
        }
    }
}

/// The way every line prints a time.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    // Fails only outside the years 0 to 9999, which no certificate can carry.
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_lifetime_is_a_duration_or_its_last_day() {
        let read = |text: &str| text.parse::<Lifetime>();
        assert_eq!(read("36h"), Ok(Lifetime::For(Duration::hours(36))));
        assert_eq!(read("90d"), Ok(Lifetime::days(90)));
        assert_eq!(read("8w"), Ok(Lifetime::days(56)));
        assert_eq!(read("10y"), Ok(Lifetime::days(3650)));
        assert_eq!(read("2036-11-24"), Ok(Lifetime::Until(datetime!(2036-11-24 23:59:59 UTC))));
        assert_eq!(read("9999-12-31"), Ok(Lifetime::Until(datetime!(9999-12-31 23:59:59 UTC))));
        let noon = Ok(Lifetime::Until(datetime!(2036-11-24 12:00 UTC)));
        assert_eq!(read("2036-11-24T13:00:00+01:00"), noon);
        for lifetime in ["36h", "90d", "8w", "10y", "2036-11-24"].map(|text| read(text).unwrap()) {
            assert_eq!(read(&lifetime.short()), Ok(lifetime));
        }
    }

    #[test]
    fn what_is_no_lifetime_is_answered_with_examples() {
        let off_the_calendar =
            ["-0001-01-01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"];
        let texts = ["", "d", "0d", "-1d", "+1d", "90", "1.5y", "2036-13-01", "10001y", "10ÿ"];
        for text in texts.into_iter().chain(off_the_calendar) {
            let expected = format!(
                "`{text}` is not a lifetime, expected for example 36h, 90d, 8w, 10y (a year is \
                 365 days), 2036-11-24 or 2036-11-24T12:00:00Z"
            );
            assert_eq!(text.parse::<Lifetime>(), Err(expected));
        }
    }

    #[test]
    fn a_life_of_one_second_more_is_the_same_life_and_of_two_is_not() {
        let start = datetime!(2026-11-24 12:00 UTC);
        let lives = |more| {
            let end = start + Duration::days(90) + Duration::seconds(more);
            Lifetime::days(90).is_of(Validity::new(start, end).unwrap())
        };
        assert_eq!([-2, -1, 0, 1, 2].map(lives), [false, true, true, true, false]);
    }
}
