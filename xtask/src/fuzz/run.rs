//! Runs targets side by side, and tells what each has come to.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::folder;
use super::targets::Target;
use crate::command::{Program, workspace};
use crate::tally::Tally;
use crate::terminal;

/// More memory, or seconds for one input, is a find.
pub(super) const LIMITS: [&str; 2] = ["-rss_limit_mb=1024", "-timeout=20"];

/// For how long a found input is made smaller.
const SMALLER: &str = "-max_total_time=20";

/// How often a target tells how far it is.
const OFTEN: Duration = Duration::from_secs(10);

/// A target at work.
pub(super) struct Job {
    pub(super) target: &'static Target,
    pub(super) program: PathBuf,
    /// Where inputs go that lead further.
    pub(super) grown: PathBuf,
    /// The seeds that were made.
    pub(super) seeds: PathBuf,
    pub(super) time: Duration,
    /// Where its chance starts; 0 for another one each time.
    pub(super) chance: u32,
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs every job, `at_once` of them at a time. Each counts as one.
pub(super) fn side_by_side(jobs: &[Job], at_once: usize) -> Result<Tally> {
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let counted = told(job.target.name, job.run());
                    if let Ok(mut tally) = tally.lock() {
                        *tally += counted;
                    }
                }
            });
        }
    });
    tally.into_inner().ok().context("a thread panicked")
}

fn told(name: &str, outcome: Result<Outcome>) -> Tally {
    match outcome {
        Ok(Outcome { found: None, status }) => {
            terminal::say(&format!("  {name} .. ok ({status})"));
            Tally { passed: 1, ..Tally::default() }
        }
        Ok(Outcome { found: Some(found), status }) => {
            terminal::say(&format!("  {name} .. FAILED ({status})\n{found}"));
            Tally::ONE_FAILURE
        }
        Err(error) => {
            terminal::say(&format!("  {name} .. FAILED\n    {error:#}"));
            Tally::ONE_FAILURE
        }
    }
}

/// What a target came to.
struct Outcome {
    /// What was found, in words.
    found: Option<String>,
    status: Status,
}

impl Job {
    fn run(&self) -> Result<Outcome> {
        let name = self.target.name;
        let artifacts = folder().join("artifacts").join(name);
        for folder in [&self.grown, &artifacts] {
            std::fs::create_dir_all(folder).context("cannot create a folder for what is found")?;
        }
        let mut status = Status::default();
        let (mut said, mut told) = (Vec::new(), Instant::now());
        let ended = self.program(&artifacts).args(self.corpus()).each_error(|line| {
            if !status.read(line) {
                said.push(line.to_owned());
            } else if told.elapsed() >= OFTEN {
                told = Instant::now();
                terminal::say(&format!("  {name}: {status}"));
            }
        })?;
        if ended.success() {
            return Ok(Outcome { found: None, status });
        }
        let input = said.iter().find_map(|line| Some(line.split_once("Test unit written to ")?.1));
        let mut found = String::new();
        for line in reason(&said) {
            found.push_str(&format!("    {line}\n"));
        }
        match input {
            Some(input) => {
                let input = self.smaller(Path::new(input), &artifacts)?;
                let input = input.strip_prefix(workspace()).unwrap_or(&input);
                let command = format!("cargo xtask fuzz {name} --input {}", input.display());
                found.push_str(&format!("    again: {command}"));
            }
            None => found.push_str(&format!("    it ended ({ended}) and kept no input")),
        }
        Ok(Outcome { found: Some(found), status })
    }

    fn program(&self, artifacts: &Path) -> Program {
        let words = folder().join(format!("dictionaries/{}.dict", self.target.words));
        Program::new(&self.program)
            .args(LIMITS)
            .arg(format!("-max_total_time={}", self.time.as_secs().max(1)))
            .arg(format!("-seed={}", self.chance))
            .arg(format!("-max_len={}", self.target.longest))
            .arg(format!("-dict={}", words.display()))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg("-print_final_stats=1")
    }

