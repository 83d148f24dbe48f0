//! The private key.

use crate::certificate::public_key_kind;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::judge::{key_form, weak};
use crate::proof::public_key_label;
use crate::{BundleFiles, Error};

pub(super) static UNREADABLE_KEY: Rule = Rule {
    id: "unreadable-key",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "ca-key.pem cannot be read",
    why: "istiod does not start; on a reload it keeps the old CA and dies at its next start",
    fix: "write the key alone and unencrypted: `openssl pkey -in OLD -out ca-key.pem`",
    source: "Istio security/pkg/pki/util/crypto.go ParsePemEncodedKey",
    evidence: "empty, encrypted, EC PARAMETERS first, a certificate, a public key, an OpenSSH key, \
               PKCS#8 labelled as PKCS#1 or SEC1, a curve spelled out (1.31)",
    istiod: &[
        "failed to parse private key PEM: invalid PEM-encoded key",
        "failed to parse private key PEM: unsupported PEM block type for a private key",
        "failed to parse the RSA private key",
        "failed to parse the ECDSA private key",
        "failed to parse the PKCS8 private key",
    ],
    check: |inspection| {
        let expected = "PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY as the first block";
        let flaw = |found: String| Flaw::new(found, expected).file(BundleFiles::CA_KEY);
        let bytes = inspection.files.get(BundleFiles::CA_KEY).unwrap_or_default();
        match (&inspection.key, key_form::flaw(bytes)) {
            (None, _) => Vec::new(),
            (Some(_), Some(form)) => vec![flaw(form)],
            // Judged by its public half, and by `weak-key`.
            (Some(Err(Error::UnsupportedKey { .. })), None) if inspection.key_public.is_some() => {
                Vec::new()
            }
            (Some(Err(error)), None) => {
                let unsupported = matches!(error, Error::UnsupportedKey { .. });
                // Not read here, and read by istiod.
                let is_p224 = unsupported && inspection.ca.as_ref().is_some_and(weak::is_p224);
                let flaw = flaw(error.to_string());
                vec![if is_p224 { flaw.judges(&[]) } else { flaw }]
            }
            (Some(Ok(_)), None) => Vec::new(),
        }
    },
};

pub(super) static KEY_MISMATCH: Rule = Rule {
    id: "key-mismatch",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "ca-key.pem is not the key of ca-cert.pem's first certificate",
    why: "istiod does not start; on a reload it keeps the old CA and dies at its next start",
    fix: "put the key next to its certificate; in ca-cert.pem the cluster CA comes first",
    source: "Istio security/pkg/pki/util/keycertbundle.go Verify",
    evidence: "another key, and a root before the intermediate in ca-cert.pem (1.31)",
    istiod: &["the cert does not match the key: tls: private key does not match public key"],
    check: |inspection| {
        let (Some(ca), Some(found)) = (&inspection.ca, &inspection.key_public) else {
            return Vec::new();
        };
        let expected = ca.public_key_der();
        if expected == found {
            return Vec::new();
        }
        let label = |kind: String, der| format!("public key {}", public_key_label(&kind, der));
        vec![
            Flaw::new(label(public_key_kind(found), found), label(ca.public_key_kind(), expected))
                .file(BundleFiles::CA_KEY),
        ]
    },
};

pub(super) static KEY_TOO_SMALL: Rule = Rule {
    id: "key-too-small",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "the cluster CA has an RSA key below 1024 bits",
    why: "Go signs nothing with such a key: istiod takes the CA and then fails on its own \
          certificate",
    fix: "issue the CA with P-256, P-384 or RSA from 2048 bits",
    source: "Go crypto/rsa, minimum key size; Istio pilot/pkg/bootstrap/certcontroller.go",
    evidence: "RSA with 512 bits as cluster CA: `failed generating istiod key cert` (1.31)",
    istiod: &["failed generating istiod key cert crypto/rsa"],
    check: |inspection| {
        let bits = inspection.ca.as_ref().and_then(weak::rsa_bits).filter(|bits| *bits < 1024);
        let flaw = |bits| Flaw::new(format!("RSA with {bits} bits"), "1024 bits and more");
        bits.map(|bits| flaw(bits).file(BundleFiles::CA_CERT)).into_iter().collect()
    },
};
