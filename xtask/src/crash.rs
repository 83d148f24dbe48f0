//! `cacerts` killed, or refused by the disk, at every call that changes files: what is found is old
//! or new, never half, and the same command finishes the work.
//!
//! strace stops the program at the call; where it may not trace, that part is skipped and says so.
//! The random moments need no strace.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::claims::{self, side_by_side};
use crate::tally::Tally;
use crate::terminal;

mod desk;
mod state;
mod work;

use desk::{Desk, may_trace};
use work::{WORKS, Work};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Kill the commands also at so many random moments, all of them together
    #[arg(long, default_value_t = MOMENTS)]
    random: u32,
}

/// The calls that change what a folder holds; a file that was opened and not written is seen by
/// the kill at its first write.
const CALLS: [&str; 8] =
    ["mkdir", "write", "fsync", "rename", "renameat2", "linkat", "unlinkat", "rmdir"];
/// Calls that a disk can refuse.
const REFUSABLE: [&str; 5] = ["mkdir", "openat", "write", "fsync", "linkat"];
/// Of all commands together.
const MOMENTS: u32 = 200;

/// Runs all of it and closes with the count.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut tally = killed()?;
    tally += full_disks()?;
    tally += random_moments(args.random)?;
    terminal::result(&tally.to_string());
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Kills each command at each call in turn.
pub(crate) fn killed() -> Result<Tally> {
    every_call("killed at every call", &CALLS, "signal=KILL")
}

/// What `ci --full` runs besides [`killed`].
pub(crate) fn at_length() -> Result<Tally> {
    let mut tally = full_disks()?;
    tally += random_moments(MOMENTS)?;
    Ok(tally)
}

/// Refuses each command the space for each call in turn.
fn full_disks() -> Result<Tally> {
    every_call("on a disk that is full at any call", &REFUSABLE, "error=ENOSPC")
}

fn every_call(how: &str, calls: &[&str], what: &str) -> Result<Tally> {
    claims::build_cacerts()?;
    if !may_trace() {
        terminal::say(&format!("  {} skipped: no strace that may trace programs", WORKS.len()));
        return Ok(Tally { skipped: WORKS.len(), ..Tally::default() });
    }
    Ok(side_by_side(WORKS, |index, work| {
        let outcome = Desk::new(index, work).and_then(|desk| desk.every_call(calls, what));
        told(&format!("{} {how}", work.name), outcome)
    }))
}

/// Kills the commands at moments that are spread over the time each takes.
fn random_moments(count: u32) -> Result<Tally> {
    claims::build_cacerts()?;
    let works = u32::try_from(WORKS.len())?;
    // Alone: what runs beside it would stretch the time that is measured.
    let mut tally = Tally::default();
    for (index, work) in WORKS.iter().enumerate() {
        let rest = u32::from(u32::try_from(index)? < count % works);
        tally += at_moments(index, work, count / works + rest);
    }
    Ok(tally)
}

fn at_moments(index: usize, work: &Work, count: u32) -> Tally {
    if count == 0 {
        return Tally::default();
    }
    let outcome = Desk::new(index, work).and_then(|desk| {
        let whole = desk.duration()?;
        let mut killed = 0;
        for number in 0..count {
            killed += u32::from(desk.killed_after(within(whole, number, count))?);
        }
        Ok(killed)
    });
    told(&format!("{} killed at {count} random moments", work.name), outcome)
}

/// A random moment in one of `count` equal parts of the whole time.
fn within(whole: Duration, part: u32, count: u32) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let part_of = f64::from(part) + random as f64 / u64::MAX as f64;
    whole.mul_f64(part_of / f64::from(count))
}

/// A claim's line: what was seen so often, or what went wrong.
fn told(sentence: &str, outcome: Result<u32>) -> Tally {
    match outcome {
        Ok(0) => {
            terminal::say(&format!("  {sentence} .. FAILED\n    it never happened"));
            Tally::ONE_FAILURE
        }
        Ok(times) => {
            terminal::say(&format!("  {sentence} .. ok ({times} times)"));
            Tally { passed: 1, ..Tally::default() }
        }
        Err(error) => {
            terminal::say(&format!("  {sentence} .. FAILED\n    {error:#}"));
            Tally::ONE_FAILURE
        }
    }
}
