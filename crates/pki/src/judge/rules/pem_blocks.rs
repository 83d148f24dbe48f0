//! What the PEM files hold, block by block, as Go reads them.

use crate::judge::inspection::{Inspection, PublicFile};
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::{BundleFiles, pem};

const AT_LOADING: &[Judge] = &[Judge::IstiodStart, Judge::IstiodReload];

pub(super) static PRIVATE_KEY_HANDED_OUT: Rule = Rule {
    id: "private-key-handed-out",
    severity: Severity::Refuse,
    judges: &[],
    versions: Versions::ALL,
    what: "there is a private key outside of ca-key.pem",
    why: "istiod sends cert-chain.pem to every workload and writes root-cert.pem into every \
          namespace, the key with it",
    fix: "take the key out, and replace the CA whose key it is: it must count as known to others",
    source: "Istio security/pkg/server/ca/server.go CreateCertificate; \
             pilot/pkg/bootstrap/istio_ca.go handleEvent",
    evidence: "a key in cert-chain.pem came back as element 2 of a CSR response; one in \
               root-cert.pem stops istiod at start, and a reload with several roots allowed put \
               it into the ConfigMaps; one that comes first in cert-chain.pem stops istiod (1.31)",
    istiod: &["add root CAs into peerCertVerifier failed", "failed to parse X.509 certificate"],
    check: |inspection| {
        let outside = inspection.files.names().filter(|name| *name != BundleFiles::CA_KEY);
        let mut flaws = Vec::new();
        for name in outside {
            let bytes = inspection.files.get(name).unwrap_or_default();
            if !pem::mentions_private_key(bytes) {
                continue;
            }
            let block = pem::scan(bytes).read.iter().position(is_private_key);
            let judges: &[Judge] = match (name, block) {
                // The second stage of the start parses root-cert.pem and stops at the key.
                (BundleFiles::ROOT_CERT, _) => &[Judge::IstiodStart],
                // istiod reads the first block and nothing else.
                (BundleFiles::CA_CERT, Some(0)) => AT_LOADING,
                // It looks there for the date on which the chain ends.
                (BundleFiles::CERT_CHAIN, Some(0)) => &[Judge::IstiodStart],
                _ => &[],
            };
            let flaw = Flaw::new("a private key", "certificates").file(name).judges(judges);
            flaws.push(match block {
                Some(position) => flaw.block(position + 1),
                None => flaw,
            });
        }
        flaws
    },
};

fn is_private_key(block: &pem::Block) -> bool {
    block.label.contains("PRIVATE KEY")
}

pub(super) static UNREADABLE_PEM: Rule = Rule {
    id: "unreadable-pem",
    severity: Severity::Refuse,
    judges: AT_LOADING,
    versions: Versions::ALL,
    what: "a certificate file holds something that cannot be read",
    why: "Go skips what is not PEM without a word, so a certificate is missing that seems to be \
          there; a block that is PEM and no certificate stops istiod, at the latest in the second \
          stage of its start",
    fix: "write the file anew from its certificates: each block on lines of its own, no \
          indentation, no byte order mark",
    source: "Go encoding/pem Decode; Istio security/pkg/pki/util/keycertbundle.go",
    evidence: "byte order marks, indentation, glued blocks, DER and damaged blocks (1.31)",
    istiod: &[
        "failed to parse cert PEM",
        "invalid PEM encoded certificate",
        "failed to parse X.509 certificate",
        "failed to get default cert TTL failed to get cert chain TTL",
        "first time load IstiodCert failed: x509 cert - ParseCertificates() error",
        "add root CAs into peerCertVerifier failed: parse certificate from rootPEM got error",
        "certificate signed by unknown authority",
    ],
    check: |inspection| inspection.public_files().flat_map(unreadable).collect(),
};

