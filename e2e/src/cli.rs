//! The command line of the harness: parsed here, done elsewhere.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::kill_test::KillArgs;
use crate::matrix::MatrixArgs;
use crate::prove::RunArgs;
use crate::rundir::RunId;
use crate::session::MeshArgs;
use crate::up::UpArgs;

/// Proves a plugged-in CA on a real mesh.
#[derive(Debug, Parser)]
#[command(
    name = "e2e",
    bin_name = "cargo xtask e2e",
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    /// What to do; a complete run if nothing is said
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A run without a subcommand
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Says more: -v each part of a step, -vv each command
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

const AFTER_HELP: &str = "\
Examples:
  cargo xtask e2e                    the whole task, every claim, torn down at the end
  cargo xtask e2e --only 2,3         two claims
  cargo xtask e2e --sabotage all     breaks the mesh in every known way; each must be noticed
  cargo xtask e2e up                 the same mesh, kept; prints its KUBECONFIG
  cargo xtask e2e up --only-cluster  a Kubernetes without Istio
  cargo xtask e2e --provider kind    the same in a kind cluster
  cargo xtask e2e build --provider kind
                                     gets what that needs from the network, and runs nothing
  cargo xtask e2e matrix --list      the combinations that `matrix` runs
  cargo xtask e2e down               ends what was kept, removes what a killed run left

Exit codes: 0 every claim holds, 1 a claim is false, 2 something could not be tested.
A run writes to target/e2e/RUN, to its own cache folder (CACERTS_CACHE, else the user's), and
nowhere else.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole task and every claim, torn down at the end (the default)
    Run(RunArgs),
    /// Brings up a mesh and keeps it
    Up(UpArgs),
    /// Gets all that a run needs from the network, and runs nothing
    Build(MeshArgs),
    /// Ends kept meshes and removes what killed runs left
    Down {
        /// End only this run's mesh; all kept meshes if nothing is said
        #[arg(value_parser = |text: &str| RunId::try_from(text.to_owned()))]
        run: Option<RunId>,
    },
    /// Runs every combination of cluster, profile and key; a conformance report of each
    Matrix(MatrixArgs),
    /// Kills runs at every step and proves that nothing of them is left
    KillTest(KillArgs),
    /// PID 1 of a local node; started by the harness only
    #[command(hide = true)]
    NodeInit {
        /// The file that says what to do
        plan: PathBuf,
    },
}
