//! The harness on kind, in the Docker engine of `.ci/docker`.

use anyhow::{Result, ensure};

use crate::command::Program;
use crate::e2e;
use crate::engine::Engine;
use crate::tally::Tally;

pub(crate) mod registry;

/// One sabotage is enough for every change: what a sabotage breaks is the mesh, not the cluster.
const SABOTAGE: &str = "foreign-bundle";

/// Every claim, and one sabotage.
pub(crate) fn claims() -> Result<Tally> {
    let _engine = prepare()?;
    let mut tally = e2e::counted("kind", run(&["--require", "--profile", "hardened"]), 0)?;
    // A false claim is exit code 1; whether it was the right ones, the report says.
    tally += e2e::counted("kind-sabotage", run(&["--sabotage", SABOTAGE]), 1)?;
    Ok(tally)
}

/// Every sabotage.
pub(crate) fn sabotages() -> Result<Tally> {
    let _engine = prepare()?;
    e2e::counted("kind-sabotages", run(&["--sabotage", "all"]), 0)
}

/// Builds what needs the network, then starts the engine, which has none.
fn prepare() -> Result<Engine> {
    ensure!(e2e::build()?, "the harness does not compile");
    let build = e2e::harness().args(["build", "--provider", "kind", "--images", "built"]);
    ensure!(build.status()?.success(), "the kind node was not built");
    Engine::start()
}

fn run(args: &[&str]) -> Program {
    harness().args(["--images", "built"]).args(args)
}

fn harness() -> Program {
    Engine::inside(e2e::binary()).args(["run", "--provider", "kind"])
}
