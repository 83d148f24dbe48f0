//! What the harness can be asked to do, put together from its parts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tools::{Cache, Toolbox, host, progress};

use crate::abort::Abort;
use crate::cli::{Cli, Command, UpArgs};
use crate::prove;
use crate::provider::local;
use crate::registry::Registry;
use crate::run::{End, Setup, registry_root, scoped};
use crate::rundir::RunId;
use crate::sweep::{Fate, Kept, sweep};
use crate::terminal;

/// Does what the command line says.
///
/// # Errors
/// It could not be done; exit code 2.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Some(Command::NodeInit { plan }) => local::init::run(&plan).await?,
        Some(Command::Up(args)) => up(&args).await?,
        Some(Command::Down { run }) => down(run).await?,
        Some(Command::Run(args)) => return prove::run(&args).await,
        None => return prove::run(&cli.run).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn up(_args: &UpArgs) -> Result<()> {
    let abort = Abort::new();
    abort.on_signals()?;
    let parent = runs_folder()?;
    let cache = Cache::of_user()?;
    local::preflight(&[&parent, cache.root()])?;
    let toolbox = toolbox(&cache)?;
    let setup = Setup {
        registry: registry_root().to_owned(),
        parent,
        steps: 1,
        nodes: 1,
        keep_on_failure: false,
    };
    let cluster = scoped(&setup, &abort, async |run| {
        let names = run.names.first().context("no node was reserved")?;
        let cluster = local::up(run, "cluster1", names, &cache, &toolbox);
        Ok((run.steps.run("Create a cluster", cluster).await?, End::Keep))
    })
    .await?;
    terminal::answer(&format!("export KUBECONFIG={}", cluster.kubeconfig.display()));
    if let Some(enter) = &cluster.enter {
        terminal::say(&format!("to enter the node: {enter}"));
    }
    terminal::say("to end it: cargo xtask e2e down");
    Ok(())
}

async fn down(run: Option<RunId>) -> Result<()> {
    let registry = Registry::open(registry_root())?;
    let fates = sweep(&registry, &run.map_or(Kept::End, Kept::EndOnly)).await?;
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
            Fate::Lives(run) => terminal::say(&format!(
                "the run {} lives (process {}, in \"{}\") and is left alone",
                run.id, run.harness, run.step
            )),
        }
    }
    Ok(())
}

/// Every program and image, made where the cache lacks it.
///
/// # Errors
/// The machine lacks something that cannot be installed, or a build failed.
pub(crate) fn toolbox(cache: &Cache) -> Result<Toolbox> {
    host::prepare(cache, host::Purpose::Node, terminal::say)?;
    Ok(Toolbox::prepare(cache, progress::for_stderr().as_ref())?)
}

/// Beside the folder in which cargo has put this program: `target/e2e`.
///
/// # Errors
/// The program is in no such folder.
pub(crate) fn runs_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the harness's own program")?;
    let target = program.parent().and_then(Path::parent).context("it is not in a target folder")?;
    Ok(target.join("e2e"))
}
