//! The claim that changes the mesh: a new intermediate under the same root.

use std::time::Duration;

use anyhow::{Context as _, Result};
use mesh::Istiod;

use super::control_plane::{describe, request};
use crate::claim::{Evidence, Finding};
use crate::poll::{Seen, until};
use crate::view::View;

/// A default kubelet brings a changed Secret into a pod within its sync period and the cache's life:
/// about 90 s. istiod takes it up within a second then.
const RELOAD: Duration = Duration::from_secs(150);

/// Claim 13.
pub(super) async fn new_intermediate_is_picked_up(view: &View<'_>) -> Result<Finding> {
    let before = view.istiod().await?;
    let renewal = view.renewal.as_ref().context("the mesh is not to be changed")?;
    let expected = renewal.bundle.hierarchy();
    renewal.cacerts.replace(view.cluster, renewal.bundle).await?;

    // The root is the same, so the agents' trust in istiod does not change.
    let roots = view.truth.hierarchy.trust_bundle();
    let settled =
        until("a fresh request is signed by the new intermediate", RELOAD, 1, async || {
            let istiod = view.istiod().await?;
            let fresh = view.mesh.fresh_certificate(&istiod, &request(view, roots)).await?;
            let chain: Vec<_> =
                fresh.issued.as_agent_sends().iter().map(|c| c.der().to_vec()).collect();
            Ok(match expected.verify(&chain, &fresh.requested, view.now()) {
                Ok(chain) => Seen::Ready((istiod, chain)),
                Err(error) => Seen::NotYet(error.to_string()),
            })
        })
        .await;
    let (after, chain) = match settled {
        Ok(settled) => settled,
        Err(error) => return Ok(Finding::is_false(format!("{error:#}"))),
    };
    let evidence = Evidence::default()
        .with("intermediate before", describe(view.truth.hierarchy.cluster_ca()))
        .with("intermediate after", describe(expected.cluster_ca()))
        .with("fresh certificate", describe(chain.leaf()))
        .with("istiod", format!("{}, {} restarts", after.pod, after.restarts));
    Ok(judge_restart(&before, &after, evidence))
}

/// Another pod, or another start of its container, would have read the Secret anyway.
fn judge_restart(before: &Istiod, after: &Istiod, evidence: Evidence) -> Finding {
    let place = |istiod: &Istiod| format!("{} after {} restarts", istiod.pod, istiod.restarts);
    if (&before.pod, before.restarts) == (&after.pod, after.restarts) {
        return Finding::Holds(evidence);
    }
    let reason = format!("expected no restart; before: {}, after: {}", place(before), place(after));
    Finding::False { reason, evidence }
}