    /// Every folder of inputs; what is new goes into the first.
    fn corpus(&self) -> Vec<PathBuf> {
        let committed = folder().join("corpus").join(self.target.name);
        let fixtures = self.target.seeds.iter().map(|seeds| workspace().join(seeds));
        let others = [committed, self.seeds.clone()].into_iter().chain(fixtures);
        [self.grown.clone()].into_iter().chain(others.filter(|path| path.is_dir())).collect()
    }

    /// A smaller input with the same end, if one is found soon.
    fn smaller(&self, input: &Path, artifacts: &Path) -> Result<PathBuf> {
        let name = input.file_name().unwrap_or_default().to_string_lossy();
        let smaller = artifacts.join(format!("smaller-{name}"));
        Program::new(&self.program)
            .args(LIMITS)
            .args(["-minimize_crash=1", SMALLER])
            .arg(format!("-exact_artifact_path={}", smaller.display()))
            .arg(input)
            .each_error(|_| ())?;
        Ok(if smaller.is_file() { smaller } else { input.to_owned() })
    }
}

/// The lines that say what happened: the panic, or libFuzzer's own words.
fn reason(said: &[String]) -> &[String] {
    const LINES: usize = 12;
    let panicked =
        |line: &String| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    let start = said.iter().position(panicked).unwrap_or_else(|| said.len().saturating_sub(LINES));
    let lines = &said[start..said.len().min(start + LINES)];
    let end = lines.iter().position(|line| line.starts_with("stack backtrace:"));
    &lines[..end.unwrap_or(lines.len())]
}

/// How far a target has come.
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    runs: u64,
    coverage: u64,
    inputs: u64,
    a_second: u64,
}

impl Status {
    /// Reads a line of libFuzzer, `#4096 pulse cov: 812 ft: 1403 corp: 97/12Kb exec/s: 2048 ..`;
    /// whether it is one.
    fn read(&mut self, line: &str) -> bool {
        if let Some(total) = line.strip_prefix("stat::") {
            let set = |name: &str, value: &mut u64| {
                let found = total.strip_prefix(name).and_then(|text| text.trim().parse().ok());
                *value = found.unwrap_or(*value);
            };
            set("number_of_executed_units:", &mut self.runs);
            set("average_exec_per_sec:", &mut self.a_second);
            return true;
        }
        let Some(rest) = line.strip_prefix('#') else { return false };
        let Some(runs) = rest.split_whitespace().next().and_then(|text| text.parse().ok()) else {
            return false;
        };
        self.runs = runs;
        let value = |name: &str| {
            let (_, value) = rest.split_once(name)?;
            let digits = value.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        self.coverage = value("cov:").unwrap_or(self.coverage);
        self.inputs = value("corp:").unwrap_or(self.inputs);
        self.a_second = value("exec/s:").unwrap_or(self.a_second);
        true
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runs, coverage, inputs, a_second } = self;
        write!(f, "{runs} runs, {a_second} a second, coverage {coverage}, {inputs} inputs")
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_lines_of_libfuzzer_are_read_for_how_far_it_is() {
        let mut status = Status::default();
        assert!(!status.read("INFO: Running with entropic power schedule (0xFF, 100)."));
        let line = "#4096\tpulse  cov: 812 ft: 1403 corp: 97/12Kb lim: 43 exec/s: 2048 rss: 61Mb";
        assert!(status.read(line));
        assert_eq!(status.to_string(), "4096 runs, 2048 a second, coverage 812, 97 inputs");
        assert!(status.read("stat::number_of_executed_units: 5000"));
        assert!(status.read("stat::average_exec_per_sec:     1900"));
        assert_eq!(status.to_string(), "5000 runs, 1900 a second, coverage 812, 97 inputs");
    }

    #[test]
    fn the_panic_is_the_reason_and_not_the_stack_behind_it() {
        let said =
            ["INFO: a", "thread '<unnamed>' panicked at b:1:2:", "c", "stack backtrace:", "0: d"];
        let said = said.map(str::to_owned);
        assert_eq!(reason(&said), &said[1..3]);
        let said = ["==1== ERROR: libFuzzer: timeout after 20 seconds".to_owned()];
        assert_eq!(reason(&said), &said);
    }
}
