//! The claim that names prove nothing: a client of a CA that only looks like the plugged-in one.

use anyhow::Result;
use mesh::{Alert, ClientIdentity, Error, Outcome, Phase, Request};
use pki::probe;

use super::control_plane::{agents_distrust, request};
use crate::claim::{Evidence, Finding};
use crate::view::View;

/// Claim 12.
pub(super) async fn client_is_refused(view: &View<'_>) -> Result<Finding> {
    let get = Request::get(&view.workloads.httpbin_host_port(), "/headers");

    // The control: the same client, on the same way, with a certificate that istiod signed.
    let roots = view.agents_roots().await?;
    let asked = view.mesh.fresh_certificate(&view.istiod().await?, &request(view, &roots)).await;
    let fresh = match asked {
        Ok(fresh) => fresh,
        Err(error @ Error::IstiodNotTrusted { .. }) => return Ok(agents_distrust(&error)),
        Err(error) => return Err(error.into()),
    };
    let allowed = view.handshake(Some(&fresh.identity()?), Some(&get)).await?.outcome;
    if allowed.answer().is_none_or(|answer| answer.status != 200) {
        let control = "a client with a certificate that istiod signed is let in".to_owned();
        return Ok(Finding::ControlFailed { control, reason: allowed.to_string() });
    }

    let id = view.workloads.spiffe_id(&view.workloads.client)?;
    let leaf = probe::workload_leaf(view.stranger, &id, view.now())?;
    let identity = ClientIdentity::new(&leaf.chain, &leaf.key)?;
    let refused = view.handshake(Some(&identity), Some(&get)).await?.outcome;
    let evidence = Evidence::default()
        .with("certificate of istiod", &allowed)
        .with("certificate of a foreign CA", &refused)
        .with("foreign CA", leaf.certificate.issuer());
    // A TLS 1.3 server judges the client's certificate after the client has finished.
    let expected = Outcome::Alert { alert: Alert::UNKNOWN_CA, phase: Phase::AfterHandshake };
    if refused == expected {
        return Ok(Finding::Holds(evidence));
    }
    let reason = format!("expected: {expected}; found: {refused}");
    Ok(Finding::False { reason, evidence })
}
