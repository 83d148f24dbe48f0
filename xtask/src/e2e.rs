//! `cargo xtask e2e`: builds the harness and becomes it.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::command::{Program, target_dir};
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

fn binary() -> std::path::PathBuf {
    target_dir().join("debug").join("e2e")
}
