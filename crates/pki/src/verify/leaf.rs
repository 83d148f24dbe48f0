//! What makes the first certificate a workload certificate (SPIFFE X509-SVID, and what istiod
//! issues in security/pkg/pki/util/generate_cert.go).

use time::OffsetDateTime;

use super::VerifyError;
use crate::{Certificate, KeyUsageBit, SpiffeId};

pub(super) fn check(
    leaf: &Certificate,
    expected: &SpiffeId,
    now: OffsetDateTime,
) -> Result<(), VerifyError> {
    // X509-SVID section 4.1: a leaf has the cA field set to false.
    if leaf.is_ca() {
        return Err(VerifyError::LeafIsCa { subject: leaf.subject().to_string() });
    }
    check_identity(leaf, expected)?;
    check_usages(leaf)?;
    let validity = leaf.validity();
    if !validity.contains(now) {
        return Err(VerifyError::NotValidAt {
            certificate: "the workload certificate".to_owned(),
            validity,
            now,
        });
    }
    Ok(())
}

fn check_identity(leaf: &Certificate, expected: &SpiffeId) -> Result<(), VerifyError> {
    // X509-SVID section 2: exactly one URI.
    let uris = leaf.uri_sans();
    if uris != [expected.as_str()] {
        return Err(VerifyError::Identity {
            expected: expected.clone(),
            found: uris.into_iter().map(str::to_owned).collect(),
        });
    }
    // RFC 5280 section 4.2.1.6: critical where the subject is empty.
    if leaf.subject().is_empty() && !leaf.san_is_critical() {
        return Err(VerifyError::SanNotCritical);
    }
    Ok(())
}

fn check_usages(leaf: &Certificate) -> Result<(), VerifyError> {
    // X509-SVID section 4.3.
    let usage = leaf.key_usage();
    let good = usage.is_some_and(|usage| {
        usage.has(KeyUsageBit::DigitalSignature)
            && !usage.has(KeyUsageBit::KeyCertSign)
            && !usage.has(KeyUsageBit::CrlSign)
    });
    if !good {
        return Err(VerifyError::LeafKeyUsage {
            found: usage.map_or_else(|| "no key usage".to_owned(), |usage| usage.to_string()),
        });
    }
    // X509-SVID section 4.4: both, where the extension is there; Istio's leaf always has it.
    match leaf.ext_key_usage() {
        Some(usage) if !(usage.has("serverAuth") && usage.has("clientAuth")) => {
            Err(VerifyError::LeafExtendedKeyUsage { found: usage.to_string() })
        }
        _ => Ok(()),
    }
}
