//! The Secret's client against a real API server, in a container of an image made here.
//!
//! `.ci/docker` brings the Docker engine where the machine has none, in namespaces of its own:
//! whatever needs the network happens before the engine is entered.

use anyhow::{Context as _, Result, ensure};

use crate::command::{Program, workspace};
use crate::tally::Tally;
use crate::terminal;

/// The image that `tools` writes from the pinned kube-apiserver and etcd.
const IMAGE: &str = "cacerts-test/apiserver:v1.36.3";
/// The test that plain `cargo test` ignores, with the reason.
const TEST: [&str; 9] = [
    "test",
    "--quiet",
    "--package",
    "k8s-secret",
    "--features",
    "client",
    "--locked",
    "--test",
    "api_server",
];

/// Builds the image and the test, starts the engine, runs the test, ends the engine.
pub(crate) fn test() -> Result<Tally> {
    let cargo = |args: &[&str]| Program::cargo().args(args);
    let tools = |args: &[&str]| {
        cargo(&["run", "--quiet", "--locked", "--package", "tools", "--"]).args(args)
    };
    ensure!(tools(&["build", "--only", IMAGE]).status()?.success(), "the image was not built");
    let archive = tools(&["path", IMAGE]).stdout().context("the image is not in the cache")?;
    ensure!(cargo(&TEST).arg("--no-run").status()?.success(), "the test does not compile");

    let _engine = Engine::start()?;
    let load = Engine::inside(&["docker", "load", "--input", archive.trim()]);
    ensure!(load.status()?.success(), "the engine did not load the image");
    let mut tally = Tally::default();
    let test = Engine::inside(&["cargo"]).args(TEST).args(["--", "--ignored"]);
    let status = test.env("CACERTS_APISERVER_IMAGE", IMAGE).each_line(|line| {
        if let Some(counts) = Tally::from_test_result(line) {
            tally += counts;
        }
    })?;
    // Exit code 0 without a test run is no pass.
    if tally.failed == 0 && (!status.success() || tally.passed == 0) {
        tally += Tally::ONE_FAILURE;
    }
    Ok(tally)
}

/// A running engine; ended when dropped, unless the machine had it before.
struct Engine;

impl Engine {
    fn start() -> Result<Self> {
        ensure!(Self::script("start").status()?.success(), "the Docker engine did not start");
        Ok(Self)
    }

    /// A command with `DOCKER_HOST` set, where published ports are on loopback.
    fn inside(command: &[&str]) -> Program {
        Self::script("enter").args(command)
    }

    fn script(verb: &str) -> Program {
        Program::new(workspace().join(".ci/docker")).arg(verb)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !Self::script("stop").status().is_ok_and(|status| status.success()) {
            terminal::say("warning: the Docker engine was not stopped; `.ci/docker stop` does it");
        }
    }
}
