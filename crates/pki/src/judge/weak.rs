//! Keys that istiod, the agents and Envoy take, and the crypto library of this crate does not: RSA
//! below 2048 bits, and P-224. Enough of them is read here to give the mesh's verdict; nothing is
//! signed with them.

use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RsaParameters, UnparsedPublicKey,
};
use const_oid::db::rfc5912::RSA_ENCRYPTION;
use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, Encode, Sequence};
use pkcs8::PrivateKeyInfoRef;
use spki::AlgorithmIdentifierRef;

use crate::signature::{PublicKey, Signed};
use crate::{Certificate, SignatureFlaw, pem};

/// Whether the key is below what is held to be safe.
pub(super) fn is_weak(certificate: &Certificate) -> bool {
    is_p224(certificate) || is_small_rsa(certificate)
}

/// Whether nothing here can check a signature of the key.
pub(super) fn is_p224(certificate: &Certificate) -> bool {
    certificate.public_key_kind() == "ecdsa p224"
}

fn is_small_rsa(certificate: &Certificate) -> bool {
    rsa_bits(certificate).is_some_and(|bits| bits < 2048)
}

/// Size of the modulus, of RSA.
pub(super) fn rsa_bits(certificate: &Certificate) -> Option<u32> {
    let kind = certificate.public_key_kind();
    kind.strip_prefix("rsa ")?.split(',').next()?.parse().ok()
}

/// Whether the mesh takes `issuer` for the one that signed `child`. A signature with P-224 is not
/// proved, which a rule says.
pub(super) fn is_signed_by(child: &Certificate, issuer: &Certificate) -> bool {
    if child.issuer() != issuer.subject() {
        return false;
    }
    match child.check_signature(issuer) {
        Ok(()) => true,
        Err(SignatureFlaw::UnknownAlgorithm) => {
            is_p224(issuer) || holds_for_small_rsa(child, issuer)
        }
        Err(SignatureFlaw::WrongKey | SignatureFlaw::Sha1) => false,
    }
}

fn holds_for_small_rsa(child: &Certificate, issuer: &Certificate) -> bool {
    let digest: &RsaParameters = match child.signature_algorithm() {
        "sha256WithRSAEncryption" => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        "sha512WithRSAEncryption" => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        _ => return false,
    };
    let parts = || -> der::Result<_> {
        let signed = Signed::from_der(child.der())?;
        Ok((signed.content.to_der()?, signed, PublicKey::from_der(issuer.public_key_der())?))
    };
    let Ok((message, signed, key)) = parts() else { return false };
    let key = UnparsedPublicKey::new(digest, key.key.raw_bytes());
    key.verify(&message, signed.signature.raw_bytes()).is_ok()
}

/// RFC 8017 appendix A.1.2. Holds references, no copy of a secret.
#[derive(Sequence)]
pub(super) struct RsaPrivateKey<'a> {
    version: u8,
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
    private_exponent: UintRef<'a>,
    prime1: UintRef<'a>,
    prime2: UintRef<'a>,
    exponent1: UintRef<'a>,
    exponent2: UintRef<'a>,
    coefficient: UintRef<'a>,
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
}

/// SubjectPublicKeyInfo of an RSA private key in the first PEM block, PKCS#8 or PKCS#1.
pub(super) fn rsa_public_key(private_key_pem: &[u8]) -> Option<Vec<u8>> {
    let block = pem::first_block(private_key_pem, "PRIVATE KEY").ok()?;
    let read = |pkcs1: &[u8]| -> der::Result<Vec<u8>> {
        let key = RsaPrivateKey::from_der(pkcs1)?;
        let public = RsaPublicKey { modulus: key.modulus, public_exponent: key.public_exponent };
        let algorithm =
            AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
        let (algorithm, public) = (algorithm.to_der()?, public.to_der()?);
        PublicKey {
            algorithm: AnyRef::from_der(&algorithm)?,
            key: BitStringRef::from_bytes(&public)?,
        }
        .to_der()
    };
    match block.label.as_str() {
        _ if block.has_headers => None,
        "RSA PRIVATE KEY" => read(&block.contents).ok(),
        "PRIVATE KEY" => {
            let info = PrivateKeyInfoRef::from_der(&block.contents).ok()?;
            (info.algorithm.oid == RSA_ENCRYPTION).then_some(())?;
            read(info.private_key.as_bytes()).ok()
        }
        _ => None,
    }
}
