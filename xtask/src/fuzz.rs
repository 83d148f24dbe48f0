//! `cargo xtask fuzz`: random and half-random bytes for every parser of foreign bytes.
//!
//! The targets and what they claim are in `fuzz/`, a workspace of its own: libFuzzer needs a nightly
//! toolchain. Where there is none, nothing here is tested, and it says so.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::command::{Program, target_dir, workspace};
use crate::tally::Tally;
use crate::terminal;

mod build;
mod desk;
mod run;
mod seeds;
mod targets;

use run::Job;
use targets::{TARGETS, Target};

/// What to run.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask fuzz                        every target, a minute in all\n  \
                        cargo xtask fuzz bundles --time 10m     one of them, for longer\n  \
                        cargo xtask fuzz keys --input FILE      what a found input does\n\n\
                        What was found is kept in fuzz/artifacts, inputs that led further in the \
                        target folder.\n\n\
                        Exit codes: 0 nothing was found, 1 something was, 2 it could not be tested"
)]
pub(crate) struct Args {
    /// Which of them; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long all of it takes, of which each target has its share: 60s, 10m, 2h
    #[arg(long, default_value = "60s", value_parser = span)]
    time: Duration,
    /// How many targets run at a time [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,
    /// Runs one target on this input alone, and shows what it does
    #[arg(long, value_name = "FILE", conflicts_with_all = ["time", "jobs"])]
    input: Option<PathBuf>,
    /// Lists the targets
    #[arg(long)]
    list: bool,
}

/// Runs what was asked for and closes with the count.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.list {
        for Target { name, what, .. } in TARGETS {
            terminal::result(&format!("{name:<13} {what}"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = targets::named(&args.targets)?;
    let programs = match build::targets(chosen.iter().any(|target| target.is_of_mesh))? {
        Ok(programs) => programs,
        Err(why) => bail!("{why}"),
    };
    if let Some(input) = &args.input {
        let [target] = chosen[..] else { bail!("--input is for one target, by its name") };
        return reproduce(&programs, target, input);
    }
    let jobs = args.jobs.unwrap_or_else(run::cores).clamp(1, chosen.len());
    let rounds = chosen.len().div_ceil(jobs);
    let share = args.time / u32::try_from(rounds).context("too many targets")?;
    let seeds = seeds::made()?;
    let job = |target| Job {
        target,
        program: programs.join(target.name),
        grown: target_dir().join("fuzz/corpus").join(target.name),
        seeds: seeds.join(target.name),
        time: share,
        chance: 0,
    };
    let tally = run::side_by_side(&chosen.into_iter().map(job).collect::<Vec<_>>(), jobs)?;
    terminal::result(&tally.to_string());
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every target but that of the mesh, on all of its seeds and for a few seconds more.
pub(crate) fn briefly() -> Result<Tally> {
    brief(false)
}

/// The target of the mesh, which takes minutes more to build.
pub(crate) fn mesh_briefly() -> Result<Tally> {
    brief(true)
}

fn brief(of_mesh: bool) -> Result<Tally> {
    let targets = TARGETS.iter().filter(|target| target.is_of_mesh == of_mesh);
    let targets: Vec<_> = targets.collect();
    let programs = match build::targets(of_mesh)? {
        Ok(programs) => programs,
        Err(why) => {
            terminal::say(&format!("  {} skipped: {why}", targets.len()));
            return Ok(Tally { skipped: targets.len(), ..Tally::default() });
        }
    };
    let seeds = seeds::made()?;
    // What earlier runs found would make each one longer than the last.
    let grown = target_dir().join("fuzz/brief");
    if grown.exists() {
        std::fs::remove_dir_all(&grown).context("cannot remove what the last run found")?;
    }
    let job = |target: &'static Target| Job {
        target,
        program: programs.join(target.name),
        grown: grown.join(target.name),
        seeds: seeds.join(target.name),
        time: BRIEFLY,
        // What ci finds should lie in the change that it is run for.
        chance: 1,
    };
    run::side_by_side(&targets.into_iter().map(job).collect::<Vec<_>>(), run::cores())
}

/// With two cores, all targets together take five times as long.
const BRIEFLY: Duration = Duration::from_secs(5);

/// Shows what an input does; its exit code is the task's.
fn reproduce(programs: &Path, target: &Target, input: &Path) -> Result<ExitCode> {
    ensure!(input.is_file(), "there is no file `{}`", input.display());
    let program = Program::new(programs.join(target.name)).env("RUST_BACKTRACE", "1");
    let status = program.args(run::LIMITS).arg(std::path::absolute(input)?).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The crate with the targets.
fn folder() -> PathBuf {
    workspace().join("fuzz")
}

fn span(text: &str) -> Result<Duration, String> {
    let read = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(seconds).filter(|seconds| *seconds > 0)
    };
    read().map(Duration::from_secs).ok_or_else(|| format!("`{text}` is no time, as 60s, 10m or 2h"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(span("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(span("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(span("2h"), Ok(Duration::from_secs(7200)));
        for text in ["", "s", "60", "0s", "-1s", "1.5m", "10min", "1ü"] {
            assert_eq!(span(text), Err(format!("`{text}` is no time, as 60s, 10m or 2h")));
        }
    }
}
