//! What webpki 0.103 does not look at on a path it accepts.

use time::OffsetDateTime;

use super::VerifyError;
use super::error::named;
use crate::{Certificate, KeyUsageBit};

/// `intermediates` go upwards from the leaf's issuer to the one below `root`.
pub(super) fn check(
    leaf: &Certificate,
    intermediates: &[Certificate],
    root: &Certificate,
    now: OffsetDateTime,
) -> Result<(), VerifyError> {
    let issuers = || intermediates.iter().chain([root]);
    for (below, issuer) in (0..).zip(issuers()) {
        check_issuer(issuer, below, now)?;
    }
    for (child, issuer) in [leaf].into_iter().chain(intermediates).zip(issuers()) {
        check_key_ids(child, issuer)?;
    }
    // webpki judges the extended key usages below the root; Go judges the root's too.
    match root.ext_key_usage() {
        Some(usage) if !usage.has("serverAuth") && !usage.has("anyExtendedKeyUsage") => {
            Err(VerifyError::CaExtendedKeyUsage { ca: named(root), found: usage.to_string() })
        }
        _ => Ok(()),
    }
}

fn check_issuer(issuer: &Certificate, below: u32, now: OffsetDateTime) -> Result<(), VerifyError> {
    if !issuer.is_ca() {
        return Err(VerifyError::NotACa { ca: named(issuer) });
    }
    let validity = issuer.validity();
    if !validity.contains(now) {
        return Err(VerifyError::NotValidAt { certificate: named(issuer), validity, now });
    }
    if let Some(usage) = issuer.key_usage()
        && !usage.has(KeyUsageBit::KeyCertSign)
    {
        return Err(VerifyError::CaKeyUsage { ca: named(issuer), found: usage.to_string() });
    }
    // Counted as Go counts, for the root too: pilot-agent refuses what Envoy lets pass there.
    match issuer.path_len() {
        Some(allowed) if allowed < below => {
            Err(VerifyError::PathLength { ca: named(issuer), allowed, found: below })
        }
        _ => Ok(()),
    }
}

/// BoringSSL does not take a certificate as issuer whose SKI is not the child's AKI, though the
/// signature holds.
fn check_key_ids(child: &Certificate, issuer: &Certificate) -> Result<(), VerifyError> {
    match (child.authority_key_id(), issuer.subject_key_id()) {
        (Some(authority), Some(subject)) if authority != subject => Err(VerifyError::KeyId {
            child: named(child),
            expected: crate::hex::lower(subject),
            found: crate::hex::lower(authority),
        }),
        _ => Ok(()),
    }
}
