//! Dates.

use super::authority::about;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::validity::rfc3339;
use crate::{BundleFiles, Certificate};

pub(super) static OUTSIDE_VALIDITY: Rule = Rule {
    id: "outside-validity",
    severity: Severity::Refuse,
    judges: &Judge::ALL,
    versions: Versions::ALL,
    what: "a CA of the chain has expired or is not valid yet",
    why: "istiod does not start; with an expired first certificate in cert-chain.pem it reloads \
          and then dies at its next start",
    fix: "issue the CA anew, under the same key and name if its children are to live on",
    source: "Go crypto/x509 Verify; Istio security/pkg/pki/ca/ca.go minTTL",
    evidence: "expired and not yet valid cluster CA and root, expired first certificate of \
               cert-chain.pem (1.31)",
    istiod: &["certificate has expired or is not yet valid", "cert chain has expired"],
    check: |inspection| {
        let now = inspection.context.now;
        let mut flaws: Vec<_> = inspection
            .steps()
            .iter()
            .chain(&inspection.lone_ca)
            .filter(|step| !step.certificate.validity().contains(now))
            .map(|step| {
                about(step, format!("valid {}", step.certificate.validity()), valid_at(inspection))
            })
            .collect();
        if let Some(first) = inspection.chain.first()
            && !on_path(inspection, first)
            && first.validity().not_after() < now
        {
            let flaw = extra(inspection, first, BundleFiles::CERT_CHAIN, 0);
            flaws.push(flaw.judges(&[Judge::IstiodStart]));
        }
        flaws
    },
};

pub(super) static EXPIRED_TWIN: Rule = Rule {
    id: "expired-twin",
    severity: Severity::Refuse,
    judges: &[Judge::Envoy],
    versions: Versions::ALL,
    what: "an expired certificate has the name and key of a CA of the chain",
    why: "Envoy takes the first one that fits and refuses it; agents sort the roots, so that the \
          order in the file is no help",
    fix: "remove the expired one",
    source: "BoringSSL X509_verify_cert; Istio security/pkg/nodeagent/cache/secretcache.go",
    evidence: "expired root before its renewed twin: certificate_has_expired at depth 2; the other \
               order works (1.31)",
    istiod: &[],
    check: |inspection| invalid_extras(inspection, true),
};

pub(super) static EXPIRED_EXTRA: Rule = Rule {
    id: "expired-extra",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "a certificate that the chain does not need is outside its validity",
    why: "it proves nothing, and Istio's expiry metrics read the first certificate of each file",
    fix: "remove it",
    source: "Istio security/pkg/pki/util/keycertbundle.go, the expiry metrics",
    evidence: "an expired second root: 200 between workloads (1.31)",
    istiod: &[],
    check: |inspection| invalid_extras(inspection, false),
};

pub(super) static ISSUER_ENDS_FIRST: Rule = Rule {
    id: "issuer-ends-first",
    severity: Severity::Advice,
    judges: &[],
    versions: Versions::ALL,
    what: "a CA is valid for longer than the CA that signed it",
    why: "its last days are worth nothing, and expiry watched on it alone comes too late; Istio's \
          Makefile gives both the same days, so that the intermediate ends seconds later",
    fix: "issue it to end no later than its issuer",
    source: "RFC 5280 6.1.3; Istio tools/certs/Makefile.selfsigned.mk",
    evidence: "an intermediate that outlives its root: accepted by istiod, agent and Envoy (1.31)",
    istiod: &[],
    check: |inspection| {
        let steps = inspection.steps();
        let pairs = steps.iter().zip(steps.iter().skip(1));
        let end = |certificate: &Certificate| certificate.validity().not_after();
        pairs
            .filter(|(child, issuer)| end(&child.certificate) > end(&issuer.certificate))
            .map(|(child, issuer)| {
                let ends = |certificate| format!("ends {}", rfc3339(end(certificate)));
                about(
                    child,
                    ends(&child.certificate),
                    format!(
                        "not after `{}`, which {}",
                        issuer.certificate.subject(),
                        ends(&issuer.certificate)
                    ),
                )
            })
            .collect()
    },
};

/// Certificates beside the path that are not valid now, and whether each is a twin of one on it.
fn invalid_extras(inspection: &Inspection<'_>, twins: bool) -> Vec<Flaw> {
    let now = inspection.context.now;
    let chain = inspection.chain.iter().enumerate().map(|at| (BundleFiles::CERT_CHAIN, at));
    let roots = inspection.roots.iter().enumerate().map(|at| (BundleFiles::ROOT_CERT, at));
    chain
        .chain(roots)
        .filter(|(_, (_, it))| !it.validity().contains(now) && !on_path(inspection, it))
        .filter(|(_, (_, it))| is_twin(inspection, it) == twins)
        .map(|(file, (position, it))| {
            let flaw = extra(inspection, it, file, position);
            if twins && follows_its_twin(inspection, file, position) {
                flaw.judges(&[])
            } else {
                flaw
            }
        })
        .collect()
}

/// As measured, Envoy is content with this order; it is refused since agents may change it.
fn follows_its_twin(inspection: &Inspection<'_>, file: &str, position: usize) -> bool {
    let all = if file == BundleFiles::CERT_CHAIN { &inspection.chain } else { &inspection.roots };
    let mut before = all[..position].iter();
    before.any(|earlier| on_path(inspection, earlier) && same_ca(earlier, &all[position]))
}

fn extra(inspection: &Inspection<'_>, it: &Certificate, file: &str, position: usize) -> Flaw {
    let found = format!("`{}`: valid {}", it.subject(), it.validity());
    Flaw::new(found, valid_at(inspection)).file(file).block(position + 1)
}

fn valid_at(inspection: &Inspection<'_>) -> String {
    format!("valid at {}", rfc3339(inspection.context.now))
}

fn on_path(inspection: &Inspection<'_>, certificate: &Certificate) -> bool {
    let mut steps = inspection.steps().iter().chain(&inspection.lone_ca);
    steps.any(|step| step.certificate == *certificate)
}

fn is_twin(inspection: &Inspection<'_>, certificate: &Certificate) -> bool {
    inspection.steps().iter().any(|step| same_ca(&step.certificate, certificate))
}

fn same_ca(one: &Certificate, other: &Certificate) -> bool {
    one.subject() == other.subject() && one.public_key_der() == other.public_key_der()
}
