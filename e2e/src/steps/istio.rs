//! "Deploy Istio": istioctl with the demo profile. An istiod that refuses its CA ends the step at
//! once, with istiod's own reason. The step is over when istiod serves: the gateways come up while
//! the samples do.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use mesh::istiod::start_failure;
use mesh::{Istiod, Mesh};
use tokio::task::JoinSet;
use tools::{Program, Toolbox, versions};

use crate::cluster::Cluster;
use crate::cmd::Tool;
use crate::poll::{Seen, until};
use crate::steps::cacerts::{Cacerts, SYSTEM_NAMESPACE};

/// istioctl waits this long for istiod, and once more for the gateways.
const READINESS: &str = "120s";
/// Longer than istioctl takes in the worst case.
const WATCH: Duration = Duration::from_secs(600);
/// How long one look at the mesh may take.
const LOOK: Duration = Duration::from_secs(15);

/// A running Istio, gateways included.
#[must_use]
pub(crate) struct Istio {
    pub(crate) mesh: Mesh,
    pub(crate) istioctl: Tool,
    pub(crate) cacerts: Cacerts,
}

/// An istiod that injects and signs, while istioctl still waits for the gateways.
#[must_use]
pub(crate) struct ControlPlane {
    istio: Istio,
    /// istioctl, which ends with this handle.
    installation: JoinSet<Result<()>>,
}

impl ControlPlane {
    /// Enough to inject with, before the gateways are there.
    pub(crate) fn istioctl(&self) -> &Tool {
        &self.istio.istioctl
    }

    /// Waits until istioctl says that all of it is installed.
    ///
    /// # Errors
    /// istioctl's.
    pub(crate) async fn complete(mut self) -> Result<Istio> {
        ended(&mut self.installation).await?;
        Ok(self.istio)
    }
}

/// Installs the demo profile and waits for istiod.
///
/// # Errors
/// istioctl's, or istiod's reason to end.
pub(crate) async fn deploy(
    cluster: &Cluster,
    cacerts: Cacerts,
    toolbox: &Toolbox,
) -> Result<ControlPlane> {
    let istioctl = cluster.tool(toolbox.program(Program::Istioctl));
    let install = istioctl.clone().args(["install", "-y"]).args(settings());
    let mesh = Mesh::new(cluster.client.clone(), SYSTEM_NAMESPACE, LOOK);
    let mut installation = JoinSet::new();
    installation.spawn(async move { install.run().await.map(drop) });
    tokio::select! {
        installed = ended(&mut installation) => {
            installed?;
            // Quicker than a look: the handle still has to have something to wait for.
            installation.spawn(async { Ok(()) });
        }
        served = istiod_serves(&mesh) => served?,
    }
    Ok(ControlPlane { istio: Istio { mesh, istioctl, cacerts }, installation })
}

async fn ended(installation: &mut JoinSet<Result<()>>) -> Result<()> {
    let ended = installation.join_next().await.context("istioctl was not started")?;
    ended.context("istioctl was not waited for")?
}

fn settings() -> Vec<String> {
    let set = |value: String| ["--set".to_owned(), value];
    [
        "profile=demo".to_owned(),
        format!("hub={}", versions::ISTIO_HUB),
        format!("tag={}", versions::ISTIO),
        // Envoy's wheel is the upstream build, without Istio's own filters: request metrics and
        // protocol sniffing over mutual TLS are off. Nothing of the certificates depends on them.
        "values.telemetry.enabled=false".to_owned(),
        "values.pilot.env.PILOT_ENABLE_METADATA_EXCHANGE=false".to_owned(),
        "values.pilot.env.PILOT_ENABLE_ALPN_FILTER=false".to_owned(),
    ]
    .into_iter()
    .flat_map(set)
    .chain(["--readiness-timeout".to_owned(), READINESS.to_owned()])
    .collect()
}

/// Comes back when istiod serves, or when one has ended, with its last words.
async fn istiod_serves(mesh: &Mesh) -> Result<()> {
    let refused = until("istiod serves", WATCH, 1, async || {
        let istiods = mesh.istiods().await?;
        if istiods.iter().any(|istiod| istiod.ready) {
            return Ok(Seen::Ready(None));
        }
        Ok(match last_words(mesh, &istiods).await? {
            Some(words) => Seen::Ready(Some(words)),
            None if istiods.is_empty() => Seen::NotYet("there is no pod of istiod yet".to_owned()),
            None => Seen::NotYet("its pod is not ready".to_owned()),
        })
    })
    .await?;
    refused.map_or(Ok(()), |words| Err(anyhow!("istiod does not start: {words}")))
}

/// Why an istiod that is not ready ended, by the log of this start or of the one before.
async fn last_words(mesh: &Mesh, istiods: &[Istiod]) -> Result<Option<String>> {
    for istiod in istiods.iter().filter(|istiod| !istiod.ready) {
        let mut logs = Vec::new();
        // A container that is being created has no log yet, and between two starts neither has it:
        // the next look finds one.
        logs.extend(mesh.istiod_log(istiod).await.ok());
        if istiod.restarts > 0 {
            logs.extend(mesh.istiod_previous_log(istiod).await.ok());
        }
        if let Some(words) = logs.iter().find_map(|log| start_failure(log)) {
            return Ok(Some(words.to_owned()));
        }
    }
    Ok(None)
}
