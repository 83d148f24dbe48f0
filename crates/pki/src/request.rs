//! The certificate request of a cluster that keeps its CA key to itself (PKCS#10, RFC 2986).

use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::{Error, PrivateKey, pem, signature};

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
