//! The control plane: the replicas of istiod, the CA each one says it signs with, and whether the
//! self-signed CA's Secret exists.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Api;
use kube::api::{ListParams, LogParams};

use crate::deadline::within;
use crate::forward::Port;
use crate::kubernetes::pod_ref;
use crate::{Error, Mesh, PodRef, Request};

mod log;
pub use log::{SigningCa, ca_lines, start_failure};

/// The Secret in which istiod keeps a CA of its own making.
const SELF_SIGNED_SECRET: &str = "istio-ca-secret";
/// The container of an istiod pod.
const CONTAINER: &str = "discovery";
/// istiod's monitoring port, which also tells its version.
const MONITORING_PORT: u16 = 15014;
/// The name of a cluster that has none (`CLUSTER_ID`).
const DEFAULT_CLUSTER: &str = "Kubernetes";

/// One replica of istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Istiod {
    /// Its pod.
    pub pod: PodRef,
    /// The `istio.io/rev` label.
    pub revision: Option<String>,
    /// Whether its container is ready. One that is not signs nothing.
    pub ready: bool,
    /// How often its container was restarted.
    pub restarts: i32,
    /// The name of its cluster, which a certificate request must carry.
    pub cluster_id: String,
    /// The image, with its tag or digest.
    pub image: String,
}

impl Mesh {
    /// Every replica of every revision of istiod; pods that have run to their end (evicted ones
    /// stay in a cluster for long) are none.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn istiods(&self) -> Result<Vec<Istiod>, Error> {
        let pods = self.pods_of(&self.system_namespace);
        let what = format!("the istiod pods of namespace {}", self.system_namespace);
        let pods = self.list(&pods, &ListParams::default().labels("app=istiod"), &what).await?;
        Ok(pods.iter().filter_map(Istiod::from_pod).collect())
    }

    /// The log of a replica's running container, as far back as the kubelet keeps it.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn istiod_log(&self, istiod: &Istiod) -> Result<String, Error> {
        self.log_of(istiod, false).await
    }

    /// The log of the run before the last restart: where an istiod that keeps crashing says why.
    ///
    /// # Errors
    /// [`Error::Api`], also when there was no run before.
    pub async fn istiod_previous_log(&self, istiod: &Istiod) -> Result<String, Error> {
        self.log_of(istiod, true).await
    }

    async fn log_of(&self, Istiod { pod, .. }: &Istiod, previous: bool) -> Result<String, Error> {
        let doing = || format!("read the log of pod {pod}");
        let container = Some(CONTAINER.to_owned());
        let params = LogParams { container, previous, ..LogParams::default() };
        let reading = async {
            let pods = self.pods_of(&pod.namespace);
            pods.logs(&pod.name, &params).await.map_err(|e| Error::api(doing(), e))
        };
        within(self.limit, doing, reading).await
    }

    /// The version that a replica reports, as in `1.31.0-0123abc-Clean`.
    ///
    /// # Errors
    /// Those of a port-forward to 15014.
    pub async fn istiod_version(&self, istiod: &Istiod) -> Result<String, Error> {
        let purpose = "istiod's monitoring port";
        let port = Port { pod: istiod.pod.clone(), port: MONITORING_PORT, purpose };
        let answer = self.ask(port, &Request::get("localhost", "/version")).await?;
        Ok(answer.text().trim().to_owned())
    }

    /// Whether `istio-ca-secret` exists. Only its metadata is asked for: its key stays where it is.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn has_self_signed_secret(&self) -> Result<bool, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.system_namespace);
        let doing = || format!("look for Secret {}/{SELF_SIGNED_SECRET}", self.system_namespace);
        let asking = async {
            let found = secrets.get_metadata_opt(SELF_SIGNED_SECRET).await;
            found.map_err(|e| Error::api(doing(), e))
        };
        Ok(within(self.limit, doing, asking).await?.is_some())
    }
}

impl Istiod {
    fn from_pod(pod: &Pod) -> Option<Self> {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        if matches!(phase, Some("Succeeded" | "Failed")) {
            return None;
        }
        let spec = pod.spec.as_ref()?;
        let container = spec.containers.iter().find(|c| c.name == CONTAINER)?;
        let status = pod.status.as_ref().and_then(|s| s.container_statuses.as_ref());
        let status = status.into_iter().flatten().find(|s| s.name == CONTAINER);
        let cluster = container.env.iter().flatten().find(|var| var.name == "CLUSTER_ID");
        let labels = pod.metadata.labels.as_ref();
        Some(Self {
            pod: pod_ref(pod),
            revision: labels.and_then(|labels| labels.get("istio.io/rev").cloned()),
            ready: status.is_some_and(|s| s.ready) && pod.metadata.deletion_timestamp.is_none(),
            restarts: status.map_or(0, |s| s.restart_count),
            cluster_id: cluster
                .and_then(|var| var.value.clone())
                .unwrap_or_else(|| DEFAULT_CLUSTER.to_owned()),
            image: container.image.clone().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
