//! The mesh-verification harness: brings up a real cluster and a real Istio with a plugged-in CA,
//! and proves on the running mesh that every certificate chains to it.

#[cfg(fuzzing)]
compile_error!("built for fuzzing, `pki` takes marked signatures for good ones: no program may be");

use std::process::ExitCode;

use clap::Parser as _;

mod abort;
mod cidr;
mod claim;
mod claims;
mod cli;
mod cluster;
mod cmd;
mod commands;
mod diagnose;
mod kill_test;
mod matrix;
mod poll;
mod proof;
mod prove;
mod provider;
mod registry;
mod release;
mod report;
mod run;
mod rundir;
mod sabotage;
mod session;
mod step;
mod steps;
mod sweep;
mod terminal;
mod up;
mod view;

/// One thread: the programs that the harness starts are tied to the life of the thread that
/// started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    terminal::log(cli.verbose);
    match commands::run(cli).await {
        Ok(code) => code,
        Err(error) => {
            terminal::say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
