//! Why the run has to stop now: a signal, or a component of the node that died.
//!
//! The first reason wins. Steps watch for it, so that a wait ends at once with the real cause and
//! not at its deadline with a guess. It ends nothing itself: the run's own scope tears down.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Shared by everything that can stop a run, and everything that has to hear of it.
#[derive(Clone, Debug)]
pub(crate) struct Abort(Arc<watch::Sender<Option<String>>>);

impl Abort {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Stops the run for this reason, unless it is being stopped already.
    pub(crate) fn raise(&self, reason: &str) {
        self.0.send_if_modified(|slot| {
            let first = slot.is_none();
            if first {
                *slot = Some(reason.to_owned());
            }
            first
        });
    }

    /// Returns once there is a reason to stop, with that reason.
    pub(crate) async fn raised(&self) -> anyhow::Error {
        let mut receiver = self.0.subscribe();
        match receiver.wait_for(Option::is_some).await {
            Ok(reason) => anyhow!("{}", reason.as_deref().unwrap_or("the run was stopped")),
            Err(closed) => anyhow!(closed),
        }
    }

    /// Does `work`, unless there is a reason to stop before it is done.
    pub(crate) async fn unless<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            reason = self.raised() => Err(reason),
            done = work => done,
        }
    }

    /// Turns SIGINT (Ctrl-C), SIGTERM and SIGHUP into a reason to stop, from now on.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    pub(crate) fn on_signals(&self) -> Result<()> {
        let kinds = [
            (SignalKind::interrupt(), "SIGINT"),
            (SignalKind::terminate(), "SIGTERM"),
            (SignalKind::hangup(), "SIGHUP"),
        ];
        for (kind, name) in kinds {
            let mut stream = signal(kind).with_context(|| format!("cannot handle {name}"))?;
            let abort = self.clone();
            tokio::spawn(async move {
                if stream.recv().await.is_some() {
                    abort.raise(&format!("interrupted by {name}"));
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use pretty_assertions::assert_eq;

    use super::Abort;

    #[tokio::test]
    async fn the_first_reason_wins() {
        let abort = Abort::new();
        abort.raise("kubelet ended");
        abort.raise("interrupted by SIGINT");
        assert_eq!(abort.raised().await.to_string(), "kubelet ended");
    }

    #[tokio::test]
    async fn work_that_never_ends_is_cut_short() {
        let abort = Abort::new();
        let (result, ()) = tokio::join!(abort.unless(pending::<anyhow::Result<()>>()), async {
            abort.raise("etcd ended");
        });
        assert_eq!(result.unwrap_err().to_string(), "etcd ended");
    }

    #[tokio::test]
    async fn work_is_done_where_nothing_happened() {
        assert_eq!(Abort::new().unless(async { Ok(7) }).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_signal_is_a_reason() {
        let abort = Abort::new();
        abort.on_signals().unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP)
            .unwrap();
        assert_eq!(abort.raised().await.to_string(), "interrupted by SIGHUP");
    }
}
