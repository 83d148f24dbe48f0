//! The net behind the other rules.

use Judge::{Agent, Envoy, Ztunnel};

use crate::judge::inspection::Inspection;
use crate::judge::rule::{Flaw, Judge, Rule, Severity, Versions};
use crate::{Hierarchy, TrustBundle, probe};

/// A workload certificate is issued with the bundle's key and verified as a mesh
/// would. Whatever no other rule names, name constraints for example, fails here.
pub(in crate::judge) static SYNTHETIC_LEAF: Rule = Rule {
    id: "synthetic-leaf",
    severity: Severity::Refuse,
    judges: &[Agent, Envoy, Ztunnel],
    versions: Versions::ALL,
    what: "a workload certificate issued with this bundle does not verify",
    why: "istiod starts and issues certificates that the mesh refuses",
    fix: "issue the CA that the reason names without what the reason names",
    source: "rustls-webpki, and the checks of this crate beside it",
    evidence: "name constraints that exclude the trust domain: Envoy ends with \
               permitted_subtree_violation (1.31)",
    istiod: None,
    check: |inspection| match verify_synthetic_leaf(inspection) {
        Some(Err(reason)) => vec![Flaw::new(reason, "a chain that verifies")],
        _ => Vec::new(),
    },
};

/// `None` where a part is missing, which another rule has said then.
fn verify_synthetic_leaf(inspection: &Inspection<'_>) -> Option<Result<(), String>> {
    let (ca, Some(Ok(key))) = (inspection.ca.as_ref()?, &inspection.key) else { return None };
    let (now, id) = (inspection.context.now, &inspection.workload);
    let sent_along = inspection.chain.iter().chain(&inspection.roots);
    let verify = || -> Result<(), Box<dyn std::error::Error>> {
        let leaf = probe::leaf_under(ca, key, sent_along, id, now)?;
        let trust_bundle = TrustBundle::new(inspection.roots.clone())?;
        let hierarchy = Hierarchy::new(ca.clone(), &inspection.chain, trust_bundle)?;
        hierarchy.verify(&leaf.served(), id, now)?;
        Ok(())
    };
    Some(verify().map_err(|reason| reason.to_string()))
}
