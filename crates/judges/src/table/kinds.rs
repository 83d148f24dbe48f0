//! Kinds of keys, digests and names, most of which only OpenSSL makes.

use anyhow::Result;
use pki::BundleFiles;

use super::{Row, late, row};
use crate::cast::{CA, CHAIN, KEY, ROOT, edited, text};
use crate::openssl::{self, Kinds};

const P256: &str = "EC -pkeyopt ec_paramgen_curve:P-256";
const P224: &str = "EC -pkeyopt ec_paramgen_curve:P-224";
const P384: &str = "EC -pkeyopt ec_paramgen_curve:P-384";
const P521: &str = "EC -pkeyopt ec_paramgen_curve:P-521";
const KOBLITZ: &str = "EC -pkeyopt ec_paramgen_curve:secp256k1";
const BRAINPOOL: &str = "EC -pkeyopt ec_paramgen_curve:brainpoolP256r1";
const RSA_512: &str = "RSA -pkeyopt rsa_keygen_bits:512";
const RSA_1024: &str = "RSA -pkeyopt rsa_keygen_bits:1024";
const RSA_2047: &str = "RSA -pkeyopt rsa_keygen_bits:2047";
const RSA_2048: &str = "RSA -pkeyopt rsa_keygen_bits:2048";
const RSA_3072: &str = "RSA -pkeyopt rsa_keygen_bits:3072";
const RSA_EXPONENT_3: &str = "RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3";
const RSA_PSS: &str = "RSA-PSS -pkeyopt rsa_keygen_bits:2048";
const ED25519: &str = "ED25519";
const ED448: &str = "ED448";

const GOOD: Kinds = Kinds {
    root: P256,
    ca: P256,
    root_digest: "-sha256",
    ca_digest: "-sha256",
    subject: "/O=Istio/CN=ca",
};

fn of(root: &'static str, ca: &'static str) -> Result<BundleFiles> {
    // These sign over what they like.
    let digest = |key: &str| if key.starts_with("ED") { "" } else { "-sha256" };
    openssl::bundle(&Kinds { root, ca, root_digest: digest(root), ca_digest: digest(root), ..GOOD })
}

fn digests(root_digest: &'static str, ca_digest: &'static str) -> Result<BundleFiles> {
    openssl::bundle(&Kinds { root: RSA_2048, root_digest, ca_digest, ..GOOD })
}

fn named(subject: &'static str) -> Result<BundleFiles> {
    openssl::bundle(&Kinds { subject, ..GOOD })
}

/// A bundle with one file of another bundle of the same kinds.
fn swapped(kind: &'static str, file: &str) -> Result<BundleFiles> {
    let other = of(kind, kind)?;
    Ok(edited(of(kind, kind)?, file, |_| text(&other, file)))
}

fn pkcs1(kind: &'static str) -> Result<BundleFiles> {
    let files = of(P256, kind)?;
    let key = openssl::converted(&text(&files, KEY), "rsa -traditional -in key.pem")?;
    Ok(edited(files, KEY, |_| key))
}

pub(super) const ROWS: &[Row] = &[
    row("kind-p256", |_| of(P256, P256)),
    row("kind-p384", |_| of(P384, P384)),
    row("kind-p521", |_| of(P521, P521)),
    row("kind-p384-under-p256", |_| of(P256, P384)),
    row("kind-p256-under-p384", |_| of(P384, P256)),
    row("kind-p256-under-p521", |_| of(P521, P256)),
    row("kind-p521-under-p256", |_| of(P256, P521)),
    row("kind-rsa-2048", |_| of(RSA_2048, RSA_2048)),
    row("kind-rsa-2047", |_| of(P256, RSA_2047)),
    row("kind-rsa-3072", |_| of(P256, RSA_3072)),
    row("kind-rsa-with-exponent-3", |_| of(P256, RSA_EXPONENT_3)),
    row("kind-rsa-2048-under-p256", |_| of(P256, RSA_2048)),
    row("kind-p256-under-rsa-2048", |_| of(RSA_2048, P256)),
    row("kind-rsa-2048-pkcs1", |_| pkcs1(RSA_2048)),
    row("kind-rsa-1024", |_| of(RSA_1024, RSA_1024)),
    row("kind-rsa-1024-root", |_| of(RSA_1024, P256)),
    row("kind-rsa-1024-ca", |_| of(P256, RSA_1024)),
    row("kind-rsa-1024-pkcs1", |_| pkcs1(RSA_1024)),
    row("kind-rsa-1024-other-key", |_| swapped(RSA_1024, KEY)),
    row("kind-rsa-1024-other-root", |_| swapped(RSA_1024, ROOT)),
    late("kind-rsa-512-ca", |_| of(P256, RSA_512)),
    row("kind-rsa-512-root", |_| of(RSA_512, P256)),
    row("kind-rsa-pss-ca", |_| of(P256, RSA_PSS)),
    row("kind-rsa-pss-root", |_| of(RSA_PSS, P256)),
    row("kind-ed25519", |_| of(ED25519, ED25519)),
    row("kind-ed25519-root", |_| of(ED25519, P256)),
    row("kind-ed25519-ca", |_| of(P256, ED25519)),
    row("kind-ed448-root", |_| of(ED448, P256)),
    row("kind-ed448-ca", |_| of(P256, ED448)),
    row("kind-p224", |_| of(P224, P224)),
    row("kind-p224-root", |_| of(P224, P256)),
    row("kind-p224-ca", |_| of(P256, P224)),
    row("kind-p224-other-root", |_| swapped(P224, ROOT)),
    row("kind-p224-other-key", |_| swapped(P224, KEY)),
    row("kind-secp256k1-ca", |_| of(P256, KOBLITZ)),
    row("kind-secp256k1-root", |_| of(KOBLITZ, P256)),
    row("kind-brainpool-ca", |_| of(P256, BRAINPOOL)),
    row("kind-brainpool-root", |_| of(BRAINPOOL, P256)),
    row("kind-other-ca-cert", |_| swapped(P256, CA)),
    row("kind-other-chain", |_| swapped(P256, CHAIN)),
    row("digest-sha384", |_| digests("-sha384", "-sha384")),
    row("digest-sha512", |_| digests("-sha512", "-sha512")),
    row("digest-sha224", |_| digests("-sha224", "-sha224")),
    row("digest-sha1-on-root", |_| digests("-sha1", "-sha256")),
    row("digest-sha1-on-ca", |_| digests("-sha256", "-sha1")),
    row("digest-md5-on-root", |_| digests("-md5", "-sha256")),
    row("digest-md5-on-ca", |_| digests("-sha256", "-md5")),
    row("digest-pss-on-ca", |_| digests("-sha256", "-sha256 -sigopt rsa_padding_mode:pss")),
    row("digest-sha3-on-root", |_| digests("-sha3-256", "-sha256")),
    row("digest-sha3-on-ca", |_| digests("-sha256", "-sha3-256")),
    row("name-with-dc-twice", |_| named("/DC=local/DC=cluster/CN=ca")),
    row("name-with-ou-twice", |_| named("/O=Istio/OU=one/OU=two/CN=ca")),
    row("name-with-two-cns", |_| named("/O=Istio/CN=one/CN=two")),
    row("name-with-several-values-in-one", |_| named("/O=Istio/CN=ca+OU=one")),
    row("name-with-an-email", |_| named("/O=Istio/CN=ca/emailAddress=ca@example.com")),
    row("name-with-a-country", |_| named("/C=CH/ST=Bern/L=Bern/O=Istio/CN=ca")),
];
