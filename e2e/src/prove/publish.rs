//! Writes the conformance report of a run, and knows what of this machine must not be in it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tools::Cache;

use super::{RunArgs, copy_report};
use crate::report::{self, Places, Report};
use crate::session::{Reader, runs_folder};

/// Writes the report of the run in the folder `run` to `file`.
///
/// # Errors
/// The file cannot be written.
pub(super) fn publish(args: &RunArgs, report: &Report, run: &Path, file: &Path) -> Result<()> {
    let reproduce = args.command_line(Reader::Others);
    copy_report(&report::conformance(report, &reproduce, &places(args, run)?)?, file)
}

/// The folders and files that a text of the harness's or of a program may name.
fn places(args: &RunArgs, run: &Path) -> Result<Places> {
    let (cache, runs) = (Cache::of_user()?, runs_folder()?);
    let home = std::env::home_dir().unwrap_or_default();
    let own = [(run, "RUN"), (cache.root(), "CACHE"), (runs.as_path(), "RUNS"), (&home, "HOME")];
    // The workspace, where the build folder is in it.
    let workspace = runs.ancestors().nth(2).map(|workspace| (workspace, "WORKSPACE"));
    let given = given(args);
    let given = given.iter().map(|(path, word)| (path.as_path(), *word));
    Ok(Places::new(own.into_iter().chain(workspace).chain(given)))
}

/// What the command line names.
fn given(args: &RunArgs) -> Vec<(PathBuf, &'static str)> {
    let existing = args.mesh.existing.flags().into_iter().filter_map(|(flag, value)| match flag {
        "--bundle" => Some((PathBuf::from(value), "BUNDLE")),
        "--kubeconfig" => Some((PathBuf::from(value), "KUBECONFIG")),
        _ => None,
    });
    let istio = args.mesh.release.istio_dir.clone().map(|folder| (folder, "ISTIO"));
    existing.chain(istio).collect()
}
