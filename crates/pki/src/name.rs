//! The distinguished name of a certificate's subject or issuer.

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{CN, L, O};
use der::asn1::{Any, AnyRef, Utf8StringRef};
use der::{Decode, Encode};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use crate::Error;
use crate::certificate::on_its_line;

/// A name, kept to the byte: two are equal if their DER is, which is how issuers are found.
///
/// Prints as RFC 4514, last attribute first: `L=cluster1,CN=Intermediate CA,O=Istio`; on one line,
/// whatever it holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName(Vec<u8>);

impl DistinguishedName {
    /// Upper bounds of X.520 as RFC 5280 appendix A.1 gives them; OpenSSL holds to them too.
    const UB_COMMON_NAME: usize = 64;
    const UB_ORGANIZATION: usize = 64;
    const UB_LOCALITY: usize = 128;

    /// The name a root or tier has: O, then CN, as the Makefile writes them.
    pub(crate) fn authority(organization: &str, common_name: &str) -> Result<Self, Error> {
        Self::of(&[
            (O, "organization", organization, Self::UB_ORGANIZATION),
            (CN, "common name", common_name, Self::UB_COMMON_NAME),
        ])
    }

    /// The name a cluster CA has: O, CN, and the cluster as L, so that no two share one.
    pub(crate) fn cluster(
        organization: &str,
        common_name: &str,
        cluster: &str,
    ) -> Result<Self, Error> {
        Self::of(&[
            (O, "organization", organization, Self::UB_ORGANIZATION),
            (CN, "common name", common_name, Self::UB_COMMON_NAME),
            (L, "cluster", cluster, Self::UB_LOCALITY),
        ])
    }

    /// Every attribute is a UTF8String of its own RDN, as OpenSSL's default is.
    fn of(attributes: &[(ObjectIdentifier, &'static str, &str, usize)]) -> Result<Self, Error> {
        let mut rdns = RdnSequence::default();
        for &(oid, attribute, value, limit) in attributes {
            let length = value.chars().count();
            if length == 0 || length > limit {
                return Err(Error::NameLength { attribute, limit, found: value.to_owned() });
            }
            let value = Any::from(Utf8StringRef::new(value)?);
            rdns.push(RelativeDistinguishedName::try_from(vec![AttributeTypeAndValue {
                oid,
                value,
            }])?);
        }
        Ok(Self(rdns.to_der()?))
    }

    pub(crate) fn empty() -> Self {
        // SEQUENCE of nothing.
        Self(vec![0x30, 0])
    }

    /// Of the bytes that x509-parser took for a name. It stops at what is no RDN (one without an
    /// attribute is none) and passes over all that follows: what is left is no DER.
    pub(crate) fn from_raw(der: &[u8]) -> Result<Self, String> {
        match AnyRef::from_der(der) {
            Ok(_) => Ok(Self(der.to_vec())),
            Err(_) => Err("a name holds what is none (RFC 5280 section 4.1.2.4)".to_owned()),
        }
    }

    /// The DER of the `Name`.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether the name has no attribute, as in the certificates istiod issues.
    pub fn is_empty(&self) -> bool {
        *self == Self::empty()
    }

    /// The values of the common names (CN); of text only, which all that CAs write is.
    pub fn common_names(&self) -> Vec<String> {
        self.values(CN)
    }

    /// The values of the organizations (O).
    pub fn organizations(&self) -> Vec<String> {
        self.values(O)
    }

    fn values(&self, oid: ObjectIdentifier) -> Vec<String> {
        let name = Name::from_der(&self.0).unwrap_or_default();
        let values = name.iter().filter(|attribute| attribute.oid == oid);
        values
            .filter_map(|attribute| String::from_utf8(attribute.value.value().to_vec()).ok())
            .collect()
    }

    /// Each attribute with its ASN.1 string type, first attribute first.
    pub(crate) fn encoding(&self) -> String {
        let Ok(name) = Name::from_der(&self.0) else {
            return "unreadable".to_owned();
        };
        let types = name.iter().map(|attribute| {
            let oid = attribute.oid;
            let label = match const_oid::db::DB.by_oid(&oid) {
                Some(label) => label.to_uppercase(),
                None => oid.to_string(),
            };
            format!("{label} {}", attribute.value.header().tag())
        });
        types.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Name::from_der(&self.0) {
            Ok(name) => f.write_str(&on_its_line(&name.to_string())),
            // RFC 4514 section 2.4: what has no string form is `#` and its hex.
            Err(_) => write!(f, "#{}", crate::hex::lower(&self.0)),
        }
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}
