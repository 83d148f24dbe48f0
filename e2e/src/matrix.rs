//! `matrix`: the whole task once for each combination of cluster, profile and key, and a
//! conformance report of each.
//!
//! A cell is a run as a person starts it, in a process of its own that dies with this one. Its
//! report is the run's own; here they are only counted, and put into a page.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tools::{Cache, Toolbox, host, progress};

use crate::abort::Abort;
use crate::claim::Verdict;
use crate::cmd::Tool;
use crate::provider::kind;
use crate::report::{Conformance, word, write_whole};
use crate::session::runs_folder;
use crate::terminal;
use cell::{Cell, Place, all, chosen};

mod cell;
mod page;

/// An orderly teardown takes seconds.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// Which cells to run, and where their reports go.
#[derive(Args, Debug)]
pub(crate) struct MatrixArgs {
    /// Run only these cells, separated by commas; `--list` names them
    #[arg(long, value_delimiter = ',', value_name = "CELL")]
    only: Vec<String>,
    /// List the cells with their command lines and stop
    #[arg(long)]
    list: bool,
    /// The folder of the reports and their page, README.md; target/e2e/matrix if nothing is said
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What came of a cell.
enum Outcome {
    /// It ran: its verdict, and how to say it.
    Ran(Verdict, String),
    /// It cannot run on this machine, for this reason.
    Skipped(String),
}

/// Runs the cells, one after the other.
///
/// # Errors
/// A folder cannot be written, or the matrix is not wanted any more.
pub(crate) async fn run(args: &MatrixArgs) -> Result<ExitCode> {
    if args.list {
        for cell in all() {
            terminal::answer(&format!("{}: {}", cell.name(), cell.args().join(" ")));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let cells = chosen(&args.only)?;
    let matrix = Matrix::new(args.out.as_deref(), &cells).await?;
    let mut outcomes = Vec::new();
    for cell in &cells {
        let label = format!("[{}/{}] {}", outcomes.len() + 1, cells.len(), cell.name());
        terminal::say(&format!("{label} .."));
        let start = Instant::now();
        let outcome = matrix.run(cell).await.with_context(|| cell.name())?;
        let seconds = start.elapsed().as_secs_f64();
        terminal::say(&format!("{label} .. {} ({seconds:.1} s)", outcome.text()));
        outcomes.push((cell.name(), outcome));
    }
    let without: BTreeMap<_, _> =
        outcomes.iter().map(|(name, outcome)| (name.clone(), outcome.text())).collect();
    let page = matrix.out.join("README.md");
    write_whole(&page, &page::render(&page::reports(&matrix.out)?, &without))?;
    let verdict = over(outcomes.iter().map(|(_, outcome)| outcome));
    terminal::answer(&format!("{}; the table is {}", told(verdict, &outcomes), page.display()));
    Ok(ExitCode::from(verdict.exit_code()))
}

/// What the cells share.
struct Matrix {
    /// This program, found before anything can take its place.
    harness: PathBuf,
    out: PathBuf,
    logs: PathBuf,
    /// Why there can be no kind cluster, where that is so.
    no_kind: Option<String>,
    abort: Abort,
}

impl Matrix {
    /// Builds what the cells need: their logs would hide the progress of that.
    async fn new(out: Option<&Path>, cells: &[Cell]) -> Result<Self> {
        let harness = std::env::current_exe().context("cannot find the harness's own program")?;
        let logs = runs_folder()?.join("matrix");
        let out = out.unwrap_or(&logs).to_owned();
        for dir in [&logs, &out] {
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let mut no_kind = None;
        if cells.iter().any(|cell| cell.place == Place::Kind) {
            let answer = kind::engine_answers().await;
            no_kind = answer.err().map(|error| format!("skipped: {error:#}"));
        }
        build(cells.iter().filter(|cell| cell.place != Place::Kind || no_kind.is_none()))?;
        // Not before: until here a signal may end the harness where it stands.
        let abort = Abort::new();
        abort.on_signals()?;
        Ok(Self { harness, out, logs, no_kind, abort })
    }

    /// Runs one cell. An earlier report of it goes first: what is there afterwards is this run's.
    async fn run(&self, cell: &Cell) -> Result<Outcome> {
        let report = page::report_file(&self.out, cell);
        if report.exists() {
            let removed = fs::remove_file(&report);
            removed.with_context(|| format!("cannot remove {}", report.display()))?;
        }
        if let (Place::Kind, Some(reason)) = (cell.place, &self.no_kind) {
            return Ok(Outcome::Skipped(reason.clone()));
        }
        let log = self.logs.join(format!("{}.log", cell.name()));
        let stream = File::create(&log);
        let stream = stream.with_context(|| format!("cannot write {}", log.display()))?;
        let run = Tool::new(&self.harness).args(cell.args()).arg("--conformance").arg(&report);
        let status = self.wait(run.supervise(stream)?).await?;
        let verdict = match status.code() {
            Some(0) => Verdict::Proven,
            Some(1) => Verdict::Disproven,
            _ => Verdict::Unproven,
        };
        let log = log.display();
        Ok(match fs::read_to_string(&report) {
            Ok(text) => judged(verdict, &Conformance::parse(&text)?, &log.to_string()),
            // It did not begin: its log ends with the reason.
            Err(_) => Outcome::Ran(Verdict::Unproven, format!("no report ({status}); see {log}")),
        })
    }

    /// Waits for a run. If the matrix is not wanted any more, the run is told and waited for:
    /// killed with this process, it could not tear its mesh down.
    async fn wait(&self, mut run: Child) -> Result<ExitStatus> {
        let reason = tokio::select! {
            biased;
            status = run.wait() => return status.context("cannot wait for the run"),
            reason = self.abort.interrupted() => reason,
        };
        let pid = run.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        pid.map(|pid| kill_process(pid, Signal::TERM)).transpose()?;
        let ended = tokio::time::timeout(END_TIMEOUT, run.wait()).await;
        ended.context("the run does not end")??;
        Err(reason)
    }
}

fn build<'a>(cells: impl Iterator<Item = &'a Cell>) -> Result<()> {
    let cache = Cache::of_user()?;
    let mut built = Vec::new();
    for (set, purpose) in cells.map(|cell| (cell.place.set(), cell.place.purpose())) {
        if !built.contains(&set) {
            host::prepare(&cache, purpose, terminal::say)?;
            Toolbox::prepare_set(&cache, set, progress::for_stderr().as_ref())?;
            built.push(set);
        }
    }
    Ok(())
}

/// A verdict counts only where the report says the same as the exit code.
fn judged(verdict: Verdict, report: &Conformance, log: &str) -> Outcome {
    let totals = report.statistics;
    let counts =
        format!("{} passed, {} failed, {} skipped", totals.passed, totals.failed, totals.skipped);
    let word = word(verdict);
    if report.result != word {
        let said = &report.result;
        let text = format!("the report says {said}, the exit code {word} ({counts}); see {log}");
        return Outcome::Ran(Verdict::Unproven, text);
    }
    match verdict {
        Verdict::Proven => Outcome::Ran(verdict, format!("{word}, {counts}")),
        _ => Outcome::Ran(verdict, format!("{word}, {counts}; see {log}")),
    }
}

impl Outcome {
    fn text(&self) -> String {
        let (Self::Ran(_, text) | Self::Skipped(text)) = self;
        text.clone()
    }
}

/// Proven only if every cell that ran is; one that is false outweighs all. Nothing run is nothing
/// proven.
fn over<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Verdict {
    let ran = |outcome: &Outcome| match outcome {
        Outcome::Ran(verdict, _) => Some(*verdict),
        Outcome::Skipped(_) => None,
    };
    let ran: Vec<_> = outcomes.filter_map(ran).collect();
    if ran.contains(&Verdict::Disproven) {
        Verdict::Disproven
    } else if ran.is_empty() || ran.contains(&Verdict::Unproven) {
        Verdict::Unproven
    } else {
        Verdict::Proven
    }
}

fn told(verdict: Verdict, outcomes: &[(String, Outcome)]) -> String {
    let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, o)| is(o)).count();
    let proven = count(|outcome| matches!(outcome, Outcome::Ran(Verdict::Proven, _)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let others = outcomes.len() - proven - skipped;
    let word = word(verdict).to_uppercase();
    format!("{word}: {proven} cells proven, {others} not, {skipped} skipped")
}

#[cfg(test)]
mod tests;
