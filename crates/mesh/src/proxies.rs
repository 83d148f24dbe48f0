//! Every proxy of the mesh, wherever it runs: sidecars, native sidecars (an init container that
//! stays), gateways, waypoints, ztunnels. A proxy is a container named `istio-proxy`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStatus, Pod};
use kube::Api;
use kube::api::ListParams;

use crate::deadline::within;
use crate::kubernetes::pod_ref;
use crate::{Error, Mesh, PodRef};

/// The name that every injection template and gateway chart gives the proxy's container.
pub(crate) const CONTAINER: &str = "istio-proxy";

/// A proxy of the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The pod it runs in.
    pub pod: PodRef,
    /// What it serves.
    pub kind: ProxyKind,
    /// Whether it can be looked at.
    pub state: ProxyState,
    /// The service account whose identity it holds.
    pub service_account: String,
    /// The `istio.io/rev` label: the control plane it belongs to, where it says so.
    pub revision: Option<String>,
    /// The namespace of the istiod that signs for it, where its `CA_ADDR` names one
    /// (`istiod.NAMESPACE.svc:15012`). `None` for a CA of another kind.
    pub signed_from: Option<String>,
    /// The pod's addresses.
    pub ips: Vec<IpAddr>,
    /// The pod's labels.
    pub labels: BTreeMap<String, String>,
}

/// What a proxy serves, by the second argument of its `pilot-agent proxy KIND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// The workload it shares a pod with.
    Sidecar,
    /// The same, as an init container that keeps running (Kubernetes 1.33 and later).
    NativeSidecar,
    /// Traffic into or out of the mesh.
    Gateway,
    /// The workloads of a namespace, in ambient mode.
    Waypoint,
    /// The workloads of a node, in ambient mode. It is no Envoy.
    Ztunnel,
}

/// Whether a proxy can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyState {
    /// Its container is ready.
    Ready,
    /// It runs, but its startup or readiness probe fails: it is starting, or it has got no
    /// certificate or no configuration.
    NotReady,
    /// It does not run, for the kubelet's reason.
    NotRunning {
        /// As in "waiting: CrashLoopBackOff: back-off 20s restarting failed container".
        reason: String,
    },
    /// Its pod has run to its end (a job) or is being deleted, and serves nobody.
    Finished {
        /// As in "the pod has succeeded".
        reason: String,
    },
}

impl Mesh {
    /// Every proxy of the cluster, in the order of namespace and name.
    ///
    /// # Errors
    /// [`Error::Api`] when pods cannot be listed in all namespaces.
    pub async fn proxies(&self) -> Result<Vec<Proxy>, Error> {
        let pods: Api<Pod> = Api::all(self.client.clone());
        let pods = self.list(&pods, &ListParams::default(), "the pods of all namespaces").await?;
        let mut proxies: Vec<Proxy> = pods.iter().filter_map(Proxy::from_pod).collect();
        proxies.sort_by(|a, b| a.pod.cmp(&b.pod));
        Ok(proxies)
    }
}

impl Mesh {
    /// The proxy of one pod; `None` where the pod is gone, or has none.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn proxy(&self, pod: &PodRef) -> Result<Option<Proxy>, Error> {
        let doing = || format!("get pod {pod}");
        let asking = async {
            let found = self.pods_of(&pod.namespace).get_opt(&pod.name).await;
            found.map_err(|e| Error::api(doing(), e))
        };
        Ok(within(self.limit, doing, asking).await?.as_ref().and_then(Proxy::from_pod))
    }
}

impl Proxy {
    /// The proxy in a pod, if it has one.
    pub fn from_pod(pod: &Pod) -> Option<Self> {
        let spec = pod.spec.as_ref()?;
        let named = |container: &&Container| container.name == CONTAINER;
        let ordinary = spec.containers.iter().find(named);
        let initial = spec.init_containers.iter().flatten().find(named);
        let container = ordinary.or(initial)?;
        let status = pod.status.as_ref();
        let statuses = status.and_then(|status| match ordinary {
            Some(_) => status.container_statuses.as_ref(),
            None => status.init_container_statuses.as_ref(),
        });
        let ips = status.and_then(|s| s.pod_ips.as_ref()).into_iter().flatten();
        let labels = pod.metadata.labels.clone().unwrap_or_default();
        Some(Self {
            pod: pod_ref(pod),
            kind: kind(container, ordinary.is_none()),
            state: state(pod, statuses.into_iter().flatten().find(|s| s.name == CONTAINER)),
            service_account: spec.service_account_name.clone().unwrap_or_else(|| "default".into()),
            revision: labels.get("istio.io/rev").cloned(),
            signed_from: signed_from(container),
            ips: ips.filter_map(|ip| ip.ip.parse().ok()).collect(),
            labels,
        })
    }

