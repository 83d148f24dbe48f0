//! `cacerts crl`: what the root, a tier and a cluster's CA have revoked, as the lists that a mesh asks.
//!
//! Each side has a record, a text file with its numbers and what it revoked, and makes its list of
//! it; the lists of all are joined where the bundle is. Nothing here revokes anything in a mesh:
//! that is done by plugging in the joined file.

use clap::{Args, Subcommand};
use pki::Reason;

use crate::failure::Failure;
use crate::lifetime::Lifetime;

mod cluster;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod join;
mod read;
mod record;
mod report;
mod root;
mod side;
mod target;

/// The commands under `crl`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  cacerts crl root --dir ca        on the root's side\n  \
                  cacerts crl cluster ca/c1        on the cluster's side\n  \
                  cacerts crl join ca/c1           checks the set and writes ca/c1/ca-crl.pem\n\n\
                  With a ca-crl.pem in the Secret, Envoy asks it about every CA of a chain at each \
                  handshake.\nAn expired list is a total outage: every new connection of the mesh \
                  is refused. A connection\nthat is open is not cut by a list: it ends when its \
                  workload restarts.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done")]
pub(crate) struct CrlArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the list of the root, or of a tier, which says what CAs below are revoked
    Root(root::RootArgs),
    /// Makes the list of a cluster's CA, which says what workload certificates are revoked
    Cluster(cluster::ClusterArgs),
    /// Checks the lists of a mesh and writes them into a cluster's folder, as ca-crl.pem
    Join(join::JoinArgs),
}

impl CrlArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Root(args) => args.run(),
            Command::Cluster(args) => args.run(),
            Command::Join(args) => args.run(),
        }
    }
}

/// What can be said of either side's list.
#[derive(Args, Debug)]
struct ListArgs {
    /// Revokes a certificate for good: its PEM file, the folder of a cluster or a tier, or its
    /// serial number in hex. May be repeated
    #[arg(long, value_name = "FILE|SERIAL")]
    revoke: Vec<String>,
    /// Why: keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation or
    /// privilegeWithdrawn
    #[arg(long, requires = "revoke")]
    reason: Option<Reason>,
    /// How long the list is good: 36h, 30d, 8w, or its last day [default: 30d]. Once two thirds
    /// of it are over, the next run makes a new list
    #[arg(long, value_name = "LIFETIME")]
    lifetime: Option<Lifetime>,
    /// Makes a new list though the present one is good
    #[arg(long)]
    anew: bool,
    /// Prints the list as a JSON object
    #[arg(long)]
    json: bool,
}
