//! The command line of `tools`: parses, calls the library, hands the result to the report.

use clap::{Parser, Subcommand};
use tools::host::{self, Purpose};
use tools::{Cache, Result, Stock, progress};

use crate::report;

/// The pinned programs and images of the mesh harness: builds, lists and finds them.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tools build                      make everything that is not in the cache yet
  tools build --only istioctl      make one program, or one image, and what it is made of
  tools build --only kind-node     make the node image of a kind cluster (as root)
  tools list --json                what there is, which version, and where
  tools path kubectl               where one is
  tools prune                      remove what older pins and killed builds left in the cache
  tools host --install             install the Debian packages that a local node needs

Everything is kept in $CACERTS_CACHE, else $XDG_CACHE_HOME/cacerts, else ~/.cache/cacerts.
Results go to standard output, progress to standard error.

Exit status: 0 done, 2 not done (the message says why).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make what is not in the cache yet
    Build {
        /// Only this program or image; may be repeated
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// List every program and image
    List {
        /// As JSON: name, version, cached, path
        #[arg(long)]
        json: bool,
    },
    /// Print where a program or image is; it must have been built
    Path {
        /// Its name, as `list` prints it
        name: String,
    },
    /// Remove what the pins no longer name, and what killed builds left; nothing may be running
    Prune,
    /// Say what this machine lacks for a local node
    Host {
        /// Install it with apt (as root)
        #[arg(long)]
        install: bool,
    },
}

impl Cli {
    /// Does what the command line says.
    pub(crate) fn run(self) -> Result<()> {
        let cache = Cache::of_user()?;
        match self.command {
            Command::Build { only } => {
                let progress = progress::for_stderr();
                let purpose = Purpose::of_names(&only)?;
                host::prepare(&cache, purpose, |text| progress.note(text))?;
                Stock::new(&cache)?.make(&only, &*progress)
            }
            Command::List { json } => {
                report::list(&Stock::new(&cache)?.list(), json);
                Ok(())
            }
            Command::Path { name } => {
                report::line(&Stock::new(&cache)?.find(&name)?.display().to_string());
                Ok(())
            }
            Command::Prune => {
                report::outdated(&Stock::new(&cache)?.prune()?);
                Ok(())
            }
            Command::Host { install: true } => {
                let progress = progress::for_stderr();
                host::prepare(&cache, Purpose::Node, |text| progress.note(text))
            }
            Command::Host { install: false } => {
                host::check(&cache, Purpose::Node)?;
                report::line("this machine has everything that a local node needs");
                Ok(())
            }
        }
    }
}
