//! `cargo xtask bench`: what a run on a mesh takes, and what making a CA takes beside its peers,
//! written to docs/performance. Figures are written down, never asserted.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};

use crate::command::workspace;
use crate::terminal;

mod ca;
mod mesh;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often to run each; the pages have the medians
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measure one of the two only
    #[arg(long, value_enum)]
    only: Option<Subject>,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    /// Making and checking CAs, beside Istio's Makefile and openssl
    Ca,
    /// Runs on the local node, step by step
    Mesh,
}

/// Measures and writes the pages.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    ensure!(args.runs > 0, "`--runs` must be at least 1");
    let is_wanted = |subject| args.only.is_none_or(|only| only == subject);
    if is_wanted(Subject::Ca) {
        ca::write(args.runs)?;
    }
    if is_wanted(Subject::Mesh) {
        mesh::write(args.runs)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a page below the workspace and says which.
fn write_page(page: &str, text: &str) -> Result<()> {
    let file = workspace().join(page);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).context("cannot create the page's folder")?;
    }
    fs::write(&file, text).with_context(|| format!("cannot write {page}"))?;
    terminal::result(page);
    Ok(())
}

fn machine() -> Result<String> {
    let memory = fs::read_to_string("/proc/meminfo").context("cannot read the machine's memory")?;
    let kib = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    let cores = std::thread::available_parallelism().context("cannot count the cores")?;
    Ok(format!("The machine: {cores} cores, {} GiB.", kib.unwrap_or_default() >> 20))
}

/// The middle one; of an even number, the upper of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
