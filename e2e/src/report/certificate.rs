//! What a report says of one certificate.

use pki::Certificate;
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// The facts by which a reader tells certificates apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Facts {
    /// What to call it: its subject, or the identity of a workload certificate, which has none.
    pub(crate) name: String,
    /// RFC 4514; empty in what istiod issues.
    pub(crate) subject: String,
    /// RFC 4514.
    pub(crate) issuer: String,
    /// The URIs among its alternative names.
    pub(crate) uris: Vec<String>,
    /// Lower-case hex.
    pub(crate) serial: String,
    /// `sha256:` and hex.
    pub(crate) fingerprint: String,
    /// RFC 3339, UTC.
    pub(crate) not_before: String,
    /// RFC 3339, UTC.
    pub(crate) not_after: String,
    /// Kind and size of the public key.
    pub(crate) key: String,
    /// The signature algorithm.
    pub(crate) signature: String,
}

impl From<&Certificate> for Facts {
    fn from(certificate: &Certificate) -> Self {
        let subject = certificate.subject().to_string();
        let uris: Vec<_> = certificate.uri_sans().into_iter().map(str::to_owned).collect();
        let name = match (&*subject, uris.first()) {
            ("", Some(uri)) => uri.clone(),
            ("", None) => "(no name)".to_owned(),
            (subject, _) => subject.to_owned(),
        };
        let validity = certificate.validity();
        Self {
            name,
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial_hex(),
            fingerprint: certificate.fingerprint().to_string(),
            not_before: rfc3339(validity.not_before()),
            not_after: rfc3339(validity.not_after()),
            key: certificate.public_key_kind(),
            signature: certificate.signature_algorithm().to_owned(),
            subject,
            uris,
        }
    }
}

/// A time as every report prints it: RFC 3339 in UTC, whole seconds.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC).truncate_to_second();
    // Fails only outside the years 0 to 9999.
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}
