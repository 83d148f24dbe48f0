//! Why the run has to stop now: a component of the node that died, or a signal.
//!
//! Steps watch for it, so that a wait ends at once with the real cause and not at its deadline with
//! a guess. The first component to die is the cause; a signal goes before that, since it is a
//! person's wish. Nothing is ended here: the run's own scope tears down.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Shared by everything that can stop a run, and everything that has to hear of it.
#[derive(Clone, Debug)]
pub(crate) struct Abort(Arc<watch::Sender<Option<Reason>>>);

#[derive(Clone, Debug)]
enum Reason {
    /// The cluster does not work any more.
    Broken(String),
    /// The run is not wanted any more.
    Unwanted(String),
}

impl Reason {
    fn text(&self) -> &str {
        let (Self::Broken(text) | Self::Unwanted(text)) = self;
        text
    }
}

impl Abort {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Stops the run since the cluster is broken, unless it is being stopped already.
    pub(crate) fn raise(&self, reason: &str) {
        self.stop(Reason::Broken(reason.to_owned()), |now| now.is_none());
    }

    /// Stops the run since it is not wanted any more, whatever else has happened.
    pub(crate) fn interrupt(&self, reason: &str) {
        let unless = |now: &Option<Reason>| !matches!(now, Some(Reason::Unwanted(_)));
        self.stop(Reason::Unwanted(reason.to_owned()), unless);
    }

    fn stop(&self, reason: Reason, allowed: impl FnOnce(&Option<Reason>) -> bool) {
        self.0.send_if_modified(|now| {
            let allowed = allowed(now);
            if allowed {
                *now = Some(reason);
            }
            allowed
        });
    }

    /// Returns once there is a reason to stop, with that reason.
    pub(crate) async fn raised(&self) -> anyhow::Error {
        self.wait(|_| true).await
    }

    /// Returns once the run is not wanted any more, with the reason.
    pub(crate) async fn interrupted(&self) -> anyhow::Error {
        self.wait(|reason| matches!(reason, Reason::Unwanted(_))).await
    }

    /// Whether the run is not wanted any more.
    pub(crate) fn is_unwanted(&self) -> bool {
        matches!(*self.0.borrow(), Some(Reason::Unwanted(_)))
    }

    async fn wait(&self, enough: impl Fn(&Reason) -> bool) -> anyhow::Error {
        let mut receiver = self.0.subscribe();
        match receiver.wait_for(|now| now.as_ref().is_some_and(&enough)).await {
            Ok(now) => anyhow!("{}", now.as_ref().map_or("", Reason::text).to_owned()),
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
                    abort.interrupt(&format!("interrupted by {name}"));
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
    async fn the_first_component_to_die_is_the_cause() {
        let abort = Abort::new();
        abort.raise("etcd ended");
        abort.raise("kube-apiserver ended");
        assert_eq!(abort.raised().await.to_string(), "etcd ended");
    }

    #[tokio::test]
    async fn a_wish_to_stop_goes_before_everything() {
        let abort = Abort::new();
        abort.raise("etcd ended");
        abort.interrupt("interrupted by SIGINT");
        abort.interrupt("interrupted by SIGTERM");
        assert_eq!(abort.interrupted().await.to_string(), "interrupted by SIGINT");
        assert_eq!(abort.raised().await.to_string(), "interrupted by SIGINT");
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
