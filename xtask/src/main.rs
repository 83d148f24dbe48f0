//! The workspace's tasks, as `cargo xtask TASK`.
//!
//! Every check and every run has its one definition here; continuous integration and people call
//! the same. The tasks depend on none of the workspace's crates: they execute them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api_server;
mod bench;
mod ci;
mod claims;
mod command;
mod crash;
mod crl;
mod e2e;
mod engine;
mod existing;
mod fixtures;
mod fuzz;
mod judges;
mod kind;
mod layering;
mod makefile;
mod stock;
mod tally;
mod terminal;
mod workflows;

/// Tasks of the cacerts workspace
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true,
    after_help = "Examples:\n  cargo xtask e2e                     prove a plugged-in CA on a real mesh\n  \
                  cargo xtask e2e --profile hardened  the same with the hardened CA profile\n  \
                  cargo xtask e2e matrix              every Kubernetes, profile and key\n  \
                  cargo xtask e2e --help              everything the harness can do\n  \
                  cargo xtask ci                      every check, as CI runs them\n  \
                  cargo xtask ci --only checks        without the mesh\n  \
                  cargo xtask ci --full               and what takes an hour\n\n\
                  Exit codes: 0 passed, 1 something is wrong, 2 it could not be tested"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the conformance harness on a real mesh
    #[command(disable_help_flag = true)]
    E2e(e2e::Args),
    /// Run every check; the last line counts tests, claims and sabotages
    Ci(ci::Args),
    /// Measure runs and write docs/performance/mesh.md
    Bench(bench::Args),
    /// Make the captures of Istio's Makefile anew and compare them with the committed ones
    Fixtures(fixtures::Args),
    /// Kill `cacerts` at every call that changes files, and at random moments
    Crash(crash::Args),
    /// Feed the parsers of foreign bytes what nobody thought of
    Fuzz(fuzz::Args),
    /// Let the real Makefile and `cacerts` go on in each other's folders
    Makefile,
    /// Ask istiod, Go, Envoy, webpki and OpenSSL about bundles, and compare them with pki's rules
    #[command(disable_help_flag = true)]
    Judges(judges::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::E2e(args) => e2e::run(&args),
        Task::Ci(args) => ci::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Fixtures(args) => fixtures::run(&args),
        Task::Crash(args) => crash::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Makefile => makefile::run(),
        Task::Judges(args) => judges::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        terminal::say(&format!("error: {error:#}"));
        ExitCode::from(2)
    })
}
