//! The way from the cluster CA to a root, and what is sent along with each leaf.

use super::authority::about;
use super::period::same_ca;
use crate::hierarchy::path_to_root;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::judge::weak;
use crate::{BundleFiles, Certificate, SignatureFlaw, pem};

use Judge::{Agent, Envoy, IstiodReload, IstiodStart, TlsClient, Ztunnel};

pub(super) static NO_PATH_TO_ROOT: Rule = Rule {
    id: "no-path-to-root",
    severity: Severity::Refuse,
    judges: &[IstiodStart, IstiodReload, Agent, Envoy, Ztunnel, TlsClient],
    versions: Versions::ALL,
    what: "no chain of signatures leads from the cluster CA to root-cert.pem",
    why: "istiod does not start; on a reload it keeps the old CA and dies at its next start",
    fix: "put every CA between the cluster CA and the root into cert-chain.pem, and the root that \
          signed the uppermost into root-cert.pem",
    source: "Istio security/pkg/pki/util/keycertbundle.go Verify; Go crypto/x509",
    evidence: "another root, a root of the same name with another key, a missing tier, a SHA-1 \
               signature (1.31)",
    istiod: &[
        "cannot verify the cert with the provided root chain and cert pool with error",
        "certificate signed by unknown authority",
        "crypto/rsa: verification error",
        "x509: cannot verify signature: insecure algorithm SHA1-RSA",
    ],
    check: |inspection| {
        let Some(Err(end)) = &inspection.path else { return Vec::new() };
        let candidates = inspection.chain.iter().chain(&inspection.roots);
        let namesake = candidates.filter(|ca| *ca != end).find(|ca| ca.subject() == end.issuer());
        let found = match namesake.map(|ca| end.check_signature(ca)) {
            Some(Err(SignatureFlaw::WrongKey)) => "whose key did not make the signature".to_owned(),
            Some(Err(flaw)) => format!("but {flaw}"),
            Some(Ok(())) | None => "which is neither in cert-chain.pem nor a root".to_owned(),
        };
        let found = format!("`{}` names issuer `{}`, {found}", end.subject(), end.issuer());
        vec![Flaw::new(found, "an issuer whose key made the signature").file(
            match &inspection.ca {
                Some(ca) if ca == end => BundleFiles::CA_CERT,
                _ => BundleFiles::CERT_CHAIN,
            },
        )]
    },
};

pub(super) static CHAIN_LACKS_CLUSTER_CA: Rule = Rule {
    id: "chain-lacks-cluster-ca",
    severity: Severity::Refuse,
    judges: &[Agent, Envoy, Ztunnel, TlsClient],
    versions: Versions::ALL,
    what: "cert-chain.pem does not hold the cluster CA",
    why: "istiod starts, and reloads with its success message; but neither its own nor any \
          workload's chain reaches the root, so pods hang and webhooks fail",
    fix: "put ca-cert.pem's certificate first into cert-chain.pem",
    source: "Istio security/pkg/server/ca/server.go CreateCertificate",
    evidence: "an empty, a root-only and a foreign cert-chain.pem: istiod accepts, the agent says \
               `certificate signed by unknown authority`; under the label X509 CERTIFICATE Envoy and \
               OpenSSL read it, with headers only the agent (1.31)",
    istiod: &[],
    check: |inspection| {
        let (Some(ca), Some(chain_file)) = (&inspection.ca, &inspection.chain_file) else {
            return Vec::new();
        };
        // A cluster CA that is a root itself is sent as part of the trust bundle.
        // A certificate of the same name and key leads upwards as well.
        let leads_up = |it: &Certificate| same_ca(it, ca);
        if inspection.chain.iter().chain(&inspection.roots).any(leads_up) {
            return Vec::new();
        }
        let held = chain_file.blocks.iter().find(|it| it.held.as_ref().is_some_and(leads_up));
        let judges: &[Judge] = match held.map(|block| block.label.as_str()) {
            // It has headers.
            Some(pem::CERTIFICATE) => &[Envoy, Ztunnel, TlsClient],
            Some("X509 CERTIFICATE") => &[Agent, Ztunnel],
            Some("TRUSTED CERTIFICATE") => &[Agent, Envoy, Ztunnel],
            _ => &[Agent, Envoy, Ztunnel, TlsClient],
        };
        let subjects: Vec<_> =
            inspection.chain.iter().map(|other| format!("`{}`", other.subject())).collect();
        let found = if subjects.is_empty() { "no certificate".into() } else { subjects.join(", ") };
        let expected = format!("`{}` {}", ca.subject(), ca.fingerprint());
        vec![Flaw::new(found, expected).file(BundleFiles::CERT_CHAIN).judges(judges)]
    },
};

