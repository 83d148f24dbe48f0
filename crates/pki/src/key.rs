//! Private keys: made, read from PEM, used to sign, written only when asked by name.
//!
//! No Clone, no Display, no Serialize; Debug says the kind and nothing else; the encoded form is
//! wiped when the value goes. [`encrypted`] has keys under a passphrase.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair,
};
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, RSA_ENCRYPTION,
    SECP_256_R_1, SECP_384_R_1, SECP_521_R_1, SHA_256_WITH_RSA_ENCRYPTION,
};
use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::AnyRef;
use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use rcgen::{PublicKeyData, RsaKeySize, SigningKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use spki::AlgorithmIdentifierRef;
use zeroize::{Zeroize, Zeroizing};

use crate::Error;
use crate::pem;
use crate::signature::Signer;

mod encrypted;

/// The keys this crate makes. It loads more: any RSA from 2048 bits, P-521 and Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256, signing with SHA-256: the default of the hardened profile.
    EcdsaP256,
    /// ECDSA on P-384, signing with SHA-384.
    EcdsaP384,
    /// RSA, 2048 bits, signing PKCS#1 v1.5 with SHA-256 like all RSA here.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits: what Istio's Makefile makes.
    Rsa4096,
}

impl KeyAlgorithm {
    /// All of them, weakest cost first.
    pub const ALL: [Self; 5] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// The name used on the command line: `p256`, `p384`, `rsa2048`, `rsa3072`, `rsa4096`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "p256",
            Self::EcdsaP384 => "p384",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }

    /// The words that [`PrivateKey::kind`] and [`crate::Certificate::public_key_kind`] use.
    pub fn kind(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa p256",
            Self::EcdsaP384 => "ecdsa p384",
            Self::Rsa2048 => "rsa 2048",
            Self::Rsa3072 => "rsa 3072",
            Self::Rsa4096 => "rsa 4096",
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| Error::KeyAlgorithm { found: text.to_owned() })
    }
}

/// A private key with its public half.
pub struct PrivateKey {
    /// Always made from PKCS#8, so that its encoded form is PKCS#8.
    pair: rcgen::KeyPair,
    public_key: Vec<u8>,
}

impl PrivateKey {
    /// Makes a new random key.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the system's randomness fails.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Error> {
        let rsa = |size| rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        let pair = match algorithm {
            KeyAlgorithm::EcdsaP256 => rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyAlgorithm::EcdsaP384 => rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyAlgorithm::Rsa2048 => rsa(RsaKeySize::_2048),
            KeyAlgorithm::Rsa3072 => rsa(RsaKeySize::_3072),
            KeyAlgorithm::Rsa4096 => rsa(RsaKeySize::_4096),
        };
        Ok(Self::of(pair.map_err(Error::Crypto)?))
    }

    fn of(pair: rcgen::KeyPair) -> Self {
        let public_key = pair.subject_public_key_info();
        Self { pair, public_key }
    }

    /// Reads the first PEM block, as istiod does: PKCS#8 (`PRIVATE KEY`), PKCS#1
    /// (`RSA PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`).
    ///
    /// # Errors
    /// [`Error::EncryptedKey`], [`Error::NotAPrivateKey`] (an `EC PARAMETERS` block first, a
    /// certificate, a public key), [`Error::UnsupportedKey`] (damaged, or a kind that is not
    /// loaded), [`Error::BrokenPem`], [`Error::NoPem`]. None carries a byte of the key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let block = pem::first_block(pem, "PRIVATE KEY")?;
        let bytes = block.contents.as_slice();
        match block.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => Err(Error::EncryptedKey),
            _ if block.has_headers => Err(Error::EncryptedKey),
            "PRIVATE KEY" => Self::from_encoded(&PrivatePkcs8KeyDer::from(bytes).into()),
            "RSA PRIVATE KEY" => Self::from_encoded(&PrivatePkcs1KeyDer::from(bytes).into()),
            "EC PRIVATE KEY" => Self::from_encoded(&PrivateSec1KeyDer::from(bytes).into()),
            label => Err(Error::NotAPrivateKey { line: block.line, found: label.to_owned() }),
        }
    }

    fn from_encoded(encoded: &PrivateKeyDer<'_>) -> Result<Self, Error> {
        if let PrivateKeyDer::Pkcs8(pkcs8) = encoded {
            // rcgen would try every algorithm in turn, and each try checks the whole RSA key: 5 ms.
            let named = algorithm_of(pkcs8.secret_pkcs8_der()).and_then(|algorithm| {
                rcgen::KeyPair::from_pkcs8_der_and_sign_algo(pkcs8, algorithm).ok()
            });
            return match named.map_or_else(|| rcgen::KeyPair::try_from(pkcs8), Ok) {
                Ok(pair) => Ok(Self::of(pair)),
                Err(source) => Err(Error::UnsupportedKey { source }),
            };
        }
        let pkcs8 = pkcs8_of(encoded)?;
        Self::from_encoded(&PrivatePkcs8KeyDer::from(pkcs8.as_slice()).into())
    }

    /// The key as PEM, PKCS#8 (`PRIVATE KEY`), the form OpenSSL 3 writes. Secret.
    ///
    /// # Errors
    /// [`Error::Der`] if the key is too large to encode, which no key made here is.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        pem::encode("PRIVATE KEY", self.pair.serialized_der()).map(Zeroizing::new)
    }

    /// The key as PKCS#8 DER, for a TLS library. Secret.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.pair.serialized_der().to_vec())
    }

    /// DER of the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key
    }

    /// SHA-256 of [`PrivateKey::public_key_der`].
    pub fn public_key_fingerprint(&self) -> crate::Fingerprint {
        crate::Fingerprint::of(&self.public_key)
    }

    /// The kind in words: `ecdsa p256`, `rsa 4096`.
    pub fn kind(&self) -> String {
        crate::certificate::public_key_kind(&self.public_key)
    }

    pub(crate) fn pair(&self) -> &rcgen::KeyPair {
        &self.pair
    }
}

