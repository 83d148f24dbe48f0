//! A certificate revocation list (RFC 5280 section 5): read, and issued by the CAs of this crate.
//!
//! Delta lists and indirect lists are read like any other; [`CrlSet`] takes neither. What a list
//! means for a mesh is said by the rules.

use std::fmt;

use time::OffsetDateTime;
use x509_parser::oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
use x509_parser::prelude::{FromDer, X509Extension};
use x509_parser::revocation_list::CertificateRevocationList;

use crate::{Certificate, DistinguishedName, Error, KeyUsageBit, pem, signature};

mod entry;
mod error;
mod issue;
mod number;
mod set;

pub use entry::{Reason, Revocation, Serial};
pub use error::CrlError;
pub use issue::CrlParams;
pub use number::CrlNumber;
pub use set::CrlSet;

/// The label of its PEM block.
pub(crate) const LABEL: &str = "X509 CRL";

/// A list of the certificates that one CA has revoked. Two are equal if their DER is.
#[derive(Clone)]
pub struct Crl {
    der: Vec<u8>,
    issuer: DistinguishedName,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    number: Option<CrlNumber>,
    revoked: Vec<Revocation>,
    /// The extension, by its OID, for which Envoy does not take it as the whole list of its CA.
    pub(crate) partial: Option<String>,
}

impl Crl {
    /// Parses one DER list with nothing behind it.
    ///
    /// # Errors
    /// [`Error::MalformedCrl`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let malformed = |reason: String| Error::MalformedCrl { reason };
        let (rest, crl) = CertificateRevocationList::from_der(der)
            .map_err(|reason| malformed(reason.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes follow it", rest.len())));
        }
        let partial =
            crl.extensions().iter().find(|extension| is_partial(extension)).or_else(|| {
                let mut entries =
                    crl.iter_revoked_certificates().flat_map(|entry| entry.extensions());
                entries.find(|extension| extension.critical)
            });
        Ok(Self {
            issuer: DistinguishedName::from_raw(crl.issuer().as_raw()).map_err(malformed)?,
            this_update: crl.last_update().to_datetime(),
            next_update: crl.next_update().map(|time| time.to_datetime()),
            number: crl.crl_number().map(|number| CrlNumber::from_be_bytes(&number.to_bytes_be())),
            revoked: crl.iter_revoked_certificates().map(Revocation::read).collect(),
            partial: partial.map(|extension| extension.oid.to_id_string()),
            der: der.to_vec(),
        })
    }

    /// Parses every PEM block; each must be an `X509 CRL`, and there must be one. Text between the
    /// blocks is allowed.
    ///
    /// # Errors
    /// [`Error::NoPem`], [`Error::BrokenPem`], [`Error::PemLabel`], [`Error::MalformedCrl`].
    pub fn all_from_pem(data: &[u8]) -> Result<Vec<Self>, Error> {
        let blocks = pem::scan(data);
        if let Some(&pem::Skipped { line, reason }) = blocks.skipped.first() {
            return Err(Error::BrokenPem { line, reason });
        }
        if blocks.read.is_empty() {
            return Err(Error::NoPem { expected: LABEL });
        }
        blocks.read.iter().map(Self::from_block).collect()
    }

    pub(crate) fn from_block(block: &pem::Block) -> Result<Self, Error> {
        if block.label != LABEL {
            let found = block.label.clone();
            return Err(Error::PemLabel { line: block.line, expected: LABEL, found });
        }
        Self::from_der(&block.contents)
    }

    /// PEM with 64 columns, LF and a newline at the end.
    ///
    /// # Errors
    /// [`Error::Der`] if the list is too large to encode.
    pub fn to_pem(&self) -> Result<String, Error> {
        pem::encode(LABEL, &self.der)
    }

    /// The DER, as it was parsed or made.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Who claims to have signed it.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// When it was made: the first second at which it is valid.
    pub fn this_update(&self) -> OffsetDateTime {
        self.this_update
    }

    /// The last second at which it is valid; `None` where it never ends, which RFC 5280 section
    /// 5.1.2.5 forbids and verifiers take.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.next_update
    }

    /// When the next one should be made: as the last third of its time begins.
    pub fn due(&self) -> Option<OffsetDateTime> {
        self.next_update.map(|next| next - (next - self.this_update) / 3)
    }

    /// Its number (RFC 5280 section 5.2.3); `None` where it has none.
    pub fn number(&self) -> Option<&CrlNumber> {
        self.number.as_ref()
    }

    /// What it revokes, in its order.
    pub fn revoked(&self) -> &[Revocation] {
        &self.revoked
    }

    /// Whether it carries the CA's name, though perhaps not its signature.
    pub(crate) fn names(&self, ca: &Certificate) -> bool {
        self.issuer == *ca.subject()
    }

    /// Whether the CA made it and may make it, as Go's `CheckSignatureFrom` asks. Looks at no date.
    pub fn is_of(&self, ca: &Certificate) -> bool {
        self.names(ca) && may_sign(ca) && signature::check(&self.der, ca.public_key_der()).is_ok()
    }

    pub(crate) fn revokes(&self, certificate: &Certificate) -> bool {
        let serial = Serial::of(certificate);
        self.revoked.iter().any(|revocation| revocation.serial == serial)
    }

    /// Whether `now` is between its updates.
    pub fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.this_update <= now && self.next_update.is_none_or(|next| now <= next)
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, number, this_update, next_update, revoked, .. } = self;
        write!(f, "Crl({issuer}, {number:?}, {this_update}, {next_update:?}, {revoked:?})")
    }
}

/// What is critical changes what the list means, as of a delta list (RFC 5280 section 5.2.4). An
/// issuing distribution point (5.2.5), critical or not, says that it may be a part of one.
fn is_partial(extension: &X509Extension<'_>) -> bool {
    extension.critical || extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT
}

/// No key usage allows every usage (RFC 5280 section 4.2.1.3).
pub(crate) fn may_sign(ca: &Certificate) -> bool {
    ca.key_usage().is_none_or(|usage| usage.has(KeyUsageBit::CrlSign))
}