    /// The namespace of the istiod that signs for it, where that is another one than this.
    pub fn signed_elsewhere(&self, system_namespace: &str) -> Option<&str> {
        self.signed_from.as_deref().filter(|from| *from != system_namespace)
    }

    /// Whether it is an Envoy, with a config dump and room for a relay.
    ///
    /// # Errors
    /// [`Error::NotEnvoy`]
    pub(crate) fn must_be_envoy(&self) -> Result<(), Error> {
        match self.kind {
            ProxyKind::Ztunnel => Err(Error::NotEnvoy { proxy: self.pod.clone() }),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::ProxyNotReady`]
    pub(crate) fn must_run(&self) -> Result<(), Error> {
        match &self.state {
            ProxyState::Ready => Ok(()),
            state => {
                Err(Error::ProxyNotReady { proxy: self.pod.clone(), reason: state.to_string() })
            }
        }
    }
}

fn kind(container: &Container, native: bool) -> ProxyKind {
    let args = container.args.iter().flatten().map(String::as_str).collect::<Vec<_>>();
    match args.as_slice() {
        ["proxy", "router", ..] => ProxyKind::Gateway,
        ["proxy", "waypoint", ..] => ProxyKind::Waypoint,
        ["proxy", "ztunnel", ..] => ProxyKind::Ztunnel,
        _ if native => ProxyKind::NativeSidecar,
        _ => ProxyKind::Sidecar,
    }
}

/// `istiod.istio-system.svc:15012` and `istiod-canary.istio-system.svc:15012` are those of the
/// injection templates (`manifests/charts/istio-control/istio-discovery/files`).
fn signed_from(container: &Container) -> Option<String> {
    let address = container.env.iter().flatten().find(|var| var.name == "CA_ADDR");
    let mut labels = address?.value.as_deref()?.split(':').next()?.split('.');
    let (service, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    let of_istiod = service == "istiod" || service.starts_with("istiod-");
    (of_istiod && svc == "svc").then(|| namespace.to_owned())
}

fn state(pod: &Pod, status: Option<&ContainerStatus>) -> ProxyState {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("Unknown");
    if matches!(phase, "Succeeded" | "Failed") {
        let reason = format!("the pod has {}", phase.to_lowercase());
        return ProxyState::Finished { reason };
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return ProxyState::Finished { reason: "the pod is being deleted".to_owned() };
    }
    let not_started = || format!("the kubelet has not started it (pod phase {phase})");
    match status {
        Some(status) if status.ready => ProxyState::Ready,
        Some(ContainerStatus { state: Some(ContainerState { running: Some(_), .. }), .. }) => {
            ProxyState::NotReady
        }
        status => {
            let said = status.and_then(|status| why_not_running(status.state.as_ref()?));
            ProxyState::NotRunning { reason: said.unwrap_or_else(not_started) }
        }
    }
}

fn why_not_running(state: &ContainerState) -> Option<String> {
    if let Some(waiting) = &state.waiting {
        let parts = [waiting.reason.as_deref(), waiting.message.as_deref()];
        let said: Vec<_> = parts.into_iter().flatten().collect();
        return Some(format!("waiting: {}", said.join(": ")));
    }
    let ended = state.terminated.as_ref()?;
    let reason = ended.reason.as_deref().unwrap_or("no reason given");
    Some(format!("terminated with exit code {}: {reason}", ended.exit_code))
}

impl fmt::Display for ProxyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::NotReady => f.write_str("running, but its startup or readiness probe fails"),
            Self::NotRunning { reason } | Self::Finished { reason } => f.write_str(reason),
        }
    }
}

impl fmt::Display for ProxyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sidecar => "sidecar",
            Self::NativeSidecar => "native sidecar",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Ztunnel => "ztunnel",
        })
    }
}

#[cfg(test)]
mod tests;
