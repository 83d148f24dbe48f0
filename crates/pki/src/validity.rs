//! The period in which a certificate is valid (RFC 5280 section 4.1.2.5).

use std::fmt;
use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::Error;

/// Both ends belong to the period; whole seconds, UTC. `not_before` is never after `not_after`.
///
/// Printed and read as two RFC 3339 times with a slash between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Validity {
    /// Cuts both times to whole seconds, since a certificate cannot carry less.
    ///
    /// # Errors
    /// [`Error::ReversedValidity`] if the end lies before the start, [`Error::TimeRange`] for a time
    /// outside the years 0 to 9999 of UTC.
    pub fn new(not_before: OffsetDateTime, not_after: OffsetDateTime) -> Result<Self, Error> {
        let (not_before, not_after) = (whole_second(not_before)?, whole_second(not_after)?);
        if not_after < not_before {
            return Err(Error::ReversedValidity { not_before, not_after });
        }
        Ok(Self { not_before, not_after })
    }

    /// The first second of the period.
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The last second of the period.
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// Whether `now` lies in the period.
    pub fn contains(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// The same start, and an end that is not after `limit`.
    pub(crate) fn ending_by(self, limit: OffsetDateTime) -> Result<Self, Error> {
        Self::new(self.not_before, self.not_after.min(limit))
    }
}

fn whole_second(found: OffsetDateTime) -> Result<OffsetDateTime, Error> {
    let utc = found.checked_to_offset(UtcOffset::UTC);
    let utc = utc.filter(|utc| (0..=9999).contains(&utc.year()));
    Ok(utc.ok_or(Error::TimeRange { found })?.truncate_to_second())
}

/// RFC 3339 in UTC, the way every report prints a time.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    // Fails only outside the years 0 to 9999, which no certificate can carry.
    let utc = time.checked_to_offset(UtcOffset::UTC).unwrap_or(time);
    utc.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", rfc3339(self.not_before), rfc3339(self.not_after))
    }
}

impl FromStr for Validity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let read = |part: &str| OffsetDateTime::parse(part, &Rfc3339).ok();
        let (start, end) = text
            .split_once('/')
            .and_then(|(start, end)| Some((read(start)?, read(end)?)))
            .ok_or_else(|| Error::ValidityText { found: text.to_owned() })?;
        Self::new(start, end)
    }
}
