//! A certificate revocation list (RFC 5280 section 5), as far as the rules need it. Delta lists and
//! indirect lists are read like any other.

use time::OffsetDateTime;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::{Certificate, DistinguishedName, Error, KeyUsageBit, pem, signature};

/// The label of its PEM block.
pub(crate) const LABEL: &str = "X509 CRL";

pub(crate) struct Crl {
    der: Vec<u8>,
    issuer: DistinguishedName,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    revoked: Vec<String>,
}

impl Crl {
    pub(crate) fn from_block(block: &pem::Block) -> Result<Self, Error> {
        if block.label != LABEL {
            let found = block.label.clone();
            return Err(Error::PemLabel { line: block.line, expected: LABEL, found });
        }
        let malformed = |reason: String| Error::MalformedCrl { reason };
        let der = block.contents.as_slice();
        let (rest, crl) = CertificateRevocationList::from_der(der)
            .map_err(|reason| malformed(reason.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes follow it", rest.len())));
        }
        let revoked = crl.iter_revoked_certificates();
        Ok(Self {
            issuer: DistinguishedName::from_raw(crl.issuer().as_raw()),
            this_update: crl.last_update().to_datetime(),
            next_update: crl.next_update().map(|time| time.to_datetime()),
            revoked: revoked.map(|entry| crate::hex::lower(entry.raw_serial())).collect(),
            der: der.to_vec(),
        })
    }

    /// Whether it carries the CA's name, though perhaps not its signature.
    pub(crate) fn names(&self, ca: &Certificate) -> bool {
        self.issuer == *ca.subject()
    }

    /// Whether the CA made it and may make it, as Go's `CheckSignatureFrom` asks.
    pub(crate) fn is_of(&self, ca: &Certificate) -> bool {
        self.names(ca) && may_sign(ca) && signature::check(&self.der, ca.public_key_der()).is_ok()
    }

    pub(crate) fn revokes(&self, certificate: &Certificate) -> bool {
        self.revoked.contains(&certificate.serial_hex())
    }

    pub(crate) fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.this_update <= now && self.next_update.is_none_or(|next| now <= next)
    }
}

/// No key usage allows every usage (RFC 5280 section 4.2.1.3).
pub(crate) fn may_sign(ca: &Certificate) -> bool {
    ca.key_usage().is_none_or(|usage| usage.has(KeyUsageBit::CrlSign))
}
