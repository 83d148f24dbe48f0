//! Claims about `cacerts` that programs of others witness: proved side by side, each in a folder of
//! its own.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};

use crate::command::Program;
use crate::tally::Tally;
use crate::terminal;

/// A sentence, and what proves it where it is given to work.
pub(crate) type Claim<Desk> = (&'static str, fn(&Desk) -> Result<()>);

/// Builds the `cacerts` that the claims are about.
pub(crate) fn build_cacerts() -> Result<()> {
    let build = ["build", "--quiet", "--locked", "-p", "cacerts"];
    ensure!(Program::cargo().args(build).status()?.success(), "cacerts does not compile");
    Ok(())
}

/// Proves every claim, on every core; one that fails hides no other. `desk` makes the place for a
/// claim by its number.
pub(crate) fn prove<Desk>(
    claims: &[Claim<Desk>],
    desk: impl Fn(usize) -> Result<Desk> + Sync,
) -> Tally {
    side_by_side(claims, |index, (sentence, prove)| {
        told(sentence, desk(index).and_then(|desk| prove(&desk)))
    })
}

/// Counts what comes of each item, on every core.
pub(crate) fn side_by_side<T: Sync>(
    items: &[T],
    count: impl Fn(usize, &T) -> Tally + Sync,
) -> Tally {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let counted = count(index, item);
                    // A thread that panicked has lost its item: the sum below finds out.
                    if let Ok(mut tally) = tally.lock() {
                        *tally += counted;
                    }
                }
            });
        }
    });
    tally.into_inner().unwrap_or(Tally::ONE_FAILURE)
}

fn told(sentence: &str, outcome: Result<()>) -> Tally {
    match outcome {
        Ok(()) => {
            terminal::say(&format!("  {sentence} .. ok"));
            Tally { passed: 1, ..Tally::default() }
        }
        Err(error) => {
            terminal::say(&format!("  {sentence} .. FAILED\n    {error:#}"));
            Tally::ONE_FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn every_claim_is_proved_and_each_that_fails_is_counted() {
        const CLAIMS: &[Claim<usize>] = &[
            ("it is even", |number| if number % 2 == 0 { Ok(()) } else { bail!("odd") }),
            ("it is even", |number| if number % 2 == 0 { Ok(()) } else { bail!("odd") }),
            ("it is two", |number| if *number == 2 { Ok(()) } else { bail!("{number}") }),
        ];
        let tally = prove(CLAIMS, Ok);
        assert_eq!(tally, Tally { passed: 2, failed: 1, skipped: 0 });
        let nowhere = prove(CLAIMS, |_| bail!("no folder"));
        assert_eq!(nowhere, Tally { passed: 0, failed: 3, skipped: 0 });
    }
}
