//! The certificate request of a cluster that keeps its CA key to itself (PKCS#10, RFC 2986).

use der::asn1::{AnyRef, SetOfVec};
use der::{Decode, Encode, Sequence};
use x509_cert::attr::Attribute;
use x509_cert::request::ExtensionReq;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::certificate::{Extension, read_extensions};
use crate::tbs::{Draft, Role};
use crate::{
    Certificate, ClusterCaParams, DistinguishedName, Error, Fingerprint, PrivateKey, SignatureFlaw,
    pem, signature,
};

/// RFC 2986 section 4.1.
#[derive(Sequence)]
struct RequestInfo<'a> {
    version: u8,
    subject: AnyRef<'a>,
    public_key: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    attributes: SetOfVec<Attribute>,
}

/// A request whose sender has proved to hold the private key. Issuers take only the public key
/// from it: the subject and the extensions it asks for are there to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaRequest {
    der: Vec<u8>,
    subject: DistinguishedName,
    public_key: Vec<u8>,
    extensions: Vec<Extension>,
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

    /// Makes a request for a key that asks for the subject and the extensions of a cluster CA, for
    /// an issuer that heeds them. `params.validity` and `params.key` are not looked at.
    ///
    /// # Errors
    /// [`Error::NameLength`], [`Error::DnsName`], [`Error::Crypto`].
    pub fn for_cluster(key: &PrivateKey, params: &ClusterCaParams) -> Result<Self, Error> {
        let subject = params.subject()?;
        let draft = Draft {
            profile: params.profile,
            subject: &subject,
            public_key: key.public_key_der(),
            validity: params.validity,
            role: Role::Ca { path_len: Some(0), dns_name: Some(&params.dns_name) },
        };
        Self::asking(&subject, draft.extensions(None)?, key)
    }

    /// Makes a request with a certificate's own subject and extensions.
    pub(crate) fn repeating(certificate: &Certificate, key: &PrivateKey) -> Result<Self, Error> {
        let parsed = x509_cert::Certificate::from_der(certificate.der())?;
        let extensions = parsed.tbs_certificate().extensions().cloned().unwrap_or_default();
        Self::asking(certificate.subject(), extensions, key)
    }

    fn asking(
        subject: &DistinguishedName,
        extensions: Vec<x509_cert::ext::Extension>,
        key: &PrivateKey,
    ) -> Result<Self, Error> {
        let info = RequestInfo {
            version: 0,
            subject: AnyRef::from_der(subject.der())?,
            public_key: AnyRef::from_der(key.public_key_der())?,
            attributes: SetOfVec::try_from(vec![Attribute::try_from(ExtensionReq(extensions))?])?,
        };
        Self::from_der(&signature::sign(&info.to_der()?, key)?)
    }

    /// Reads a request (`CERTIFICATE REQUEST`, or `NEW CERTIFICATE REQUEST` of old tools) and
    /// checks its signature.
    ///
    /// # Errors
    /// [`Error::MalformedRequest`], [`Error::RequestSignature`], [`Error::UnknownRequestKey`], or
    /// what is wrong with the PEM.
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
        let info = &request.certification_request_info;
        let public_key = info.subject_pki.raw.to_vec();
        signature::check(der, &public_key).map_err(|flaw| match flaw {
            SignatureFlaw::UnknownAlgorithm => {
                let found = crate::certificate::public_key_kind(&public_key);
                Error::UnknownRequestKey { found }
            }
            SignatureFlaw::WrongKey | SignatureFlaw::Sha1 => Error::RequestSignature { flaw },
        })?;
        let extensions =
            info.attributes().iter().filter_map(|attribute| match attribute.parsed_attribute() {
                ParsedCriAttribute::ExtensionRequest(asked) => Some(&asked.extensions),
                _ => None,
            });
        let extensions = extensions
            .map(|asked| read_extensions(asked))
            .collect::<Result<Vec<_>, _>>()
            .map_err(malformed)?
            .concat();
        let subject = DistinguishedName::from_raw(info.subject.as_raw()).map_err(malformed)?;
        Ok(Self { der: der.to_vec(), subject, public_key, extensions })
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

    /// SHA-256 of [`CaRequest::public_key_der`]: what request, key and certificate have in common.
    pub fn public_key_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.public_key)
    }

    /// The name that is asked for; may be empty.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The extensions that are asked for (RFC 2985 section 5.4.2).
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }
}
