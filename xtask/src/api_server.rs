//! The Secret's client against a real API server, in a container of an image made here.

use anyhow::{Result, ensure};

use crate::command::Program;
use crate::engine::Engine;
use crate::stock;
use crate::tally::Tally;

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
    stock::build(&[IMAGE])?;
    let archive = stock::path(IMAGE)?;
    let compiled = Program::cargo().args(TEST).arg("--no-run").status()?;
    ensure!(compiled.success(), "the test does not compile");

    let _engine = Engine::start()?;
    let load = Engine::inside("docker").args(["load", "--input"]).arg(archive);
    ensure!(load.status()?.success(), "the engine did not load the image");
    let mut tally = Tally::default();
    let test = Engine::inside("cargo").args(TEST).args(["--", "--ignored"]);
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
