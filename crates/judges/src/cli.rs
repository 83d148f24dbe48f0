//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

/// Ask the real judges about every bundle of the table, and compare them with pki's rules
#[derive(Debug, Parser)]
#[command(
    name = "judges",
    after_help = "Examples:\n  judges --quick                 istiod's first stage, webpki and OpenSSL\n  \
                  judges                         every judge\n  \
                  judges --only root-bom --keep  one bundle, and its files afterwards\n\n\
                  Exit codes: 0 all agree, 1 a judge and pki's rules disagree, 2 it could not be run"
)]
pub(crate) struct Cli {
    /// Ask only those who need no API server: istiod's first stage, webpki and OpenSSL
    #[arg(long)]
    pub(crate) quick: bool,
    /// Judge this bundle only; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Keep the folder with every bundle and what the judges wrote, and say where it is
    #[arg(long)]
    pub(crate) keep: bool,
    /// How many bundles are judged at once; as many as there are cores unless given
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// List the bundles by name, and judge none
    #[arg(long, conflicts_with_all = ["quick", "only", "keep", "jobs"])]
    pub(crate) list: bool,
    /// Write the page with every verdict there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only"])]
    pub(crate) write: Option<PathBuf>,
    /// Print what every judge said of every bundle, agreeing or not
    #[arg(long)]
    pub(crate) verbose: bool,
}
