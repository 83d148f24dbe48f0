//! The workflows of this repository, read by actionlint. What GitHub does with them, only GitHub
//! can show.

use anyhow::{Context as _, Result, ensure};

use crate::command::{Program, workspace};
use crate::stock;

/// Where the workflows are.
const FOLDER: &str = ".github/workflows";

/// Builds the pinned actionlint if need be, and reads every workflow with it; it has said itself
/// what is wrong. The actions of this repository that a workflow uses are read with it.
pub(crate) fn check() -> Result<bool> {
    stock::build(&["actionlint"])?;
    let actionlint = stock::path("actionlint")?;
    let folder = workspace().join(FOLDER);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {FOLDER}"))? {
        files.push(entry.with_context(|| format!("cannot list {FOLDER}"))?.path());
    }
    // Without a file it would look for the folder itself, and pass where there is none.
    ensure!(!files.is_empty(), "there is no workflow in {FOLDER}");
    files.sort();
    Ok(Program::new(actionlint).arg("-no-color").args(files).status()?.success())
}
