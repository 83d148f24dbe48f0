//! `kill-test`: kills real runs and proves that nothing of them outlives the next sweep.
//!
//! A run is started as a person starts it, and ended by a signal in the middle of a step. After a
//! SIGKILL its node and its tools have to end by themselves, and a sweep has to remove the rest;
//! after SIGINT and SIGTERM the run has to leave nothing on its own. What a run leaves is looked
//! for by its name, not by what the harness remembers of it.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::process::Child;

use crate::cmd::Tool;
use crate::poll::{Seen, until};
use crate::provider::ProviderName;
use crate::registry::{Entry, Registry};
use crate::run::registry_root;
use crate::session::runs_folder;
use crate::sweep::{Kept, sweep};
use crate::terminal;
use traces::{processes, traces};

mod traces;

/// A whole run takes a minute; on a busy machine several.
const REACH_TIMEOUT: Duration = Duration::from_secs(600);
/// What dies with the harness dies at once; an orderly teardown takes seconds, on kind half a minute.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// A way to end a run.
struct Case {
    /// Its name on the command line.
    name: &'static str,
    /// The title of the step to end it in.
    step: &'static str,
    /// How.
    signal: Signal,
}

const fn killed(name: &'static str, step: &'static str) -> Case {
    Case { name, step, signal: Signal::KILL }
}

/// The nine steps in their order, and two more ways.
static CASES: [Case; 11] = [
    killed("node", "Create a cluster"),
    killed("plug-in", "Plug in certificates and key into the cluster"),
    killed("istio", "Deploy Istio"),
    killed("workloads", "Deploying example services"),
    killed("policy", "Requiring mutual TLS"),
    killed("page", "Verifying the certificates"),
    killed("mesh", "Verifying the whole mesh"),
    killed("rotation", "Replacing the intermediate"),
    killed("cleanup", "Cleanup"),
    Case { name: "interrupt", step: "Create a cluster", signal: Signal::INT },
    Case { name: "terminate", step: "Deploy Istio", signal: Signal::TERM },
];

