//! Waiting: for a condition, with a deadline, remembering why it does not hold yet.
//!
//! The only module of the harness that sleeps. It does not know what it waits for.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, timeout_at};

/// The first pause between two looks; each next one is longer by half.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What one look at a condition found.
#[derive(Debug)]
pub(crate) enum Seen<T> {
    /// It holds, and this is what was waited for.
    Ready(T),
    /// It does not hold yet, for this reason.
    NotYet(String),
}

/// Looks until `attempt` has been [`Seen::Ready`] `streak` times in a row (1 for a condition that
/// does not flap), and returns the last value.
///
/// Every look is cut off at the deadline. An error of a look is final: what may heal by itself is a
/// [`Seen::NotYet`].
///
/// # Errors
/// The look's own error, or the deadline has passed: the text then has `what`, the deadline and the
/// last reason seen.
pub(crate) async fn until<T>(
    what: &str,
    deadline: Duration,
    streak: u32,
    mut attempt: impl AsyncFnMut() -> Result<Seen<T>>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    let mut reason = String::from("the first look did not return");
    let mut in_a_row = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        let Ok(look) = timeout_at(end, attempt()).await else {
            break;
        };
        match look.with_context(|| format!("wait until {what}"))? {
            Seen::Ready(value) => {
                in_a_row += 1;
                if in_a_row >= streak {
                    return Ok(value);
                }
                reason = format!("ready {in_a_row} of {streak} times in a row");
            }
            Seen::NotYet(why) => {
                in_a_row = 0;
                reason = why;
            }
        }
        // A look that never suspends is never cut off by the timer, so the clock is read here too.
        if Instant::now() >= end {
            break;
        }
        rest(pause.min(end - Instant::now())).await;
        pause = (pause + pause / 2).min(LONGEST_PAUSE);
    }
    bail!("gave up waiting until {what}: not within {} s: {reason}", deadline.as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "this is the poll module")]
async fn rest(pause: Duration) {
    tokio::time::sleep(pause).await;
}

#[cfg(test)]
mod tests;
