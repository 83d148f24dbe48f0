//! What the first certificate must be: a workload's (SPIFFE X509-SVID) or istiod's own. Istio makes
//! both in security/pkg/pki/util/generate_cert.go.

use time::OffsetDateTime;

use super::VerifyError;
use crate::{Certificate, KeyUsageBit, SpiffeId};

pub(super) fn check_workload(leaf: &Certificate, expected: &SpiffeId) -> Result<(), VerifyError> {
    check_not_ca(leaf)?;
    check_identity(leaf, expected)?;
    check_usages(leaf)
}

pub(super) fn check_server(leaf: &Certificate, dns_name: &str) -> Result<(), VerifyError> {
    check_not_ca(leaf)?;
    if !leaf.dns_sans().contains(&dns_name) {
        return Err(VerifyError::ServerName {
            expected: dns_name.to_owned(),
            found: leaf.dns_sans().into_iter().map(str::to_owned).collect(),
        });
    }
    check_usages(leaf)
}

pub(super) fn check_dates(leaf: &Certificate, now: OffsetDateTime) -> Result<(), VerifyError> {
    let validity = leaf.validity();
    if validity.contains(now) {
        return Ok(());
    }
    Err(VerifyError::NotValidAt { certificate: "the served leaf".to_owned(), validity, now })
}

/// X509-SVID section 4.1: a leaf has the cA field set to false.
fn check_not_ca(leaf: &Certificate) -> Result<(), VerifyError> {
    if leaf.is_ca() {
        return Err(VerifyError::LeafIsCa { subject: leaf.subject().to_string() });
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
