//! `cargo xtask ci`: every check of the project, in the one order in which CI and people run them.
//!
//! A failed check does not hide the next: all run, and the last line counts them.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::command::{Program, target_dir};
use crate::tally::Tally;
use crate::{api_server, e2e, fixtures, layering, terminal};

/// Which checks to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run one group only
    #[arg(long, value_enum)]
    only: Option<Group>,
}

/// What a check needs, and how long it takes.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Group {
    /// Formatting, lints, tests, docs, layering, fixtures: no root, no network, no cluster
    Checks,
    /// A real API server and real meshes: every claim, every sabotage, killed harnesses
    Mesh,
}

/// One check: what it is called, what it needs, and what it counts.
struct Check {
    name: &'static str,
    group: Group,
    run: fn() -> Result<Tally>,
}

const CHECKS: &[Check] = &[
    Check { name: "formatting", group: Group::Checks, run: formatting },
    Check { name: "layering", group: Group::Checks, run: layering },
    Check { name: "lints", group: Group::Checks, run: lints },
    Check { name: "tests", group: Group::Checks, run: tests },
    Check { name: "documentation tests", group: Group::Checks, run: doc_tests },
    Check { name: "documentation", group: Group::Checks, run: docs },
    Check { name: "fixtures", group: Group::Checks, run: fixtures },
    Check { name: "Secret on a real API server", group: Group::Mesh, run: api_server::test },
    Check { name: "mesh, profile makefile", group: Group::Mesh, run: mesh_makefile },
    Check { name: "mesh, profile hardened", group: Group::Mesh, run: mesh_hardened },
    Check { name: "sabotages", group: Group::Mesh, run: sabotages },
    Check { name: "killed harnesses", group: Group::Mesh, run: kills },
];

/// Runs the checks and closes with the count.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let chosen: Vec<_> =
        CHECKS.iter().filter(|check| args.only.is_none_or(|only| only == check.group)).collect();
    let mut total = Tally::default();
    let mut failed = Vec::new();
    for (index, check) in chosen.iter().enumerate() {
        let label = format!("[{}/{}] {}", index + 1, chosen.len(), check.name);
        terminal::say(&format!("{label} .."));
        let start = Instant::now();
        let tally = (check.run)().unwrap_or_else(|error| {
            terminal::say(&format!("error: {error:#}"));
            Tally::ONE_FAILURE
        });
        let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
        terminal::say(&format!("{label} .. {verdict} ({:.1} s)", start.elapsed().as_secs_f64()));
        if tally.failed > 0 {
            failed.push(check.name);
        }
        total += tally;
    }
    if !failed.is_empty() {
        terminal::say(&format!("failed: {}", failed.join(", ")));
    }
    terminal::result(&total.to_string());
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn formatting() -> Result<Tally> {
    passes(Program::cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<Tally> {
    passes(Program::cargo().args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn docs() -> Result<Tally> {
    let args =
        ["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    passes(Program::cargo().args(args).env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Result<Tally> {
    counted(&["test", "--workspace", "--lib", "--bins", "--tests", "--locked", "--no-fail-fast"])
}

fn doc_tests() -> Result<Tally> {
    counted(&["test", "--workspace", "--doc", "--locked", "--no-fail-fast"])
}

fn layering() -> Result<Tally> {
    let problems = layering::problems()?;
    for problem in &problems {
        terminal::say(problem);
    }
    Ok(if problems.is_empty() { Tally::default() } else { Tally::ONE_FAILURE })
}

fn fixtures() -> Result<Tally> {
    Ok(if fixtures::check()? { Tally::default() } else { Tally::ONE_FAILURE })
}

fn mesh_makefile() -> Result<Tally> {
    harness("mesh-makefile", &["run", "--require", "--profile", "makefile"])
}

fn mesh_hardened() -> Result<Tally> {
    harness("mesh-hardened", &["run", "--require", "--profile", "hardened", "--client", "curl"])
}

fn sabotages() -> Result<Tally> {
    harness("sabotages", &["run", "--sabotage", "all"])
}

fn kills() -> Result<Tally> {
    harness("kills", &["kill-test", "--at", "node,istio,workloads"])
}

/// Runs the harness and counts what its report says. A run that ends badly without a failure in
/// its report has failed all the same.
fn harness(name: &str, args: &[&str]) -> Result<Tally> {
    if !e2e::build()? {
        return Ok(Tally::ONE_FAILURE);
    }
    let report = target_dir().join("ci").join(name).with_extension("json");
    // A report of an earlier run must not be counted.
    if report.exists() {
        std::fs::remove_file(&report).context("cannot remove an earlier report")?;
    }
    let status = e2e::harness().args(args).arg("--report").arg(&report).status()?;
    let mut tally = match std::fs::read_to_string(&report) {
        Ok(report) => Tally::from_report(&report)?,
        Err(_) => Tally::ONE_FAILURE,
    };
    if !status.success() && tally.failed == 0 {
        tally += Tally::ONE_FAILURE;
    }
    Ok(tally)
}

/// A check that counts as nothing when it passes: it is no test.
fn passes(program: Program) -> Result<Tally> {
    Ok(if program.status()?.success() { Tally::default() } else { Tally::ONE_FAILURE })
}

/// Runs Rust's tests and adds up the closing line of every test binary.
fn counted(args: &[&str]) -> Result<Tally> {
    let mut tally = Tally::default();
    let status = Program::cargo().args(args).each_line(|line| {
        if let Some(counts) = Tally::from_test_result(line) {
            tally += counts;
        }
    })?;
    // A test binary that does not compile, or that dies, prints no closing line.
    if !status.success() && tally.failed == 0 {
        tally += Tally::ONE_FAILURE;
    }
    Ok(tally)
}
