//! The readable form of a certificate: one line a field, the same for the same bytes.

use std::fmt::Write;

use const_oid::ObjectIdentifier;
use const_oid::db::DB;
use const_oid::db::rfc5912::{
    ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_224_R_1, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1,
};
use const_oid::db::rfc8410::ID_ED_25519;
use der::Decode;
use der::asn1::UintRef;

use super::extension::{Content, Extension, KeyUsage};
use crate::Certificate;
use crate::validity::rfc3339;

impl Certificate {
    /// The certificate as lines of `field: value`, in the order of the DER, without the
    /// signature. For reports, and for tests that must show where two certificates differ.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("version: {}", self.0.version),
            format!("serial: {}", self.serial_hex()),
            format!("signature algorithm: {}", self.signature_algorithm()),
            format!("issuer: {}", self.issuer()),
            format!("issuer encoding: {}", self.issuer().encoding()),
            format!("not before: {}", rfc3339(self.validity().not_before())),
            format!("not after: {}", rfc3339(self.validity().not_after())),
            format!("subject: {}", self.subject()),
            format!("subject encoding: {}", self.subject().encoding()),
            format!("public key: {}", self.public_key_kind()),
        ];
        lines.extend(self.extensions().iter().map(Extension::text));
        lines.push(format!("fingerprint: {}", self.fingerprint()));
        lines.join("\n") + "\n"
    }
}

impl Extension {
    /// One line: the extension's name, `critical` if it is, and its content.
    pub fn text(&self) -> String {
        let name = ObjectIdentifier::new(&self.oid).ok().and_then(|oid| DB.by_oid(&oid));
        let name = name.map_or(self.oid.as_str(), |name| name.trim_start_matches("id-ce-"));
        let critical = if self.critical { " critical" } else { "" };
        let mut line = format!("{name}{critical}: ");
        let written = match &self.content {
            Content::AuthorityKeyId { key_id, names_issuer } => write!(
                line,
                "{}{}",
                key_id.as_ref().map_or_else(|| "no key id".to_owned(), |id| crate::hex::lower(id)),
                if *names_issuer { ", issuer and serial" } else { "" }
            ),
            Content::BasicConstraints { ca, path_len } => match path_len {
                Some(length) => write!(line, "CA {ca}, path length {length}"),
                None => write!(line, "CA {ca}"),
            },
            Content::ExtendedKeyUsage(purposes) => write!(line, "{}", purposes.join(", ")),
            Content::KeyUsage(bits) => {
                write!(line, "{}", KeyUsage { critical: self.critical, bits: *bits })
            }
            Content::NameConstraints { permitted, excluded } => write!(
                line,
                "permitted [{}], excluded [{}]",
                permitted.join(", "),
                excluded.join(", ")
            ),
            Content::SubjectAltName(names) => write!(line, "{}", names.join(", ")),
            Content::SubjectKeyId(id) => write!(line, "{}", crate::hex::lower(id)),
            Content::Other(raw) => write!(line, "{}", crate::hex::lower(raw)),
        };
        // Writing to a String cannot fail.
        written.unwrap_or_default();
        on_its_line(&line)
    }
}

/// Foreign text with its control characters written out: a name may hold the end of a line, and then
/// what looks like the next one.
pub(crate) fn on_its_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

/// RSA keys print their size, elliptic ones their curve.
pub(super) fn key_kind(
    algorithm: ObjectIdentifier,
    curve: Option<ObjectIdentifier>,
    key: &[u8],
) -> String {
    match (algorithm, curve) {
        (RSA_ENCRYPTION, _) => rsa_kind(key).unwrap_or_else(|| "rsa, unreadable".to_owned()),
        (ID_EC_PUBLIC_KEY, Some(SECP_224_R_1)) => "ecdsa p224".to_owned(),
        (ID_EC_PUBLIC_KEY, Some(SECP_256_R_1)) => "ecdsa p256".to_owned(),
        (ID_EC_PUBLIC_KEY, Some(SECP_384_R_1)) => "ecdsa p384".to_owned(),
        (ID_EC_PUBLIC_KEY, Some(SECP_521_R_1)) => "ecdsa p521".to_owned(),
        (ID_EC_PUBLIC_KEY, Some(curve)) => format!("ecdsa on curve {curve}"),
        (ID_ED_25519, _) => "ed25519".to_owned(),
        (other, _) => format!("algorithm {other}"),
    }
}

/// Size of the modulus in bits, and the exponent where it is not 65537; the key is the
/// RSAPublicKey of RFC 8017 appendix A.1.1.
fn rsa_kind(key: &[u8]) -> Option<String> {
    #[derive(der::Sequence)]
    struct RsaPublicKey<'a> {
        modulus: UintRef<'a>,
        exponent: UintRef<'a>,
    }
    let key = RsaPublicKey::from_der(key).ok()?;
    let modulus = key.modulus.as_bytes();
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    match key.exponent.as_bytes() {
        [0x01, 0x00, 0x01] => Some(format!("rsa {bits}")),
        other => Some(format!("rsa {bits}, exponent 0x{}", crate::hex::lower(other))),
    }
}
