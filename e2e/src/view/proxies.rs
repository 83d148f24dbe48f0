//! The look at every proxy of the mesh. A production mesh has thousands, and some come and go while
//! they are looked at: that is no lie of the mesh's. One that runs and gets no certificate is another
//! matter: so end the pods of a mesh whose CA was replaced by a wrong one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use anyhow::Result;
use futures::{StreamExt as _, stream};
use mesh::{Error, Mesh, Proxy, ProxyKind, ProxySecrets, ProxyState};

use super::SETTLE;
use crate::poll::{Seen as Found, until};
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
    /// Those that do not run, or belong to another mesh, each with the reason.
    pub(crate) passed_over: Vec<(Proxy, String)>,
    /// Those that hold certificates which cannot be looked at: ztunnels.
    pub(crate) opaque: Vec<Proxy>,
    /// Those that run and could not be looked at, or have got no certificate.
    pub(crate) failed: Vec<(Proxy, Error)>,
}

impl Proxies {
    fn file(&mut self, proxy: Proxy, seen: Seen) {
        match seen {
            Seen::Secrets(secrets) => self.seen.push((proxy, *secrets)),
            Seen::PassedOver(why) => self.passed_over.push((proxy, why)),
            Seen::Opaque => self.opaque.push(proxy),
            Seen::Failed(error) => self.failed.push((proxy, error)),
            Seen::Gone => {}
        }
    }
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
    let mut looks = looks.buffered(AT_ONCE);
    let mut proxies = Proxies::default();
    while let Some((proxy, seen)) = looks.next().await {
        proxies.file(proxy, seen);
    }
    let mut proxies = look_again(mesh, proxies).await;
    // A report is compared with the one before.
    proxies.seen.sort_by(|(a, _), (b, _)| a.pod.cmp(&b.pod));
    proxies.passed_over.sort_by(|(a, _), (b, _)| a.pod.cmp(&b.pod));
    Ok(proxies)
}