/// Which ways to try.
#[derive(Args, Debug)]
pub(crate) struct KillArgs {
    /// Try only these, separated by commas; `--list` names them
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    at: Vec<String>,
    /// Whose runs to kill
    #[arg(long, value_enum, default_value = "local", value_name = "PROVIDER")]
    provider: ProviderName,
    /// List the ways and stop
    #[arg(long)]
    list: bool,
    /// Write a JSON report to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// How one way went.
struct Outcome {
    name: &'static str,
    took: Duration,
    problems: Vec<String>,
}

/// Tries the ways, one after the other.
///
/// # Errors
/// A run does not come to its step; nothing is proven then.
pub(crate) async fn run(args: &KillArgs) -> Result<ExitCode> {
    if args.list {
        for Case { name, step, signal } in &CASES {
            terminal::answer(&format!("{name}: {} in \"{step}\"", signal_name(*signal)));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let cases = chosen(&args.at)?;
    let registry = Registry::open(&registry_root())?;
    let folder = runs_folder()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut outcomes = Vec::new();
    for case in &cases {
        let start = Instant::now();
        let tested = case.test(args.provider, &registry, &folder).await;
        let problems = tested.with_context(|| case.name.to_owned())?;
        let outcome = Outcome { name: case.name, took: start.elapsed(), problems };
        terminal::say(&line(&outcome, outcomes.len() + 1, cases.len()));
        outcomes.push(outcome);
    }
    if let Some(path) = &args.report {
        fs::write(path, report(&outcomes))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let failed = outcomes.iter().any(|outcome| !outcome.problems.is_empty());
    Ok(ExitCode::from(u8::from(failed)))
}

impl Case {
    /// Returns what is wrong.
    async fn test(
        &self,
        provider: ProviderName,
        registry: &Registry,
        folder: &Path,
    ) -> Result<Vec<String>> {
        let log = folder.join(format!("kill-test-{}.log", self.name));
        let harness = std::env::current_exe().context("cannot find the harness's own program")?;
        let stream = File::create(&log).with_context(|| format!("cannot write {}", log.display()));
        let mut child = Tool::new(harness)
            .args(["run", "--provider", &provider.to_string()])
            .supervise(stream?)?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pid = pid.context("the run has no process id")?;
        let reached = self.reach(registry, &mut child, pid).await;
        let entry = reached.with_context(|| format!("its log is {}", log.display()))?;
        // The control: what is looked for afterwards is there now.
        let before = traces(&entry, registry).await?;
        ensure!(before.len() > 1, "the run has made nothing that could be left: {before:?}");
        kill_process(pid, self.signal).context("cannot send the signal")?;
        let status = tokio::time::timeout(END_TIMEOUT, child.wait())
            .await
            .with_context(|| format!("the run does not end; its log is {}", log.display()))??;
        let mut problems = Vec::new();
        if self.signal != Signal::KILL && status.code() != Some(2) {
            problems.push(format!("it ended with {status}, not with code 2"));
        }
        problems.extend(ends_by_itself(&entry).await.err().map(|error| format!("{error:#}")));
        if self.signal == Signal::KILL {
            sweep(registry, &Kept::Leave).await.context("sweep")?;
        }
        problems.extend(traces(&entry, registry).await?);
        Ok(problems)
    }

    /// Waits until the run is in the middle of the step, and returns what it wrote down.
    async fn reach(&self, registry: &Registry, child: &mut Child, pid: Pid) -> Result<Entry> {
        let what = format!("the run is in the middle of \"{}\"", self.step);
        let mut at_first = None;
        until(&what, REACH_TIMEOUT, 1, async || {
            if let Some(status) = child.try_wait()? {
                bail!("it ended before that ({status})");
            }
            let harness = pid.as_raw_nonzero().get().cast_unsigned();
            let mut entries = registry.entries()?.into_iter();
            let Some(entry) = entries.find(|entry| entry.harness == harness) else {
                return Ok(Seen::NotYet("it has not registered".to_owned()));
            };
            match position(&entry.step).cmp(&position(self.step)) {
                Ordering::Less => return Ok(Seen::NotYet(format!("it is in \"{}\"", entry.step))),
                Ordering::Equal => {}
                // Too short a step to be caught in its middle: right after it, then.
                Ordering::Greater => return Ok(Seen::Ready(entry)),
            }
            // In the middle: what runs for it is no longer what ran when the step began.
            let now = processes(&entry)?;
            let before = at_first.get_or_insert_with(|| now.clone());
            let idle = || Seen::NotYet(format!("\"{}\" has started nothing", entry.step));
            Ok(if *before == now { idle() } else { Seen::Ready(entry) })
        })
        .await
    }
}

/// A step's place among all of a run; a run that has not begun its first is before them.
fn position(step: &str) -> Option<usize> {
    CASES.iter().position(|case| case.step == step)
}

/// The node and every tool of a run end with it, without help.
async fn ends_by_itself(entry: &Entry) -> Result<()> {
    until("nothing runs for it any more", END_TIMEOUT, 1, async || {
        let left = processes(entry)?;
        let names = || left.values().cloned().collect::<Vec<_>>().join("; ");
        Ok(if left.is_empty() { Seen::Ready(()) } else { Seen::NotYet(names()) })
    })
    .await
}

fn chosen(names: &[String]) -> Result<Vec<&'static Case>> {
    for name in names {
        let known = || CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", ");
        let found = CASES.iter().any(|case| case.name == name);
        ensure!(found, "no way to be killed is called `{name}`: {}", known());
    }
    let wanted = |case: &&Case| names.is_empty() || names.iter().any(|name| name == case.name);
    Ok(CASES.iter().filter(wanted).collect())
}

fn signal_name(signal: Signal) -> &'static str {
    match signal {
        Signal::INT => "SIGINT",
        Signal::TERM => "SIGTERM",
        _ => "SIGKILL",
    }
}

fn line(outcome: &Outcome, number: usize, total: usize) -> String {
    let Outcome { name, took, problems } = outcome;
    let result = if problems.is_empty() { "nothing is left".into() } else { problems.join("; ") };
    format!("[{number}/{total}] {name} .. {result} ({:.1} s)", took.as_secs_f64())
}

fn report(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|outcome| !outcome.problems.is_empty()).count();
    let cases: Vec<_> = outcomes
        .iter()
        .map(|Outcome { name, took, problems }| {
            json!({ "name": name, "seconds": took.as_secs_f64(), "problems": problems })
        })
        .collect();
    let totals = json!({ "passed": outcomes.len() - failed, "failed": failed, "skipped": 0 });
    format!("{:#}\n", json!({ "totals": totals, "cases": cases }))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn names(at: &[&str]) -> Result<Vec<&'static str>> {
        let at: Vec<_> = at.iter().map(|name| (*name).to_owned()).collect();
        Ok(chosen(&at)?.into_iter().map(|case| case.name).collect())
    }

    #[test]
    fn ways_are_chosen_by_name_and_all_are_taken_without_one() {
        assert_eq!(names(&["workloads", "node"]).unwrap(), ["node", "workloads"]);
        assert_eq!(names(&[]).unwrap().len(), CASES.len());
    }

    #[test]
    fn a_way_that_does_not_exist_is_named() {
        let error = names(&["nodes"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "no way to be killed is called `nodes`: node, plug-in, istio, workloads, policy, page, \
             mesh, rotation, cleanup, interrupt, terminate"
        );
    }

    #[test]
    fn what_is_left_counts_as_a_failure() {
        let took = Duration::from_millis(1_500);
        let clean = Outcome { name: "node", took, problems: Vec::new() };
        let left = Outcome { name: "istio", took, problems: vec!["the link ca-x-0".into()] };
        assert_eq!(line(&clean, 1, 2), "[1/2] node .. nothing is left (1.5 s)");
        assert_eq!(line(&left, 2, 2), "[2/2] istio .. the link ca-x-0 (1.5 s)");
        let report: serde_json::Value = serde_json::from_str(&report(&[clean, left])).unwrap();
        assert_eq!(report["totals"], json!({ "passed": 1, "failed": 1, "skipped": 0 }));
        assert_eq!(report["cases"][1]["problems"], json!(["the link ca-x-0"]));
    }
}
