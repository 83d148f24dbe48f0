//! The machine's time, which dates whatever is made.

use time::macros::datetime;
use time::{OffsetDateTime, UtcOffset};

use crate::failure::Failure;
use crate::lifetime::rfc3339;

/// This program was written later; moved on with its releases.
const FLOOR: OffsetDateTime = datetime!(2026-11-01 0:00 UTC);

/// Now. An offline machine whose battery is empty wakes up decades ago, and what it certifies is over
/// before it is plugged in.
///
/// # Errors
/// A clock that cannot be right.
pub(crate) fn now() -> Result<OffsetDateTime, Failure> {
    possible(OffsetDateTime::now_utc())
}

fn possible(now: OffsetDateTime) -> Result<OffsetDateTime, Failure> {
    if now >= FLOOR {
        return Ok(now);
    }
    let whole_seconds = now.to_offset(UtcOffset::UTC).truncate_to_second();
    Err(Failure::could_not(format!(
        "this machine's clock says {}, which is before this program was written; set it (`date --utc \
         --set '2026-11-30 12:00'`): certificates are dated and judged by it",
        rfc3339(whole_seconds)
    )))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use time::Duration;

    use super::*;

    #[test]
    fn a_clock_from_before_this_program_is_told_and_any_later_one_is_taken() {
        for now in [FLOOR, FLOOR + Duration::days(36500)] {
            assert_eq!(possible(now).unwrap(), now);
        }
        let too_early = [
            (OffsetDateTime::UNIX_EPOCH, "1970-01-01T00:00:00Z"),
            (FLOOR - Duration::NANOSECOND, "2026-10-31T23:59:59Z"),
        ];
        for (now, shown) in too_early {
            let expected = format!(
                "this machine's clock says {shown}, which is before this program was written; set \
                 it (`date --utc --set '2026-11-30 12:00'`): certificates are dated and judged by it"
            );
            assert_eq!(possible(now).unwrap_err().to_string(), expected);
        }
    }
}
