//! Writes certificates: the TBSCertificate of RFC 5280 section 4.1 and its extensions.
//!
//! Names and public keys go in as the DER they came in, so that an issuer's name is repeated to
//! the byte, repeated attributes included. That is why this is not left to rcgen, whose names
//! keep one attribute of each kind.

use std::time::SystemTime;

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use der::asn1::{AnyRef, Ia5String, OctetString};
use der::{Decode, Encode, Sequence};
use time::OffsetDateTime;
use x509_cert::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

use crate::signature::{self, Signer};
use crate::{Certificate, DistinguishedName, Error, Profile, SpiffeId, Validity};

#[derive(Sequence)]
struct TbsCertificate<'a> {
    #[asn1(context_specific = "0", default = "Default::default")]
    version: Version,
    serial: SerialNumber,
    signature: AnyRef<'a>,
    issuer: AnyRef<'a>,
    validity: x509_cert::time::Validity,
    subject: AnyRef<'a>,
    public_key: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// What a certificate says, apart from who signs it.
pub(crate) struct Draft<'a> {
    pub(crate) profile: Profile,
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) public_key: &'a [u8],
    pub(crate) validity: Validity,
    pub(crate) role: Role<'a>,
}

pub(crate) enum Role<'a> {
    /// A CA under which `path_len` more CAs may follow; `None` for no limit.
    Ca { path_len: Option<u32>, dns_name: Option<&'a str> },
    /// A workload as istiod certifies it (Istio security/pkg/pki/util/generate_cert.go).
    Workload(&'a SpiffeId),
    /// istiod itself, as it certifies its own serving key.
    Server(&'a [&'a str]),
    /// Both at once, which istiod certifies nobody as: stands for either where names do not matter.
    Probe(&'a SpiffeId, &'a [&'a str]),
}

/// Who signs: its name and key identifier as they stand in its own certificate.
pub(crate) struct Issuer<'a> {
    pub(crate) name: &'a DistinguishedName,
    pub(crate) key_id: Option<&'a [u8]>,
    pub(crate) signer: &'a dyn Signer,
}

impl Draft<'_> {
    pub(crate) fn signed_by(&self, issuer: &Issuer<'_>) -> Result<Certificate, Error> {
        let algorithm = issuer.signer.algorithm()?;
        let tbs = TbsCertificate {
            version: Version::V3,
            serial: SerialNumber::new(&self.profile.serial()?)?,
            signature: AnyRef::from_der(&algorithm)?,
            issuer: AnyRef::from_der(issuer.name.der())?,
            validity: x509_cert::time::Validity::new(
                x509_time(self.validity.not_before())?,
                x509_time(self.validity.not_after())?,
            ),
            subject: AnyRef::from_der(self.subject.der())?,
            public_key: AnyRef::from_der(self.public_key)?,
            extensions: self.extensions(issuer.key_id)?,
        };
        Certificate::from_der(&signature::sign(&tbs.to_der()?, issuer.signer)?)
    }

    pub(crate) fn extensions(&self, issuer_key_id: Option<&[u8]>) -> Result<Vec<Extension>, Error> {
        let authority_key_id = issuer_key_id.map(authority_key_id).transpose()?;
        let mut extensions = match &self.role {
            Role::Ca { path_len, dns_name } => {
                let key_id = self.profile.subject_key_id(self.public_key)?;
                let path_len = path_len.map(path_len_octet).transpose()?;
                let mut extensions = vec![
                    extension(false, &SubjectKeyIdentifier(OctetString::new(key_id)?))?,
                    extension(true, &BasicConstraints { ca: true, path_len_constraint: path_len })?,
                    extension(true, &KeyUsage(self.profile.key_usage()))?,
                ];
                if let Some(dns_name) = dns_name {
                    let name = GeneralName::DnsName(ia5(dns_name)?);
                    extensions.push(extension(false, &SubjectAltName(vec![name]))?);
                }
                extensions
            }
            Role::Workload(id) => leaf_extensions(vec![uri(id)?])?,
            Role::Server(names) => leaf_extensions(dns_names(names)?)?,
            Role::Probe(id, names) => {
                leaf_extensions([vec![uri(id)?], dns_names(names)?].concat())?
            }
        };
        extensions.extend(authority_key_id);
        Ok(extensions)
    }
}

fn uri(id: &SpiffeId) -> Result<GeneralName, Error> {
    Ok(GeneralName::UniformResourceIdentifier(ia5(id.as_str())?))
}

fn dns_names(names: &[&str]) -> Result<Vec<GeneralName>, Error> {
    names.iter().map(|name| Ok(GeneralName::DnsName(ia5(name)?))).collect()
}

fn leaf_extensions(names: Vec<GeneralName>) -> Result<Vec<Extension>, Error> {
    let usage = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
    Ok(vec![
        extension(true, &KeyUsage(usage))?,
        extension(false, &ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH, ID_KP_CLIENT_AUTH]))?,
        extension(true, &BasicConstraints { ca: false, path_len_constraint: None })?,
        extension(true, &SubjectAltName(names))?,
    ])
}

fn extension<E: AssociatedOid + Encode>(critical: bool, content: &E) -> Result<Extension, Error> {
    let extn_value = OctetString::new(content.to_der()?)?;
    Ok(Extension { extn_id: E::OID, critical, extn_value })
}

fn authority_key_id(key_id: &[u8]) -> Result<Extension, Error> {
    extension(
        false,
        &AuthorityKeyIdentifier {
            key_identifier: Some(OctetString::new(key_id)?),
            authority_cert_issuer: None,
            authority_cert_serial_number: None,
        },
    )
}

fn ia5(text: &str) -> Result<Ia5String, Error> {
    Ok(Ia5String::new(text)?)
}

/// x509-cert holds a path length in one octet; no hierarchy is that deep.
fn path_len_octet(path_len: u32) -> Result<u8, Error> {
    u8::try_from(path_len).map_err(|_| Error::TooDeep { found: path_len })
}

/// UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5).
pub(crate) fn x509_time(time: OffsetDateTime) -> Result<Time, Error> {
    let out_of_range = Error::TimeRange { found: time };
    if time < OffsetDateTime::UNIX_EPOCH {
        return Err(out_of_range);
    }
    Time::try_from(SystemTime::from(time)).map_err(|_| out_of_range)
}
