//! One X.509 certificate, parsed once and kept to the byte.
//!
//! Reads what RFC 5280 section 4 defines as far as a mesh CA needs it; judges nothing. What the
//! fields mean for a mesh is said by the rules and by `verify`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use der::{Decode, Encode};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::signature::{self, PublicKey, Signed};
use crate::{DistinguishedName, Error, Fingerprint, SignatureFlaw, Validity, pem};

mod extension;
mod text;

use extension::Content;
pub(crate) use extension::read_extensions;
pub use extension::{ExtendedKeyUsage, Extension, KeyUsage, KeyUsageBit};
pub(crate) use text::on_its_line;

/// A certificate. Two are equal if their DER is; cloning shares the bytes.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    version: u32,
    serial: Vec<u8>,
    /// AlgorithmIdentifier, DER. Its name is looked for when it is asked for.
    algorithm: Vec<u8>,
    algorithm_name: OnceLock<String>,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    validity: Validity,
    public_key: Vec<u8>,
    public_key_kind: OnceLock<String>,
    extensions: Vec<Extension>,
}

impl Certificate {
    /// Parses one DER certificate with nothing behind it.
    ///
    /// # Errors
    /// [`Error::MalformedCertificate`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let malformed = |reason: String| Error::MalformedCertificate { reason };
        let (rest, x509) =
            X509Certificate::from_der(der).map_err(|reason| malformed(reason.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes follow it", rest.len())));
        }
        let signed = Signed::from_der(der).map_err(|reason| malformed(reason.to_string()))?;
        let tbs = &x509.tbs_certificate;
        let validity = Validity::new(
            tbs.validity.not_before.to_datetime(),
            tbs.validity.not_after.to_datetime(),
        )?;
        Ok(Self(Arc::new(Parsed {
            version: tbs.version.0 + 1,
            serial: tbs.raw_serial().to_vec(),
            algorithm: signed.algorithm.to_der().map_err(|reason| malformed(reason.to_string()))?,
            algorithm_name: OnceLock::new(),
            subject: DistinguishedName::from_raw(tbs.subject.as_raw()).map_err(malformed)?,
            issuer: DistinguishedName::from_raw(tbs.issuer.as_raw()).map_err(malformed)?,
            validity,
            public_key: tbs.subject_pki.raw.to_vec(),
            public_key_kind: OnceLock::new(),
            extensions: read_extensions(tbs.extensions()).map_err(malformed)?,
            der: der.to_vec(),
        })))
    }

    /// Parses the first PEM block, which must be a `CERTIFICATE`; what follows is not looked at.
    ///
    /// # Errors
    /// [`Error::NoPem`], [`Error::BrokenPem`], [`Error::PemLabel`],
    /// [`Error::MalformedCertificate`].
    pub fn from_pem(data: &[u8]) -> Result<Self, Error> {
        Self::from_block(&pem::first_block(data, pem::CERTIFICATE)?)
    }

    /// Parses every PEM block; each must be a `CERTIFICATE`, and there must be one. Text between
    /// the blocks is allowed.
    ///
    /// # Errors
    /// As [`Certificate::from_pem`].
    pub fn all_from_pem(data: &[u8]) -> Result<Vec<Self>, Error> {
        let blocks = pem::scan(data);
        if let Some(&pem::Skipped { line, reason }) = blocks.skipped.first() {
            return Err(Error::BrokenPem { line, reason });
        }
        if blocks.read.is_empty() {
            return Err(Error::NoPem { expected: pem::CERTIFICATE });
        }
        blocks.read.iter().map(Self::from_block).collect()
    }

    pub(crate) fn from_block(block: &pem::Block) -> Result<Self, Error> {
        Self::check_block(block)?;
        Self::from_der(&block.contents)
    }

    /// Whether a block is one that every reader takes for a certificate, whatever it holds.
    pub(crate) fn check_block(block: &pem::Block) -> Result<(), Error> {
        if block.label != pem::CERTIFICATE {
            return Err(Error::PemLabel {
                line: block.line,
                expected: pem::CERTIFICATE,
                found: block.label.clone(),
            });
        }
        if block.has_headers {
            // Go's AppendCertsFromPEM leaves such a block out.
            return Err(Error::BrokenPem { line: block.line, reason: "the block has headers" });
        }
        Ok(())
    }

    /// The DER, as it was parsed or made.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// PEM with 64 columns, LF and a newline at the end.
    pub fn to_pem(&self) -> String {
        pem::encode_certificate(&self.0.der)
    }

