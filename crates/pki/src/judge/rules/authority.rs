//! Whether each CA on the path may do what it does there.

use crate::judge::inspection::{Inspection, Step};
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::{BundleFiles, Certificate, KeyUsageBit};

use Judge::{Agent, Envoy, IstiodReload, IstiodStart, TlsClient, Ztunnel};

const ALL: &[Judge] = &Judge::ALL;
const AT_LOADING: &[Judge] = &[IstiodStart, IstiodReload];

pub(super) static NOT_A_CA: Rule = Rule {
    id: "not-a-ca",
    severity: Severity::Refuse,
    judges: ALL,
    versions: Versions::ALL,
    what: "a certificate that must be a CA is none",
    why: "istiod does not start with a leaf as its CA; a reload takes it, reports success, and no \
          workload gets a certificate any more",
    fix: "put a CA certificate there: basic constraints with CA true",
    source: "Istio security/pkg/pki/ca/ca.go NewPluggedCertIstioCAOptions; RFC 5280 4.2.1.9",
    evidence: "a leaf and a certificate without basic constraints as ca-cert.pem, as root (1.31)",
    istiod: &["certificate is not authorized to sign other certificates"],
    check: |inspection| {
        let mut flaws = Vec::new();
        for step in candidates(inspection).filter(|step| !step.certificate.is_ca()) {
            let judges: &[Judge] = match step.file {
                BundleFiles::CA_CERT => &[IstiodStart, Agent, Envoy, Ztunnel, TlsClient],
                _ => ALL,
            };
            flaws.push(about(step, "no CA", "basic constraints with CA true").judges(judges));
        }
        let steps: Vec<_> = candidates(inspection).map(|step| &step.certificate).collect();
        let others = inspection.roots.iter().enumerate();
        for (position, root) in others.filter(|(_, root)| !steps.contains(root) && !root.is_ca()) {
            let flaw = Flaw::new(format!("`{}`, no CA", root.subject()), "CA certificates only");
            flaws.push(flaw.file(BundleFiles::ROOT_CERT).block(position + 1).judges(&[]));
        }
        flaws
    },
};

pub(super) static NO_KEY_CERT_SIGN: Rule = Rule {
    id: "no-key-cert-sign",
    severity: Severity::Refuse,
    judges: ALL,
    versions: Versions::ALL,
    what: "a CA's key usage does not let it sign certificates",
    why: "istiod refuses this in a root or tier, and not in the cluster CA: there it starts, and \
          every agent refuses istiod's own certificate",
    fix: "issue the CA with keyCertSign among its key usages",
    source: "Go crypto/x509 CheckSignatureFrom; RFC 5280 4.2.1.3",
    evidence: "a cluster CA with digitalSignature only: istiod accepts, the agent says `parent \
               certificate cannot sign this kind of certificate` (1.31)",
    istiod: &["parent certificate cannot sign this kind of certificate"],
    check: |inspection| {
        let mut flaws = Vec::new();
        for step in candidates(inspection) {
            let Some(usage) = step.certificate.key_usage() else { continue };
            if usage.has(KeyUsageBit::KeyCertSign) {
                continue;
            }
            let judges: &[Judge] = match step.file {
                BundleFiles::CA_CERT => &[Agent, Envoy, TlsClient],
                _ => ALL,
            };
            flaws.push(about(step, format!("key usage {usage}"), "keyCertSign").judges(judges));
        }
        flaws
    },
};

pub(super) static UNKNOWN_CRITICAL_EXTENSION: Rule = Rule {
    id: "unknown-critical-extension",
    severity: Severity::Refuse,
    judges: ALL,
    versions: Versions::ALL,
    what: "a CA has a critical extension that nobody in a mesh understands",
    why: "whoever does not understand a critical extension must refuse the certificate",
    fix: "issue the CA without it, or with the extension not critical",
    source: "RFC 5280 4.2; Go crypto/x509 Verify",
    evidence: "an unknown critical extension on the root, on the cluster CA: istiod does not start; \
               critical policies: only webpki refuses (1.31)",
    istiod: &["unhandled critical extension"],
    check: |inspection| {
        inspection
            .steps()
            .iter()
            .flat_map(|step| {
                let critical = step.certificate.extensions().iter().filter(|it| it.critical);
                critical.filter(|extension| !UNDERSTOOD.contains(&extension.oid.as_str())).map(
                    move |extension| {
                        let flaw = about(step, extension.text(), "no such extension");
                        match POLICIES.contains(&extension.oid.as_str()) {
                            true => flaw.judges(&[Ztunnel]),
                            false => flaw,
                        }
                    },
                )
            })
            .collect()
    },
};

/// Key identifiers, key usage, names, basic constraints, name constraints, extended key usage: what
/// Go, BoringSSL and webpki all process. Name constraints are judged by `synthetic-leaf`.
const UNDERSTOOD: [&str; 7] =
    ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.35", "2.5.29.37"];

/// Certificate policies and inhibit anyPolicy (RFC 5280 sections 4.2.1.4 and 4.2.1.14): Go, BoringSSL
/// and OpenSSL process them, webpki does not.
const POLICIES: [&str; 2] = ["2.5.29.32", "2.5.29.54"];