fn unreadable(file: &PublicFile) -> Vec<Flaw> {
    let expected = "certificates in PEM";
    let nothing_readable = file.certificates().is_empty();
    let mut flaws = Vec::new();
    for skipped in &file.skipped {
        let judges: &[Judge] = match file.name {
            // Where another block remains, Go goes on with that.
            _ if !nothing_readable => &[],
            // A reload does not read the chain's dates, and so not the chain.
            BundleFiles::CERT_CHAIN => &[Judge::IstiodStart],
            _ => AT_LOADING,
        };
        let found = format!("unreadable at line {}: {}", skipped.line, skipped.reason);
        flaws.push(Flaw::new(found, expected).file(file.name).judges(judges));
    }
    for (position, block) in file.blocks.iter().enumerate() {
        let Err(error) = &block.certificate else { continue };
        if block.label != pem::CERTIFICATE {
            continue;
        }
        let judges: &[Judge] = match file.name {
            // It has headers, which only pools of roots mind.
            BundleFiles::CA_CERT | BundleFiles::CERT_CHAIN if block.held.is_some() => &[],
            BundleFiles::CA_CERT if position == 0 => AT_LOADING,
            BundleFiles::CA_CERT => &[],
            BundleFiles::ROOT_CERT => &[Judge::IstiodStart, Judge::TlsClient],
            _ => &[Judge::IstiodStart],
        };
        let flaw = Flaw::new(format!("{error} (line {})", block.line), expected);
        flaws.push(flaw.file(file.name).block(position + 1).judges(judges));
    }
    // An empty cert-chain.pem is no chain, which istiod accepts; what is missing, another rule says.
    let may_be_empty = file.name == BundleFiles::CERT_CHAIN && file.is_empty;
    if file.blocks.is_empty() && file.skipped.is_empty() && !may_be_empty {
        let judges =
            if file.name == BundleFiles::CERT_CHAIN { &AT_LOADING[..1] } else { AT_LOADING };
        flaws.push(Flaw::new("no PEM block", expected).file(file.name).judges(judges));
    }
    flaws
}

pub(super) static FOREIGN_BLOCK: Rule = Rule {
    id: "foreign-block",
    severity: Severity::Refuse,
    judges: AT_LOADING,
    versions: Versions::ALL,
    what: "a certificate file holds a PEM block of another kind",
    why: "in root-cert.pem it stops istiod in the second stage of its start; in cert-chain.pem it \
          is sent to every workload; as the first block of ca-cert.pem it hides the certificate",
    fix: "keep only CERTIFICATE blocks",
    source: "Istio pilot/pkg/bootstrap/server.go createPeerCertVerifier; \
             security/pkg/server/ca/server.go CreateCertificate",
    evidence: "a key block in root-cert.pem, the labels X509 CERTIFICATE and TRUSTED CERTIFICATE (1.31)",
    istiod: &[
        "add root CAs into peerCertVerifier failed",
        "the cert does not match the key: tls: failed to find \"CERTIFICATE\" PEM block",
    ],
    check: |inspection| inspection.public_files().flat_map(foreign).collect(),
};

fn foreign(file: &PublicFile) -> Vec<Flaw> {
    let blocks = file.blocks.iter().enumerate();
    let others = blocks.filter(|(_, block)| {
        // A key has a rule of its own.
        block.label != pem::CERTIFICATE && !block.label.contains("PRIVATE KEY")
    });
    others
        .map(|(position, block)| {
            let judges: &[Judge] = match file.name {
                BundleFiles::ROOT_CERT => &[Judge::IstiodStart],
                BundleFiles::CA_CERT if position == 0 => AT_LOADING,
                // There it takes a certificate under any label.
                BundleFiles::CERT_CHAIN if position == 0 && block.held.is_none() => {
                    &[Judge::IstiodStart]
                }
                _ => &[],
            };
            Flaw::new(format!("`{}` at line {}", block.label, block.line), "`CERTIFICATE`")
                .file(file.name)
                .block(position + 1)
                .judges(judges)
        })
        .collect()
}

pub(super) static EXTRA_BLOCK: Rule = Rule {
    id: "extra-block",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "a file of which only the first block counts holds more",
    why: "istiod signs with the first block and ignores the rest, so a certificate put here is \
          missing where it is needed",
    fix: "keep the cluster CA's certificate alone in ca-cert.pem, its key alone in ca-key.pem, and \
          everything else in cert-chain.pem",
    source: "Istio security/pkg/pki/util/crypto.go ParsePemEncodedCertificate, ParsePemEncodedKey",
    evidence: "a tier given in ca-cert.pem only is not found; a block behind the key is ignored \
               (1.31)",
    istiod: &[],
    check: |inspection| {
        // cert-manager's tls.crt holds the tiers, and istiod reads them as part of the chain.
        let certificates = ca_cert_blocks(inspection).filter(|_| !inspection.tls_layout);
        let key_blocks = inspection.files.get(BundleFiles::CA_KEY).map(|bytes| {
            let blocks = pem::scan(bytes).read;
            blocks.iter().filter(|block| is_private_key(block)).count()
        });
        [(BundleFiles::CA_CERT, certificates), (BundleFiles::CA_KEY, key_blocks)]
            .into_iter()
            .filter_map(|(name, blocks)| Some((name, blocks.filter(|&blocks| blocks > 1)?)))
            .map(|(name, blocks)| Flaw::new(format!("{blocks} blocks"), "one block").file(name))
            .collect()
    },
};

fn ca_cert_blocks(inspection: &Inspection<'_>) -> Option<usize> {
    inspection.ca_file.as_ref().map(|file| file.blocks.len())
}
