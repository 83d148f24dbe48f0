//! `cargo xtask e2e`: builds the harness and becomes it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::command::{Program, target_dir};
use crate::tally::Tally;
use crate::terminal;

/// Whatever follows is the harness's own command line.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments of the harness; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Builds the harness, runs it on this terminal and passes its exit code on.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if !build()? {
        return Ok(ExitCode::from(2));
    }
    let status = harness().args(&args.args).status()?;
    // Ended by a signal: there is no code, and nothing was proven.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2);
    Ok(ExitCode::from(code))
}

/// Builds the harness; a failed build has explained itself.
pub(crate) fn build() -> Result<bool> {
    let fresh = !binary().exists();
    if fresh {
        terminal::say("building the harness (minutes on a fresh clone, seconds later)");
    }
    let status =
        Program::cargo().args(["build", "--quiet", "--locked", "--package", "e2e"]).status()?;
    Ok(status.success())
}

/// The built harness, to be given arguments.
pub(crate) fn harness() -> Program {
    Program::new(binary())
}

/// Runs the harness, which was built, and counts what its report says. A run that ends with another
/// exit code than `code` has failed, whatever its report says.
pub(crate) fn counted(name: &str, harness: Program, code: i32) -> Result<Tally> {
    let report = report(name);
    // A report of an earlier run must not be counted.
    if report.exists() {
        std::fs::remove_file(&report).context("cannot remove an earlier report")?;
    }
    let status = harness.arg("--report").arg(&report).status()?;
    let mut tally = match std::fs::read_to_string(&report) {
        Ok(report) => Tally::from_report(&report)?,
        Err(_) => Tally::ONE_FAILURE,
    };
    if status.code() != Some(code) && tally.failed == 0 {
        tally += Tally::ONE_FAILURE;
    }
    Ok(tally)
}

/// Where [`counted`] has a run of this name write its report.
pub(crate) fn report(name: &str) -> PathBuf {
    target_dir().join("ci").join(name).with_extension("json")
}

pub(crate) fn binary() -> PathBuf {
    target_dir().join("debug").join("e2e")
}
