//! Every sabotage on one cluster: those of a finished mesh share one, one after the other, each
//! mended before the next; those of the plugging in get an installation each.

use anyhow::Result;

use super::{Ends, SABOTAGES, Sabotage, Sets, must_stop, plug_in_or_not};
use crate::claim::{Kind, Tested};
use crate::claims;
use crate::cluster::Cluster;
use crate::proof::{Finished, Request};
use crate::release::Release;
use crate::step::Steps;
use crate::steps::ca::Administrator;
use crate::steps::cleanup;
use crate::steps::istio::{self, Istio};
use crate::steps::workloads::{self, Workloads};

/// What came of one sabotage.
pub(crate) struct Sabotaged {
    /// Which.
    pub(crate) sabotage: &'static Sabotage,
    /// The claims with their outcomes; none where the installation stopped.
    pub(crate) tested: Vec<Tested>,
    /// Why it did not end as it should, or nothing.
    pub(crate) wrong: Option<String>,
    /// What it ended with, in a line.
    pub(crate) ended: String,
}

/// Where all sabotages are tried.
pub(crate) struct Suite<'a> {
    pub(crate) steps: &'a Steps,
    pub(crate) cluster: &'a Cluster,
    pub(crate) release: &'a Release,
    pub(crate) administrator: &'a Administrator,
    pub(crate) request: &'a Request,
}

impl Suite<'_> {
    /// The number of steps it takes after the cluster is there.
    pub(crate) fn steps() -> usize {
        let finished = SABOTAGES.iter().filter(|sabotage| sabotage.change().is_some()).count();
        let claims = SABOTAGES.iter().filter(|s| matches!(s.ends, Ends::Claims { .. })).count();
        // An installation and a clean-up around those of a finished mesh, and around each other one.
        2 + finished + 2 * (SABOTAGES.len() - finished) + (claims - finished)
    }

    /// Tries them all.
    ///
    /// # Errors
    /// A mesh could not be brought up or mended: what comes after would prove nothing.
    pub(crate) async fn run(&self) -> Result<Vec<Sabotaged>> {
        let mut ended = Vec::new();
        let (istio, workloads) = self.steps.run("Bring up a sound mesh", self.mesh(None)).await?;
        let changes = SABOTAGES.iter().filter_map(|sabotage| Some((sabotage, sabotage.change()?)));
        for (sabotage, change) in changes {
            let mesh = self.finished(&istio, &workloads);
            let test = async {
                let other = mesh.sabotage(change).await?;
                let tested = self.test(&mesh, sabotage, other.as_ref()).await;
                mesh.undo(change).await?;
                tested
            };
            ended.push(judged(sabotage, self.steps.run(sabotage.name, test).await?));
        }
        self.clean_up(&istio, workloads).await?;
        for sabotage in SABOTAGES.iter().filter(|sabotage| sabotage.change().is_none()) {
            ended.push(self.install_with(sabotage).await?);
        }
        Ok(ended)
    }

    /// A sabotage of the plugging in: an installation of its own.
    async fn install_with(&self, sabotage: &'static Sabotage) -> Result<Sabotaged> {
        let install = format!("{}: install", sabotage.name);
        let installed = self.steps.run(&install, self.mesh(Some(sabotage))).await;
        if let Ends::Stops(words) = sabotage.ends {
            let (wrong, ended) = match must_stop(installed, words) {
                Ok(reason) => (None, reason),
                Err(error) => (Some(format!("{error:#}")), "not as it should".to_owned()),
            };
            self.steps.run("Cleanup", self.purge()).await?;
            return Ok(Sabotaged { sabotage, tested: Vec::new(), wrong, ended });
        }
        let (istio, workloads) = installed?;
        let mesh = self.finished(&istio, &workloads);
        let test = self.test(&mesh, sabotage, None);
        let tested = self.steps.run(sabotage.name, test).await?;
        self.clean_up(&istio, workloads).await?;
        Ok(judged(sabotage, tested))
    }

    async fn mesh(&self, sabotage: Option<&Sabotage>) -> Result<(Istio, Workloads)> {
        let cacerts = plug_in_or_not(self.cluster, self.administrator, sabotage).await?;
        let control_plane = istio::deploy(self.cluster, cacerts, self.release).await?;
        let client = self.request.client;
        let (istio, workloads) =
            workloads::deploy(self.cluster, control_plane, self.release, client).await?;
        workloads::require_mutual_tls(self.cluster, &workloads).await?;
        Ok((istio, workloads))
    }

    fn finished<'f>(&'f self, istio: &'f Istio, workloads: &'f Workloads) -> Finished<'f> {
        let (cluster, administrator) = (self.cluster, self.administrator);
        Finished { cluster, administrator, istio, workloads }
    }

    /// Tests the claims. One that changes the mesh has to be blocked here, and is not tried: it
    /// would mend what was broken.
    async fn test(
        &self,
        mesh: &Finished<'_>,
        sabotage: &Sabotage,
        other: Option<&crate::view::Truth>,
    ) -> Result<Vec<Tested>> {
        let view = mesh.view(other, self.request.folder.join("page").join(sabotage.name));
        let blocked = Sets::expected(sabotage).unwrap_or_default().blocks;
        let chosen: Vec<_> = self
            .request
            .claims
            .iter()
            .copied()
            .filter(|claim| claim.kind == Kind::Looks || blocked.contains(&claim.number))
            .collect();
        let tested = claims::test(&view, &chosen, &[]).await;
        view.close().await?;
        Ok(tested)
    }

    async fn clean_up(&self, istio: &Istio, workloads: Workloads) -> Result<()> {
        self.steps.run("Cleanup", cleanup::clean_up(self.cluster, istio, workloads)).await
    }

    /// The clean-up where the installation stopped and there are no handles.
    async fn purge(&self) -> Result<()> {
        cleanup::purge(self.cluster, self.release).await
    }
}

fn judged(sabotage: &'static Sabotage, tested: Vec<Tested>) -> Sabotaged {
    let found = Sets::of(&tested);
    let ended = found.to_string();
    let expected = Sets::expected(sabotage).unwrap_or_default();
    let wrong = (found != expected).then(|| format!("expected {expected}; found {found}"));
    Sabotaged { sabotage, tested, wrong, ended }
}
