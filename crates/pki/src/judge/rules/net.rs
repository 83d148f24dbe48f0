//! The net behind the other rules: certificates are issued with the bundle's key as istiod would,
//! and verified as the mesh would. Whatever no other rule names fails here.

use std::sync::OnceLock;

use Judge::{Agent, Envoy, TlsClient, Ztunnel};

use super::names::{self, ISTIOD_NAMES};
use super::period::same_ca;
use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::judge::weak;
use crate::probe::leaf_under;
use crate::tbs::Role;
use crate::{Certificate, Error, Hierarchy, KeyAlgorithm, PrivateKey, TrustBundle, VerifyError};

const FIX: &str = "issue the CA that the reason names without what the reason names";

pub(super) static SYNTHETIC_LEAF: Rule = Rule {
    id: "synthetic-leaf",
    severity: Severity::Refuse,
    judges: &[Envoy, Ztunnel, TlsClient],
    versions: Versions::ALL,
    what: "a workload certificate issued with this bundle does not verify",
    why: "istiod starts and issues certificates that the mesh refuses",
    fix: FIX,
    source: "rustls-webpki, and the checks of this crate beside it",
    evidence: "webpki on the same certificates; 77 of 99 bundles that istiod takes work (1.31)",
    istiod: &[],
    check: |inspection| {
        let id = &inspection.workload;
        // webpki refuses every constraint on URIs, Envoy evaluates them: the rules on names have
        // judged both. All but the name is judged by the leaf below, too.
        if names::constrains_uris(inspection) {
            return Vec::new();
        }
        flaws(inspection, Role::Workload(id), |hierarchy, served| {
            hierarchy.verify_parsed(served, id, inspection.context.now).map(drop)
        })
    },
};

pub(super) static SYNTHETIC_ISTIOD: Rule = Rule {
    id: "synthetic-istiod",
    severity: Severity::Refuse,
    judges: &[Agent],
    versions: Versions::ALL,
    what: "the certificate istiod would issue to itself does not verify",
    why: "istiod starts, and every agent and webhook call refuses it: no workload gets a \
          certificate",
    fix: FIX,
    source: "Istio pilot/pkg/bootstrap/certcontroller.go initDNSCertsIstiod; rustls-webpki",
    evidence: "webpki on the same certificates",
    istiod: &[],
    check: |inspection| {
        flaws(inspection, Role::Server(&ISTIOD_NAMES), |hierarchy, served| {
            let [name, ..] = ISTIOD_NAMES;
            hierarchy.verify_server_parsed(served, name, inspection.context.now).map(drop)
        })
    },
};

/// Nothing where a part is missing, which another rule has said then.
fn flaws(
    inspection: &Inspection<'_>,
    role: Role<'_>,
    verify: impl Fn(&Hierarchy, Vec<Certificate>) -> Result<(), VerifyError>,
) -> Vec<Flaw> {
    let (Some(ca), Some(Ok(key))) = (&inspection.ca, &inspection.key) else { return Vec::new() };
    // Nothing here issues or proves anything with such a key; its own rule has the verdict.
    if inspection.steps().iter().any(|step| weak::is_weak(&step.certificate)) {
        return Vec::new();
    }
    let sent_along = inspection.chain.iter().chain(&inspection.roots);
    // A twin of it in its place leads upwards as well.
    let is_there = sent_along.clone().any(|it| it == ca);
    let twin = sent_along.clone().find(|it| same_ca(it, ca));
    let ca = twin.filter(|_| !is_there).unwrap_or(ca);
    let is_workload = matches!(role, Role::Workload(_));
    let run = || -> Result<(), Box<dyn std::error::Error>> {
        let leaf = leaf(inspection, ca, key, role)?;
        let served = std::iter::once(&leaf).chain(sent_along).cloned().collect();
        // One that is no CA has a rule of its own.
        let roots = inspection.roots.iter().filter(|root| root.is_ca()).cloned().collect();
        let trust_bundle = TrustBundle::new(roots)?;
        let hierarchy = Hierarchy::new(ca.clone(), &inspection.chain, trust_bundle)?;
        Ok(verify(&hierarchy, served)?)
    };
    match run() {
        Ok(()) => Vec::new(),
        Err(reason) => {
            let reason = reason.to_string();
            let is_webpkis = reason.contains("MaximumPathDepthExceeded");
            let flaw = Flaw::new(reason, "a chain that verifies");
            match (is_webpkis, is_workload) {
                (false, _) => vec![flaw],
                // Only webpki counts how deep a chain is.
                (true, true) => vec![flaw.judges(&[Ztunnel])],
                (true, false) => Vec::new(),
            }
        }
    }
}

/// Where no CA constrains names, they decide nothing on the way up: one certificate with the names of
/// both stands for both.
fn leaf(
    inspection: &Inspection<'_>,
    ca: &Certificate,
    key: &PrivateKey,
    role: Role<'_>,
) -> Result<Certificate, Error> {
    let issue = |role| leaf_under(ca, key, probe_key()?, role, inspection.context.now);
    let authorities = [ca].into_iter().chain(&inspection.chain).chain(&inspection.roots);
    if authorities.into_iter().any(|it| it.name_constraints().is_some()) {
        return issue(role);
    }
    if let Some(leaf) = inspection.probe_leaf.get() {
        return Ok(leaf.clone());
    }
    let leaf = issue(Role::Probe(&inspection.workload, &ISTIOD_NAMES))?;
    Ok(inspection.probe_leaf.get_or_init(|| leaf).clone())
}

/// The key of what is issued here. One for all bundles: nobody is ever shown what it certifies.
fn probe_key() -> Result<&'static PrivateKey, Error> {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    Ok(KEY.get_or_init(|| key))
}
