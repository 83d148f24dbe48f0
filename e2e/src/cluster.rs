//! A cluster that exists: the handle that every later step starts from, whoever made the cluster.
//!
//! It has its own address ranges: two clusters under one root are two of these. It makes and removes
//! nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::cidr::Cidr;
use crate::cmd::Tool;

/// Longer than a healthy API server needs to accept a connection, shorter than a person's patience.
const CONNECT: Duration = Duration::from_secs(30);

/// A running cluster, and how to reach it.
#[must_use]
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The kubeconfig file of an administrator; its current context is this cluster.
    pub(crate) kubeconfig: PathBuf,
    /// The same access, for requests of the harness's own.
    pub(crate) client: kube::Client,
    /// `kubectl --kubeconfig FILE`.
    pub(crate) kubectl: Tool,
    home: PathBuf,
    /// The address ranges, where the harness chose them.
    pub(crate) ranges: Option<Ranges>,
    /// The cgroup that everything of the cluster's node runs in, below each controller's mount.
    pub(crate) cgroup: Option<String>,
}

/// The address ranges of a cluster; those of two clusters never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ranges {
    /// Nodes.
    pub(crate) nodes: Cidr,
    /// Pods.
    pub(crate) pods: Cidr,
    /// Services.
    pub(crate) services: Cidr,
}

impl Cluster {
    /// Opens a cluster by its kubeconfig; nothing is asked of it yet. `home` is a folder for what
    /// programs remember of it.
    ///
    /// # Errors
    /// The file cannot be read, or is not a kubeconfig with a current context.
    pub(crate) async fn open(kubeconfig: &Path, kubectl: &Path, home: &Path) -> Result<Self> {
        let client = client(kubeconfig).await?;
        Ok(Self {
            kubeconfig: kubeconfig.to_owned(),
            client,
            kubectl: tool(kubectl, kubeconfig, home),
            home: home.to_owned(),
            ranges: None,
            cgroup: None,
        })
    }

    /// A cluster of others, in a kubeconfig file of theirs, with a kubectl that knows the way.
    pub(crate) fn of_others(kubeconfig: &Path, client: kube::Client, kubectl: Tool) -> Self {
        Self {
            kubeconfig: kubeconfig.to_owned(),
            client,
            kubectl,
            home: PathBuf::new(),
            ranges: None,
            cgroup: None,
        }
    }

    /// Its Kubernetes, as the API server says; named as in reports.
    ///
    /// # Errors
    /// The API server does not answer.
    pub(crate) async fn kubernetes(&self) -> Result<(String, String)> {
        let told = self.client.apiserver_version().await.context("ask for Kubernetes' version")?;
        Ok(("Kubernetes".to_owned(), told.git_version))
    }

    /// A program that takes `--kubeconfig` (kubectl, istioctl), pointed at this cluster.
    pub(crate) fn tool(&self, program: &Path) -> Tool {
        tool(program, &self.kubeconfig, &self.home)
    }
}

/// kubectl and istioctl have caches and preferences in the user's home, where a cluster of the
/// harness has no business.
fn tool(program: &Path, kubeconfig: &Path, home: &Path) -> Tool {
    Tool::new(program).env("HOME", home).arg("--kubeconfig").arg(kubeconfig)
}

async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    let parsed = Kubeconfig::read_from(kubeconfig)
        .with_context(|| format!("cannot read the kubeconfig {}", kubeconfig.display()))?;
    let config =
        kube::Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await?;
    Ok(kube::Client::try_from(with_patience(config))?)
}

/// The same with a limit on connecting. Reading has kube's own, longer one: a relay is silent
/// between two handshakes.
pub(crate) fn with_patience(mut config: kube::Config) -> kube::Config {
    config.connect_timeout = Some(CONNECT);
    config
}