pub(super) static CHAIN_ORDER: Rule = Rule {
    id: "chain-order",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "cert-chain.pem does not start with the cluster CA",
    why: "istiod caps the life of workload certificates, and reports expiry, by the first \
          certificate of the file; TLS 1.2 wants each certificate to certify the one before",
    fix: "order it from the cluster CA upwards",
    source: "Istio security/pkg/pki/ca/ca.go minTTL; RFC 5246 7.4.2",
    evidence: "root first: accepted by istiod, agent and Envoy (1.31)",
    istiod: &[],
    check: |inspection| {
        let Some(ca) = &inspection.ca else { return Vec::new() };
        match inspection.chain.first() {
            Some(first) if first != ca && inspection.chain.contains(ca) => {
                let found = format!("`{}` first", first.subject());
                let expected = format!("`{}` first", ca.subject());
                vec![Flaw::new(found, expected).file(BundleFiles::CERT_CHAIN).block(1)]
            }
            _ => Vec::new(),
        }
    },
};

pub(super) static UNRELATED_CERTIFICATE: Rule = Rule {
    id: "unrelated-certificate",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "cert-chain.pem holds a certificate that no chain needs",
    why: "it is sent in every handshake of the mesh and proves nothing",
    fix: "leave it out",
    source: "Istio security/pkg/server/ca/server.go CreateCertificate",
    evidence: "a foreign and a leaf certificate more: served, harmless (1.31)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps();
        if steps.is_empty() {
            return Vec::new();
        }
        let needed = |certificate: &Certificate| {
            inspection.roots.contains(certificate)
                || steps.iter().any(|step| step.certificate == *certificate)
        };
        let chain = inspection.chain.iter().enumerate();
        chain
            .filter(|(_, certificate)| !needed(certificate))
            .map(|(position, certificate)| {
                Flaw::new(format!("`{}`", certificate.subject()), "only CAs of the chain")
                    .file(BundleFiles::CERT_CHAIN)
                    .block(position + 1)
            })
            .collect()
    },
};

pub(super) static ANCHOR_NOT_SELF_SIGNED: Rule = Rule {
    id: "anchor-not-self-signed",
    severity: Severity::Warn,
    judges: &[TlsClient],
    versions: Versions::ALL,
    what: "the chain ends in a root-cert.pem certificate that is not self-signed",
    why: "Go, Envoy and webpki take any certificate as the end of a chain; OpenSSL does so only \
          when told to",
    fix: "put the self-signed root into root-cert.pem and the other into cert-chain.pem",
    source: "OpenSSL X509_V_FLAG_PARTIAL_CHAIN",
    evidence: "an intermediate alone as root-cert.pem: 200 between workloads (1.31)",
    istiod: &[],
    check: |inspection| match inspection.steps().last() {
        Some(anchor) if !leads_to_self_signed(&anchor.certificate, inspection) => {
            vec![about(anchor, "signed by another CA", "a self-signed certificate")]
        }
        _ => Vec::new(),
    },
};

/// OpenSSL goes on from an anchor that is none to it. A root's own signature is nobody's concern.
fn leads_to_self_signed(anchor: &Certificate, inspection: &Inspection<'_>) -> bool {
    let (self_issued, others): (Vec<_>, Vec<_>) =
        inspection.roots.iter().cloned().partition(Certificate::is_self_issued);
    path_to_root(anchor, &others, &self_issued, weak::is_signed_by).is_ok()
}

pub(super) static ROOT_IN_CHAIN: Rule = Rule {
    id: "root-in-chain",
    severity: Severity::Advice,
    judges: &[],
    versions: Versions::ALL,
    what: "cert-chain.pem holds a root",
    why: "istiod appends root-cert.pem anyway, so every workload serves the root twice; Istio's \
          Makefile does this",
    fix: "keep only the CAs below the root in cert-chain.pem",
    source: "Istio security/pkg/server/ca/server.go CreateCertificate",
    evidence: "four certificates served with the Makefile's layout, three without the root (1.31)",
    istiod: &[],
    check: |inspection| {
        // istiod itself puts it there in that layout.
        if inspection.tls_layout {
            return Vec::new();
        }
        let chain = inspection.chain.iter().enumerate();
        chain
            .filter(|(_, certificate)| {
                inspection.roots.contains(certificate)
                    && inspection.ca.as_ref() != Some(certificate)
            })
            .map(|(position, certificate)| {
                Flaw::new(format!("`{}`", certificate.subject()), "no root")
                    .file(BundleFiles::CERT_CHAIN)
                    .block(position + 1)
            })
            .collect()
    },
};
