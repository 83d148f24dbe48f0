//! Which files are there.

use crate::BundleFiles;
use crate::judge::IstioVersion;
use crate::judge::inspection::{CRL, Inspection};
use crate::judge::layout::TLS_CERT;
use crate::judge::rule::{Flaw, Judge, Rule, SOURCE_ONLY, Severity, Versions};

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
    istiod: &[],
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
    istiod: &["incomplete signing CA bundle detected"],
    check: |inspection| {
        if present(inspection).next().is_none() {
            return Vec::new();
        }
        BundleFiles::NAMES
            .into_iter()
            .filter(|name| inspection.files.get(name).is_none())
            .filter(|name| *name != BundleFiles::CA_KEY || inspection.context.istio >= COMPLETE)
            .map(|name| Flaw::new("no such file", "a PEM file").file(name))
            .collect()
    },
};

/// The first release that tells a set without a key from no set.
const COMPLETE: IstioVersion = IstioVersion::new(1, 27, 0);

pub(super) static SILENT_SELF_SIGNED: Rule = Rule {
    id: "silent-self-signed",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::before(1, 27),
    what: "ca-key.pem is missing",
    why: "istiod takes this for no CA at all: without a word it makes one of its own and signs \
          every workload with that",
    fix: "put all four files into the folder or Secret",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go createIstioCA, before 1.27",
    evidence: SOURCE_ONLY,
    istiod: &[],
    check: |inspection| {
        let lacks_key = inspection.files.get(BundleFiles::CA_KEY).is_none();
        if lacks_key && present(inspection).next().is_some() {
            let flaw = Flaw::new("no such file", "the key of ca-cert.pem");
            return vec![flaw.file(BundleFiles::CA_KEY)];
        }
        Vec::new()
    },
};

pub(super) static TLS_LAYOUT: Rule = Rule {
    id: "tls-layout",
    severity: Severity::Refuse,
    judges: &[Judge::IstiodStart, Judge::IstiodReload],
    versions: Versions::ALL,
    what: "there is a tls.crt beside the four files, and istiod prefers it",
    why: "istiod takes tls.crt, tls.key and ca.crt as its CA and ignores the four files; if one \
          of the three is missing it does not start",
    fix: "remove tls.crt, or move the content of the tls files into the four files",
    source: "Istio pilot/pkg/bootstrap/istio_ca.go detectSigningCABundleAndCRL",
    evidence: "a tls.crt, also an empty one, beside a complete bundle stops istiod; a complete tls \
               set wins silently (1.31)",
    istiod: &["incomplete signing CA bundle detected", "failed reading root-cert.pem"],
    check: |inspection| match inspection.files.get(TLS_CERT) {
        Some(_) => vec![Flaw::new("tls.crt", "only the four files").file(TLS_CERT)],
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
    istiod: &[],
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
