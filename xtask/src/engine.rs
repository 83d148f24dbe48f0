//! The Docker engine of a check. `.ci/docker` brings one where the machine has none, in namespaces
//! of its own: whatever needs the network happens before the engine is entered.

use std::ffi::OsStr;

use anyhow::{Result, ensure};

use crate::command::{Program, workspace};
use crate::terminal;

/// A running engine; ended when dropped, unless the machine had it before.
pub(crate) struct Engine;

impl Engine {
    /// Starts it, or finds the machine's own.
    pub(crate) fn start() -> Result<Self> {
        ensure!(Self::script("start").status()?.success(), "the Docker engine did not start");
        Ok(Self)
    }

    /// A program to be run with `DOCKER_HOST` set, where published ports are on loopback.
    pub(crate) fn inside(program: impl AsRef<OsStr>) -> Program {
        Self::script("enter").arg(program)
    }

    fn script(verb: &str) -> Program {
        Program::new(workspace().join(".ci/docker")).arg(verb)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !Self::script("stop").status().is_ok_and(|status| status.success()) {
            terminal::say("warning: the Docker engine was not stopped; `.ci/docker stop` does it");
        }
    }
}
