//! A cluster of kind's in a Docker engine: the ordinary way where one is.
//!
//! kind itself is called, never Docker in its place; of the engine only its answer, its images and
//! whether it runs privileged containers are looked at. One cluster a run, of a name of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;
use tools::Cache;

use crate::cluster::Cluster;
use crate::provider::{Made, ready};
use crate::release::{Release, ReleaseArgs};
use crate::run::Run;
use crate::rundir::{RunId, write};

mod advice;
pub(crate) mod cluster;
mod config;
mod engine;
mod images;
mod programs;

use cluster::KindCluster;
use engine::Engine;
use images::Images;
use programs::Programs;

pub(crate) use images::KindArgs;

/// By hand 34 to 43 s; kubeadm itself gives up after four minutes.
const CREATE: Duration = Duration::from_secs(330);
const API: Duration = Duration::from_secs(60);
const READY: Duration = Duration::from_secs(120);

/// Whether an engine answers that kind can use.
///
/// # Errors
/// Why not.
pub(crate) async fn engine_answers() -> Result<()> {
    Engine::find().await.map(drop)
}

/// An engine that can run kind, and what the cluster is made of.
pub(crate) struct Kind {
    engine: Engine,
    programs: Programs,
    images: Images,
}

impl Kind {
    /// Looks at the engine, and gets kind, kubectl and the node's image.
    ///
    /// # Errors
    /// No engine answers or it cannot run kind, a program or image cannot be had.
    pub(crate) async fn prepare(
        kind: &KindArgs,
        release: &ReleaseArgs,
        cache: &Cache,
    ) -> Result<(Self, Release)> {
        let engine = Engine::find().await?;
        let (programs, images, release) = Self::build(kind, release, cache).await?;
        engine.provide(&images).await?;
        engine.runs_privileged(images.node()).await?;
        Ok((Self { engine, programs, images }, release))
    }

    /// Gets what needs the network and no engine: kind, kubectl, and what is built of Istio and of
    /// the node's image.
    ///
    /// # Errors
    /// The arguments do not go together, or a build failed.
    pub(crate) async fn build(
        kind: &KindArgs,
        release: &ReleaseArgs,
        cache: &Cache,
    ) -> Result<(Programs, Images, Release)> {
        programs::prepare(kind, release, cache).await
    }

    /// The cluster that it will make for a run.
    pub(crate) fn reserve(&self, id: &RunId) -> KindCluster {
        KindCluster::new(id, self.programs.kind())
    }

    /// Creates the cluster, and returns once its nodes are Ready and it resolves names.
    ///
    /// # Errors
    /// kind's, with what the node says where that explains it; the node's logs are in the run's
    /// folder then.
    pub(crate) async fn up(&self, run: &Run, name: &str) -> Result<Cluster> {
        let reserved = run.made.iter().find_map(|made| match made {
            Made::KindCluster(cluster) => Some(cluster),
            Made::LocalNode(_) | Made::Namespace(_) => None,
        });
        let reserved = reserved.context("no kind cluster was reserved")?;
        let kubeconfig = run.dir.kubeconfig(name);
        let config = run.dir.root().join("kind.yaml");
        let mirror = self.images.mirror_files(&run.dir.root().join("registries"))?;
        write(&config, &config::text(&run.id(), self.engine.has_cgroup_v1(), mirror.as_deref())?)?;
        let steps = &run.steps;
        let log = run.dir.logs().join("kind-create.log");
        let create = self.create(reserved, &config, &kubeconfig, &log);
        let create = steps.part("kind creates a cluster", create);
        if let Err(error) = create.await {
            return Err(reserved.explained(error, &run.dir.logs().join("kind")).await);
        }
        run.hint_if_kept(format!("kept, with KUBECONFIG={}", kubeconfig.display()));
        run.hint_if_kept(format!("to enter the node: {}", reserved.enter()));
        let home = run.dir.root().join("home");
        let cluster = Cluster::open(&kubeconfig, self.programs.kubectl(), &home).await?;
        let client = &cluster.client;
        let started = async {
            steps.part("the API server is ready", ready::api(client, API)).await?;
            // kind's own --wait ends well when the time is over, and sees the control plane alone.
            steps.part("the node is Ready", ready::nodes(client, READY)).await?;
            steps.part("CoreDNS is ready", ready::dns(client, READY)).await
        };
        match started.await {
            Ok(()) => Ok(cluster),
            Err(error) => Err(reserved.explained(error, &run.dir.logs().join("kind")).await),
        }
    }

    async fn create(
        &self,
        cluster: &KindCluster,
        config: &Path,
        kubeconfig: &Path,
        log: &Path,
    ) -> Result<()> {
        let create = cluster.kind(["create", "cluster", "--retain"]).arg("--config").arg(config);
        let create = create.arg("--kubeconfig").arg(kubeconfig).arg("--image");
        let create = create.arg(self.images.node().to_owned());
        let created = timeout(CREATE, create.output()).await;
        let created = created
            .with_context(|| format!("kind did not end within {} s", CREATE.as_secs()))??;
        write(log, &created.stderr)?;
        ensure!(
            created.status.success(),
            "{}; all that it said is in {}",
            cluster::failure(&created.stderr),
            log.display()
        );
        Ok(())
    }

    /// What the cluster is made of, but for what it says itself.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        let known = [
            ("node image", self.images.node()),
            ("kind", programs::KIND_VERSION),
            ("Docker engine", self.engine.version()),
        ];
        known.map(|(name, version)| (name.to_owned(), version.to_owned())).to_vec()
    }
}
