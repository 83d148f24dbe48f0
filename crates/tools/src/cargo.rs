//! Builds a program of a crate with the machine's own cargo, of the crates that it was released with.

use crate::cache::{Key, Work};
use crate::command::Command;
use crate::error::Result;
use crate::spec::Crate;

/// The key of the program of this crate. Any Rust that builds it will do.
pub(crate) fn key(spec: &Crate) -> Key {
    Key::of([("version", spec.version), ("arch", std::env::consts::ARCH)])
}

/// Builds into the entry's `bin`.
pub(crate) fn install(spec: &Crate, work: &Work) -> Result<()> {
    // It may take minutes, and must not go on for nobody.
    Command::dying_with_us("cargo")
        .args(["install", "--quiet", "--locked", "--no-track", "--root"])
        .arg(&work.entry)
        .arg("--target-dir")
        .arg(&work.scratch)
        .args(["--version", spec.version, spec.program.name()])
        .run()?;
    Ok(())
}
