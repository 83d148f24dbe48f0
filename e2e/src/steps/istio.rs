//! "Deploy Istio": istioctl with the demo profile. An istiod that refuses its CA ends the step at
//! once, with istiod's own reason. The step is over when istiod serves: the gateways come up while
//! the samples do.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use mesh::istiod::start_failure;
use mesh::{Istiod, Mesh};
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::cmd::Tool;
use crate::poll::{Seen, until};
use crate::release::Release;
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
    release: &Release,
) -> Result<ControlPlane> {
    let istioctl = cluster.tool(release.istioctl());
    let install = istioctl.clone().args(["install", "-y"]).args(settings(release));
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
    same_version(&mesh, release).await?;
    Ok(ControlPlane { istio: Istio { mesh, istioctl, cacerts }, installation })
}

/// Images of another version than istioctl's make a mesh that nobody runs.
async fn same_version(mesh: &Mesh, release: &Release) -> Result<()> {
    for istiod in mesh.istiods().await?.iter().filter(|istiod| istiod.ready) {
        let told = mesh.istiod_version(istiod).await?;
        ensure!(
            is_version(&told, release.version()),
            "istioctl is {}, the istiod that it installed is {told}: give images of istioctl's own \
             version (--istio-set tag=..), or another release with --istio-dir",
            release.version()
        );
    }
    Ok(())
}

/// istiod adds its commit and the state of its tree: `1.31.4-0123abc-Clean`.
fn is_version(told: &str, version: &str) -> bool {
    told.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

async fn ended(installation: &mut JoinSet<Result<()>>) -> Result<()> {
    let ended = installation.join_next().await.context("istioctl was not started")?;
    ended.context("istioctl was not waited for")?
}

fn settings(release: &Release) -> Vec<String> {
    let set = |value: &str| ["--set".to_owned(), value.to_owned()];
    let settings = release.settings().iter().flat_map(|value| set(value));
    let timeout = ["--readiness-timeout".to_owned(), READINESS.to_owned()];
    set("profile=demo").into_iter().chain(settings).chain(timeout).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_a_longer_one() {
        assert!(is_version("1.31-dev-eed52ebb66ad-Clean", "1.31-dev"));
        assert!(is_version("1.31.4", "1.31.4"));
        assert!(!is_version("1.31.40-0123abc-Clean", "1.31.4"));
        assert!(!is_version("1.30.8-0123abc-Clean", "1.31.4"));
    }
}