pub(super) static PATH_LENGTH: Rule = Rule {
    id: "path-length",
    severity: Severity::Refuse,
    judges: &[Agent, Envoy, Ztunnel, TlsClient],
    versions: Versions::ALL,
    what: "a CA allows fewer CAs below it than there are",
    why: "istiod counts as if the cluster CA were the leaf and starts; the agents count right and \
          refuse its certificate, so no workload gets one",
    fix: "issue the CA with a larger path length, or without; a root above one cluster CA needs at \
          least 1",
    source: "RFC 5280 4.2.1.9; Go crypto/x509 isValid",
    evidence: "root with 0: the agent says `too many intermediates for path length constraint`, \
               Envoy accepts, OpenSSL refuses; tier with 0: all refuse (1.31, OpenSSL 3.0)",
    istiod: &[],
    check: |inspection| {
        let mut flaws = Vec::new();
        for (below, step) in (0u32..).zip(inspection.steps()) {
            let Some(allowed) = step.certificate.path_len() else { continue };
            if allowed >= below {
                continue;
            }
            let mut judges: Vec<Judge> = match step.file {
                // BoringSSL and webpki do not look at a root's path length.
                BundleFiles::ROOT_CERT => vec![Agent, TlsClient],
                _ => vec![Agent, Envoy, Ztunnel, TlsClient],
            };
            if allowed + 1 < below {
                judges.extend(AT_LOADING);
            }
            let found = format!("path length {allowed}");
            flaws.push(about(step, found, format!("at least {below}")).judges(&judges));
        }
        flaws
    },
};

pub(super) static KEY_ID_MISMATCH: Rule = Rule {
    id: "key-id-mismatch",
    severity: Severity::Refuse,
    judges: &[Envoy, TlsClient],
    versions: Versions::ALL,
    what: "a certificate names an issuer key id that its issuer does not have",
    why: "Go ignores it, Envoy and OpenSSL do not find the issuer: every connection between \
          workloads fails",
    fix: "issue the certificate again from the CA certificate that is in use",
    source: "RFC 5280 4.2.1.1; BoringSSL X509_check_issued",
    evidence: "istiod and agent accept, Envoy and OpenSSL end with unable to get local issuer \
               certificate at depth 1 (1.31, OpenSSL 3.0)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps();
        let pairs = steps.iter().zip(steps.iter().skip(1));
        pairs
            .filter_map(|(child, issuer)| {
                let named = child.certificate.authority_key_id()?;
                let expected = issuer.certificate.subject_key_id()?;
                let hex = |id| format!("key id {}", crate::hex::lower(id));
                (named != expected).then(|| about(child, hex(named), hex(expected)))
            })
            .collect()
    },
};

pub(super) static SAME_NAME: Rule = Rule {
    id: "same-name",
    severity: Severity::Refuse,
    judges: &[Envoy, TlsClient],
    versions: Versions::ALL,
    what: "two CAs on the path have the same name",
    why: "Envoy and OpenSSL take the lower one for a self-signed root they do not trust, unless it names \
          another key id as its issuer's",
    fix: "give each CA a name of its own; the Makefile adds the cluster as L",
    source: "BoringSSL X509_verify_cert",
    evidence: "a cluster CA named like the root, without an issuer's key id: Envoy and OpenSSL end \
               with self-signed certificate in certificate chain at depth 1; with it all accept \
               (1.31, OpenSSL 3.0)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps();
        let clash = |(position, step): (usize, &Step)| {
            let above = &steps[position + 1..];
            let same = |other: &Step| other.certificate.subject() == step.certificate.subject();
            // An issuer's key id that is not its own says that it is no root.
            let (own, issuer) =
                (step.certificate.subject_key_id(), step.certificate.authority_key_id());
            if issuer.is_some() && own.is_some() && issuer != own {
                return None;
            }
            above
                .iter()
                .any(same)
                .then(|| about(step, "the name of a CA above it", "a name of its own"))
        };
        steps.iter().enumerate().filter_map(clash).collect()
    },
};

pub(super) static NO_CRL_SIGN: Rule = Rule {
    id: "no-crl-sign",
    severity: Severity::Advice,
    judges: &[],
    versions: Versions::since(1, 27),
    what: "a CA's key usage does not let it sign revocation lists",
    why: "a ca-crl.pem can never be added to this bundle; CAs of Istio's Makefile are all so",
    fix: "issue the CA with keyCertSign and cRLSign",
    source: "Istio security/pkg/pki/util/keycertbundle.go Verify; RFC 5280 4.2.1.3",
    evidence: "lists signed by Makefile CAs: `missing CRL signed by certificates` (1.31)",
    istiod: &[],
    check: |inspection| {
        let lacking = inspection.steps().iter().filter_map(|step| {
            let usage = step.certificate.key_usage()?;
            let lacks = !usage.has(KeyUsageBit::CrlSign);
            lacks.then(|| about(step, format!("key usage {usage}"), "cRLSign too"))
        });
        lacking.collect()
    },
};

/// The path, or at least the cluster CA where there is none.
fn candidates<'a>(inspection: &'a Inspection<'_>) -> impl Iterator<Item = &'a Step> {
    inspection.steps().iter().chain(inspection.lone_ca.as_ref())
}

/// A flaw of one certificate, with its name.
pub(super) fn about(step: &Step, found: impl Into<String>, expected: impl Into<String>) -> Flaw {
    let Step { file, certificate } = step;
    Flaw::new(format!("{}: {}", name(certificate), found.into()), expected).file(*file)
}

fn name(certificate: &Certificate) -> String {
    format!("`{}`", certificate.subject())
}
