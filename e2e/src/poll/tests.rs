//! All on a paused clock: it moves only when everything waits.

use std::future::pending;
use std::time::Duration;

use anyhow::{Result, anyhow};
use pretty_assertions::assert_eq;
use tokio::time::Instant;

use super::{Seen, until};

const DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn what_holds_at_once_is_not_waited_for() {
    let start = Instant::now();
    let value = until("it holds", DEADLINE, 1, async || Ok(Seen::Ready(7))).await.unwrap();
    assert_eq!((value, start.elapsed()), (7, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn looks_go_on_until_it_holds() {
    let mut looks = 0;
    let value = until("it holds", DEADLINE, 1, async || {
        looks += 1;
        Ok(if looks == 4 { Seen::Ready(looks) } else { Seen::NotYet("too early".into()) })
    });
    assert_eq!(value.await.unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_says_what_how_long_and_the_last_reason() {
    let start = Instant::now();
    let mut looks = 0;
    let error = until("the node is Ready", DEADLINE, 1, async || -> Result<Seen<()>> {
        looks += 1;
        Ok(Seen::NotYet(format!("reason {looks}")))
    })
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("gave up waiting until the node is Ready: not within 5 s: reason {looks}")
    );
    assert_eq!(start.elapsed(), DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_is_cut_off_at_the_deadline() {
    let start = Instant::now();
    let error = until("it answers", DEADLINE, 1, async || pending::<Result<Seen<()>>>().await)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "gave up waiting until it answers: not within 5 s: the first look did not return"
    );
    assert_eq!(start.elapsed(), DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_look_ends_the_wait() {
    let mut looks = 0;
    let error = until("it answers", DEADLINE, 1, async || -> Result<Seen<()>> {
        looks += 1;
        Err(anyhow!("forbidden"))
    })
    .await
    .unwrap_err();
    assert_eq!((format!("{error:#}"), looks), ("wait until it answers: forbidden".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_flap_starts_the_streak_anew() {
    let mut looks = 0;
    let value = until("it stays", DEADLINE, 3, async || {
        looks += 1;
        Ok(if looks == 3 { Seen::NotYet("flapped".into()) } else { Seen::Ready(looks) })
    });
    assert_eq!(value.await.unwrap(), 6);
}

#[tokio::test]
async fn a_look_that_never_suspends_still_ends() {
    let deadline = Duration::from_millis(30);
    let error = until("it holds", deadline, u32::MAX, async || Ok(Seen::Ready(()))).await;
    let text = error.unwrap_err().to_string();
    assert!(
        text.starts_with("gave up waiting until it holds: not within 0.03 s: ready "),
        "{text}"
    );
}
