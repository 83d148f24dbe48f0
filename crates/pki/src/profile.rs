//! What the two profiles put into a CA certificate.
//!
//! `makefile` follows tools/certs/common.mk and Makefile.selfsigned.mk of Istio, field for field,
//! in OpenSSL's order of extensions. `hardened` follows RFC 5280 and the SPIFFE X509-SVID standard.
//! Both share the names, the path lengths and the order.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand;
use der::Decode;
use der::flagset::FlagSet;
use x509_cert::ext::pkix::KeyUsages;

use crate::Error;
use crate::signature::PublicKey;

/// Which rules a new CA certificate follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The certificates of Istio's Makefile: four key usages without cRLSign, a child may outlive
    /// its issuer, cert-chain.pem ends with the root.
    Makefile,
    /// keyCertSign and cRLSign only, a child never outlives its issuer, cert-chain.pem holds
    /// intermediates only.
    Hardened,
}

impl Profile {
    pub(crate) fn key_usage(self) -> FlagSet<KeyUsages> {
        match self {
            Self::Makefile => {
                KeyUsages::DigitalSignature
                    | KeyUsages::NonRepudiation
                    | KeyUsages::KeyEncipherment
                    | KeyUsages::KeyCertSign
            }
            Self::Hardened => KeyUsages::KeyCertSign | KeyUsages::CRLSign,
        }
    }

    /// 20 octets: SHA-1 as OpenSSL's `hash` (RFC 5280 section 4.2.1.2 method 1), or the start of
    /// SHA-256 (RFC 7093 section 2 method 1). It names a key; nothing rests on its strength.
    pub(crate) fn subject_key_id(self, public_key_der: &[u8]) -> Result<Vec<u8>, Error> {
        let public_key = PublicKey::from_der(public_key_der)?;
        let algorithm = match self {
            Self::Makefile => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Hardened => &SHA256,
        };
        Ok(digest(algorithm, public_key.key.raw_bytes()).as_ref()[..20].to_vec())
    }

    /// A random positive serial: OpenSSL takes 159 bits, the hardened profile 128. Both are within
    /// the 20 octets of RFC 5280 section 4.1.2.2.
    pub(crate) fn serial(self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Makefile => random::<20>().map(|mut serial| {
                serial[0] &= 0x7f;
                serial.to_vec()
            }),
            Self::Hardened => random::<16>().map(|serial| serial.to_vec()),
        }
    }

    pub(crate) fn clamps_to_issuer(self) -> bool {
        self == Self::Hardened
    }

    pub(crate) fn chain_ends_with_root(self) -> bool {
        self == Self::Makefile
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|aws_lc_rs::error::Unspecified| Error::Crypto(rcgen::Error::RingUnspecified))?;
    Ok(bytes)
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Makefile => "makefile",
            Self::Hardened => "hardened",
        })
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "makefile" => Ok(Self::Makefile),
            "hardened" => Ok(Self::Hardened),
            _ => Err(Error::Profile { found: text.to_owned() }),
        }
    }
}
