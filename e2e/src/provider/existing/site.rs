//! "Looking at the mesh": which istiod there is, how it injects, what its configuration says. The
//! handle is made by looking alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use mesh::{INJECTION_LABEL, Injector, Mesh, MeshConfig, REVISION_LABEL};

use crate::cluster::Cluster;

/// How long one look at the mesh may take.
const LOOK: Duration = Duration::from_secs(20);

/// A mesh of others, as far as a run has to know it.
#[must_use]
pub(super) struct Site {
    pub(super) mesh: Mesh,
    pub(super) config: MeshConfig,
    /// The labels of a namespace that is injected and looked at by istiod.
    pub(super) labels: BTreeMap<String, String>,
    /// What a report should name: the injection, and the versions.
    pub(super) told: Vec<(String, String)>,
}

/// Looks for istiod, its webhook and its configuration.
///
/// # Errors
/// There is no istiod that is ready, none or several webhooks fit, or the mesh leaves namespaces
/// with these labels out.
pub(super) async fn look(
    cluster: &Cluster,
    system_namespace: &str,
    revision: Option<&str>,
    labels: BTreeMap<String, String>,
    sample: &str,
) -> Result<Site> {
    let mesh = Mesh::new(cluster.client.clone(), system_namespace, LOOK);
    let mut told = Vec::new();
    told.push(cluster.kubernetes().await?);
    told.push(("Istio".to_owned(), istio_version(&mesh).await?));
    let injectors = mesh.injectors().await?;
    let (label, injector) = choose(&injectors, revision, &labels, sample)?;
    let by = format!("{}={} ({}/{})", label.0, label.1, injector.configuration, injector.name);
    told.push(("injection by".to_owned(), by));
    let config = mesh.config(injector.revision.as_deref()).await?;
    told.push(("trust domain".to_owned(), config.trust_domain.clone()));
    let mut labels = labels;
    labels.insert(label.0.to_owned(), label.1);
    ensure!(
        config.discovers(&labels),
        "the mesh leaves a namespace with the labels of this run out: the discoverySelectors of \
         ConfigMap {} choose {}; add such a label with --namespace-label",
        config.config_map,
        config.discovery_selectors().join(" or ")
    );
    Ok(Site { mesh, config, labels, told })
}

/// The versions of all replicas, each once.
async fn istio_version(mesh: &Mesh) -> Result<String> {
    let istiods = mesh.istiods().await?;
    let ready: Vec<_> = istiods.iter().filter(|istiod| istiod.ready).collect();
    ensure!(
        !ready.is_empty(),
        "no istiod is ready in namespace {} ({} pods with app=istiod): name its namespace with \
         --istio-namespace; a cluster whose istiod runs in another one cannot be tested",
        mesh.system_namespace(),
        istiods.len()
    );
    let mut versions = BTreeSet::new();
    for istiod in ready {
        versions.insert(mesh.istiod_version(istiod).await?);
    }
    Ok(versions.into_iter().collect::<Vec<_>>().join(", "))
}

type Label = (&'static str, String);

/// The label by which a new namespace gets proxies from this mesh, and the webhook that sees to it.
/// Without a revision that is named, the default injection goes before the only revision.
fn choose<'a>(
    injectors: &'a [Injector],
    revision: Option<&str>,
    labels: &BTreeMap<String, String>,
    sample: &str,
) -> Result<(Label, &'a Injector)> {
    let by_name = |name: &str| (REVISION_LABEL, name.to_owned());
    let enabled = (INJECTION_LABEL, "enabled".to_owned());
    let names: BTreeSet<&str> =
        injectors.iter().flat_map(|one| one.names()).map(String::as_str).collect();
    let candidates: Vec<Label> = match revision {
        Some("default") => vec![by_name("default"), enabled],
        Some(revision) => vec![by_name(revision)],
        None => [enabled].into_iter().chain(names.iter().map(|name| by_name(name))).collect(),
    };
    let pod = BTreeMap::from([("app".to_owned(), sample.to_owned())]);
    let mut fit = candidates.into_iter().filter_map(|label| {
        let mut labels = labels.clone();
        labels.insert(label.0.to_owned(), label.1.clone());
        Some((label, injectors.iter().find(|one| one.injects(&labels, &pod))?))
    });
    let Some(first) = fit.next() else {
        let known = names.iter().copied().collect::<Vec<_>>().join(", ");
        bail!(
            "no webhook of this istiod injects into a new namespace{}; {}",
            revision.map_or_else(String::new, |name| format!(" of revision `{name}`")),
            if known.is_empty() {
                "it has no injection webhook".to_owned()
            } else {
                format!("its webhooks know the revisions and tags {known} (--revision)")
            }
        );
    };
    let others: Vec<String> = fit.map(|(label, _)| label.1).collect();
    if first.0.0 == REVISION_LABEL && !others.is_empty() {
        bail!(
            "several revisions and tags inject: {}, {}; name one with --revision",
            first.0.1,
            others.join(", ")
        );
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
