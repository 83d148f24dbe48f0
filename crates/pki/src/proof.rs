//! What must be true of a certificate before it signs anything, whoever made it.
//!
//! rcgen and webpki prove little of this: rcgen lets a non-CA sign, webpki 0.103 looks neither at
//! the key usage of an intermediate nor at the dates and path length of a root.

use time::OffsetDateTime;

use crate::certificate::KeyUsageBit;
use crate::{Certificate, Error, Fingerprint, PrivateKey};

/// A CA that may sign certificates, is valid, and has the given key.
pub(crate) fn prove_issuer(
    certificate: &Certificate,
    key: Option<&PrivateKey>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let subject = || certificate.subject().to_string();
    if !certificate.is_ca() {
        return Err(Error::NotACa { subject: subject() });
    }
    // Without the extension every usage is allowed (RFC 5280 section 4.2.1.3).
    if let Some(usage) = certificate.key_usage()
        && !usage.has(KeyUsageBit::KeyCertSign)
    {
        return Err(Error::NoKeyCertSign { subject: subject(), found: usage.to_string() });
    }
    if let Some(key) = key {
        prove_key(certificate, key)?;
    }
    let validity = certificate.validity();
    if !validity.contains(now) {
        return Err(Error::NotValidAt { subject: subject(), validity, now });
    }
    Ok(())
}

pub(crate) fn prove_key(certificate: &Certificate, key: &PrivateKey) -> Result<(), Error> {
    let (expected, found) = (certificate.public_key_der(), key.public_key_der());
    if expected == found {
        return Ok(());
    }
    Err(Error::KeyMismatch {
        subject: certificate.subject().to_string(),
        expected: public_key_label(&certificate.public_key_kind(), expected),
        found: public_key_label(&key.kind(), found),
    })
}

/// The kind and the hash of a public key: enough to tell two apart.
pub(crate) fn public_key_label(kind: &str, public_key_der: &[u8]) -> String {
    format!("{kind} {}", Fingerprint::of(public_key_der))
}

/// That `needed` CAs may follow below (RFC 5280 section 4.2.1.9).
pub(crate) fn prove_path_length(certificate: &Certificate, needed: u32) -> Result<(), Error> {
    match certificate.path_len() {
        Some(found) if found < needed => {
            Err(Error::PathLength { subject: certificate.subject().to_string(), found, needed })
        }
        _ => Ok(()),
    }
}
