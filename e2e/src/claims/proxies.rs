//! The claim about every proxy of the mesh, wherever it runs.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use mesh::{Proxy, ProxySecrets};

use super::control_plane::{describe, finding, listed, same_set};
use crate::claim::{Evidence, Finding};
use crate::view::View;

/// Claim 6.
pub(super) async fn serve_and_trust(view: &View<'_>) -> Result<Finding> {
    let mut evidence = Evidence::default();
    // In a wrong mesh the same is wrong of every proxy, and one sentence says so.
    let mut problems = BTreeMap::<String, Vec<String>>::new();
    let proxies = view.proxies().await?;
    for (proxy, secrets) in &proxies.seen {
        let name = name(proxy);
        evidence = evidence.with(&name, secrets.chain.first().map_or_else(String::new, describe));
        for problem in judge(view, proxy, secrets) {
            problems.entry(problem).or_default().push(name.clone());
        }
    }
    let mut wrong: Vec<_> =
        problems.iter().map(|(what, names)| format!("{}: {what}", listed(names, ", "))).collect();
    if evidence.0.is_empty() && proxies.failed.is_empty() {
        wrong.push("expected proxies, found none that runs".to_owned());
    }
    for (proxy, why) in &proxies.passed_over {
        evidence = evidence.with(format!("{} was not looked at", name(proxy)), why);
    }
    if !wrong.is_empty() {
        return Ok(finding(vec![listed(&wrong, "; ")], evidence));
    }
    if let Some((proxy, error)) = proxies.failed.first() {
        let others = match proxies.failed.len() - 1 {
            0 => String::new(),
            others => format!(" and {others} others"),
        };
        bail!("cannot look at {}{others}: {error}", name(proxy));
    }
    if !proxies.opaque.is_empty() {
        return Ok(Finding::Skipped(format!(
            "{} ztunnels hold the certificates of pods in ambient mode and cannot be looked at; \
             the other {} proxies serve the cluster CA and trust the root",
            proxies.opaque.len(),
            proxies.seen.len()
        )));
    }
    Ok(Finding::Holds(evidence))
}

fn name(proxy: &Proxy) -> String {
    format!("{} ({:?})", proxy.pod, proxy.kind)
}

/// What is wrong with what one proxy serves and trusts.
fn judge(view: &View<'_>, proxy: &Proxy, secrets: &ProxySecrets) -> Vec<String> {
    let hierarchy = &view.truth.hierarchy;
    let mut problems = Vec::new();
    let id = view.workloads.spiffe_id_of(&proxy.pod.namespace, &proxy.service_account);
    let chain: Vec<_> = secrets.chain.iter().map(|c| c.der().to_vec()).collect();
    match id.map(|id| hierarchy.verify(&chain, &id, view.now())) {
        Ok(Ok(verified)) => {
            for position in verified.strangers() {
                let stranger = &verified.served()[*position];
                problems.push(format!("it serves a stranger, {}", describe(stranger)));
            }
        }
        Ok(Err(error)) => problems.push(error.to_string()),
        Err(error) => problems.push(error.to_string()),
    }
    if !same_set(&secrets.roots, hierarchy.trust_bundle()) {
        let found: Vec<_> = secrets.roots.certificates().iter().map(describe).collect();
        problems.push(format!("expected to trust the root alone, found [{}]", found.join("; ")));
    }
    problems
}
