//! "Plug in certificates and key into the cluster": the Secret `cacerts`, made by the page's own
//! commands.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use k8s_secret::{CacertsSecret, OtherWriters, PlugIn, RootChange, SecretRef};
use pki::{Bundle, BundleFiles};

use crate::cluster::Cluster;
use crate::steps::ca::Administrator;

/// Where istiod runs, as the page has it.
pub(crate) const SYSTEM_NAMESPACE: &str = "istio-system";

/// How long writing the Secret may take.
const WRITE: Duration = Duration::from_secs(15);

/// A plugged-in CA: the Secret exists.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cacerts(());

/// Creates the namespace and the Secret.
///
/// # Errors
/// kubectl's, as when either exists already.
pub(crate) async fn plug_in(cluster: &Cluster, administrator: &Administrator) -> Result<Cacerts> {
    create_namespace(cluster).await?;
    plug_in_files(cluster, &administrator.truth.folder, &BundleFiles::NAMES).await
}

/// Creates the namespace alone: the way to an istiod with a CA of its own making, for a sabotage.
///
/// # Errors
/// kubectl's.
pub(crate) async fn leave_out(cluster: &Cluster) -> Result<Cacerts> {
    create_namespace(cluster).await?;
    Ok(Cacerts(()))
}

/// Creates the Secret from some of the files of a folder.
///
/// # Errors
/// kubectl's.
pub(crate) async fn plug_in_files(
    cluster: &Cluster,
    folder: &Path,
    names: &[&str],
) -> Result<Cacerts> {
    let files = names.iter().map(|name| format!("--from-file={}", folder.join(name).display()));
    cluster
        .kubectl
        .clone()
        .args(["create", "secret", "generic", "cacerts", "-n", SYSTEM_NAMESPACE])
        .args(files)
        .run()
        .await?;
    Ok(Cacerts(()))
}

/// Creates Istio's namespace.
///
/// # Errors
/// kubectl's, as when it exists already.
pub(crate) async fn create_namespace(cluster: &Cluster) -> Result<()> {
    cluster.kubectl.clone().args(["create", "namespace", SYSTEM_NAMESPACE]).run().await?;
    Ok(())
}

impl Cacerts {
    /// Puts another bundle under the same root into the Secret.
    ///
    /// # Errors
    /// The Secret cannot be written, or the root would change.
    pub(crate) async fn replace(&self, cluster: &Cluster, bundle: &Bundle) -> Result<()> {
        let secret = CacertsSecret::new(bundle, SecretRef::istio_system());
        // The page's `kubectl create` owns what is there.
        let other_writers = OtherWriters::TakeOver;
        let terms = PlugIn { root_change: RootChange::Refuse, other_writers, limit: WRITE };
        k8s_secret::plug_in(&cluster.client, &secret, terms).await?;
        Ok(())
    }
}
