//! Where a cluster comes from. After "a cluster exists" nothing depends on it any more.

use std::fmt;
use std::path::Path;

use anyhow::{Result, ensure};
use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};
use tools::Cache;

use crate::cluster::Cluster;
use crate::proof;
use crate::provider::existing::Existing;
use crate::provider::existing::namespace::RunNamespace;
use crate::provider::kind::Kind;
use crate::provider::kind::cluster::KindCluster;
use crate::provider::local::Local;
use crate::provider::local::names::Names;
use crate::release::Release;
use crate::run::Run;
use crate::rundir::{RunDir, RunId};
use crate::session::MeshArgs;
use crate::terminal;

pub(crate) mod existing;
pub(crate) mod kind;
pub(crate) mod local;
mod ready;

/// The label of whatever a run makes in a cluster: the run's id.
const RUN_LABEL: &str = "cacerts-e2e/run";

/// Why another provider does not take it.
const KUBERNETES_IS_LOCAL: &str = "--kubernetes is for the local provider: a kind cluster has the \
                                   Kubernetes of its node image (--node-image, with --images \
                                   registry)";

/// Which provider a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProviderName {
    /// kind where a Docker engine answers and can run it, else local
    Auto,
    /// A single node in namespaces of its own: Debian 12, root, no Docker
    Local,
    /// A kind cluster in a Docker engine
    Kind,
    /// A mesh that is there: only looked at, but for one namespace
    Existing,
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// A provider on a machine on which it can work.
pub(crate) enum Provider {
    /// A node of the harness's own.
    Local(Local),
    /// A kind cluster.
    Kind(Kind),
    /// A cluster and a mesh of others.
    Existing(Existing),
}

impl Provider {
    /// Gets the provider that is asked for ready, and the Istio to install. `runs` is the folder of
    /// the runs.
    ///
    /// # Errors
    /// It cannot work on this machine, or not with these arguments.
    pub(crate) async fn prepare(
        args: &MeshArgs,
        cache: Cache,
        runs: &Path,
    ) -> Result<(Self, Release)> {
        ensure!(
            args.provider == ProviderName::Existing || args.existing.is_empty(),
            "--context, --kubeconfig, --bundle, --istio-namespace, --revision, --namespace-label and \
             --print-role are for --provider existing"
        );
        match args.provider {
            ProviderName::Existing => Self::existing(args, &cache).await,
            ProviderName::Local => Self::local(args, cache, runs),
            ProviderName::Kind => Self::kind(args, &cache).await,
            ProviderName::Auto => match Self::kind(args, &cache).await {
                Ok(kind) => {
                    terminal::say("provider: kind, in the Docker engine that answers");
                    Ok(kind)
                }
                Err(error) => {
                    terminal::say(&format!("provider: local, because kind cannot run: {error:#}"));
                    Self::local(args, cache, runs)
                }
            },
        }
    }

    /// Gets all that needs the network, so that a later run needs none.
    ///
    /// # Errors
    /// A build failed.
    pub(crate) async fn build(args: &MeshArgs, cache: Cache, runs: &Path) -> Result<()> {
        match args.provider {
            // Without asking the engine: it may run where there is no network.
            ProviderName::Kind => {
                ensure!(args.kubernetes.is_none(), "{KUBERNETES_IS_LOCAL}");
                Kind::build(&args.kind, &args.release, &cache).await.map(drop)
            }
            ProviderName::Existing => existing::build(&args.release, &cache).await,
            ProviderName::Auto | ProviderName::Local => Self::local(args, cache, runs).map(drop),
        }
    }

    async fn kind(args: &MeshArgs, cache: &Cache) -> Result<(Self, Release)> {
        ensure!(args.kubernetes.is_none(), "{KUBERNETES_IS_LOCAL}");
        let (kind, release) = Kind::prepare(&args.kind, &args.release, cache).await?;
        Ok((Self::Kind(kind), release))
    }

