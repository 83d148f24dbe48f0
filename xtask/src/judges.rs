//! The real judges of a bundle beside pki's rules: the crate `judges` runs them.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::command::Program;
use crate::tally::Tally;

/// Handed on to the program as they are.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Arguments of `judges`: --quick, --only NAME, --keep, --list, --verbose (--help has all)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// Runs it on this terminal; its exit code is the task's.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let status = judges().args(&args.args).status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The quick part: istiod's first stage, webpki and OpenSSL.
pub(crate) fn quick() -> Result<Tally> {
    counted(&["--quick"])
}

/// Every judge.
pub(crate) fn whole() -> Result<Tally> {
    counted(&[])
}

/// Counts by the closing line; one that is missing is an error and no pass.
fn counted(args: &[&str]) -> Result<Tally> {
    let mut closing = None;
    let status = judges().args(args).each_line(|line| closing = Tally::from_closing_line(line))?;
    let tally = closing.with_context(|| format!("judges ended ({status}) without a count"))?;
    let is_good = status.success() || tally.failed > 0;
    Ok(if is_good { tally } else { Tally::ONE_FAILURE })
}

fn judges() -> Program {
    Program::cargo().args(["run", "--quiet", "--locked", "--package", "judges", "--"])
}
