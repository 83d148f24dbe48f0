//! The command line: parsed here, done elsewhere.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use pki::{KeyAlgorithm, Profile};

use crate::accept::AcceptArgs;
use crate::check::CheckArgs;
use crate::convert::ConvertArgs;
use crate::crl::CrlArgs;
use crate::explain::ExplainArgs;
use crate::failure::Failure;
use crate::init::InitArgs;
use crate::issue::IssueArgs;
use crate::lifetime::Lifetime;
use crate::manual::{CompletionsArgs, ManArgs};
use crate::request::RequestArgs;
use crate::show::ShowArgs;
use crate::sign::SignArgs;
use crate::tier::TierArgs;
use crate::wish::Said;

/// Makes the CA that is plugged into an Istio mesh, and checks it
#[derive(Debug, Parser)]
#[command(
    name = "cacerts",
    version,
    disable_help_subcommand = true,
    after_help = "Examples:\n  cacerts init ca                        a root in the folder ca\n  \
                  cacerts issue cluster1 cluster2 --dir ca   a CA for each of two clusters\n  \
                  cacerts check ca/cluster1                  what a mesh would make of one\n\n\
                  Exit codes: 0 done, 1 refused or wrong, 2 it could not be done; check has 3 \
                  too, for warnings"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a root: its key and its certificate, in the files of Istio's Makefile
    Init(InitArgs),
    /// Makes a CA for each of several clusters, under a root or a tier
    Issue(IssueArgs),
    /// Makes CAs between a root and the clusters' CAs, one for each environment for example
    Tier(TierArgs),
    /// Makes the lists of what CAs have revoked, and joins them for a mesh
    Crl(CrlArgs),
    /// Shows who signs whom in a folder, and until when: as a tree, a picture or a page
    Show(ShowArgs),
    /// Makes a cluster's key where it stays, and a request that is taken to the root
    Request(RequestArgs),
    /// Signs the requests that came from clusters, on the side of the root or a tier
    Sign(SignArgs),
    /// Completes a cluster's CA with what was signed for it
    Accept(AcceptArgs),
    /// Lays a CA out as cert-manager's files, or those as the four files
    Convert(ConvertArgs),
    /// Says what istiod, the agents, Envoy and others would make of a CA
    Check(CheckArgs),
    /// Explains a rule of `check`, or a line of istiod's log
    Explain(ExplainArgs),
    /// Prints the completions for a shell
    Completions(CompletionsArgs),
    /// Prints the man page of the program, or of one of its commands
    Man(ManArgs),
}

/// The whole command line. As a plugin of kubectl it goes by kubectl's name for it.
pub(crate) fn command() -> clap::Command {
    let command = Cli::command();
    let called = std::env::args_os().next().unwrap_or_default();
    let is_plugin = Path::new(&called).file_stem().is_some_and(|name| name == "kubectl-cacerts");
    if is_plugin { command.bin_name("kubectl cacerts") } else { command }
}

impl Cli {
    /// Parses the arguments; does not return where they are wrong or ask for help.
    pub(crate) fn of_process() -> Self {
        let parsed = Self::from_arg_matches(&command().get_matches());
        parsed.unwrap_or_else(|error| error.format(&mut command()).exit())
    }

    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let done = match self.command {
            Command::Check(args) => return args.run(),
            Command::Explain(args) => args.run(),
            Command::Init(args) => args.run(),
            Command::Issue(args) => args.run(),
            Command::Tier(args) => args.run(),
            Command::Crl(args) => args.run(),
            Command::Show(args) => args.run(),
            Command::Request(args) => args.run(),
            Command::Sign(args) => args.run(),
            Command::Accept(args) => args.run(),
            Command::Convert(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

/// What an administrator chooses of a CA.
#[derive(Args, Clone, Debug)]
pub(crate) struct CaArgs {
    /// What goes into the certificate. hardened: signs certificates and CRLs, nothing else, and
    /// never outlives its issuer. makefile: what Istio's Makefile makes, with its variables
    #[arg(long, value_name = "hardened|makefile")]
    profile: Option<Profile>,
    /// The key of the hardened profile: p256 (the default), p384, rsa2048, rsa3072 or rsa4096
    #[arg(long, value_name = "KEY")]
    key: Option<KeyAlgorithm>,
    /// O of the subject [default: Istio]
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// CN of the subject [default: Root CA, NAME CA of a tier, or Intermediate CA]
    #[arg(long, value_name = "NAME")]
    common_name: Option<String>,
    /// How long it lives: 36h, 90d, 8w, 10y (a year is 365 days), or its last day, 2036-11-24
    #[arg(long, value_name = "LIFETIME")]
    lifetime: Option<Lifetime>,
}

impl CaArgs {
    pub(crate) fn said(&self, dns_name: Option<String>) -> Said {
        let Self { profile, key, organization, common_name, lifetime } = self.clone();
        Said { profile, key, organization, common_name, dns_name, lifetime }
    }
}
