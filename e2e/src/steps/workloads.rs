//! "Deploying example services": httpbin and a client under STRICT mutual TLS, injected by istioctl
//! as on the page, or by the mesh's own webhook. The samples come unchanged from Istio.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use mesh::PodRef;
use pki::SpiffeId;
use serde_json::json;

use crate::cluster::Cluster;
use crate::cmd::Tool;
use crate::poll::{Seen, until};
use crate::release::Release;
use crate::steps::istio::{ControlPlane, Istio};

/// The page's namespace.
pub(crate) const NAMESPACE: &str = "foo";
/// The mesh's trust domain, unless its configuration says otherwise.
const TRUST_DOMAIN: &str = "cluster.local";
/// `samples/httpbin/httpbin.yaml`: the Service's port, and the container's.
const SERVICE_PORT: u16 = 8000;
const CONTAINER_PORT: u16 = 8080;
/// How long both pods may take to be ready.
const READY: Duration = Duration::from_secs(180);
/// How long the client's own request may take.
const REQUEST_SECONDS: &str = "5";

/// Which of Istio's two client samples sends the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Client {
    /// samples/sleep, as on the page
    Sleep,
    /// samples/curl, which replaced it
    Curl,
}

impl Client {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Curl => "curl",
        }
    }
}

/// A pod of a sample, and whose identity it has.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) pod: PodRef,
    pub(crate) service_account: String,
    /// The application's container, beside the proxy's.
    container: &'static str,
    ip: IpAddr,
}

/// The deployed samples.
#[must_use]
pub(crate) struct Workloads {
    pub(crate) namespace: String,
    pub(crate) trust_domain: String,
    pub(crate) httpbin: Workload,
    pub(crate) client: Workload,
}

/// What the client's curl got.
pub(crate) struct CurlAnswer {
    /// The HTTP status; 0 where there was no answer.
    pub(crate) status: u16,
    /// The body, or curl's own words.
    pub(crate) body: String,
}

/// Deploys httpbin and the client, and waits until both are ready and so are the gateways.
///
/// # Errors
/// kubectl's and istioctl's, or the reason why a pod is not ready in time.
pub(crate) async fn deploy(
    cluster: &Cluster,
    control_plane: ControlPlane,
    release: &Release,
    client: Client,
) -> Result<(Istio, Workloads)> {
    let istioctl = control_plane.istioctl().clone();
    let samples = async {
        cluster.kubectl.clone().args(["create", "ns", NAMESPACE]).run().await?;
        let samples = ["httpbin", client.name()];
        try_join_all(samples.map(|sample| inject(cluster, &istioctl, release, sample))).await?;
        both_ready(cluster, NAMESPACE, client).await
    };
    let (istio, (httpbin, client)) = tokio::try_join!(control_plane.complete(), samples)?;
    let workloads = Workloads {
        namespace: NAMESPACE.to_owned(),
        trust_domain: TRUST_DOMAIN.to_owned(),
        httpbin,
        client,
    };
    Ok((istio, workloads))
}

/// Deploys httpbin and the client into a namespace that a webhook injects into, and waits until
/// both are ready.
///
/// # Errors
/// kubectl's, or the reason why a pod is not ready in time.
pub(crate) async fn deploy_into(
    cluster: &Cluster,
    namespace: &str,
    trust_domain: &str,
    release: &Release,
    client: Client,
) -> Result<Workloads> {
    let apply = |sample| {
        let apply = cluster.kubectl.clone().args(["apply", "-n", namespace, "-f"]);
        apply.arg(release.sample(sample))
    };
    let samples = ["httpbin", client.name()].map(apply);
    try_join_all(samples.iter().map(Tool::run)).await?;
    let (httpbin, client) = both_ready(cluster, namespace, client).await?;
    let (namespace, trust_domain) = (namespace.to_owned(), trust_domain.to_owned());
    Ok(Workloads { namespace, trust_domain, httpbin, client })
}

async fn both_ready(
    cluster: &Cluster,
    namespace: &str,
    client: Client,
) -> Result<(Workload, Workload)> {
    let ready = |app| ready(cluster, namespace, app);
    tokio::try_join!(ready("httpbin"), ready(client.name()))
}

/// Applies the page's PeerAuthentication.
///
/// # Errors
/// kubectl's.
pub(crate) async fn require_mutual_tls(cluster: &Cluster, workloads: &Workloads) -> Result<()> {
    set_mode(cluster, workloads, "STRICT").await
}

/// Sets the mode of the namespace's PeerAuthentication; a sabotage sets another than STRICT.
///
/// # Errors
/// kubectl's.
pub(crate) async fn set_mode(cluster: &Cluster, workloads: &Workloads, mode: &str) -> Result<()> {
    let policy = json!({
        "apiVersion": "security.istio.io/v1beta1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "default"},
        "spec": {"mtls": {"mode": mode}},
    });
    let apply = cluster.kubectl.clone().args(["apply", "-n", &workloads.namespace, "-f", "-"]);
    apply.stdin(policy.to_string()).run().await?;
    Ok(())
}