    /// SHA-256 of the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0.der)
    }

    /// Whose certificate it is.
    pub fn subject(&self) -> &DistinguishedName {
        &self.0.subject
    }

    /// Who claims to have signed it.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.0.issuer
    }

    /// Whether subject and issuer are the same name (RFC 5280 section 3.2). Says nothing about
    /// the signature.
    pub fn is_self_issued(&self) -> bool {
        self.0.subject == self.0.issuer
    }

    /// When it is valid.
    pub fn validity(&self) -> Validity {
        self.0.validity
    }

    /// The serial number's content bytes in lower-case hex, leading zero octet included.
    pub fn serial_hex(&self) -> String {
        crate::hex::lower(&self.0.serial)
    }

    /// Name of the signature algorithm, for example `sha256WithRSAEncryption`; its OID if unknown.
    pub fn signature_algorithm(&self) -> &str {
        self.0.algorithm_name.get_or_init(|| algorithm_name(&self.0.algorithm))
    }

    /// DER of the SubjectPublicKeyInfo.
    pub fn public_key_der(&self) -> &[u8] {
        &self.0.public_key
    }

    /// SHA-256 of [`Certificate::public_key_der`].
    pub fn public_key_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0.public_key)
    }

    /// The kind of the public key in words: `rsa 4096`, `ecdsa p256`.
    pub fn public_key_kind(&self) -> String {
        self.0.public_key_kind.get_or_init(|| public_key_kind(&self.0.public_key)).clone()
    }

    /// Every extension, in the certificate's order.
    pub fn extensions(&self) -> &[Extension] {
        &self.0.extensions
    }

    /// Whether basic constraints are there and say CA.
    pub fn is_ca(&self) -> bool {
        self.find(|content| match content {
            Content::BasicConstraints { ca, .. } => Some(*ca),
            _ => None,
        })
        .is_some_and(|(_, ca)| ca)
    }

    /// How many CAs may follow below; `None` for no limit (RFC 5280 section 4.2.1.9).
    pub fn path_len(&self) -> Option<u32> {
        self.find(|content| match content {
            Content::BasicConstraints { path_len, .. } => *path_len,
            _ => None,
        })
        .map(|(_, path_len)| path_len)
    }

    /// The key usage; `None` if the extension is not there, which allows everything.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.find(|content| match content {
            Content::KeyUsage(bits) => Some(*bits),
            _ => None,
        })
        .map(|(critical, bits)| KeyUsage { critical, bits })
    }

    /// The extended key usage; `None` if the extension is not there, which allows everything.
    pub fn ext_key_usage(&self) -> Option<ExtendedKeyUsage> {
        self.find(|content| match content {
            Content::ExtendedKeyUsage(purposes) => Some(purposes.clone()),
            _ => None,
        })
        .map(|(critical, purposes)| ExtendedKeyUsage { critical, purposes })
    }

    /// Key identifier of the subject (RFC 5280 section 4.2.1.2).
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.find(|content| match content {
            Content::SubjectKeyId(id) => Some(id.as_slice()),
            _ => None,
        })
        .map(|(_, id)| id)
    }

    /// Key identifier of the issuer (RFC 5280 section 4.2.1.1).
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.find(|content| match content {
            Content::AuthorityKeyId { key_id, .. } => key_id.as_deref(),
            _ => None,
        })
        .map(|(_, id)| id)
    }

    /// The URIs among the subject alternative names.
    pub fn uri_sans(&self) -> Vec<&str> {
        self.sans().filter_map(|name| name.strip_prefix("URI:")).collect()
    }

    /// The DNS names among the subject alternative names.
    pub fn dns_sans(&self) -> Vec<&str> {
        self.sans().filter_map(|name| name.strip_prefix("DNS:")).collect()
    }

    /// Permitted and excluded subtrees of the name constraints, each with its kind in front:
    /// `DNS:`, `URI:`, `email:`, `IP:`, or another.
    pub(crate) fn name_constraints(&self) -> Option<(&[String], &[String])> {
        self.find(|content| match content {
            Content::NameConstraints { permitted, excluded } => {
                Some((permitted.as_slice(), excluded.as_slice()))
            }
            _ => None,
        })
        .map(|(_, subtrees)| subtrees)
    }

    fn sans(&self) -> impl Iterator<Item = &str> {
        self.0.extensions.iter().flat_map(|extension| match &extension.content {
            Content::SubjectAltName(names) => names.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        })
    }

    /// Whether the subject alternative names are there and critical.
    pub fn san_is_critical(&self) -> bool {
        self.find(|content| matches!(content, Content::SubjectAltName(_)).then_some(()))
            .is_some_and(|(critical, ())| critical)
    }

    /// Whether `issuer` has the issuer's name and its key made the signature. Looks at nothing
    /// else: no dates, no constraints.
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.0.issuer == issuer.0.subject && self.check_signature(issuer).is_ok()
    }

    /// Checks the signature with `issuer`'s key, whatever the names are.
    ///
    /// # Errors
    /// A [`SignatureFlaw`].
    pub fn check_signature(&self, issuer: &Self) -> Result<(), SignatureFlaw> {
        signature::check(&self.0.der, &issuer.0.public_key)
    }

    fn find<'a, T>(&'a self, pick: impl Fn(&'a Content) -> Option<T>) -> Option<(bool, T)> {
        self.0
            .extensions
            .iter()
            .find_map(|extension| Some((extension.critical, pick(&extension.content)?)))
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    /// The readable text, so that a failed comparison in a test can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The kind and size of a SubjectPublicKeyInfo in words; the algorithm's OID if unknown.
pub(crate) fn public_key_kind(public_key_der: &[u8]) -> String {
    let read = || -> der::Result<String> {
        let key = PublicKey::from_der(public_key_der)?;
        let algorithm =
            spki::AlgorithmIdentifierRef::from_der(&key.algorithm.to_der()?).map(|algorithm| {
                (algorithm.oid, algorithm.parameters.and_then(|any| any.decode_as().ok()))
            })?;
        Ok(text::key_kind(algorithm.0, algorithm.1, key.key.raw_bytes()))
    };
    read().unwrap_or_else(|_| "unreadable".to_owned())
}

/// Name of an AlgorithmIdentifier's OID as RFCs and OpenSSL print it.
fn algorithm_name(algorithm_der: &[u8]) -> String {
    match spki::AlgorithmIdentifierRef::from_der(algorithm_der) {
        Ok(algorithm) => match const_oid::db::DB.by_oid(&algorithm.oid) {
            Some(name) => name.to_owned(),
            None => algorithm.oid.to_string(),
        },
        Err(_) => "unreadable".to_owned(),
    }
}
