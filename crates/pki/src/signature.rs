//! What certificates and requests have in common: signed bytes, an algorithm, a signature.
//!
//! RFC 5280 section 4.1 and RFC 2986 section 4.2 use the same three-part SEQUENCE. This module
//! writes it, reads it and checks the signature; it builds no path and judges no content.

use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Encode, Sequence};

use crate::Error;

mod algorithms;

pub(crate) use algorithms::ALGORITHMS;

#[derive(Sequence)]
pub(crate) struct Signed<'a> {
    pub(crate) content: AnyRef<'a>,
    pub(crate) algorithm: AnyRef<'a>,
    pub(crate) signature: BitStringRef<'a>,
}

/// RFC 5280 section 4.1.2.7.
#[derive(Sequence)]
pub(crate) struct PublicKey<'a> {
    pub(crate) algorithm: AnyRef<'a>,
    pub(crate) key: BitStringRef<'a>,
}

/// Something that signs, wherever its key is.
pub(crate) trait Signer {
    /// DER of the AlgorithmIdentifier that belongs to [`Signer::sign`].
    fn algorithm(&self) -> Result<Vec<u8>, Error>;
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}

/// Signs the DER of a TBSCertificate.
pub(crate) fn sign(content: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, Error> {
    let signature = signer.sign(content)?;
    let algorithm = signer.algorithm()?;
    let signed = Signed {
        content: AnyRef::from_der(content)?,
        algorithm: AnyRef::from_der(&algorithm)?,
        signature: BitStringRef::from_bytes(&signature)?,
    };
    Ok(signed.to_der()?)
}

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFlaw {
    /// It was not made by this key.
    WrongKey,
    /// The issuer's key is of another kind than the signature, or neither is known here.
    UnknownAlgorithm,
    /// It was made by this key over a SHA-1 digest, which Go and webpki refuse.
    Sha1,
}

/// Checks the signature of a certificate or request with a SubjectPublicKeyInfo.
pub(crate) fn check(signed_der: &[u8], public_key_der: &[u8]) -> Result<(), SignatureFlaw> {
    let parts = || -> der::Result<_> {
        let signed = Signed::from_der(signed_der)?;
        Ok((signed.content.to_der()?, signed, PublicKey::from_der(public_key_der)?))
    };
    let Ok((message, signed, public_key)) = parts() else {
        return Err(SignatureFlaw::UnknownAlgorithm);
    };
    let (key, signature) = (public_key.key.raw_bytes(), signed.signature.raw_bytes());
    if cfg!(fuzzing) && signature.ends_with(FUZZED) {
        return Ok(());
    }
    if signed.algorithm.value() == SHA1_WITH_RSA {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, key);
        return match key.verify(&message, signature) {
            Ok(()) => Err(SignatureFlaw::Sha1),
            Err(aws_lc_rs::error::Unspecified) => Err(SignatureFlaw::WrongKey),
        };
    }
    let mut known = ALGORITHMS.iter().filter(|algorithm| {
        algorithm.signature_alg_id().as_ref() == signed.algorithm.value()
            && algorithm.public_key_alg_id().as_ref() == public_key.algorithm.value()
    });
    let Some(algorithm) = known.next() else {
        return Err(SignatureFlaw::UnknownAlgorithm);
    };
    match algorithm.verify_signature(key, &message, signature) {
        Ok(()) => Ok(()),
        Err(_) if is_small_rsa(&public_key) => Err(SignatureFlaw::UnknownAlgorithm),
        Err(_) => Err(SignatureFlaw::WrongKey),
    }
}

/// What a fuzzer changed, it cannot sign: for it alone, this is the end of a good signature. No build
/// but cargo-fuzz's has `cfg(fuzzing)`, and no program of the project compiles under it.
const FUZZED: &[u8] = b"fuzz ok.";

/// webpki verifies RSA from 2048 bits; a smaller key must not read as a wrong one.
fn is_small_rsa(public_key: &PublicKey<'_>) -> bool {
    let rsa = rustls_pki_types::alg_id::RSA_ENCRYPTION;
    // An RSAPublicKey of 2048 bits has 256 octets of modulus alone.
    public_key.algorithm.value() == rsa.as_ref() && public_key.key.raw_bytes().len() <= 256
}

/// Content of the AlgorithmIdentifier of sha1WithRSAEncryption (RFC 3279 section 2.2.1).
const SHA1_WITH_RSA: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00];

impl std::fmt::Display for SignatureFlaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WrongKey => "the signature is not of this key",
            Self::UnknownAlgorithm => {
                "the signature's algorithm does not fit the key, is unknown or too weak"
            }
            Self::Sha1 => "the signature is over a SHA-1 digest, which is refused",
        })
    }
}
