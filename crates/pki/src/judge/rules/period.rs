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

pub(super) static FALSE_TWIN: Rule = Rule {
    id: "false-twin",
    severity: Severity::Refuse,
    judges: &[Judge::Envoy, Judge::TlsClient],
    versions: Versions::ALL,
    what: "a certificate looks like a CA of the chain and has another key",
    why: "Envoy and OpenSSL take the first whose name and key id fit, and do not try the next when \
          its signature does not; agents sort the roots, so that the order in the file is no help",
    fix: "remove it, or give each CA a name of its own",
    source: "BoringSSL and OpenSSL X509_verify_cert",
    evidence: "a root of the same name and key id before the right one: certificate signature \
               failure at depth 1 in Envoy and OpenSSL; with another key id both go on (1.31)",
    istiod: &[],
    check: |inspection| {
        let mut flaws = Vec::new();
        for (file, all) in [
            (BundleFiles::CERT_CHAIN, &inspection.chain),
            (BundleFiles::ROOT_CERT, &inspection.roots),
        ] {
            for (position, it) in all.iter().enumerate() {
                let Some(real) = likeness(inspection, it) else { continue };
                let comes_first = !all[..position].contains(real)
                    && (file == BundleFiles::ROOT_CERT || !inspection.roots.contains(real));
                let found = format!("`{}` with another key", it.subject());
                let flaw = Flaw::new(found, "names of their own").file(file).block(position + 1);
                flaws.push(if comes_first { flaw } else { flaw.judges(&[]) });
            }
        }
        flaws
    },
};

/// The CA on the path that the certificate is taken for: its name, no key id that differs from the
/// one its child asks for, another key.
fn likeness<'a>(inspection: &'a Inspection<'_>, it: &Certificate) -> Option<&'a Certificate> {
    if on_path(inspection, it) {
        return None;
    }
    let mut steps = inspection.steps().iter().map(|step| &step.certificate);
    let children = inspection.steps().iter().map(|step| step.certificate.authority_key_id());
    // Leaves name the key id that the cluster CA has.
    let leaf = inspection.ca.as_ref().and_then(Certificate::subject_key_id);
    let mut asked = std::iter::once(leaf).chain(children);
    steps.find(|real| {
        let asked = asked.next().flatten();
        let differs = asked.is_some_and(|id| it.subject_key_id().is_some_and(|own| own != id));
        it.subject() == real.subject() && it.public_key_der() != real.public_key_der() && !differs
    })
}

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
            let is_roots = || {
                let mut steps = inspection.steps().iter();
                steps.any(|step| {
                    step.file == BundleFiles::ROOT_CERT && same_ca(&step.certificate, it)
                })
            };
            // Whoever builds a path asks its roots before what it was sent.
            let comes_later = follows_its_twin(inspection, file, position)
                || (file == BundleFiles::CERT_CHAIN && is_roots());
            if twins && comes_later { flaw.judges(&[]) } else { flaw }
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

pub(super) fn same_ca(one: &Certificate, other: &Certificate) -> bool {
    one.subject() == other.subject() && one.public_key_der() == other.public_key_der()
}
