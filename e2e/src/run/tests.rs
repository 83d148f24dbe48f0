//! The end of a run, whatever it is, on a registry of its own and without a node.

use std::future::pending;

use anyhow::anyhow;
use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::*;

fn setup() -> (TempDir, Setup<'static>) {
    let dir = tempfile::tempdir().unwrap();
    let (registry, parent) = (dir.path().join("registry"), dir.path().join("e2e"));
    let setup = Setup { registry, parent, steps: 1, provider: None, keep_on_failure: false };
    (dir, setup)
}

fn registered(setup: &Setup<'_>) -> usize {
    Registry::open(&setup.registry).unwrap().entries().unwrap().len()
}

#[tokio::test]
async fn a_run_is_registered_while_it_lasts_and_keeps_its_folder() {
    let (_dir, setup) = setup();
    let folder = scoped(&setup, &Abort::new(), async |run| {
        assert_eq!(registered(&setup), 1);
        Ok((run.dir.root().to_owned(), End::TearDown))
    })
    .await
    .unwrap();
    assert_eq!(registered(&setup), 0);
    assert!(folder.join("logs").is_dir());
}

#[tokio::test]
async fn a_failure_is_torn_down_and_passed_on() {
    let (_dir, setup) = setup();
    let abort = Abort::new();
    let result = scoped(&setup, &abort, async |_| Err::<((), End), _>(anyhow!("no room")));
    assert_eq!(result.await.unwrap_err().to_string(), "no room");
    assert_eq!(registered(&setup), 0);
}

#[tokio::test]
async fn a_signal_ends_a_body_that_waits() {
    let (_dir, setup) = setup();
    let abort = Abort::new();
    let result = scoped(&setup, &abort, async |run| {
        run.abort.interrupt("interrupted by SIGINT");
        pending::<Result<((), End)>>().await
    });
    assert_eq!(result.await.unwrap_err().to_string(), "interrupted by SIGINT");
    assert_eq!(registered(&setup), 0);
}

#[tokio::test]
async fn a_broken_cluster_ends_the_step_and_leaves_time_for_a_look() {
    let (_dir, setup) = setup();
    let abort = Abort::new();
    let result = scoped(&setup, &abort, async |run| {
        run.abort.raise("kubelet ended");
        let step = run.steps.run("Deploy Istio", pending::<Result<()>>()).await;
        tokio::task::yield_now().await;
        step.map(|()| ((), End::TearDown)).context("looked at")
    });
    let error = result.await.unwrap_err();
    assert_eq!(format!("{error:#}"), "looked at: Deploy Istio: kubelet ended");
    assert_eq!(registered(&setup), 0);
}

#[tokio::test]
async fn a_panic_is_torn_down_and_goes_on() {
    let (_dir, setup) = setup();
    let abort = Abort::new();
    let result = scoped(&setup, &abort, async |_| -> Result<((), End)> { panic!("a mistake") });
    let panic = AssertUnwindSafe(result).catch_unwind().await.unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"a mistake"));
    assert_eq!(registered(&setup), 0);
}

#[tokio::test]
async fn what_is_to_be_kept_stays_registered() {
    let (_dir, mut setup) = setup();
    let abort = Abort::new();
    scoped(&setup, &abort, async |_| Ok(((), End::Keep))).await.unwrap();
    let registry = Registry::open(&setup.registry).unwrap();
    assert!(registry.entries().unwrap()[0].kept);

    setup.keep_on_failure = true;
    let failed = scoped(&setup, &abort, async |_| Err::<((), End), _>(anyhow!("no room")));
    assert_eq!(failed.await.unwrap_err().to_string(), "no room");
    // The first had no node to hold its lock: it was swept when the second began.
    assert_eq!(registered(&setup), 1);
}

#[tokio::test]
async fn a_run_that_is_interrupted_is_not_kept() {
    let (_dir, mut setup) = setup();
    setup.keep_on_failure = true;
    let abort = Abort::new();
    let result = scoped(&setup, &abort, async |run| {
        run.abort.interrupt("interrupted by SIGINT");
        pending::<Result<((), End)>>().await
    });
    assert_eq!(result.await.unwrap_err().to_string(), "interrupted by SIGINT");
    assert_eq!(registered(&setup), 0);
}

#[tokio::test]
async fn two_runs_do_not_share_a_folder() {
    let (_dir, setup) = setup();
    let abort = Abort::new();
    let (one, two) = tokio::join!(
        scoped(&setup, &abort, async |run| Ok((run.id(), End::TearDown))),
        scoped(&setup, &abort, async |run| Ok((run.id(), End::TearDown))),
    );
    assert_ne!(one.unwrap(), two.unwrap());
}