    async fn existing(args: &MeshArgs, cache: &Cache) -> Result<(Self, Release)> {
        ensure!(
            args.kind.is_empty(),
            "--images, --node-image and --registry-mirror are for kind: a mesh that is there has \
             its images"
        );
        ensure!(
            args.kubernetes.is_none() && args.ca.key.is_none(),
            "--kubernetes and --key are for a mesh that is made: one that is there has its own"
        );
        let (existing, release) = Existing::prepare(&args.existing, &args.release, cache).await?;
        Ok((Self::Existing(existing), release))
    }

    fn local(args: &MeshArgs, cache: Cache, runs: &Path) -> Result<(Self, Release)> {
        ensure!(
            args.kind.is_empty() && args.release.istio_dir.is_none(),
            "the local provider runs the images that are built here: --istio-dir, --images, \
             --node-image and --registry-mirror are for kind"
        );
        let local = Local::prepare(cache, runs, args.kubernetes.unwrap_or_default())?;
        let release = local.release().with_settings(&args.release.settings);
        Ok((Self::Local(local), release))
    }

    /// Its name on the command line and in reports.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::Kind(_) => "kind",
            Self::Existing(_) => "existing",
        }
    }

    /// What it will make for a run; written down before it is made, and removed after it. In a mesh
    /// of others that is written down later, once it is known that it may be made.
    ///
    /// # Errors
    /// There is no room for it beside the nodes of the `other` runs.
    pub(crate) async fn will_make(
        &self,
        id: &RunId,
        dir: &RunDir,
        others: &[&Names],
    ) -> Result<Option<Made>> {
        Ok(match self {
            Self::Local(_) => Some(Made::LocalNode(local::reserve(id, dir, others).await?)),
            Self::Kind(kind) => Some(Made::KindCluster(kind.reserve(id))),
            Self::Existing(_) => None,
        })
    }

    /// Brings the cluster up; it answers and resolves names.
    ///
    /// # Errors
    /// A part of it does not start.
    pub(crate) async fn up(&self, run: &Run, cluster: &str) -> Result<Cluster> {
        match self {
            Self::Local(local) => local.up(run, cluster).await,
            Self::Kind(kind) => kind.up(run, cluster).await,
            Self::Existing(existing) => existing.open(run).await,
        }
    }

    /// How many steps a run has, the cluster's own included.
    pub(crate) fn steps(&self) -> usize {
        match self {
            Self::Local(_) | Self::Kind(_) => proof::STEPS,
            Self::Existing(_) => existing::STEPS,
        }
    }

    /// What it is made of: names and versions. Which Kubernetes it is, the cluster says itself.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        match self {
            Self::Local(local) => local.versions(),
            Self::Kind(kind) => kind.versions(),
            Self::Existing(existing) => existing.versions(),
        }
    }
}

/// Something that a run makes outside of its folder, and that goes with the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Made {
    /// A local node: namespaces, a veth pair, cgroups.
    LocalNode(Names),
    /// A kind cluster: its containers and their volumes.
    KindCluster(KindCluster),
    /// A namespace in a mesh of others.
    Namespace(RunNamespace),
}

impl Made {
    /// Removes it; that it is gone already is no error.
    ///
    /// # Errors
    /// Something of it stays.
    pub(crate) async fn remove(&self) -> Result<()> {
        match self {
            Self::LocalNode(names) => local::node::remove(names).await,
            Self::KindCluster(cluster) => cluster.remove().await,
            Self::Namespace(namespace) => namespace.remove().await,
        }
    }

    /// Whether it is a part of a cluster that it does not go with.
    pub(crate) fn is_in_a_cluster(&self) -> bool {
        matches!(self, Self::Namespace(_))
    }

    /// Whether it goes on where no process of the harness's is left.
    pub(crate) fn lives_by_itself(&self) -> bool {
        match self {
            Self::LocalNode(_) => false,
            Self::KindCluster(_) | Self::Namespace(_) => true,
        }
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalNode(names) => write!(f, "the node {}", names.cgroup),
            Self::KindCluster(cluster) => write!(f, "the kind cluster {}", cluster.name),
            Self::Namespace(namespace) => write!(f, "the namespace {}", namespace.name),
        }
    }
}
