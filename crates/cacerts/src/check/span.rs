//! A stretch of time on the command line, which may be none.

use std::str::FromStr;

use time::Duration;

/// From now on; `0` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).map(Self).ok_or_else(|| {
            format!(
                "`{text}` is not a stretch of time, expected for example 90m, 36h, 60d, 8w or 0"
            )
        })
    }
}

fn read(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let unit = text.chars().last()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        'y' => 365 * 24 * 60,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Nothing here outlives the last date that X.509 has.
    let minutes = number.parse::<u32>().ok().map(i64::from)?.checked_mul(minutes)?;
    (minutes <= 8000 * 365 * 24 * 60).then(|| Duration::minutes(minutes))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, minutes) in
            [("0", 0), ("0d", 0), ("90m", 90), ("36h", 2160), ("60d", 86400), ("8w", 80640)]
        {
            assert_eq!(text.parse(), Ok(Span(Duration::minutes(minutes))));
        }
    }

    #[test]
    fn what_is_no_span_is_answered_with_examples() {
        for text in ["", "d", "60", "-1d", "+1d", "1.5d", "9999y", "4294967296m", "1d12h", "1ÿ"] {
            let expected = format!(
                "`{text}` is not a stretch of time, expected for example 90m, 36h, 60d, 8w or 0"
            );
            assert_eq!(text.parse::<Span>(), Err(expected));
        }
    }
}
