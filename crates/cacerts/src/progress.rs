//! Many slow things at once, on every core, with a passing line once it takes more than a second.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::terminal;

/// What takes less goes by without a word; what takes more is told anew as often.
const QUIET: Duration = Duration::from_secs(1);

/// Makes `count` things in parallel and hands each on as it is there, on the caller's thread. The
/// first failure ends it: what is under way is finished and dropped, and nothing more begins.
pub(crate) fn in_parallel<T: Send>(
    what: &str,
    count: usize,
    make: impl Fn(usize) -> Result<T, Failure> + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let outcome = std::thread::scope(|scope| {
        for _ in 0..cores.min(count) {
            let (sender, next, make) = (sender.clone(), &next, &make);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more after a failure.
                    if index >= count || sender.send((index, make(index))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let start = Instant::now();
        let (mut done, mut told) = (0, start);
        let outcome = loop {
            match receiver.recv_timeout(QUIET.saturating_sub(told.elapsed())) {
                Ok((index, made)) => match made.and_then(|made| take(index, made)) {
                    Ok(()) => done += 1,
                    Err(failure) => break Err(failure),
                },
                Err(RecvTimeoutError::Timeout) => {
                    let elapsed = start.elapsed().as_secs();
                    terminal::pass(&format!("{what}: {done} of {count} done, {elapsed} s"));
                    told = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
            }
        };
        next.store(count, Ordering::Relaxed);
        drop(receiver);
        outcome
    });
    terminal::passed();
    outcome
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn everything_is_made_once_and_handed_on_with_its_number() {
        let mut taken = Vec::new();
        let take = |index, made| {
            taken.push((index, made));
            Ok(())
        };
        in_parallel("squares", 100, |index| Ok(index * index), take).unwrap();
        taken.sort_unstable();
        assert_eq!(taken, (0..100).map(|index| (index, index * index)).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_failure_is_the_outcome() {
        let make = |index| if index == 3 { Err(Failure::refused("three")) } else { Ok(index) };
        let error = in_parallel("numbers", 100, make, |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "three");
        let error = in_parallel("numbers", 100, Ok, |_, _| Err(Failure::refused("full")));
        assert_eq!(error.unwrap_err().to_string(), "full");
    }

    #[test]
    fn nothing_to_make_is_no_failure() {
        in_parallel("nothing", 0, Ok, |_, _: usize| Ok(())).unwrap();
    }
}
