//! `cacerts`: makes the CA that is plugged into an Istio mesh, on a machine without a network.
//!
//! The command line is parsed here and the rules are `pki`'s, the files `ca-dir`'s. Nothing here
//! talks to a cluster.

use std::process::ExitCode;

use clap::Parser as _;

mod accept;
mod asked;
mod cli;
mod crl;
mod failure;
mod init;
mod issue;
mod lifetime;
mod name;
mod own;
mod passphrase;
mod progress;
mod report;
mod request;
mod response;
mod show;
mod sign;
mod statement;
mod terminal;
mod variables;
mod wish;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::failure(&failure);
            failure.exit_code()
        }
    }
}
