//! "Deploy Istio": istioctl with the demo profile. An istiod that refuses its CA ends the step at
//! once, with istiod's own reason.

use std::time::Duration;

use anyhow::{Result, anyhow};
use mesh::Mesh;
use mesh::istiod::start_failure;
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

/// A running Istio.
#[must_use]
pub(crate) struct Istio {
    pub(crate) mesh: Mesh,
    pub(crate) istioctl: Tool,
    pub(crate) cacerts: Cacerts,
}

/// Installs the demo profile and waits for istiod and the gateways.
///
/// # Errors
/// istioctl's, or istiod's reason to end.
pub(crate) async fn deploy(
    cluster: &Cluster,
    cacerts: Cacerts,
    toolbox: &Toolbox,
) -> Result<Istio> {
    let istioctl = cluster.tool(toolbox.program(Program::Istioctl));
    let install = istioctl.clone().args(["install", "-y"]).args(settings());
    let mesh = Mesh::new(cluster.client.clone(), SYSTEM_NAMESPACE, LOOK);
    tokio::select! {
        installed = install.run() => { installed?; }
        refused = istiod_ends(&mesh) => return Err(refused),
    }
    Ok(Istio { mesh, istioctl, cacerts })
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

/// Comes back only when an istiod has ended, with its last words.
async fn istiod_ends(mesh: &Mesh) -> anyhow::Error {
    let watched = until("istiod ends", WATCH, 1, async || {
        Ok(match last_words(mesh).await? {
            Some(words) => Seen::Ready(words),
            None => Seen::NotYet("it runs".to_owned()),
        })
    });
    match watched.await {
        Ok(words) => anyhow!("istiod does not start: {words}"),
        Err(error) => error,
    }
}

/// Why an istiod that is not ready ended, by the log of this start or of the one before.
async fn last_words(mesh: &Mesh) -> Result<Option<String>> {
    for istiod in mesh.istiods().await?.iter().filter(|istiod| !istiod.ready) {
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
