//! Which files are there.

use crate::BundleFiles;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};

const TLS_CERT: &str = "tls.crt";
const CRL: &str = "ca-crl.pem";

pub(super) static NO_BUNDLE: Rule = Rule {
    id: "no-bundle",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "none of the bundle's files is there",
    why: "istiod says nothing, makes a CA of its own and signs every workload with that",
    fix: "put all four files into the folder or Secret",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go detectSigningCABundleAndCRL",
    evidence: "started with no file, with ca-crl.pem only and with istio-generated only: \
               self-signed each time (1.31)",
    istiod: None,
    check: |inspection| {
        if present(inspection).next().is_some() || inspection.files.get(TLS_CERT).is_some() {
            return Vec::new();
        }
        let names: Vec<_> = inspection.files.names().collect();
        let found = if names.is_empty() { "no file".to_owned() } else { names.join(", ") };
        vec![Flaw::new(found, BundleFiles::NAMES.join(", "))]
    },
};

pub(super) static MISSING_FILE: Rule = Rule {
    id: "missing-file",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "a file of the bundle is missing",
    why: "istiod does not start; before 1.27 it fell back to a CA of its own when the key was \
          missing",
    fix: "put all four files into the folder or Secret",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go checkCABundleCompleteness",
    evidence: "started without each of the four in turn (1.31)",
    istiod: Some("incomplete signing CA bundle detected"),
    check: |inspection| {
        if present(inspection).next().is_none() {
            return Vec::new();
        }
        BundleFiles::NAMES
            .into_iter()
            .filter(|name| inspection.files.get(name).is_none())
            .map(|name| Flaw::new("no such file", "a PEM file").file(name))
            .collect()
    },
};

pub(super) static TLS_LAYOUT: Rule = Rule {
    id: "tls-layout",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "there is a tls.crt, which istiod prefers to ca-cert.pem",
    why: "istiod takes tls.crt, tls.key and ca.crt as its CA and ignores the four files; if one \
          of the three is missing it does not start",
    fix: "remove tls.crt, or move the content of the tls files into the four files",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go detectSigningCABundleAndCRL",
    evidence: "a tls.crt, also an empty one, beside a complete bundle stops istiod; a complete tls \
               set wins silently (1.31)",
    istiod: Some("incomplete signing CA bundle detected"),
    check: |inspection| match inspection.files.get(TLS_CERT) {
        Some(_) => vec![Flaw::new("tls.crt", "only the four files").file(TLS_CERT)],
        None => Vec::new(),
    },
};

pub(super) static CRL_NOT_JUDGED: Rule = Rule {
    id: "crl-not-judged",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload, Judge::Envoy],
    versions: Versions::since(1, 27),
    what: "there is a ca-crl.pem, which these rules cannot judge",
    why: "istiod does not start if a CA of the chain has no list in it, and every connection fails \
          once a list has expired; an unjudged list must not pass as good",
    fix: "leave ca-crl.pem out",
    source: "Istio security/pkg/pki/util/keycertbundle.go Verify",
    evidence: "a list of one CA only and lists of CAs without cRLSign stop istiod; an expired list \
               fails in Envoy (1.31)",
    istiod: Some("missing CRL signed by certificates"),
    check: |inspection| match inspection.files.get(CRL) {
        Some(_) => vec![Flaw::new("a revocation list", "no revocation list").file(CRL)],
        None => Vec::new(),
    },
};

pub(super) static STRAY_FILE: Rule = Rule {
    id: "stray-file",
    severity: Severity::Advice,
    judges: &[],
    versions: Versions::ALL,
    what: "there is a file that is no part of a bundle",
    why: "istiod ignores it, yet everyone who may read the Secret reads it too",
    fix: "leave it out",
    source: "Istio security/pkg/pki/ca/ca.go, the file names",
    evidence: "tls.key, ca.crt, istio-generated and unrelated names beside a bundle change nothing \
               (1.31)",
    istiod: None,
    check: |inspection| {
        inspection
            .files
            .names()
            .filter(|name| !BundleFiles::NAMES.contains(name) && ![TLS_CERT, CRL].contains(name))
            .map(|name| Flaw::new("an unknown file", "only the four files").file(name))
            .collect()
    },
};

fn present<'a>(inspection: &'a Inspection<'_>) -> impl Iterator<Item = &'static str> + 'a {
    BundleFiles::NAMES.into_iter().filter(|name| inspection.files.get(name).is_some())
}