/// What a PKCS#8 key says that it is for (RFC 5208 section 5), if it is of a kind that is loaded.
fn algorithm_of(pkcs8: &[u8]) -> Option<&'static rcgen::SignatureAlgorithm> {
    let algorithm = PrivateKeyInfoRef::from_der(pkcs8).ok()?.algorithm;
    let curve = || algorithm.parameters_oid().ok();
    match algorithm.oid {
        RSA_ENCRYPTION => Some(&rcgen::PKCS_RSA_SHA256),
        ID_ED_25519 => Some(&rcgen::PKCS_ED25519),
        ID_EC_PUBLIC_KEY => match curve()? {
            SECP_256_R_1 => Some(&rcgen::PKCS_ECDSA_P256_SHA256),
            SECP_384_R_1 => Some(&rcgen::PKCS_ECDSA_P384_SHA384),
            SECP_521_R_1 => Some(&rcgen::PKCS_ECDSA_P521_SHA512),
            _ => None,
        },
        _ => None,
    }
}

/// Turns PKCS#1 or SEC1 into PKCS#8, also where one stands under the other's label.
fn pkcs8_of(encoded: &PrivateKeyDer<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let der = encoded.secret_der();
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let unsupported =
        |reason: String| Error::UnsupportedKey { source: rcgen::Error::RingKeyRejected(reason) };
    let rsa = || {
        let key = rsa::KeyPair::from_der(der).map_err(|reason| unsupported(reason.to_string()))?;
        let pkcs8 = key.as_der().map_err(|reason| unsupported(reason.to_string()))?;
        Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
    };
    if let PrivateKeyDer::Pkcs1(_) = encoded
        && let Ok(pkcs8) = rsa()
    {
        return Ok(pkcs8);
    }
    let elliptic =
        curves.into_iter().find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok());
    match elliptic {
        Some(key) => {
            let pkcs8 = key.to_pkcs8v1().map_err(|reason| unsupported(reason.to_string()))?;
            Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
        }
        None => rsa(),
    }
}

impl Signer for PrivateKey {
    fn algorithm(&self) -> Result<Vec<u8>, Error> {
        let of = self.pair.algorithm();
        let (oid, parameters) = if *of == rcgen::PKCS_ECDSA_P256_SHA256 {
            (ECDSA_WITH_SHA_256, None)
        } else if *of == rcgen::PKCS_ECDSA_P384_SHA384 {
            (ECDSA_WITH_SHA_384, None)
        } else if *of == rcgen::PKCS_ECDSA_P521_SHA512 {
            (ECDSA_WITH_SHA_512, None)
        } else if *of == rcgen::PKCS_ED25519 {
            (ID_ED_25519, None)
        } else {
            // RFC 4055 section 5: the parameters of PKCS#1 v1.5 are NULL, not absent.
            (SHA_256_WITH_RSA_ENCRYPTION, Some(AnyRef::NULL))
        };
        Ok(AlgorithmIdentifierRef { oid, parameters }.to_der()?)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.pair.sign(message).map_err(Error::Crypto)
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.pair.zeroize();
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, elided)", self.kind())
    }
}
