//! The page from its second step to its last, on a cluster that exists, whoever made it.

use std::path::PathBuf;

use anyhow::Result;
use pki::{Certificate, Hierarchy};

use crate::claim::{Claim, Tested, Verdict};
use crate::cluster::Cluster;
use crate::diagnose::diagnose;
use crate::release::Release;
use crate::sabotage::{self, Change, Ends, Sabotage};
use crate::step::Steps;
use crate::steps::ca::Administrator;
use crate::steps::cleanup;
use crate::steps::istio::{self, Istio};
use crate::steps::workloads::{self, Client, NAMESPACE, Workloads};
use crate::view::{Renewal, Truth, View};

/// The steps of a run, the cluster's own included.
pub(crate) const STEPS: usize = 9;

/// What to prove, and how.
pub(crate) struct Request {
    /// The claims to test, in the table's order.
    pub(crate) claims: Vec<&'static Claim>,
    /// Which sample sends the requests.
    pub(crate) client: Client,
    /// What to break on purpose.
    pub(crate) sabotage: Option<&'static Sabotage>,
    /// The run's folder.
    pub(crate) folder: PathBuf,
    /// Whether a skipped claim counts as one that could not be tested.
    pub(crate) require: bool,
    /// Whether a mesh that does not prove itself is left as it is, for a look.
    pub(crate) keep_on_failure: bool,
}

impl Request {
    /// The verdict over claims that were tested.
    pub(crate) fn verdict(&self, tested: &[Tested]) -> Verdict {
        Verdict::over(tested, self.require)
    }
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Proof {
    /// The claims with their outcomes.
    pub(crate) tested: Vec<Tested>,
    /// What httpbin served, where that was looked at.
    pub(crate) served: Option<Vec<Certificate>>,
    /// The workload certificate of each proxy, by its pod.
    pub(crate) workloads: Vec<(String, Certificate)>,
    /// What the mesh was held against, where that was not the administrator's own bundle.
    pub(crate) held_against: Option<Hierarchy>,
    /// Names and versions that the cluster and the mesh said themselves.
    pub(crate) told: Vec<(String, String)>,
    /// What was to be seen in a mesh that did not prove itself, before it was cleaned up.
    pub(crate) diagnosis: String,
    /// Why the installation stopped, where a sabotage wanted it to.
    pub(crate) stopped: Option<String>,
}

/// Runs the page's steps; each needs the handle of the one before. `proof` has what was found so
/// far, also where a later step fails.
///
/// # Errors
/// The first step that failed, in its own words.
pub(crate) async fn prove(
    steps: &Steps,
    cluster: &Cluster,
    release: &Release,
    administrator: &Administrator,
    request: &Request,
    proof: &mut Proof,
) -> Result<()> {
    let plug_in = sabotage::plug_in_or_not(cluster, administrator, request.sabotage);
    let cacerts = steps.run("Plug in certificates and key into the cluster", plug_in).await?;
    let deploy = steps.run("Deploy Istio", istio::deploy(cluster, cacerts, release)).await;
    if let Some(Ends::Stops(words)) = request.sabotage.map(|sabotage| &sabotage.ends) {
        proof.stopped = Some(sabotage::must_stop(deploy, words)?);
        return Ok(());
    }
    let deploy = workloads::deploy(cluster, deploy?, release, request.client);
    let (istio, workloads) = steps.run("Deploying example services", deploy).await?;
    let policy = workloads::require_mutual_tls(cluster, &workloads);
    steps.run("Requiring mutual TLS", policy).await?;

    let mesh = Finished { cluster, administrator, istio: &istio, workloads: &workloads };
    let change = request.sabotage.and_then(Sabotage::change);
    mesh.test(steps, request, change, proof).await?;
    if request.verdict(&proof.tested) != Verdict::Proven {
        if request.sabotage.is_none() {
            proof.diagnosis = diagnose(cluster, NAMESPACE, &request.folder).await;
        }
        if request.keep_on_failure {
            return Ok(());
        }
    }
    steps.run("Cleanup", cleanup::clean_up(cluster, &istio, workloads)).await?;
    administrator.remove_keys()
}

/// The sections of the verification: what the page looks at, what goes beyond it, and what changes
/// the mesh. Each with the last of its claims' numbers.
const SECTIONS: [(&str, u8); 3] = [
    ("Verifying the certificates", 5),
    ("Verifying the whole mesh", 12),
    ("Replacing the intermediate", u8::MAX),
];

/// Tests the claims of a view section by section, and notes what was seen.
///
/// # Errors
/// The run has to stop, or the view's relay did not end well.
pub(crate) async fn test(
    steps: &Steps,
    view: View<'_>,
    sections: &[(&str, u8)],
    claims: &[&'static Claim],
    proof: &mut Proof,
) -> Result<()> {
    let mut first = 0;
    for &(title, last) in sections {
        let of_section = |claim: &&Claim| (first..=last).contains(&claim.number);
        let chosen: Vec<_> = claims.iter().copied().filter(of_section).collect();
        let test = async { Ok(crate::claims::test(&view, &chosen, &proof.tested).await) };
        let tested = steps.run(title, test).await?;
        proof.tested.extend(tested);
        first = last.saturating_add(1);
    }
    if let Some(look) = view.already_served() {
        proof.served = Some(look.served.certificates()?);
    }
    proof.workloads = view.workload_certificates();
    view.close().await
}

/// A mesh in which everything runs.
pub(crate) struct Finished<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) administrator: &'a Administrator,
    pub(crate) istio: &'a Istio,
    pub(crate) workloads: &'a Workloads,
}

impl Finished<'_> {
    /// Breaks the mesh if that is asked for, and tests the claims section by section.
    async fn test(
        &self,
        steps: &Steps,
        request: &Request,
        change: Option<Change>,
        proof: &mut Proof,
    ) -> Result<()> {
        let other = match change {
            Some(change) => steps.part("sabotage", self.sabotage(change)).await?,
            None => None,
        };
        proof.held_against = other.as_ref().map(|truth| truth.hierarchy.clone());
        let view = self.view(other.as_ref(), request.folder.join("page"));
        test(steps, view, &SECTIONS, &request.claims, proof).await
    }

    /// Applies a sabotage; what is returned is the truth to hold the mesh against, if another one.
    pub(crate) async fn sabotage(&self, change: Change) -> Result<Option<Truth>> {
        sabotage::apply(change, self.cluster, self.administrator, self.istio, self.workloads).await
    }

    /// Mends what a sabotage broke.
    pub(crate) async fn undo(&self, change: Change) -> Result<()> {
        sabotage::undo(change, self.cluster, self.administrator, self.istio, self.workloads).await
    }

    /// The mesh as the claims see it, held against the administrator's own bundle unless another
    /// one is given.
    pub(crate) fn view<'v>(&'v self, other: Option<&'v Truth>, page: PathBuf) -> View<'v> {
        let truth = other.unwrap_or(&self.administrator.truth);
        let Administrator { renewed, stranger, .. } = self.administrator;
        View::new(self.cluster, &self.istio.mesh, self.workloads, truth, stranger, page)
            .that_may_change(Renewal { cacerts: self.istio.cacerts, bundle: renewed })
    }
}
