//! `cacerts`: makes and checks the CA that is plugged into an Istio mesh, without a network.
//!
//! The command line is parsed here and the rules are `pki`'s, the files `ca-dir`'s. Nothing here
//! talks to a cluster. The program is this library's `main` and nothing else, so that a fuzzer can
//! link its parsers.

use std::process::ExitCode;

mod accept;
mod asked;
mod check;
mod cli;
mod clock;
mod columns;
mod convert;
mod crl;
mod explain;
mod failure;
#[cfg(fuzzing)]
pub mod fuzzing;
mod init;
mod issue;
mod issuer;
mod judges;
mod key;
mod lifetime;
mod manual;
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
mod target;
mod terminal;
mod tier;
mod variables;
mod wish;

/// Runs the command line of this process and tells how it ended: see `cacerts help`.
pub fn main() -> ExitCode {
    match cli::Cli::of_process().run() {
        Ok(code) => code,
        Err(failure) => {
            terminal::failure(&failure);
            failure.exit_code()
        }
    }
}