/// `kubectl apply -f <(istioctl kube-inject -f SAMPLE) -n foo`
async fn inject(cluster: &Cluster, istioctl: &Tool, release: &Release, sample: &str) -> Result<()> {
    let file = release.sample(sample);
    let injected = istioctl.clone().arg("kube-inject").arg("-f").arg(file).run().await?;
    let apply = cluster.kubectl.clone().args(["apply", "-n", NAMESPACE, "-f", "-"]);
    apply.stdin(injected.stdout).run().await?;
    Ok(())
}

async fn ready(cluster: &Cluster, namespace: &str, app: &'static str) -> Result<Workload> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), namespace);
    let labelled = ListParams::default().labels(&format!("app={app}"));
    until(&format!("{app} is ready"), READY, 1, async || {
        let found = pods.list(&labelled).await?.items;
        let Some(pod) = found.first() else {
            // A quota, an admission policy or a broken webhook speaks through the Deployment.
            let deployment = deployments.get_opt(app).await?;
            let why = deployment.and_then(no_pod).unwrap_or_else(|| "no pod exists yet".to_owned());
            return Ok(Seen::NotYet(why));
        };
        Ok(match not_ready(pod) {
            Some(reason) => Seen::NotYet(reason),
            None => Seen::Ready(workload(pod, app)?),
        })
    })
    .await
}

/// Why a Deployment has no pod, where it says.
fn no_pod(deployment: Deployment) -> Option<String> {
    let mut conditions = deployment.status?.conditions?.into_iter();
    conditions.find(|condition| condition.type_ == "ReplicaFailure")?.message
}

/// Why a pod is not ready: its containers' states, or `None` if it is.
fn not_ready(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let conditions = status.conditions.iter().flatten();
    if conditions.clone().any(|c| c.type_ == "Ready" && c.status == "True") {
        return None;
    }
    let states = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let waiting = states.filter(|state| !state.ready).map(|state| {
        let waiting = state.state.as_ref().and_then(|s| s.waiting.as_ref());
        let why = waiting.map(|w| {
            format!("{} {}", w.reason.as_deref().unwrap_or(""), w.message.as_deref().unwrap_or(""))
        });
        format!("{}: {}", state.name, why.as_deref().map_or("not ready", str::trim))
    });
    let mut why: Vec<_> = waiting.collect();
    why.extend(conditions.filter(|c| c.status != "True").filter_map(|c| c.message.clone()));
    Some(if why.is_empty() { "it has no status yet".to_owned() } else { why.join("; ") })
}

fn workload(pod: &Pod, app: &'static str) -> Result<Workload> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let spec = pod.spec.as_ref().with_context(|| format!("pod {name} has no spec"))?;
    let ip = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref());
    let ip = ip.with_context(|| format!("pod {name} has no address"))?;
    Ok(Workload {
        pod: PodRef::new(namespace, name),
        service_account: spec.service_account_name.clone().unwrap_or_else(|| "default".to_owned()),
        container: app,
        ip: ip.parse().with_context(|| format!("pod {name} has the address `{ip}`"))?,
    })
}

impl Workloads {
    /// The identity that a workload should have.
    ///
    /// # Errors
    /// Its namespace or service account makes no SPIFFE ID.
    pub(crate) fn spiffe_id(&self, workload: &Workload) -> Result<SpiffeId, pki::Error> {
        self.spiffe_id_of(&workload.pod.namespace, &workload.service_account)
    }

    /// The identity of any service account of the mesh.
    ///
    /// # Errors
    /// The names make no SPIFFE ID.
    pub(crate) fn spiffe_id_of(
        &self,
        namespace: &str,
        service_account: &str,
    ) -> Result<SpiffeId, pki::Error> {
        SpiffeId::workload(&self.trust_domain, namespace, service_account)
    }

    /// The name by which clients know httpbin: `httpbin.foo`.
    pub(crate) fn httpbin_host(&self) -> String {
        format!("httpbin.{}", self.namespace)
    }

    /// The same with the Service's port: `httpbin.foo:8000`.
    pub(crate) fn httpbin_host_port(&self) -> String {
        format!("{}:{SERVICE_PORT}", self.httpbin_host())
    }

    /// Where httpbin's proxy is met from outside its pod.
    pub(crate) fn httpbin_address(&self) -> SocketAddr {
        SocketAddr::new(self.httpbin.ip, CONTAINER_PORT)
    }

    /// `kubectl exec` into the client's proxy, to be given a command.
    pub(crate) fn client_proxy_exec(&self, cluster: &Cluster) -> Tool {
        self.exec(cluster, "istio-proxy")
    }

    /// Has the client's application fetch a URL.
    ///
    /// # Errors
    /// kubectl cannot be started.
    pub(crate) async fn curl(&self, cluster: &Cluster, url: &str) -> Result<CurlAnswer> {
        let curl = ["curl", "-sS", "--max-time", REQUEST_SECONDS, "-w", "\n%{http_code}", url];
        let output = self.exec(cluster, self.client.container).args(curl).output().await?;
        let (body, status) = output.stdout.rsplit_once('\n').unwrap_or(("", &output.stdout));
        let status = status.trim().parse().unwrap_or(0);
        let body = if status == 0 { output.stderr.trim() } else { body };
        Ok(CurlAnswer { status, body: body.to_owned() })
    }

    fn exec(&self, cluster: &Cluster, container: &str) -> Tool {
        let PodRef { namespace, name } = &self.client.pod;
        cluster.kubectl.clone().args(["exec", name, "-n", namespace, "-c", container, "--"])
    }
}
