//! What can go wrong with revocation lists.

use time::OffsetDateTime;

use super::{CrlNumber, Reason, Serial};
use crate::Validity;
use crate::validity::rfc3339;

/// A list that cannot be made, or lists that do not do for a mesh.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// Text that is no serial number.
    #[error("`{found}` is not a serial number, expected hex of 1 to 20 octets, not 0")]
    Serial {
        /// The text.
        found: String,
    },
    /// Text that is no reason.
    #[error("`{found}` is not a reason, expected {}", Reason::names().collect::<Vec<_>>().join(", "))]
    Reason {
        /// The text.
        found: String,
    },
    /// A CA whose key usage leaves out cRLSign, as that of Istio's Makefile does.
    #[error("`{subject}` may sign no revocation list: key usage has {found}, expected cRLSign")]
    NoCrlSign {
        /// Its subject.
        subject: String,
        /// The usages it has.
        found: String,
    },
    /// A list that would be valid when its CA is not.
    #[error("a list valid {wanted} does not lie within the life of `{subject}`, {life}")]
    OutsideLife {
        /// Subject of the CA.
        subject: String,
        /// From this update to the next.
        wanted: Validity,
        /// When the CA is valid.
        life: Validity,
    },
    /// A number that the list may not have: they start at 1 and go up.
    #[error("a list cannot have the number {found}, expected at least 1")]
    Number {
        /// The number.
        found: u64,
    },
    /// One certificate on a list twice.
    #[error("serial {serial} would be on the list twice")]
    RevokedTwice {
        /// Its serial number.
        serial: Serial,
    },
    /// A self-signed CA on its own list: whoever trusts the root would refuse all that is under it.
    #[error("`{subject}` cannot revoke itself; take it out of the trust bundle instead")]
    RevokesItself {
        /// Its subject.
        subject: String,
    },
    /// A CA without a list.
    #[error("no list of `{subject}`: {found}")]
    Missing {
        /// Subject of the CA.
        subject: String,
        /// What there is instead.
        found: &'static str,
    },
    /// More than one list of a CA.
    #[error("two lists of `{subject}`, number {first} and number {second}, expected one")]
    Twice {
        /// Subject of the CA.
        subject: String,
        /// One number, `none` where the list has none.
        first: String,
        /// The other.
        second: String,
    },
    /// A list of a CA that is not in the mesh.
    #[error("a list of `{issuer}`, which is none of the CAs that need one")]
    Foreign {
        /// The issuer's name.
        issuer: String,
    },
    /// A list that does not speak for all certificates of its CA.
    #[error("the list of `{subject}` is a partial one: it has the extension {oid}")]
    Partial {
        /// Subject of the CA.
        subject: String,
        /// The extension.
        oid: String,
    },
    /// A list outside its time.
    #[error(
        "the list of `{subject}` is valid {}/{}, not at {}",
        rfc3339(*.this_update), next_update.map_or_else(|| "..".to_owned(), rfc3339), rfc3339(*.now)
    )]
    NotValidAt {
        /// Subject of the CA.
        subject: String,
        /// Its start.
        this_update: OffsetDateTime,
        /// Its end.
        next_update: Option<OffsetDateTime>,
        /// The time asked for.
        now: OffsetDateTime,
    },
    /// A set without a list that the one before has.
    #[error("the new lists have none of `{issuer}`, the present ones do")]
    Dropped {
        /// The issuer's name.
        issuer: String,
    },
    /// A list that is older than the one it would replace.
    #[error(
        "the new list of `{issuer}` is older than the present one: number {} of {}, present {} of {}",
        text(new.0.as_ref()), rfc3339(new.1), text(present.0.as_ref()), rfc3339(present.1)
    )]
    Older {
        /// The issuer's name.
        issuer: String,
        /// Number and this update of the new list.
        new: (Option<CrlNumber>, OffsetDateTime),
        /// The same of the present one.
        present: (Option<CrlNumber>, OffsetDateTime),
    },
}

impl From<CrlError> for crate::Error {
    fn from(error: CrlError) -> Self {
        Self::Crl(Box::new(error))
    }
}

/// A number, or that there is none.
pub(super) fn text(number: Option<&CrlNumber>) -> String {
    number.map_or_else(|| "none".to_owned(), CrlNumber::to_string)
}
