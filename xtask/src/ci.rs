//! `cargo xtask ci`: every check of the project, in the one order in which CI and people run them.
//!
//! A failed check does not hide the next: all run, and the last line counts them.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::command::Program;
use crate::tally::Tally;
use crate::{
    api_server, crash, crl, e2e, existing, fixtures, fuzz, judges, kind, layering, makefile,
    terminal, workflows,
};

/// Which checks to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run one group only
    #[arg(long, value_enum)]
    only: Option<Group>,
    /// Run one check only, by its name; may be repeated. The names are what each check prints
    #[arg(long, value_name = "NAME", conflicts_with_all = ["only", "full"])]
    check: Vec<String>,
    /// Run also what takes too long for every change: on kind every sabotage and images from a
    /// registry, every way to be killed, the matrix
    #[arg(long, conflicts_with = "only")]
    full: bool,
}

/// What a check needs, and how long it takes.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Group {
    /// Formatting, lints, tests, docs, layering, fixtures, workflows: no root and no cluster
    Checks,
    /// A real API server and real meshes: every claim, every sabotage, killed harnesses
    Mesh,
    /// What --full adds to them
    #[value(skip)]
    Full,
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
    Check { name: "the Makefile and cacerts", group: Group::Checks, run: makefile::check },
    Check { name: "revocation lists and openssl", group: Group::Checks, run: crl::check },
    Check { name: "killed cacerts", group: Group::Checks, run: crash::killed },
    Check { name: "fuzz targets, briefly", group: Group::Checks, run: fuzz::briefly },
    Check { name: "judges, the quick part", group: Group::Checks, run: judges::quick },
    Check { name: "workflows", group: Group::Checks, run: workflows },
    Check { name: "Secret on a real API server", group: Group::Mesh, run: api_server::test },
    Check { name: "mesh, profile makefile", group: Group::Mesh, run: mesh_makefile },
    Check { name: "mesh, profile hardened", group: Group::Mesh, run: mesh_hardened },
    Check { name: "sabotages", group: Group::Mesh, run: sabotages },
    Check { name: "killed harnesses", group: Group::Mesh, run: kills },
    Check { name: "a mesh that is there", group: Group::Mesh, run: existing::on_local },
    Check { name: "mesh on kind", group: Group::Mesh, run: kind::claims },
    Check { name: "full disks and random ends", group: Group::Full, run: crash::at_length },
    Check { name: "the fuzz target of the mesh", group: Group::Full, run: fuzz::mesh_briefly },
    Check { name: "every sabotage on kind", group: Group::Full, run: kind::sabotages },
    Check { name: "a mesh that is there, on kind", group: Group::Full, run: existing::on_kind },
    Check { name: "images from a registry", group: Group::Full, run: kind::registry::claims },
    Check { name: "killed harnesses, every way", group: Group::Full, run: all_kills },
    Check { name: "killed harnesses on kind", group: Group::Full, run: kind::kills },
    Check { name: "matrix", group: Group::Full, run: kind::matrix },
    Check { name: "judges, all of them", group: Group::Full, run: judges::whole },
];

/// Runs the checks and closes with the count.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let chosen = chosen(args)?;
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

fn chosen(args: &Args) -> Result<Vec<&'static Check>> {
    for name in &args.check {
        let known = || CHECKS.iter().map(|check| check.name).collect::<Vec<_>>().join("\n  ");
        let found = CHECKS.iter().any(|check| check.name == name);
        ensure!(found, "no check is called `{name}`; there are\n  {}", known());
    }
    let is_chosen = |check: &&Check| match check.group {
        _ if !args.check.is_empty() => args.check.iter().any(|name| name == check.name),
        Group::Full => args.full,
        group => args.only.is_none_or(|only| only == group),
    };
    Ok(CHECKS.iter().filter(is_chosen).collect())
}

/// Of both workspaces.
fn formatting() -> Result<Tally> {
    let mut tally = passes(Program::cargo().args(["fmt", "--all", "--check"]))?;
    let fuzz = ["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"];
    tally += passes(Program::cargo().args(fuzz))?;
    Ok(tally)
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

fn workflows() -> Result<Tally> {
    Ok(if workflows::check()? { Tally::default() } else { Tally::ONE_FAILURE })
}

fn mesh_makefile() -> Result<Tally> {
    harness("mesh-makefile", &["run", "--provider", "local", "--require", "--profile", "makefile"])
}

fn mesh_hardened() -> Result<Tally> {
    let hardened = ["--profile", "hardened", "--client", "curl"];
    harness(
        "mesh-hardened",
        &[&["run", "--provider", "local", "--require"], &hardened[..]].concat(),
    )
}

fn sabotages() -> Result<Tally> {
    harness("sabotages", &["run", "--provider", "local", "--sabotage", "all"])
}

fn kills() -> Result<Tally> {
    harness("kills", &["kill-test", "--at", "node,istio,workloads"])
}

fn all_kills() -> Result<Tally> {
    harness("all-kills", &["kill-test"])
}

/// Builds the harness, runs it and counts what its report says.
fn harness(name: &str, args: &[&str]) -> Result<Tally> {
    if !e2e::build()? {
        return Ok(Tally::ONE_FAILURE);
    }
    e2e::counted(name, e2e::harness().args(args), 0)
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn names(args: &Args) -> Vec<&'static str> {
        chosen(args).unwrap().iter().map(|check| check.name).collect()
    }

    #[test]
    fn what_takes_long_runs_only_when_asked_for() {
        let count = |group| CHECKS.iter().filter(|check| check.group == group).count();
        let all = Args { only: None, check: Vec::new(), full: true };
        assert_eq!(names(&all).len(), CHECKS.len());
        let usual = Args { full: false, ..all };
        assert_eq!(names(&usual).len(), CHECKS.len() - count(Group::Full));
        let mesh = Args { only: Some(Group::Mesh), ..usual };
        assert_eq!(names(&mesh).len(), count(Group::Mesh));
    }

    #[test]
    fn a_check_is_chosen_by_its_name_whatever_group_it_is_of() {
        let check = vec!["images from a registry".to_owned()];
        let args = Args { only: None, check, full: false };
        assert_eq!(names(&args), ["images from a registry"]);
    }

    #[test]
    fn a_check_that_does_not_exist_is_answered_with_those_that_do() {
        let args = Args { only: None, check: vec!["mesh".to_owned()], full: false };
        let error = chosen(&args).err().unwrap().to_string();
        assert!(
            error.starts_with("no check is called `mesh`; there are\n  formatting\n"),
            "{error}"
        );
    }
}
