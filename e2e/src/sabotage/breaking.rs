//! Breaking things on purpose, and mending them.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pki::BundleFiles;
use serde_json::json;

use super::{At, Change, Instead, Sabotage};
use crate::cluster::Cluster;
use crate::poll::{Seen, until};
use crate::steps::ca::Administrator;
use crate::steps::cacerts::{
    Cacerts, SYSTEM_NAMESPACE, create_namespace, leave_out, plug_in, plug_in_files,
};
use crate::steps::istio::Istio;
use crate::steps::workloads::{Workloads, set_mode};
use crate::view::Truth;

/// What istiod logs once it has taken up a changed Secret (`pilot/pkg/bootstrap/istio_ca.go`).
const RELOADED: &str = "Istiod has detected the newly added intermediate CA and updated its key";
/// A default kubelet needs about 90 s to bring a changed Secret into a pod.
const RELOAD: std::time::Duration = std::time::Duration::from_secs(150);

/// Does the page's plugging in, or what the sabotage has in its place.
///
/// # Errors
/// kubectl's.
pub(crate) async fn plug_in_or_not(
    cluster: &Cluster,
    administrator: &Administrator,
    sabotage: Option<&Sabotage>,
) -> Result<Cacerts> {
    match sabotage.map(|sabotage| sabotage.at) {
        Some(At::PlugIn(Instead::Nothing)) => leave_out(cluster).await,
        Some(At::PlugIn(Instead::NoKey)) => {
            create_namespace(cluster).await?;
            let names = BundleFiles::NAMES.into_iter().filter(|name| *name != BundleFiles::CA_KEY);
            let names: Vec<_> = names.collect();
            plug_in_files(cluster, &administrator.truth.folder, &names).await
        }
        Some(At::PlugIn(Instead::StrangersRootToo)) => {
            create_namespace(cluster).await?;
            let folder = administrator.truth.folder.with_extension("two-roots");
            ca_dir::write_bundle(&folder, &administrator.bundle)?;
            let stranger = administrator.stranger.hierarchy().trust_bundle().to_pem();
            let roots = [administrator.truth.root_pem.as_slice(), stranger.as_bytes()].concat();
            std::fs::write(folder.join(BundleFiles::ROOT_CERT), roots)
                .context("cannot write the trust bundle with the stranger's root")?;
            plug_in_files(cluster, &folder, &BundleFiles::NAMES).await
        }
        Some(At::FinishedMesh(_)) | None => plug_in(cluster, administrator).await,
    }
}

/// Breaks a finished mesh. What is returned is the truth to hold it against, if another one.
///
/// # Errors
/// kubectl's, or istiod did not take the change up in time.
pub(crate) async fn apply(
    change: Change,
    cluster: &Cluster,
    administrator: &Administrator,
    istio: &Istio,
    workloads: &Workloads,
) -> Result<Option<Truth>> {
    match change {
        Change::OtherTruth => other_truth(administrator).map(Some),
        Change::Mode(mode) => {
            set_mode(cluster, workloads, mode).await?;
            Ok(None)
        }
        Change::ForeignChain => {
            let chain =
                administrator.stranger.files().get(BundleFiles::CERT_CHAIN).unwrap_or_default();
            replace_chain(cluster, istio, chain).await?;
            Ok(None)
        }
    }
}

/// Mends what [`apply`] broke, so that the next sabotage meets a sound mesh.
///
/// # Errors
/// As [`apply`].
pub(crate) async fn undo(
    change: Change,
    cluster: &Cluster,
    administrator: &Administrator,
    istio: &Istio,
    workloads: &Workloads,
) -> Result<()> {
    match change {
        Change::OtherTruth => Ok(()),
        Change::Mode(_) => set_mode(cluster, workloads, "STRICT").await,
        Change::ForeignChain => {
            let chain = administrator.bundle.files().get(BundleFiles::CERT_CHAIN);
            replace_chain(cluster, istio, chain.unwrap_or_default()).await
        }
    }
}

/// A bundle of the same names and other keys, with its public files in a folder of their own: the
/// page's openssl commands compare files.
fn other_truth(administrator: &Administrator) -> Result<Truth> {
    let folder = administrator.truth.folder.with_extension("other-administrator");
    ca_dir::write_bundle(&folder, &administrator.stranger)?;
    Truth::new(administrator.stranger.files(), folder)
}

/// Writes one file of the Secret, raw, and waits until istiod says that it took it up.
async fn replace_chain(cluster: &Cluster, istio: &Istio, chain: &[u8]) -> Result<()> {
    let before = reloads(istio).await?;
    let patch = json!({"data": {"cert-chain.pem": BASE64_STANDARD.encode(chain)}});
    let args = ["patch", "secret", "cacerts", "-n", SYSTEM_NAMESPACE, "--type", "merge"];
    cluster.kubectl.clone().args(args).arg("--patch").arg(patch.to_string()).run().await?;
    until("istiod says that it took the changed Secret up", RELOAD, 1, async || {
        let now = reloads(istio).await?;
        Ok(if now > before { Seen::Ready(()) } else { Seen::NotYet("no new line yet".to_owned()) })
    })
    .await
}

async fn reloads(istio: &Istio) -> Result<usize> {
    let istiods = istio.mesh.istiods().await?;
    let istiod = istiods.first().context("there is no istiod")?;
    Ok(istio.mesh.istiod_log(istiod).await?.matches(RELOADED).count())
}