/// A proxy that has just started gets its certificate in a moment, and a connection may have been
/// cut: what failed is looked at again for a while. What fails still stays so.
async fn look_again(mesh: &Mesh, mut proxies: Proxies) -> Proxies {
    let failed = RefCell::new(VecDeque::from(std::mem::take(&mut proxies.failed)));
    let settled = RefCell::new(proxies);
    let looked = until("every proxy can be looked at", SETTLE, 1, async || {
        let count = failed.borrow().len();
        for _ in 0..count {
            let Some(proxy) = failed.borrow().front().map(|(proxy, _)| proxy.clone()) else {
                break;
            };
            // Cut off here, it is still among those that failed.
            let seen = look_at(mesh, &proxy).await;
            failed.borrow_mut().pop_front();
            match seen {
                Seen::Failed(error) => failed.borrow_mut().push_back((proxy, error)),
                seen => settled.borrow_mut().file(proxy, seen),
            }
        }
        let left = failed.borrow().front().map(|(_, error)| error.to_string());
        Ok(left.map_or(Found::Ready(()), Found::NotYet))
    });
    if let Err(error) = looked.await {
        tracing::debug!("{error:#}");
    }
    let mut proxies = settled.into_inner();
    proxies.failed = failed.into_inner().into();
    proxies
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
    match (&proxy.state, proxy.signed_elsewhere(system_namespace)) {
        (ProxyState::Finished { .. }, _) => Some(Seen::Gone),
        (_, Some(other)) => {
            let why = format!("of another mesh: the istiod of namespace {other} signs for it");
            Some(Seen::PassedOver(why))
        }
        (ProxyState::NotRunning { reason }, _) => {
            Some(Seen::PassedOver(format!("it does not run: {reason}")))
        }
        (ProxyState::NotReady | ProxyState::Ready, _) => {
            (proxy.kind == ProxyKind::Ztunnel).then_some(Seen::Opaque)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use http::{Request, Response};
    use k8s_openapi::serde_json::{Value, from_value, json};
    use kube::Client;
    use kube::client::Body;
    use pretty_assertions::assert_eq;

    use super::*;

    /// A proxy of this kind in this state, signed for by the istiod of this namespace.
    fn proxy(kind: &str, signed_from: &str, state: &Value, phase: &str) -> Proxy {
        Proxy::from_pod(&from_value(pod(kind, signed_from, state, phase)).unwrap()).unwrap()
    }

    fn pod(kind: &str, signed_from: &str, state: &Value, phase: &str) -> Value {
        let ready = *state == json!("ready");
        let state = if ready { json!({"running": {}}) } else { state.clone() };
        let status = json!({"name": "istio-proxy", "ready": ready, "restartCount": 0, "image": "",
            "imageID": "", "state": state});
        json!({
            "metadata": {"namespace": "foo", "name": "p"},
            "spec": {"containers": [{
                "name": "istio-proxy", "args": ["proxy", kind],
                "env": [{"name": "CA_ADDR", "value": format!("istiod.{signed_from}.svc:15012")}],
            }]},
            "status": {"phase": phase, "containerStatuses": [status]},
        })
    }

    /// What comes of the one proxy of a mesh that forwards no port: its pod is in this state when it
    /// is listed, and in that one whenever it is asked for later.
    async fn looked_at(listed: &Value, later: &Value) -> Proxies {
        let pod = |state| pod("sidecar", "istio-system", state, "Running");
        let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {},
            "items": [pod(listed)]});
        let (list, later) = (list.to_string(), pod(later).to_string());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (status, body) = match request.uri().path() {
                "/api/v1/pods" => (200, list.clone()),
                "/api/v1/namespaces/foo/pods/p" => (200, later.clone()),
                _ => (500, "no port is forwarded".to_owned()),
            };
            let body = Body::from(body.into_bytes());
            let response = Response::builder().status(status).body(body).unwrap();
            async { Ok::<_, Infallible>(response) }
        });
        let client = Client::new(service, "default");
        look(&Mesh::new(client, "istio-system", Duration::from_secs(5))).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_runs_and_never_shows_a_certificate_has_failed() {
        let running = json!({"running": {}});
        let found = looked_at(&running, &running).await;
        assert_eq!((found.failed.len(), found.seen.len(), found.passed_over.len()), (1, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_has_ended_since_it_was_listed_has_not_failed() {
        let ended = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let found = looked_at(&json!("ready"), &ended).await;
        assert_eq!((found.failed.len(), found.seen.len(), found.passed_over.len()), (0, 0, 1));
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
        let ready = json!("ready");
        assert_eq!(said(&proxy("sidecar", "istio-system", &ready, "Running")), None);
    }

    #[test]
    fn a_proxy_that_runs_and_is_not_ready_is_looked_at_too() {
        let starting = json!({"running": {}});
        assert_eq!(said(&proxy("sidecar", "istio-system", &starting, "Running")), None);
    }

    #[test]
    fn a_proxy_that_another_istiod_signs_for_is_told_apart() {
        let expected = "of another mesh: the istiod of namespace istio-b signs for it";
        let other = proxy("sidecar", "istio-b", &json!("ready"), "Running");
        assert_eq!(said(&other).as_deref(), Some(expected));
    }

    #[test]
    fn a_proxy_that_does_not_run_is_passed_over_with_the_reason() {
        let state = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let waiting = proxy("sidecar", "istio-system", &state, "Running");
        let expected = "it does not run: waiting: CrashLoopBackOff";
        assert_eq!(said(&waiting).as_deref(), Some(expected));
        let ended = proxy("sidecar", "istio-system", &state, "Succeeded");
        assert_eq!(said(&ended).as_deref(), Some("gone"));
    }

    #[test]
    fn a_ztunnel_cannot_be_looked_at() {
        let ztunnel = proxy("ztunnel", "istio-system", &json!("ready"), "Running");
        assert_eq!(said(&ztunnel).as_deref(), Some("opaque"));
    }
}
