//! The certificate request of a cluster that keeps its CA key to itself (PKCS#10, RFC 2986).

use der::asn1::{AnyRef, SetOfVec};
use der::{Decode, Encode, Sequence};
use x509_cert::attr::Attribute;
use x509_cert::request::ExtensionReq;
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::{Certificate, Error, PrivateKey, pem, signature};

/// RFC 2986 section 4.1.
#[derive(Sequence)]
struct RequestInfo<'a> {
    version: u8,
    subject: AnyRef<'a>,
    public_key: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    attributes: SetOfVec<Attribute>,
}

/// A request whose sender has proved to hold the private key. Only the public key is taken from
/// it: the names and extensions it asks for are not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaRequest {
    der: Vec<u8>,
    public_key: Vec<u8>,
}

impl CaRequest {
    const LABEL: &'static str = "CERTIFICATE REQUEST";

    /// Makes a request for a key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn generate(key: &PrivateKey) -> Result<Self, Error> {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let request = params.serialize_request(key.pair()).map_err(Error::Crypto)?;
        Self::from_der(request.der())
    }

    /// Makes a request with a certificate's own subject and extensions.
    pub(crate) fn repeating(certificate: &Certificate, key: &PrivateKey) -> Result<Self, Error> {
        let parsed = x509_cert::Certificate::from_der(certificate.der())?;
        let extensions = parsed.tbs_certificate().extensions().cloned().unwrap_or_default();
        let info = RequestInfo {
            version: 0,
            subject: AnyRef::from_der(certificate.subject().der())?,
            public_key: AnyRef::from_der(key.public_key_der())?,
            attributes: SetOfVec::try_from(vec![Attribute::try_from(ExtensionReq(extensions))?])?,
        };
        Self::from_der(&signature::sign(&info.to_der()?, key)?)
    }

    /// Reads a request (`CERTIFICATE REQUEST`, or `NEW CERTIFICATE REQUEST` of old tools) and
    /// checks its signature.
    ///
    /// # Errors
    /// [`Error::MalformedRequest`], [`Error::RequestSignature`], or what is wrong with the PEM.
    pub fn from_pem(data: &[u8]) -> Result<Self, Error> {
        let block = pem::first_block(data, Self::LABEL)?;
        if block.label != Self::LABEL && block.label != "NEW CERTIFICATE REQUEST" {
            return Err(Error::PemLabel {
                line: block.line,
                expected: Self::LABEL,
                found: block.label,
            });
        }
        Self::from_der(&block.contents)
    }

    fn from_der(der: &[u8]) -> Result<Self, Error> {
        let malformed = |reason: String| Error::MalformedRequest { reason };
        let (rest, request) = X509CertificationRequest::from_der(der)
            .map_err(|reason| malformed(reason.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes follow it", rest.len())));
        }
        let public_key = request.certification_request_info.subject_pki.raw.to_vec();
        signature::check(der, &public_key).map_err(|flaw| Error::RequestSignature { flaw })?;
        Ok(Self { der: der.to_vec(), public_key })
    }

    /// The request as PEM.
    ///
    /// # Errors
    /// [`Error::Der`] if it is too large to encode.
    pub fn to_pem(&self) -> Result<String, Error> {
        pem::encode(Self::LABEL, &self.der)
    }

    /// DER of the SubjectPublicKeyInfo.
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key
    }

    /// The kind of the key in words, as [`crate::Certificate::public_key_kind`].
    pub fn public_key_kind(&self) -> String {
        crate::certificate::public_key_kind(&self.public_key)
    }
}
