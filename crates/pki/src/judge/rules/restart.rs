//! What depends on the mesh the bundle goes into.

use std::collections::BTreeSet;

use crate::judge::IstioVersion;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, SOURCE_ONLY, Severity, Versions};
use crate::{BundleFiles, Certificate, Fingerprint, pem};

/// Before it, Istio compared the bytes of the roots, not the certificates.
const COMPARES_CERTIFICATES: IstioVersion = IstioVersion::new(1, 30, 0);

pub(super) static ROOT_CHANGE: Rule = Rule {
    id: "root-change",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodReload],
    versions: Versions::ALL,
    what: "root-cert.pem differs from the one the running istiod has",
    why: "istiod drops the whole update, key and certificate too, with one warning line; the next \
          restart takes it, and every workload started from then on fails towards the others",
    fix: "keep root-cert.pem byte for byte, or change roots in steps: both roots, then the new CA, \
          then the new root alone",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go handleEvent, pemBundleHasSubsetRelation",
    evidence: "a newline, a comment, another order: dropped; with several roots allowed, subsets and \
               supersets are taken, others dropped (1.31)",
    istiod: &[
        "Multi root is disabled, updating new ROOT-CA not supported",
        "Updating new ROOT-CA not supported",
    ],
    check: |inspection| {
        let (Some(current), Some(new)) =
            (&inspection.context.current, inspection.files.get(BundleFiles::ROOT_CERT))
        else {
            return Vec::new();
        };
        if current == new || (inspection.context.multi_root && related(inspection, current, new)) {
            return Vec::new();
        }
        let certificates = |bytes| {
            let names: Vec<_> = fingerprints(bytes).iter().map(Fingerprint::to_string).collect();
            format!("{} bytes with [{}]", <[u8]>::len(bytes), names.join(", "))
        };
        vec![Flaw::new(certificates(new), certificates(current)).file(BundleFiles::ROOT_CERT)]
    },
};

pub(super) static HALF_APPLIED_ROOTS: Rule = Rule {
    id: "half-applied-roots",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodReload],
    versions: Versions::ALL,
    what: "new roots with a damaged block among them go to a running istiod that takes new roots",
    why: "istiod publishes the new roots and then fails on its own certificate: it goes on with \
          the old one, proxies are not told, and the next start dies",
    fix: "write root-cert.pem anew from its certificates",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go handleEvent",
    evidence: "a damaged certificate first in root-cert.pem, with several roots allowed (1.31)",
    istiod: &["Failed generating plugged-in istiod key cert"],
    check: |inspection| {
        let (Some(current), Some(new)) = (&inspection.context.current, &inspection.root_file)
        else {
            return Vec::new();
        };
        let changes = inspection.files.get(new.name) != Some(current.as_slice());
        if !changes || !inspection.context.multi_root {
            return Vec::new();
        }
        let blocks = new.blocks.iter().enumerate();
        let damaged = blocks
            .filter(|(_, block)| block.label == pem::CERTIFICATE && block.certificate.is_err());
        damaged
            .map(|(position, block)| {
                Flaw::new(format!("a damaged block at line {}", block.line), "certificates in PEM")
                    .file(new.name)
                    .block(position + 1)
            })
            .collect()
    },
};

/// Whether one set of roots holds the other.
fn related(inspection: &Inspection<'_>, current: &[u8], new: &[u8]) -> bool {
    if inspection.context.istio < COMPARES_CERTIFICATES {
        let holds = |outer: &[u8], inner: &[u8]| {
            !inner.is_empty() && outer.windows(inner.len()).any(|window| window == inner)
        };
        return holds(current, new) || holds(new, current);
    }
    let (current, new) = (fingerprints(current), fingerprints(new));
    current.is_subset(&new) || new.is_subset(&current)
}

fn fingerprints(bytes: &[u8]) -> BTreeSet<Fingerprint> {
    let blocks = pem::scan(bytes).read;
    let certificates = blocks.iter().filter_map(|block| Certificate::from_block(block).ok());
    certificates.map(|certificate| certificate.fingerprint()).collect()
}

pub(super) static AMBIENT_ROOTS: Rule = Rule {
    id: "ambient-roots",
    severity: Severity::Warn,
    judges: &[],
    versions: Versions::ALL,
    what: "root-cert.pem holds several roots, and ztunnel takes part",
    why: "ztunnel takes its trust from the last element of a CSR response and never from a later \
          push, so it does not follow a change of roots like a sidecar",
    fix: "restart ztunnel after each step of a change of roots, and check what it trusts",
    source: "ztunnel src/tls/certificate.rs; istio/istio issues 47427 and 61719",
    evidence: SOURCE_ONLY,
    istiod: &[],
    check: |inspection| {
        let distinct: BTreeSet<_> = inspection.roots.iter().map(Certificate::fingerprint).collect();
        if !inspection.context.ambient || distinct.len() < 2 {
            return Vec::new();
        }
        let found = format!("{} roots", distinct.len());
        vec![Flaw::new(found, "one root, outside of a change").file(BundleFiles::ROOT_CERT)]
    },
};
