//! What works today and hurts later.

use time::Duration;

use super::authority::about;
use crate::judge::IstioVersion;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, SOURCE_ONLY, Severity, Versions};
use crate::judge::weak;
use crate::validity::rfc3339;
use crate::{BundleFiles, Certificate};

pub(super) static ENDS_TOO_SOON: Rule = Rule {
    id: "ends-too-soon",
    severity: Severity::Refuse,
    judges: &[],
    versions: Versions::ALL,
    what: "a certificate ends within the time in which none may",
    why: "once a CA of the chain has ended, every connection of the mesh fails and istiod does not \
          start",
    fix: "issue it anew, under the same key and name if its children are to live on",
    source: "the limit that was asked for",
    evidence: "an intermediate with ten minutes left: every leaf ends with it (1.31)",
    istiod: &[],
    check: |inspection| {
        let context = inspection.context;
        ending(inspection, Duration::ZERO, context.fail_within)
    },
};

pub(super) static ENDS_SOON: Rule = Rule {
    id: "ends-soon",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "a certificate ends within the time in which to replace it",
    why: "once a CA of the chain has ended, every connection of the mesh fails; Istio's metrics \
          watch the first certificate of two files only",
    fix: "issue it anew, under the same key and name if its children are to live on",
    source: "the limit that was asked for",
    evidence: "an intermediate with ten minutes left: every leaf ends with it (1.31)",
    istiod: &[],
    check: |inspection| {
        let context = inspection.context;
        ending(inspection, context.fail_within, context.warn_within)
    },
};

/// Each valid certificate of any file that ends after `from` and within `until` from now, where it
/// stands first.
fn ending(inspection: &Inspection<'_>, from: Duration, until: Duration) -> Vec<Flaw> {
    let now = inspection.context.now;
    let mut seen = Vec::new();
    let mut flaws = Vec::new();
    for file in inspection.public_files() {
        for (position, block) in file.blocks.iter().enumerate() {
            let Ok(certificate) = &block.certificate else { continue };
            if seen.contains(certificate) || !certificate.validity().contains(now) {
                continue;
            }
            seen.push(certificate.clone());
            let end = certificate.validity().not_after();
            if end - now >= until || end - now < from {
                continue;
            }
            let found = format!("`{}`: ends {}", certificate.subject(), rfc3339(end));
            let expected = format!("not before {}", rfc3339(now.saturating_add(until)));
            flaws.push(Flaw::new(found, expected).file(file.name).block(position + 1));
        }
    }
    flaws
}

pub(super) static SHORT_LIVED_CA: Rule = Rule {
    id: "short-lived-ca",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "the chain ends sooner than two lives of a workload certificate",
    why: "workloads renew at half of their certificate's life, so the last ones under this CA live \
          shorter and shorter and end all at once",
    fix: "replace the cluster CA now, and from then on while it has at least two lives left",
    source: "Istio security/pkg/pki/util/generate_cert.go; istio/istio issues 18990 and 59766",
    evidence: "an intermediate with ten minutes left: the leaf ends in the same second (1.31)",
    istiod: &[],
    check: |inspection| ends_within(inspection, inspection.context.workload_lifetime * 2),
};

pub(super) static LEAF_OUTLIVES_CA: Rule = Rule {
    id: "leaf-outlives-ca",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::before(1, 30),
    what: "workload certificates would end after their CA",
    why: "this istiod does not shorten them, so that they look valid, are not renewed, and are \
          refused once the CA has ended",
    fix: "replace the cluster CA now, or use Istio from 1.28.7, 1.29.3 or 1.30",
    source: "Istio security/pkg/pki/util/generate_cert.go before 1.28.7, 1.29.3, 1.30",
    evidence: SOURCE_ONLY,
    istiod: &[],
    check: |inspection| {
        let clamps = match inspection.context.istio {
            IstioVersion { major: 1, minor: 28, patch } => patch >= 7,
            IstioVersion { major: 1, minor: 29, patch } => patch >= 3,
            // Releases from 1.30 are none of this rule's.
            _ => false,
        };
        if clamps {
            return Vec::new();
        }
        ends_within(inspection, inspection.context.workload_lifetime)
    },
};

