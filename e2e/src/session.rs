//! What every run starts from: a checked machine, the tools, and a cluster with a CA made beside it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use pki::Profile;
use tools::{Cache, Toolbox, host, progress};

use crate::abort::Abort;
use crate::cluster::Cluster;
use crate::provider::local;
use crate::run::{Run, Setup, registry_root};
use crate::steps::ca::{self, Administrator};
use crate::steps::workloads::Client;
use crate::terminal;

/// The name of the local cluster, as on the page.
pub(crate) const CLUSTER: &str = "cluster1";

/// What mesh to set up.
#[derive(Args, Clone, Debug)]
pub(crate) struct MeshArgs {
    /// The CA's profile: makefile (what Istio's Makefile makes) or hardened
    #[arg(long, default_value = "makefile", value_name = "PROFILE")]
    pub(crate) profile: Profile,
    /// Which of Istio's samples sends the requests
    #[arg(long, value_enum, default_value = "sleep")]
    pub(crate) client: Client,
}

/// A machine on which a run can start.
pub(crate) struct Session {
    pub(crate) toolbox: Toolbox,
    pub(crate) abort: Abort,
    parent: PathBuf,
    cache: Cache,
}

impl Session {
    /// Checks the machine and builds what is missing.
    ///
    /// # Errors
    /// The machine lacks something that cannot be installed, or a build failed.
    pub(crate) fn prepare() -> Result<Self> {
        let parent = runs_folder()?;
        let cache = Cache::of_user()?;
        local::preflight(&[&parent, cache.root()])?;
        host::prepare(&cache, host::Purpose::Node, terminal::say)?;
        let toolbox = Toolbox::prepare(&cache, progress::for_stderr().as_ref())?;
        // Not before: until here a signal may end the harness where it stands.
        let abort = Abort::new();
        abort.on_signals()?;
        Ok(Self { toolbox, abort, parent, cache })
    }

    /// A run of so many steps on one local node.
    pub(crate) fn setup(&self, steps: usize, keep_on_failure: bool) -> Setup {
        Setup {
            registry: registry_root().to_owned(),
            parent: self.parent.clone(),
            steps,
            nodes: 1,
            keep_on_failure,
        }
    }

    /// The first step: a cluster.
    ///
    /// # Errors
    /// A part of it does not start.
    pub(crate) async fn cluster(&self, run: &Run) -> Result<Cluster> {
        run.steps.run("Create a cluster", self.node(run)).await
    }

    /// The first step, and meanwhile the CA: it needs no cluster.
    ///
    /// # Errors
    /// As [`Session::cluster`], or the CA cannot be written.
    pub(crate) async fn cluster_and_ca(
        &self,
        run: &Run,
        profile: Profile,
    ) -> Result<(Cluster, Administrator)> {
        let (folder, now) = (run.dir.root().join("ca"), run.now);
        let ca = async {
            let make = move || ca::make(&folder, CLUSTER, profile, now);
            tokio::task::spawn_blocking(make).await.context("make the CA")?
        };
        let both = async {
            let ca = run.steps.part("make a root and a cluster CA", ca);
            tokio::try_join!(self.node(run), ca)
        };
        run.steps.run("Create a cluster", both).await
    }

    async fn node(&self, run: &Run) -> Result<Cluster> {
        let names = run.names.first().context("no node was reserved")?;
        local::up(run, CLUSTER, names, &self.cache, &self.toolbox).await
    }
}

/// Beside the folder in which cargo has put this program: `target/e2e`.
///
/// # Errors
/// The program is in no such folder.
pub(crate) fn runs_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the harness's own program")?;
    let target = program.parent().and_then(std::path::Path::parent);
    Ok(target.context("it is not in a target folder")?.join("e2e"))
}
