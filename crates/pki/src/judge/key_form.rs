//! The form of a private key. Go takes it from the block's label and reads nothing else there,
//! while the crypto library of this crate reads every form under every label (Istio
//! security/pkg/pki/util/crypto.go, `ParsePemEncodedKey`).

use const_oid::db::rfc5912::ID_EC_PUBLIC_KEY;
use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::{Decode, Sequence, Tag, Tagged};
use pkcs8::PrivateKeyInfoRef;

use super::weak::RsaPrivateKey;
use crate::pem;

/// RFC 5915 section 3. Holds references, no copy of a secret.
#[derive(Sequence)]
struct EcPrivateKey<'a> {
    version: u8,
    private_key: &'a OctetStringRef,
    #[asn1(context_specific = "0", optional = "true")]
    parameters: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", optional = "true")]
    public_key: Option<BitStringRef<'a>>,
}

/// What keeps Go from reading the key in the first PEM block; `None` where nothing does, or where
/// there is no key to look at.
pub(super) fn flaw(private_key_pem: &[u8]) -> Option<String> {
    let block = pem::first_block(private_key_pem, "PRIVATE KEY").ok()?;
    let der = block.contents.as_slice();
    let label = block.label.as_str();
    let (form, curve) = if let Ok(info) = PrivateKeyInfoRef::from_der(der) {
        let is_elliptic = info.algorithm.oid == ID_EC_PUBLIC_KEY;
        ("PRIVATE KEY", is_elliptic.then_some(info.algorithm.parameters))
    } else if RsaPrivateKey::from_der(der).is_ok() {
        ("RSA PRIVATE KEY", None)
    } else {
        ("EC PRIVATE KEY", Some(EcPrivateKey::from_der(der).ok()?.parameters))
    };
    if form != label {
        return Some(format!("a key in the form of `{form}` under the label `{label}`"));
    }
    match curve {
        Some(None) => Some("an elliptic key that names no curve".to_owned()),
        Some(Some(curve)) if curve.tag() != Tag::ObjectIdentifier => {
            Some("an elliptic key that spells its curve out".to_owned())
        }
        _ => None,
    }
}
