//! Builds the targets, with the nightly toolchain and the pinned cargo-fuzz.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::folder;
use crate::command::{Program, target_dir};
use crate::stock;

/// What cargo-fuzz builds for.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Builds all of them, or all but those of the mesh; the folder they are in, or why this machine
/// cannot.
pub(super) fn targets(with_mesh: bool) -> Result<Result<PathBuf, &'static str>> {
    if !has_nightly() {
        return Ok(Err("no nightly toolchain of Rust; `rustup toolchain install nightly` gets it"));
    }
    if Program::new("c++").arg("--version").stdout().is_err() {
        return Ok(Err("no C++ compiler for libFuzzer; Debian's is in the package g++"));
    }
    let manifest = folder().join("Cargo.toml");
    let locked = ["metadata", "--locked", "--format-version", "1", "--manifest-path"];
    let locked = Program::cargo().args(locked).arg(&manifest).stdout();
    locked.context(
        "fuzz/Cargo.lock lacks what a crate has come to use; `cargo update --workspace \
         --manifest-path fuzz/Cargo.toml` writes it down",
    )?;
    stock::build(&["cargo-fuzz"])?;
    let built = target_dir().join("fuzz");
    let build = Program::new(stock::path("cargo-fuzz")?)
        // The sanitizers look for what only unsafe code does, of which there is none here.
        .args(["build", "--sanitizer", "none", "--fuzz-dir"])
        .arg(folder())
        .args(["--target", PLATFORM, "--target-dir"])
        .arg(&built)
        .args(if with_mesh { &["--features", "mesh"][..] } else { &[] })
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .env("CARGO", "cargo");
    ensure!(build.status()?.success(), "the fuzz targets do not compile");
    Ok(Ok(built.join(PLATFORM).join("release")))
}

/// Asked of rustup, which would else install what is not there.
fn has_nightly() -> bool {
    let list = Program::new("rustup").args(["toolchain", "list"]).stdout();
    list.is_ok_and(|list| list.lines().any(|line| line.starts_with("nightly-")))
}
