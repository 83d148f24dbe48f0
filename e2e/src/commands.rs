//! What the harness can be asked to do, put together from its parts.

use std::process::ExitCode;

use anyhow::Result;
use tools::Cache;

use crate::cli::{Cli, Command};
use crate::kill_test;
use crate::matrix;
use crate::prove;
use crate::provider::{Provider, local};
use crate::registry::Registry;
use crate::run::registry_root;
use crate::rundir::RunId;
use crate::session::runs_folder;
use crate::sweep::{Fate, Kept, sweep};
use crate::terminal;
use crate::up;

/// Does what the command line says.
///
/// # Errors
/// It could not be done; exit code 2.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Some(Command::NodeInit { plan }) => local::init::run(&plan).await?,
        Some(Command::Up(args)) => up::up(&args).await?,
        Some(Command::Build(args)) => {
            Provider::build(&args, Cache::of_user()?, &runs_folder()?).await?;
        }
        Some(Command::Down { run }) => down(run).await?,
        Some(Command::Matrix(args)) => return matrix::run(&args).await,
        Some(Command::KillTest(args)) => return kill_test::run(&args).await,
        Some(Command::Run(args)) => return prove::run(&args).await,
        None => return prove::run(&cli.run).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn down(only: Option<RunId>) -> Result<()> {
    let registry = Registry::open(&registry_root())?;
    let fates = sweep(&registry, &only.clone().map_or(Kept::End, Kept::EndOnly)).await?;
    if fates.is_empty() {
        terminal::say("there is nothing to end");
    }
    for fate in fates {
        match fate {
            Fate::Removed(run) => terminal::say(&format!(
                "removed the run {}; its folder stays: {}",
                run.id,
                run.folder.display()
            )),
            Fate::Lives(run) if only.as_ref().is_none_or(|only| *only == run.id) => {
                terminal::say(&format!(
                    "the run {} lives (process {}, in \"{}\") and is left alone",
                    run.id, run.harness, run.step
                ));
            }
            Fate::Lives(_) => {}
        }
    }
    Ok(())
}
