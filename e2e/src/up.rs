//! `up`: brings a mesh up and leaves it running, for a look by hand.

use anyhow::{Result, ensure};
use clap::Args;

use crate::cluster::Cluster;
use crate::provider::ProviderName;
use crate::run::{End, Run, scoped};
use crate::session::{MeshArgs, Session};
use crate::steps::{cacerts, istio, workloads};
use crate::terminal;

/// The cluster, plugging in, Istio, the samples, the policy.
const STEPS: usize = 5;

/// What to bring up.
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    mesh: MeshArgs,
    /// Stop once the cluster is there
    #[arg(long)]
    only_cluster: bool,
}

/// Brings the mesh up; its kubeconfig is the answer.
///
/// # Errors
/// A step failed; nothing is left running then.
pub(crate) async fn up(args: &UpArgs) -> Result<()> {
    ensure!(
        args.mesh.provider != ProviderName::Existing,
        "up brings a mesh up; an existing one is up already"
    );
    let session = Session::prepare(&args.mesh).await?;
    let setup = session.setup(if args.only_cluster { 1 } else { STEPS }, false);
    let cluster = scoped(&setup, &session.abort, async |run| {
        let cluster = match args.only_cluster {
            true => session.cluster(run).await?,
            false => mesh(&session, run, &args.mesh).await?,
        };
        Ok((cluster, End::Keep))
    })
    .await?;
    terminal::answer(&format!("export KUBECONFIG={}", cluster.kubeconfig.display()));
    Ok(())
}

async fn mesh(session: &Session, run: &Run, args: &MeshArgs) -> Result<Cluster> {
    let steps = &run.steps;
    let (cluster, administrator) = session.cluster_and_ca(run, args.ca).await?;
    let plug_in = cacerts::plug_in(&cluster, &administrator);
    let cacerts = steps.run("Plug in certificates and key into the cluster", plug_in).await?;
    let deploy = istio::deploy(&cluster, cacerts, &session.release);
    let control_plane = steps.run("Deploy Istio", deploy).await?;
    let deploy = workloads::deploy(&cluster, control_plane, &session.release, args.client);
    let (_, workloads) = steps.run("Deploying example services", deploy).await?;
    let policy = workloads::require_mutual_tls(&cluster, &workloads);
    steps.run("Requiring mutual TLS", policy).await?;
    Ok(cluster)
}
