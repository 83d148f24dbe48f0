//! The harness on kind, in the Docker engine of `.ci/docker`.

use anyhow::{Context as _, Result, ensure};

use crate::command::{Program, target_dir};
use crate::e2e;
use crate::engine::Engine;
use crate::tally::Tally;

pub(crate) mod registry;

/// One sabotage is enough for every change: what a sabotage breaks is the mesh, not the cluster.
const SABOTAGE: &str = "foreign-bundle";
/// The Kubernetes versions of the matrix that no other check builds.
const OTHER_KUBERNETES: [&str; 2] = ["1.34", "1.37"];

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

/// Killed while the cluster comes up, while Istio does, and asked to stop.
pub(crate) fn kills() -> Result<Tally> {
    let _engine = prepare()?;
    let kill = Engine::inside(e2e::binary()).args(["kill-test", "--provider", "kind"]);
    e2e::counted("kind-kills", kill.args(["--at", "node,istio,interrupt"]), 0)
}

/// Every Kubernetes, profile and key, on local nodes and on kind. Its claims are counted by the
/// reports that it writes.
pub(crate) fn matrix() -> Result<Tally> {
    let _engine = prepare()?;
    for kubernetes in OTHER_KUBERNETES {
        let build = ["build", "--provider", "local", "--kubernetes", kubernetes];
        let built = e2e::harness().args(build).status()?;
        ensure!(built.success(), "Kubernetes {kubernetes} was not built");
    }
    let out = target_dir().join("ci/conformance");
    if out.exists() {
        std::fs::remove_dir_all(&out).context("cannot remove earlier reports")?;
    }
    let status = Engine::inside(e2e::binary()).args(["matrix", "--out"]).arg(&out).status()?;
    let mut tally = Tally::default();
    for report in std::fs::read_dir(&out).context("the matrix wrote nothing")? {
        let report = report.context("cannot list the reports")?.path();
        if report.extension().is_some_and(|extension| extension == "yaml") {
            tally += Tally::from_statistics(&std::fs::read_to_string(report)?)?;
        }
    }
    if tally.failed == 0 && (!status.success() || tally.passed == 0) {
        tally += Tally::ONE_FAILURE;
    }
    Ok(tally)
}

/// Builds what needs the network, then starts the engine, which has none.
pub(crate) fn prepare() -> Result<Engine> {
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