/// The certificate of the path that ends first, if that is within `span` from now.
fn ends_within(inspection: &Inspection<'_>, span: Duration) -> Vec<Flaw> {
    let end = |certificate: &Certificate| certificate.validity().not_after();
    let now = inspection.context.now;
    let first = inspection.steps().iter().min_by_key(|step| end(&step.certificate));
    first
        .filter(|step| step.certificate.validity().contains(now))
        .filter(|step| end(&step.certificate) - now < span)
        .map(|step| {
            let found = format!("ends {}", rfc3339(end(&step.certificate)));
            about(step, found, format!("not before {}", rfc3339(now.saturating_add(span))))
        })
        .into_iter()
        .collect()
}

pub(super) static WEAK_KEY: Rule = Rule {
    id: "weak-key",
    severity: Severity::Warn,
    judges: &[Judge::Ztunnel],
    versions: Versions::ALL,
    what: "a CA has a key below what is held to be safe",
    why: "istiod, the agents and Envoy take it; ztunnel does not, and whoever breaks the key owns \
          the mesh",
    fix: "issue the CA with P-256, P-384 or RSA from 2048 bits",
    source: "NIST SP 800-131A; rustls-webpki, the algorithms it verifies",
    evidence: "RSA with 1024 bits and P-224 as root and as cluster CA: 200 between workloads (1.31)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps().iter();
        steps
            .filter(|step| weak::is_weak(&step.certificate))
            .map(|step| {
                let found = step.certificate.public_key_kind();
                about(step, found, "P-256, P-384 or RSA from 2048 bits")
            })
            .collect()
    },
};

pub(super) static UNPROVED_SIGNATURE: Rule = Rule {
    id: "unproved-signature",
    severity: Severity::Refuse,
    judges: &[],
    versions: Versions::ALL,
    what: "a CA has a key with which these rules can prove no signature",
    why: "istiod and the mesh take P-224; whether this chain holds was not checked, and what is \
          not checked must not pass as good",
    fix: "issue the CA with P-256 or P-384",
    source: "aws-lc-rs and rustls-webpki, the algorithms they verify",
    evidence: "P-224 as root and as cluster CA: 200 between workloads (1.31)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps().iter();
        steps
            .filter(|step| weak::is_p224(&step.certificate))
            .map(|step| about(step, step.certificate.public_key_kind(), "P-256 or P-384"))
            .collect()
    },
};

pub(super) static WEAK_DIGEST: Rule = Rule {
    id: "weak-digest",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "a root is signed over a SHA-1 or MD5 digest",
    why: "nobody in the mesh checks a root's own signature, and so it works; scanners and other \
          clients object",
    fix: "sign the root anew over SHA-256 at the next change of roots",
    source: "RFC 9155; Go crypto/x509 checkSignature",
    evidence: "a SHA-1 root: accepted by istiod, agent and Envoy; a SHA-1 intermediate stops \
               istiod (1.31)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps().iter();
        steps
            .filter_map(|step| {
                let algorithm = step.certificate.signature_algorithm();
                let name = algorithm.to_ascii_lowercase();
                let weak = name.contains("sha1") || name.contains("sha-1") || name.contains("md5");
                weak.then(|| about(step, algorithm, "SHA-256 or longer"))
            })
            .collect()
    },
};

pub(super) static DUPLICATE_CERTIFICATE: Rule = Rule {
    id: "duplicate-certificate",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "a file holds the same certificate twice",
    why: "it is sent twice in every handshake of the mesh, which some Java clients refuse, and a \
          root-cert.pem without the second copy counts as a change of roots",
    fix: "keep one",
    source: "Istio security/pkg/server/ca/server.go CreateCertificate; istio/istio issues 39001 \
             and 43654",
    evidence: "a root twice in root-cert.pem or in cert-chain.pem: 200 between workloads, five or \
               six certificates served (1.31)",
    istiod: &[],
    check: |inspection| {
        let chain = (BundleFiles::CERT_CHAIN, &inspection.chain);
        let roots = (BundleFiles::ROOT_CERT, &inspection.roots);
        let mut flaws = Vec::new();
        for (file, all) in [chain, roots] {
            for (position, certificate) in all.iter().enumerate() {
                if all[..position].contains(certificate) {
                    let found = format!("`{}` again", certificate.subject());
                    flaws.push(Flaw::new(found, "each once").file(file).block(position + 1));
                }
            }
        }
        flaws
    },
};
