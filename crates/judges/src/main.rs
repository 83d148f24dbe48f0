//! Asks the real judges of a bundle: istiod, the agents' Go, Envoy, webpki and OpenSSL, and compares
//! what each says with what `pki`'s rules say it would.
//!
//! Bundles are made from a table, a line a bundle. What a judge says is read from what it does, not
//! from what this crate knows of it; where it disagrees with `pki`, that bundle has failed.

use std::process::ExitCode;

use clap::Parser as _;

mod api_server;
mod case;
mod cast;
mod cli;
mod command;
mod judge;
mod openssl;
mod page;
mod poll;
mod run;
mod table;
mod terminal;
mod verdict;

/// One thread: the programs that are started are tied to the life of the thread that did.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = run::run(cli::Cli::parse()).await;
    outcome.unwrap_or_else(|error| {
        terminal::say(&format!("error: {error:#}"));
        ExitCode::from(2)
    })
}
