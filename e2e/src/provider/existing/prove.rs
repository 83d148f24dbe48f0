//! The steps of a run against a mesh of others: look, deploy into a namespace of the run's own,
//! verify, remove the namespace. What is verified, and how, is the same as everywhere.

use anyhow::{Context as _, Result, bail};
use mesh::Proxy;
use pki::{Bundle, probe};
use time::OffsetDateTime;

use super::Existing;
use super::namespace::RunNamespace;
use super::rights::{self, Places};
use super::site::{self, Site};
use crate::claim::Verdict;
use crate::cluster::Cluster;
use crate::proof::{self, Proof, Request};
use crate::provider::Made;
use crate::release::Release;
use crate::run::Run;
use crate::steps::workloads::{self, Workloads};
use crate::terminal;
use crate::view::{Truth, View};

/// The steps of such a run.
pub(crate) const STEPS: usize = 6;

/// The page's sections; nothing is replaced here.
const SECTIONS: [(&str, u8); 2] =
    [("Verifying the certificates", 5), ("Verifying the whole mesh", u8::MAX)];

/// The mesh, what it is held against, and a CA of the same names that it must not know.
struct Looked {
    cluster: Cluster,
    site: Site,
    truth: Truth,
    stranger: Bundle,
}

impl Existing {
    /// Runs the steps; `proof` has what was found so far, also where a later step fails.
    ///
    /// # Errors
    /// The first step that failed, in its own words. Before the second one nothing is made.
    pub(crate) async fn prove(
        &self,
        run: &Run,
        release: &Release,
        request: &Request,
        proof: &mut Proof,
    ) -> Result<()> {
        let steps = &run.steps;
        let namespace = RunNamespace::new(self.access.clone(), run.id());
        let look = self.look(run, &namespace, request, proof);
        let looked = steps.run("Looking at the mesh", look).await?;
        let Looked { cluster, site, truth, stranger } = &looked;

        let deploy = deploy(run, cluster, site, &namespace, release, request);
        let workloads = steps.run("Deploying example services", deploy).await?;
        let policy = workloads::require_mutual_tls(cluster, &workloads);
        steps.run("Requiring mutual TLS", policy).await?;

        let page = request.folder.join("page");
        let view = View::new(cluster, &site.mesh, &workloads, truth, stranger, page);
        let view = view.configured(&site.config);
        proof::test(steps, view, &SECTIONS, &request.claims, proof).await?;
        if request.keep_on_failure && request.verdict(&proof.tested) != Verdict::Proven {
            return Ok(());
        }
        let remove = namespace.remove_and_look(&cluster.client);
        steps.run("Removing the namespace", remove).await
    }

    async fn look(
        &self,
        run: &Run,
        namespace: &RunNamespace,
        request: &Request,
        proof: &mut Proof,
    ) -> Result<Looked> {
        let cluster = self.open(run).await?;
        let system = self.system_namespace.as_str();
        let claims: Vec<_> = request.claims.iter().map(|claim| claim.number).collect();
        let rights = rights::needed(&claims, self.source.is_secret());
        let places = Places { own: &namespace.name, system };
        rights::check(&cluster.client, &rights, &places).await?;
        let folder = run.dir.root().join("truth");
        let truth = self.source.truth(&cluster.client, system, &folder).await?;
        proof.held_against = Some(truth.hierarchy.clone());
        proof.told.push(("held against".to_owned(), self.source.to_string()));
        let labels = namespace.labels(&self.labels);
        let revision = self.revision.as_deref();
        let site = site::look(&cluster, system, revision, labels, request.client.name()).await?;
        proof.told.extend(site.told.iter().cloned());
        for (name, value) in &proof.told {
            terminal::say(&format!("  {name}: {value}"));
        }
        let stranger = stranger(&truth, run.now).await?;
        Ok(Looked { cluster, site, truth, stranger })
    }
}

/// Generating an RSA key takes a second.
async fn stranger(truth: &Truth, now: OffsetDateTime) -> Result<Bundle> {
    let like = truth.hierarchy.clone();
    let made = tokio::task::spawn_blocking(move || probe::foreign_bundle(&like, now)).await;
    Ok(made.context("make a foreign CA")??)
}

async fn deploy(
    run: &Run,
    cluster: &Cluster,
    site: &Site,
    namespace: &RunNamespace,
    release: &Release,
    request: &Request,
) -> Result<Workloads> {
    run.will_make(Made::Namespace(namespace.clone()))?;
    run.hint_if_kept(format!("kept, in the mesh: namespace {}", namespace.name));
    namespace.create(&cluster.client, site.labels.clone()).await?;
    let trust_domain = &site.config.trust_domain;
    let deploy =
        workloads::deploy_into(cluster, &namespace.name, trust_domain, release, request.client);
    let workloads = deploy.await?;
    for workload in [&workloads.httpbin, &workloads.client] {
        let proxy: Option<Proxy> = site.mesh.proxy(&workload.pod).await?;
        let proxy = proxy.with_context(|| {
            format!(
                "pod {} has no proxy although its namespace is labelled for injection: istiod's \
                 log says why",
                workload.pod
            )
        })?;
        of_this_mesh(&proxy, site.mesh.system_namespace())?;
    }
    Ok(workloads)
}

/// A mesh is judged by its own proxies. Where two meshes take the same label, the webhook whose name comes first injects.
fn of_this_mesh(proxy: &Proxy, system_namespace: &str) -> Result<()> {
    if let Some(other) = proxy.signed_elsewhere(system_namespace) {
        bail!(
            "pod {} belongs to another mesh, whose webhook takes the same label: the istiod of \
             namespace {other} signs for it; name a revision of this mesh with --revision",
            proxy.pod
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde_json::{from_value, json};
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn samples_that_another_mesh_injected_are_refused() {
        let proxy = |signed_from: &str| {
            let address = json!([{"name": "CA_ADDR", "value": signed_from}]);
            let pod = json!({
                "metadata": {"namespace": "own", "name": "httpbin"},
                "spec": {"containers": [{"name": "istio-proxy", "env": address}]},
            });
            Proxy::from_pod(&from_value(pod).unwrap()).unwrap()
        };
        of_this_mesh(&proxy("istiod-canary.istio-system.svc:15012"), "istio-system").unwrap();
        let error = of_this_mesh(&proxy("istiod.istio-b.svc:15012"), "istio-system").unwrap_err();
        assert_eq!(
            error.to_string(),
            "pod own/httpbin belongs to another mesh, whose webhook takes the same label: the \
             istiod of namespace istio-b signs for it; name a revision of this mesh with --revision"
        );
    }
}
