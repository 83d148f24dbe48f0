//! What `tools` has in the user's cache: made if need be, and where it is.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use crate::command::Program;

/// Makes what has these names, unless it is there; `tools` says what is wrong.
pub(crate) fn build(names: &[&str]) -> Result<()> {
    let only = names.iter().flat_map(|name| ["--only", name]);
    let built = tools("build").args(only).status()?;
    ensure!(built.success(), "not built: {}", names.join(", "));
    Ok(())
}

/// Where the program, image or folder of this name is, which was made.
pub(crate) fn path(name: &str) -> Result<PathBuf> {
    let path = tools("path").arg(name).stdout();
    Ok(path.with_context(|| format!("`{name}` is not in the cache"))?.trim().into())
}

fn tools(verb: &str) -> Program {
    Program::cargo().args(["run", "--quiet", "--locked", "--package", "tools", "--", verb])
}
