//! The private key.

use crate::certificate::public_key_kind;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::judge::weak;
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
    evidence: "empty, encrypted, EC PARAMETERS first, a certificate, a public key, an OpenSSH key \
               (1.31)",
    istiod: &[
        "failed to parse private key PEM: invalid PEM-encoded key",
        "failed to parse private key PEM: unsupported PEM block type for a private key",
        "failed to parse the RSA private key",
    ],
    check: |inspection| match &inspection.key {
        // Judged by its public half, and by `weak-key`.
        Some(Err(Error::UnsupportedKey { .. })) if inspection.key_public.is_some() => Vec::new(),
        Some(Err(error)) => {
            let expected = "PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY as the first block";
            let flaw = Flaw::new(error.to_string(), expected).file(BundleFiles::CA_KEY);
            let unsupported = matches!(error, Error::UnsupportedKey { .. });
            // Not read here, and read by istiod.
            let is_p224 = unsupported && inspection.ca.as_ref().is_some_and(weak::is_p224);
            vec![if is_p224 { flaw.judges(&[]) } else { flaw }]
        }
        _ => Vec::new(),
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
