//! Waiting for a condition, with a deadline, remembering why it does not hold yet: the only module
//! that sleeps.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_millis(20);

/// What one look at a condition found.
#[derive(Debug)]
pub(crate) enum Seen<T> {
    /// It holds, and this is what was waited for.
    Ready(T),
    /// It does not hold yet, for this reason.
    NotYet(String),
}

/// Looks until the condition holds. An error of a look is final.
pub(crate) async fn until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<Seen<T>>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    loop {
        match look().await? {
            Seen::Ready(found) => return Ok(found),
            Seen::NotYet(why) if Instant::now() >= end => {
                bail!("gave up waiting until {what}: not within {} s: {why}", deadline.as_secs())
            }
            Seen::NotYet(_) => pause().await,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the poll module")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
