//! "Cleanup": what the page removes, and a look at what is left.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, ListParams};

use crate::cluster::Cluster;
use crate::cmd::Tool;
use crate::poll::{Seen, until};
use crate::release::Release;
use crate::steps::cacerts::SYSTEM_NAMESPACE;
use crate::steps::istio::Istio;
use crate::steps::workloads::Workloads;

/// Namespaces go slowly: every object in them is removed first.
const GONE: Duration = Duration::from_secs(120);
/// What istiod leaves in every namespace; a new installation overwrites it.
const LEFT_BEHIND: [&str; 2] = ["istio-ca-root-cert", "istio-ca-crl"];

/// Removes the Secret, Istio, and both namespaces, and proves that nothing else is left.
///
/// # Errors
/// kubectl's and istioctl's, or what is left although it should not be.
pub(crate) async fn clean_up(cluster: &Cluster, istio: &Istio, workloads: Workloads) -> Result<()> {
    remove(cluster, &istio.istioctl, &[&workloads.namespace, SYSTEM_NAMESPACE]).await
}

/// The same for an installation that did not come up: there may be no workloads yet.
///
/// # Errors
/// As [`clean_up`].
pub(crate) async fn purge(cluster: &Cluster, release: &Release) -> Result<()> {
    let istioctl = cluster.tool(release.istioctl());
    remove(cluster, &istioctl, &[SYSTEM_NAMESPACE]).await
}

async fn remove(cluster: &Cluster, istioctl: &Tool, namespaces: &[&str]) -> Result<()> {
    let kubectl = |args: &[&str]| cluster.kubectl.clone().args(args.iter().copied());
    let secret = ["delete", "secret", "cacerts", "-n", SYSTEM_NAMESPACE, "--ignore-not-found"];
    kubectl(&secret).run().await?;
    // The page removes the namespaces and points to the instructions for uninstalling. All at once:
    // Kubernetes looks at a deleted namespace after five seconds only (k8s.io/kubernetes,
    // pkg/controller/namespace, namespaceDeletionGracePeriod), and again long after if a pod is
    // still ending then. None is replaced: nothing new comes up in such a namespace.
    let delete = kubectl(&["delete", "ns", "--wait=false"]);
    delete.args(namespaces.iter().copied()).run().await?;
    let now = ["--all", "--force", "--grace-period=0", "--wait=false"];
    let pods = |name: &&str| kubectl(&["delete", "pods", "-n", name]).args(now);
    let pods: Vec<_> = namespaces.iter().map(pods).collect();
    let uninstall = istioctl.clone().args(["uninstall", "--purge", "-y"]);
    tokio::try_join!(try_join_all(pods.iter().map(Tool::run)), uninstall.run())?;
    until("both namespaces are gone", GONE, 1, async || {
        let left = names_of_namespaces(cluster).await?;
        let left: Vec<_> = namespaces.iter().filter(|name| left.contains(**name)).collect();
        Ok(if left.is_empty() { Seen::Ready(()) } else { Seen::NotYet(format!("{left:?}")) })
    })
    .await?;
    nothing_else_is_left(cluster).await
}

/// CustomResourceDefinitions, cluster roles and webhooks of Istio are gone, and of its ConfigMaps
/// only the two that every uninstallation leaves behind remain.
async fn nothing_else_is_left(cluster: &Cluster) -> Result<()> {
    let kinds = "crd,clusterrole,clusterrolebinding,mutatingwebhookconfiguration,\
                 validatingwebhookconfiguration";
    until("nothing of Istio is left", GONE, 1, async || {
        let listed = cluster.kubectl.clone().args(["get", kinds, "-o", "name"]).run().await?;
        let left: Vec<_> = listed.stdout.lines().filter(|name| name.contains("istio")).collect();
        Ok(if left.is_empty() { Seen::Ready(()) } else { Seen::NotYet(left.join(", ")) })
    })
    .await?;
    let config_maps: Api<ConfigMap> = Api::all(cluster.client.clone());
    let found = config_maps.list(&ListParams::default()).await.context("list ConfigMaps")?;
    let names = found.into_iter().filter_map(|map| map.metadata.name);
    let strange: Vec<_> = names
        .filter(|name| name.contains("istio") && !LEFT_BEHIND.contains(&name.as_str()))
        .collect();
    anyhow::ensure!(strange.is_empty(), "these ConfigMaps are left: {}", strange.join(", "));
    Ok(())
}

async fn names_of_namespaces(cluster: &Cluster) -> Result<BTreeSet<String>> {
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let found = namespaces.list(&ListParams::default()).await.context("list namespaces")?;
    Ok(found.into_iter().filter_map(|namespace| namespace.metadata.name).collect())
}
