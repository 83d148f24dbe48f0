//! Bounds a piece of work in time. Nothing here waits for a condition by asking again and again:
//! every look of this crate is told of its end (an answer, an alert, a closed stream, a log line).

use std::time::Duration;

use crate::Error;

/// Runs `work` for at most `limit`; `what` completes the sentence "WHAT did not end within 10s".
pub(crate) async fn within<T>(
    limit: Duration,
    what: impl FnOnce() -> String,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_elapsed) => Err(Error::Deadline { what: what(), limit, last: "nothing".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[tokio::test(start_paused = true)]
    async fn work_that_never_ends_is_named_in_the_error() {
        let never = std::future::pending::<Result<(), Error>>();
        let error = within(Duration::from_secs(10), || "reading the log of foo/bar".into(), never)
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading the log of foo/bar did not end within 10s; last seen: nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_ends_in_time_keeps_its_result() {
        let seven =
            within(Duration::from_secs(10), || "unused".into(), async { Ok(7) }).await.unwrap();
        assert_eq!(seven, 7);
    }
}
