//! The look at every proxy of the mesh. A production mesh has thousands, and some come and go while
//! they are looked at: that is no lie of the mesh's.

use std::cell::Cell;

use anyhow::Result;
use futures::{StreamExt as _, stream};
use mesh::{Error, Mesh, Proxy, ProxyKind, ProxySecrets, ProxyState};

use crate::terminal;

/// How many proxies are looked at at once: each look is a port-forward through the API server.
const AT_ONCE: usize = 16;
/// After how many of them a person is told.
const TOLD_EVERY: usize = 25;

/// What came of the look at every proxy that has not run to its end.
#[derive(Default)]
pub(crate) struct Proxies {
    /// Those that were looked at.
    pub(crate) seen: Vec<(Proxy, ProxySecrets)>,
    /// Those that serve nobody, or belong to another mesh, each with the reason.
    pub(crate) passed_over: Vec<(Proxy, String)>,
    /// Those that hold certificates which cannot be looked at: ztunnels.
    pub(crate) opaque: Vec<Proxy>,
    /// Those that could not be looked at although they should.
    pub(crate) failed: Vec<(Proxy, Error)>,
}

/// What came of one look.
enum Seen {
    Secrets(Box<ProxySecrets>),
    PassedOver(String),
    Opaque,
    Failed(Error),
    Gone,
}

/// Looks at every proxy, some at a time.
pub(super) async fn look(mesh: &Mesh) -> Result<Proxies> {
    let all = mesh.proxies().await?;
    let (total, done) = (all.len(), Cell::new(0));
    let looks = stream::iter(all.into_iter().map(|proxy| async {
        let seen = look_at(mesh, &proxy).await;
        done.set(done.get() + 1);
        if done.get() % TOLD_EVERY == 0 {
            terminal::pass(&format!("{} of {total} proxies looked at", done.get()));
        }
        (proxy, seen)
    }));
    // In their order: a report is compared with the one before.
    let mut looks = looks.buffered(AT_ONCE);
    let mut proxies = Proxies::default();
    while let Some((proxy, seen)) = looks.next().await {
        match seen {
            Seen::Secrets(secrets) => proxies.seen.push((proxy, *secrets)),
            Seen::PassedOver(why) => proxies.passed_over.push((proxy, why)),
            Seen::Opaque => proxies.opaque.push(proxy),
            Seen::Failed(error) => proxies.failed.push((proxy, error)),
            Seen::Gone => {}
        }
    }
    Ok(proxies)
}

async fn look_at(mesh: &Mesh, proxy: &Proxy) -> Seen {
    if let Some(seen) = without_a_look(proxy, mesh.system_namespace()) {
        return seen;
    }
    match mesh.proxy_secrets(proxy).await {
        Ok(secrets) => Seen::Secrets(Box::new(secrets)),
        // It may have gone, or have been restarted, since it was listed.
        Err(error) => match mesh.proxy(&proxy.pod).await {
            Ok(None) => Seen::Gone,
            Ok(Some(now)) => {
                without_a_look(&now, mesh.system_namespace()).unwrap_or(Seen::Failed(error))
            }
            Err(_) => Seen::Failed(error),
        },
    }
}

/// What is known of a proxy that is not to be looked at.
fn without_a_look(proxy: &Proxy, system_namespace: &str) -> Option<Seen> {
    let signed_elsewhere = proxy.signed_from.as_deref().filter(|from| *from != system_namespace);
    match (&proxy.state, signed_elsewhere) {
        (ProxyState::Finished { .. }, _) => Some(Seen::Gone),
        (_, Some(other)) => {
            let why = format!("of another mesh: the istiod of namespace {other} signs for it");
            Some(Seen::PassedOver(why))
        }
        (ProxyState::NotReady { reason }, _) => {
            Some(Seen::PassedOver(format!("not ready: {reason}")))
        }
        (ProxyState::Ready, _) if proxy.kind == ProxyKind::Ztunnel => Some(Seen::Opaque),
        (ProxyState::Ready, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde_json::{Value, from_value, json};
    use pretty_assertions::assert_eq;

    use super::*;

    /// A pod with a proxy of this kind, signed for by the istiod of this namespace.
    fn proxy(kind: &str, signed_from: &str, ready: bool, phase: &str) -> Proxy {
        let status = json!({"name": "istio-proxy", "ready": ready, "restartCount": 0, "image": "",
            "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
        let pod: Value = json!({
            "metadata": {"namespace": "foo", "name": "p"},
            "spec": {"containers": [{
                "name": "istio-proxy", "args": ["proxy", kind],
                "env": [{"name": "CA_ADDR", "value": format!("istiod.{signed_from}.svc:15012")}],
            }]},
            "status": {"phase": phase, "containerStatuses": [status]},
        });
        Proxy::from_pod(&from_value(pod).unwrap()).unwrap()
    }

    fn said(proxy: &Proxy) -> Option<String> {
        without_a_look(proxy, "istio-system").map(|seen| match seen {
            Seen::PassedOver(why) => why,
            Seen::Opaque => "opaque".to_owned(),
            Seen::Gone => "gone".to_owned(),
            Seen::Secrets(_) | Seen::Failed(_) => "looked at".to_owned(),
        })
    }

    #[test]
    fn a_ready_proxy_of_this_mesh_is_looked_at() {
        assert_eq!(said(&proxy("sidecar", "istio-system", true, "Running")), None);
    }

    #[test]
    fn a_proxy_that_another_istiod_signs_for_is_told_apart() {
        let expected = "of another mesh: the istiod of namespace istio-b signs for it";
        let other = proxy("sidecar", "istio-b", true, "Running");
        assert_eq!(said(&other).as_deref(), Some(expected));
    }

    #[test]
    fn a_proxy_that_serves_nobody_is_passed_over_with_the_reason() {
        let waiting = proxy("sidecar", "istio-system", false, "Running");
        let expected = "not ready: waiting: CrashLoopBackOff";
        assert_eq!(said(&waiting).as_deref(), Some(expected));
        let ended = proxy("sidecar", "istio-system", false, "Succeeded");
        assert_eq!(said(&ended).as_deref(), Some("gone"));
    }

    #[test]
    fn a_ztunnel_cannot_be_looked_at() {
        let ztunnel = proxy("ztunnel", "istio-system", true, "Running");
        assert_eq!(said(&ztunnel).as_deref(), Some("opaque"));
    }
}
