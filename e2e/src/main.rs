//! The mesh-verification harness: brings up a real cluster and a real Istio with a plugged-in CA,
//! and proves on the running mesh that every certificate chains to it.
#![allow(dead_code, reason = "the steps that use these modules follow")]

use std::process::ExitCode;

mod abort;
mod cidr;
mod cluster;
mod cmd;
mod poll;
mod step;
mod terminal;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
